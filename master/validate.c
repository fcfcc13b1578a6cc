#include "master/validate.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/str.h"
#include "master/core.h"
#include "msg/resources.h"

/* ---- tasks ---- */

static int check_times(const struct fl_task_info *task, struct err *err)
{
	const struct fl_kill_policy *policy = task->kill_policy;

	if (policy && policy->grace_period && policy->grace_period->nanoseconds < 0)
		return err_set(err, EINVAL, "kill_policy.grace_period must not be negative");
	if (task->max_completion_time && task->max_completion_time->nanoseconds < 0)
		return err_set(err, EINVAL, "max_completion_time must not be negative");
	return 0;
}

static int check_resources(const struct fl_task_info *task, const char *role, struct resources *need, struct err *err)
{
	for (size_t i = 0; i < task->n_resources; i++) {
		const struct fl_allocation_info *info = task->resources[i].allocation_info;

		if (info && info->role && strcmp(info->role, role) != 0)
			return err_set(err, EINVAL, "resource %s is allocated to role %s, the offer to %s",
			               task->resources[i].name, info->role, role);
	}
	if (resources_from_wire(task->resources, task->n_resources, need, err) < 0)
		return err_wrap(err, "resources");
	if (resources_empty(need))
		return err_set(err, EINVAL, "the task takes no resources");
	return 0;
}

static int check_variables(const struct fl_environment *env, struct err *err)
{
	for (size_t i = 0; env && i < env->n_variables; i++) {
		const struct fl_variable *v = &env->variables[i];

		if (v->type == FL_VARIABLE_SECRET)
			return err_set(err, EINVAL, "variable %s: SECRET is not supported yet", v->name);
		if (!*v->name || strchr(v->name, '='))
			return err_set(err, EINVAL, "a variable needs a name without '='");
		if (!v->value)
			return err_set(err, EINVAL, "variable %s of type VALUE needs a value", v->name);
	}
	return 0;
}

static int check_command(const struct fl_command_info *command, struct err *err)
{
	if (!command->value || !*command->value)
		return err_set(err, EINVAL, "command.value must not be empty");
	if (command->n_uris)
		return err_set(err, EINVAL, "command.uris is not supported yet");
	return check_variables(command->environment, err);
}

static int check_container(const struct fl_container_info *container, struct err *err)
{
	const struct fl_linux_info *linux_info = container->linux_info;

	if (container->type != FL_CONTAINER_MESOS)
		return err_set(err, EINVAL, "container type %s is not supported yet",
		               enum_name(&enum_container_type, container->type));
	if (!linux_info)
		return 0;
	if (linux_info->has_pids_limit && linux_info->pids_limit < 0)
		return err_set(err, EINVAL, "linux_info.pids_limit must not be negative");
	if (linux_info->rootfs && linux_info->rootfs[0] != '/')
		return err_set(err, EINVAL, "linux_info.rootfs must be an absolute path");
	return 0;
}

static int check_what(const struct fl_task_info *task, struct err *err)
{
	if (task->executor && task->command)
		return err_set(err, EINVAL, "a task has a command or an executor, not both");
	if (task->executor)
		return err_set(err, EINVAL, "executor is not supported yet: give a command");
	if (!task->command)
		return err_set(err, EINVAL, "a task needs a command");
	return 0;
}

static int check_limits(const struct fl_task_info *task, const struct resources *need, struct err *err)
{
	for (size_t i = 0; i < task->n_limits; i++) {
		const char *name = task->limits[i].key;
		char request[32], limit[32];

		if (strcmp(name, "cpus") != 0 && strcmp(name, "mem") != 0)
			return err_set(err, EINVAL, "limits may be for cpus and mem, not for %s", name);
		if (task->limits[i].value->value < resources_scalar(need, name))
			return err_set(err, EINVAL, "the limit of %s, %s, is below its request, %s", name,
			               str_from_milli(task->limits[i].value->value, limit),
			               str_from_milli(resources_scalar(need, name), request));
	}
	return 0;
}

static int check_fits(const struct resources *need, const struct resources *available, struct err *err)
{
	_cleanup_buf_ struct buf wants = {0}, has = {0};

	if (resources_contains(available, need))
		return 0;
	resources_print(need, &wants);
	resources_print(available, &has);
	return err_set(err, EINVAL, "the task takes %.100s, of the offers is left %.100s", buf_cstr(&wants),
	               has.size ? buf_cstr(&has) : "nothing");
}

static int check_identity(const struct fl_task_info *task, const struct validate_task *where, struct err *err)
{
	if (!str_valid_id(task->task_id))
		return err_set(err, EINVAL,
		               "task_id must have 1 to 255 characters, no '/', '\\' or control characters, "
		               "and not be '.' or '..'");
	if (where->in_use)
		return err_set(err, EINVAL, "task_id %.100s is in use by a task of this framework", task->task_id);
	if (strcmp(task->slave_id, where->slave_id) != 0)
		return err_set(err, EINVAL, "the task names slave %.80s, the offers are of %.80s", task->slave_id,
		               where->slave_id);
	if (codec_size(&rec_task_info, task) > MASTER_MAX_TASK_INFO)
		return err_set(err, EINVAL, "the task's description is longer than %u bytes", MASTER_MAX_TASK_INFO);
	return 0;
}

int validate_task(const struct fl_task_info *task, const struct validate_task *where, struct resources *ret,
                  struct err *err)
{
	struct resources need = {0};
	int r = check_identity(task, where, err);

	if (r == 0)
		r = check_times(task, err);
	if (r == 0)
		r = check_resources(task, where->role, &need, err);
	if (r == 0)
		r = check_what(task, err);
	if (r == 0)
		r = check_fits(&need, where->available, err);
	if (r == 0)
		r = check_limits(task, &need, err);
	if (r == 0)
		r = check_command(task->command, err);
	if (r == 0 && task->container)
		r = check_container(task->container, err);
	if (r < 0) {
		resources_fini(&need);
		return r;
	}
	resources_fini(ret);
	*ret = need;
	return 0;
}

/* ---- frameworks ---- */

static bool has(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static int levels(const char *role)
{
	int n = 1;

	for (; *role; role++)
		n += *role == '/';
	return n;
}

static int check_roles(const char *const *roles, size_t n, struct err *err)
{
	if (n > VALIDATE_MAX_ROLES)
		return err_set(err, EINVAL, "a framework may have at most %d roles", VALIDATE_MAX_ROLES);
	for (size_t i = 0; i < n; i++) {
		if (!str_valid_role(roles[i]))
			return err_set(err, EINVAL, "role \"%.100s\" is not valid", roles[i]);
		if (levels(roles[i]) > VALIDATE_MAX_LEVELS)
			return err_set(err, EINVAL, "role \"%.100s\" has more than %d levels", roles[i],
			               VALIDATE_MAX_LEVELS);
		if (has(roles, i, roles[i]))
			return err_set(err, EINVAL, "role %.100s is named twice", roles[i]);
	}
	return 0;
}

static bool has_capability(const struct fl_framework_info *info, enum fl_framework_capability_type type)
{
	for (size_t i = 0; i < info->n_capabilities; i++)
		if (info->capabilities[i].type == type)
			return true;
	return false;
}

int validate_subscribe(const struct fl_call_subscribe *subscribe, struct err *err)
{
	const struct fl_framework_info *info = subscribe->framework_info;
	bool multi = has_capability(info, FL_CAPABILITY_MULTI_ROLE);
	const char *single[] = {info->role ? info->role : "*"};
	const char *const *roles = multi ? info->roles : single;
	size_t n = multi ? info->n_roles : 1;
	int r;

	if (codec_size(&rec_framework_info, info) > MASTER_MAX_FRAMEWORK_INFO)
		return err_set(err, EINVAL, "framework_info is longer than %u bytes", MASTER_MAX_FRAMEWORK_INFO);
	if (info->id && *info->id && !str_valid_id(info->id))
		return err_set(err, EINVAL, "the framework's id is not valid");
	if (subscribe->run && strlen(subscribe->run) > VALIDATE_MAX_RUN)
		return err_set(err, EINVAL, "run must have at most %d bytes", VALIDATE_MAX_RUN);
	if (info->failover_timeout_ns < 0)
		return err_set(err, EINVAL, "failover_timeout must not be negative");
	if (!multi && info->n_roles)
		return err_set(err, EINVAL, "roles needs the capability MULTI_ROLE");
	if (multi && info->role && strcmp(info->role, "*") != 0)
		return err_set(err, EINVAL, "with MULTI_ROLE, use roles and leave role out");
	r = check_roles(roles, n, err);
	for (size_t i = 0; r == 0 && i < subscribe->n_suppressed_roles; i++)
		if (!has(roles, n, subscribe->suppressed_roles[i]))
			r = err_set(err, EINVAL, "suppressed role \"%.100s\" is not one of the framework's roles",
			            subscribe->suppressed_roles[i]);
	return r;
}

/* ---- slaves ---- */

static int check_attribute(const struct fl_attribute *a, struct err *err)
{
	switch (a->type) {
	case FL_SCALAR:
		return a->scalar ? 0 : err_set(err, EINVAL, "attribute %.100s has no scalar", a->name);
	case FL_RANGES:
		return a->ranges ? 0 : err_set(err, EINVAL, "attribute %.100s has no ranges", a->name);
	case FL_TEXT:
		return a->text ? 0 : err_set(err, EINVAL, "attribute %.100s has no text", a->name);
	case FL_SET:
	case FL_VALUE_TYPE_UNSET:
		break;
	}
	return err_set(err, EINVAL, "attribute %.100s must be SCALAR, RANGES or TEXT", a->name);
}

int validate_slave(const struct fl_slave_info *slave, struct err *err)
{
	struct resources total = {0};
	int r;

	if (codec_size(&rec_slave_info, slave) > MASTER_MAX_SLAVE_INFO)
		return err_set(err, EINVAL, "the slave's description is longer than %u bytes", MASTER_MAX_SLAVE_INFO);
	if (!*slave->hostname)
		return err_set(err, EINVAL, "hostname must not be empty");
	if (slave->has_port && (slave->port < 1 || slave->port > 65535))
		return err_set(err, EINVAL, "port must be 1 to 65535");
	for (size_t i = 0; i < slave->n_attributes; i++)
		if (check_attribute(&slave->attributes[i], err) < 0)
			return -EINVAL;
	r = resources_from_wire(slave->resources, slave->n_resources, &total, err);
	resources_fini(&total);
	return r < 0 ? err_wrap(err, "resources") : 0;
}
