/* Seam 5, simulated: one ZooKeeper for the world, as seen through net/zk.h.
 *
 * A request takes effect when it arrives at the server and is answered some time later, in order for each session. A
 * connection that breaks in between leaves the caller with -EAGAIN and the effect in place. Sessions live as long as the
 * server hears from them; a process that is killed, paused or cut off loses its session after the timeout and not before.
 * A watch is kept by the server until it has fired at its client; after a reconnection it fires if the node changed. */
#include "net/zk.h"

#include <assert.h>
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "world.h"

struct znode {
	struct hash_node node; /* by path */
	char *path;
	void *data;
	size_t size;
	int version;
	uint64_t czxid, mzxid, pzxid; /* made, data changed, children changed */
	uint64_t owner;               /* session of an ephemeral, else 0 */
	int next_sequence;
};

struct session {
	struct list_node node;
	uint64_t id;
	int timeout_ms;
	struct event expire;
	bool expired;
};

enum call_kind { CALL_GET, CALL_EXISTS, CALL_CHILDREN, CALL_MAKE, CALL_SET, CALL_REMOVE, CALL_MULTI, CALL_PING };
static const char *const call_names[] = {"get", "exists", "children", "make", "set", "remove", "multi", "ping"};

struct op {
	enum zk_op_kind kind;
	char *path;
	void *data;
	size_t size;
	int version, flags;
};

/* A request on its way there and back. */
struct call {
	struct list_node node; /* zk.waiting, .requests or .answers */
	struct zk *zk;
	enum call_kind kind;
	struct op *ops;
	size_t n_ops;
	int64_t due_us; /* at the other side */
	int64_t sent_ms;
	struct zwatch *fired; /* no answer but a notification */
	zk_watch_fn watch;
	void *watch_user;
	union {
		zk_data_fn data;
		zk_fn plain;
		zk_list_fn list;
		zk_path_fn path;
		zk_multi_fn multi;
	} fn;
	void *user;
	/* the answer */
	int status, failed, version;
	void *data;
	size_t size;
	char **names;
	size_t n_names;
	char *path;
};

enum watch_kind { WATCH_DATA, WATCH_CHILDREN };

struct zwatch {
	struct list_node node; /* zk.watches */
	struct zk *zk;
	enum watch_kind kind;
	char *path;
	uint64_t seen; /* zxid of what was read; 0: no such node */
	bool fired;    /* its notification is among zk.answers */
	zk_watch_fn fn;
	void *user;
};

struct zk {
	struct list_node node; /* loop.sessions */
	struct loop *loop;
	enum zk_state state;
	int asked_ms;
	zk_state_fn fn;
	void *user;
	struct session *session;
	bool connected;
	int64_t alive_ms, heard_ms;
	uint64_t attempts;
	struct list watches;
	struct list waiting;           /* calls made while not connected */
	struct list requests, answers; /* under way, in order */
	struct event deliver_request, deliver_answer, reconnect, ping;
	bool dead; /* destroyed or its process died; never freed */
};

static struct {
	struct host *host;
	bool down;
	struct hash nodes;
	struct list sessions;
	uint64_t zxid, next_session;
} server;

/* ================ the server ================ */

static struct znode *find_node(const char *path)
{
	return HASH_FIND(&server.nodes, path, struct znode, node);
}

static struct znode *parent_of(const char *path)
{
	_cleanup_free_ char *parent = xstrdup(path);
	char *slash = strrchr(parent, '/');

	if (!slash)
		return NULL;
	slash[slash == parent] = 0;
	return find_node(parent);
}

static bool is_child(const char *parent, const char *path)
{
	size_t n = strlen(parent);

	if (n == 1)
		return path[1] && !strchr(path + 1, '/');
	return !strncmp(path, parent, n) && path[n] == '/' && !strchr(path + n + 1, '/');
}

static bool has_children(const char *path)
{
	struct znode *z;

	HASH_FOREACH (z, &server.nodes, struct znode, node)
		if (is_child(path, z->path))
			return true;
	return false;
}

static uint64_t relevant_zxid(enum watch_kind kind, const char *path)
{
	struct znode *z = find_node(path);

	if (!z)
		return 0;
	/* A node that was removed and made again has changed in both ways. */
	uint64_t changed = kind == WATCH_DATA ? z->mzxid : z->pzxid;
	return changed > z->czxid ? changed : z->czxid;
}

static int64_t latency_us(void)
{
	if (world_chance(world.net.slow))
		return world_between(20 * SIM_MS, 500 * SIM_MS);
	return world_between(300, 4 * SIM_MS);
}

static bool reachable(const struct zk *z)
{
	return !server.down && !sim_is_cut(z->loop->host, server.host) && !sim_is_cut(server.host, z->loop->host);
}

/* Puts c behind what is already under way and sees that the first one is delivered in time. */
static void dispatch(struct list *way, struct event *deliver, struct call *c)
{
	struct call *last = list_empty(way) ? NULL : CONTAINER_OF(way->head.prev, struct call, node);

	c->due_us = world.now_us + latency_us();
	if (last && c->due_us < last->due_us)
		c->due_us = last->due_us;
	list_push(way, &c->node);
	if (!event_pending(deliver))
		event_set(deliver, c->due_us - world.now_us);
}

/* The first one that may arrive now, taken out; NULL: not yet (the cut delays it, as TCP does). */
static struct call *arrive(struct zk *z, struct list *way, struct event *deliver)
{
	struct list_node *first = list_first(way);

	if (!first)
		return NULL;
	if (!reachable(z)) {
		event_set(deliver, 100 * SIM_MS);
		return NULL;
	}
	list_remove(first);
	if (!list_empty(way))
		event_set(deliver, CONTAINER_OF(list_first(way), struct call, node)->due_us - world.now_us);
	return CONTAINER_OF(first, struct call, node);
}

static void notify(struct zwatch *w)
{
	struct zk *z = w->zk;

	if (w->fired || z->dead || !z->connected)
		return;
	w->fired = true;
	struct call *c = xcalloc(1, sizeof(*c));
	c->zk = z;
	c->fired = w;
	dispatch(&z->answers, &z->deliver_answer, c);
}

/* After every change: whose watch has something to say now? */
static void look_at_watches(void)
{
	struct zk *z;
	struct loop *l;
	struct zwatch *w;

	LIST_FOREACH (l, &world.processes, struct loop, node)
		LIST_FOREACH (z, &l->sessions, struct zk, node)
			LIST_FOREACH (w, &z->watches, struct zwatch, node)
				if (relevant_zxid(w->kind, w->path) != w->seen)
					notify(w);
}

static void remove_node(struct znode *z)
{
	struct znode *parent = parent_of(z->path);

	if (parent)
		parent->pzxid = server.zxid;
	hash_del(&server.nodes, &z->node);
	free(z->path);
	free(z->data);
	free(z);
}

static int check_make(const struct op *op)
{
	struct znode *parent = parent_of(op->path);

	if (!parent)
		return -ENOENT;
	if (parent->owner)
		return -EIO;
	return !(op->flags & ZK_SEQUENCE) && find_node(op->path) ? -EEXIST : 0;
}

static int check_op(const struct op *op)
{
	struct znode *z = find_node(op->path);

	if (op->kind == ZK_OP_MAKE)
		return check_make(op);
	if (!z)
		return -ENOENT;
	if (op->version != ZK_ANY_VERSION && op->version != z->version)
		return -ESTALE;
	return op->kind == ZK_OP_REMOVE && has_children(op->path) ? -ENOTEMPTY : 0;
}

static void set_data(struct znode *z, const struct op *op)
{
	free(z->data);
	z->data = xmemdup(op->data, op->size);
	z->size = op->size;
	z->mzxid = server.zxid;
}

/* Only after check_op said 0. */
static struct znode *apply_op(const struct op *op, uint64_t session)
{
	struct znode *z = find_node(op->path);

	if (op->kind == ZK_OP_MAKE) {
		struct znode *parent = parent_of(op->path);
		z = xcalloc(1, sizeof(*z));
		z->path = op->flags & ZK_SEQUENCE ? xasprintf("%s%010d", op->path, parent->next_sequence)
		                                  : xstrdup(op->path);
		parent->next_sequence++;
		parent->pzxid = server.zxid;
		z->czxid = server.zxid;
		z->owner = op->flags & ZK_EPHEMERAL ? session : 0;
		set_data(z, op);
		hash_put(&server.nodes, &z->node, z->path);
	} else if (op->kind == ZK_OP_SET) {
		set_data(z, op);
		z->version++;
	} else if (op->kind == ZK_OP_REMOVE) {
		remove_node(z);
		z = NULL;
	}
	return z;
}

/* What an operation changed, to take it back when a later one of its multi fails. */
struct undo {
	struct znode *made;
	struct znode before, parent; /* copies; before.data is its own */
};

static void remember(struct undo *u, const struct op *op)
{
	struct znode *z = find_node(op->path), *parent = parent_of(op->path);

	*u = (struct undo){0};
	if (parent)
		u->parent = *parent;
	if (!z)
		return;
	u->before = *z;
	u->before.path = xstrdup(z->path);
	u->before.data = xmemdup(z->data, z->size);
}

static void take_back(struct undo *u, const struct op *op)
{
	struct znode *parent, *z;

	if (op->kind == ZK_OP_CHECK)
		return;
	if (u->made) {
		remove_node(u->made);
	} else if (u->before.path) {
		z = find_node(op->path);
		if (!z) {
			z = xcalloc(1, sizeof(*z));
			z->path = xstrdup(op->path);
			hash_put(&server.nodes, &z->node, z->path);
		}
		free(z->data);
		z->data = xmemdup(u->before.data, u->before.size);
		z->size = u->before.size;
		z->version = u->before.version;
		z->czxid = u->before.czxid;
		z->mzxid = u->before.mzxid;
		z->pzxid = u->before.pzxid;
		z->owner = u->before.owner;
		z->next_sequence = u->before.next_sequence;
	}
	parent = parent_of(op->path);
	if (parent && u->parent.path) {
		parent->pzxid = u->parent.pzxid;
		parent->next_sequence = u->parent.next_sequence;
	}
}

static void apply_multi(struct call *c)
{
	struct undo *undo = xcalloc(c->n_ops, sizeof(*undo));
	size_t done = 0;

	for (; done < c->n_ops && c->status == 0; done++) {
		c->status = check_op(&c->ops[done]);
		if (c->status < 0)
			break;
		remember(&undo[done], &c->ops[done]);
		struct znode *z = apply_op(&c->ops[done], 0);
		if (c->ops[done].kind == ZK_OP_MAKE)
			undo[done].made = z;
	}
	c->failed = (int)done;
	for (size_t i = done; c->status < 0 && i > 0; i--)
		take_back(&undo[i - 1], &c->ops[i - 1]);
	for (size_t i = 0; i < done; i++) {
		free(undo[i].before.path);
		free(undo[i].before.data);
	}
	free(undo);
}

static void read_children(struct call *c, const char *path)
{
	struct znode *z;

	HASH_FOREACH (z, &server.nodes, struct znode, node) {
		if (!is_child(path, z->path))
			continue;
		c->names = xrealloc(c->names, (c->n_names + 1) * sizeof(char *));
		c->names[c->n_names++] = xstrdup(strrchr(z->path, '/') + 1);
	}
	/* Unsorted, the header says: turn them round by chance. */
	for (size_t i = c->n_names; i > 1; i--) {
		size_t k = (size_t)world_below(i);
		char *name = c->names[i - 1];
		c->names[i - 1] = c->names[k];
		c->names[k] = name;
	}
}

static void set_watch(struct call *c, enum watch_kind kind)
{
	struct zwatch *w = xcalloc(1, sizeof(*w));

	*w = (struct zwatch){.zk = c->zk,
	                     .kind = kind,
	                     .path = xstrdup(c->ops[0].path),
	                     .seen = relevant_zxid(kind, c->ops[0].path),
	                     .fn = c->watch,
	                     .user = c->watch_user};
	list_push(&c->zk->watches, &w->node);
}

static void apply_read(struct call *c)
{
	struct znode *z = find_node(c->ops[0].path);

	c->status = z ? 0 : -ENOENT;
	if (z && c->kind == CALL_GET) {
		c->data = xmemdup(z->data, z->size);
		c->size = z->size;
		c->version = z->version;
	}
	if (z && c->kind == CALL_CHILDREN)
		read_children(c, z->path);
	if (c->watch && (z || c->kind == CALL_EXISTS))
		set_watch(c, c->kind == CALL_CHILDREN ? WATCH_CHILDREN : WATCH_DATA);
}

static void apply_write(struct call *c)
{
	server.zxid++;
	if (c->kind == CALL_MULTI) {
		apply_multi(c);
	} else {
		c->status = check_op(&c->ops[0]);
		struct znode *z = c->status == 0 ? apply_op(&c->ops[0], c->zk->session->id) : NULL;
		if (z && c->kind == CALL_MAKE)
			c->path = xstrdup(z->path);
	}
	look_at_watches();
}

static void on_session_due(void *user)
{
	struct session *s = user;
	struct znode *z;

	if (server.down) { /* no quorum, nobody counts */
		event_set(&s->expire, s->timeout_ms * SIM_MS);
		return;
	}
	world_trace("zk.expired session=%llu", (unsigned long long)s->id);
	s->expired = true;
	list_remove(&s->node);
	server.zxid++;
	HASH_FOREACH (z, &server.nodes, struct znode, node)
		if (z->owner == s->id)
			remove_node(z);
	look_at_watches();
}

static void hear_from(struct session *s)
{
	event_set(&s->expire, s->timeout_ms * SIM_MS);
}

static struct session *session_create(int asked_ms)
{
	struct session *s = xcalloc(1, sizeof(*s));

	s->id = ++server.next_session;
	s->timeout_ms = asked_ms;
	event_init(&s->expire, NULL, on_session_due, s);
	hear_from(s);
	list_push(&server.sessions, &s->node);
	return s;
}

void zk_server_create(void)
{
	memset(&server, 0, sizeof(server));
	hash_init(&server.nodes);
	list_init(&server.sessions);
	struct znode *root = xcalloc(1, sizeof(*root));
	root->path = xstrdup("/");
	hash_put(&server.nodes, &root->node, root->path);
	server.host = sim_host_create("zk", NULL, NULL);
}

struct host *zk_server(void)
{
	return server.host;
}

/* ================ the client ================ */

static void tell_state(struct zk *z, enum zk_state state)
{
	z->state = state;
	if (z->fn)
		z->fn(z->user, state);
}

static void free_call(struct call *c)
{
	for (size_t i = 0; i < c->n_ops; i++) {
		free(c->ops[i].path);
		free(c->ops[i].data);
	}
	for (size_t i = 0; i < c->n_names; i++)
		free(c->names[i]);
	free(c->names);
	free(c->ops);
	free(c->data);
	free(c->path);
	free(c);
}

static void answer(struct call *c)
{
	world_trace("zk.%s path=%s status=%d%s%s", call_names[c->kind], c->n_ops ? c->ops[0].path : "", c->status,
	            c->path ? " made=" : "", c->path ? c->path : "");
	switch (c->kind) {
	case CALL_GET:
		if (c->fn.data)
			c->fn.data(c->user, c->status, c->data, c->size, c->version);
		break;
	case CALL_CHILDREN:
		if (c->fn.list)
			c->fn.list(c->user, c->status, (const char *const *)c->names, c->n_names);
		break;
	case CALL_MAKE:
		if (c->fn.path)
			c->fn.path(c->user, c->status, c->path);
		break;
	case CALL_MULTI:
		if (c->fn.multi)
			c->fn.multi(c->user, c->status, c->status < 0 ? c->failed : -1);
		break;
	case CALL_PING:
		break;
	default:
		if (c->fn.plain)
			c->fn.plain(c->user, c->status);
	}
}

static void fire(struct zwatch *w)
{
	list_remove(&w->node);
	world_trace("zk.watch path=%s", w->path);
	w->fn(w->user);
	free(w->path);
	free(w);
}

static void take_all(struct list *from, struct list *to)
{
	struct list_node *n;

	while ((n = list_first(from))) {
		list_remove(n);
		list_push(to, n);
	}
}

/* Fails the calls that are under way (all: those that wait for a connection too). Their fate is unknown. */
static void fail_calls(struct zk *z, int status, bool all)
{
	struct list failed;
	struct list_node *n;

	list_init(&failed);
	take_all(&z->answers, &failed);
	take_all(&z->requests, &failed);
	if (all)
		take_all(&z->waiting, &failed);
	event_cancel(&z->deliver_request);
	event_cancel(&z->deliver_answer);
	while ((n = list_first(&failed))) {
		struct call *c = CONTAINER_OF(n, struct call, node);
		list_remove(n);
		if (c->fired)
			c->fired->fired = false;
		c->status = status;
		c->failed = -1;
		free(c->path);
		c->path = NULL;
		if (!z->dead && !c->fired && c->kind != CALL_PING)
			answer(c);
		free_call(c);
	}
}

static void disconnect(struct zk *z)
{
	if (!z->connected)
		return;
	world_trace("zk.disconnected session=%llu", (unsigned long long)z->session->id);
	z->connected = false;
	event_cancel(&z->ping);
	event_set(&z->reconnect, world_between(50, 500) * SIM_MS);
	tell_state(z, ZK_SUSPENDED);
	if (!z->dead)
		fail_calls(z, -EAGAIN, false);
}

static void expire(struct zk *z)
{
	struct list_node *n;

	z->connected = false;
	event_cancel(&z->ping);
	event_cancel(&z->reconnect);
	tell_state(z, ZK_EXPIRED);
	if (!z->dead)
		fail_calls(z, -ECANCELED, true);
	while (!z->dead && (n = list_first(&z->watches)))
		fire(CONTAINER_OF(n, struct zwatch, node));
}

static void on_answer(void *user)
{
	struct zk *z = user;
	struct call *c = z->dead ? NULL : arrive(z, &z->answers, &z->deliver_answer);

	if (!c)
		return;
	z->heard_ms = loop_now_ms(z->loop);
	if (c->sent_ms > z->alive_ms)
		z->alive_ms = c->sent_ms;
	if (c->fired)
		fire(c->fired);
	else if (c->kind != CALL_PING)
		answer(c);
	free_call(c);
}

static void on_request(void *user)
{
	struct zk *z = user;
	struct call *c = arrive(z, &z->requests, &z->deliver_request);

	if (!c)
		return;
	if (z->session->expired) { /* the server has closed the connection; the client's ping finds out */
		list_push(&z->waiting, &c->node);
		return;
	}
	hear_from(z->session);
	if (c->kind <= CALL_CHILDREN)
		apply_read(c);
	else if (c->kind != CALL_PING)
		apply_write(c);
	dispatch(&z->answers, &z->deliver_answer, c);
}

static void send_call(struct call *c)
{
	struct zk *z = c->zk;

	c->sent_ms = loop_now_ms(z->loop);
	dispatch(&z->requests, &z->deliver_request, c);
}

static struct call *call_create(struct zk *z, enum call_kind kind, size_t n_ops)
{
	struct call *c = xcalloc(1, sizeof(*c));

	c->zk = z;
	c->kind = kind;
	c->n_ops = n_ops;
	c->ops = xcalloc(n_ops, sizeof(*c->ops));
	return c;
}

static void start_call(struct call *c)
{
	struct loop *l = c->zk->loop;

	if (c->zk->connected)
		send_call(c);
	else
		list_push(&c->zk->waiting, &c->node);
	sim_seam(l);
}

static void on_ping(void *user)
{
	struct zk *z = user;

	if (loop_now_ms(z->loop) - z->heard_ms > z->session->timeout_ms * 2 / 3 || z->session->expired) {
		disconnect(z);
		return;
	}
	send_call(call_create(z, CALL_PING, 0));
	event_set(&z->ping, z->session->timeout_ms * SIM_MS / 3);
}

static void on_reconnect(void *user)
{
	struct zk *z = user;
	struct list_node *n;
	struct zwatch *w;

	z->attempts++;
	if (!reachable(z)) {
		event_set(&z->reconnect, world_between(100, 1000) * SIM_MS);
		return;
	}
	if (z->session && z->session->expired) {
		expire(z);
		return;
	}
	if (!z->session)
		z->session = session_create(z->asked_ms);
	hear_from(z->session);
	z->connected = true;
	z->heard_ms = z->alive_ms = loop_now_ms(z->loop);
	world_trace("zk.connected session=%llu", (unsigned long long)z->session->id);
	LIST_FOREACH (w, &z->watches, struct zwatch, node)
		if (relevant_zxid(w->kind, w->path) != w->seen)
			notify(w);
	while ((n = list_first(&z->waiting))) {
		list_remove(n);
		send_call(CONTAINER_OF(n, struct call, node));
	}
	event_set(&z->ping, z->session->timeout_ms * SIM_MS / 3);
	tell_state(z, ZK_CONNECTED);
}

struct zk *zk_create(struct loop *l, const char *hosts, int session_ms, zk_state_fn fn, void *user, struct err *err)
{
	struct zk *z = xcalloc(1, sizeof(*z));

	*z = (struct zk){.loop = l, .state = ZK_CONNECTING, .asked_ms = session_ms, .fn = fn, .user = user};
	list_init(&z->watches);
	list_init(&z->waiting);
	list_init(&z->requests);
	list_init(&z->answers);
	event_init(&z->deliver_request, NULL, on_request, z);
	event_init(&z->deliver_answer, l, on_answer, z);
	event_init(&z->reconnect, l, on_reconnect, z);
	event_init(&z->ping, l, on_ping, z);
	event_set(&z->reconnect, latency_us());
	list_push(&l->sessions, &z->node);
	sim_seam(l);
	return z;
}

static void on_close_session(void *user)
{
	struct session *s = user;

	if (!s->expired)
		on_session_due(s);
	event_cancel(&s->expire);
}

void zk_destroy(struct zk *z)
{
	if (!z || z->dead)
		return;
	z->dead = true;
	event_cancel(&z->reconnect);
	event_cancel(&z->ping);
	event_cancel(&z->deliver_answer);
	list_remove(&z->node);
	/* What is under way still takes effect, then the session closes. */
	if (z->connected && reachable(z)) {
		struct call *last = list_empty(&z->requests) ? NULL
		                                             : CONTAINER_OF(z->requests.head.prev, struct call, node);
		int64_t due = world.now_us + latency_us();
		if (last && last->due_us >= due)
			due = last->due_us + 1;
		world_after(NULL, due - world.now_us, on_close_session, z->session);
	}
	sim_seam(z->loop);
}

enum zk_state zk_state(const struct zk *z)
{
	return z->state;
}

int zk_session_ms(const struct zk *z)
{
	return z->session ? z->session->timeout_ms : 0;
}

uint64_t zk_session_id(const struct zk *z)
{
	return z->session ? z->session->id : 0;
}

int64_t zk_alive_since_ms(const struct zk *z)
{
	return z->alive_ms;
}

uint64_t zk_connect_attempts(const struct zk *z)
{
	return z->attempts;
}

/* ---- calls ---- */

static struct call *one_op(struct zk *z, enum call_kind kind, const char *path, const void *data, size_t size,
                           int version)
{
	struct call *c = call_create(z, kind, 1);

	assert(path[0] == '/');
	c->ops[0] = (struct op){
		.path = xstrdup(path), .data = size ? xmemdup(data, size) : NULL, .size = size, .version = version};
	return c;
}

void zk_get(struct zk *z, const char *path, zk_watch_fn watch, void *watch_user, zk_data_fn fn, void *user)
{
	struct call *c = one_op(z, CALL_GET, path, NULL, 0, 0);

	c->watch = watch;
	c->watch_user = watch_user;
	c->fn.data = fn;
	c->user = user;
	start_call(c);
}

void zk_exists(struct zk *z, const char *path, zk_watch_fn watch, void *watch_user, zk_fn fn, void *user)
{
	struct call *c = one_op(z, CALL_EXISTS, path, NULL, 0, 0);

	c->watch = watch;
	c->watch_user = watch_user;
	c->fn.plain = fn;
	c->user = user;
	start_call(c);
}

void zk_children(struct zk *z, const char *path, zk_watch_fn watch, void *watch_user, zk_list_fn fn, void *user)
{
	struct call *c = one_op(z, CALL_CHILDREN, path, NULL, 0, 0);

	c->watch = watch;
	c->watch_user = watch_user;
	c->fn.list = fn;
	c->user = user;
	start_call(c);
}

void zk_make(struct zk *z, const char *path, const void *data, size_t size, int flags, zk_path_fn fn, void *user)
{
	struct call *c = one_op(z, CALL_MAKE, path, data, size, 0);

	c->ops[0].kind = ZK_OP_MAKE;
	c->ops[0].flags = flags;
	c->fn.path = fn;
	c->user = user;
	start_call(c);
}

void zk_set(struct zk *z, const char *path, const void *data, size_t size, int version, zk_fn fn, void *user)
{
	struct call *c = one_op(z, CALL_SET, path, data, size, version);

	c->ops[0].kind = ZK_OP_SET;
	c->fn.plain = fn;
	c->user = user;
	start_call(c);
}

void zk_remove(struct zk *z, const char *path, int version, zk_fn fn, void *user)
{
	struct call *c = one_op(z, CALL_REMOVE, path, NULL, 0, version);

	c->ops[0].kind = ZK_OP_REMOVE;
	c->fn.plain = fn;
	c->user = user;
	start_call(c);
}

void zk_multi(struct zk *z, const struct zk_op *ops, size_t n, zk_multi_fn fn, void *user)
{
	struct call *c = call_create(z, CALL_MULTI, n);

	for (size_t i = 0; i < n; i++)
		c->ops[i] = (struct op){.kind = ops[i].kind,
		                        .path = xstrdup(ops[i].path),
		                        .data = ops[i].size ? xmemdup(ops[i].data, ops[i].size) : NULL,
		                        .size = ops[i].size,
		                        .version = ops[i].version};
	c->fn.multi = fn;
	c->user = user;
	start_call(c);
}

/* ================ faults ================ */

void zk_process_died(struct loop *l)
{
	struct zk *z;

	/* Its session is not closed: it expires. */
	LIST_FOREACH (z, &l->sessions, struct zk, node)
		z->dead = true;
}

static void on_dropped(void *user)
{
	disconnect(user);
}

void zk_drop_connection(struct host *h)
{
	struct zk *z;

	if (!h->process)
		return;
	LIST_FOREACH (z, &h->process->sessions, struct zk, node)
		if (z->connected)
			world_after(h->process, 0, on_dropped, z);
}

void zk_server_set_down(bool down)
{
	struct session *s;

	world_trace("zk.%s", down ? "down" : "up");
	server.down = down;
	if (!down) /* a new leader of the ensemble gives every session its full time again */
		LIST_FOREACH (s, &server.sessions, struct session, node)
			hear_from(s);
	for (int i = 0; i < world.n_hosts && down; i++)
		zk_drop_connection(&world.hosts[i]);
}
