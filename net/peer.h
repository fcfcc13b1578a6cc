/* A connection that speaks the protocol: hello both ways, heartbeats both ways, messages checked against their rows.
 *
 * Each side sends hello first. The first frame received must be a hello of a spoken version, of the same cluster and of
 * a kind in `expect`; anything else gets `refused` and the connection closes. After on_ready messages flow: decoded,
 * their sender's kind checked against schema.def, borrowed until on_message returns. Silence for four heartbeats of the
 * other side closes. Rules of ownership are those of net/conn.h. */
#ifndef FL_NET_PEER_H
#define FL_NET_PEER_H

#include <stdbool.h>
#include <stdint.h>

#include "msg/desc.h"

struct conn;
struct loop;
struct peer;

struct peer_self {
	enum fl_peer_kind kind;
	const char *cluster; /* "" for a framework or tool that takes any cluster */
	const char *id;      /* may be NULL */
	int expect;          /* peer_mask of the other side */
	int64_t heartbeat_ms;
	int timeout_ms; /* for connecting and for the other side's hello */
};

struct peer_ops {
	void (*on_ready)(void *user, struct peer *p, const struct fl_hello *hello);
	void (*on_message)(void *user, struct peer *p, const struct message_desc *desc, const void *rec);
	/* refused: what the other side said last, or what we told it because it is of another cluster, kind or protocol;
	 * else NULL; borrowed. why: always a text. */
	void (*on_close)(void *user, struct peer *p, const struct fl_refused *refused, const char *why);
};

/* self is copied. */
struct peer *peer_connect(struct loop *l, const struct peer_self *self, const char *host, int port,
                          const struct peer_ops *ops, void *user);
struct peer *peer_accept(struct loop *l, const struct peer_self *self, struct conn *c, const struct peer_ops *ops,
                         void *user);
void peer_set_user(struct peer *p, const struct peer_ops *ops, void *user); /* hands it to another owner */
/* Encodes and queues; rec must be valid (asserted). Ignored before on_ready and once closed. */
void peer_send(struct peer *p, int message_id, const void *rec);
/* Says why, flushes, closes and destroys. leader may be NULL. */
void peer_refuse(struct peer *p, enum fl_refusal refusal, const struct fl_master_info *leader, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* Sends what is queued, then closes and destroys. */
void peer_finish(struct peer *p);
void peer_destroy(struct peer *p); /* NULL allowed */
bool peer_ready(const struct peer *p);
const char *peer_address(const struct peer *p);
const char *peer_ip(const struct peer *p);
enum fl_peer_kind peer_kind(const struct peer *p); /* of the other side, after on_ready */
size_t peer_queued(const struct peer *p);

#endif
