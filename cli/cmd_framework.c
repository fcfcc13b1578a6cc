/* framework list, show, teardown. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "cli/client.h"
#include "cli/find.h"
#include "cli/output.h"
#include "cli/verb.h"

static const struct column columns[] = {
	{"ID", false, true},    {"NAME", false, true}, {"STATE", false, false}, {"ROLE", false, true},
	{"TASKS", true, false}, {"CPUS", true, false}, {"MEM", true, false},    {"SINCE", true, false},
};

static const char *state_of(const struct fl_api_framework *f)
{
	if (f->has_unregistered_time_ns)
		return "ENDED";
	if (f->recovered)
		return "RECOVERED";
	if (!f->connected)
		return "DISCONNECTED";
	return f->active ? "CONNECTED" : "INACTIVE";
}

static const char *role_of(const struct fl_framework_info *info)
{
	if (info->n_roles > 0)
		return info->n_roles == 1 ? info->roles[0] : "(several)";
	return info->role ? info->role : "*";
}

static void row(struct table *t, const void *item)
{
	const struct fl_api_framework *f = item;
	table_cell_id(t, f->framework_info->id);
	table_cell(t, "%s", f->framework_info->name);
	table_cell_state(t, state_of(f));
	table_cell(t, "%s", role_of(f->framework_info));
	table_cell(t, "%lld", (long long)f->tasks);
	table_cell(t, "%s", text_resource(f->allocated_resources, f->n_allocated_resources, "cpus"));
	table_cell(t, "%s", text_resource(f->allocated_resources, f->n_allocated_resources, "mem"));
	table_cell(t, "%s", text_ago_ns(f->registered_time_ns));
}

static const char *name(const void *item)
{
	return ((const struct fl_api_framework *)item)->framework_info->id;
}

int cmd_framework_list(struct args *args)
{
	int exit_code = EXIT_OK;
	struct client *c = client_create(args, &exit_code);
	const struct fl_api_response *r = c ? client_get(c, FL_API_GET_FRAMEWORKS, &exit_code) : NULL;

	if (r) {
		const struct fl_api_get_frameworks *g = r->get_frameworks;
		size_t n_ended = args_has(args, "all") ? g->n_completed_frameworks : 0;
		struct fl_api_framework *all = xcalloc(g->n_frameworks + n_ended + 1, sizeof(*all));
		if (n_ended)
			memcpy(all, g->completed_frameworks, n_ended * sizeof(*all));
		if (g->n_frameworks)
			memcpy(all + n_ended, g->frameworks, g->n_frameworks * sizeof(*all));
		struct listing l = {
			.desc = &rec_api_framework,
			.items = all,
			.n = g->n_frameworks + n_ended,
			.columns = columns,
			.n_columns = ARRAY_SIZE(columns),
			.row = row,
			.name = name,
			.empty = args_has(args, "all") ? "No frameworks."
		                                       : "No frameworks. Try 'fairlead run -- echo hi', or --all "
		                                         "for those that ended.",
		};
		exit_code = listing_print(args, &l);
		free(all);
	}
	client_destroy(c);
	return exit_code;
}

static void print_framework(const struct fl_api_framework *f)
{
	const struct fl_framework_info *info = f->framework_info;
	print_field("id", "%s", info->id);
	print_field("name", "%s", info->name);
	print_field("state", "%s", state_of(f));
	print_field("user", "%s", info->user[0] ? info->user : "(the slave's)");
	print_field("role", "%s", role_of(info));
	for (size_t i = 0; i < info->n_roles; i++)
		print_field(i ? "" : "roles", "%s", info->roles[i]);
	print_field("failover", "%s s", text_milli(info->failover_timeout_ns / 1000000));
	for (size_t i = 0; i < info->n_capabilities; i++)
		print_field(i ? "" : "capabilities", "%s",
		            enum_name(&enum_framework_capability_type, (int)info->capabilities[i].type));
	print_field("subscribed", "%s", text_time_ns(f->registered_time_ns));
	print_field("came back", "%s", text_time_ns(f->reregistered_time_ns));
	print_field("ended", "%s", text_time_ns(f->unregistered_time_ns));
	print_field("tasks", "%lld", (long long)f->tasks);
	print_field("allocated", "%s", text_resources(f->allocated_resources, f->n_allocated_resources));
	print_field("offered", "%s", text_resources(f->offered_resources, f->n_offered_resources));
}

int cmd_framework_show(struct args *args)
{
	int exit_code = EXIT_OK;
	enum output_format format;
	struct client *c;

	if ((exit_code = output_format(args, &format)) || !(c = client_create(args, &exit_code)))
		return exit_code;
	const struct fl_api_framework *f = find_framework(c, args->operands[0], &exit_code);
	if (f && format == OUTPUT_TABLE)
		print_framework(f);
	else if (f)
		print_json(&rec_api_framework, f);
	client_destroy(c);
	return exit_code;
}

int cmd_framework_teardown(struct args *args)
{
	int exit_code = EXIT_OK;
	struct client *c = client_create(args, &exit_code);
	const struct fl_api_framework *f = c ? find_framework(c, args->operands[0], &exit_code) : NULL;

	if (f) {
		_cleanup_free_ char *id = xstrdup(f->framework_info->id);
		struct fl_api_framework_ref ref = {.framework_id = id};
		struct fl_api_call call = {.type = FL_API_TEARDOWN, .teardown = &ref};
		if (client_call(c, &call, &exit_code))
			printf("%s\n", id);
	}
	client_destroy(c);
	return exit_code;
}
