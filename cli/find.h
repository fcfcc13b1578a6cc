/* Finding one thing by the start of its id. */
#ifndef FL_CLI_FIND_H
#define FL_CLI_FIND_H

#include "msg/desc.h"

struct client;

/* Each returns NULL after telling stderr (not found, or ambiguous) and sets *ret_exit. An exact id wins over longer ones,
 * and what is there over what ended. Borrowed until the next call. */
const struct fl_api_slave *find_slave(struct client *c, const char *prefix, int *ret_exit);
const struct fl_api_framework *find_framework(struct client *c, const char *prefix, int *ret_exit);
/* prefix: of a task id, or FRAMEWORK/TASK, each a start of an id. */
const struct fl_task *find_task(struct client *c, const char *prefix, int *ret_exit);

/* The same in an answer that is at hand. */
const struct fl_api_slave *find_in_agents(const struct fl_api_get_agents *g, const char *prefix, int *ret_exit);
const struct fl_api_framework *find_in_frameworks(const struct fl_api_get_frameworks *g, const char *prefix,
                                                  int *ret_exit);
const struct fl_task *find_in_tasks(const struct fl_api_get_tasks *g, const char *prefix, int *ret_exit);

#endif
