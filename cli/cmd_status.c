/* status: the cluster on one page. */
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cli/client.h"
#include "cli/output.h"
#include "cli/verb.h"
#include "msg/codec.h"

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
	print_field("slaves", "%zu registered, %zu disconnected, %zu unreachable, %zu awaited",
	            by_state[FL_SLAVE_REGISTERED], by_state[FL_SLAVE_DISCONNECTED], by_state[FL_SLAVE_UNREACHABLE],
	            g->n_recovered_agents);
	for (size_t k = 0; k < ARRAY_SIZE(shown); k++) {
		bool mib = k > 0;
		print_field(shown[k], "%s of %s allocated, %s offered",
		            mib ? text_mib(t.allocated[k]) : text_milli(t.allocated[k]),
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
	print_field("tasks", "%zu running, %zu starting or ending, %zu unreachable, %zu ended", running,
	            g->n_tasks - running, g->n_unreachable_tasks, g->n_completed_tasks);
}

static void print_page(const struct fl_cluster_status *s)
{
	if (s->master && s->master->master_info)
		print_master(s->master);
	if (s->slaves)
		print_slaves(s->slaves);
	if (s->frameworks)
		print_frameworks(s->frameworks);
	if (s->tasks)
		print_tasks(s->tasks);
}

/* An answer lives until the next call: each is copied. */
static int gather(struct client *c, struct zone *zone, struct fl_cluster_status *ret)
{
	int exit_code = EXIT_OK;
	const struct fl_api_response *r;

	if (!(r = client_get(c, FL_API_GET_MASTER, &exit_code)))
		return exit_code;
	ret->master = codec_copy(&rec_api_get_master, r->get_master, zone);
	if (!(r = client_get(c, FL_API_GET_AGENTS, &exit_code)))
		return exit_code;
	ret->slaves = codec_copy(&rec_api_get_agents, r->get_agents, zone);
	if (!(r = client_get(c, FL_API_GET_FRAMEWORKS, &exit_code)))
		return exit_code;
	ret->frameworks = codec_copy(&rec_api_get_frameworks, r->get_frameworks, zone);
	if (!(r = client_get(c, FL_API_GET_TASKS, &exit_code)))
		return exit_code;
	ret->tasks = codec_copy(&rec_api_get_tasks, r->get_tasks, zone);
	return EXIT_OK;
}

int cmd_status(struct args *args)
{
	_cleanup_zone_ struct zone *zone = zone_create();
	struct fl_cluster_status status = {0};
	int exit_code = EXIT_OK;
	enum output_format format;
	struct client *c;

	if ((exit_code = output_format(args, &format)) || !(c = client_create(args, &exit_code)))
		return exit_code;
	exit_code = gather(c, zone, &status);
	if (exit_code == EXIT_OK && format == OUTPUT_TABLE)
		print_page(&status);
	else if (exit_code == EXIT_OK)
		print_json(&rec_cluster_status, &status);
	client_destroy(c);
	return exit_code;
}
