/* KILL, rules 88 to 93: an order to the task's slave, said again when that slave comes back. */
#ifndef FL_MASTER_KILL_H
#define FL_MASTER_KILL_H

struct fl_call_kill;
struct fl_kill_policy;
struct framework;
struct task;

void kill_call(struct framework *f, const struct fl_call_kill *call);
void kill_task(struct task *t, const struct fl_kill_policy *policy); /* policy NULL: the task's own */
void kill_order(struct task *t);                                     /* to its slave, when connected */

#endif
