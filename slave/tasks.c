#include "slave/tasks.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/str.h"
#include "slave/framework.h"
#include "slave/gc.h"
#include "slave/identity.h"
#include "slave/internal.h"
#include "slave/task.h"
#include "slave/task_key.h"
#include "slave/task_validate.h"
#include "slave/task_wire.h"
#include "slave/updates.h"

void tasks_init(struct slave *s)
{
	hash_init_seeded(&s->tasks, loop_random(s->loop));
	hash_init_seeded(&s->frameworks, loop_random(s->loop));
	list_init(&s->reaped);
	list_init(&s->completed);
}

static void completed_free(struct slave *s, struct completed *c)
{
	list_remove(&c->node);
	s->n_completed--;
	owned_fini(&c->task);
	free(c);
}

void tasks_fini(struct slave *s)
{
	struct task *t;
	struct completed *c;

	HASH_FOREACH (t, &s->tasks, struct task, node)
		task_destroy(t);
	LIST_FOREACH (t, &s->reaped, struct task, reaped)
		task_destroy(t);
	LIST_FOREACH (c, &s->completed, struct completed, node)
		completed_free(s, c);
	hash_fini(&s->tasks);
	hash_fini(&s->frameworks);
	resources_fini(&s->used);
}

struct task *tasks_find(const struct slave *s, const char *framework_id, const char *task_id)
{
	_cleanup_free_ char *key = task_key(framework_id, task_id);
	return HASH_FIND(&s->tasks, key, struct task, node);
}

size_t tasks_live(const struct slave *s)
{
	struct task *t;
	size_t n = 0;

	HASH_FOREACH (t, &s->tasks, struct task, node)
		n += task_live(t);
	return n;
}

/* ---- the end of a task ---- */

static void complete(struct slave *s, const struct task *t)
{
	_cleanup_zone_ struct zone *z = zone_create();
	struct completed *c = xcalloc(1, sizeof(*c));
	struct fl_task wire;

	task_to_wire(t, z, &wire);
	owned_set(&c->task, &rec_task, &wire);
	list_push(&s->completed, &c->node);
	if (++s->n_completed > TASKS_MAX_COMPLETED)
		completed_free(s, CONTAINER_OF(list_first(&s->completed), struct completed, node));
}

static void on_reap(void *user)
{
	task_destroy(user);
}

void tasks_reap(struct task *t)
{
	if (t->n_history)
		complete(t->slave, t);
	gc_ended(t->slave->gc, t);
	/* Its id is free again at once; the rest goes when nobody stands on it. */
	hash_del(&t->slave->tasks, &t->node);
	list_push(&t->slave->reaped, &t->reaped);
	loop_defer(t->slave->loop, &t->reap, on_reap, t);
}

/* ---- answers ---- */

void tasks_answer(struct slave *s, const char *framework_id, const char *task_id, const struct outcome *o)
{
	uint8_t uuid[16];

	if (updates_streams(s->updates) >= TASKS_MAX_ANSWERS)
		return;
	slave_uuid(s, uuid);
	struct fl_task_status status = {.task_id = task_id,
	                                .state = o->state,
	                                .message = *o->message ? o->message : NULL,
	                                .source = FL_SOURCE_SLAVE,
	                                .reason = o->reason,
	                                .slave_id = identity_slave_id(s->identity),
	                                .has_timestamp_ns = true,
	                                .timestamp_ns = loop_wall_ns(s->loop),
	                                .uuid = {uuid, sizeof(uuid)}};
	updates_add(s->updates, framework_id, &status, false);
}

static const struct fl_task *find_completed(const struct slave *s, const char *framework_id, const char *task_id)
{
	const struct fl_task *found = NULL;
	struct completed *c;

	LIST_FOREACH (c, &s->completed, struct completed, node) {
		const struct fl_task *t = c->task.rec;
		if (!strcmp(t->framework_id, framework_id) && !strcmp(t->task_id, task_id))
			found = t;
	}
	return found;
}

/* What we know of a task that is not here: how it ended, or that we know nothing. */
static void answer_absent(struct slave *s, const char *framework_id, const char *task_id, enum fl_reason reason)
{
	struct outcome o = outcome_of(FL_TASK_DROPPED, reason, "the slave does not have this task");

	if (updates_resend(s->updates, framework_id, task_id))
		return;
	const struct fl_task *ended = find_completed(s, framework_id, task_id);
	if (ended) {
		const struct fl_task_status *last = &ended->statuses[ended->n_statuses - 1];
		o = outcome_of(last->state, last->reason, "%s", last->message ? last->message : "");
	}
	log_info("task.unknown framework=%s task=%s answer=%s", framework_id, task_id,
	         enum_name(&enum_task_state, o.state));
	tasks_answer(s, framework_id, task_id, &o);
}

/* ---- orders ---- */

static void refuse(struct slave *s, const struct fl_run_task *order, const struct outcome *o)
{
	const char *framework_id = order->framework->id, *task_id = order->task->task_id;

	log_warn("task.refused framework=%s task=%s state=%s message=\"%s\"", framework_id, task_id,
	         enum_name(&enum_task_state, o->state), o->message);
	if (o->state == FL_TASK_ERROR)
		s->metrics.tasks_error++;
	else
		s->metrics.tasks_dropped++;
	framework_take(s, order->framework); /* its capabilities decide how to say it */
	tasks_answer(s, framework_id, task_id, o);
	framework_give_back(s, framework_id);
}

/* An order that comes twice may come when its task is over. A task id alone does not tell: it may be used again. */
static bool is_repetition(struct slave *s, const struct fl_run_task *order)
{
	size_t n = s->n_launches < ARRAY_SIZE(s->launches) ? s->n_launches : ARRAY_SIZE(s->launches);

	if (!order->has_launch)
		return false;
	for (size_t i = 0; i < n; i++)
		if (s->launches[i].number == order->launch && s->launches[i].term == order->epoch->term)
			return true;
	s->launches[s->n_launches++ % ARRAY_SIZE(s->launches)] = (struct launch_seen){order->epoch->term,
	                                                                              order->launch};
	return false;
}

void tasks_run(struct slave *s, const struct fl_run_task *order)
{
	const char *framework_id = order->framework->id, *task_id = order->task->task_id;
	struct resources resources = {0};
	struct outcome refusal;
	char container_id[37];

	if (!framework_id || !task_key_valid(framework_id, task_id)) {
		log_warn("task.bad_id framework=%s", framework_id ? framework_id : "");
		return;
	}
	if (is_repetition(s, order) || tasks_find(s, framework_id, task_id) ||
	    updates_pending(s->updates, framework_id, task_id)) {
		log_debug("task.repeated framework=%s task=%s", framework_id, task_id);
		updates_resend(s->updates, framework_id, task_id);
		return;
	}
	if (task_validate(s, order, &resources, &refusal) < 0) {
		refuse(s, order, &refusal);
		return;
	}
	str_uuid(loop_random(s->loop), loop_random(s->loop), container_id);
	log_info("task.new framework=%s task=%s container=%s", framework_id, task_id, container_id);
	task_begin(task_create(s, order, container_id, &resources));
	resources_fini(&resources);
}

void tasks_kill(struct slave *s, const char *framework_id, const char *task_id, const struct fl_kill_policy *policy)
{
	if (!task_key_valid(framework_id, task_id))
		return;
	struct task *t = tasks_find(s, framework_id, task_id);
	if (!t)
		answer_absent(s, framework_id, task_id, FL_REASON_TASK_UNKNOWN);
	else if (task_live(t))
		task_kill(t, KILL_REQUEST, task_grace_of(policy, task_grace_ms(t)));
	else
		updates_resend(s->updates, framework_id, task_id);
}

static void kill_many(struct slave *s, const char *framework_id, enum kill_cause cause)
{
	struct task *t;

	HASH_FOREACH (t, &s->tasks, struct task, node)
		if (!framework_id || !strcmp(t->framework_id, framework_id))
			task_kill(t, cause, task_grace_ms(t));
}

void tasks_kill_framework(struct slave *s, const char *framework_id)
{
	kill_many(s, framework_id, KILL_FRAMEWORK);
}

void tasks_kill_all(struct slave *s)
{
	kill_many(s, NULL, KILL_SLAVE);
}

void tasks_reconcile(struct slave *s, const char *framework_id, const char *task_id)
{
	if (!task_key_valid(framework_id, task_id))
		return;
	struct task *t = tasks_find(s, framework_id, task_id);
	if (!t) {
		answer_absent(s, framework_id, task_id, FL_REASON_RECONCILIATION);
		return;
	}
	const struct fl_task_status *last = task_latest(t);
	if (updates_resend(s->updates, framework_id, task_id) || !last || !task_live(t))
		return;
	/* All it made is acknowledged, and the master still asks: it has lost track of where the task is. */
	struct outcome o = outcome_of(last->state, FL_REASON_RECONCILIATION, "%s", last->message ? last->message : "");
	task_report(t, &o);
}

/* ---- the books ---- */

int tasks_check(const struct slave *s, struct err *err)
{
	struct resources sum = {0};
	struct task *t;

	HASH_FOREACH (t, &s->tasks, struct task, node)
		if (t->holds)
			resources_add(&sum, &t->resources);
	bool equal = resources_equal(&sum, &s->used), fits = resources_contains(&s->total, &sum);
	resources_fini(&sum);
	if (!equal)
		return err_set(err, EUCLEAN, "the resources in use are not the sum of the live tasks'");
	return fits ? 0 : err_set(err, EUCLEAN, "live tasks hold more than the slave has");
}
