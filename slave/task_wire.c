#include "slave/task_wire.h"

#include "base/mem.h"
#include "slave/internal.h"
#include "slave/task.h"
#include "slave/updates.h"

static const char *user_of(const struct fl_run_task *run)
{
	const char *user = run->task->command ? run->task->command->user : NULL;
	return user && *user ? user : run->framework->user;
}

void task_to_wire(const struct task *t, struct zone *zone, struct fl_task *ret)
{
	const struct fl_run_task *run = t->run.rec;
	const struct fl_task_status *latest = task_latest(t);
	const struct fl_task_status *told = updates_told(t->slave->updates, t->framework_id, t->task_id);

	*ret = (struct fl_task){.name = run->task->name,
	                        .task_id = t->task_id,
	                        .framework_id = t->framework_id,
	                        .slave_id = run->task->slave_id,
	                        .state = latest ? latest->state : FL_TASK_STAGING,
	                        .resources = run->task->resources,
	                        .n_resources = run->task->n_resources,
	                        .status_update_state = told ? told->state : FL_TASK_STAGING,
	                        .labels = run->task->labels,
	                        .user = user_of(run),
	                        .role = run->role,
	                        .command = run->task->command,
	                        .container = run->task->container,
	                        .kill_policy = run->task->kill_policy};
	if (told)
		ret->status_update_uuid = told->uuid;
	ret->statuses = zone_alloc(zone, (t->n_history + 1) * sizeof(*ret->statuses));
	ret->n_statuses = t->n_history;
	for (size_t i = 0; i < t->n_history; i++)
		ret->statuses[i] = *(const struct fl_task_status *)t->history[i].rec;
}
