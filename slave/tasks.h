/* All tasks of the slave: the orders about them, and the answers where there is no task. */
#ifndef FL_SLAVE_TASKS_H
#define FL_SLAVE_TASKS_H

#include <stddef.h>

#include "base/list.h"
#include "msg/codec.h"
#include "slave/outcome.h"

struct err;
struct slave;
struct task;

#define TASKS_MAX 100000         /* those that ended and wait for an acknowledgement included */
#define TASKS_MAX_ANSWERS 200000 /* streams; the master asks again for what is left out */
#define TASKS_MAX_COMPLETED 100

/* A task that is over, kept for the API. */
struct completed {
	struct list_node node;
	struct owned task; /* struct fl_task */
};

void tasks_init(struct slave *s);
void tasks_fini(struct slave *s); /* containers run on */

struct task *tasks_find(const struct slave *s, const char *framework_id, const char *task_id);
size_t tasks_live(const struct slave *s); /* how many hold resources */

void tasks_run(struct slave *s, const struct fl_run_task *order);
/* policy: may be NULL. */
void tasks_kill(struct slave *s, const char *framework_id, const char *task_id, const struct fl_kill_policy *policy);
void tasks_kill_framework(struct slave *s, const char *framework_id);
void tasks_kill_all(struct slave *s);
/* The master knows this task and we did not report it: tells our state of it. */
void tasks_reconcile(struct slave *s, const char *framework_id, const char *task_id);

/* An answer about a task that we do not have, through a volatile stream of its own. */
void tasks_answer(struct slave *s, const char *framework_id, const char *task_id, const struct outcome *o);
/* t is DONE: moves it to the completed ones and frees it in a later turn. */
void tasks_reap(struct task *t);

/* Do the books agree with the tasks? -EUCLEAN with what is wrong. */
int tasks_check(const struct slave *s, struct err *err);

#endif
