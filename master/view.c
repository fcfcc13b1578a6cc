#include "master/view.h"

#include "base/list.h"
#include "base/str.h"
#include "master/core.h"
#include "master/framework.h"
#include "master/leader.h"
#include "master/offer.h"
#include "master/slave.h"
#include "master/task.h"

/* ---- slaves ---- */

static void sum_tasks(const struct list *by_slave, struct resources *ret, int64_t *ret_n)
{
	struct task *t;

	LIST_FOREACH (t, by_slave, struct task, by_slave) {
		if (sm_state(&t->sm) != TASK_LIVE)
			continue;
		resources_add(ret, &t->resources);
		++*ret_n;
	}
}

static void view_agent(const struct slave *s, struct zone *zone, struct fl_api_slave *ret)
{
	const struct fl_slave_info *info = s->info.rec;
	struct resources allocated = {0}, offered = {0};
	struct offer *o;

	*ret = (struct fl_api_slave){
		.slave_info = s->info.rec,
		.active = slave_connected(s),
		.version = s->version,
		.pid = zone_printf(zone, "slave(1)@%s:%lld", info->ip ? info->ip : "", (long long)info->port),
		.registered_time_ns = s->registered_wall_ns,
		.has_registered_time_ns = s->registered_wall_ns != 0,
		.reregistered_time_ns = s->reregistered_wall_ns,
		.has_reregistered_time_ns = s->reregistered_wall_ns != 0,
		.state = slave_state(s),
		.has_tasks = true,
	};
	sum_tasks(&s->tasks, &allocated, &ret->tasks);
	LIST_FOREACH (o, &s->offers, struct offer, by_slave)
		resources_add(&offered, &o->resources);
	resources_to_wire(&s->total, zone, &ret->total_resources, &ret->n_total_resources);
	resources_to_wire(&allocated, zone, &ret->allocated_resources, &ret->n_allocated_resources);
	resources_to_wire(&offered, zone, &ret->offered_resources, &ret->n_offered_resources);
	resources_fini(&allocated);
	resources_fini(&offered);
}

void view_agents(const struct master *m, struct zone *zone, struct fl_api_get_agents *ret)
{
	struct slave *s;

	ret->agents = zone_alloc(zone, m->slaves.count * sizeof(*ret->agents));
	ret->recovered_agents = zone_alloc(zone, m->slaves.count * sizeof(*ret->recovered_agents));
	HASH_FOREACH (s, &m->slaves, struct slave, node) {
		if (slave_recovering(s))
			ret->recovered_agents[ret->n_recovered_agents++] = *(struct fl_slave_info *)s->info.rec;
		else
			view_agent(s, zone, &ret->agents[ret->n_agents++]);
	}
}

/* ---- frameworks ---- */

static void view_framework(const struct framework *f, struct zone *zone, struct fl_api_framework *ret)
{
	struct resources allocated = {0}, offered = {0};
	struct task *t;
	struct offer *o;

	*ret = (struct fl_api_framework){
		.framework_info = f->info.rec,
		.active = framework_connected(f),
		.connected = framework_connected(f),
		.recovered = sm_state(&f->sm) == FRAMEWORK_RECOVERED,
		.registered_time_ns = f->registered_wall_ns,
		.has_registered_time_ns = true,
		.reregistered_time_ns = f->reregistered_wall_ns,
		.has_reregistered_time_ns = f->reregistered_wall_ns != 0,
		.unregistered_time_ns = f->unregistered_wall_ns,
		.has_unregistered_time_ns = f->unregistered_wall_ns != 0,
		.has_tasks = true,
	};
	LIST_FOREACH (t, &f->tasks, struct task, by_framework) {
		ret->tasks += sm_state(&t->sm) != TASK_ENDED;
		if (sm_state(&t->sm) == TASK_LIVE)
			resources_add(&allocated, &t->resources);
	}
	LIST_FOREACH (o, &f->offers, struct offer, by_framework)
		resources_add(&offered, &o->resources);
	resources_to_wire(&allocated, zone, &ret->allocated_resources, &ret->n_allocated_resources);
	resources_to_wire(&offered, zone, &ret->offered_resources, &ret->n_offered_resources);
	resources_fini(&allocated);
	resources_fini(&offered);
}

void view_frameworks(const struct master *m, struct zone *zone, struct fl_api_get_frameworks *ret)
{
	struct framework *f;

	ret->frameworks = zone_alloc(zone, m->frameworks.count * sizeof(*ret->frameworks));
	ret->completed_frameworks = zone_alloc(zone, m->frameworks.count * sizeof(*ret->completed_frameworks));
	HASH_FOREACH (f, &m->frameworks, struct framework, node)
		if (sm_state(&f->sm) != FRAMEWORK_REMOVED)
			view_framework(f, zone, &ret->frameworks[ret->n_frameworks++]);
		else if (!list_linked(&f->removed_node)) /* its tasks are still ending */
			view_framework(f, zone, &ret->completed_frameworks[ret->n_completed_frameworks++]);
	LIST_FOREACH (f, &m->removed, struct framework, removed_node)
		view_framework(f, zone, &ret->completed_frameworks[ret->n_completed_frameworks++]);
}

/* ---- tasks ---- */

void view_tasks(const struct master *m, struct zone *zone, struct fl_api_get_tasks *ret)
{
	size_t n_completed = 0;
	struct framework *f;
	struct task *t;

	HASH_FOREACH (f, &m->frameworks, struct framework, node)
		n_completed += f->n_completed;
	ret->tasks = zone_alloc(zone, m->tasks.count * sizeof(*ret->tasks));
	ret->unreachable_tasks = zone_alloc(zone, m->tasks.count * sizeof(*ret->unreachable_tasks));
	ret->completed_tasks = zone_alloc(zone, n_completed * sizeof(*ret->completed_tasks));
	HASH_FOREACH (t, &m->tasks, struct task, node)
		if (sm_state(&t->sm) == TASK_UNREACHABLE)
			task_to_wire(t, zone, &ret->unreachable_tasks[ret->n_unreachable_tasks++]);
		else
			task_to_wire(t, zone, &ret->tasks[ret->n_tasks++]);
	HASH_FOREACH (f, &m->frameworks, struct framework, node)
		LIST_FOREACH (t, &f->completed, struct task, by_framework)
			task_to_wire(t, zone, &ret->completed_tasks[ret->n_completed_tasks++]);
}

/* ---- roles ---- */

struct roles_view {
	const struct master *m;
	struct zone *zone;
	struct fl_api_get_roles *ret;
	size_t capacity;
};

static bool in_role(const struct framework *f, const char *role)
{
	struct client *c;

	LIST_FOREACH (c, &f->clients, struct client, node)
		if (c->subscribed && str_equal(c->role, role))
			return true;
	return false;
}

/* num * 1000 / den without passing 64 bits; to look at, not to compare. */
static int64_t thousandths(int64_t num, int64_t den)
{
	return num / den * 1000 + (num % den > INT64_MAX / 1000 ? num % den / (den / 1000) : num % den * 1000 / den);
}

static void on_role(void *user, const struct drf_role_info *info)
{
	struct roles_view *v = user;
	struct fl_api_role *role;
	struct framework *f;

	if (v->ret->n_roles == v->capacity) {
		size_t capacity = v->capacity ? 2 * v->capacity : 32;
		struct fl_api_role *more = zone_alloc(v->zone, capacity * sizeof(*more));

		for (size_t i = 0; i < v->ret->n_roles; i++)
			more[i] = v->ret->roles[i];
		v->ret->roles = more;
		v->capacity = capacity;
	}
	role = &v->ret->roles[v->ret->n_roles++];
	*role = (struct fl_api_role){
		.name = zone_strdup(v->zone, info->name), .weight = info->weight_milli, .has_share = true};
	if (info->share_den > 0)
		role->share = thousandths(info->share_num, info->share_den);
	if (info->held)
		resources_to_wire(info->held, v->zone, &role->resources, &role->n_resources);
	role->frameworks = zone_alloc(v->zone, v->m->frameworks.count * sizeof(*role->frameworks));
	HASH_FOREACH (f, &v->m->frameworks, struct framework, node)
		if (in_role(f, info->name))
			role->frameworks[role->n_frameworks++] = f->id;
}

void view_roles(const struct master *m, struct zone *zone, struct fl_api_get_roles *ret)
{
	struct roles_view v = {.m = m, .zone = zone, .ret = ret};

	drf_roles(m->drf, on_role, &v);
}

/* ---- offers, the master itself ---- */

void view_offers(const struct master *m, struct zone *zone, struct fl_api_get_offers *ret)
{
	int64_t now_ms = loop_now_ms(m->loop);
	struct offer *o;

	ret->offers = zone_alloc(zone, m->offers.count * sizeof(*ret->offers));
	HASH_FOREACH (o, &m->offers, struct offer, node) {
		struct fl_api_offer *out = &ret->offers[ret->n_offers++];

		out->offer = zone_alloc(zone, sizeof(*out->offer));
		offer_to_wire(o, zone, out->offer);
		out->role = o->role;
		out->age_ns = (now_ms - o->made_ms) * 1000000;
	}
}

void view_master(const struct master *m, struct zone *zone, struct fl_api_get_master *ret)
{
	*ret = (struct fl_api_get_master){
		.master_info = m->self.rec,
		.start_time_ns = m->started_wall_ns,
		.has_start_time_ns = true,
		.elected_time_ns = m->elected_wall_ns,
		.has_elected_time_ns = m->elected_wall_ns != 0,
		.epoch = m->epoch.rec,
	};
}

void view_version(const struct master *m, struct zone *zone, struct fl_version_info *ret)
{
	*ret = (struct fl_version_info){
		.version = FAIRLEAD_VERSION,
		.program = "fairlead-master",
		.cluster = m->conf->cluster,
		.leader = (void *)leader_info(m),
		.has_leading = true,
		.leading = leader_leading(m),
		.epoch = m->epoch.rec,
	};
}
