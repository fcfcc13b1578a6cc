/* Random sequences of facts against a naive model: nothing is lost or counted twice, every grant goes to whom the law
 * names, and after a round nothing lies free that somebody may have. A failing seed is printed. test_random N runs N
 * seeds of each kind. */
#include "model.h"

#define SEEDS 1000
#define STEPS 100

struct run {
	struct model m;
	struct drf *d;
	uint64_t random;
	int64_t now_ms;
	int n_named;
	uint64_t seed;
	uint64_t n_grants;
	bool churn; /* the callback gives back, declines and takes in the middle of a round */
};

static uint64_t next_random(struct run *r)
{
	r->random ^= r->random << 13;
	r->random ^= r->random >> 7;
	r->random ^= r->random << 17;
	return r->random;
}

static int below(struct run *r, int n)
{
	return (int)(next_random(r) % (uint64_t)n);
}

/* Few different values, so that ties are common. */
static struct stuff some(struct run *r)
{
	struct stuff s = {below(r, 5) * 500, below(r, 5) * 16000, 0};

	if (!below(r, 2))
		s.ports = (uint32_t)next_random(r) & (uint32_t)next_random(r);
	return s;
}

static struct stuff less(struct run *r, struct stuff s)
{
	if (!below(r, 3))
		return s;
	s.cpus = s.cpus / 500 ? below(r, (int)(s.cpus / 500) + 1) * 500 : 0;
	s.mem = s.mem / 16000 ? below(r, (int)(s.mem / 16000) + 1) * 16000 : 0;
	s.ports &= (uint32_t)next_random(r);
	return s;
}

static int a_slave(struct run *r)
{
	int s = below(r, M_SLAVES);

	return r->m.slaves[s].used ? s : -1;
}

static int a_client(struct run *r)
{
	int c = below(r, M_CLIENTS);

	return r->m.clients[c].used && !r->m.clients[c].removed ? c : -1;
}

static int slave_of(const struct run *r, drf_id id)
{
	for (int s = 0; s < M_SLAVES; s++)
		if (r->m.slaves[s].used && r->m.slaves[s].id == id)
			return s;
	fail_msg("seed %lu: a slave nobody added", r->seed);
	return -1;
}

static int client_of(const struct run *r, drf_id id)
{
	for (int c = 0; c < M_CLIENTS; c++)
		if (r->m.clients[c].used && r->m.clients[c].id == id)
			return c;
	fail_msg("seed %lu: a client nobody added", r->seed);
	return -1;
}

/* ------------------------------------------------------------------------------------------------------------ facts */

static void drop_filters(struct run *r, int slave, int client)
{
	size_t kept = 0;

	for (size_t i = 0; i < r->m.n_filters; i++)
		if (r->m.filters[i].slave != slave && r->m.filters[i].client != client)
			r->m.filters[kept++] = r->m.filters[i];
	r->m.n_filters = kept;
}

/* A removed client is gone once it holds nothing. */
static void bury(struct run *r)
{
	for (int c = 0; c < M_CLIENTS; c++) {
		bool holds = false;
		for (int s = 0; s < M_SLAVES; s++)
			holds |= !m_empty(r->m.held[s][c]);
		if (r->m.clients[c].used && r->m.clients[c].removed && !holds) {
			r->m.clients[c].used = false;
			assert_int_equal(drf_release(r->d, 1, r->m.clients[c].id, &(struct resources){0}), -2);
		}
	}
}

static void fact_slave_add(struct run *r)
{
	int s = below(r, M_SLAVES);
	struct m_slave *slave = &r->m.slaves[s];
	char name[16];

	if (slave->used)
		return;
	*slave = (struct m_slave){.used = true, .active = true, .total = some(r)};
	snprintf(name, sizeof(name), "s%d", s);
	struct resources total = m_resources(slave->total);
	assert_int_equal(drf_slave_add(r->d, name, &total, &slave->id, NULL), 0);
	resources_fini(&total);
}

static void fact_slave_change(struct run *r)
{
	int s = a_slave(r);

	if (s < 0)
		return;
	struct m_slave *slave = &r->m.slaves[s];
	switch (below(r, 6)) {
	case 0:
		assert_int_equal(drf_slave_remove(r->d, slave->id), 0);
		assert_int_equal(drf_slave_remove(r->d, slave->id), -2);
		slave->used = slave->active = false;
		slave->total = (struct stuff){0};
		memset(r->m.held[s], 0, sizeof(r->m.held[s]));
		drop_filters(r, s, -1);
		bury(r);
		break;
	case 1: {
		slave->total = some(r);
		struct resources total = m_resources(slave->total);
		assert_int_equal(drf_slave_set_total(r->d, slave->id, &total, NULL), 0);
		resources_fini(&total);
		break;
	}
	default:
		slave->active = below(r, 4) != 0;
		assert_int_equal(drf_slave_set_active(r->d, slave->id, slave->active), 0);
	}
}

static void fact_client_add(struct run *r)
{
	struct m_client *c = &r->m.clients[below(r, M_CLIENTS)];

	if (c->used)
		return;
	*c = (struct m_client){.used = true, .active = true, .role = below(r, (int)M_ROLES)};
	snprintf(c->name, sizeof(c->name), "f%d", r->n_named++);
	assert_int_equal(drf_client_add(r->d, c->name, m_roles[c->role], &c->id, NULL), 0);
}

static void fact_client_change(struct run *r)
{
	int c = a_client(r);

	if (c < 0)
		return;
	struct m_client *client = &r->m.clients[c];
	switch (below(r, 8)) {
	case 0:
		assert_int_equal(drf_client_remove(r->d, client->id), 0);
		assert_int_equal(drf_client_remove(r->d, client->id), -2);
		client->removed = true;
		drop_filters(r, -1, c);
		bury(r);
		break;
	case 1:
	case 2:
		client->active = !client->active;
		assert_int_equal(drf_client_set_active(r->d, client->id, client->active), 0);
		if (!client->active)
			drop_filters(r, -1, c);
		break;
	case 3:
		client->suppressed = true;
		assert_int_equal(drf_client_suppress(r->d, client->id), 0);
		break;
	default:
		client->suppressed = false;
		assert_int_equal(drf_client_revive(r->d, client->id), 0);
		drop_filters(r, -1, c);
	}
}

static void fact_weight(struct run *r)
{
	int role = below(r, (int)M_ROLES);

	r->m.weight[role] = below(r, 2) ? 1000 : 1 + below(r, 5000);
	assert_int_equal(drf_set_weight(r->d, m_roles[role], r->m.weight[role]), 0);
}

static void fact_take(struct run *r)
{
	int s = a_slave(r), c = a_client(r);
	struct stuff what = some(r);

	if (s < 0 || c < 0)
		return;
	struct stuff *held = &r->m.held[s][c];
	struct resources res_what = m_resources(what);
	bool twice = (held->ports & what.ports) != 0;
	assert_int_equal(drf_take(r->d, r->m.slaves[s].id, r->m.clients[c].id, &res_what), twice ? -17 : 0);
	if (!twice)
		*held = (struct stuff){held->cpus + what.cpus, held->mem + what.mem, held->ports | what.ports};
	resources_fini(&res_what);
}

static void release_of(struct run *r, int s, int c, struct stuff what)
{
	struct stuff *held = &r->m.held[s][c];
	struct resources res_what = m_resources(what);

	*held = (struct stuff){held->cpus - what.cpus, held->mem - what.mem, held->ports & ~what.ports};
	assert_int_equal(drf_release(r->d, r->m.slaves[s].id, r->m.clients[c].id, &res_what), 0);
	resources_fini(&res_what);
	bury(r);
}

static void fact_release(struct run *r)
{
	int s = a_slave(r), first = below(r, M_CLIENTS);

	for (int i = 0; s >= 0 && i < M_CLIENTS; i++) {
		int c = (first + i) % M_CLIENTS; /* of removed ones too */
		if (!m_empty(r->m.held[s][c])) {
			release_of(r, s, c, less(r, r->m.held[s][c]));
			return;
		}
	}
}

static void filter_on(struct run *r, int s, int c, struct stuff refused)
{
	if (r->m.n_filters == M_FILTERS)
		return;
	int64_t until_ms = r->now_ms + below(r, 30);
	struct resources res_refused = m_resources(refused);
	r->m.filters[r->m.n_filters++] = (struct m_filter){s, c, refused, until_ms};
	assert_int_equal(drf_filter(r->d, r->m.slaves[s].id, r->m.clients[c].id, &res_refused, until_ms), 0);
	resources_fini(&res_refused);
}

static void fact_filter(struct run *r)
{
	int s = a_slave(r), c = a_client(r);

	if (s >= 0 && c >= 0)
		filter_on(r, s, c, below(r, 2) ? m_free(&r->m, s) : some(r));
}

/* ------------------------------------------------------------------------------------------------------------ round */

static void on_audit(void *user, drf_id slave, drf_id granted, const drf_id *eligible, size_t n)
{
	struct run *r = user;
	int s = slave_of(r, slave), n_model = 0;

	for (int c = 0; c < M_CLIENTS; c++)
		n_model += m_eligible(&r->m, s, c, r->now_ms);
	if ((size_t)n_model != n)
		fail_msg("seed %lu: %zu eligible, not %d", r->seed, n, n_model);
	for (size_t i = 0; i < n; i++)
		if (!m_eligible(&r->m, s, client_of(r, eligible[i]), r->now_ms))
			fail_msg("seed %lu: not eligible", r->seed);
	if (client_of(r, granted) != m_first(&r->m, s, r->now_ms))
		fail_msg("seed %lu: not its turn", r->seed);
	assert_int_equal(drf_why(r->d, slave, granted, r->now_ms), DRF_WHY_ELIGIBLE);
}

static void on_grant(void *user, drf_id slave, drf_id client, const struct resources *what)
{
	struct run *r = user;
	int s = slave_of(r, slave), c = client_of(r, client);
	struct stuff left = m_free(&r->m, s), *held = &r->m.held[s][c];
	struct resources expected = m_resources(left);

	r->n_grants++;
	assert_true(resources_equal(what, &expected));
	*held = (struct stuff){held->cpus + left.cpus, held->mem + left.mem, held->ports | left.ports};
	r->m.clients[c].grants++;
	r->m.own_grants[r->m.clients[c].role]++;
	for (size_t role = 0; role < M_ROLES; role++)
		r->m.role_grants[role] += m_within(m_roles[r->m.clients[c].role], m_roles[role]);
	if (r->churn && below(r, 2)) {
		release_of(r, s, c, less(r, left));
		if (below(r, 2))
			filter_on(r, s, c, left);
		if (!below(r, 3))
			fact_take(r);
	}
	/* What was lent for the call is still as it was. */
	assert_true(resources_equal(what, &expected));
	resources_fini(&expected);
}

static enum drf_why model_why(const struct run *r, int s, int c)
{
	const struct m_client *client = &r->m.clients[c];

	if (client->removed)
		return DRF_WHY_UNKNOWN;
	if (!r->m.slaves[s].active)
		return DRF_WHY_SLAVE_INACTIVE;
	if (!client->active)
		return DRF_WHY_CLIENT_INACTIVE;
	if (client->suppressed)
		return DRF_WHY_SUPPRESSED;
	if (!m_fits(&r->m, s))
		return DRF_WHY_TOO_SMALL;
	if (m_filtered(&r->m, s, c, r->now_ms))
		return DRF_WHY_FILTERED;
	return m_first(&r->m, s, r->now_ms) == c ? DRF_WHY_ELIGIBLE : DRF_WHY_NOT_ITS_TURN;
}

static void fact_round(struct run *r)
{
	r->now_ms += below(r, 8);
	drf_round(r->d, r->now_ms, on_grant, r);
	for (int s = 0; s < M_SLAVES && !r->churn; s++)
		if (r->m.slaves[s].used && m_first(&r->m, s, r->now_ms) >= 0)
			fail_msg("seed %lu: something lies free that somebody may have", r->seed);
}

static void compare(struct run *r)
{
	struct err err = {0};

	if (drf_check(r->d, &err))
		fail_msg("seed %lu: %s", r->seed, err.text);
	for (int s = 0; s < M_SLAVES; s++) {
		struct resources is = {0}, should = m_resources(m_free(&r->m, s));
		if (r->m.slaves[s].used) {
			assert_true(drf_slave_free(r->d, r->m.slaves[s].id, &is));
			assert_true(resources_equal(&is, &should));
		}
		resources_fini(&is);
		resources_fini(&should);
	}
	int s = a_slave(r), c = below(r, M_CLIENTS);
	if (s >= 0 && r->m.clients[c].used)
		assert_int_equal(drf_why(r->d, r->m.slaves[s].id, r->m.clients[c].id, r->now_ms), model_why(r, s, c));
}

static void step(struct run *r)
{
	static void (*const facts[])(struct run *) = {
		fact_slave_add,  fact_slave_add,     fact_slave_change, fact_client_add, fact_client_add,
		fact_client_add, fact_client_change, fact_weight,       fact_take,       fact_release,
		fact_release,    fact_release,       fact_filter,       fact_filter,     fact_round,
		fact_round,      fact_round,         fact_round,
	};

	facts[below(r, (int)(sizeof(facts) / sizeof(facts[0])))](r);
	if (!below(r, 5))
		compare(r);
}

static uint64_t run_seed(uint64_t seed, bool churn)
{
	struct run r = {.seed = seed, .random = seed * 0x9e3779b97f4a7c15ull + 1, .churn = churn};
	struct resources sets[2] = {res("cpus:0.01"), res("mem:32")};

	r.d = drf_create(seed);
	r.m.min = (struct stuff){10, 32000, 0};
	drf_set_min_allocatable(r.d, sets, 2);
	drf_set_audit(r.d, on_audit, &r);
	for (size_t i = 0; i < M_ROLES; i++) {
		r.m.weight[i] = 1000;
		assert_int_equal(drf_set_weight(r.d, m_roles[i], 1000), 0);
	}
	for (int i = 0; i < STEPS; i++)
		step(&r);
	drf_destroy(r.d);
	resources_fini(&sets[0]);
	resources_fini(&sets[1]);
	return r.n_grants;
}

static void facts_in_any_order(void **state)
{
	const uint64_t *n_seeds = *state;
	uint64_t n_grants = 0;

	for (uint64_t seed = 1; seed <= *n_seeds; seed++)
		n_grants += run_seed(seed, false);
	assert_true(n_grants > 5 * *n_seeds);
}

static void facts_in_the_middle_of_a_round(void **state)
{
	const uint64_t *n_seeds = *state;
	uint64_t n_grants = 0;

	for (uint64_t seed = 1; seed <= *n_seeds; seed++)
		n_grants += run_seed(seed, true);
	assert_true(n_grants > 5 * *n_seeds);
}

int main(int argc, char **argv)
{
	uint64_t n_seeds = argc > 1 ? strtoull(argv[1], NULL, 10) : SEEDS;
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_prestate(facts_in_any_order, &n_seeds),
		cmocka_unit_test_prestate(facts_in_the_middle_of_a_round, &n_seeds),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
