/* Drives a loop until something holds, with a deadline instead of sleeps. */
#ifndef FL_TESTS_UNIT_NET_DRIVE_H
#define FL_TESTS_UNIT_NET_DRIVE_H

#include "base/loop.h"

#define DRIVE_MS 20000

/* Turns l until cond holds; fails the test after a while. */
#define DRIVE(l, cond)                                                                      \
	do {                                                                                \
		int64_t drive_end_ms = loop_now_ms(l) + DRIVE_MS;                           \
		while (!(cond)) {                                                           \
			if (loop_now_ms(l) > drive_end_ms)                                  \
				fail_msg("%s did not come true in %d ms", #cond, DRIVE_MS); \
			loop_step((l), 20);                                                 \
		}                                                                           \
	} while (0)

/* A fixed number of turns that do not wait, for what must not happen. */
static inline void drive_idle(struct loop *l)
{
	for (int i = 0; i < 50; i++)
		loop_step(l, 0);
}

#endif
