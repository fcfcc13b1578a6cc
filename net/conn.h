/* SEAM 3 of 6. Framed connections on TCP: a frame is a length (4 bytes, big-endian) and that many bytes of payload.
 *
 * A connection belongs to whoever accepted or connected it. Callbacks come from the loop, never from inside a call.
 * on_close comes at most once, when the other side is gone, a limit was passed or connecting failed; after it nothing
 * more comes, and the owner calls conn_destroy. conn_destroy may be called at any time, also from a callback, and never
 * calls back. Frames queued in a turn are sent at its end (TURN_ORDER_FLUSH). */
#ifndef FL_NET_CONN_H
#define FL_NET_CONN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct conn;
struct err;
struct listener;
struct loop;

#define CONN_MAX_FRAME (4u << 20)        /* payload bytes; more closes the connection */
#define CONN_MAX_QUEUE (64u << 20)       /* bytes waiting to be sent on one connection; more closes it */
#define CONN_MAX_ALL_QUEUES (512u << 20) /* over all connections of a loop: the largest goes first */

struct conn_ops {
	void (*on_open)(void *user, struct conn *c); /* outgoing connections only: established. May be NULL. */
	void (*on_frame)(void *user, struct conn *c, const void *data, size_t size); /* borrowed during the call */
	void (*on_close)(void *user, struct conn *c, const char *why);
};

/* A new incoming connection, already open; call conn_set_ops on it in the callback, or conn_destroy. */
typedef void (*conn_accept_fn)(void *user, struct conn *c);

/* address: an IPv4 or IPv6 address as text; port 0 picks a free one. NULL and err on failure. */
struct listener *listener_create(struct loop *l, const char *address, int port, conn_accept_fn fn, void *user,
                                 struct err *err);
int listener_port(const struct listener *l);
void listener_destroy(struct listener *l); /* NULL allowed; accepted connections live on */

/* Starts connecting to host (name or address); never fails at once: a failure is on_close. */
struct conn *conn_connect(struct loop *l, const char *host, int port, int timeout_ms, const struct conn_ops *ops,
                          void *user);
void conn_set_ops(struct conn *c, const struct conn_ops *ops, void *user);
/* Queues one frame; the payload is copied. size <= CONN_MAX_FRAME (asserted). Ignored once closed. */
void conn_send(struct conn *c, const void *payload, size_t size);
/* Sends what is queued, then closes; no on_close follows. The owner must not use c afterwards. */
void conn_finish(struct conn *c);
void conn_destroy(struct conn *c); /* NULL allowed */
size_t conn_queued(const struct conn *c);
/* Before loop_destroy: drops connections of conn_finish that are still saying goodbye (they take at most 5 s). */
void conn_sweep(struct loop *l);
const char *conn_peer_address(const struct conn *c); /* "127.0.0.1:40312" */
const char *conn_peer_ip(const struct conn *c);      /* "127.0.0.1" */

#endif
