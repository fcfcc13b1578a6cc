/* From a task's description to a container's: environment, user, limits. */
#ifndef FL_SLAVE_LAUNCH_H
#define FL_SLAVE_LAUNCH_H

#include <stdint.h>

struct proc;
struct proc_ops;
struct task;

/* Begins the launch; the task is the callbacks' user. */
struct proc *launch(struct task *t, const struct proc_ops *ops);
/* Thousandths of a MiB to bytes. */
int64_t launch_mem_bytes(int64_t mem_milli);

#endif
