#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "base/loop.h"
#include "base/mem.h"

static char trace[256];
static size_t trace_size;

static void note(char c)
{
	if (trace_size < sizeof(trace) - 1)
		trace[trace_size++] = c;
	trace[trace_size] = 0;
}

static void note_char(void *user)
{
	note(*(const char *)user);
}

static int setup(void **state)
{
	trace_size = 0;
	trace[0] = 0;
	*state = loop_create();
	return 0;
}

static int teardown(void **state)
{
	loop_destroy(*state);
	return 0;
}

static void clocks(void **state)
{
	struct loop *l = *state;
	struct timespec ts;
	int64_t before = loop_now_us(l);

	clock_gettime(CLOCK_BOOTTIME, &ts);
	int64_t now_us = (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
	assert_true(now_us >= before && now_us - before < 1000000);
	assert_true(loop_now_ms(l) >= before / 1000);
	assert_true(loop_wall_ns(l) > 1600000000000000000);
}

static void timers_fire_in_order_of_deadline(void **state)
{
	struct loop *l = *state;
	struct timer a, b, c;

	timer_init(&a, l, note_char, "a");
	timer_init(&b, l, note_char, "b");
	timer_init(&c, l, note_char, "c");
	timer_set(&b, 4);
	timer_set(&c, 6);
	timer_set(&a, 2);
	assert_true(timer_armed(&a));
	int64_t start = loop_now_ms(l);
	while (timer_armed(&c))
		loop_step(l, -1);
	assert_string_equal(trace, "abc");
	assert_true(loop_now_ms(l) - start >= 5);
	assert_false(timer_armed(&a));
}

static void equal_deadlines_fire_in_the_order_they_were_set(void **state)
{
	struct loop *l = *state;
	struct timer t[6];
	static char names[] = "012345";

	for (int i = 0; i < 6; i++) {
		timer_init(&t[i], l, note_char, &names[i]);
		timer_set(&t[i], 0);
	}
	while (trace_size < 6)
		loop_step(l, -1);
	assert_string_equal(trace, "012345");
}

static void a_timer_can_be_stopped_and_set_again(void **state)
{
	struct loop *l = *state;
	struct timer a, zero = {0};

	timer_stop(&zero);
	timer_init(&a, l, note_char, "a");
	timer_stop(&a);
	timer_set(&a, 0);
	timer_stop(&a);
	timer_stop(&a);
	loop_step(l, 2);
	assert_string_equal(trace, "");
	timer_set(&a, 10000);
	timer_set(&a, 1);
	loop_step(l, 1000);
	assert_string_equal(trace, "a");
}

static void again_soon(void *user)
{
	note('t');
	timer_set(user, 0);
}

static void a_timer_of_zero_does_not_hold_the_turn(void **state)
{
	struct loop *l = *state;
	struct timer t;

	timer_init(&t, l, again_soon, &t);
	timer_set(&t, 0);
	for (int i = 0; i < 3; i++)
		loop_step(l, -1);
	assert_int_equal(trace_size, 3);
	timer_stop(&t);
}

struct many {
	struct timer t;
	int64_t in_ms;
	int *fired;
	int64_t *last;
};

static void on_many(void *user)
{
	struct many *m = user;

	assert_true(m->in_ms >= *m->last);
	*m->last = m->in_ms;
	++*m->fired;
}

static void ten_thousand_timers(void **state)
{
	enum { N = 10000 };
	struct loop *l = *state;
	struct many *m = xcalloc(N, sizeof(*m));
	int fired = 0, stopped = 0;
	int64_t last = 0;

	for (int i = 0; i < N; i++) {
		m[i] = (struct many){
			.in_ms = (int64_t)(loop_random_below(l, 2) * 100000 + 1), .fired = &fired, .last = &last};
		timer_init(&m[i].t, l, on_many, &m[i]);
		timer_set(&m[i].t, m[i].in_ms);
	}
	for (int i = 0; i < N; i++) {
		if (m[i].in_ms > 1 || loop_random_below(l, 3) == 0) {
			timer_stop(&m[i].t);
			stopped++;
		}
	}
	while (fired + stopped < N)
		loop_step(l, 100);
	for (int i = 0; i < N; i++)
		assert_false(timer_armed(&m[i].t));
	free(m);
}

static void a_step_waits_no_longer_than_told(void **state)
{
	struct loop *l = *state;
	struct timer far;

	timer_init(&far, l, note_char, "f");
	timer_set(&far, 3600000);
	int64_t start = loop_now_us(l);
	loop_step(l, 0);
	assert_true(loop_now_us(l) - start < 1000000);
	start = loop_now_us(l);
	loop_step(l, 5);
	int64_t took = loop_now_us(l) - start;
	assert_true(took >= 5000 && took < 1000000);
	timer_stop(&far);
}

struct deferring {
	struct loop *l;
	struct defer first, second;
};

static void defer_more(void *user)
{
	struct deferring *d = user;

	note('1');
	loop_defer(d->l, &d->second, note_char, "2");
}

static void deferred_calls(void **state)
{
	struct loop *l = *state;
	struct deferring d = {.l = l};
	struct defer gone = {0};

	loop_defer(l, &d.first, defer_more, &d);
	loop_defer(l, &d.first, defer_more, &d);
	loop_defer(l, &gone, note_char, "x");
	defer_cancel(&gone);
	defer_cancel(&gone);
	assert_string_equal(trace, "");
	loop_step(l, -1); /* returns at once: work is waiting */
	assert_string_equal(trace, "1");
	loop_step(l, -1);
	assert_string_equal(trace, "12");
}

struct hooks {
	struct turn_hook a, b, c;
	struct loop *l;
	int again;
};

static void remove_b(void *user)
{
	struct hooks *h = user;

	note('r');
	loop_remove_hook(&h->b);
}

static void hooks_run_once_a_turn_in_order(void **state)
{
	struct loop *l = *state;
	struct hooks h = {0};

	loop_add_hook(l, &h.c, note_char, "c", TURN_ORDER_FLUSH);
	loop_add_hook(l, &h.a, note_char, "a", TURN_ORDER_WORK);
	loop_add_hook(l, &h.b, note_char, "b", TURN_ORDER_DURABLE);
	loop_step(l, 0);
	loop_step(l, 0);
	assert_string_equal(trace, "abcabc");
	loop_remove_hook(&h.a);
	loop_add_hook(l, &h.a, remove_b, &h, TURN_ORDER_WORK);
	loop_step(l, 0);
	assert_string_equal(trace, "abcabcrc");
	loop_remove_hook(&h.a);
	loop_remove_hook(&h.a);
	loop_remove_hook(&h.c);
}

static void call_again(void *user)
{
	struct hooks *h = user;

	note('h');
	if (h->again-- > 0)
		loop_again(h->l);
	else
		loop_stop(h->l);
}

static void again_gives_one_more_turn(void **state)
{
	struct loop *l = *state;
	struct hooks h = {.l = l, .again = 3};

	loop_add_hook(l, &h.a, call_again, &h, 0);
	loop_again(l);
	loop_run(l);
	assert_string_equal(trace, "hhhh");
	loop_remove_hook(&h.a);
}

struct reading {
	struct watch w;
	int n, events;
};

static void on_readable(void *user, int events)
{
	struct reading *r = user;

	r->n++;
	r->events = events;
}

static void watches(void **state)
{
	struct loop *l = *state;
	struct reading r = {0};
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	watch_stop(&r.w);
	watch_init(&r.w, l, pair[0], on_readable, &r);
	watch_set(&r.w, WATCH_READ);
	loop_step(l, 1);
	assert_int_equal(r.n, 0);
	assert_int_equal(write(pair[1], "x", 1), 1);
	loop_step(l, -1);
	loop_step(l, -1);
	assert_int_equal(r.n, 2); /* level-triggered */
	assert_int_equal(r.events, WATCH_READ);
	watch_set(&r.w, WATCH_READ | WATCH_WRITE);
	loop_step(l, -1);
	assert_int_equal(r.events, WATCH_READ | WATCH_WRITE);
	watch_set(&r.w, WATCH_WRITE);
	loop_step(l, -1);
	assert_int_equal(r.events, WATCH_WRITE);
	watch_set(&r.w, 0);
	loop_step(l, 1);
	assert_int_equal(r.n, 4);
	watch_stop(&r.w);
	watch_stop(&r.w);
	close(pair[0]);
	close(pair[1]);
}

static void stop_self(void *user, int events)
{
	struct reading *r = user;

	r->n++;
	watch_stop(&r->w);
}

static void a_watch_may_stop_itself(void **state)
{
	struct loop *l = *state;
	struct reading r = {0};
	int pair[2];

	assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair), 0);
	watch_init(&r.w, l, pair[0], stop_self, &r);
	watch_set(&r.w, WATCH_WRITE);
	loop_step(l, -1);
	loop_step(l, 1);
	assert_int_equal(r.n, 1);
	close(pair[0]);
	close(pair[1]);
}

static void signals_reach_the_loop(void **state)
{
	struct loop *l = *state;

	loop_on_signal(l, SIGUSR1, note_char, "s");
	raise(SIGUSR1);
	assert_string_equal(trace, "");
	while (!trace_size)
		loop_step(l, -1);
	assert_string_equal(trace, "s");
}

static void descriptors_are_cloexec(void **state)
{
	for (int fd = 3; fd < 100; fd++) {
		int flags = fcntl(fd, F_GETFD);
		char path[64], target[64] = "";
		snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
		if (flags < 0 || readlink(path, target, sizeof(target) - 1) < 0)
			continue;
		if (strstr(target, "eventpoll") || strstr(target, "timerfd"))
			assert_true(flags & FD_CLOEXEC);
	}
}

static void random_numbers(void **state)
{
	struct loop *l = *state;
	struct loop *other = loop_create();
	int seen[7] = {0};

	assert_int_not_equal(loop_random(l), loop_random(l));
	assert_int_not_equal(loop_random(l), loop_random(other));
	for (int i = 0; i < 2000; i++)
		seen[loop_random_below(l, 7)]++;
	for (int i = 0; i < 7; i++)
		assert_in_range(seen[i], 100, 600);
	assert_int_equal(loop_random_below(l, 1), 0);
	loop_destroy(other);
}

static void burn(void *user)
{
	struct timespec ts;
	int64_t start = 0, now;

	do {
		clock_gettime(CLOCK_THREAD_CPUTIME_ID, &ts);
		now = (int64_t)ts.tv_sec * 1000000 + ts.tv_nsec / 1000;
		start = start ? start : now;
	} while (now - start < 7000);
}

static void slow_turns_are_counted(void **state)
{
	struct loop *l = *state;
	struct defer d = {0};

	loop_step(l, 8); /* waiting is not working */
	assert_int_equal(loop_slow_turns(l), 0);
	loop_defer(l, &d, burn, NULL);
	loop_step(l, 0);
	assert_int_equal(loop_slow_turns(l), 1);
	assert_true(loop_longest_turn_us(l) >= 7000);
}

static void a_loop_takes_null_and_has_a_base(void **state)
{
	loop_destroy(NULL);
	assert_non_null(loop_event_base(*state));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(clocks),
		T(timers_fire_in_order_of_deadline),
		T(equal_deadlines_fire_in_the_order_they_were_set),
		T(a_timer_can_be_stopped_and_set_again),
		T(a_timer_of_zero_does_not_hold_the_turn),
		T(ten_thousand_timers),
		T(a_step_waits_no_longer_than_told),
		T(deferred_calls),
		T(hooks_run_once_a_turn_in_order),
		T(again_gives_one_more_turn),
		T(watches),
		T(a_watch_may_stop_itself),
		T(signals_reach_the_loop),
		T(descriptors_are_cloexec),
		T(random_numbers),
		T(slow_turns_are_counted),
		T(a_loop_takes_null_and_has_a_base),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
