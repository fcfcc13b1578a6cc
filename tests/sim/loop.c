/* Seam 1, simulated: every process has a struct loop that the world made; its time is virtual. */
#include "base/loop.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "world.h"

/* Code that makes its own loop gets the one of the process it runs in. */
struct loop *loop_create(void)
{
	assert(world.current);
	return world.current;
}

void loop_destroy(struct loop *l)
{
}

void loop_run(struct loop *l)
{
	abort(); /* the world turns it */
}

/* The SDK's fl_step comes here, within a turn that is already under way. */
void loop_step(struct loop *l, int timeout_ms)
{
	assert(timeout_ms == 0);
}

void loop_stop(struct loop *l)
{
	l->stop = true;
}

void *loop_event_base(struct loop *l)
{
	return NULL;
}

int64_t loop_now_us(const struct loop *l)
{
	return world.now_us + l->host->clock_us;
}

int64_t loop_now_ms(const struct loop *l)
{
	return loop_now_us(l) / 1000;
}

int64_t loop_wall_ns(const struct loop *l)
{
	return (1700000000ll * SIM_S + world.now_us + l->host->skew_us) * 1000;
}

uint64_t loop_random(struct loop *l)
{
	uint64_t z = l->random += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

uint64_t loop_random_below(struct loop *l, uint64_t bound)
{
	assert(bound > 0);
	return loop_random(l) % bound;
}

uint64_t loop_slow_turns(const struct loop *l)
{
	return 0;
}

int64_t loop_longest_turn_us(const struct loop *l)
{
	return 0;
}

static void on_timer(void *user)
{
	struct timer *t = user;

	timer_stop(t);
	t->fn(t->user);
}

void timer_init(struct timer *t, struct loop *l, loop_fn fn, void *user)
{
	*t = (struct timer){.loop = l, .fn = fn, .user = user};
}

void timer_set(struct timer *t, int64_t in_ms)
{
	if (in_ms < 0)
		in_ms = 0;
	if (in_ms > INT64_MAX / 4000)
		in_ms = INT64_MAX / 4000;
	if (!t->impl) {
		t->impl = xcalloc(1, sizeof(struct event));
		event_init(t->impl, t->loop, on_timer, t);
	}
	event_set(t->impl, in_ms * SIM_MS);
	t->due_ms = loop_now_ms(t->loop) + in_ms;
}

void timer_stop(struct timer *t)
{
	if (t->impl)
		event_cancel(t->impl);
	free(t->impl);
	t->impl = NULL;
	t->due_ms = 0;
}

void loop_defer(struct loop *l, struct defer *d, loop_fn fn, void *user)
{
	if (list_linked(&d->node))
		return;
	d->fn = fn;
	d->user = user;
	list_push(&l->defers, &d->node);
	l->again = true;
}

void defer_cancel(struct defer *d)
{
	list_remove(&d->node);
}

void loop_add_hook(struct loop *l, struct turn_hook *h, loop_fn fn, void *user, int order)
{
	struct list_node *at = l->hooks.head.next;

	assert(!list_linked(&h->node));
	*h = (struct turn_hook){.fn = fn, .user = user, .order = order};
	while (at != &l->hooks.head && CONTAINER_OF(at, struct turn_hook, node)->order <= order)
		at = at->next;
	list_insert_before(at, &h->node);
}

void loop_remove_hook(struct turn_hook *h)
{
	list_remove(&h->node);
}

void loop_again(struct loop *l)
{
	l->again = true;
}

/* Descriptors and signals do not exist in here. */
void watch_init(struct watch *w, struct loop *l, int fd, watch_fn fn, void *user)
{
	*w = (struct watch){.loop = l, .fd = fd, .fn = fn, .user = user};
}

void watch_set(struct watch *w, int events)
{
	assert(events == 0);
}

void watch_stop(struct watch *w)
{
}

void loop_on_signal(struct loop *l, int signo, loop_fn fn, void *user)
{
}
