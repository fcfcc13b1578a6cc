/* cgroup v2: one hierarchy for all controllers that v1 does not hold. */
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "slave/container/cgroup_backend.h"

#define WEIGHT_PER_CPU 100
#define LEAF "/.slave"

/* Enables in path's children what h has. */
static int hand_down(struct hierarchy *h, const char *path, struct err *err)
{
	static const struct {
		enum controller controller;
		const char *enable;
	} wanted[] = {{CONTROLLER_CPU, "+cpu"}, {CONTROLLER_MEMORY, "+memory"}, {CONTROLLER_PIDS, "+pids"}};

	for (size_t i = 0; i < sizeof(wanted) / sizeof(wanted[0]); i++) {
		if (!h->has[wanted[i].controller])
			continue;
		int r = hierarchy_write(h, path, "cgroup.subtree_control", wanted[i].enable);
		if (r == -EBUSY)
			return err_set(err, EBUSY, "%s%s holds processes, so that it cannot hand controllers down",
			               h->mount, path);
		if (r < 0)
			return err_set(err, -r, "cgroup.subtree_control of %s%s: %s: %s", h->mount, path,
			               wanted[i].enable, strerror(-r));
	}
	return 0;
}

static int make(struct hierarchy *h, const char *path, struct err *err)
{
	if (mkdirat(h->fd, path + 1, 0755) < 0 && errno != EEXIST)
		return err_set(err, errno, "making %s%s: %s", h->mount, path, strerror(errno));
	return 0;
}

/* A cgroup with processes cannot hand controllers down, and we may be in one that has to: out of the way first. */
static int v2_prepare(struct hierarchy *h, const char *root, struct err *err)
{
	char path[256];
	int r = make(h, root, err);

	snprintf(path, sizeof(path), "%s" LEAF, root);
	if (r == 0)
		r = make(h, path, err);
	if (r == 0 && (r = hierarchy_write(h, path, "cgroup.procs", "0")) < 0)
		return err_set(err, -r, "moving the slave into %s%s: %s", h->mount, path, strerror(-r));
	for (size_t i = 0; r == 0 && root[i]; i++) {
		if (root[i] != '/')
			continue;
		snprintf(path, sizeof(path), "%.*s", (int)i, root);
		r = hand_down(h, path, err);
	}
	return r == 0 ? hand_down(h, root, err) : r;
}

static int apply_cpu(struct hierarchy *h, const char *path, const struct cgroup_limits *l, struct err *err)
{
	int64_t weight = l->cpus_milli * WEIGHT_PER_CPU / 1000;
	int64_t quota = cgroup_quota_us(l);
	char text[64], got[64];

	weight = weight < 1 ? 1 : weight > 10000 ? 10000 : weight; /* what the kernel takes */
	int r = hierarchy_write_int(h, path, "cpu.weight", weight);
	if (r < 0)
		return hierarchy_fail(r, "cpu", "cpu.weight", weight, err);
	if (quota)
		snprintf(text, sizeof(text), "%lld %d", (long long)quota, CGROUP_PERIOD_US);
	else
		snprintf(text, sizeof(text), "max %d", CGROUP_PERIOD_US);
	r = hierarchy_write(h, path, "cpu.max", text);
	if (r == 0)
		r = hierarchy_read(h, path, "cpu.max", got, sizeof(got));
	if (r == 0 && strcmp(text, got) != 0)
		r = -EIO;
	return r < 0 ? hierarchy_fail(r, "cpu", "cpu.max", quota, err) : 0;
}

static int set_memory(struct hierarchy *h, const char *path, const char *file, int64_t bytes, struct err *err)
{
	int64_t got;
	int r = bytes ? hierarchy_write_int(h, path, file, bytes) : hierarchy_write(h, path, file, "max");

	if (r == 0)
		r = hierarchy_read_int(h, path, file, &got);
	if (r == 0 && bytes && (got > bytes || got + 65536 <= bytes)) /* pages of up to 64 KiB */
		r = -EIO;
	return r < 0 ? hierarchy_fail(r, "memory", file, bytes, err) : 0;
}

static int apply_memory(struct hierarchy *h, const char *path, const struct cgroup_limits *l, struct err *err)
{
	int64_t used;

	/* v1 refuses such a limit; v2 would kill. */
	if (l->mem_bytes && hierarchy_read_int(h, path, "memory.current", &used) == 0 && used > l->mem_bytes)
		return hierarchy_fail(-EBUSY, "memory", "memory.max", l->mem_bytes, err);
	int r = set_memory(h, path, "memory.max", l->mem_bytes, err);
	if (r == 0 && hierarchy_has_file(h, path, "memory.swap.max") &&
	    (r = hierarchy_write(h, path, "memory.swap.max", "0")) < 0)
		return hierarchy_fail(r, "memory", "memory.swap.max", 0, err);
	/* The soft limit: what it asked for is protected, what it has above that goes first. */
	if (r == 0 && l->mem_request_bytes)
		r = set_memory(h, path, "memory.low", l->mem_request_bytes, err);
	return r;
}

static int v2_apply(struct hierarchy *h, const char *path, const struct cgroup_limits *l, struct err *err)
{
	int r = 0;

	if (h->has[CONTROLLER_CPU])
		r = apply_cpu(h, path, l, err);
	if (r == 0 && h->has[CONTROLLER_MEMORY])
		r = apply_memory(h, path, l, err);
	if (r == 0 && h->has[CONTROLLER_PIDS] && l->pids) {
		r = hierarchy_write_int(h, path, "pids.max", l->pids);
		if (r < 0)
			return hierarchy_fail(r, "pids", "pids.max", l->pids, err);
	}
	return r;
}

static void v2_usage(struct hierarchy *h, const char *path, struct cgroup_usage *ret)
{
	int64_t us;

	if (h->has[CONTROLLER_CPUACCT] && hierarchy_read_key(h, path, "cpu.stat", "usage_usec", &us) == 0)
		ret->cpu_ns = us * 1000;
	if (h->has[CONTROLLER_PIDS])
		hierarchy_read_int(h, path, "pids.current", &ret->pids);
	if (!h->has[CONTROLLER_MEMORY])
		return;
	hierarchy_read_int(h, path, "memory.current", &ret->mem_bytes);
	hierarchy_read_int(h, path, "memory.peak", &ret->mem_peak_bytes); /* Linux 5.19 */
	hierarchy_read_int(h, path, "memory.max", &ret->mem_limit_bytes);
	hierarchy_read_key(h, path, "memory.events", "oom_kill", &ret->oom_kills);
}

static void v2_freeze(struct hierarchy *h, const char *path, bool frozen)
{
	hierarchy_write(h, path, "cgroup.freeze", frozen ? "1" : "0");
}

static bool v2_kill(struct hierarchy *h, const char *path)
{
	return hierarchy_write(h, path, "cgroup.kill", "1") == 0; /* Linux 5.14 */
}

const struct cgroup_backend cgroup_v2 = {
	.version = 2,
	.prepare = v2_prepare,
	.apply = v2_apply,
	.usage = v2_usage,
	.freeze = v2_freeze,
	.kill = v2_kill,
};
