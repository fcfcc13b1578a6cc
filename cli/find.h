/* Finding one thing by the start of its id. */
#ifndef FL_CLI_FIND_H
#define FL_CLI_FIND_H

#include <stddef.h>

#include "msg/desc.h"

struct client;

/* Each returns NULL after telling stderr (not found, or ambiguous) and sets *ret_exit. Borrowed until the next call. */
const struct fl_api_slave *find_slave(struct client *c, const char *prefix, int *ret_exit);
const struct fl_api_framework *find_framework(struct client *c, const char *prefix, int *ret_exit);
/* prefix: of a task id, or FRAMEWORK/TASK, each a start of an id. Tasks that ended count when no live one matches. */
const struct fl_task *find_task(struct client *c, const char *prefix, int *ret_exit);

#endif
