/* status: the cluster on one page. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cli/client.h"
#include "cli/output.h"
#include "cli/verb.h"

static const char *const shown[] = {"cpus", "mem", "disk"};

struct totals {
	int64_t total[ARRAY_SIZE(shown)], allocated[ARRAY_SIZE(shown)], offered[ARRAY_SIZE(shown)];
};

static void add(int64_t sums[], const struct fl_resource *list, size_t n)
{
	for (size_t i = 0; i < n; i++)
		for (size_t k = 0; k < ARRAY_SIZE(shown); k++)
			if (list[i].scalar && str_equal(list[i].name, shown[k]))
				sums[k] += list[i].scalar->value;
}

static void print_master(const struct fl_api_get_master *m)
{
	print_field("leader", "%s:%lld (%s)", m->master_info->hostname ? m->master_info->hostname : "?",
	            (long long)m->master_info->port, m->master_info->id);
	print_field("cluster", "%s", m->master_info->cluster ? m->master_info->cluster : "-");
	print_field("version", "%s", m->master_info->version ? m->master_info->version : "-");
	print_field("elected", "%s", text_time_ns(m->elected_time_ns));
	if (m->epoch)
		print_field("epoch", "term %llu of %s", (unsigned long long)m->epoch->term, m->epoch->incarnation);
}

static void print_slaves(const struct fl_api_get_agents *g)
{
	struct totals t = {0};
	size_t by_state[FL_SLAVE_GONE + 1] = {0};

	for (size_t i = 0; i < g->n_agents; i++) {
		const struct fl_api_slave *s = &g->agents[i];
		if (s->state > 0 && s->state <= FL_SLAVE_GONE)
			by_state[s->state]++;
		if (s->state != FL_SLAVE_REGISTERED)
			continue;
		add(t.total, s->total_resources, s->n_total_resources);
		add(t.allocated, s->allocated_resources, s->n_allocated_resources);
		add(t.offered, s->offered_resources, s->n_offered_resources);
	}
	print_field("slaves", "%zu registered, %zu disconnected, %zu unreachable, %zu awaited", by_state[FL_SLAVE_REGISTERED],
	            by_state[FL_SLAVE_DISCONNECTED], by_state[FL_SLAVE_UNREACHABLE], g->n_recovered_agents);
	for (size_t k = 0; k < ARRAY_SIZE(shown); k++) {
		bool mib = k > 0;
		print_field(shown[k], "%s of %s allocated, %s offered", mib ? text_mib(t.allocated[k]) : text_milli(t.allocated[k]),
		            mib ? text_mib(t.total[k]) : text_milli(t.total[k]),
		            mib ? text_mib(t.offered[k]) : text_milli(t.offered[k]));
	}
}

static void print_frameworks(const struct fl_api_get_frameworks *g)
{
	size_t connected = 0;
	for (size_t i = 0; i < g->n_frameworks; i++)
		connected += g->frameworks[i].connected;
	print_field("frameworks", "%zu connected, %zu away, %zu ended", connected, g->n_frameworks - connected,
	            g->n_completed_frameworks);
}

static void print_tasks(const struct fl_api_get_tasks *g)
{
	size_t running = 0;
	for (size_t i = 0; i < g->n_tasks; i++)
		running += g->tasks[i].state == FL_TASK_RUNNING;
	print_field("tasks", "%zu running, %zu starting or ending, %zu unreachable, %zu ended", running, g->n_tasks - running,
	            g->n_unreachable_tasks, g->n_completed_tasks);
}

/* One answer at a time: each lives until the next call. */
static int print_page(struct client *c, bool json)
{
	static const enum fl_api_type parts[] = {FL_API_GET_MASTER, FL_API_GET_AGENTS, FL_API_GET_FRAMEWORKS,
	                                         FL_API_GET_TASKS};
	int exit_code = EXIT_OK;

	for (size_t i = 0; i < ARRAY_SIZE(parts); i++) {
		const struct fl_api_response *r = client_get(c, parts[i], &exit_code);
		if (!r)
			return exit_code;
		if (json)
			print_json(&rec_api_response, r);
		else if (r->get_master && r->get_master->master_info)
			print_master(r->get_master);
		else if (r->get_agents)
			print_slaves(r->get_agents);
		else if (r->get_frameworks)
			print_frameworks(r->get_frameworks);
		else if (r->get_tasks)
			print_tasks(r->get_tasks);
	}
	return exit_code;
}

int cmd_status(struct args *args)
{
	int exit_code = EXIT_OK;
	enum output_format format;
	struct client *c;

	if ((exit_code = output_format(args, &format)) || !(c = client_create(args, &exit_code)))
		return exit_code;
	exit_code = print_page(c, format != OUTPUT_TABLE);
	client_destroy(c);
	return exit_code;
}
