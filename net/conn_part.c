/* A connection that conn_finish was called on: it has no owner any more.
 *
 * Sends what is queued, shuts its sending side down, and closes when the other side has closed: closing at once would
 * make the kernel reset the connection if anything is unread, and the last words could get lost. Uses libevent's events
 * directly, because nobody is left who would stop a loop's timer before loop_destroy. */
#include <assert.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/conn_impl.h"

#define MAX_DISCARD (16u << 20)

struct parting {
	struct conn_hub *hub;
	struct list_node node;
	int fd;
	struct evbuffer *out;
	struct event *in_event, *out_event, *deadline;
	size_t discarded;
};

static void part_free(struct parting *p)
{
	list_remove(&p->node);
	p->hub->queued -= evbuffer_get_length(p->out);
	if (p->in_event)
		event_free(p->in_event);
	if (p->out_event)
		event_free(p->out_event);
	if (p->deadline)
		event_free(p->deadline);
	evbuffer_free(p->out);
	close(p->fd);
	free(p);
}

static void part_end(struct parting *p)
{
	struct conn_hub *h = p->hub;

	part_free(p);
	conn_hub_settle(h);
}

/* False when the other side is gone. */
static bool part_write(struct parting *p)
{
	while (evbuffer_get_length(p->out)) {
		int n = evbuffer_write(p->out, p->fd);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR;
		p->hub->queued -= (size_t)n;
	}
	return shutdown(p->fd, SHUT_WR) == 0;
}

static void on_writable(evutil_socket_t fd, short what, void *user)
{
	struct parting *p = user;

	if (!part_write(p))
		part_end(p);
	else if (evbuffer_get_length(p->out) == 0)
		event_del(p->out_event);
}

static void on_readable(evutil_socket_t fd, short what, void *user)
{
	struct parting *p = user;
	ssize_t n = read(fd, p->hub->scratch, sizeof(p->hub->scratch));

	if (n > 0)
		p->discarded += (size_t)n;
	if (n == 0 || (n < 0 && errno != EAGAIN && errno != EINTR) || p->discarded > MAX_DISCARD)
		part_end(p);
}

static void on_deadline(evutil_socket_t fd, short what, void *user)
{
	part_end(user);
}

void conn_part(struct conn_hub *h, int fd, struct evbuffer *out)
{
	struct parting *p = xcalloc(1, sizeof(*p));
	struct event_base *base = loop_event_base(h->loop);
	struct timeval limit = {.tv_sec = CONN_PARTING_MS / 1000};

	p->hub = h;
	p->fd = fd;
	p->out = out;
	list_push(&h->partings, &p->node);
	if (!part_write(p)) {
		part_free(p);
		return;
	}
	p->in_event = event_new(base, fd, EV_READ | EV_PERSIST, on_readable, p);
	p->out_event = event_new(base, fd, EV_WRITE | EV_PERSIST, on_writable, p);
	p->deadline = evtimer_new(base, on_deadline, p);
	assert(p->in_event && p->out_event && p->deadline);
	event_add(p->in_event, NULL);
	if (evbuffer_get_length(out))
		event_add(p->out_event, NULL);
	event_add(p->deadline, &limit);
}

void conn_part_drop_all(struct conn_hub *h)
{
	struct parting *p;

	LIST_FOREACH (p, &h->partings, struct parting, node)
		part_free(p);
}
