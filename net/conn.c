/* A framed connection. See conn.h for the contract, conn_impl.h for the files that share the work.
 *
 * States: LOOKUP (the host's addresses are sought), CONNECTING (one address after the other is tried), OPEN, CLOSED (no
 * descriptor, nothing queued; on_close is deferred or has run). A failure anywhere is conn_fail: it drops everything at
 * once and tells the owner in a deferred call, so that no call of ours calls back.
 * Invariant: fd >= 0 exactly in CONNECTING and OPEN; hub->queued counts every byte of out. */
#include "net/conn.h"

#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <event2/buffer.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/conn_impl.h"

#define READS_PER_TURN 4
#define WRITE_PER_TURN (1u << 20)
#define FRAME_HEAD 4

enum { LOOKUP, CONNECTING, OPEN, CLOSED };

static const struct sm_state states[] = {
	[LOOKUP] = {"LOOKUP", 1 << CONNECTING | 1 << CLOSED, SM_INITIAL},
	[CONNECTING] = {"CONNECTING", 1 << CONNECTING | 1 << OPEN | 1 << CLOSED, 0},
	[OPEN] = {"OPEN", 1 << CLOSED, SM_INITIAL},
	[CLOSED] = {"CLOSED", 0, SM_FINAL},
};

static bool is_sound(const struct sm *sm)
{
	const struct conn *c = CONTAINER_OF(sm, struct conn, sm);

	return (c->fd >= 0) == (sm->state == CONNECTING || sm->state == OPEN);
}

static void on_enter(struct sm *sm, int from)
{
	struct conn *c = CONTAINER_OF(sm, struct conn, sm);

	if (sm->state == OPEN || sm->state == CLOSED)
		timer_stop(&c->timer);
}

static void on_io(void *user, int events);

/* ---- memory ---- */

static struct conn *conn_new(struct conn_hub *h, int initial, int fd, const char *name)
{
	struct conn *c = xcalloc(1, sizeof(*c));

	c->hub = h;
	c->fd = fd;
	c->out = evbuffer_new();
	assert(c->out);
	list_push(&h->conns, &c->node);
	sm_init(&c->sm, states, ARRAY_SIZE(states), initial, "conn", name, is_sound, on_enter);
	return c;
}

static void drop_out(struct conn *c)
{
	size_t n = evbuffer_get_length(c->out);

	c->hub->queued -= n;
	evbuffer_drain(c->out, n);
	list_remove(&c->dirty);
}

static void drop_fd(struct conn *c)
{
	watch_stop(&c->watch);
	if (c->fd >= 0)
		close(c->fd);
	c->fd = -1;
}

static void drop_all(struct conn *c)
{
	lookup_cancel(c->lookup);
	c->lookup = NULL;
	timer_stop(&c->timer);
	drop_fd(c);
	drop_out(c);
}

static void conn_free(struct conn *c)
{
	struct conn_hub *h = c->hub;

	list_remove(&c->node);
	evbuffer_free(c->out);
	buf_fini(&c->in);
	free(c);
	conn_hub_settle(h);
}

void conn_enter(struct conn *c)
{
	c->depth++;
}

bool conn_leave(struct conn *c)
{
	bool dead = c->destroyed;

	if (--c->depth == 0 && dead)
		conn_free(c);
	return !dead;
}

void conn_destroy(struct conn *c)
{
	if (!c || c->destroyed)
		return;
	drop_all(c);
	defer_cancel(&c->tell);
	if (sm_state(&c->sm) != CLOSED)
		sm_move(&c->sm, CLOSED);
	c->destroyed = true;
	if (c->depth == 0)
		conn_free(c);
}

/* ---- failing ---- */

static void on_tell(void *user)
{
	struct conn *c = user;

	if (c->ops && c->ops->on_close)
		c->ops->on_close(c->user, c, c->why);
}

void conn_fail(struct conn *c, const char *fmt, ...)
{
	va_list ap;

	if (sm_state(&c->sm) == CLOSED)
		return;
	va_start(ap, fmt);
	vsnprintf(c->why, sizeof(c->why), fmt, ap);
	va_end(ap);
	drop_all(c);
	sm_move(&c->sm, CLOSED);
	loop_defer(c->hub->loop, &c->tell, on_tell, c);
}

/* ---- connecting ---- */

static void opened(struct conn *c)
{
	sm_move(&c->sm, OPEN);
	sock_print(&c->addresses[c->next_address - 1], c->ip, c->address);
	watch_set(&c->watch, WATCH_READ);
	if (evbuffer_get_length(c->out))
		conn_hub_mark(c);
	if (c->ops->on_open)
		c->ops->on_open(c->user, c);
}

/* Tries the addresses that are left, each with its part of the time that is left. */
static void connect_next(struct conn *c, int error)
{
	drop_fd(c);
	while (c->next_address < c->n_addresses) {
		int64_t left_ms = c->deadline_ms - loop_now_ms(c->hub->loop);
		size_t i = c->next_address++;
		int r = sock_connect(&c->addresses[i], &c->fd);
		if (r == 0) {
			sm_move(&c->sm, CONNECTING);
			watch_init(&c->watch, c->hub->loop, c->fd, on_io, c);
			watch_set(&c->watch, WATCH_WRITE);
			timer_set(&c->timer, left_ms / (int64_t)(c->n_addresses - i));
			return;
		}
		error = r;
	}
	conn_fail(c, "cannot connect to %s: %s", c->address, strerror(-error));
}

static void on_addresses(void *user, const struct sockaddr_storage *list, size_t n, const char *why)
{
	struct conn *c = user;

	c->lookup = NULL;
	if (n == 0) {
		conn_fail(c, "cannot find the address of %s: %s", c->address, why);
		return;
	}
	memcpy(c->addresses, list, n * sizeof(*list));
	c->n_addresses = n;
	connect_next(c, 0);
}

static void on_late(void *user)
{
	struct conn *c = user;

	if (sm_state(&c->sm) == CONNECTING && loop_now_ms(c->hub->loop) < c->deadline_ms)
		connect_next(c, -ETIMEDOUT);
	else
		conn_fail(c, "cannot connect to %s: no answer within %d ms", c->address, c->timeout_ms);
}

static void on_connected(struct conn *c)
{
	int r = sock_connected(c->fd);

	if (r == 0)
		opened(c);
	else
		connect_next(c, r);
}

struct conn *conn_connect(struct loop *l, const char *host, int port, int timeout_ms, const struct conn_ops *ops,
                          void *user)
{
	struct conn *c = conn_new(conn_hub_find(l, true), LOOKUP, -1, host);

	c->ops = ops;
	c->user = user;
	c->timeout_ms = timeout_ms;
	c->deadline_ms = loop_now_ms(l) + timeout_ms;
	snprintf(c->ip, sizeof(c->ip), "%.*s", SOCK_TEXT - 1, host);
	snprintf(c->address, sizeof(c->address), strchr(host, ':') ? "[%s]:%d" : "%s:%d", host, port);
	timer_init(&c->timer, l, on_late, c);
	timer_set(&c->timer, timeout_ms);
	c->lookup = lookup_start(l, host, port, on_addresses, c);
	return c;
}

struct conn *conn_adopt(struct conn_hub *h, int fd, const struct sockaddr_storage *from)
{
	char ip[SOCK_TEXT], address[SOCK_TEXT];

	sock_print(from, ip, address);
	struct conn *c = conn_new(h, OPEN, fd, address);
	memcpy(c->ip, ip, sizeof(ip));
	memcpy(c->address, address, sizeof(address));
	watch_init(&c->watch, h->loop, fd, on_io, c);
	watch_set(&c->watch, WATCH_READ);
	return c;
}

/* ---- frames in ---- */

static void refuse_length(struct conn *c, const uint8_t *head, uint32_t size)
{
	static const char *const http[] = {"GET ", "POST", "HEAD", "PUT ", "DELE",
	                                   "OPTI", "PATC", "CONN", "TRAC", "HTTP"};

	for (size_t i = 0; i < ARRAY_SIZE(http); i++)
		if (memcmp(head, http[i], FRAME_HEAD) == 0) {
			conn_fail(c, "an HTTP request on the port for framed connections: use the HTTP port");
			return;
		}
	if (head[0] == 0x16 && head[1] == 0x03)
		conn_fail(c, "a TLS handshake on the port for framed connections, which does not speak TLS");
	else
		conn_fail(c, "frame of %u bytes, at most %u", size, CONN_MAX_FRAME);
}

/* Hands out the complete frames at the start of data; returns the bytes used. */
static size_t take_frames(struct conn *c, const uint8_t *data, size_t size)
{
	size_t used = 0;

	while (sm_state(&c->sm) == OPEN && size - used >= FRAME_HEAD) {
		uint32_t length;
		memcpy(&length, data + used, sizeof(length));
		length = ntohl(length);
		if (length > CONN_MAX_FRAME) {
			refuse_length(c, data + used, length);
			break;
		}
		if (size - used - FRAME_HEAD < length)
			break;
		used += FRAME_HEAD + length;
		c->ops->on_frame(c->user, c, data + used - length, length);
	}
	return used;
}

static void take_bytes(struct conn *c, const uint8_t *data, size_t size)
{
	if (c->in.size == 0) {
		size_t used = take_frames(c, data, size);
		if (sm_state(&c->sm) == OPEN)
			buf_append(&c->in, data + used, size - used);
		return;
	}
	buf_append(&c->in, data, size);
	size_t used = take_frames(c, c->in.data, c->in.size);
	if (sm_state(&c->sm) != OPEN)
		return;
	buf_consume(&c->in, used);
	if (c->in.size == 0 && c->in.capacity > CONN_HUB_SCRATCH)
		buf_fini(&c->in);
}

static void on_end(struct conn *c, ssize_t n)
{
	if (n < 0)
		conn_fail(c, "%s", strerror(errno));
	else if (c->in.size)
		conn_fail(c, "closed by the other side in the middle of a frame");
	else
		conn_fail(c, "closed by the other side");
}

static void on_readable(struct conn *c)
{
	struct conn_hub *h = c->hub;

	for (int i = 0; i < READS_PER_TURN && sm_state(&c->sm) == OPEN; i++) {
		ssize_t n = read(c->fd, h->scratch, sizeof(h->scratch));
		if (n < 0 && (errno == EAGAIN || errno == EINTR))
			return;
		if (n <= 0) {
			on_end(c, n);
			return;
		}
		take_bytes(c, h->scratch, (size_t)n);
		if ((size_t)n < sizeof(h->scratch))
			return;
	}
}

/* ---- frames out ---- */

void conn_flush(struct conn *c)
{
	size_t sent = 0;

	if (sm_state(&c->sm) != OPEN)
		return;
	while (evbuffer_get_length(c->out) && sent < WRITE_PER_TURN) {
		int n = evbuffer_write(c->out, c->fd);
		if (n > 0) {
			sent += (size_t)n;
			c->hub->queued -= (size_t)n;
		} else if (errno == EAGAIN || errno == EINTR) {
			break;
		} else {
			/* Its last words may still lie unread; reading will find the end. */
			c->deaf = true;
			drop_out(c);
		}
	}
	watch_set(&c->watch, evbuffer_get_length(c->out) ? WATCH_READ | WATCH_WRITE : WATCH_READ);
}

void conn_send(struct conn *c, const void *payload, size_t size)
{
	assert(size <= CONN_MAX_FRAME);
	uint32_t head = htonl((uint32_t)size);

	if (sm_state(&c->sm) == CLOSED || c->deaf)
		return;
	if (evbuffer_add(c->out, &head, sizeof(head)) < 0 || evbuffer_add(c->out, payload, size) < 0)
		abort(); /* out of memory */
	c->hub->queued += sizeof(head) + size;
	if (evbuffer_get_length(c->out) > CONN_MAX_QUEUE) {
		conn_fail(c, "%zu bytes waiting to be sent, at most %u: the other side does not keep up",
		          evbuffer_get_length(c->out), CONN_MAX_QUEUE);
		return;
	}
	if (sm_state(&c->sm) == OPEN)
		conn_hub_mark(c);
	conn_hub_check(c->hub);
}

void conn_finish(struct conn *c)
{
	if (sm_state(&c->sm) == OPEN && !c->deaf) {
		watch_stop(&c->watch);
		list_remove(&c->dirty);
		conn_part(c->hub, c->fd, c->out);
		c->fd = -1;
		c->out = evbuffer_new();
		assert(c->out);
		sm_move(&c->sm, CLOSED);
	}
	conn_destroy(c);
}

/* ---- the rest ---- */

static void on_io(void *user, int events)
{
	struct conn *c = user;

	conn_enter(c);
	if (sm_state(&c->sm) == CONNECTING) {
		on_connected(c);
	} else {
		if (events & WATCH_WRITE)
			conn_flush(c);
		if (events & WATCH_READ)
			on_readable(c);
	}
	conn_leave(c);
}

void conn_set_ops(struct conn *c, const struct conn_ops *ops, void *user)
{
	c->ops = ops;
	c->user = user;
}

size_t conn_queued(const struct conn *c)
{
	return evbuffer_get_length(c->out);
}

const char *conn_peer_address(const struct conn *c)
{
	return c->address;
}

const char *conn_peer_ip(const struct conn *c)
{
	return c->ip;
}
