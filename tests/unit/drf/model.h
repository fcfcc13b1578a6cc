/* A naive ledger to hold the real one against: arrays, sums made anew at every question, no order kept. It shares
 * nothing with drf/ but the law it states. Resources are cpus and mem (thousandths) and one bit mask of 32 ports. */
#ifndef FL_TESTS_DRF_MODEL_H
#define FL_TESTS_DRF_MODEL_H

#include <stdio.h>

#include "fixture.h"

#define M_SLAVES 8
#define M_CLIENTS 18
#define M_FILTERS 64
#define M_FIRST_PORT 31000

__extension__ typedef unsigned __int128 wide;

struct stuff {
	int64_t cpus, mem;
	uint32_t ports;
};

static const char *const m_roles[] = {"*", "a", "a/x", "a/x/p", "a/y", "b", "b/x"};
#define M_ROLES (sizeof(m_roles) / sizeof(m_roles[0]))

struct m_slave {
	drf_id id;
	bool used, active;
	struct stuff total;
};

struct m_client {
	drf_id id;
	bool used, removed, active, suppressed;
	int role;
	char name[8];
	uint64_t grants;
};

struct m_filter {
	int slave, client;
	struct stuff refused;
	int64_t until_ms;
};

struct model {
	struct m_slave slaves[M_SLAVES];
	struct m_client clients[M_CLIENTS];
	struct stuff held[M_SLAVES][M_CLIENTS];
	struct m_filter filters[M_FILTERS];
	size_t n_filters;
	int64_t weight[M_ROLES];
	uint64_t role_grants[M_ROLES], own_grants[M_ROLES]; /* made in the role and below; made in the role itself */
	struct stuff min;                                   /* min allocatable: one of cpus or mem */
};

static inline bool m_contains(struct stuff a, struct stuff b)
{
	return a.cpus >= b.cpus && a.mem >= b.mem && !(b.ports & ~a.ports);
}

static inline bool m_empty(struct stuff a)
{
	return !a.cpus && !a.mem && !a.ports;
}

static inline struct stuff m_free(const struct model *m, int slave)
{
	struct stuff left = m->slaves[slave].total;

	for (int c = 0; c < M_CLIENTS; c++) {
		left.cpus -= m->held[slave][c].cpus;
		left.mem -= m->held[slave][c].mem;
		left.ports &= ~m->held[slave][c].ports;
	}
	left.cpus = left.cpus < 0 ? 0 : left.cpus;
	left.mem = left.mem < 0 ? 0 : left.mem;
	return left;
}

static inline struct resources m_resources(struct stuff s)
{
	char text[2048];
	size_t n = (size_t)snprintf(text, sizeof(text), "cpus:%ld.%03ld;mem:%ld.%03ld", (long)(s.cpus / 1000),
	                            (long)(s.cpus % 1000), (long)(s.mem / 1000), (long)(s.mem % 1000));

	if (s.ports)
		n += (size_t)snprintf(text + n, sizeof(text) - n, ";ports:[");
	for (int i = 0, some = 0; i < 32; i++)
		if (s.ports >> i & 1)
			n += (size_t)snprintf(text + n, sizeof(text) - n, "%s%d-%d", some++ ? "," : "",
			                      M_FIRST_PORT + i, M_FIRST_PORT + i);
	if (s.ports)
		snprintf(text + n, sizeof(text) - n, "]");
	return res(text);
}

static inline bool m_filtered(const struct model *m, int slave, int client, int64_t now_ms)
{
	struct stuff left = m_free(m, slave);

	for (size_t i = 0; i < m->n_filters; i++)
		if (m->filters[i].slave == slave && m->filters[i].client == client && m->filters[i].until_ms > now_ms &&
		    m_contains(m->filters[i].refused, left))
			return true;
	return false;
}

static inline bool m_fits(const struct model *m, int slave)
{
	struct stuff left = m_free(m, slave);

	return left.cpus >= m->min.cpus || left.mem >= m->min.mem;
}

static inline bool m_eligible(const struct model *m, int slave, int client, int64_t now_ms)
{
	const struct m_client *c = &m->clients[client];

	return m->slaves[slave].active && m_fits(m, slave) && c->used && !c->removed && c->active && !c->suppressed &&
	       !m_filtered(m, slave, client, now_ms);
}

/* ------------------------------------------------------------------------------------------------------------ order */

/* Whether role `outer` is `inner` or above it. */
static inline bool m_within(const char *inner, const char *outer)
{
	size_t n = strlen(outer);

	return !strncmp(inner, outer, n) && (!inner[n] || inner[n] == '/');
}

/* A place in the tree: a role with all below, a role's own clients, or one client. */
struct m_node {
	struct stuff held;
	int64_t weight;
	uint64_t grants;
	const char *name;
};

static inline struct m_node m_sum(const struct model *m, int role, bool own, int client)
{
	struct m_node n = {.weight = 1000};

	for (int c = 0; c < M_CLIENTS; c++) {
		if (!m->clients[c].used)
			continue;
		const char *path = m_roles[m->clients[c].role];
		bool in = client >= 0 ? c == client : own ? m->clients[c].role == role : m_within(path, m_roles[role]);
		for (int s = 0; in && s < M_SLAVES; s++) {
			n.held.cpus += m->held[s][c].cpus;
			n.held.mem += m->held[s][c].mem;
		}
	}
	if (client >= 0) {
		n.name = m->clients[client].name;
		n.grants = m->clients[client].grants;
	} else {
		n.name = own ? "." : m_roles[role];
		n.grants = own ? m->own_grants[role] : m->role_grants[role];
		if (!own)
			n.weight = m->weight[role];
	}
	return n;
}

/* The dominant share, found by asking for each pair of resources which fraction is larger. */
static inline void m_share(const struct model *m, const struct m_node *n, wide *num, wide *den)
{
	int64_t cpus = 0, mem = 0;

	for (int s = 0; s < M_SLAVES; s++) {
		cpus += m->slaves[s].used ? m->slaves[s].total.cpus : 0;
		mem += m->slaves[s].used ? m->slaves[s].total.mem : 0;
	}
	bool by_cpus = cpus && (!mem || (wide)n->held.cpus * (wide)mem >= (wide)n->held.mem * (wide)cpus);
	*num = (wide)(by_cpus ? n->held.cpus : mem ? n->held.mem : 0);
	*den = (wide)(by_cpus ? cpus : mem ? mem : 1) * (wide)n->weight;
}

static inline int m_compare(const struct model *m, const struct m_node *a, const struct m_node *b)
{
	wide an, ad, bn, bd;

	m_share(m, a, &an, &ad);
	m_share(m, b, &bn, &bd);
	if (an * bd != bn * ad)
		return an * bd < bn * ad ? -1 : 1;
	if (a->grants != b->grants)
		return a->grants < b->grants ? -1 : 1;
	return strcmp(a->name, b->name);
}

/* The role whose path is the first `depth` components of role's path; -1 when it has fewer. */
static inline int m_ancestor(int role, int depth)
{
	const char *end = m_roles[role];

	for (int i = 0; i < depth; i++) {
		if (!*end)
			return -1;
		end += i ? 1 : 0;
		end += strcspn(end, "/");
	}
	for (size_t r = 0; r < M_ROLES; r++)
		if (strlen(m_roles[r]) == (size_t)(end - m_roles[role]) &&
		    !strncmp(m_roles[r], m_roles[role], (size_t)(end - m_roles[role])))
			return (int)r;
	return -1;
}

/* The law: roles among siblings first, then clients inside the role. */
static inline bool m_before(const struct model *m, int a, int b)
{
	int role_a = m->clients[a].role, role_b = m->clients[b].role;
	struct m_node of_a, of_b;

	if (role_a == role_b) {
		of_a = m_sum(m, 0, false, a);
		of_b = m_sum(m, 0, false, b);
		return m_compare(m, &of_a, &of_b) < 0;
	}
	int depth = 1;
	while (m_ancestor(role_a, depth) >= 0 && m_ancestor(role_a, depth) == m_ancestor(role_b, depth))
		depth++;
	int above_a = m_ancestor(role_a, depth), above_b = m_ancestor(role_b, depth);
	of_a = above_a >= 0 ? m_sum(m, above_a, false, -1) : m_sum(m, role_a, true, -1);
	of_b = above_b >= 0 ? m_sum(m, above_b, false, -1) : m_sum(m, role_b, true, -1);
	return m_compare(m, &of_a, &of_b) < 0;
}

/* Whose turn it is on the slave; -1 when nobody's. */
static inline int m_first(const struct model *m, int slave, int64_t now_ms)
{
	int first = -1;

	for (int c = 0; c < M_CLIENTS; c++)
		if (m_eligible(m, slave, c, now_ms) && (first < 0 || m_before(m, c, first)))
			first = c;
	return first;
}

#endif
