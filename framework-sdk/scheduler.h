/* The scheduler, for those inside the house: the simulator makes it on a loop of its own. The public contract is
 * <fairlead/scheduler.h>. */
#ifndef FL_SDK_SCHEDULER_H
#define FL_SDK_SCHEDULER_H

#include <fairlead/scheduler.h>

struct err;
struct loop;

/* As fl_scheduler_create, on a loop that the caller owns and steps. */
fl_scheduler *scheduler_create_on(struct loop *l, const struct fl_scheduler_options *options,
                                  const struct fl_scheduler_callbacks *callbacks, void *user, struct err *err);

#endif
