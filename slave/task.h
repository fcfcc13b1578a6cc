/* A task on this slave, from the order to run it until its last update is acknowledged.
 *
 * Every step that must survive is durable before the next one begins: the intent before anything is made, the container's
 * identity before it may go, the last update before the container is cleaned up. */
#ifndef FL_SLAVE_TASK_H
#define FL_SLAVE_TASK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/loop.h"
#include "base/sm.h"
#include "msg/codec.h"
#include "msg/resources.h"
#include "slave/journal.h"
#include "slave/outcome.h"
#include "slave/proc.h"

struct slave;

#define TASK_MAX_HISTORY 16
#define TASK_GRACE_MS 3000

enum task_phase {
	TASK_RECORDING, /* the intent is being made durable */
	TASK_PREPARING, /* proc makes the container */
	TASK_READY,     /* pid, start time and cgroup are being made durable */
	TASK_STARTING,  /* it may go */
	TASK_ADOPTING,  /* a container of an earlier run is looked for */
	TASK_RUNNING,
	TASK_KILLING, /* told to end; its container lives */
	TASK_ENDED,   /* the last update is made and not yet acknowledged */
	TASK_DONE,    /* nothing is owed */
};

struct task {
	struct hash_node node; /* by key */
	struct slave *slave;
	char *key;                          /* task_key.h */
	const char *framework_id, *task_id; /* in run */
	char container_id[37];
	struct owned run; /* struct fl_run_task */
	struct resources resources;
	bool holds;   /* its resources are in slave->used */
	struct sm sm; /* enum task_phase */

	struct proc *proc; /* NULL before launch and after the clean-up */
	struct proc_identity identity;
	bool has_identity, running, exited;
	struct outcome outcome; /* when exited */

	struct journal_wait record; /* of the intent, then of the identity */
	int record_status;
	struct journal_wait kill_record;
	enum kill_cause kill_cause;
	int64_t grace_ms;
	bool kill_due; /* proc is to be told */
	bool kill_recorded;
	struct timer deadline; /* max_completion_time */

	struct owned history[TASK_MAX_HISTORY]; /* struct fl_task_status, oldest first */
	size_t n_history;
	uint64_t snapshot; /* the last one that it was put into */
	bool damaged;      /* recovery: a record of it is lost */
	struct defer reap;
	struct list_node reaped; /* in slave->reaped */
};

/* Makes it in RECORDING, linked in slave->tasks and counted at its framework. run is copied; resources are those of
 * run->task. What no longer fits (recovery, and the slave has become smaller) is not held. */
struct task *task_create(struct slave *s, const struct fl_run_task *run, const char *container_id,
                         const struct resources *resources);
void task_destroy(struct task *t); /* its container runs on */

void task_begin(struct task *t); /* from RECORDING: records the intent and goes on by itself */
/* Recovery: as the journal left it. Adopts the container, or ends the task, or finds that nothing is owed. */
void task_resume(struct task *t);
/* grace_ms: between SIGTERM and SIGKILL; a second kill may shorten it. */
void task_kill(struct task *t, enum kill_cause cause, int64_t grace_ms);
void task_on_terminal_durable(struct task *t);
void task_on_finished(struct task *t);

/* Holds resources: neither ended nor done. */
bool task_live(const struct task *t);
const struct fl_task_status *task_latest(const struct task *t);          /* NULL before the first */
void task_remember(struct task *t, const struct fl_task_status *status); /* adds to the history */
/* Makes a status of it, with a new uuid, and sends it on its way. */
void task_report(struct task *t, const struct outcome *o);
int64_t task_grace_ms(const struct task *t);
int64_t task_grace_of(const struct fl_kill_policy *policy, int64_t otherwise); /* policy may be NULL */

#endif
