#include "master/reconcile.h"

#include "base/hash.h"
#include "master/core.h"
#include "master/framework.h"
#include "master/slave.h"
#include "master/task.h"
#include "master/update.h"

static void answer(struct framework *f, const char *task_id, const char *slave_id, enum fl_task_state state,
                   int64_t unreachable_wall_ns)
{
	update_from_master(f, NULL,
	                   &(struct master_status){
				   .task_id = task_id,
				   .slave_id = slave_id,
				   .state = state,
				   .reason = FL_REASON_RECONCILIATION,
				   .message = "reconciliation",
				   .unreachable_wall_ns = unreachable_wall_ns,
			   });
}

/* What the framework was last sent, not the newer latest state (rule 84). */
static void answer_known(struct framework *f, const struct task *t)
{
	update_from_master(f, NULL,
	                   &(struct master_status){
				   .task_id = t->id,
				   .slave_id = t->slave_id,
				   .state = t->status_update_state ? t->status_update_state : FL_TASK_STAGING,
				   .reason = FL_REASON_RECONCILIATION,
				   .message = "reconciliation",
				   .unreachable_wall_ns = t->unreachable_wall_ns,
				   .like = task_status(t),
			   });
}

static bool any_recovering(const struct master *m)
{
	struct slave *s;

	HASH_FOREACH (s, &m->slaves, struct slave, node)
		if (slave_recovering(s))
			return true;
	return false;
}

static void answer_unknown(struct framework *f, const char *task_id, const char *slave_id, const struct slave *s)
{
	switch (s ? slave_state(s) : 0) {
	case FL_SLAVE_REGISTERED:
	case FL_SLAVE_DISCONNECTED:
		answer(f, task_id, slave_id, FL_TASK_GONE, 0);
		break;
	case FL_SLAVE_UNREACHABLE:
		answer(f, task_id, slave_id, FL_TASK_UNREACHABLE, s->unreachable_wall_ns);
		break;
	case FL_SLAVE_GONE:
		answer(f, task_id, slave_id, FL_TASK_GONE_BY_OPERATOR, 0);
		break;
	default:
		answer(f, task_id, slave_id, FL_TASK_UNKNOWN, 0);
	}
}

/* recovering: some slave may still come back. */
static void reconcile(struct framework *f, const char *task_id, const char *slave_id, bool recovering)
{
	struct task *t = task_find(f->m, f->id, task_id);
	struct slave *s = slave_find(f->m, slave_id);

	if (t)
		answer_known(f, t);
	else if (s ? !slave_recovering(s) : (slave_id || !recovering))
		answer_unknown(f, task_id, slave_id, s);
}

void reconcile_one(struct framework *f, const char *task_id, const char *slave_id)
{
	reconcile(f, task_id, slave_id, any_recovering(f->m));
}

void reconcile_call(struct framework *f, const struct fl_call_reconcile *call)
{
	bool recovering = any_recovering(f->m);
	struct task *t;

	for (size_t i = 0; i < call->n_tasks; i++)
		reconcile(f, call->tasks[i].task_id, call->tasks[i].slave_id, recovering);
	if (call->n_tasks)
		return;
	LIST_FOREACH (t, &f->tasks, struct task, by_framework)
		if (sm_state(&t->sm) != TASK_UNREACHABLE)
			answer_known(f, t);
}
