/* SEAM 5 of 6. ZooKeeper, asynchronous, in the loop; net/zk.c is the only file with zookeeper.h.
 *
 * One handle is one session. All callbacks come from the loop. When the connection is lost, calls in flight fail with
 * -EAGAIN (whether they took effect is unknown); calls made while not connected wait for the connection. Reconnecting is
 * throttled (at most ten attempts a second, with backoff to 1 s). After ZK_EXPIRED the handle is dead: destroy it. */
#ifndef FL_NET_ZK_H
#define FL_NET_ZK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct loop;
struct zk;

enum zk_state { ZK_CONNECTING, ZK_CONNECTED, ZK_SUSPENDED, ZK_EXPIRED };

typedef void (*zk_state_fn)(void *user, enum zk_state state);

/* hosts: "h:p,h:p". NULL and err only for malformed hosts: unreachable ones are retried for ever. */
struct zk *zk_create(struct loop *l, const char *hosts, int session_ms, zk_state_fn fn, void *user, struct err *err);
/* Closes the session when it is connected (ephemerals go at once). Callbacks of calls in flight do not run. Safe from
 * any callback. NULL allowed. */
void zk_destroy(struct zk *z);
enum zk_state zk_state(const struct zk *z);
int zk_session_ms(const struct zk *z); /* negotiated, 0 before the first connection */
uint64_t zk_session_id(const struct zk *z);
/* loop_now_ms of when the last request or ping that was answered had been sent: the session lives at least until then
 * plus zk_session_ms. */
int64_t zk_alive_since_ms(const struct zk *z);
uint64_t zk_connect_attempts(const struct zk *z);

/* status of every callback: 0; -ENOENT no node; -EEXIST node exists; -ESTALE version differs; -ENOTEMPTY; -EAGAIN connection
 * lost, may have happened; -ECANCELED session expired; -EACCES; -EIO anything else. */
#define ZK_ANY_VERSION (-1)
#define ZK_EPHEMERAL 1
#define ZK_SEQUENCE 2

typedef void (*zk_fn)(void *user, int status);
typedef void (*zk_data_fn)(void *user, int status, const void *data, size_t size, int version); /* borrowed */
typedef void (*zk_list_fn)(void *user, int status, const char *const *names, size_t n);         /* borrowed, unsorted */
typedef void (*zk_path_fn)(void *user, int status, const char *path);
/* A watch: fires once, when what was read has changed (or the session expired); set by passing watch != NULL. The same
 * watch (fn, user) may be set again from its own call. */
typedef void (*zk_watch_fn)(void *user);

void zk_get(struct zk *z, const char *path, zk_watch_fn watch, void *watch_user, zk_data_fn fn, void *user);
void zk_exists(struct zk *z, const char *path, zk_watch_fn watch, void *watch_user, zk_fn fn, void *user);
void zk_children(struct zk *z, const char *path, zk_watch_fn watch, void *watch_user, zk_list_fn fn, void *user);
void zk_make(struct zk *z, const char *path, const void *data, size_t size, int flags, zk_path_fn fn, void *user);
void zk_set(struct zk *z, const char *path, const void *data, size_t size, int version, zk_fn fn, void *user);
void zk_remove(struct zk *z, const char *path, int version, zk_fn fn, void *user);

enum zk_op_kind { ZK_OP_CHECK, ZK_OP_MAKE, ZK_OP_SET, ZK_OP_REMOVE };
struct zk_op {
	enum zk_op_kind kind;
	const char *path;
	const void *data; /* copied */
	size_t size;
	int version; /* CHECK, SET, REMOVE */
};
/* All or nothing. failed: index of the first op that failed, or -1. */
typedef void (*zk_multi_fn)(void *user, int status, int failed);
void zk_multi(struct zk *z, const struct zk_op *ops, size_t n, zk_multi_fn fn, void *user);

#endif
