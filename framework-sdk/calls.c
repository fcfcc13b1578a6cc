/* The scheduler's calls, as they go over the wire. Contract: <fairlead/scheduler.h>. */
#include <stdlib.h>

#include "base/mem.h"
#include "framework-sdk/scheduler.h"

static struct fl_filters *filters_of(int64_t refuse_ns, struct fl_filters *f)
{
	*f = (struct fl_filters){.has_refuse_ns = true, .refuse_ns = refuse_ns};
	return refuse_ns < 0 ? NULL : f;
}

FL_API int fl_accept(fl_scheduler *s, const char *const *offer_ids, size_t n_offers,
                     const struct fl_operation *operations, size_t n_operations, int64_t refuse_ns)
{
	struct fl_filters filters;
	struct fl_call_accept accept = {
		.offer_ids = (const char **)offer_ids,
		.n_offer_ids = n_offers,
		.operations = (struct fl_operation *)operations,
		.n_operations = n_operations,
		.filters = filters_of(refuse_ns, &filters),
	};
	struct fl_call call = {.type = FL_CALL_ACCEPT, .accept = &accept};
	return scheduler_call(s, &call);
}

FL_API int fl_launch(fl_scheduler *s, const struct fl_offer *offer, const struct fl_task_info *tasks, size_t n,
                     int64_t refuse_ns)
{
	struct fl_task_info *copies = xmemdup(tasks, n * sizeof(*tasks));
	struct fl_launch launch = {.task_infos = copies, .n_task_infos = n};
	struct fl_operation operation = {.type = FL_OPERATION_LAUNCH, .launch = &launch};

	for (size_t i = 0; i < n; i++)
		if (!copies[i].slave_id)
			copies[i].slave_id = offer->slave_id;
	int r = fl_accept(s, &offer->id, 1, &operation, 1, refuse_ns);
	free(copies);
	return r;
}

FL_API int fl_decline(fl_scheduler *s, const char *offer_id, int64_t refuse_ns)
{
	struct fl_filters filters;
	struct fl_call_decline decline = {
		.offer_ids = &offer_id,
		.n_offer_ids = 1,
		.filters = filters_of(refuse_ns, &filters),
	};
	struct fl_call call = {.type = FL_CALL_DECLINE, .decline = &decline};
	return scheduler_call(s, &call);
}

FL_API int fl_revive(fl_scheduler *s, const char *const *roles, size_t n)
{
	struct fl_call_roles revive = {.roles = (const char **)roles, .n_roles = n};
	struct fl_call call = {.type = FL_CALL_REVIVE, .revive = &revive};
	int r = scheduler_call(s, &call);
	if (r == 0)
		scheduler_suppress(s, roles, n, false);
	return r;
}

FL_API int fl_suppress(fl_scheduler *s, const char *const *roles, size_t n)
{
	struct fl_call_roles suppress = {.roles = (const char **)roles, .n_roles = n};
	struct fl_call call = {.type = FL_CALL_SUPPRESS, .suppress = &suppress};
	int r = scheduler_call(s, &call);
	if (r == 0)
		scheduler_suppress(s, roles, n, true);
	return r;
}

FL_API int fl_kill(fl_scheduler *s, const char *task_id, const char *slave_id, int64_t grace_ns)
{
	struct fl_duration_info grace = {.nanoseconds = grace_ns};
	struct fl_kill_policy policy = {.grace_period = &grace};
	struct fl_call_kill kill = {
		.task_id = task_id,
		.slave_id = slave_id,
		.kill_policy = grace_ns < 0 ? NULL : &policy,
	};
	struct fl_call call = {.type = FL_CALL_KILL, .kill = &kill};
	return scheduler_call(s, &call);
}

FL_API int fl_acknowledge(fl_scheduler *s, const struct fl_task_status *status)
{
	struct fl_call_acknowledge ack = {
		.slave_id = status->slave_id,
		.task_id = status->task_id,
		.uuid = status->uuid,
	};
	struct fl_call call = {.type = FL_CALL_ACKNOWLEDGE, .acknowledge = &ack};
	return scheduler_call(s, &call);
}

FL_API int fl_reconcile(fl_scheduler *s, const struct fl_reconcile_task *tasks, size_t n)
{
	struct fl_call_reconcile reconcile = {.tasks = (struct fl_reconcile_task *)tasks, .n_tasks = n};
	struct fl_call call = {.type = FL_CALL_RECONCILE, .reconcile = &reconcile};
	return scheduler_call(s, &call);
}

FL_API int fl_message(fl_scheduler *s, const char *slave_id, const char *executor_id, const void *data, size_t size)
{
	struct fl_call_message message = {
		.slave_id = slave_id,
		.executor_id = executor_id,
		.data = {.data = data, .size = size},
	};
	struct fl_call call = {.type = FL_CALL_MESSAGE, .message = &message};
	return scheduler_call(s, &call);
}
