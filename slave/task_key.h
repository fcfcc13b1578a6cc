/* A task's name on this slave: "<framework id>/<task id>", both escaped, so that it also serves as a path. */
#ifndef FL_SLAVE_TASK_KEY_H
#define FL_SLAVE_TASK_KEY_H

#include <stdbool.h>

/* Caller frees. */
char *task_key(const char *framework_id, const char *task_id);
/* May strangers' ids be used at all? (reference/mesos.md rule 171) */
bool task_key_valid(const char *framework_id, const char *task_id);

#endif
