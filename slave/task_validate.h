/* May this task run here? Looks at the order alone and at what the slave allows; no state. */
#ifndef FL_SLAVE_TASK_VALIDATE_H
#define FL_SLAVE_TASK_VALIDATE_H

#include "slave/outcome.h"

struct resources;
struct slave;

/* 0 and its resources, or -errno and what to answer: ERROR for a bad description, DROPPED for what may be right
 * elsewhere or later. ret_resources is then empty. */
int task_validate(const struct slave *s, const struct fl_run_task *order, struct resources *ret_resources,
                  struct outcome *ret_refusal);

#endif
