#include "slave/container/cgroup.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "slave/container/cgroup_backend.h"

#define MOST_CPUS_MILLI 1000000000
#define MAX_HIERARCHIES (N_CONTROLLERS + 1)

static const char *const controller_names[] = {
	[CONTROLLER_CPU] = "cpu",   [CONTROLLER_CPUACCT] = "cpuacct", [CONTROLLER_MEMORY] = "memory",
	[CONTROLLER_PIDS] = "pids", [CONTROLLER_FREEZER] = "freezer",
};
static const bool required[N_CONTROLLERS] = {
	[CONTROLLER_CPU] = true, [CONTROLLER_MEMORY] = true, [CONTROLLER_PIDS] = true};

struct cgroups {
	char *root;
	struct hierarchy hierarchies[MAX_HIERARCHIES];
	size_t n;
};

#define FOREACH_HIERARCHY(h, c) for (struct hierarchy *h = (c)->hierarchies; h < (c)->hierarchies + (c)->n; h++)

/* ---- files ---- */

static int open_file(struct hierarchy *h, const char *path, const char *file, int flags)
{
	char name[512];

	if ((size_t)snprintf(name, sizeof(name), "%s/%s", path, file) >= sizeof(name))
		return -ENAMETOOLONG;
	int fd = openat(h->fd, name + 1, flags | O_CLOEXEC);
	return fd < 0 ? -errno : fd;
}

int hierarchy_write(struct hierarchy *h, const char *path, const char *file, const char *value)
{
	_cleanup_close_ int fd = open_file(h, path, file, O_WRONLY);

	if (fd < 0)
		return fd;
	ssize_t n = write(fd, value, strlen(value));
	return n < 0 ? -errno : 0;
}

int hierarchy_write_int(struct hierarchy *h, const char *path, const char *file, int64_t value)
{
	char text[32];

	snprintf(text, sizeof(text), "%" PRId64, value);
	return hierarchy_write(h, path, file, text);
}

int hierarchy_read(struct hierarchy *h, const char *path, const char *file, char *ret, size_t size)
{
	_cleanup_close_ int fd = open_file(h, path, file, O_RDONLY);

	if (fd < 0)
		return fd;
	ssize_t n = read(fd, ret, size - 1);
	if (n < 0)
		return -errno;
	while (n > 0 && ret[n - 1] == '\n')
		n--;
	ret[n] = 0;
	return 0;
}

int hierarchy_read_int(struct hierarchy *h, const char *path, const char *file, int64_t *ret)
{
	char text[64];
	int r = hierarchy_read(h, path, file, text, sizeof(text));

	if (r < 0)
		return r;
	if (strcmp(text, "max") == 0)
		*ret = INT64_MAX;
	else
		*ret = strtoll(text, NULL, 10);
	return 0;
}

int hierarchy_read_key(struct hierarchy *h, const char *path, const char *file, const char *key, int64_t *ret)
{
	char text[2048], *rest = text, *line;
	size_t n = strlen(key);
	int r = hierarchy_read(h, path, file, text, sizeof(text));

	while (r == 0 && (line = strsep(&rest, "\n")))
		if (strncmp(line, key, n) == 0 && line[n] == ' ') {
			*ret = strtoll(line + n + 1, NULL, 10);
			return 0;
		}
	return r < 0 ? r : -ENOENT;
}

bool hierarchy_has_file(struct hierarchy *h, const char *path, const char *file)
{
	_cleanup_close_ int fd = open_file(h, path, file, O_PATH);

	return fd >= 0;
}

int hierarchy_fail(int status, const char *controller, const char *file, int64_t value, struct err *err)
{
	return err_set(err, -status, "%s: setting %s to %" PRId64 ": %s", controller, file, value, strerror(-status));
}

int64_t cgroup_quota_us(const struct cgroup_limits *l)
{
	if (l->cpus_limit_milli <= 0 || l->cpus_limit_milli > MOST_CPUS_MILLI)
		return 0;
	int64_t quota = l->cpus_limit_milli * (CGROUP_PERIOD_US / 1000);
	return quota < 1000 ? 1000 : quota;
}

/* ---- finding them ---- */

static bool has_word(const char *list, const char *word, const char *separators)
{
	size_t n = strlen(word);

	for (const char *s = list; *s; s += strcspn(s, separators), s += strspn(s, separators))
		if (strncmp(s, word, n) == 0 && (!s[n] || strchr(separators, s[n])))
			return true;
	return false;
}

/* Takes the controllers of a mount that no earlier one has; v1 mounts come first. */
static void add_mount(struct cgroups *c, const struct cgroup_backend *backend, const char *mount, const char *names)
{
	struct hierarchy h = {.backend = backend};
	bool any = false;

	for (int i = 0; i < N_CONTROLLERS; i++) {
		bool taken = false;
		FOREACH_HIERARCHY(other, c)
		taken |= other->has[i];
		h.has[i] = !taken && has_word(names, controller_names[i], ", \n");
		any |= h.has[i];
	}
	if (backend->version == 2) { /* part of v2 itself, where anything of a container is */
		bool cpu = h.has[CONTROLLER_CPU], elsewhere = false;
		FOREACH_HIERARCHY(other, c)
		elsewhere |= other->has[CONTROLLER_CPUACCT];
		h.has[CONTROLLER_CPUACCT] = cpu && !elsewhere;
		h.has[CONTROLLER_FREEZER] = any;
	}
	if (!any || c->n == MAX_HIERARCHIES)
		return;
	h.fd = open(mount, O_PATH | O_DIRECTORY | O_CLOEXEC);
	if (h.fd < 0)
		return;
	h.mount = xstrdup(mount);
	c->hierarchies[c->n++] = h;
}

/* A line of mountinfo: fields, " - ", type, source, options of the super block, which name a v1 mount's controllers. */
static void read_mount(struct cgroups *c, char *line, int version)
{
	char *fields[10] = {0}, *rest = strstr(line, " - "), *tail[3] = {0};
	char names[512];

	if (!rest)
		return;
	*rest = 0;
	rest += 3;
	for (int i = 0; i < 5; i++)
		fields[i] = strsep(&line, " ");
	for (int i = 0; i < 3; i++)
		tail[i] = strsep(&rest, " \n");
	if (!fields[4] || !tail[2])
		return;
	if (version == 1 && strcmp(tail[0], "cgroup") == 0) {
		add_mount(c, &cgroup_v1, fields[4], tail[2]);
	} else if (version == 2 && strcmp(tail[0], "cgroup2") == 0) {
		struct hierarchy h = {.fd = open(fields[4], O_PATH | O_DIRECTORY | O_CLOEXEC)};
		if (h.fd >= 0 && hierarchy_read(&h, "", "cgroup.controllers", names, sizeof(names)) == 0)
			add_mount(c, &cgroup_v2, fields[4], names);
		mem_closep(&h.fd);
	}
}

static int find_mounts(struct cgroups *c, struct err *err)
{
	for (int version = 1; version <= 2; version++) {
		_cleanup_fclose_ FILE *f = fopen("/proc/self/mountinfo", "re");
		_cleanup_free_ char *line = NULL;
		size_t size = 0;
		if (!f)
			return err_set(err, errno, "/proc/self/mountinfo: %s", strerror(errno));
		while (getline(&line, &size, f) > 0)
			read_mount(c, line, version);
	}
	for (int i = 0; i < N_CONTROLLERS; i++) {
		bool found = !required[i];
		FOREACH_HIERARCHY(h, c)
		found |= h->has[i];
		if (!found)
			return err_set(err, ENOENT,
			               "cgroup controller %s is not there; --no_cgroups runs without limits",
			               controller_names[i]);
	}
	return 0;
}

static int make_path(struct hierarchy *h, const char *path, struct err *err)
{
	char part[256];

	for (size_t i = 1;; i++) {
		if (path[i] && path[i] != '/')
			continue;
		snprintf(part, sizeof(part), "%.*s", (int)i, path);
		if (mkdirat(h->fd, part + 1, 0755) < 0 && errno != EEXIST)
			return err_set(err, errno, "making %s%s: %s", h->mount, part, strerror(errno));
		if (!path[i])
			return 0;
	}
}

struct cgroups *cgroups_create(const char *root, struct err *err)
{
	struct cgroups *c = xcalloc(1, sizeof(*c));
	size_t n = strlen(root);

	while (n > 1 && root[n - 1] == '/')
		n--;
	c->root = xstrndup(root, n);
	if (root[0] != '/' || n < 2 || n > 64 || strstr(root, "..") || strstr(root, "//")) {
		err_set(err, EINVAL, "cgroup root %s: a path like /fairlead is wanted", root);
		goto fail;
	}
	if (find_mounts(c, err) < 0)
		goto fail;
	FOREACH_HIERARCHY(h, c)
	if (make_path(h, c->root, err) < 0 || h->backend->prepare(h, c->root, err) < 0)
		goto fail;
	return c;
fail:
	cgroups_destroy(c);
	return NULL;
}

void cgroups_destroy(struct cgroups *c)
{
	if (!c)
		return;
	FOREACH_HIERARCHY(h, c)
	{
		close(h->fd);
		free(h->mount);
	}
	free(c->root);
	free(c);
}

const char *cgroups_version(const struct cgroups *c)
{
	bool seen[3] = {false};

	for (size_t i = 0; i < c->n; i++)
		seen[c->hierarchies[i].backend->version] = true;
	return seen[1] && seen[2] ? "mixed" : seen[1] ? "v1" : "v2";
}

/* ---- one container's ---- */

int cgroup_create(struct cgroups *c, const char *path, const struct cgroup_limits *limits, struct err *err)
{
	FOREACH_HIERARCHY(h, c)
	{
		int r = 0;
		if (mkdirat(h->fd, path + 1, 0755) < 0)
			r = err_set(err, errno, "making %s%s: %s", h->mount, path, strerror(errno));
		if (r == 0 && (r = h->backend->apply(h, path, limits, err)) < 0)
			unlinkat(h->fd, path + 1, AT_REMOVEDIR);
		if (r == 0)
			continue;
		while (h-- > c->hierarchies) /* one that was there before is another's: it stays */
			unlinkat(h->fd, path + 1, AT_REMOVEDIR);
		return r;
	}
	return 0;
}

int cgroup_open(struct cgroups *c, const char *path)
{
	FOREACH_HIERARCHY(h, c)
	if (h->backend->version == 2)
		return openat(h->fd, path + 1, O_PATH | O_DIRECTORY | O_CLOEXEC);
	return -1;
}

/* Through "tasks", and oneself: any other way takes a lock that all forks of the machine share, for a whole RCU grace
 * period (8 ms seen). */
int cgroup_enter(struct cgroups *c, const char *path)
{
	FOREACH_HIERARCHY(h, c)
	{
		int r = h->backend->version == 1 ? hierarchy_write(h, path, "tasks", "0") : 0;
		if (r < 0)
			return r;
	}
	return 0;
}

int cgroup_set(struct cgroups *c, const char *path, const struct cgroup_limits *limits, struct err *err)
{
	FOREACH_HIERARCHY(h, c)
	{
		int r = h->backend->apply(h, path, limits, err);
		if (r < 0)
			return r;
	}
	return 0;
}

int cgroup_usage(struct cgroups *c, const char *path, struct cgroup_usage *ret)
{
	struct cgroup_usage u = {0};

	FOREACH_HIERARCHY(h, c)
	{
		if (!hierarchy_has_file(h, path, "cgroup.procs"))
			return -ENOENT;
		h->backend->usage(h, path, &u);
	}
	*ret = u;
	return 0;
}

/* By the process' own account: /proc/PID/cgroup, lines "N:controllers:path". */
bool cgroup_has(struct cgroups *c, const char *path, pid_t pid)
{
	char name[64];
	_cleanup_free_ char *line = NULL;
	size_t size = 0;

	(void)c;
	snprintf(name, sizeof(name), "/proc/%d/cgroup", (int)pid);
	_cleanup_fclose_ FILE *f = fopen(name, "re");
	while (f && getline(&line, &size, f) > 0) {
		char *at = strchr(line, ':');
		at = at ? strchr(at + 1, ':') : NULL;
		if (!at)
			continue;
		at[strcspn(at, "\n")] = 0;
		/* Below the root of the mount: in a cgroup namespace or a nested mount there may be more before it. */
		if (str_ends_with(at + 1, path))
			return true;
	}
	return false;
}

void cgroup_thaw(struct cgroups *c, const char *path)
{
	FOREACH_HIERARCHY(h, c)
	h->backend->freeze(h, path, false);
}

/* Without a blow that hits all at once: frozen first, so that nothing forks away. */
static void kill_one_by_one(struct cgroups *c, struct hierarchy *h, const char *path)
{
	int pid;

	FOREACH_HIERARCHY(other, c)
	other->backend->freeze(other, path, true);
	int fd = open_file(h, path, "cgroup.procs", O_RDONLY);
	_cleanup_fclose_ FILE *f = fd < 0 ? NULL : fdopen(fd, "r");
	while (f && fscanf(f, "%d", &pid) == 1)
		if (pid > 0)
			kill(pid, SIGKILL);
	cgroup_thaw(c, path);
}

bool cgroup_kill_at_once(struct cgroups *c, const char *path)
{
	FOREACH_HIERARCHY(h, c)
	if (h->backend->kill(h, path)) {
		cgroup_thaw(c, path);
		return true;
	}
	return false;
}

void cgroup_kill(struct cgroups *c, const char *path)
{
	if (cgroup_kill_at_once(c, path))
		return;
	FOREACH_HIERARCHY(h, c)
	kill_one_by_one(c, h, path);
}

int cgroup_remove(struct cgroups *c, const char *path)
{
	int status = 0;

	FOREACH_HIERARCHY(h, c)
	if (unlinkat(h->fd, path + 1, AT_REMOVEDIR) < 0 && errno != ENOENT)
		status = -errno;
	return status;
}

void cgroups_list(struct cgroups *c, void (*fn)(void *user, const char *name), void *user)
{
	FOREACH_HIERARCHY(h, c)
	{
		int fd = openat(h->fd, c->root + 1, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		DIR *dir = fd < 0 ? NULL : fdopendir(fd);
		struct dirent *e;
		while (dir && (e = readdir(dir)))
			if (e->d_type == DT_DIR && e->d_name[0] != '.')
				fn(user, e->d_name);
		if (dir)
			closedir(dir);
	}
}
