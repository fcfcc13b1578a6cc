#include "slave/detect_resources.h"

#include <errno.h>
#include <string.h>
#include <sys/statvfs.h>
#include <sys/sysinfo.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "msg/resources.h"

#define MIB ((int64_t)1 << 20)
#define GIB ((int64_t)1 << 30)
#define DEFAULT_PORTS "ports:[31000-32000]"

void host_facts_read(const char *folder, struct host_facts *ret)
{
	struct sysinfo info;
	struct statvfs fs;
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);

	*ret = (struct host_facts){.cpus = cpus > 0 ? cpus : 0};
	if (sysinfo(&info) == 0)
		ret->mem_bytes = (int64_t)info.totalram * info.mem_unit;
	if (statvfs(folder, &fs) == 0)
		ret->disk_bytes = (int64_t)(fs.f_blocks / 1024 * fs.f_frsize) * 1024;
}

/* The machine keeps some for itself: so much, or half where there is little. In whole MiB, thousandths of them. */
static int64_t share_milli(int64_t total_bytes, int64_t plenty_bytes, int64_t kept_bytes)
{
	int64_t bytes = total_bytes >= plenty_bytes ? total_bytes - kept_bytes : total_bytes / 2;
	return bytes / MIB * 1000;
}

static bool named(const struct resources *r, const char *name)
{
	for (size_t i = 0; i < r->n_items; i++)
		if (!strcmp(r->items[i].name, name))
			return true;
	return false;
}

static void set_absent(struct resources *r, const char *name, int64_t milli)
{
	if (!named(r, name) && milli > 0)
		resources_set_scalar(r, name, milli < RESOURCES_MAX_MILLI ? milli : RESOURCES_MAX_MILLI);
}

int resources_of_host(const char *text, const struct host_facts *facts, struct resources *ret, struct err *err)
{
	struct resources r = {0}, ports = {0};

	if (*text && resources_parse(text, &r, err) < 0)
		return err_wrap(err, "--resources");
	set_absent(&r, "cpus", facts->cpus * 1000);
	set_absent(&r, "mem", share_milli(facts->mem_bytes, 2 * GIB, GIB));
	set_absent(&r, "disk", share_milli(facts->disk_bytes, 10 * GIB, 5 * GIB));
	if (!named(&r, "ports") && resources_parse(DEFAULT_PORTS, &ports, err) == 0)
		resources_add(&r, &ports);
	resources_fini(&ports);
	if (resources_scalar(&r, "cpus") <= 0 || resources_scalar(&r, "mem") <= 0) {
		resources_fini(&r);
		return err_set(err, EINVAL, "cpus and mem are needed: give them with --resources=cpus:4;mem:1024");
	}
	*ret = r;
	return 0;
}
