/* Scenario: a whole cluster, of the shipping master, slave and SDK. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "check.h"
#include "drf/drf.h"
#include "framework.h"
#include "master/conf.h"
#include "master/master.h"
#include "scenario.h"
#include "slave/conf.h"
#include "slave/slave.h"
#include "world.h"

static struct {
	struct host *hosts[SIM_MAX_HOSTS]; /* frameworks */
	int n;
} frameworks;

static void set(const struct conf_table *table, void *conf, const char *name, const char *value)
{
	struct err err = {0};

	if (conf_set(table, conf, name, value, &err) < 0)
		world_fail("%s", err.text);
}

/* ---- masters ---- */

static void start_master(struct host *h)
{
	struct master_conf *conf = xcalloc(1, sizeof(*conf));
	struct err err = {0};

	conf_defaults(&master_conf_table, conf);
	set(&master_conf_table, conf, "registry", "zk://zk:2181/fairlead");
	set(&master_conf_table, conf, "ip", h->ip);
	set(&master_conf_table, conf, "hostname", h->name);
	set(&master_conf_table, conf, "offer_timeout", h->user);
	struct master *m = master_create(h->process, conf, &err);
	if (!m)
		world_fail("master_create: %s", err.text);
	h->process->object = m;
}

/* ---- slaves ---- */

static void boot_again(void *user)
{
	sim_boot(user);
}

static void start_slave(struct host *h)
{
	struct slave_conf *conf = xcalloc(1, sizeof(*conf));
	struct err err = {0};

	conf_defaults(&slave_conf_table, conf);
	set(&slave_conf_table, conf, "master", "zk://zk:2181/fairlead");
	set(&slave_conf_table, conf, "ip", h->ip);
	set(&slave_conf_table, conf, "hostname", h->name);
	set(&slave_conf_table, conf, "work_dir", "/var/lib/fairlead/slave");
	set(&slave_conf_table, conf, "runtime_dir", "/run/fairlead");
	set(&slave_conf_table, conf, "resources", h->user);
	struct slave *s = slave_create(h->process, conf, &err);
	h->process->object = s;
	if (s)
		return;
	world_trace("slave_create: %s", err.text);
	if (!h->disk_full)
		world_fail("slave_create: %s", err.text);
	world_after(NULL, 5 * SIM_S, boot_again, h);
	loop_stop(h->process);
}

static bool is(const struct host *h, void (*start)(struct host *h))
{
	return h->start == start;
}

static void check_process(struct loop *l)
{
	struct err err = {0};

	if (!l->object)
		return;
	if (is(l->host, start_master) && master_check(l->object, &err) < 0)
		world_fail("master_check: %s", err.text);
	if (is(l->host, start_slave) && slave_check(l->object, &err) < 0)
		world_fail("slave_check: %s", err.text);
}

/* ---- I7: the grant law ---- */

struct drf *__real_drf_create(uint64_t seed);
struct drf *__wrap_drf_create(uint64_t seed);

struct role_share {
	const char *name;
	int64_t num, den;
};

static void find_role(void *user, const struct drf_role_info *info)
{
	struct role_share *r = user;

	if (!strcmp(r->name, info->name)) {
		r->num = info->share_num;
		r->den = info->share_den;
	}
}

__extension__ typedef __int128 wide;

static bool less(int64_t a_num, int64_t a_den, int64_t b_num, int64_t b_den)
{
	if (!a_den || !b_den)
		return false;
	return (wide)a_num * b_den < (wide)b_num * a_den;
}

/* Roles are flat here: of two clients the one whose role has the lower share goes first, and within a role the one whose
 * own share is lower. */
static void audit(void *user, drf_id slave, drf_id granted, const drf_id *eligible, size_t n)
{
	struct drf *d = user;
	struct role_share role = {.name = drf_client_role(d, granted)};
	int64_t num, den;

	drf_roles(d, find_role, &role);
	if (!drf_client_share(d, granted, &num, &den))
		world_fail("I7: a grant to a client that is not there");
	for (size_t i = 0; i < n; i++) {
		struct role_share other = {.name = drf_client_role(d, eligible[i])};
		int64_t other_num, other_den;
		drf_roles(d, find_role, &other);
		drf_client_share(d, eligible[i], &other_num, &other_den);
		bool first = !strcmp(role.name, other.name) ? less(other_num, other_den, num, den)
		                                            : less(other.num, other.den, role.num, role.den);
		if (first)
			world_fail("I7: a grant to %s (%s), but %s (%s) has a lower share",
			           drf_client_framework(d, granted), role.name, drf_client_framework(d, eligible[i]),
			           other.name);
	}
}

struct drf *__wrap_drf_create(uint64_t seed)
{
	struct drf *d = __real_drf_create(seed);

	drf_set_audit(d, audit, d);
	return d;
}

/* ---- the scenario ---- */

static struct host *make_host(const char *kind, int i, void (*start)(struct host *h), void *user)
{
	char name[16];

	snprintf(name, sizeof(name), "%s%d", kind, i);
	return sim_host_create(name, start, user);
}

static void setup(void)
{
	int n_masters = (int)world_between(1, 3), n_slaves = (int)world_between(1, 5);
	const char *offer_timeout = world_chance(500) ? "30s" : "2s";

	check_reset();
	frameworks.n = (int)world_between(1, 4);
	for (int i = 1; i <= n_masters; i++)
		sim_boot(make_host("m", i, start_master, (void *)offer_timeout));
	for (int i = 1; i <= n_slaves; i++) {
		int cpus = (int)world_between(2, 8);
		struct host *h = make_host("s", i, start_slave, xasprintf("cpus:%d;mem:%d", cpus, 2048 * cpus));
		h->capacity_cpus_milli = cpus * 1000;
		h->capacity_mem_bytes = (2048ll * cpus) << 20;
		sim_boot(h);
	}
	for (int i = 0; i < frameworks.n; i++) {
		char name[16];
		snprintf(name, sizeof(name), "f%d", i + 1);
		frameworks.hosts[i] = framework_create(name, world_chance(500) ? "a" : "b", (int)world_between(1, 30));
	}
	world.after_turn = check_process;
	world.on_frame = check_frame;
	world.order_term = check_order_term;
	world.on_container = check_container;
}

static bool done(void)
{
	for (int i = 0; i < frameworks.n; i++)
		if (!framework_done(frameworks.hosts[i]))
			return false;
	return true;
}

static void explain(void)
{
	for (int i = 0; i < frameworks.n; i++)
		framework_explain(frameworks.hosts[i]);
}

const struct scenario scenario_cluster = {
	.name = "cluster",
	.doc = "masters, slaves and frameworks that run their jobs to completion",
	.setup = setup,
	.done = done,
	.explain = explain,
	.fault_us = 60 * SIM_S,
	.limit_us = 700 * SIM_S,
};
