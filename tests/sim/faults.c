/* Each seed has its own mixture: a few kinds of faults, each with its own pace. */
#include "faults.h"

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "world.h"

static bool stopped;

static struct host *some_host(void) /* not ZooKeeper, which is first */
{
	return &world.hosts[world_between(1, world.n_hosts - 1)];
}

static int64_t short_or_long(void)
{
	return world_chance(700) ? world_between(10, 2000) * SIM_MS : world_between(2, 20) * SIM_S;
}

static void boot(void *user)
{
	if (!stopped)
		sim_boot(user);
}

static void kill_now(void)
{
	struct host *h = some_host();

	sim_kill(h);
	world_after(NULL, short_or_long(), boot, h);
}

static void check_on_killed(void *user)
{
	struct host *h = user;

	if (h->process && h->process->die_at_call)
		h->process->die_at_call = 0; /* it never came so far */
	else
		boot(h);
}

/* Dies in the middle of something: inside one of its next calls to the outside. */
static void kill_inside(void)
{
	struct host *h = some_host();

	if (!h->process)
		return;
	h->process->die_at_call = h->process->seam_calls + (uint64_t)world_between(1, 60);
	world_after(NULL, short_or_long() + SIM_S, check_on_killed, h);
}

static void reboot(void)
{
	struct host *h = some_host();

	sim_reboot(h);
	world_after(NULL, short_or_long(), boot, h);
}

struct cut {
	int from, to;
};

static void mend(void *user)
{
	struct cut *c = user;

	world.cut[c->from][c->to] = false;
	world_trace("sim.mend from=%s to=%s", world.hosts[c->from].name, world.hosts[c->to].name);
	free(c);
}

static void cut_way(int from, int to, int64_t us)
{
	struct cut *c = xmalloc(sizeof(*c));

	*c = (struct cut){from, to};
	world.cut[from][to] = true;
	world_trace("sim.cut from=%s to=%s ms=%lld", world.hosts[from].name, world.hosts[to].name,
	            (long long)(us / SIM_MS));
	world_after(NULL, us, mend, c);
}

static void cut_pair(void)
{
	int a = (int)world_below((uint64_t)world.n_hosts), b = (int)world_below((uint64_t)world.n_hosts);
	int64_t us = short_or_long();

	if (a == b)
		return;
	cut_way(a, b, us);
	if (world_chance(700))
		cut_way(b, a, us);
}

/* One machine against all others, each way mended at its own time. */
static void isolate(void)
{
	int a = some_host()->index;
	int64_t us = short_or_long();

	for (int b = 0; b < world.n_hosts; b++) {
		if (b == a)
			continue;
		cut_way(a, b, us + world_between(0, SIM_S));
		cut_way(b, a, us + world_between(0, SIM_S));
	}
}

static void pause_host(void)
{
	sim_pause(some_host(), short_or_long());
}

static void drop_zk(void)
{
	zk_drop_connection(some_host());
}

static void zk_up(void *user)
{
	if (!stopped)
		zk_server_set_down(false);
}

static void zk_down(void)
{
	zk_server_set_down(true);
	world_after(NULL, short_or_long(), zk_up, NULL);
}

static void disk_well(void *user)
{
	struct host *h = user;

	h->disk_full = false;
	h->disk_slow_us = 0;
}

static void disk_ill(void)
{
	struct host *h = some_host();

	if (world_chance(500))
		h->disk_full = true;
	else
		h->disk_slow_us = world_between(10 * SIM_MS, SIM_S);
	world_trace("sim.disk host=%s full=%d slow_ms=%lld", h->name, h->disk_full,
	            (long long)(h->disk_slow_us / SIM_MS));
	world_after(NULL, short_or_long(), disk_well, h);
}

static void change_net(void)
{
	world.net = (struct net_faults){
		.lose = world_chance(500) ? (int)world_between(0, 30) : 0,
		.duplicate = world_chance(500) ? (int)world_between(0, 200) : 0,
		.reorder = world_chance(500) ? (int)world_between(0, 200) : 0,
		.slow = world_chance(500) ? (int)world_between(0, 200) : 0,
		.replay = world_chance(300) ? (int)world_between(0, 200) : 0,
	};
	world_trace("sim.net lose=%d duplicate=%d reorder=%d slow=%d replay=%d", world.net.lose, world.net.duplicate,
	            world.net.reorder, world.net.slow, world.net.replay);
}

static const struct kind {
	const char *name;
	void (*fn)(void);
	int every_ms; /* about */
} kinds[] = {
	{"kill", kill_now, 6000},   {"kill_inside", kill_inside, 5000}, {"reboot", reboot, 20000},
	{"cut", cut_pair, 3000},    {"isolate", isolate, 12000},        {"pause", pause_host, 5000},
	{"zk_drop", drop_zk, 4000}, {"zk_down", zk_down, 15000},        {"disk", disk_ill, 6000},
	{"net", change_net, 5000},
};

static void next(const struct kind *k);

static void strike(void *user)
{
	const struct kind *k = user;

	if (stopped)
		return;
	k->fn();
	next(k);
}

static void next(const struct kind *k)
{
	world_after(NULL, world_between(k->every_ms / 4, k->every_ms * 2) * SIM_MS, strike, (void *)k);
}

void faults_start(void)
{
	/* Some seeds have all kinds, some have none, most have a few. */
	int chance = (int)world_below(4) * 333;

	stopped = false;
	for (size_t i = 0; i < ARRAY_SIZE(kinds); i++) {
		if (!world_chance(chance))
			continue;
		world_trace("sim.faults kind=%s", kinds[i].name);
		next(&kinds[i]);
	}
	if (chance && world_chance(300))
		world.launch_failures = (int)world_between(0, 200);
}

void faults_stop(void)
{
	world_trace("sim.calm");
	stopped = true;
	world.calm = true;
	world.net = (struct net_faults){0};
	world.launch_failures = 0;
	memset(world.cut, 0, sizeof(world.cut));
	zk_server_set_down(false);
	for (int i = 1; i < world.n_hosts; i++) {
		struct host *h = &world.hosts[i];
		disk_well(h);
		if (h->process) {
			h->process->die_at_call = 0;
			if (h->process->paused_until_us > world.now_us)
				h->process->paused_until_us = world.now_us;
		}
		sim_boot(h);
	}
}
