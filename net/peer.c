/* A connection that speaks the protocol. See peer.h for the contract.
 *
 * States: CONNECTING (outgoing only), GREETING (our hello is queued, theirs is awaited), READY, CLOSED (no connection;
 * on_close has run, or is deferred when a call of the owner's led here).
 * One timer watches the other side: for its hello in GREETING, for silence in READY. It is not set again at every frame:
 * when due it looks at what was heard last. The second one sends heartbeats when nothing else was sent. */
#include "net/peer.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/sm.h"
#include "base/str.h"
#include "msg/codec.h"
#include "net/conn.h"

#define VERSION 1
#define MIN_VERSION 1
#define SILENT_HEARTBEATS 4
#define MAX_HEARTBEAT_MS (10 * 60 * 1000)
#define NS_PER_MS 1000000

enum { CONNECTING, GREETING, READY, CLOSED };

static const struct sm_state states[] = {
	[CONNECTING] = {"CONNECTING", 1 << GREETING | 1 << CLOSED, SM_INITIAL},
	[GREETING] = {"GREETING", 1 << READY | 1 << CLOSED, SM_INITIAL},
	[READY] = {"READY", 1 << CLOSED, 0},
	[CLOSED] = {"CLOSED", 0, SM_FINAL},
};

struct peer {
	struct sm sm;
	struct loop *loop;
	struct peer_self self;
	const struct peer_ops *ops;
	void *user;
	struct conn *conn;
	struct timer watch, beat;
	struct defer tell; /* on_close after a call of the owner's closed it */
	enum fl_peer_kind kind;
	int64_t silence_ms, heard_ms, sent_ms;
	char ip[80], address[336];
	char why[512];
};

static bool is_sound(const struct sm *sm)
{
	const struct peer *p = CONTAINER_OF(sm, struct peer, sm);

	return (p->conn != NULL) == (sm->state != CLOSED);
}

static void on_enter(struct sm *sm, int from)
{
	struct peer *p = CONTAINER_OF(sm, struct peer, sm);

	if (sm->state != CLOSED)
		return;
	timer_stop(&p->watch);
	timer_stop(&p->beat);
}

static enum peer_mask mask_of(enum fl_peer_kind kind)
{
	switch (kind) {
	case FL_PEER_MASTER:
		return PEER_MASTER;
	case FL_PEER_SLAVE:
		return PEER_SLAVE;
	case FL_PEER_FRAMEWORK:
		return PEER_FRAMEWORK;
	case FL_PEER_KIND_UNSET:
		break;
	}
	return 0;
}

static const char *kind_name(enum fl_peer_kind kind)
{
	return enum_name(&enum_peer_kind, (int)kind);
}

/* ---- sending ---- */

/* False when the message is too big for a frame: nothing was sent. */
static bool send_message(struct peer *p, int id, const void *rec, struct err *err)
{
	_cleanup_buf_ struct buf out = {0};
	int r = message_encode(id, rec, &out, err);

	assert(r == 0);
	if (out.size > CONN_MAX_FRAME) {
		err_set(err, EMSGSIZE, "a message %s of %zu bytes was to be sent, at most %u", message_find(id)->name,
		        out.size, CONN_MAX_FRAME);
		return false;
	}
	conn_send(p->conn, out.data, out.size);
	p->sent_ms = loop_now_ms(p->loop);
	return true;
}

static void send_hello(struct peer *p)
{
	struct fl_hello hello = {
		.version = VERSION,
		.min_version = MIN_VERSION,
		.cluster = p->self.cluster,
		.kind = p->self.kind,
		.id = p->self.id,
		.software = "fairlead/" FAIRLEAD_VERSION,
		.heartbeat_ns = p->self.heartbeat_ms * NS_PER_MS,
	};
	struct err err = {0};
	bool sent = send_message(p, MSG_hello, &hello, &err);

	assert(sent);
}

/* ---- closing ---- */

static void let_go(struct peer *p, void (*end)(struct conn *c))
{
	end(p->conn);
	p->conn = NULL;
	sm_move(&p->sm, CLOSED);
}

/* The last thing a callback of ours does: the owner may destroy p. */
static void tell_owner(struct peer *p, const struct fl_refused *refused)
{
	if (p->ops->on_close)
		p->ops->on_close(p->user, p, refused, p->why);
}

static void on_tell(void *user)
{
	tell_owner(user, NULL);
}

static void lose(struct peer *p, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
static void lose(struct peer *p, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(p->why, sizeof(p->why), fmt, ap);
	va_end(ap);
	let_go(p, conn_destroy);
	tell_owner(p, NULL);
}

/* The text may quote the other side, and be cut in the middle of a letter; on the wire it must be UTF-8. */
static void make_text(char *s)
{
	if (str_valid_utf8(s, strlen(s)))
		return;
	for (; *s; s++)
		if (*s & 0x80)
			*s = '?';
}

/* Says why. */
static void say_refused(struct peer *p, enum fl_refusal refusal, const struct fl_master_info *leader)
{
	struct fl_refused last = {.refusal = refusal, .message = p->why, .leader = (struct fl_master_info *)leader};
	struct err err = {0};

	make_text(p->why);
	if (!send_message(p, MSG_refused, &last, &err))
		log_debug("peer.refuse address=%s error=\"%s\"", p->address, err.text);
}

/* We refuse the other side: it is told why, then the owner is. */
static void reject(struct peer *p, enum fl_refusal refusal, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
static void reject(struct peer *p, enum fl_refusal refusal, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(p->why, sizeof(p->why), fmt, ap);
	va_end(ap);
	say_refused(p, refusal, NULL);
	let_go(p, conn_finish);
	/* Who does not fit never will; what was not understood may have been an accident. */
	struct fl_refused own = {.refusal = refusal, .message = p->why};
	tell_owner(p, refusal == FL_REFUSAL_INVALID ? NULL : &own);
}

static void on_refused(struct peer *p, const struct fl_refused *refused)
{
	snprintf(p->why, sizeof(p->why), "refused by the other side: %s: %s",
	         enum_name(&enum_refusal, refused->refusal),
	         refused->message ? refused->message : enum_doc(&enum_refusal, refused->refusal));
	let_go(p, conn_destroy);
	tell_owner(p, refused);
}

/* ---- timers ---- */

static void on_watch(void *user)
{
	struct peer *p = user;

	if (sm_state(&p->sm) != READY) {
		lose(p, "no hello within %d ms", p->self.timeout_ms);
		return;
	}
	int64_t silent_ms = loop_now_ms(p->loop) - p->heard_ms;
	if (silent_ms >= p->silence_ms)
		lose(p, "nothing heard for %" PRId64 " ms, which is %d of its heartbeats", silent_ms,
		     SILENT_HEARTBEATS);
	else
		timer_set(&p->watch, p->silence_ms - silent_ms);
}

static void on_beat(void *user)
{
	struct peer *p = user;
	const struct fl_heartbeat heartbeat = {0};
	struct err err = {0};

	if (loop_now_ms(p->loop) - p->sent_ms >= p->self.heartbeat_ms)
		send_message(p, MSG_heartbeat, &heartbeat, &err);
	timer_set(&p->beat, p->sent_ms + p->self.heartbeat_ms - loop_now_ms(p->loop));
}

/* ---- hello ---- */

static bool same_cluster(const struct peer *p, const struct fl_hello *hello)
{
	if (*hello->cluster == '\0' && hello->kind == FL_PEER_FRAMEWORK)
		return true;
	return *p->self.cluster == '\0' || str_equal(p->self.cluster, hello->cluster);
}

/* 0, or the refusal, with its text in why. */
static enum fl_refusal check_hello(const struct peer *p, const struct fl_hello *hello, char *why, size_t size)
{
	if (hello->min_version > VERSION || hello->version < MIN_VERSION) {
		snprintf(why, size,
		         "no common protocol version: the %s speaks %" PRId64 " to %" PRId64
		         ", this %s %d to %d; upgrade the older side",
		         kind_name(hello->kind), hello->min_version, hello->version, kind_name(p->self.kind),
		         MIN_VERSION, VERSION);
		return FL_REFUSAL_PROTOCOL;
	}
	if (!(mask_of(hello->kind) & p->self.expect)) {
		snprintf(why, size,
		         "a %s has no business on this port of a %s; check the address and port it connects to",
		         kind_name(hello->kind), kind_name(p->self.kind));
		return FL_REFUSAL_INVALID;
	}
	if (!same_cluster(p, hello)) {
		snprintf(why, size,
		         "the %s belongs to cluster '%.100s', this %s to '%.100s'; check --cluster on both sides",
		         kind_name(hello->kind), hello->cluster, kind_name(p->self.kind), p->self.cluster);
		return FL_REFUSAL_CLUSTER;
	}
	if (hello->heartbeat_ns < NS_PER_MS || hello->heartbeat_ns > (int64_t)MAX_HEARTBEAT_MS * NS_PER_MS) {
		snprintf(why, size, "heartbeat of %" PRId64 " ns in its hello; 1 ms to %d s are allowed",
		         hello->heartbeat_ns, MAX_HEARTBEAT_MS / 1000);
		return FL_REFUSAL_INVALID;
	}
	return 0;
}

static void on_hello(struct peer *p, const struct fl_hello *hello)
{
	char why[400];
	enum fl_refusal refusal = check_hello(p, hello, why, sizeof(why));

	if (refusal) {
		reject(p, refusal, "%s", why);
		return;
	}
	p->kind = hello->kind;
	p->silence_ms = SILENT_HEARTBEATS * (hello->heartbeat_ns / NS_PER_MS);
	sm_move(&p->sm, READY);
	timer_set(&p->watch, p->silence_ms);
	timer_set(&p->beat, p->self.heartbeat_ms);
	if (p->ops->on_ready)
		p->ops->on_ready(p->user, p, hello);
}

/* ---- frames ---- */

static void on_first(struct peer *p, const struct message_desc *desc, const void *rec)
{
	if (desc->id == MSG_hello)
		on_hello(p, rec);
	else if (desc->id == MSG_refused)
		on_refused(p, rec);
	else
		reject(p, FL_REFUSAL_INVALID, "the first message must be hello, not %s", desc->name);
}

static void on_later(struct peer *p, const struct message_desc *desc, const void *rec)
{
	if (desc->id == MSG_heartbeat)
		return;
	if (desc->id == MSG_refused)
		on_refused(p, rec);
	else if (desc->id == MSG_hello)
		reject(p, FL_REFUSAL_INVALID, "a second hello on one connection");
	else if (!(desc->from & (int)mask_of(p->kind)) || !(desc->to & (int)mask_of(p->self.kind)))
		reject(p, FL_REFUSAL_INVALID, "a %s may not send %s to a %s", kind_name(p->kind), desc->name,
		       kind_name(p->self.kind));
	else if (p->ops->on_message)
		p->ops->on_message(p->user, p, desc, rec);
}

static void on_frame(void *user, struct conn *c, const void *data, size_t size)
{
	struct peer *p = user;
	_cleanup_zone_ struct zone *zone = zone_create();
	const struct message_desc *desc;
	void *rec;
	struct err err = {0};

	p->heard_ms = loop_now_ms(p->loop);
	int r = message_decode(data, size, zone, &desc, &rec, &err);
	bool greeted = sm_state(&p->sm) == READY;
	if (r == -ENOMSG && greeted) {
		log_debug("peer.unknown_message address=%s error=\"%s\"", p->address, err.text); /* from a newer side */
		return;
	}
	if (r < 0)
		reject(p, FL_REFUSAL_INVALID, "%s%s",
		       greeted ? "" : "the first message must be a valid hello: ", err.text);
	else if (greeted)
		on_later(p, desc, rec);
	else
		on_first(p, desc, rec);
}

static void on_open(void *user, struct conn *c)
{
	struct peer *p = user;

	snprintf(p->ip, sizeof(p->ip), "%s", conn_peer_ip(c));
	snprintf(p->address, sizeof(p->address), "%s", conn_peer_address(c));
	sm_move(&p->sm, GREETING);
	send_hello(p);
	timer_set(&p->watch, p->self.timeout_ms);
}

static void on_lost(void *user, struct conn *c, const char *why)
{
	lose(user, "%s", why);
}

static const struct conn_ops conn_ops = {.on_open = on_open, .on_frame = on_frame, .on_close = on_lost};

/* ---- the owner's side ---- */

static struct peer *peer_new(struct loop *l, const struct peer_self *self, const struct peer_ops *ops, void *user)
{
	struct peer *p = xcalloc(1, sizeof(*p));

	p->loop = l;
	p->self = *self;
	p->self.cluster = xstrdup(self->cluster ? self->cluster : "");
	p->self.id = xstrdup(self->id);
	p->ops = ops;
	p->user = user;
	timer_init(&p->watch, l, on_watch, p);
	timer_init(&p->beat, l, on_beat, p);
	assert(self->heartbeat_ms > 0 && self->heartbeat_ms <= MAX_HEARTBEAT_MS);
	return p;
}

struct peer *peer_connect(struct loop *l, const struct peer_self *self, const char *host, int port,
                          const struct peer_ops *ops, void *user)
{
	struct peer *p = peer_new(l, self, ops, user);

	p->conn = conn_connect(l, host, port, self->timeout_ms, &conn_ops, p);
	snprintf(p->ip, sizeof(p->ip), "%s", conn_peer_ip(p->conn));
	snprintf(p->address, sizeof(p->address), "%s", conn_peer_address(p->conn));
	sm_init(&p->sm, states, ARRAY_SIZE(states), CONNECTING, "peer", p->address, is_sound, on_enter);
	return p;
}

struct peer *peer_accept(struct loop *l, const struct peer_self *self, struct conn *c, const struct peer_ops *ops,
                         void *user)
{
	struct peer *p = peer_new(l, self, ops, user);

	p->conn = c;
	conn_set_ops(c, &conn_ops, p);
	snprintf(p->ip, sizeof(p->ip), "%s", conn_peer_ip(c));
	snprintf(p->address, sizeof(p->address), "%s", conn_peer_address(c));
	sm_init(&p->sm, states, ARRAY_SIZE(states), GREETING, "peer", p->address, is_sound, on_enter);
	send_hello(p);
	timer_set(&p->watch, self->timeout_ms);
	return p;
}

void peer_set_user(struct peer *p, const struct peer_ops *ops, void *user)
{
	p->ops = ops;
	p->user = user;
}

void peer_send(struct peer *p, int message_id, const void *rec)
{
	struct err err = {0};

	if (sm_state(&p->sm) != READY || send_message(p, message_id, rec, &err))
		return;
	snprintf(p->why, sizeof(p->why), "%s", err.text);
	let_go(p, conn_finish);
	loop_defer(p->loop, &p->tell, on_tell, p);
}

void peer_refuse(struct peer *p, enum fl_refusal refusal, const struct fl_master_info *leader, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(p->why, sizeof(p->why), fmt, ap);
	va_end(ap);
	if (p->conn)
		say_refused(p, refusal, leader);
	peer_finish(p);
}

void peer_finish(struct peer *p)
{
	if (p->conn)
		let_go(p, conn_finish);
	peer_destroy(p);
}

void peer_destroy(struct peer *p)
{
	if (!p)
		return;
	if (p->conn)
		let_go(p, conn_destroy);
	defer_cancel(&p->tell);
	free((char *)p->self.cluster);
	free((char *)p->self.id);
	free(p);
}

bool peer_ready(const struct peer *p)
{
	return sm_state(&p->sm) == READY;
}

const char *peer_address(const struct peer *p)
{
	return p->address;
}

const char *peer_ip(const struct peer *p)
{
	return p->ip;
}

enum fl_peer_kind peer_kind(const struct peer *p)
{
	return p->kind;
}

size_t peer_queued(const struct peer *p)
{
	return p->conn ? conn_queued(p->conn) : 0;
}
