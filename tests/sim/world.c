/* Virtual time and processes. */
#include "world.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"

#define RING 400
#define LINE 1024

struct world world;
static char ring[RING][LINE];
static uint64_t ring_at;

/* ---- chance ---- */

static uint64_t splitmix(uint64_t *state)
{
	uint64_t z = *state += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

uint64_t world_random(void)
{
	return splitmix(&world.random);
}

uint64_t world_below(uint64_t bound)
{
	assert(bound > 0);
	return world_random() % bound;
}

int64_t world_between(int64_t low, int64_t high)
{
	assert(low <= high);
	return low + (int64_t)world_below((uint64_t)(high - low) + 1);
}

bool world_chance(int per_thousand)
{
	return per_thousand > 0 && world_below(1000) < (uint64_t)per_thousand;
}

/* ---- the event log ---- */

static void put_line(const char *text)
{
	char *line = ring[ring_at++ % RING];
	int n = snprintf(line, LINE, "%10.6f %-4s ", (double)world.now_us / 1e6,
	                 world.current ? world.current->host->name : "-");

	snprintf(line + n, LINE - (size_t)n, "%.*s", LINE - n - 1, text);
	world.hash = hash_bytes(line, strlen(line), world.hash);
	if (world.verbose)
		puts(line);
}

void world_trace(const char *fmt, ...)
{
	char text[LINE];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	put_line(text);
}

static void on_log(void *user, enum log_level level, const char *line)
{
	world_trace("%c %s", "EWID"[level], line);
}

void world_show(void)
{
	fflush(stdout);
	if (!world.verbose)
		for (uint64_t i = ring_at > RING ? ring_at - RING : 0; i < ring_at; i++)
			fprintf(stderr, "%s\n", ring[i % RING]);
}

void world_fail(const char *fmt, ...)
{
	va_list ap;

	world_show();
	fprintf(stderr, "\nFAILED seed=%llu time=%.6f host=%s: ", (unsigned long long)world.seed,
	        (double)world.now_us / 1e6, world.current ? world.current->host->name : "-");
	va_start(ap, fmt);
	vfprintf(stderr, fmt, ap);
	va_end(ap);
	fprintf(stderr, "\nreplay: %s\n", world.replay ? world.replay : "?");
	fflush(stderr);
	_exit(1);
}

/* ---- events ---- */

static bool before(const struct event *a, const struct event *b)
{
	return a->due_us != b->due_us ? a->due_us < b->due_us : a->seq < b->seq;
}

static void heap_place(size_t i, struct event *e)
{
	world.heap[i] = e;
	e->at = i + 1;
}

static void heap_settle(size_t i, struct event *e)
{
	for (; i > 0 && before(e, world.heap[(i - 1) / 2]); i = (i - 1) / 2)
		heap_place(i, world.heap[(i - 1) / 2]);
	for (size_t child; (child = 2 * i + 1) < world.n_events; i = child) {
		if (child + 1 < world.n_events && before(world.heap[child + 1], world.heap[child]))
			child++;
		if (!before(world.heap[child], e))
			break;
		heap_place(i, world.heap[child]);
	}
	heap_place(i, e);
}

static void heap_remove(struct event *e)
{
	size_t i = e->at - 1;
	struct event *last = world.heap[--world.n_events];

	e->at = 0;
	if (last != e)
		heap_settle(i, last);
}

void event_init(struct event *e, struct loop *l, loop_fn fn, void *user)
{
	*e = (struct event){.loop = l, .fn = fn, .user = user};
}

void event_set(struct event *e, int64_t in_us)
{
	event_cancel(e);
	if (world.n_events == world.heap_capacity) {
		world.heap_capacity = world.heap_capacity ? 2 * world.heap_capacity : 256;
		world.heap = xrealloc(world.heap, world.heap_capacity * sizeof(struct event *));
	}
	e->due_us = world.now_us + (in_us > 0 ? in_us : 0);
	e->seq = world.next_seq++;
	heap_settle(world.n_events++, e);
}

void event_cancel(struct event *e)
{
	if (e->at)
		heap_remove(e);
	list_remove(&e->ready);
}

bool event_pending(const struct event *e)
{
	return e->at || list_linked(&e->ready);
}

void world_after(struct loop *l, int64_t in_us, loop_fn fn, void *user)
{
	struct event *e = xcalloc(1, sizeof(*e));

	event_init(e, l, fn, user);
	e->owned = true;
	event_set(e, in_us);
}

/* ---- turns ---- */

static void schedule_turn(struct loop *l)
{
	if (!event_pending(&l->turn))
		event_set(&l->turn, world_between(5, 100));
}

static void run_event(struct event *e)
{
	loop_fn fn = e->fn;
	void *user = e->user;

	if (e->owned)
		free(e);
	fn(user);
}

static void run_ready(struct loop *l)
{
	struct event end = {0};

	list_push(&l->ready, &end.ready);
	for (;;) {
		struct event *e = CONTAINER_OF(list_first(&l->ready), struct event, ready);
		list_remove(&e->ready);
		if (e == &end)
			return;
		run_event(e);
		sim_seam(l); /* it may die between two callbacks as well */
	}
}

static void run_defers(struct loop *l)
{
	struct defer end = {0};

	list_push(&l->defers, &end.node);
	for (;;) {
		struct defer *d = CONTAINER_OF(list_first(&l->defers), struct defer, node);
		list_remove(&d->node);
		if (d == &end)
			return;
		d->fn(d->user);
	}
}

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

static void take_turn(void *user)
{
	struct loop *l = user;

	if (!l->alive)
		return;
	if (l->paused_until_us > world.now_us) {
		event_set(&l->turn, l->paused_until_us - world.now_us);
		return;
	}
	l->again = false;
	world.current = l;
	if (setjmp(world.died) == 0) {
		l->in_turn = true;
		run_ready(l);
		run_defers(l);
		run_hooks(l);
	}
	l->in_turn = false;
	if (l->alive && (l->again || !list_empty(&l->defers) || !list_empty(&l->ready)))
		schedule_turn(l);
	if (l->alive && world.after_turn)
		world.after_turn(l);
	world.current = NULL;
	if (l->alive && l->stop) /* it ended of its own will */
		sim_kill(l->host);
}

static bool step(int64_t until_us)
{
	if (!world.n_events || world.heap[0]->due_us > until_us)
		return false;
	struct event *e = world.heap[0];
	heap_remove(e);
	assert(e->due_us >= world.now_us);
	world.now_us = e->due_us;
	world.n_run++;
	if (e->loop && !e->loop->alive) {
		if (e->owned)
			free(e);
	} else if (e->loop) {
		list_push(&e->loop->ready, &e->ready);
		schedule_turn(e->loop);
	} else {
		run_event(e);
	}
	return true;
}

bool world_run(int64_t until_us, bool (*done)(void))
{
	while (!done || !done()) {
		if (!step(until_us)) {
			world.now_us = until_us;
			return false;
		}
	}
	return true;
}

/* ---- machines and processes ---- */

void world_init(uint64_t seed)
{
	world = (struct world){.seed = seed, .random = seed * 0x9e3779b97f4a7c15ull + 1};
	list_init(&world.processes);
	log_set_sink(on_log, NULL);
	log_set_level(LOG_DEBUG);
	zk_server_create();
}

struct host *sim_host_create(const char *name, void (*start)(struct host *h), void *user)
{
	assert(world.n_hosts < SIM_MAX_HOSTS);
	struct host *h = &world.hosts[world.n_hosts];

	*h = (struct host){.index = world.n_hosts++, .start = start, .user = user, .boots = 1, .next_pid = 100};
	snprintf(h->name, sizeof(h->name), "%s", name);
	snprintf(h->ip, sizeof(h->ip), "10.0.0.%d", (h->index + 1) % 256);
	h->clock_us = world_between(1, 30 * 86400) * SIM_S;
	h->skew_us = world_between(-5, 5) * SIM_S;
	list_init(&h->files);
	list_init(&h->containers);
	return h;
}

struct host *sim_host_find(const char *name_or_ip)
{
	for (int i = 0; i < world.n_hosts; i++)
		if (!strcmp(world.hosts[i].name, name_or_ip) || !strcmp(world.hosts[i].ip, name_or_ip))
			return &world.hosts[i];
	return NULL;
}

static void run_start(void *user)
{
	struct loop *l = user;
	l->host->start(l->host);
}

void sim_boot(struct host *h)
{
	if (h->process)
		return;
	struct loop *l = xcalloc(1, sizeof(*l));
	l->host = h;
	l->alive = true;
	l->random = world_random();
	list_init(&l->ready);
	list_init(&l->defers);
	list_init(&l->hooks);
	list_init(&l->ends);
	list_init(&l->listeners);
	list_init(&l->sessions);
	list_init(&l->disks);
	list_push(&world.processes, &l->node);
	event_init(&l->turn, NULL, take_turn, l);
	h->process = l;
	world_trace("sim.boot host=%s", h->name);
	world_after(l, 1, run_start, l);
}

void sim_kill(struct host *h)
{
	struct loop *l = h->process;

	if (!l)
		return;
	world_trace("sim.kill host=%s", h->name);
	l->alive = false;
	h->process = NULL;
	event_cancel(&l->turn);
	list_remove(&l->node);
	conn_process_died(l);
	zk_process_died(l);
	disk_process_died(l);
	proc_process_died(l);
}

void sim_reboot(struct host *h)
{
	world_trace("sim.reboot host=%s", h->name);
	sim_kill(h);
	proc_host_rebooted(h);
	h->boots++;
	h->clock_us = -world.now_us + 20 * SIM_S; /* boot time starts anew */
}

void sim_pause(struct host *h, int64_t us)
{
	if (!h->process)
		return;
	world_trace("sim.pause host=%s ms=%lld", h->name, (long long)(us / SIM_MS));
	h->process->paused_until_us = world.now_us + us;
}

void sim_cut(struct host *a, struct host *b, bool cut)
{
	world.cut[a->index][b->index] = world.cut[b->index][a->index] = cut;
}

bool sim_is_cut(const struct host *from, const struct host *to)
{
	return world.cut[from->index][to->index];
}

void sim_seam(struct loop *l)
{
	l->seam_calls++;
	if (!l->in_turn || world.current != l || l->seam_calls != l->die_at_call)
		return;
	sim_kill(l->host);
	longjmp(world.died, 1);
}
