/* task list (ps), show, kill. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cli/client.h"
#include "cli/find.h"
#include "cli/id.h"
#include "cli/output.h"
#include "cli/verb.h"

static const struct column columns[] = {
	{"TASK", false, true}, {"NAME", false, true},      {"STATE", false, false}, {"CPUS", true, false},
	{"MEM", true, false},  {"FRAMEWORK", false, true}, {"SLAVE", false, true},  {"AGE", true, false},
};

static int64_t first_seen_ns(const struct fl_task *task)
{
	return task->n_statuses ? task->statuses[0].timestamp_ns : 0;
}

static void row(struct table *t, const void *item)
{
	const struct fl_task *task = item;
	table_cell(t, "%s", task->task_id);
	table_cell(t, "%s", task->name);
	table_cell_state(t, enum_name(&enum_task_state, (int)task->state));
	table_cell(t, "%s", text_resource(task->resources, task->n_resources, "cpus"));
	table_cell(t, "%s", text_resource(task->resources, task->n_resources, "mem"));
	table_cell_id(t, task->framework_id);
	table_cell_id(t, task->slave_id);
	table_cell(t, "%s", text_ago_ns(first_seen_ns(task)));
}

static const char *name(const void *item)
{
	return ((const struct fl_task *)item)->task_id;
}

struct selection {
	struct fl_task *tasks;
	size_t n;
	const char *framework, *slave;
};

static void select_tasks(struct selection *s, const struct fl_task *tasks, size_t n)
{
	s->tasks = xrealloc(s->tasks, (s->n + n + 1) * sizeof(*s->tasks));
	for (size_t i = 0; i < n; i++)
		if ((!s->framework || id_starts(tasks[i].framework_id, s->framework)) &&
		    (!s->slave || id_starts(tasks[i].slave_id, s->slave)))
			s->tasks[s->n++] = tasks[i];
}

int cmd_task_list(struct args *args)
{
	int exit_code = EXIT_OK;
	struct client *c = client_create(args, &exit_code);
	const struct fl_api_response *r = c ? client_get(c, FL_API_GET_TASKS, &exit_code) : NULL;

	if (r) {
		const struct fl_api_get_tasks *g = r->get_tasks;
		struct selection s = {.framework = args_get(args, "framework"), .slave = args_get(args, "slave")};
		if (args_has(args, "all"))
			select_tasks(&s, g->completed_tasks, g->n_completed_tasks);
		select_tasks(&s, g->unreachable_tasks, g->n_unreachable_tasks);
		select_tasks(&s, g->tasks, g->n_tasks);
		struct listing l = {
			.desc = &rec_task,
			.items = s.tasks,
			.n = s.n,
			.columns = columns,
			.n_columns = ARRAY_SIZE(columns),
			.row = row,
			.name = name,
			.empty = args_has(args, "all") ? "No tasks."
		                                       : "No tasks. Try 'fairlead run -- echo hi', or --all for "
		                                         "those that ended.",
		};
		exit_code = listing_print(args, &l);
		free(s.tasks);
	}
	client_destroy(c);
	return exit_code;
}

/* ---------------------------------------------------------------------------------------------- show */

static void print_command(const struct fl_command_info *command)
{
	if (!command)
		return;
	print_field("command", "%s%s", command->value ? command->value : "",
	            command->has_shell && !command->shell ? "" : "  (sh -c)");
	for (size_t i = 0; i < command->n_arguments; i++)
		print_field(i ? "" : "arguments", "%s", command->arguments[i]);
}

static void print_history(const struct fl_task *task)
{
	for (size_t i = 0; i < task->n_statuses; i++) {
		const struct fl_task_status *s = &task->statuses[i];
		print_field(i ? "" : "history", "%s  %-13s %s%s%s%s", text_time_ns(s->timestamp_ns),
		            text_state(enum_name(&enum_task_state, (int)s->state)),
		            s->reason ? enum_name(&enum_reason, (int)s->reason) : "",
		            s->reason && s->message ? ": " : "", s->message ? s->message : "",
		            s->reason || s->message ? "" : "-");
	}
}

static const struct fl_container_status *container_of_task(const struct fl_task *task)
{
	for (size_t i = task->n_statuses; i > 0; i--)
		if (task->statuses[i - 1].container_status)
			return task->statuses[i - 1].container_status;
	return NULL;
}

static void print_task(const struct fl_task *task)
{
	const struct fl_container_status *cs = container_of_task(task);
	const struct fl_task_status *last = task->n_statuses ? &task->statuses[task->n_statuses - 1] : NULL;

	print_field("task", "%s", task->task_id);
	print_field("name", "%s", task->name);
	print_field("state", "%s", enum_name(&enum_task_state, (int)task->state));
	if (last && last->has_exit_status)
		print_field("exit status", "%lld", (long long)last->exit_status);
	print_field("framework", "%s", task->framework_id);
	print_field("role", "%s", task->role ? task->role : "*");
	print_field("slave", "%s", task->slave_id);
	print_field("user", "%s", task->user && task->user[0] ? task->user : "(the slave's)");
	print_field("resources", "%s", text_resources(task->resources, task->n_resources));
	print_command(task->command);
	if (cs && cs->container_id)
		print_field("container", "%s", cs->container_id->value);
	if (cs && cs->has_executor_pid)
		print_field("pid", "%llu", (unsigned long long)cs->executor_pid);
	if (cs && cs->cgroup)
		print_field("cgroup", "%s", cs->cgroup);
	if (cs && cs->sandbox)
		print_field("sandbox", "%s", cs->sandbox);
	print_history(task);
}

int cmd_task_show(struct args *args)
{
	int exit_code = EXIT_OK;
	enum output_format format;
	struct client *c;

	if ((exit_code = output_format(args, &format)) || !(c = client_create(args, &exit_code)))
		return exit_code;
	const struct fl_task *task = find_task(c, args->operands[0], &exit_code);
	if (task && format == OUTPUT_TABLE)
		print_task(task);
	else if (task)
		print_json(&rec_task, task);
	client_destroy(c);
	return exit_code;
}

int cmd_task_kill(struct args *args)
{
	int exit_code = EXIT_OK;
	struct client *c = client_create(args, &exit_code);
	const struct fl_task *task = c ? find_task(c, args->operands[0], &exit_code) : NULL;

	if (task) {
		_cleanup_free_ char *framework = xstrdup(task->framework_id), *id = xstrdup(task->task_id);
		struct fl_api_task_ref ref = {.framework_id = framework, .task_id = id};
		struct fl_api_call call = {.type = FL_API_KILL_TASK, .kill_task = &ref};
		if (client_call(c, &call, &exit_code))
			printf("%s\n", id);
	}
	client_destroy(c);
	return exit_code;
}
