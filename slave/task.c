/* States, and who may follow whom:
 *
 *   RECORDING → PREPARING → READY → STARTING → RUNNING → KILLING → ENDED → DONE
 *   ADOPTING (after a restart) → RUNNING
 *
 * and from each of them to ENDED. Callbacks write down what they were told and call step. Invariants: resources are held
 * until ENDED and no longer; from READY to the end of the container its identity is known. */
#include "slave/task.h"

#include <assert.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "slave/framework.h"
#include "slave/identity.h"
#include "slave/internal.h"
#include "slave/launch.h"
#include "slave/sandbox.h"
#include "slave/task_key.h"
#include "slave/tasks.h"
#include "slave/updates.h"

#define TO(s) (1u << TASK_##s)

static const struct sm_state states[] = {
	[TASK_RECORDING] = {"RECORDING", TO(PREPARING) | TO(ENDED) | TO(ADOPTING) | TO(DONE), SM_INITIAL},
	[TASK_PREPARING] = {"PREPARING", TO(READY) | TO(ENDED), 0},
	[TASK_READY] = {"READY", TO(STARTING) | TO(ENDED), 0},
	[TASK_STARTING] = {"STARTING", TO(RUNNING) | TO(ENDED), 0},
	[TASK_ADOPTING] = {"ADOPTING", TO(RUNNING) | TO(ENDED), 0},
	[TASK_RUNNING] = {"RUNNING", TO(KILLING) | TO(ENDED), 0},
	[TASK_KILLING] = {"KILLING", TO(ENDED), 0},
	[TASK_ENDED] = {"ENDED", TO(DONE), 0},
	[TASK_DONE] = {"DONE", 0, SM_FINAL},
};

static bool invariant(const struct sm *sm)
{
	const struct task *t = CONTAINER_OF((struct sm *)sm, struct task, sm);
	bool contained = sm->state >= TASK_READY && sm->state <= TASK_KILLING;

	return (!t->holds || task_live(t)) && (!contained || (t->proc && t->has_identity));
}

/* An ended task gives back what it held, and no longer runs against time. */
static void on_enter(struct sm *sm, int from)
{
	struct task *t = CONTAINER_OF(sm, struct task, sm);

	if (sm->state < TASK_ENDED)
		return;
	timer_stop(&t->deadline);
	if (!t->holds)
		return;
	resources_sub(&t->slave->used, &t->resources);
	t->holds = false;
}

static const struct fl_run_task *run(const struct task *t)
{
	return t->run.rec;
}

bool task_live(const struct task *t)
{
	return t->sm.state < TASK_ENDED;
}

/* ---- statuses ---- */

const struct fl_task_status *task_latest(const struct task *t)
{
	return t->n_history ? t->history[t->n_history - 1].rec : NULL;
}

void task_remember(struct task *t, const struct fl_task_status *status)
{
	if (t->n_history == TASK_MAX_HISTORY) {
		owned_fini(&t->history[0]);
		memmove(t->history, t->history + 1, (TASK_MAX_HISTORY - 1) * sizeof(t->history[0]));
		t->history[--t->n_history] = (struct owned){0};
	}
	owned_set(&t->history[t->n_history++], &rec_task_status, status);
}

void task_report(struct task *t, const struct outcome *o)
{
	struct slave *s = t->slave;
	_cleanup_free_ char *sandbox = sandbox_path(t->key, t->container_id);
	struct fl_container_id id = {.value = t->container_id};
	struct fl_container_status container = {.container_id = &id, .sandbox = sandbox};
	uint8_t uuid[16];

	slave_uuid(s, uuid);
	if (t->has_identity) {
		container.has_executor_pid = true;
		container.executor_pid = (uint64_t)t->identity.pid;
		container.cgroup = t->identity.cgroup;
	}
	struct fl_task_status status = {.task_id = t->task_id,
	                                .state = o->state,
	                                .message = *o->message ? o->message : NULL,
	                                .source = FL_SOURCE_SLAVE,
	                                .reason = o->reason,
	                                .slave_id = run(t)->task->slave_id,
	                                .has_timestamp_ns = true,
	                                .timestamp_ns = loop_wall_ns(s->loop),
	                                .uuid = {uuid, sizeof(uuid)},
	                                .container_status = &container,
	                                .has_exit_status = o->has_exit_status,
	                                .exit_status = o->exit_status};
	task_remember(t, &status);
	updates_add(s->updates, t->framework_id, &status, true);
}

static bool told(const struct task *t, enum fl_task_state state)
{
	for (size_t i = 0; i < t->n_history; i++)
		if (((const struct fl_task_status *)t->history[i].rec)->state == state)
			return true;
	return false;
}

static void report_once(struct task *t, enum fl_task_state state)
{
	struct outcome o = outcome_of(state, 0, "%s", "");

	if (!told(t, state))
		task_report(t, &o);
}

/* ---- the end ---- */

static void count_end(struct slave_metrics *m, const struct outcome *o)
{
	int64_t *counter = o->state == FL_TASK_FINISHED  ? &m->tasks_finished
	                   : o->state == FL_TASK_KILLED  ? &m->tasks_killed
	                   : o->state == FL_TASK_DROPPED ? &m->tasks_dropped
	                                                 : &m->tasks_failed;
	++*counter;
	if (o->reason == FL_REASON_CONTAINER_LIMITATION_MEMORY)
		m->tasks_oom++;
}

static void end(struct task *t, const struct outcome *o)
{
	log_info("task.ended framework=%s task=%s container=%s state=%s message=\"%s\"", t->framework_id, t->task_id,
	         t->container_id, enum_name(&enum_task_state, o->state), o->message);
	count_end(&t->slave->metrics, o);
	sm_move(&t->sm, TASK_ENDED);
	task_report(t, o);
}

/* The intent is not in the journal: whatever is said of it is volatile, and the task forgotten. */
static void end_unrecorded(struct task *t)
{
	struct slave *s = t->slave;
	struct outcome o = outcome_of(FL_TASK_DROPPED, FL_REASON_SLAVE_DISK_FULL,
	                              "the slave could not write its journal: %s", strerror(-t->record_status));

	log_warn("task.dropped framework=%s task=%s message=\"%s\"", t->framework_id, t->task_id, o.message);
	sm_move(&t->sm, TASK_DONE);
	tasks_answer(s, t->framework_id, t->task_id, &o);
	tasks_reap(t);
}

static void let_go(struct task *t)
{
	if (t->proc)
		proc_destroy(t->proc);
	t->proc = NULL;
}

void task_on_terminal_durable(struct task *t)
{
	let_go(t);
}

void task_on_finished(struct task *t)
{
	struct fl_journal_record rec = {
		.kind = FL_JOURNAL_DONE, .framework_id = t->framework_id, .task_id = t->task_id};

	if (t->sm.state != TASK_ENDED)
		return;
	journal_append(t->slave->journal, &rec, NULL, false);
	sm_move(&t->sm, TASK_DONE);
	tasks_reap(t);
}

/* ---- what the container tells ---- */

static void step(struct task *t);

static void on_ready(void *user, struct proc *p, const struct proc_identity *id)
{
	struct task *t = user;

	t->identity = *id;
	t->has_identity = true;
	step(t);
}

static void on_running(void *user, struct proc *p)
{
	struct task *t = user;

	t->running = true;
	step(t);
}

static void on_ended(void *user, struct proc *p, const struct proc_exit *e)
{
	struct task *t = user;

	t->exited = true;
	t->outcome = outcome_of_exit(e, t->kill_cause);
	step(t);
}

static const struct proc_ops proc_ops = {.on_ready = on_ready, .on_running = on_running, .on_exit = on_ended};

static void on_recorded(void *user, int status)
{
	struct task *t = user;

	t->record_status = status;
	step(t);
}

/* Killed whatever became of the record: a full disk must not keep a task alive. */
static void on_kill_recorded(void *user, int status)
{
	step(user);
}

static void on_deadline(void *user)
{
	struct task *t = user;

	log_info("task.timeout framework=%s task=%s", t->framework_id, t->task_id);
	task_kill(t, KILL_TIMEOUT, task_grace_ms(t));
}

/* ---- the steps ---- */

static void record(struct task *t, struct fl_journal_record *rec)
{
	rec->framework_id = t->framework_id;
	rec->task_id = t->task_id;
	rec->container_id = t->container_id;
	t->record.fn = on_recorded;
	t->record.user = t;
	journal_append(t->slave->journal, rec, &t->record, true);
}

static void record_identity(struct task *t)
{
	struct fl_journal_record rec = {.kind = FL_JOURNAL_STARTED,
	                                .has_pid = true,
	                                .pid = t->identity.pid,
	                                .has_start_time = true,
	                                .start_time = t->identity.start_time,
	                                .boot_id = t->identity.boot_id,
	                                .cgroup = t->identity.cgroup};
	record(t, &rec);
}

static void prepare(struct task *t)
{
	sm_move(&t->sm, TASK_PREPARING);
	report_once(t, FL_TASK_STARTING);
	t->proc = launch(t, &proc_ops);
}

/* False when a kill is under way that ends it as soon. */
static bool want_kill(struct task *t, enum kill_cause cause, int64_t grace_ms)
{
	if (t->kill_cause != KILL_NONE && grace_ms >= t->grace_ms)
		return false;
	if (t->kill_cause == KILL_NONE)
		t->kill_cause = cause;
	t->grace_ms = grace_ms;
	t->kill_due = true;
	return true;
}

static void kill_if_due(struct task *t)
{
	if (!t->kill_due || !t->proc || journal_waiting(&t->kill_record))
		return;
	t->kill_due = false;
	proc_kill(t->proc, t->grace_ms);
}

/* The time it has already run, after a restart of the slave, is only known by the wall clock; a clock that was set does
 * no worse than to end it early or late by as much. */
static int64_t already_run_ms(const struct task *t)
{
	for (size_t i = 0; i < t->n_history; i++) {
		const struct fl_task_status *status = t->history[i].rec;
		if (status->state == FL_TASK_RUNNING) {
			int64_t ms = (loop_wall_ns(t->slave->loop) - status->timestamp_ns) / 1000000;
			return ms > 0 ? ms : 0;
		}
	}
	return 0;
}

static void set_deadline(struct task *t)
{
	const struct fl_duration_info *max = run(t)->task->max_completion_time;

	if (!max || max->nanoseconds < 0)
		return;
	int64_t left = max->nanoseconds / 1000000 - already_run_ms(t);
	timer_set(&t->deadline, left > 0 ? left : 0);
}

static void enter_running(struct task *t)
{
	sm_move(&t->sm, TASK_RUNNING);
	set_deadline(t);
	log_info("task.running framework=%s task=%s container=%s pid=%" PRId64, t->framework_id, t->task_id,
	         t->container_id, t->identity.pid);
	report_once(t, FL_TASK_RUNNING);
}

static void enter_killing(struct task *t)
{
	sm_move(&t->sm, TASK_KILLING);
	if (t->kill_cause != KILL_TIMEOUT && framework_has(t->slave, t->framework_id, FL_CAPABILITY_TASK_KILLING_STATE))
		report_once(t, FL_TASK_KILLING);
}

static bool step_recording(struct task *t)
{
	if (journal_waiting(&t->record))
		return false;
	if (t->record_status < 0) {
		end_unrecorded(t);
	} else if (t->kill_cause != KILL_NONE) {
		struct outcome o = outcome_before_launch(t->kill_cause);
		end(t, &o);
	} else {
		prepare(t);
	}
	return true;
}

static bool step_ready(struct task *t)
{
	if (journal_waiting(&t->record))
		return false;
	if (t->record_status < 0 && t->kill_cause == KILL_NONE)
		want_kill(t, KILL_DISK, 0);
	kill_if_due(t);
	if (t->kill_cause != KILL_NONE)
		return false;
	proc_go(t->proc);
	sm_move(&t->sm, TASK_STARTING);
	return true;
}

/* One move at most; false when there is something to wait for. */
static bool step_once(struct task *t)
{
	int phase = t->sm.state;

	if (t->exited && phase > TASK_RECORDING && phase < TASK_ENDED) {
		end(t, &t->outcome);
		return true;
	}
	switch ((enum task_phase)phase) {
	case TASK_RECORDING:
		return step_recording(t);
	case TASK_PREPARING:
		kill_if_due(t);
		if (!t->has_identity)
			return false;
		sm_move(&t->sm, TASK_READY);
		record_identity(t);
		return true;
	case TASK_READY:
		return step_ready(t);
	case TASK_STARTING:
		kill_if_due(t); /* its program may never come to run */
		__attribute__((fallthrough));
	case TASK_ADOPTING:
		if (t->running)
			enter_running(t);
		return t->running;
	case TASK_RUNNING:
		if (t->kill_cause != KILL_NONE)
			enter_killing(t);
		return t->sm.state != TASK_RUNNING;
	case TASK_KILLING:
		kill_if_due(t);
		return false;
	case TASK_ENDED:
	case TASK_DONE:
		return false;
	}
	return false;
}

static void step(struct task *t)
{
	while (step_once(t))
		;
}

/* ---- orders ---- */

int64_t task_grace_of(const struct fl_kill_policy *policy, int64_t otherwise)
{
	if (!policy || !policy->grace_period)
		return otherwise;
	return policy->grace_period->nanoseconds > 0 ? policy->grace_period->nanoseconds / 1000000 : 0;
}

int64_t task_grace_ms(const struct task *t)
{
	const struct fl_kill_policy *policy = run(t)->task->kill_policy;
	return task_grace_of(policy, TASK_GRACE_MS);
}

void task_begin(struct task *t)
{
	struct fl_journal_record rec = {.kind = FL_JOURNAL_TASK, .run = t->run.rec};
	record(t, &rec);
}

void task_kill(struct task *t, enum kill_cause cause, int64_t grace_ms)
{
	struct fl_journal_record rec = {
		.kind = FL_JOURNAL_KILL, .framework_id = t->framework_id, .task_id = t->task_id};

	if (!task_live(t) || t->exited || !want_kill(t, cause, grace_ms))
		return;
	if (t->kill_cause != KILL_TIMEOUT && !t->kill_recorded) {
		t->kill_recorded = true;
		t->kill_record.fn = on_kill_recorded;
		t->kill_record.user = t;
		journal_append(t->slave->journal, &rec, &t->kill_record, true);
	}
	step(t);
}

/* ---- recovery ---- */

static void adopt(struct task *t)
{
	t->proc = proc_adopt(t->slave->procs, t->container_id, &t->identity, &proc_ops, t);
	t->slave->metrics.tasks_adopted++;
	sm_move(&t->sm, TASK_ADOPTING);
}

void task_resume(struct task *t)
{
	const struct fl_task_status *last = task_latest(t);
	struct outcome o = outcome_of(FL_TASK_DROPPED, FL_REASON_SLAVE_RESTARTED,
	                              "the slave restarted before the task ran");

	if (updates_finished(t->slave->updates, t->framework_id, t->task_id)) {
		updates_forget(t->slave->updates, t->framework_id, t->task_id);
		sm_move(&t->sm, TASK_ENDED);
		task_on_finished(t);
		return;
	}
	if (last && task_state_terminal(last->state)) {
		sm_move(&t->sm, TASK_ENDED);
		return;
	}
	if (t->has_identity) {
		adopt(t);
		return;
	}
	if (t->kill_cause != KILL_NONE)
		o = outcome_before_launch(t->kill_cause);
	else if (t->damaged || (last && last->state == FL_TASK_RUNNING))
		o = outcome_of(FL_TASK_FAILED, FL_REASON_SLAVE_RESTARTED,
		               "the slave's journal is damaged: the record of the task's container is lost");
	end(t, &o);
}

/* ---- life ---- */

struct task *task_create(struct slave *s, const struct fl_run_task *order, const char *container_id,
                         const struct resources *resources)
{
	struct task *t = xcalloc(1, sizeof(*t));

	t->slave = s;
	owned_set(&t->run, &rec_run_task, order);
	t->framework_id = run(t)->framework->id;
	t->task_id = run(t)->task->task_id;
	t->key = task_key(t->framework_id, t->task_id);
	snprintf(t->container_id, sizeof(t->container_id), "%s", container_id);
	resources_copy(&t->resources, resources);
	t->holds = slave_fits(s, resources);
	if (t->holds)
		resources_add(&s->used, resources);
	else
		log_warn("task.no_room framework=%s task=%s", t->framework_id, t->task_id);
	timer_init(&t->deadline, s->loop, on_deadline, t);
	framework_take(s, run(t)->framework);
	hash_put(&s->tasks, &t->node, t->key);
	sm_init(&t->sm, states, ARRAY_SIZE(states), TASK_RECORDING, "task", t->task_id, invariant, on_enter);
	return t;
}

void task_destroy(struct task *t)
{
	if (!t)
		return;
	if (t->holds)
		resources_sub(&t->slave->used, &t->resources);
	let_go(t);
	journal_wait_cancel(&t->record);
	journal_wait_cancel(&t->kill_record);
	timer_stop(&t->deadline);
	defer_cancel(&t->reap);
	hash_del(&t->slave->tasks, &t->node);
	list_remove(&t->reaped);
	framework_give_back(t->slave, t->framework_id);
	for (size_t i = 0; i < t->n_history; i++)
		owned_fini(&t->history[i]);
	resources_fini(&t->resources);
	owned_fini(&t->run);
	free(t->key);
	free(t);
}
