/* The loop on libevent, which it uses for descriptors and signals only.
 *
 * Timers are a binary heap of our own, on CLOCK_BOOTTIME, woken by one timerfd: 10,000 timers cost O(log n) each and a
 * suspended machine finds its deadlines passed. timer.impl is the timer's place in the heap plus one.
 * Within a turn: descriptors and signals, then due timers, then deferred calls, then hooks. A timer set or a call
 * deferred by one of these runs in the next turn, so that a turn always ends. */
#include "base/loop.h"

#include <assert.h>
#include <errno.h>
#include <event2/event.h>
#include <signal.h>
#include <string.h>
#include <sys/random.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

#define SLOW_TURN_US 5000

struct slot {
	int64_t due_us;
	uint64_t seq; /* equal deadlines fire in the order they were set */
	struct timer *timer;
};

struct signal_handler {
	struct list_node node;
	struct event *event;
	loop_fn fn;
	void *user;
};

struct loop {
	struct event_base *base;
	struct slot *heap;
	size_t n_timers, heap_capacity;
	uint64_t next_seq;
	int wake_fd; /* timerfd for the earliest timer */
	struct event *wake;
	int64_t wake_at_us; /* what it is set to, 0: nothing */
	struct list defers, hooks, signals;
	size_t n_watches;
	bool stop, again;
	uint64_t random[4];
	uint64_t slow_turns;
	int64_t longest_turn_us;
};

static int64_t clock_us(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
}

static void on_wake(evutil_socket_t fd, short what, void *user)
{
	struct loop *l = user;
	uint64_t expirations;

	if (read(fd, &expirations, sizeof(expirations)) == sizeof(expirations))
		l->wake_at_us = 0;
}

struct loop *loop_create(void)
{
	struct loop *l = xcalloc(1, sizeof(*l));

	list_init(&l->defers);
	list_init(&l->hooks);
	list_init(&l->signals);
	l->base = event_base_new();
	assert(l->base);
	l->wake_fd = timerfd_create(CLOCK_BOOTTIME, TFD_NONBLOCK | TFD_CLOEXEC);
	assert(l->wake_fd >= 0);
	l->wake = event_new(l->base, l->wake_fd, EV_READ | EV_PERSIST, on_wake, l);
	assert(l->wake && event_add(l->wake, NULL) == 0);
	while (getrandom(l->random, sizeof(l->random), 0) != sizeof(l->random))
		assert(errno == EINTR);
	signal(SIGPIPE, SIG_IGN);
	return l;
}

void loop_destroy(struct loop *l)
{
	struct signal_handler *h;

	if (!l)
		return;
	assert(l->n_timers == 0 && l->n_watches == 0 && list_empty(&l->hooks));
	LIST_FOREACH (h, &l->signals, struct signal_handler, node) {
		event_free(h->event);
		free(h);
	}
	event_free(l->wake);
	close(l->wake_fd);
	event_base_free(l->base);
	free(l->heap);
	free(l);
}

void *loop_event_base(struct loop *l)
{
	return l->base;
}

/* ---- time and chance ---- */

int64_t loop_now_us(const struct loop *l)
{
	return clock_us(CLOCK_BOOTTIME);
}

int64_t loop_now_ms(const struct loop *l)
{
	return loop_now_us(l) / 1000;
}

int64_t loop_wall_ns(const struct loop *l)
{
	struct timespec ts;

	clock_gettime(CLOCK_REALTIME, &ts);
	return (int64_t)ts.tv_sec * 1000000000 + ts.tv_nsec;
}

static uint64_t rotl(uint64_t x, int k)
{
	return (x << k) | (x >> (64 - k));
}

uint64_t loop_random(struct loop *l) /* xoshiro256** */
{
	uint64_t *s = l->random;
	uint64_t result = rotl(s[1] * 5, 7) * 9;
	uint64_t t = s[1] << 17;

	s[2] ^= s[0];
	s[3] ^= s[1];
	s[1] ^= s[2];
	s[0] ^= s[3];
	s[2] ^= t;
	s[3] = rotl(s[3], 45);
	return result;
}

uint64_t loop_random_below(struct loop *l, uint64_t bound)
{
	assert(bound > 0);
	uint64_t limit = -bound % bound; /* values below it would make small results likelier */
	uint64_t r;
	do
		r = loop_random(l);
	while (r < limit);
	return r % bound;
}

/* ---- timers ---- */

static bool earlier(const struct slot *a, const struct slot *b)
{
	return a->due_us != b->due_us ? a->due_us < b->due_us : a->seq < b->seq;
}

static void place(struct loop *l, size_t i, struct slot s)
{
	l->heap[i] = s;
	s.timer->impl = (void *)(uintptr_t)(i + 1);
}

static void sift_up(struct loop *l, size_t i, struct slot s)
{
	for (; i > 0 && earlier(&s, &l->heap[(i - 1) / 2]); i = (i - 1) / 2)
		place(l, i, l->heap[(i - 1) / 2]);
	place(l, i, s);
}

static void sift_down(struct loop *l, size_t i, struct slot s)
{
	for (;;) {
		size_t child = 2 * i + 1;
		if (child >= l->n_timers)
			break;
		if (child + 1 < l->n_timers && earlier(&l->heap[child + 1], &l->heap[child]))
			child++;
		if (!earlier(&l->heap[child], &s))
			break;
		place(l, i, l->heap[child]);
		i = child;
	}
	place(l, i, s);
}

static void put_slot(struct loop *l, size_t i, struct slot s)
{
	if (i > 0 && earlier(&s, &l->heap[(i - 1) / 2]))
		sift_up(l, i, s);
	else
		sift_down(l, i, s);
}

void timer_init(struct timer *t, struct loop *l, loop_fn fn, void *user)
{
	*t = (struct timer){.loop = l, .fn = fn, .user = user};
}

void timer_set(struct timer *t, int64_t in_ms)
{
	struct loop *l = t->loop;
	int64_t now_us = loop_now_us(l);
	size_t i = (size_t)(uintptr_t)t->impl;

	if (in_ms < 0)
		in_ms = 0;
	if (in_ms > INT64_MAX / 2000)
		in_ms = INT64_MAX / 2000;
	struct slot s = {.due_us = now_us + in_ms * 1000, .seq = l->next_seq++, .timer = t};
	t->due_ms = s.due_us / 1000 > 0 ? s.due_us / 1000 : 1;
	if (i == 0) {
		if (l->n_timers == l->heap_capacity) {
			l->heap_capacity = l->heap_capacity ? 2 * l->heap_capacity : 64;
			l->heap = xrealloc(l->heap, l->heap_capacity * sizeof(*l->heap));
		}
		i = ++l->n_timers;
	}
	put_slot(l, i - 1, s);
}

void timer_stop(struct timer *t)
{
	size_t i = (size_t)(uintptr_t)t->impl;
	struct loop *l = t->loop;

	if (i) {
		struct slot last = l->heap[--l->n_timers];
		if (i - 1 < l->n_timers)
			put_slot(l, i - 1, last);
	}
	t->impl = NULL;
	t->due_ms = 0;
}

static void run_timers(struct loop *l)
{
	uint64_t end = l->next_seq;
	int64_t now_us = l->n_timers ? loop_now_us(l) : 0;

	while (l->n_timers && l->heap[0].due_us <= now_us && l->heap[0].seq < end) {
		struct timer *t = l->heap[0].timer;
		timer_stop(t);
		t->fn(t->user);
	}
}

/* ---- deferred calls and hooks ---- */

void loop_defer(struct loop *l, struct defer *d, loop_fn fn, void *user)
{
	if (list_linked(&d->node))
		return;
	d->fn = fn;
	d->user = user;
	list_push(&l->defers, &d->node);
}

void defer_cancel(struct defer *d)
{
	list_remove(&d->node);
}

static void run_defers(struct loop *l)
{
	struct defer end = {0};

	if (list_empty(&l->defers))
		return;
	list_push(&l->defers, &end.node);
	for (;;) {
		struct defer *d = CONTAINER_OF(list_first(&l->defers), struct defer, node);
		list_remove(&d->node);
		if (d == &end)
			return;
		d->fn(d->user);
	}
}

static void insert_hook(struct loop *l, struct turn_hook *h)
{
	struct list_node *at = l->hooks.head.next;

	while (at != &l->hooks.head && CONTAINER_OF(at, struct turn_hook, node)->order <= h->order)
		at = at->next;
	list_insert_before(at, &h->node);
}

void loop_add_hook(struct loop *l, struct turn_hook *h, loop_fn fn, void *user, int order)
{
	assert(!list_linked(&h->node));
	*h = (struct turn_hook){.fn = fn, .user = user, .order = order};
	insert_hook(l, h);
}

void loop_remove_hook(struct turn_hook *h)
{
	list_remove(&h->node);
}

/* A hook may remove any hook: a marker in the list says how far the turn has come. */
static void run_hooks(struct loop *l)
{
	struct turn_hook marker = {0};

	list_push_front(&l->hooks, &marker.node);
	while (marker.node.next != &l->hooks.head) {
		struct turn_hook *h = CONTAINER_OF(marker.node.next, struct turn_hook, node);
		list_remove(&marker.node);
		marker.order = h->order;
		list_insert_before(h->node.next, &marker.node);
		h->fn(h->user);
	}
	list_remove(&marker.node);
}

void loop_again(struct loop *l)
{
	l->again = true;
}

/* ---- turns ---- */

static void set_wake(struct loop *l, int64_t at_us)
{
	struct itimerspec when = {.it_value = {.tv_sec = at_us / 1000000, .tv_nsec = at_us % 1000000 * 1000}};

	if (at_us == l->wake_at_us)
		return;
	int r = timerfd_settime(l->wake_fd, TFD_TIMER_ABSTIME, &when, NULL);
	assert(r == 0);
	l->wake_at_us = at_us;
}

static void wait_for_events(struct loop *l, int timeout_ms)
{
	int64_t due_us = l->n_timers ? l->heap[0].due_us : 0;

	if (l->again || !list_empty(&l->defers) || timeout_ms == 0) {
		l->again = false;
		event_base_loop(l->base, EVLOOP_NONBLOCK);
		return;
	}
	if (timeout_ms > 0) {
		int64_t end_us = loop_now_us(l) + (int64_t)timeout_ms * 1000;
		due_us = due_us && due_us < end_us ? due_us : end_us;
	}
	/* Zero would disarm the timerfd; a moment in the past wakes at once. EVLOOP_ONCE waits until at least one
	 * callback ran, so the deadline has to be an event itself. */
	if (due_us)
		set_wake(l, due_us);
	event_base_loop(l->base, EVLOOP_ONCE | EVLOOP_NO_EXIT_ON_EMPTY);
}

void loop_step(struct loop *l, int timeout_ms)
{
	int64_t start_us = clock_us(CLOCK_THREAD_CPUTIME_ID);

	wait_for_events(l, timeout_ms);
	run_timers(l);
	run_defers(l);
	run_hooks(l);
	int64_t turn_us = clock_us(CLOCK_THREAD_CPUTIME_ID) - start_us;
	if (turn_us > SLOW_TURN_US)
		l->slow_turns++;
	if (turn_us > l->longest_turn_us)
		l->longest_turn_us = turn_us;
}

void loop_run(struct loop *l)
{
	for (l->stop = false; !l->stop;)
		loop_step(l, -1);
}

void loop_stop(struct loop *l)
{
	l->stop = true;
}

uint64_t loop_slow_turns(const struct loop *l)
{
	return l->slow_turns;
}

int64_t loop_longest_turn_us(const struct loop *l)
{
	return l->longest_turn_us;
}

/* ---- descriptors and signals ---- */

static void on_watch(evutil_socket_t fd, short what, void *user)
{
	struct watch *w = user;
	w->fn(w->user, (what & EV_READ ? WATCH_READ : 0) | (what & EV_WRITE ? WATCH_WRITE : 0));
}

void watch_init(struct watch *w, struct loop *l, int fd, watch_fn fn, void *user)
{
	*w = (struct watch){.loop = l, .fd = fd, .fn = fn, .user = user};
}

void watch_set(struct watch *w, int events)
{
	short what = (short)((events & WATCH_READ ? EV_READ : 0) | (events & WATCH_WRITE ? EV_WRITE : 0));

	if (w->impl && what && event_get_events(w->impl) == (what | EV_PERSIST))
		return;
	watch_stop(w);
	if (!what)
		return;
	w->impl = event_new(w->loop->base, w->fd, (short)(what | EV_PERSIST), on_watch, w);
	assert(w->impl);
	int r = event_add(w->impl, NULL);
	assert(r == 0);
	w->loop->n_watches++;
}

void watch_stop(struct watch *w)
{
	if (!w->impl)
		return;
	event_free(w->impl);
	w->impl = NULL;
	w->loop->n_watches--;
}

static void on_signal(evutil_socket_t signo, short what, void *user)
{
	struct signal_handler *h = user;
	h->fn(h->user);
}

void loop_on_signal(struct loop *l, int signo, loop_fn fn, void *user)
{
	struct signal_handler *h = xcalloc(1, sizeof(*h));

	h->fn = fn;
	h->user = user;
	h->event = evsignal_new(l->base, signo, on_signal, h);
	assert(h->event);
	int r = event_add(h->event, NULL);
	assert(r == 0);
	list_push(&l->signals, &h->node);
}
