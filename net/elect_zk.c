/* Candidacy in ZooKeeper: the own node, and the taking of office.
 *
 * The own node: NONE (to be made), MAKING, UNSURE (the connection broke while it was made: look for our id before making
 * another), SEARCHING, THERE. Office: when our node is the first, read the registry's incarnation and term, then one multi
 * that checks our node and raises the term. While we lead, the children and the term node are watched: our node gone,
 * another one first, or another term means that office is lost.
 *
 * The local deadline: the session lives at least session_ms from when the last answered ping was sent. At two thirds of
 * that we suspend, at the end we step down, whatever ZooKeeper says later. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "msg/json.h"
#include "net/elect_impl.h"
#include "net/masters.h"
#include "net/store_impl.h"
#include "net/url.h"
#include "net/zk.h"

#define RETRY_MS 1000
#define DEFAULT_SESSION_MS 10000

enum node_state { NODE_NONE, NODE_MAKING, NODE_UNSURE, NODE_SEARCHING, NODE_THERE };

#define CAN(state) (1u << NODE_##state)
static const struct sm_state node_states[] = {
	[NODE_NONE] = {"NONE", CAN(MAKING), SM_INITIAL},
	[NODE_MAKING] = {"MAKING", CAN(THERE) | CAN(UNSURE) | CAN(NONE), 0},
	[NODE_UNSURE] = {"UNSURE", CAN(SEARCHING) | CAN(NONE), 0},
	[NODE_SEARCHING] = {"SEARCHING", CAN(THERE) | CAN(UNSURE) | CAN(NONE), 0},
	[NODE_THERE] = {"THERE", CAN(NONE), 0},
};

/* A node of the registry as read before office is taken. */
struct entry {
	bool there;
	int version;
	char text[64];
};

struct elect_zk {
	struct elect e;
	char *hosts, *path, *registry, *incarnation_node, *term_node;
	int session_ms;
	struct zk *zk;
	struct masters masters;
	struct sm node;
	char *own;         /* whole path of our node, when THERE */
	char **candidates; /* while SEARCHING */
	size_t n_candidates, next_candidate;
	int reading; /* answers that taking office still waits for */
	int read_status;
	struct entry registry_read, incarnation_read, term_read;
	char new_incarnation[40];
	uint64_t new_term;
	int new_version, term_version;
	bool watching_term;
	struct timer deadline, retry;
};

static const struct elect_backend backend;
static void step(struct elect_zk *z);

static struct elect_zk *of(const struct elect *e)
{
	return (struct elect_zk *)e;
}

static const char *base_name(const char *path)
{
	return strrchr(path, '/') + 1;
}

/* ---- the own node ---- */

static void drop_node(struct elect_zk *z)
{
	free(z->own);
	z->own = NULL;
	if (sm_state(&z->node) != NODE_NONE)
		sm_move(&z->node, NODE_NONE);
}

static void set_node(struct elect_zk *z, const char *path)
{
	z->own = xstrdup(path);
	sm_move(&z->node, NODE_THERE);
	masters_look(&z->masters);
}

static void on_made(void *user, int status, const char *path)
{
	struct elect_zk *z = user;

	if (status == 0) {
		set_node(z, path);
	} else if (status == -EAGAIN) {
		sm_move(&z->node, NODE_UNSURE);
		step(z);
	} else {
		log_debug("elect.make path=%s error=\"%s\"", z->path, strerror(-status));
		sm_move(&z->node, NODE_NONE);
		timer_set(&z->retry, RETRY_MS);
	}
}

static void on_parent(void *user, int status, const char *path)
{
}

/* The parents and the node itself, in one go: ZooKeeper keeps the order of a session's calls. */
static void make_node(struct elect_zk *z)
{
	_cleanup_buf_ struct buf json = {0};
	_cleanup_free_ char *name = xasprintf("%s/%s", z->path, MASTERS_PREFIX);
	_cleanup_free_ char *part = xstrdup(z->path);

	sm_move(&z->node, NODE_MAKING);
	json_encode(&rec_master_info, z->e.self.rec, &json);
	for (char *slash = strchr(part + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		zk_make(z->zk, part, NULL, 0, 0, on_parent, z);
		*slash = '/';
	}
	zk_make(z->zk, part, NULL, 0, 0, on_parent, z);
	zk_make(z->zk, name, json.data, json.size, ZK_EPHEMERAL | ZK_SEQUENCE, on_made, z);
}

static void search_next(struct elect_zk *z);

static bool is_ours(const struct elect_zk *z, const void *data, size_t size)
{
	_cleanup_zone_ struct zone *zone = zone_create();
	const struct fl_master_info *self = z->e.self.rec, *found;
	void *rec;

	if (json_decode(&rec_master_info, data, size, zone, &rec, NULL) < 0)
		return false;
	found = rec;
	return str_equal(found->id, self->id);
}

static void end_search(struct elect_zk *z, int status, const char *found)
{
	if (found)
		set_node(z, found);
	else
		sm_move(&z->node, status == 0 ? NODE_NONE : NODE_UNSURE);
	masters_free_names(z->candidates, z->n_candidates);
	z->candidates = NULL;
	z->n_candidates = z->next_candidate = 0;
	if (status != 0 && status != -EAGAIN && status != -ECANCELED)
		timer_set(&z->retry, RETRY_MS);
	step(z);
}

static void on_candidate(void *user, int status, const void *data, size_t size, int version)
{
	struct elect_zk *z = user;

	if (status == 0 && is_ours(z, data, size)) {
		_cleanup_free_ char *path = xasprintf("%s/%s", z->path, z->candidates[z->next_candidate]);
		end_search(z, 0, path);
	} else if (status == 0 || status == -ENOENT) {
		z->next_candidate++;
		search_next(z);
	} else {
		end_search(z, status, NULL);
	}
}

static void search_next(struct elect_zk *z)
{
	if (z->next_candidate == z->n_candidates) {
		end_search(z, 0, NULL);
		return;
	}
	_cleanup_free_ char *path = xasprintf("%s/%s", z->path, z->candidates[z->next_candidate]);
	zk_get(z->zk, path, NULL, NULL, on_candidate, z);
}

static void on_candidates(void *user, int status, const char *const *names, size_t n)
{
	struct elect_zk *z = user;

	if (status != 0 && status != -ENOENT) {
		end_search(z, status, NULL);
		return;
	}
	masters_sort(names, n, &z->candidates, &z->n_candidates);
	search_next(z);
}

/* ---- taking office ---- */

static void on_term_change(void *user);

static void on_term_seen(void *user, int status, const void *data, size_t size, int version)
{
	struct elect_zk *z = user;

	if (elect_state(&z->e) != ELECT_LEADING || status == -EAGAIN || status == -ECANCELED)
		return;
	if (status == 0 && version == z->term_version)
		return;
	elect_zk_deposed(&z->e);
}

/* Only the answer to a call that carried a watch says that there is one. */
static void on_term_watched(void *user, int status, const void *data, size_t size, int version)
{
	struct elect_zk *z = user;

	if (status == 0)
		z->watching_term = true;
	on_term_seen(z, status, data, size, version);
}

static void watch_term(struct elect_zk *z)
{
	zk_get(z->zk, z->term_node, z->watching_term ? NULL : on_term_change, z,
	       z->watching_term ? on_term_seen : on_term_watched, z);
}

static void on_term_change(void *user)
{
	struct elect_zk *z = user;

	z->watching_term = false;
	if (elect_state(&z->e) == ELECT_LEADING)
		watch_term(z);
}

/* When the next look at the local deadline is due. */
static void set_deadline(struct elect_zk *z)
{
	int64_t alive = zk_alive_since_ms(z->zk), now = loop_now_ms(z->e.loop);
	int64_t session = zk_session_ms(z->zk);
	int64_t due = elect_state(&z->e) == ELECT_LEADING ? alive + session * 2 / 3 : alive + session;

	if (!elect_held(&z->e)) {
		timer_stop(&z->deadline);
		return;
	}
	if (zk_state(z->zk) == ZK_CONNECTED && elect_state(&z->e) == ELECT_SUSPENDED)
		due = now + session / 10; /* pings may be answered again */
	timer_set(&z->deadline, due > now ? due - now : 0);
}

static void lose(struct elect_zk *z)
{
	const struct fl_master_info *leader = elect_leader(&z->e), *self = z->e.self.rec;

	elect_lose(&z->e);
	set_deadline(z);
	if (leader && str_equal(leader->id, self->id) && (zk_state(z->zk) != ZK_CONNECTED || !z->own))
		elect_set_leader(&z->e, NULL);
}

static void on_taken(void *user, int status, int failed)
{
	struct elect_zk *z = user;

	z->reading--;
	if (elect_state(&z->e) != ELECT_TAKING) {
		step(z);
	} else if (status == 0) {
		z->term_version = z->new_version;
		watch_term(z);
		elect_lead(&z->e, z->new_incarnation, z->new_term);
		set_deadline(z);
	} else {
		log_debug("elect.take path=%s op=%d error=\"%s\"", z->path, failed, strerror(-status));
		elect_suspend(&z->e); /* back to where we were */
		if (status == -ENOENT || status == -EEXIST || status == -ESTALE)
			masters_look(&z->masters); /* something moved in between */
		else
			timer_set(&z->retry, RETRY_MS);
	}
}

/* Adds the op that makes or sets a node of the registry, or checks that it is as it was read. */
static void add_op(struct zk_op *ops, size_t *n, const char *path, const struct entry *e, const char *text)
{
	struct zk_op *op = &ops[(*n)++];

	op->path = path;
	op->version = e->version;
	op->kind = !e->there ? ZK_OP_MAKE : text ? ZK_OP_SET : ZK_OP_CHECK;
	op->data = text;
	op->size = text ? strlen(text) : 0;
}

static void take_office(struct elect_zk *z)
{
	struct zk_op ops[4] = {{.kind = ZK_OP_CHECK, .path = z->own, .version = ZK_ANY_VERSION}};
	size_t n = 1;
	uint64_t term = 0;
	char term_text[24];
	bool fresh = !z->term_read.there || str_to_uint64(z->term_read.text, INT64_MAX - 1, &term, NULL) < 0 ||
	             !z->incarnation_read.there || !z->incarnation_read.text[0];

	if (fresh) {
		str_uuid(loop_random(z->e.loop), loop_random(z->e.loop), z->new_incarnation);
		term = 0;
	} else {
		snprintf(z->new_incarnation, sizeof(z->new_incarnation), "%.39s", z->incarnation_read.text);
	}
	z->new_term = term + 1;
	z->new_version = z->term_read.there ? z->term_read.version + 1 : 0;
	snprintf(term_text, sizeof(term_text), "%llu", (unsigned long long)z->new_term);
	if (!z->registry_read.there)
		add_op(ops, &n, z->registry, &z->registry_read, NULL);
	add_op(ops, &n, z->incarnation_node, &z->incarnation_read, fresh ? z->new_incarnation : NULL);
	add_op(ops, &n, z->term_node, &z->term_read, term_text);
	z->reading++;
	zk_multi(z->zk, ops, n, on_taken, z);
}

static void entry_read(struct elect_zk *z, struct entry *entry, int status, const void *data, size_t size, int version)
{
	if (status != 0 && status != -ENOENT)
		z->read_status = status;
	*entry = (struct entry){.there = status == 0, .version = version};
	if (size >= sizeof(entry->text))
		size = 0; /* not written by us */
	if (size)
		memcpy(entry->text, data, size);
	if (--z->reading > 0)
		return;
	if (elect_state(&z->e) != ELECT_TAKING) {
		step(z);
	} else if (z->read_status == 0) {
		take_office(z);
	} else {
		elect_suspend(&z->e);
		timer_set(&z->retry, RETRY_MS);
	}
}

static void on_registry(void *user, int status, const void *data, size_t size, int version)
{
	struct elect_zk *z = user;

	entry_read(z, &z->registry_read, status, NULL, 0, version);
}

static void on_incarnation(void *user, int status, const void *data, size_t size, int version)
{
	struct elect_zk *z = user;

	entry_read(z, &z->incarnation_read, status, data, size, version);
}

static void on_term(void *user, int status, const void *data, size_t size, int version)
{
	struct elect_zk *z = user;

	entry_read(z, &z->term_read, status, data, size, version);
}

static void read_registry(struct elect_zk *z)
{
	elect_take(&z->e);
	z->reading = 3;
	z->read_status = 0;
	zk_get(z->zk, z->registry, NULL, NULL, on_registry, z);
	zk_get(z->zk, z->incarnation_node, NULL, NULL, on_incarnation, z);
	zk_get(z->zk, z->term_node, NULL, NULL, on_term, z);
}

/* ---- the whole ---- */

/* The path was deleted and made anew, and another master's node got the name of ours. */
static bool is_anothers(const struct elect_zk *z)
{
	const struct fl_master_info *first = z->masters.leader.rec, *self = z->e.self.rec;

	return first && str_equal(z->masters.names[0], base_name(z->own)) && !str_equal(first->id, self->id);
}

/* Our node is there and the list of candidates is fresh: is it our turn? */
static void step_office(struct elect_zk *z)
{
	if (!masters_has(&z->masters, base_name(z->own)) || is_anothers(z)) { /* somebody deleted it */
		drop_node(z);
		lose(z);
		step(z);
		return;
	}
	if (!str_equal(z->masters.names[0], base_name(z->own))) {
		lose(z);
		return;
	}
	if (elect_state(&z->e) == ELECT_FOLLOWING || elect_state(&z->e) == ELECT_SUSPENDED)
		read_registry(z);
}

static void step(struct elect_zk *z)
{
	if (zk_state(z->zk) != ZK_CONNECTED || timer_armed(&z->retry))
		return;
	switch (sm_state(&z->node)) {
	case NODE_NONE:
		make_node(z);
		break;
	case NODE_UNSURE:
		sm_move(&z->node, NODE_SEARCHING);
		zk_children(z->zk, z->path, NULL, NULL, on_candidates, z);
		break;
	case NODE_THERE:
		if (z->masters.fresh && z->reading == 0)
			step_office(z);
		break;
	}
}

static void on_masters(void *user)
{
	struct elect_zk *z = user;

	elect_set_leader(&z->e, z->masters.leader.rec);
	step(z);
}

static void on_retry(void *user)
{
	struct elect_zk *z = user;

	masters_look(&z->masters);
	step(z);
}

static void on_deadline(void *user)
{
	struct elect_zk *z = user;
	int64_t now = loop_now_ms(z->e.loop), alive = zk_alive_since_ms(z->zk), session = zk_session_ms(z->zk);

	if (now >= alive + session) {
		lose(z);
		return;
	}
	if (now >= alive + session * 2 / 3)
		elect_suspend(&z->e);
	else if (elect_state(&z->e) == ELECT_SUSPENDED)
		step(z);
	set_deadline(z);
}

static void open_session(struct elect_zk *z);

static void on_zk(void *user, enum zk_state state)
{
	struct elect_zk *z = user;

	switch (state) {
	case ZK_CONNECTED:
		masters_look(&z->masters);
		break;
	case ZK_SUSPENDED:
		z->masters.fresh = false;
		elect_suspend(&z->e);
		set_deadline(z);
		return;
	case ZK_EXPIRED:
		drop_node(z);
		lose(z);
		open_session(z);
		break;
	case ZK_CONNECTING:
		break;
	}
	step(z);
}

static void open_session(struct elect_zk *z)
{
	struct err err;

	timer_stop(&z->retry);
	zk_destroy(z->zk);
	elect_free_remains(&z->e);
	z->reading = 0;
	z->watching_term = false;
	masters_free_names(z->candidates, z->n_candidates);
	z->candidates = NULL;
	z->n_candidates = z->next_candidate = 0;
	z->zk = zk_create(z->e.loop, z->hosts, z->session_ms, on_zk, z, &err);
	masters_use(&z->masters, z->zk);
}

struct elect *elect_zk_create(struct loop *l, const struct url *url, const struct fl_master_info *self,
                              const struct elect_options *options, const struct elect_ops *ops, void *user,
                              struct err *err)
{
	struct elect_zk *z = xcalloc(1, sizeof(*z));

	elect_init(&z->e, l, &backend, self, ops, user);
	z->hosts = xstrdup(url->hosts);
	z->path = xstrdup(url->path);
	z->registry = xasprintf("%s/registry", z->path);
	z->incarnation_node = xasprintf("%s/incarnation", z->registry);
	z->term_node = xasprintf("%s/term", z->registry);
	z->session_ms = options && options->session_ms > 0 ? options->session_ms : DEFAULT_SESSION_MS;
	sm_init(&z->node, node_states, ARRAY_SIZE(node_states), NODE_NONE, "candidate", self->id, NULL, NULL);
	timer_init(&z->deadline, l, on_deadline, z);
	timer_init(&z->retry, l, on_retry, z);
	masters_init(&z->masters, l, z->path, on_masters, z);
	z->zk = zk_create(l, z->hosts, z->session_ms, on_zk, z, err);
	if (!z->zk) {
		elect_destroy(&z->e);
		return NULL;
	}
	masters_use(&z->masters, z->zk);
	return &z->e;
}

static void zk_backend_destroy(struct elect *e)
{
	struct elect_zk *z = of(e);

	timer_stop(&z->deadline);
	timer_stop(&z->retry);
	zk_destroy(z->zk);
	masters_fini(&z->masters);
	masters_free_names(z->candidates, z->n_candidates);
	elect_fini(e);
	free(z->own);
	free(z->hosts);
	free(z->path);
	free(z->registry);
	free(z->incarnation_node);
	free(z->term_node);
	free(z);
}

static int64_t zk_backend_valid_until_ms(const struct elect *e)
{
	return zk_alive_since_ms(of(e)->zk) + zk_session_ms(of(e)->zk);
}

static const struct elect_backend backend = {
	.destroy = zk_backend_destroy,
	.valid_until_ms = zk_backend_valid_until_ms,
	.store = &store_zk,
};

void elect_zk_office(const struct elect *e, struct elect_zk_office *ret)
{
	const struct elect_zk *z = of(e);

	*ret = (struct elect_zk_office){z->zk, z->path, z->own, z->term_node, z->term_version};
}

void elect_zk_deposed(struct elect *e)
{
	struct elect_zk *z = of(e);

	lose(z);
	masters_look(&z->masters);
}
