/* What the files of net/conn share: a connection, and the hub that a loop's connections have in common.
 *
 * conn.c        the life of a connection: connecting, frames in, frames out, closing
 * conn_hub.c    per loop: flushing at the end of a turn, the budget over all queues
 * conn_part.c   connections after conn_finish: send what is left, wait for the other side, close
 * conn_listen.c listeners */
#ifndef FL_NET_CONN_IMPL_H
#define FL_NET_CONN_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/list.h"
#include "base/loop.h"
#include "base/sm.h"
#include "net/conn.h"
#include "net/lookup.h"
#include "net/sock.h"

struct evbuffer;
struct event;

#define CONN_HUB_SCRATCH (64u << 10)
#define CONN_PARTING_MS 5000

/* Made by a loop's first connection or listener, gone with the last. Its turn hook is linked only while a queue waits. */
struct conn_hub {
	struct loop *loop;
	struct event *anchor; /* by which the hub is found again: pending, never due */
	struct list conns, listeners, partings;
	struct list dirty; /* connections with something to flush */
	size_t queued;     /* bytes in all queues, partings included */
	struct turn_hook hook;
	uint8_t scratch[CONN_HUB_SCRATCH]; /* where sockets are read into */
};

struct conn {
	struct sm sm;
	struct conn_hub *hub;
	struct list_node node, dirty;
	const struct conn_ops *ops;
	void *user;
	int fd; /* -1 when none */
	struct watch watch;
	struct timer timer; /* while connecting: until the next address, or the deadline */
	struct defer tell;  /* on_close */
	struct lookup *lookup;
	struct sockaddr_storage addresses[LOOKUP_MAX];
	size_t n_addresses, next_address;
	int64_t deadline_ms;
	int timeout_ms;
	struct buf in; /* an incomplete frame */
	struct evbuffer *out;
	int depth;      /* calls on the stack that will still touch it */
	bool destroyed; /* free when depth is 0 */
	bool deaf;      /* writing failed: only what was received before is still of interest */
	char ip[SOCK_TEXT];
	char address[SOCK_TEXT + 256];
	char why[256];
};

/* conn.c */
struct conn *conn_adopt(struct conn_hub *h, int fd, const struct sockaddr_storage *from);
void conn_fail(struct conn *c, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void conn_flush(struct conn *c);
/* Between the two c stays in memory although a callback destroys it; leave tells whether it still lives. */
void conn_enter(struct conn *c);
bool conn_leave(struct conn *c);

/* conn_hub.c */
struct conn_hub *conn_hub_find(struct loop *l, bool make);
void conn_hub_settle(struct conn_hub *h); /* frees it when nobody needs it any more */
void conn_hub_mark(struct conn *c);       /* flush c at the end of the turn */
void conn_hub_check(struct conn_hub *h);  /* enforces CONN_MAX_ALL_QUEUES */

/* conn_part.c; takes fd and out. */
void conn_part(struct conn_hub *h, int fd, struct evbuffer *out);
void conn_part_drop_all(struct conn_hub *h);

#endif
