/* See conn_impl.h. The hub of a loop is found by a look through the loop's events for its anchor: without a global, and
 * rarely needed, for accepted connections get it from their listener. */
#include <assert.h>
#include <event2/buffer.h>
#include <event2/event.h>
#include <event2/event_struct.h>

#include "base/mem.h"
#include "net/conn_impl.h"

static void on_anchor(evutil_socket_t fd, short what, void *user)
{
}

static int is_anchor(const struct event_base *base, const struct event *ev, void *user)
{
	struct conn_hub **ret = user;

	if (event_get_callback(ev) != on_anchor)
		return 0;
	*ret = event_get_callback_arg(ev);
	return 1;
}

static struct conn_hub *hub_create(struct loop *l)
{
	struct conn_hub *h = xcalloc(1, sizeof(*h));
	struct timeval never = {.tv_sec = 1000000000};

	h->loop = l;
	list_init(&h->conns);
	list_init(&h->listeners);
	list_init(&h->partings);
	list_init(&h->dirty);
	h->anchor = event_new(loop_event_base(l), -1, EV_PERSIST, on_anchor, h);
	assert(h->anchor);
	int r = event_add(h->anchor, &never);
	assert(r == 0);
	return h;
}

struct conn_hub *conn_hub_find(struct loop *l, bool make)
{
	struct conn_hub *h = NULL;

	event_base_foreach_event(loop_event_base(l), is_anchor, &h);
	return h || !make ? h : hub_create(l);
}

void conn_hub_settle(struct conn_hub *h)
{
	if (!list_empty(&h->conns) || !list_empty(&h->listeners) || !list_empty(&h->partings))
		return;
	assert(h->queued == 0 && list_empty(&h->dirty));
	loop_remove_hook(&h->hook);
	event_free(h->anchor);
	free(h);
}

static void on_turn_end(void *user)
{
	struct conn_hub *h = user;
	struct list_node *n;

	loop_remove_hook(&h->hook);
	while ((n = list_first(&h->dirty))) {
		list_remove(n);
		conn_flush(CONTAINER_OF(n, struct conn, dirty));
	}
}

void conn_hub_mark(struct conn *c)
{
	struct conn_hub *h = c->hub;

	if (!list_linked(&c->dirty))
		list_push(&h->dirty, &c->dirty);
	if (list_linked(&h->hook.node))
		return;
	loop_add_hook(h->loop, &h->hook, on_turn_end, h, TURN_ORDER_FLUSH);
	loop_again(h->loop); /* this turn's hooks may have run already, or no turn be under way */
}

static struct conn *largest(struct conn_hub *h)
{
	struct conn *c, *best = NULL;

	LIST_FOREACH (c, &h->conns, struct conn, node)
		if (!best || conn_queued(c) > conn_queued(best))
			best = c;
	return best;
}

void conn_hub_check(struct conn_hub *h)
{
	if (h->queued > CONN_MAX_ALL_QUEUES)
		conn_part_drop_all(h);
	while (h->queued > CONN_MAX_ALL_QUEUES) {
		struct conn *c = largest(h);
		conn_fail(c, "%zu bytes waiting to be sent, the most of all connections, which may have %u together",
		          conn_queued(c), CONN_MAX_ALL_QUEUES);
	}
}

void conn_sweep(struct loop *l)
{
	struct conn_hub *h = conn_hub_find(l, false);

	if (!h)
		return;
	conn_part_drop_all(h);
	conn_hub_settle(h);
}
