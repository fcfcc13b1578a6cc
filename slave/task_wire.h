/* A task as the master and the API see it. */
#ifndef FL_SLAVE_TASK_WIRE_H
#define FL_SLAVE_TASK_WIRE_H

struct fl_task;
struct task;
struct zone;

/* Fills ret; what it points to lives in the task or in zone, so ret is good until the task changes. */
void task_to_wire(const struct task *t, struct zone *zone, struct fl_task *ret);

#endif
