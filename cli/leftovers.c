#include "cli/leftovers.h"

#include <glob.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <sys/types.h>
#include <time.h>
#include <unistd.h>

#include "base/mem.h"

#define POLL_MS 10

/* v2 at the root, v1 one level below it; in each the containers' cgroups, then the slave's own. */
static const struct {
	const char *before, *after;
} forms[] = {
	{"/sys/fs/cgroup/", "*/*/"},
	{"/sys/fs/cgroup/", "*/"},
	{"/sys/fs/cgroup/*/", "*/*/"},
	{"/sys/fs/cgroup/*/", "*/"},
};

static size_t kill_all_in(const char *cgroup)
{
	_cleanup_free_ char *path = xasprintf("%s/cgroup.procs", cgroup);
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	size_t n = 0;
	long pid;

	while (f && fscanf(f, "%ld", &pid) == 1)
		if (pid > 1 && kill((pid_t)pid, SIGKILL) == 0)
			n++;
	return n;
}

/* One pass over all cgroups. Tells whether any is left. */
static bool sweep(const char *prefix, size_t *n_killed)
{
	bool left = false;

	for (size_t i = 0; i < ARRAY_SIZE(forms); i++) {
		char pattern[256];
		glob_t found = {0};

		snprintf(pattern, sizeof(pattern), "%s%s%s", forms[i].before, prefix, forms[i].after);
		if (glob(pattern, 0, NULL, &found) == 0)
			for (size_t k = 0; k < found.gl_pathc; k++) {
				*n_killed += kill_all_in(found.gl_pathv[k]);
				left |= rmdir(found.gl_pathv[k]) < 0;
			}
		globfree(&found);
	}
	return left;
}

size_t leftovers_end(const char *prefix, int patience_ms)
{
	struct timespec t = {.tv_nsec = POLL_MS * 1000000L};
	size_t n = 0;

	for (int waited = 0; sweep(prefix, &n) && waited < patience_ms; waited += POLL_MS)
		nanosleep(&t, NULL);
	return n;
}
