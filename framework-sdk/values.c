/* Reading what the callbacks are given. Contract: <fairlead/scheduler.h>. */
#include <fairlead/scheduler.h>
#include <string.h>

#include "msg/desc.h"

FL_API int64_t fl_offer_scalar(const struct fl_offer *offer, const char *name)
{
	int64_t sum = 0;
	for (size_t i = 0; i < offer->n_resources; i++) {
		const struct fl_resource *r = &offer->resources[i];
		if (r->type == FL_SCALAR && r->scalar && strcmp(r->name, name) == 0)
			sum += r->scalar->value;
	}
	return sum;
}

FL_API bool fl_task_state_terminal(enum fl_task_state state)
{
	switch (state) {
	case FL_TASK_FINISHED:
	case FL_TASK_FAILED:
	case FL_TASK_KILLED:
	case FL_TASK_ERROR:
	case FL_TASK_LOST:
	case FL_TASK_DROPPED:
	case FL_TASK_GONE:
	case FL_TASK_GONE_BY_OPERATOR:
		return true;
	default:
		return false;
	}
}

FL_API const char *fl_task_state_name(enum fl_task_state state)
{
	return enum_name(&enum_task_state, (int)state);
}

FL_API const char *fl_reason_name(enum fl_reason reason)
{
	return reason ? enum_name(&enum_reason, (int)reason) : "";
}
