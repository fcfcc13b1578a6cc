#include "master/kill.h"

#include <string.h>

#include "base/log.h"
#include "master/core.h"
#include "master/framework.h"
#include "master/reconcile.h"
#include "master/slave.h"
#include "master/task.h"

void kill_order(struct task *t)
{
	struct slave *s = slave_find(t->m, t->slave_id);
	struct fl_kill_task order = {
		.epoch = t->m->epoch.rec,
		.framework_id = t->framework_id,
		.task_id = t->id,
		.kill_policy = t->kill_policy.rec,
	};

	if (!slave_send(s, MSG_kill_task, &order))
		log_info("kill.remembered task=%s framework=%s slave=%s", t->id, t->framework_id, t->slave_id);
}

void kill_task(struct task *t, const struct fl_kill_policy *policy)
{
	t->kill_wanted = true;
	owned_set(&t->kill_policy, &rec_kill_policy, policy);
	log_info("task.kill task=%s framework=%s slave=%s", t->id, t->framework_id, t->slave_id);
	kill_order(t);
}

void kill_call(struct framework *f, const struct fl_call_kill *call)
{
	struct task *t = task_find(f->m, f->id, call->task_id);

	if (t && call->slave_id && strcmp(call->slave_id, t->slave_id) != 0) {
		log_warn("kill.wrong_slave task=%s framework=%s slave=%s named=%s", t->id, f->id, t->slave_id,
		         call->slave_id);
		f->m->metrics.calls_ignored++;
	} else if (!t || sm_state(&t->sm) == TASK_ENDED) {
		reconcile_one(f, call->task_id, call->slave_id);
	} else {
		kill_task(t, call->kill_policy);
	}
}
