#include "slave/task_validate.h"

#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "msg/resources.h"
#include "slave/conf.h"
#include "slave/identity.h"
#include "slave/internal.h"
#include "slave/journal.h"
#include "slave/tasks.h"

#define INVALID(...) outcome_of(FL_TASK_ERROR, FL_REASON_TASK_INVALID, __VA_ARGS__)

static int refuse(struct outcome *ret, struct outcome o)
{
	*ret = o;
	return -EINVAL;
}

static int check_command(const struct fl_task_info *info, struct outcome *ret)
{
	const struct fl_command_info *command = info->command;

	if (info->executor)
		return refuse(ret, INVALID("custom executors are not supported yet: give the task a command"));
	if (!command)
		return refuse(ret, INVALID("the task has no command"));
	if (command->n_uris)
		return refuse(ret, INVALID("fetching of URIs is not supported yet"));
	if (!command->value || !*command->value)
		return refuse(ret, INVALID("the task's command has no value"));
	for (size_t i = 0; command->environment && i < command->environment->n_variables; i++) {
		const struct fl_variable *v = &command->environment->variables[i];
		if (v->type == FL_VARIABLE_SECRET)
			return refuse(ret, INVALID("secrets are not supported yet (variable %s)", v->name));
		if (!*v->name || strchr(v->name, '='))
			return refuse(ret, INVALID("'%s' cannot be the name of an environment variable", v->name));
	}
	return 0;
}

static int check_container(const struct slave *s, const struct fl_container_info *container, struct outcome *ret)
{
	const struct fl_linux_info *linux_info = container ? container->linux_info : NULL;

	if (container && container->type != FL_CONTAINER_MESOS)
		return refuse(ret, INVALID("only containers of type MESOS are supported yet"));
	if (!linux_info)
		return 0;
	if (linux_info->privileged && !s->conf->allow_privileged)
		return refuse(ret, outcome_of(FL_TASK_ERROR, FL_REASON_TASK_UNAUTHORIZED,
		                              "privileged tasks need --allow_privileged on the slave"));
	if (linux_info->pids_limit < 0 || linux_info->pids_limit > 4194304)
		return refuse(ret, INVALID("pids_limit is not between 0 and 4194304"));
	if (linux_info->rootfs && linux_info->rootfs[0] != '/')
		return refuse(ret, INVALID("rootfs is not an absolute path"));
	return 0;
}

static int check_spans(const struct fl_task_info *info, struct outcome *ret)
{
	const struct fl_kill_policy *policy = info->kill_policy;

	if (policy && policy->grace_period && policy->grace_period->nanoseconds < 0)
		return refuse(ret, INVALID("the grace period is negative"));
	if (info->max_completion_time && info->max_completion_time->nanoseconds < 0)
		return refuse(ret, INVALID("max_completion_time is negative"));
	return 0;
}

static int check_slave(const struct slave *s, const struct fl_run_task *order, struct outcome *ret)
{
	if (s->shut_down)
		return refuse(ret, outcome_of(FL_TASK_DROPPED, FL_REASON_SLAVE_REMOVED, "the slave was declared gone"));
	if (!str_equal(order->task->slave_id, identity_slave_id(s->identity)))
		return refuse(ret, outcome_of(FL_TASK_DROPPED, FL_REASON_SLAVE_UNKNOWN,
		                              "the task is meant for slave %s", order->task->slave_id));
	if (s->tasks.count >= TASKS_MAX)
		return refuse(ret, outcome_of(FL_TASK_DROPPED, FL_REASON_INVALID_OFFERS,
		                              "the slave has %d tasks that run or were not acknowledged", TASKS_MAX));
	if (!journal_healthy(s->journal))
		return refuse(ret, outcome_of(FL_TASK_DROPPED, FL_REASON_SLAVE_DISK_FULL,
		                              "the slave cannot write its journal at the moment"));
	return 0;
}

int task_validate(const struct slave *s, const struct fl_run_task *order, struct resources *ret_resources,
                  struct outcome *ret_refusal)
{
	const struct fl_task_info *info = order->task;
	struct resources wanted = {0};
	struct err err = {0};

	if (check_slave(s, order, ret_refusal) < 0 || check_command(info, ret_refusal) < 0 ||
	    check_container(s, info->container, ret_refusal) < 0 || check_spans(info, ret_refusal) < 0)
		return -EINVAL;
	if (resources_from_wire(info->resources, info->n_resources, &wanted, &err) < 0)
		return refuse(ret_refusal, INVALID("its resources: %s", err.text));
	if (resources_empty(&wanted)) {
		resources_fini(&wanted);
		return refuse(ret_refusal, INVALID("the task uses no resources"));
	}
	if (!slave_fits(s, &wanted)) {
		resources_fini(&wanted);
		return refuse(ret_refusal, outcome_of(FL_TASK_DROPPED, FL_REASON_INVALID_OFFERS,
		                                      "the slave has no room for it beside its other tasks"));
	}
	*ret_resources = wanted;
	return 0;
}
