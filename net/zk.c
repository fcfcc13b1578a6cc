/* ZooKeeper in the loop: the single-threaded C client, driven by zookeeper_interest and zookeeper_process.
 *
 * What the client does not do and this file does:
 * - calls made while not connected wait here; the client would fail them at every attempt to connect;
 * - calls in flight fail as soon as the connection is lost; the client would tell only after the next one is made. A call
 *   given to the client is freed by the client's completion (the last ones come out of zookeeper_close);
 * - attempts to connect are throttled, and the socket is never watched across a call of zookeeper_interest, which may
 *   close and reopen it under the same number;
 * - names are looked up without blocking, at birth and after some failed rounds over all servers;
 * - pings of our own, so that it is known when the last answered one had been sent;
 * - a server whose data was lost refuses our old session by closing the connection, for ever, and a server without quorum
 *   does the same for a while. After a session time without an answer a second session (the probe) is opened: when
 *   that one is let in and ours is not, ours has expired.
 *
 * Nothing of the library is destroyed from inside its own calls: zk_destroy marks, a deferred call buries. */
#include "net/zk.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <zookeeper/zookeeper.h>

#include "base/err.h"
#include "base/list.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/sm.h"
#include "base/str.h"
#include "net/servers.h"

#define MIN_ATTEMPT_MS 100
#define MAX_ATTEMPT_MS 1000
#define MAX_PACKETS_PER_TURN 64
#define LOOKUP_EVERY 8 /* failed rounds over all servers, until their names are looked up again */

static const struct sm_state states[] = {
	[ZK_CONNECTING] = {"CONNECTING", 1u << ZK_CONNECTED | 1u << ZK_EXPIRED, SM_INITIAL},
	[ZK_CONNECTED] = {"CONNECTED", 1u << ZK_SUSPENDED | 1u << ZK_EXPIRED, 0},
	[ZK_SUSPENDED] = {"SUSPENDED", 1u << ZK_CONNECTED | 1u << ZK_EXPIRED, 0},
	[ZK_EXPIRED] = {"EXPIRED", 0, SM_FINAL},
};

struct zk {
	struct loop *loop;
	char *hosts;
	struct servers *servers;
	int n_hosts;
	char *addresses; /* what the library was given */
	int asked_ms, session_ms;
	zk_state_fn fn;
	void *user;
	struct sm sm;
	zhandle_t *handle; /* NULL until a server's name has an address */
	int fd;            /* as the library told last, -1: none */
	struct watch watch;
	struct timer next; /* when to ask the library again */
	struct timer ping;
	struct defer poke; /* something was queued: ask the library again, answer calls that were refused */
	struct defer grave;
	int inside;   /* calls of the library on the stack */
	bool dead;    /* destroyed by the owner */
	int failures; /* attempts since the last connection */
	int64_t attempt_ms, not_before_ms, alive_since_ms;
	uint64_t attempts;
	struct list waiting, sent, refused; /* calls */
	struct list watches;
	struct zk *probe;
	struct timer verdict;
};

enum call_kind { CALL_GET, CALL_EXISTS, CALL_CHILDREN, CALL_MAKE, CALL_SET, CALL_REMOVE, CALL_MULTI };

struct call {
	struct list_node node; /* in waiting, sent or refused until its caller has been answered */
	struct zk *zk;
	enum call_kind kind;
	int64_t sent_ms;
	char *path;
	void *data;
	size_t size;
	int version, flags;
	struct zk_op *ops;
	size_t n_ops;
	zoo_op_result_t *results;
	struct node_watch *watch;
	int refused; /* what the library said at once */
	union {
		zk_fn status;
		zk_data_fn data;
		zk_list_fn list;
		zk_path_fn path;
		zk_multi_fn multi;
	} fn; /* NULL: a ping */
	void *user;
};

struct answer {
	int status;
	const void *data;
	size_t size;
	int version;
	const char *path;
	const char *const *names;
	size_t n_names;
};

struct node_watch {
	struct list_node node;
	struct zk *zk;
	zk_watch_fn fn;
	void *user;
};

static void drive(struct zk *z);
static bool leave(struct zk *z);
static void on_grave(void *user);

/* ---- calls ---- */

static int status_of(int rc)
{
	switch (rc) {
	case ZOK:
		return 0;
	case ZNONODE:
		return -ENOENT;
	case ZNODEEXISTS:
		return -EEXIST;
	case ZBADVERSION:
		return -ESTALE;
	case ZNOTEMPTY:
		return -ENOTEMPTY;
	case ZCONNECTIONLOSS:
	case ZOPERATIONTIMEOUT:
	case ZSESSIONMOVED:
	case ZCLOSING:
		return -EAGAIN;
	case ZSESSIONEXPIRED:
	case ZINVALIDSTATE:
		return -ECANCELED;
	case ZNOAUTH:
	case ZAUTHFAILED:
		return -EACCES;
	default:
		return -EIO;
	}
}

static void watch_free(struct node_watch *w)
{
	if (w)
		list_remove(&w->node);
	free(w);
}

static void drop_body(struct call *c)
{
	for (size_t i = 0; c->ops && i < c->n_ops; i++) {
		free((char *)c->ops[i].path);
		free((void *)c->ops[i].data);
	}
	free(c->ops);
	free(c->data);
	free(c->path);
	c->ops = NULL;
	c->data = c->path = NULL;
}

static void call_free(struct call *c)
{
	list_remove(&c->node);
	watch_free(c->watch);
	drop_body(c);
	free(c->results);
	free(c);
}

static int first_failed(const struct call *c, int status)
{
	if (status == 0 || status == -EAGAIN || status == -ECANCELED)
		return -1;
	for (size_t i = 0; i < c->n_ops; i++)
		if (c->results[i].err != ZOK && c->results[i].err != ZRUNTIMEINCONSISTENCY)
			return (int)i;
	return -1;
}

/* Tells the caller, once; the call itself lives until the library is done with it. */
static void answer(struct call *c, const struct answer *a)
{
	if (!list_linked(&c->node))
		return;
	list_remove(&c->node);
	if (c->zk->dead)
		return;
	switch (c->kind) {
	case CALL_GET:
		c->fn.data(c->user, a->status, a->data, a->size, a->version);
		break;
	case CALL_CHILDREN:
		c->fn.list(c->user, a->status, a->names, a->n_names);
		break;
	case CALL_MAKE:
		c->fn.path(c->user, a->status, a->path);
		break;
	case CALL_MULTI:
		c->fn.multi(c->user, a->status, first_failed(c, a->status));
		break;
	default:
		if (c->fn.status)
			c->fn.status(c->user, a->status);
	}
}

/* The library is done with c: it has registered the watch or will never know it. */
static void finish(struct call *c, int rc, struct answer *a)
{
	struct zk *z = c->zk;
	int status = status_of(rc);

	if (status != -EAGAIN && status != -ECANCELED && c->sent_ms > z->alive_since_ms)
		z->alive_since_ms = c->sent_ms;
	if (c->watch && (rc == ZOK || (rc == ZNONODE && c->kind == CALL_EXISTS)))
		c->watch = NULL; /* the list owns it now */
	a->status = status;
	answer(c, a);
	call_free(c);
}

static void on_void(int rc, const void *data)
{
	struct answer a = {0};

	finish((struct call *)data, rc, &a);
}

static void on_stat(int rc, const struct Stat *stat, const void *data)
{
	struct answer a = {.version = rc == ZOK && stat ? stat->version : 0};

	finish((struct call *)data, rc, &a);
}

static void on_data(int rc, const char *value, int size, const struct Stat *stat, const void *data)
{
	struct answer a = {
		.data = value, .size = size > 0 ? (size_t)size : 0, .version = rc == ZOK ? stat->version : 0};

	finish((struct call *)data, rc, &a);
}

static void on_list(int rc, const struct String_vector *strings, const void *data)
{
	struct answer a = {0};

	if (rc == ZOK && strings) {
		a.names = (const char *const *)strings->data;
		a.n_names = (size_t)strings->count;
	}
	finish((struct call *)data, rc, &a);
}

static void on_path(int rc, const char *value, const void *data)
{
	struct answer a = {.path = rc == ZOK ? value : NULL};

	finish((struct call *)data, rc, &a);
}

static void on_node(zhandle_t *handle, int type, int state, const char *path, void *user)
{
	if (type == ZOO_SESSION_EVENT) /* the watch stays, or was freed when the session expired */
		return;
	struct node_watch *w = user;
	zk_watch_fn fn = w->zk->dead ? NULL : w->fn;
	void *fn_user = w->user;
	watch_free(w);
	if (fn)
		fn(fn_user);
}

static int submit_multi(struct call *c)
{
	zoo_op_t *ops = xcalloc(c->n_ops, sizeof(*ops));

	c->results = xcalloc(c->n_ops, sizeof(*c->results));
	for (size_t i = 0; i < c->n_ops; i++) {
		const struct zk_op *o = &c->ops[i];
		switch (o->kind) {
		case ZK_OP_CHECK:
			zoo_check_op_init(&ops[i], o->path, o->version);
			break;
		case ZK_OP_MAKE:
			zoo_create_op_init(&ops[i], o->path, o->data, (int)o->size, &ZOO_OPEN_ACL_UNSAFE, 0, NULL, 0);
			break;
		case ZK_OP_SET:
			zoo_set_op_init(&ops[i], o->path, o->data, (int)o->size, o->version, NULL);
			break;
		case ZK_OP_REMOVE:
			zoo_delete_op_init(&ops[i], o->path, o->version);
			break;
		}
	}
	int rc = zoo_amulti(c->zk->handle, (int)c->n_ops, ops, c->results, on_void, c);
	free(ops);
	return rc;
}

static int submit_kind(struct call *c)
{
	zhandle_t *h = c->zk->handle;
	watcher_fn watcher = c->watch ? on_node : NULL;
	int flags = (c->flags & ZK_EPHEMERAL ? ZOO_EPHEMERAL : 0) | (c->flags & ZK_SEQUENCE ? ZOO_SEQUENCE : 0);

	switch (c->kind) {
	case CALL_GET:
		return zoo_awget(h, c->path, watcher, c->watch, on_data, c);
	case CALL_EXISTS:
		return zoo_awexists(h, c->path, watcher, c->watch, on_stat, c);
	case CALL_CHILDREN:
		return zoo_awget_children(h, c->path, watcher, c->watch, on_list, c);
	case CALL_MAKE:
		return zoo_acreate(h, c->path, c->data, (int)c->size, &ZOO_OPEN_ACL_UNSAFE, flags, on_path, c);
	case CALL_SET:
		return zoo_aset(h, c->path, c->data, (int)c->size, c->version, on_stat, c);
	case CALL_REMOVE:
		return zoo_adelete(h, c->path, c->version, on_void, c);
	case CALL_MULTI:
		return submit_multi(c);
	}
	return ZBADARGUMENTS;
}

static void on_poke(void *user)
{
	struct zk *z = user;
	struct call *c;

	z->inside++;
	LIST_FOREACH (c, &z->refused, struct call, node) {
		struct answer a = {.status = status_of(c->refused)};
		answer(c, &a);
		call_free(c);
	}
	if (leave(z))
		return;
	if (z->handle && sm_state(&z->sm) == ZK_CONNECTED)
		drive(z);
}

static void submit(struct call *c)
{
	struct zk *z = c->zk;

	list_remove(&c->node);
	if (sm_state(&z->sm) != ZK_CONNECTED && sm_state(&z->sm) != ZK_EXPIRED) {
		list_push(&z->waiting, &c->node);
		return;
	}
	list_push(&z->sent, &c->node);
	c->sent_ms = loop_now_ms(z->loop);
	c->refused = sm_state(&z->sm) == ZK_EXPIRED ? ZSESSIONEXPIRED : submit_kind(c);
	drop_body(c);
	if (c->refused != ZOK) {
		list_remove(&c->node);
		list_push(&z->refused, &c->node);
	}
	loop_defer(z->loop, &z->poke, on_poke, z);
}

static struct call *call_create(struct zk *z, enum call_kind kind, const char *path, void *user)
{
	struct call *c = xcalloc(1, sizeof(*c));

	c->zk = z;
	c->kind = kind;
	c->path = xstrdup(path);
	c->user = user;
	return c;
}

static void call_watch(struct call *c, zk_watch_fn fn, void *user)
{
	if (!fn)
		return;
	c->watch = xcalloc(1, sizeof(*c->watch));
	*c->watch = (struct node_watch){.zk = c->zk, .fn = fn, .user = user};
	list_push(&c->zk->watches, &c->watch->node);
}

void zk_get(struct zk *z, const char *path, zk_watch_fn watch, void *watch_user, zk_data_fn fn, void *user)
{
	struct call *c = call_create(z, CALL_GET, path, user);

	c->fn.data = fn;
	call_watch(c, watch, watch_user);
	submit(c);
}

void zk_exists(struct zk *z, const char *path, zk_watch_fn watch, void *watch_user, zk_fn fn, void *user)
{
	struct call *c = call_create(z, CALL_EXISTS, path, user);

	c->fn.status = fn;
	call_watch(c, watch, watch_user);
	submit(c);
}

void zk_children(struct zk *z, const char *path, zk_watch_fn watch, void *watch_user, zk_list_fn fn, void *user)
{
	struct call *c = call_create(z, CALL_CHILDREN, path, user);

	c->fn.list = fn;
	call_watch(c, watch, watch_user);
	submit(c);
}

void zk_make(struct zk *z, const char *path, const void *data, size_t size, int flags, zk_path_fn fn, void *user)
{
	struct call *c = call_create(z, CALL_MAKE, path, user);

	c->fn.path = fn;
	c->flags = flags;
	c->data = xmemdup(size ? data : "", size ? size : 1);
	c->size = size;
	submit(c);
}

void zk_set(struct zk *z, const char *path, const void *data, size_t size, int version, zk_fn fn, void *user)
{
	struct call *c = call_create(z, CALL_SET, path, user);

	c->fn.status = fn;
	c->version = version;
	c->data = xmemdup(size ? data : "", size ? size : 1);
	c->size = size;
	submit(c);
}

void zk_remove(struct zk *z, const char *path, int version, zk_fn fn, void *user)
{
	struct call *c = call_create(z, CALL_REMOVE, path, user);

	c->fn.status = fn;
	c->version = version;
	submit(c);
}

void zk_multi(struct zk *z, const struct zk_op *ops, size_t n, zk_multi_fn fn, void *user)
{
	struct call *c = call_create(z, CALL_MULTI, NULL, user);

	c->fn.multi = fn;
	c->ops = xcalloc(n, sizeof(*ops));
	c->n_ops = n;
	for (size_t i = 0; i < n; i++) {
		c->ops[i] = ops[i];
		c->ops[i].path = xstrdup(ops[i].path);
		c->ops[i].data = xmemdup(ops[i].size ? ops[i].data : "", ops[i].size ? ops[i].size : 1);
	}
	submit(c);
}

/* ---- the session's states ---- */

/* Answers all calls of a list; those the library still holds are freed by it later. */
static void fail_calls(struct zk *z, struct list *calls, int status, bool ours)
{
	struct list taken;
	struct call *c;

	list_init(&taken);
	LIST_FOREACH (c, calls, struct call, node) {
		list_remove(&c->node);
		list_push(&taken, &c->node);
	}
	LIST_FOREACH (c, &taken, struct call, node) {
		struct answer a = {.status = status};
		answer(c, &a);
		if (ours)
			call_free(c);
	}
}

static void on_ping(void *user)
{
	struct zk *z = user;

	submit(call_create(z, CALL_EXISTS, "/", NULL));
	timer_set(&z->ping, z->session_ms / 5 + 1);
}

static void drop_probe(struct zk *z)
{
	timer_stop(&z->verdict);
	zk_destroy(z->probe);
	z->probe = NULL;
}

static void on_connected(struct zk *z)
{
	struct call *c;

	drop_probe(z);
	z->failures = 0;
	z->session_ms = zoo_recv_timeout(z->handle);
	if (z->attempt_ms > z->alive_since_ms)
		z->alive_since_ms = z->attempt_ms;
	sm_move(&z->sm, ZK_CONNECTED);
	timer_set(&z->ping, z->session_ms / 5 + 1);
	LIST_FOREACH (c, &z->waiting, struct call, node)
		submit(c);
	z->fn(z->user, ZK_CONNECTED);
}

static void on_suspended(struct zk *z)
{
	sm_move(&z->sm, ZK_SUSPENDED);
	timer_stop(&z->ping);
	z->fn(z->user, ZK_SUSPENDED);
	fail_calls(z, &z->sent, -EAGAIN, false);
}

static void on_expired(struct zk *z)
{
	struct node_watch *w;

	if (sm_state(&z->sm) == ZK_EXPIRED)
		return;
	drop_probe(z);
	sm_move(&z->sm, ZK_EXPIRED);
	timer_stop(&z->ping);
	timer_stop(&z->next);
	watch_stop(&z->watch);
	z->inside++; /* the owner is likely to destroy us now */
	z->fn(z->user, ZK_EXPIRED);
	fail_calls(z, &z->sent, -ECANCELED, false);
	fail_calls(z, &z->waiting, -ECANCELED, true);
	while (!z->dead && !list_empty(&z->watches)) {
		w = CONTAINER_OF(list_first(&z->watches), struct node_watch, node);
		zk_watch_fn fn = w->fn;
		void *user = w->user;
		watch_free(w);
		fn(user);
	}
	z->inside--;
}

static void on_session(zhandle_t *handle, int type, int state, const char *path, void *user)
{
	struct zk *z = user;

	if (type != ZOO_SESSION_EVENT || z->dead || z->handle != handle)
		return;
	if (state == ZOO_CONNECTED_STATE && sm_state(&z->sm) != ZK_CONNECTED)
		on_connected(z);
	else if ((state == ZOO_CONNECTING_STATE || state == ZOO_NOTCONNECTED_STATE) && sm_state(&z->sm) == ZK_CONNECTED)
		on_suspended(z);
	else if (state == ZOO_EXPIRED_SESSION_STATE || state == ZOO_AUTH_FAILED_STATE)
		on_expired(z);
}

/* ---- a second opinion: is it our session that they refuse? ---- */

static void on_verdict(void *user)
{
	struct zk *z = user;

	log_debug("zk.refused session=%llx", (unsigned long long)zk_session_id(z));
	on_expired(z);
	if (z->dead)
		loop_defer(z->loop, &z->grave, on_grave, z);
}

static void on_probe(void *user, enum zk_state state)
{
	struct zk *z = user;

	timer_stop(&z->verdict);
	if (state == ZK_EXPIRED) {
		zk_destroy(z->probe);
		z->probe = NULL;
	}
	if (state != ZK_CONNECTED)
		return;
	z->failures = 0; /* a server is there: try them all, fast */
	timer_set(&z->verdict, 1000 + 2 * MIN_ATTEMPT_MS * z->n_hosts);
}

static void open_probe(struct zk *z)
{
	if (z->probe || z->fn == on_probe || sm_state(&z->sm) != ZK_SUSPENDED ||
	    loop_now_ms(z->loop) < z->alive_since_ms + z->session_ms)
		return;
	z->probe = zk_create(z->loop, z->hosts, z->asked_ms, on_probe, z, NULL);
}

/* ---- driving the library ---- */

static void on_log(const char *message)
{
	log_debug("zk.library text=\"%s\"", message);
}

static int64_t backoff_ms(struct zk *z)
{
	int round = (z->failures - 1) / z->n_hosts;
	int64_t ms = round > 3 ? MAX_ATTEMPT_MS * 4 / 5 : (int64_t)MIN_ATTEMPT_MS << round;

	return ms + (int64_t)loop_random_below(z->loop, (uint64_t)ms / 4);
}

static void note_attempt(struct zk *z)
{
	z->attempt_ms = loop_now_ms(z->loop);
	z->attempts++;
	z->failures++;
	z->not_before_ms = z->attempt_ms + backoff_ms(z);
}

static void open_handle(struct zk *z)
{
	zoo_set_debug_level(ZOO_LOG_LEVEL_WARN);
	z->handle = zookeeper_init2(z->addresses, on_session, z->asked_ms, NULL, z, 0, on_log);
	if (!z->handle) {
		log_debug("zk.init hosts=%s error=\"%s\"", z->addresses, strerror(errno));
		return;
	}
	zoo_set_servers_resolution_delay(z->handle, -1);
}

/* The names have been looked up: the library's list may have changed. */
static void on_servers(void *user)
{
	struct zk *z = user;
	const char *addresses = servers_addresses(z->servers);

	if (*addresses && !str_equal(z->addresses, addresses)) {
		log_debug("zk.servers hosts=%s addresses=%s", z->hosts, addresses);
		free(z->addresses);
		z->addresses = xstrdup(addresses);
		if (!z->handle)
			open_handle(z);
		else if (z->fd == -1)
			zoo_set_servers(z->handle, z->addresses);
		if (z->attempts == 0)
			z->not_before_ms = 0;
	}
	if (z->fd == -1)
		drive(z);
}

/* After calls of the library; true when there is nothing left to drive. */
static bool leave(struct zk *z)
{
	if (!z->dead && z->inside == 1 && sm_state(&z->sm) == ZK_CONNECTED &&
	    zoo_state(z->handle) != ZOO_CONNECTED_STATE)
		on_suspended(z); /* it should have told */
	if (--z->inside == 0 && z->dead)
		loop_defer(z->loop, &z->grave, on_grave, z);
	return z->dead || sm_state(&z->sm) == ZK_EXPIRED;
}

static void on_fd(void *user, int events)
{
	struct zk *z = user;
	int what = (events & WATCH_READ ? ZOOKEEPER_READ : 0) | (events & WATCH_WRITE ? ZOOKEEPER_WRITE : 0);
	int more = 0, rc = ZOK;

	z->inside++;
	for (int i = 0; i < MAX_PACKETS_PER_TURN; i++) { /* the library reads one packet a call */
		rc = zookeeper_process(z->handle, what);
		if ((rc != ZOK && rc != ZNOTHING) || z->dead || ioctl(z->fd, FIONREAD, &more) != 0 || more == 0)
			break;
		what = ZOOKEEPER_READ;
	}
	if (rc != ZOK && rc != ZNOTHING)
		z->fd = -1;
	if (!leave(z))
		drive(z);
}

/* The library found out that it cannot send, but keeps the socket and believes itself connected; the next call would open
 * another one without a word to anybody. Let it see the end of the stream, which it handles. */
static void break_connection(struct zk *z, int fd)
{
	shutdown(fd, SHUT_RDWR);
	while (zoo_state(z->handle) == ZOO_CONNECTED_STATE && zookeeper_process(z->handle, ZOOKEEPER_READ) == ZOK)
		;
}

/* Asks the library what it waits for; makes it connect when it is time to. */
static void ask(struct zk *z)
{
	struct timeval tv = {0};
	int fd = -1, interest = 0;
	bool connecting = z->fd == -1;

	int rc = zookeeper_interest(z->handle, &fd, &interest, &tv);
	int64_t wait_ms = tv.tv_sec * 1000 + (tv.tv_usec + 999) / 1000;
	if (rc != ZOK && fd != -1 && zoo_state(z->handle) == ZOO_CONNECTED_STATE)
		break_connection(z, fd);
	if (rc != ZOK)
		fd = -1;
	if (connecting && (fd != -1 || rc != ZOK))
		note_attempt(z);
	else if (fd == -1 && rc == ZOK && z->not_before_ms < loop_now_ms(z->loop) + wait_ms)
		z->not_before_ms = loop_now_ms(z->loop) + wait_ms;
	z->fd = fd;
	if (fd == -1 || z->dead || sm_state(&z->sm) == ZK_EXPIRED)
		return;
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	watch_init(&z->watch, z->loop, fd, on_fd, z);
	watch_set(&z->watch,
	          (interest & ZOOKEEPER_READ ? WATCH_READ : 0) | (interest & ZOOKEEPER_WRITE ? WATCH_WRITE : 0));
	timer_set(&z->next, wait_ms);
}

static void drive(struct zk *z)
{
	int64_t now = loop_now_ms(z->loop);

	watch_stop(&z->watch);
	open_probe(z);
	if (z->fd != -1 || now >= z->not_before_ms) {
		if (z->fd == -1 && z->failures % (LOOKUP_EVERY * z->n_hosts) == 0)
			servers_look_up(z->servers);
		if (!z->handle) {
			z->not_before_ms = now + MAX_ATTEMPT_MS; /* or when the names are found */
			timer_set(&z->next, MAX_ATTEMPT_MS);
			return;
		}
		z->inside++;
		ask(z);
		if (leave(z))
			return;
		now = loop_now_ms(z->loop);
	}
	if (z->fd == -1)
		timer_set(&z->next, z->not_before_ms > now ? z->not_before_ms - now : 0);
}

static void on_next(void *user)
{
	drive(user);
}

/* ---- birth and death ---- */

struct zk *zk_create(struct loop *l, const char *hosts, int session_ms, zk_state_fn fn, void *user, struct err *err)
{
	struct zk *z = xcalloc(1, sizeof(*z));

	z->servers = servers_create(l, hosts, on_servers, z, err);
	if (!z->servers) {
		free(z);
		return NULL;
	}
	z->n_hosts = servers_count(z->servers);
	z->loop = l;
	z->hosts = xstrdup(hosts);
	z->asked_ms = session_ms;
	z->fn = fn;
	z->user = user;
	z->fd = -1;
	list_init(&z->waiting);
	list_init(&z->sent);
	list_init(&z->refused);
	list_init(&z->watches);
	sm_init(&z->sm, states, ARRAY_SIZE(states), ZK_CONNECTING, "zk", hosts, NULL, NULL);
	timer_init(&z->next, l, on_next, z);
	timer_init(&z->ping, l, on_ping, z);
	timer_init(&z->verdict, l, on_verdict, z);
	timer_set(&z->next, 0);
	return z;
}

static void free_calls(struct list *calls)
{
	struct call *c;

	LIST_FOREACH (c, calls, struct call, node)
		call_free(c);
}

/* zookeeper_close waits up to 3 s for a socket that takes no bytes: then the session is left to expire. */
static void close_handle(struct zk *z)
{
	struct pollfd p = {.fd = z->fd, .events = POLLOUT};

	if (z->fd != -1 && poll(&p, 1, 0) == 0)
		shutdown(z->fd, SHUT_RDWR);
	zookeeper_close(z->handle);
}

static void bury(struct zk *z)
{
	struct node_watch *w;

	if (z->handle)
		close_handle(z);
	free_calls(&z->waiting);
	free_calls(&z->refused);
	LIST_FOREACH (w, &z->watches, struct node_watch, node)
		watch_free(w);
	free(z->addresses);
	free(z->hosts);
	free(z);
}

static void on_grave(void *user)
{
	bury(user);
}

void zk_destroy(struct zk *z)
{
	if (!z || z->dead)
		return;
	z->dead = true;
	drop_probe(z);
	servers_destroy(z->servers);
	watch_stop(&z->watch);
	timer_stop(&z->next);
	timer_stop(&z->ping);
	defer_cancel(&z->poke);
	if (z->inside == 0)
		bury(z);
}

enum zk_state zk_state(const struct zk *z)
{
	return (enum zk_state)sm_state(&z->sm);
}

int zk_session_ms(const struct zk *z)
{
	return z->session_ms;
}

uint64_t zk_session_id(const struct zk *z)
{
	const clientid_t *id = z->handle ? zoo_client_id(z->handle) : NULL;

	return id ? (uint64_t)id->client_id : 0;
}

int64_t zk_alive_since_ms(const struct zk *z)
{
	return z->alive_since_ms;
}

uint64_t zk_connect_attempts(const struct zk *z)
{
	return z->attempts;
}
