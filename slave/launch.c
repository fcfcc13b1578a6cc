#include "slave/launch.h"

#include <string.h>

#include "base/mem.h"
#include "slave/internal.h"
#include "slave/proc.h"
#include "slave/sandbox.h"
#include "slave/task.h"

#define PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"
#define OWN_VARIABLES 10
#define LEAST_MEM_BYTES (INT64_C(32) << 20) /* of a task that has asked for none: nobody goes without a limit */

int64_t launch_mem_bytes(int64_t mem_milli)
{
	/* In two parts, as the product of 2^50 and a MiB does not fit. */
	return mem_milli / 1000 * (1 << 20) + mem_milli % 1000 * (1 << 20) / 1000;
}

static const struct fl_run_task *run(const struct task *t)
{
	return t->run.rec;
}

static size_t name_length(const char *variable)
{
	return strcspn(variable, "=");
}

static bool same_name(const char *a, const char *b)
{
	size_t n = name_length(a);
	return n == name_length(b) && memcmp(a, b, n) == 0;
}

/* The task's own variables go before ours, and a later one before an earlier one of the same name. */
static void set_variable(const char **env, size_t *n, const char *variable)
{
	for (size_t i = 0; i < *n; i++) {
		if (same_name(env[i], variable)) {
			env[i] = variable;
			return;
		}
	}
	env[(*n)++] = variable;
}

static const char *const *environment(const struct task *t, const char *sandbox, struct zone *z)
{
	const struct fl_task_info *info = run(t)->task;
	const struct fl_environment *own = info->command->environment;
	size_t n_own = own ? own->n_variables : 0, n = 0;
	const char **env = zone_alloc(z, (OWN_VARIABLES + n_own + 1) * sizeof(*env));

	env[n++] = PATH;
	env[n++] = "HOME=" SANDBOX_INSIDE;
	env[n++] = "SANDBOX=" SANDBOX_INSIDE;
	env[n++] = "MESOS_SANDBOX=" SANDBOX_INSIDE;
	env[n++] = zone_printf(z, "FAIRLEAD_TASK_ID=%s", t->task_id);
	env[n++] = zone_printf(z, "FAIRLEAD_FRAMEWORK_ID=%s", t->framework_id);
	env[n++] = zone_printf(z, "MESOS_TASK_ID=%s", t->task_id);
	env[n++] = zone_printf(z, "MESOS_FRAMEWORK_ID=%s", t->framework_id);
	env[n++] = zone_printf(z, "MESOS_SLAVE_ID=%s", info->slave_id);
	env[n++] = zone_printf(z, "MESOS_DIRECTORY=%s", sandbox);
	for (size_t i = 0; i < n_own; i++) {
		const struct fl_variable *v = &own->variables[i];
		set_variable(env, &n, zone_printf(z, "%s=%s", v->name, v->value ? v->value : ""));
	}
	return env;
}

/* 0: no limit. */
static int64_t limit(const struct fl_task_info *info, const char *name)
{
	for (size_t i = 0; i < info->n_limits; i++) {
		const struct fl_scalar_entry *entry = &info->limits[i];
		if (!strcmp(entry->key, name) && entry->value->value > 0 && entry->value->value <= RESOURCES_MAX_MILLI)
			return entry->value->value;
	}
	return 0;
}

static void set_limits(const struct task *t, struct proc_spec *spec)
{
	const struct fl_task_info *info = run(t)->task;
	int64_t mem = resources_scalar(&t->resources, "mem"), mem_limit = limit(info, "mem");

	spec->cpus_milli = resources_scalar(&t->resources, "cpus");
	spec->cpus_limit_milli = limit(info, "cpus");
	spec->mem_request_bytes = launch_mem_bytes(mem);
	spec->mem_bytes = launch_mem_bytes(mem_limit > mem ? mem_limit : mem);
	if (spec->mem_bytes == 0)
		spec->mem_bytes = LEAST_MEM_BYTES;
}

static void set_container(const struct fl_container_info *container, struct proc_spec *spec, struct zone *z)
{
	const struct fl_linux_info *linux_info = container ? container->linux_info : NULL;

	spec->hostname = container ? container->hostname : NULL;
	if (!linux_info)
		return;
	spec->privileged = linux_info->privileged;
	spec->network_namespace = linux_info->network_namespace;
	spec->rootfs = linux_info->rootfs;
	spec->pids = linux_info->pids_limit;
	const struct fl_capability_info *keep = linux_info->effective_capabilities;
	if (!keep)
		return;
	const char **names = zone_alloc(z, (keep->n_capabilities + 1) * sizeof(*names));
	for (size_t i = 0; i < keep->n_capabilities; i++)
		names[i] = keep->capabilities[i];
	spec->capabilities = names;
}

static const char *user_of(const struct fl_run_task *order)
{
	const char *user = order->task->command->user;

	if (user && *user)
		return user;
	return *order->framework->user ? order->framework->user : NULL;
}

struct proc *launch(struct task *t, const struct proc_ops *ops)
{
	_cleanup_zone_ struct zone *z = zone_create();
	_cleanup_free_ char *sandbox = sandbox_host_path(t->slave->disk, t->key, t->container_id);
	struct proc_spec spec = {.container_id = t->container_id,
	                         .name = t->task_id,
	                         .sandbox = sandbox,
	                         .command = run(t)->task->command,
	                         .user = user_of(run(t)),
	                         .env = environment(t, sandbox, z)};

	set_limits(t, &spec);
	set_container(run(t)->task->container, &spec, z);
	return proc_launch(t->slave->procs, &spec, ops, t);
}
