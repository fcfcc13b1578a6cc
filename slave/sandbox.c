#include "slave/sandbox.h"

#include "base/disk.h"
#include "base/mem.h"

char *sandbox_path(const char *key, const char *container_id)
{
	return xasprintf("%s/%s", key, container_id);
}

char *sandbox_host_path(const struct disk *d, const char *key, const char *container_id)
{
	return xasprintf("%s/" SANDBOX_FOLDER "/%s/%s", disk_root(d), key, container_id);
}
