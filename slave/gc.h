/* Sandboxes of ended tasks: removed after --gc_delay, and earlier, oldest first, when the disk gets full. The work is done
 * by a child process, one at a time. */
#ifndef FL_SLAVE_GC_H
#define FL_SLAVE_GC_H

struct gc;
struct slave;
struct task;

#define GC_LEAST_FREE_PERCENT 10 /* of the file system that work_dir is on */

/* After recovery: what no task has is for removal. NULL in the simulator, where there are no folders; all of this allows
 * it. */
struct gc *gc_create(struct slave *s);
void gc_destroy(struct gc *g); /* ends the child */
/* The task is over: its sandbox begins to age. */
void gc_ended(struct gc *g, const struct task *t);

#endif
