/* What a program gives a scheduler, checked at the door. */
#ifndef FL_SDK_OPTIONS_H
#define FL_SDK_OPTIONS_H

#include <fairlead/scheduler.h>

struct err;

/* Copies both, to the size that the program knows: it may be older than this library (the rest is zero) or newer (the
 * rest is left out). -EINVAL or -EMSGSIZE when a connection could not be made with them. What they point to is borrowed. */
int options_copy(const struct fl_scheduler_options *options, const struct fl_scheduler_callbacks *callbacks,
                 struct fl_scheduler_options *ret, struct fl_scheduler_callbacks *ret_callbacks, struct err *err);

#endif
