/* offer list. */
#include "base/mem.h"
#include "cli/client.h"
#include "cli/output.h"
#include "cli/verb.h"

static const struct column columns[] = {
	{"ID", false, true},   {"FRAMEWORK", false, true}, {"ROLE", false, true}, {"HOSTNAME", false, true},
	{"CPUS", true, false}, {"MEM", true, false},       {"AGE", true, false},
};

static void row(struct table *t, const void *item)
{
	const struct fl_api_offer *o = item;
	table_cell_id(t, o->offer->id);
	table_cell_id(t, o->offer->framework_id);
	table_cell(t, "%s", o->role ? o->role : "*");
	table_cell(t, "%s", o->offer->hostname);
	table_cell(t, "%s", text_resource(o->offer->resources, o->offer->n_resources, "cpus"));
	table_cell(t, "%s", text_resource(o->offer->resources, o->offer->n_resources, "mem"));
	table_cell(t, "%ss", text_milli(o->age_ns / 100000000 * 100));
}

static const char *name(const void *item)
{
	return ((const struct fl_api_offer *)item)->offer->id;
}

int cmd_offer_list(struct args *args)
{
	int exit_code = EXIT_OK;
	struct client *c = client_create(args, &exit_code);
	const struct fl_api_response *r = c ? client_get(c, FL_API_GET_OFFERS, &exit_code) : NULL;

	if (r) {
		struct listing l = {
			.desc = &rec_api_offer,
			.items = r->get_offers->offers,
			.n = r->get_offers->n_offers,
			.columns = columns,
			.n_columns = ARRAY_SIZE(columns),
			.row = row,
			.name = name,
			.empty = "No outstanding offers.",
		};
		exit_code = listing_print(args, &l);
	}
	client_destroy(c);
	return exit_code;
}
