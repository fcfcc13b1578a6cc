/* SEAM 1 of 6. Time, randomness, timers, descriptors, signals and the turn of the one loop a process has.
 *
 * A turn: callbacks of timers, descriptors and deferred calls run; then the turn hooks run once (they flush queues and
 * make journals durable); then the loop waits. Handlers change memory and queue messages, hooks send. Built on libevent;
 * the simulator has its own loop.c on virtual time, in which each simulated process owns one struct loop. */
#ifndef FL_BASE_LOOP_H
#define FL_BASE_LOOP_H

#include <stdbool.h>
#include <stdint.h>

#include "base/list.h"

struct loop;

struct loop *loop_create(void);    /* also ignores SIGPIPE, which an exec'd child must set back */
void loop_destroy(struct loop *l); /* NULL allowed; all timers, watches and hooks must be stopped before */

/* Turns until loop_stop. */
void loop_run(struct loop *l);
/* One turn: waits at most timeout_ms (0: does not wait, -1: as long as it takes). */
void loop_step(struct loop *l, int timeout_ms);
void loop_stop(struct loop *l);

/* CLOCK_BOOTTIME in milliseconds, as of the start of the turn's callback; never goes back. */
int64_t loop_now_ms(const struct loop *l);
/* The same clock read afresh, in microseconds. */
int64_t loop_now_us(const struct loop *l);
/* Wall clock in nanoseconds since 1970, for records that people read; never for deadlines. */
int64_t loop_wall_ns(const struct loop *l);
uint64_t loop_random(struct loop *l);
/* Uniform in [0, bound). bound > 0. */
uint64_t loop_random_below(struct loop *l, uint64_t bound);
/* Number of turns that took more than 5 ms of CPU, and the longest, for /metrics. */
uint64_t loop_slow_turns(const struct loop *l);
int64_t loop_longest_turn_us(const struct loop *l);

typedef void (*loop_fn)(void *user);

/* A timer, embedded in its owner. timer_init once; timer_set arms or re-arms it, one shot. */
struct timer {
	struct loop *loop;
	loop_fn fn;
	void *user;
	void *impl;
	int64_t due_ms; /* 0 when not armed */
};
void timer_init(struct timer *t, struct loop *l, loop_fn fn, void *user);
void timer_set(struct timer *t, int64_t in_ms);
void timer_stop(struct timer *t); /* safe on a zeroed, stopped or fired timer; frees impl */
static inline bool timer_armed(const struct timer *t)
{
	return t->due_ms != 0;
}

/* Runs fn once, later in this turn or in the next, never inside the caller. Embedded; a second defer while pending has
 * no effect; defer_cancel is safe at any time. */
struct defer {
	struct list_node node;
	loop_fn fn;
	void *user;
};
void loop_defer(struct loop *l, struct defer *d, loop_fn fn, void *user);
void defer_cancel(struct defer *d);

/* Called once at the end of every turn, in order of `order` (lower first). Embedded. */
struct turn_hook {
	struct list_node node;
	loop_fn fn;
	void *user;
	int order;
};
#define TURN_ORDER_WORK 0    /* rounds: offers, batches */
#define TURN_ORDER_DURABLE 5 /* journals, registry writes */
#define TURN_ORDER_FLUSH 10  /* connections */
void loop_add_hook(struct loop *l, struct turn_hook *h, loop_fn fn, void *user, int order);
void loop_remove_hook(struct turn_hook *h);
/* Asks for one more turn without waiting (a hook made work for another hook). */
void loop_again(struct loop *l);

/* Descriptors; only for the seams that own them. */
#define WATCH_READ 1
#define WATCH_WRITE 2
typedef void (*watch_fn)(void *user, int events);
struct watch {
	struct loop *loop;
	int fd;
	watch_fn fn;
	void *user;
	void *impl;
};
void watch_init(struct watch *w, struct loop *l, int fd, watch_fn fn, void *user);
void watch_set(struct watch *w, int events); /* 0 stops watching; level-triggered, persistent */
void watch_stop(struct watch *w);            /* safe on a zeroed or stopped watch; does not close fd */

/* Signals: each signal has one handler, called from the loop. */
void loop_on_signal(struct loop *l, int signo, loop_fn fn, void *user);

/* The struct event_base behind a real loop, for the seams of net/ that hand it to libevent; NULL in the simulator. */
void *loop_event_base(struct loop *l);

#endif
