/* The scheduler, for those inside the house: the simulator makes it on a loop of its own, calls.c speaks through it. The
 * public contract is <fairlead/scheduler.h>. */
#ifndef FL_SDK_SCHEDULER_H
#define FL_SDK_SCHEDULER_H

#include <fairlead/scheduler.h>

struct err;
struct loop;

/* As fl_scheduler_create, on a loop that the caller owns and steps. */
fl_scheduler *scheduler_create_on(struct loop *l, const struct fl_scheduler_options *options,
                                  const struct fl_scheduler_callbacks *callbacks, void *user, struct err *err);

/* Checks a call and queues it, its framework_id filled in: -ENOTCONN, -EINVAL or -EMSGSIZE, with a text for
 * fl_scheduler_error. */
int scheduler_call(fl_scheduler *s, struct fl_call *call);

/* Keeps which of the framework's roles (n 0: all of them) want no offers, for the next subscription. */
void scheduler_suppress(fl_scheduler *s, const char *const *roles, size_t n, bool suppress);

#endif
