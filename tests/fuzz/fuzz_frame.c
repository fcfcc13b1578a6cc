/* Frames into a peer: a hello, then messages, with the connection below replaced. The input is a sequence of frames, each
 * a length (2 bytes, big-endian) and as many bytes; its first byte chooses who we are. Whatever comes, the owner is told
 * of at most one hello and one end, and only of messages that this kind of sender may send to this kind of receiver. */
#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/loop.h"
#include "base/mem.h"
#include "msg/codec.h"
#include "net/conn.h"
#include "net/peer.h"

/* ---- a connection without a socket ---- */

struct conn {
	const struct conn_ops *ops;
	void *user;
	bool ended;
};

void conn_set_ops(struct conn *c, const struct conn_ops *ops, void *user)
{
	c->ops = ops;
	c->user = user;
}

/* What the peer says is read back: it must be valid. */
void conn_send(struct conn *c, const void *payload, size_t size)
{
	_cleanup_zone_ struct zone *zone = zone_create();
	const struct message_desc *desc;
	void *rec;

	assert(!c->ended && size <= CONN_MAX_FRAME);
	int r = message_decode(payload, size, zone, &desc, &rec, NULL);
	assert(r == 0);
}

void conn_finish(struct conn *c)
{
	c->ended = true;
}

void conn_destroy(struct conn *c)
{
	c->ended = true;
}

size_t conn_queued(const struct conn *c)
{
	return 0;
}

const char *conn_peer_address(const struct conn *c)
{
	return "192.0.2.1:1";
}

const char *conn_peer_ip(const struct conn *c)
{
	return "192.0.2.1";
}

struct conn *conn_connect(struct loop *l, const char *host, int port, int timeout_ms, const struct conn_ops *ops,
                          void *user)
{
	return NULL; /* not reached: the peer accepts */
}

/* ---- the owner ---- */

struct owner {
	enum fl_peer_kind self;
	int ready, closed;
};

static int mask_of(enum fl_peer_kind kind)
{
	return 1 << (kind - 1);
}

static void on_ready(void *user, struct peer *p, const struct fl_hello *hello)
{
	struct owner *o = user;

	assert(o->ready++ == 0 && o->closed == 0 && hello->cluster && hello->kind);
}

static void on_message(void *user, struct peer *p, const struct message_desc *desc, const void *rec)
{
	struct owner *o = user;
	_cleanup_buf_ struct buf out = {0};

	assert(o->ready == 1 && o->closed == 0);
	assert((desc->from & mask_of(peer_kind(p))) && (desc->to & mask_of(o->self)));
	int r = message_encode(desc->id, rec, &out, NULL);
	assert(r == 0);
}

static void on_close(void *user, struct peer *p, const struct fl_refused *refused, const char *why)
{
	struct owner *o = user;

	assert(o->closed++ == 0 && why && *why);
}

static const struct peer_ops ops = {on_ready, on_message, on_close};

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct loop *l; /* one for all inputs: it holds nothing of theirs */
	static const enum fl_peer_kind kinds[] = {FL_PEER_MASTER, FL_PEER_SLAVE, FL_PEER_FRAMEWORK};
	struct conn c = {0};

	if (size < 1)
		return 0;
	if (!l)
		l = loop_create();
	struct owner o = {.self = kinds[data[0] % 3]};
	const struct peer_self self = {.kind = o.self,
	                               .cluster = data[0] & 4 ? "" : "c",
	                               .expect = PEER_ANY,
	                               .heartbeat_ms = 1000,
	                               .timeout_ms = 1000};
	struct peer *p = peer_accept(l, &self, &c, &ops, &o);
	for (size_t at = 1; at + 2 <= size && !c.ended;) {
		size_t n = (size_t)(data[at] << 8 | data[at + 1]);
		at += 2;
		n = n < size - at ? n : size - at;
		uint8_t *frame = xmemdup(data + at, n); /* its own block, so that reading past it shows */
		c.ops->on_frame(c.user, &c, frame, n);
		free(frame);
		at += n;
	}
	assert(c.ended == (o.closed == 1));
	peer_destroy(p);
	return 0;
}
