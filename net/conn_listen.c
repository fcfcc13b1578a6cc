/* Listeners: accept in batches, and pause when descriptors run out. */
#include <errno.h>
#include <unistd.h>

#include "base/mem.h"
#include "net/conn_impl.h"

#define ACCEPT_BATCH 64
#define ACCEPT_PAUSE_MS 100

struct listener {
	struct conn_hub *hub;
	struct list_node node;
	int fd, port;
	struct watch watch;
	struct timer pause;
	conn_accept_fn fn;
	void *user;
	bool accepting, destroyed;
};

static void listener_free(struct listener *s)
{
	struct conn_hub *h = s->hub;

	list_remove(&s->node);
	free(s);
	conn_hub_settle(h);
}

static void hand_over(struct listener *s, int fd, const struct sockaddr_storage *from)
{
	sock_tune(fd);
	struct conn *c = conn_adopt(s->hub, fd, from);
	conn_enter(c);
	s->fn(s->user, c);
	if (conn_leave(c) && !c->ops)
		conn_destroy(c);
}

/* False when there is no more to accept now. */
static bool accept_one(struct listener *s)
{
	struct sockaddr_storage from = {0};
	socklen_t size = sizeof(from);
	int fd = accept4(s->fd, (struct sockaddr *)&from, &size, SOCK_NONBLOCK | SOCK_CLOEXEC);

	if (fd >= 0) {
		hand_over(s, fd, &from);
		return true;
	}
	if (errno == EINTR || errno == ECONNABORTED || errno == EPROTO)
		return true;
	if (errno != EAGAIN && errno != EWOULDBLOCK) {
		watch_set(&s->watch, 0);
		timer_set(&s->pause, ACCEPT_PAUSE_MS);
	}
	return false;
}

static void on_incoming(void *user, int events)
{
	struct listener *s = user;

	s->accepting = true;
	for (int i = 0; i < ACCEPT_BATCH && !s->destroyed && accept_one(s); i++)
		;
	s->accepting = false;
	if (s->destroyed)
		listener_free(s);
}

static void on_pause_over(void *user)
{
	struct listener *s = user;

	watch_set(&s->watch, WATCH_READ);
}

struct listener *listener_create(struct loop *l, const char *address, int port, conn_accept_fn fn, void *user,
                                 struct err *err)
{
	int fd, got_port;

	if (sock_listen(address, port, &fd, &got_port, err) < 0)
		return NULL;
	struct listener *s = xcalloc(1, sizeof(*s));
	s->hub = conn_hub_find(l, true);
	list_push(&s->hub->listeners, &s->node);
	s->fd = fd;
	s->port = got_port;
	s->fn = fn;
	s->user = user;
	timer_init(&s->pause, l, on_pause_over, s);
	watch_init(&s->watch, l, fd, on_incoming, s);
	watch_set(&s->watch, WATCH_READ);
	return s;
}

int listener_port(const struct listener *s)
{
	return s->port;
}

void listener_destroy(struct listener *s)
{
	if (!s || s->destroyed)
		return;
	watch_stop(&s->watch);
	timer_stop(&s->pause);
	close(s->fd);
	s->destroyed = true;
	if (!s->accepting)
		listener_free(s);
}
