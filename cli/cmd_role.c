/* role list. */
#include "base/mem.h"
#include "cli/client.h"
#include "cli/output.h"
#include "cli/verb.h"

static const struct column columns[] = {
	{"ROLE", false, true}, {"WEIGHT", true, false}, {"SHARE", true, false},
	{"CPUS", true, false}, {"MEM", true, false},    {"FRAMEWORKS", true, false},
};

static void row(struct table *t, const void *item)
{
	const struct fl_api_role *r = item;
	table_cell(t, "%s", r->name);
	table_cell(t, "%s", text_milli(r->weight));
	table_cell(t, "%s%%", text_milli(r->share * 100));
	table_cell(t, "%s", text_resource(r->resources, r->n_resources, "cpus"));
	table_cell(t, "%s", text_resource(r->resources, r->n_resources, "mem"));
	table_cell(t, "%zu", r->n_frameworks);
}

static const char *name(const void *item)
{
	return ((const struct fl_api_role *)item)->name;
}

int cmd_role_list(struct args *args)
{
	int exit_code = EXIT_OK;
	struct client *c = client_create(args, &exit_code);
	const struct fl_api_response *r = c ? client_get(c, FL_API_GET_ROLES, &exit_code) : NULL;

	if (r) {
		struct listing l = {
			.desc = &rec_api_role,
			.items = r->get_roles->roles,
			.n = r->get_roles->n_roles,
			.columns = columns,
			.n_columns = ARRAY_SIZE(columns),
			.row = row,
			.name = name,
			.empty = "No roles: no framework is subscribed and no weight is set.",
		};
		exit_code = listing_print(args, &l);
	}
	client_destroy(c);
	return exit_code;
}
