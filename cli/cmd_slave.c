/* slave list, slave show. */
#include <stdio.h>

#include "base/mem.h"
#include "cli/client.h"
#include "cli/find.h"
#include "cli/output.h"
#include "cli/verb.h"

static const struct column columns[] = {
	{"ID", false, true},   {"HOSTNAME", false, true}, {"STATE", false, false}, {"TASKS", true, false},
	{"CPUS", true, false}, {"MEM", true, false},      {"DISK", true, false},   {"ADDRESS", false, true},
};

static const char *state_of(const struct fl_api_slave *s)
{
	return enum_name(&enum_slave_state, (int)s->state);
}

/* "used/total"; offered is not used. */
static void cell_used(struct table *t, const struct fl_api_slave *s, const char *resource)
{
	table_cell(t, "%s/%s", text_resource(s->allocated_resources, s->n_allocated_resources, resource),
	           text_resource(s->total_resources, s->n_total_resources, resource));
}

static void row(struct table *t, const void *item)
{
	const struct fl_api_slave *s = item;
	table_cell_id(t, s->slave_info->id);
	table_cell(t, "%s", s->slave_info->hostname);
	table_cell_state(t, state_of(s));
	table_cell(t, "%lld", (long long)s->tasks);
	cell_used(t, s, "cpus");
	cell_used(t, s, "mem");
	cell_used(t, s, "disk");
	table_cell(t, "%s:%lld", s->slave_info->ip ? s->slave_info->ip : "?", (long long)s->slave_info->port);
}

static const char *name(const void *item)
{
	return ((const struct fl_api_slave *)item)->slave_info->id;
}

int cmd_slave_list(struct args *args)
{
	int exit_code = EXIT_OK;
	struct client *c = client_create(args, &exit_code);
	const struct fl_api_response *r = c ? client_get(c, FL_API_GET_AGENTS, &exit_code) : NULL;

	if (r) {
		struct listing l = {
			.desc = &rec_api_slave,
			.items = r->get_agents->agents,
			.n = r->get_agents->n_agents,
			.columns = columns,
			.n_columns = ARRAY_SIZE(columns),
			.row = row,
			.name = name,
			.empty = "No slaves. Start one with 'fairlead-slave --master …'.",
		};
		exit_code = listing_print(args, &l);
	}
	client_destroy(c);
	return exit_code;
}

static void print_attributes(const struct fl_slave_info *info)
{
	for (size_t i = 0; i < info->n_attributes; i++) {
		const struct fl_attribute *a = &info->attributes[i];
		print_field(i ? "" : "attributes", "%s:%s", a->name,
		            a->text     ? a->text->value
		            : a->scalar ? text_milli(a->scalar->value)
		                        : "…");
	}
}

static void print_slave(const struct fl_api_slave *s)
{
	print_field("id", "%s", s->slave_info->id);
	print_field("hostname", "%s", s->slave_info->hostname);
	print_field("state", "%s", state_of(s));
	print_field("active", "%s", s->active ? "yes" : "no");
	print_field("version", "%s", s->version ? s->version : "-");
	print_field("address", "%s:%lld", s->slave_info->ip ? s->slave_info->ip : "?", (long long)s->slave_info->port);
	print_field("registered", "%s", text_time_ns(s->registered_time_ns));
	print_field("came back", "%s", text_time_ns(s->reregistered_time_ns));
	print_field("tasks", "%lld", (long long)s->tasks);
	print_field("total", "%s", text_resources(s->total_resources, s->n_total_resources));
	print_field("allocated", "%s", text_resources(s->allocated_resources, s->n_allocated_resources));
	print_field("offered", "%s", text_resources(s->offered_resources, s->n_offered_resources));
	print_attributes(s->slave_info);
}

int cmd_slave_show(struct args *args)
{
	int exit_code = EXIT_OK;
	enum output_format format;
	struct client *c;

	if ((exit_code = output_format(args, &format)) || !(c = client_create(args, &exit_code)))
		return exit_code;
	const struct fl_api_slave *s = find_slave(c, args->operands[0], &exit_code);
	if (s && format == OUTPUT_TABLE)
		print_slave(s);
	else if (s)
		print_json(&rec_api_slave, s);
	client_destroy(c);
	return exit_code;
}
