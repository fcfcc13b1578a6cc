/* cgroup v1: one hierarchy for each controller, or for a few of them. */
#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "slave/container/cgroup_backend.h"

#define SHARES_PER_CPU 1024

static int v1_prepare(struct hierarchy *h, const char *root, struct err *err)
{
	(void)h, (void)root, (void)err;
	return 0;
}

static int apply_cpu(struct hierarchy *h, const char *path, const struct cgroup_limits *l, struct err *err)
{
	int64_t shares = l->cpus_milli * SHARES_PER_CPU / 1000;
	int64_t quota = cgroup_quota_us(l);

	quota = quota ? quota : -1;
	shares = shares < 2 ? 2 : shares > 262144 ? 262144 : shares; /* what the kernel takes */
	int r = hierarchy_write_int(h, path, "cpu.shares", shares);
	if (r < 0)
		return hierarchy_fail(r, "cpu", "cpu.shares", shares, err);
	r = hierarchy_write_int(h, path, "cpu.cfs_quota_us", quota); /* the period is 100 ms from the start */
	if (r < 0)
		return hierarchy_fail(r, "cpu", "cpu.cfs_quota_us", quota, err);
	int64_t got;
	r = hierarchy_read_int(h, path, "cpu.cfs_quota_us", &got);
	if (r < 0 || got != quota)
		return hierarchy_fail(r < 0 ? r : -EIO, "cpu", "cpu.cfs_quota_us", quota, err);
	return 0;
}

static int set_memory(struct hierarchy *h, const char *path, const char *file, int64_t bytes, struct err *err)
{
	int64_t got;
	int r = hierarchy_write_int(h, path, file, bytes);

	if (r == 0)
		r = hierarchy_read_int(h, path, file, &got);
	if (r == 0 && bytes >= 0 && (got > bytes || got + 65536 <= bytes)) /* pages of up to 64 KiB */
		r = -EIO;
	return r < 0 ? hierarchy_fail(r, "memory", file, bytes, err) : 0;
}

/* memsw must never be below the limit: raised before it, lowered after it. */
static int apply_memory(struct hierarchy *h, const char *path, const struct cgroup_limits *l, struct err *err)
{
	int64_t bytes = l->mem_bytes ? l->mem_bytes : -1, before = 0;
	bool swap = hierarchy_has_file(h, path, "memory.memsw.limit_in_bytes");
	int r = 0;

	hierarchy_read_int(h, path, "memory.limit_in_bytes", &before);
	bool raise = bytes < 0 || bytes > before;
	if (swap && raise)
		r = set_memory(h, path, "memory.memsw.limit_in_bytes", bytes, err);
	if (r == 0)
		r = set_memory(h, path, "memory.limit_in_bytes", bytes, err);
	if (r == 0 && swap && !raise)
		r = set_memory(h, path, "memory.memsw.limit_in_bytes", bytes, err);
	if (r == 0 && l->mem_request_bytes)
		r = set_memory(h, path, "memory.soft_limit_in_bytes", l->mem_request_bytes, err);
	return r;
}

static int v1_apply(struct hierarchy *h, const char *path, const struct cgroup_limits *l, struct err *err)
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

static void v1_usage(struct hierarchy *h, const char *path, struct cgroup_usage *ret)
{
	if (h->has[CONTROLLER_CPUACCT])
		hierarchy_read_int(h, path, "cpuacct.usage", &ret->cpu_ns);
	if (h->has[CONTROLLER_PIDS])
		hierarchy_read_int(h, path, "pids.current", &ret->pids);
	if (!h->has[CONTROLLER_MEMORY])
		return;
	hierarchy_read_int(h, path, "memory.usage_in_bytes", &ret->mem_bytes);
	hierarchy_read_int(h, path, "memory.max_usage_in_bytes", &ret->mem_peak_bytes);
	hierarchy_read_int(h, path, "memory.limit_in_bytes", &ret->mem_limit_bytes);
	hierarchy_read_key(h, path, "memory.oom_control", "oom_kill", &ret->oom_kills);
}

static void v1_freeze(struct hierarchy *h, const char *path, bool frozen)
{
	if (h->has[CONTROLLER_FREEZER])
		hierarchy_write(h, path, "freezer.state", frozen ? "FROZEN" : "THAWED");
}

static bool v1_kill(struct hierarchy *h, const char *path)
{
	(void)h, (void)path;
	return false;
}

const struct cgroup_backend cgroup_v1 = {
	.version = 1,
	.prepare = v1_prepare,
	.apply = v1_apply,
	.usage = v1_usage,
	.freeze = v1_freeze,
	.kill = v1_kill,
};
