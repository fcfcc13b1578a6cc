#include "slave/files.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <linux/openat2.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <fairlead/types.h>

#include "base/err.h"
#include "base/mem.h"

static int open_beneath(int root, const char *path, int flags)
{
	struct open_how how = {.flags = (uint64_t)(flags | O_CLOEXEC),
	                       .resolve = RESOLVE_BENEATH | RESOLVE_NO_MAGICLINKS | RESOLVE_NO_SYMLINKS};
	return (int)syscall(SYS_openat2, root, path, &how, sizeof(how));
}

static int explain(struct err *err, int code, const char *path)
{
	switch (code) {
	case ENOENT:
		return err_set(err, ENOENT, "%.128s: there is no such file", path);
	case ENOTDIR:
		return err_set(err, EINVAL, "%.128s is not a folder", path);
	case ELOOP:
		return err_set(err, EINVAL, "%.128s is or passes a symbolic link; links are not followed", path);
	case EXDEV:
		return err_set(err, EINVAL, "%.128s leads out of the sandboxes", path);
	default:
		return err_set(err, code, "%.128s: %s", path, strerror(code));
	}
}

/* Opens path without opening what it is: a FIFO would block, a device would act. */
static int find(const char *root, const char *path, struct stat *ret_stat, struct err *err)
{
	_cleanup_close_ int root_fd = open(root, O_PATH | O_DIRECTORY | O_CLOEXEC);

	while (*path == '/')
		path++;
	if (root_fd < 0)
		return explain(err, errno, root);
	int fd = open_beneath(root_fd, *path ? path : ".", O_PATH | O_NOFOLLOW);
	if (fd < 0)
		return explain(err, errno, path);
	if (fstat(fd, ret_stat) < 0) {
		int code = errno;
		close(fd);
		return explain(err, code, path);
	}
	return fd;
}

/* Opens for reading what find found: the very same file, whatever lies at its path by now. */
static int reopen(int fd, int flags)
{
	char link[40];

	snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
	return open(link, flags | O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
}

static int by_path(const void *a, const void *b)
{
	return strcmp(((const struct fl_api_file_info *)a)->path, ((const struct fl_api_file_info *)b)->path);
}

static void describe(const char *folder, const char *name, const struct stat *st, struct zone *zone,
                     struct fl_api_file_info *ret)
{
	size_t n = strlen(folder);

	ret->path = zone_printf(zone, "%s%s%s", folder, n && folder[n - 1] == '/' ? "" : "/", name);
	ret->has_size = ret->has_mtime_ns = ret->has_mode = true;
	ret->size = (uint64_t)st->st_size;
	ret->mtime_ns = (int64_t)st->st_mtim.tv_sec * 1000000000 + st->st_mtim.tv_nsec;
	ret->mode = st->st_mode;
	ret->uid = zone_printf(zone, "%u", (unsigned)st->st_uid);
}

static int list_folder(DIR *dir, const char *path, struct zone *zone, struct fl_api_files *ret, struct err *err)
{
	size_t n = 0, room = 0;
	_cleanup_free_ struct fl_api_file_info *infos = NULL;
	struct dirent *e;
	struct stat st;

	while ((e = readdir(dir))) {
		if (!strcmp(e->d_name, ".") || !strcmp(e->d_name, ".."))
			continue;
		if (n >= FILES_MAX_ENTRIES)
			return err_set(err, E2BIG, "%.128s has more than %d entries", path, FILES_MAX_ENTRIES);
		if (fstatat(dirfd(dir), e->d_name, &st, AT_SYMLINK_NOFOLLOW) < 0)
			continue; /* gone meanwhile */
		if (n == room) {
			room = room ? room * 2 : 64;
			infos = xrealloc(infos, room * sizeof(*infos));
		}
		memset(&infos[n], 0, sizeof(infos[n]));
		describe(path, e->d_name, &st, zone, &infos[n++]);
	}
	if (n)
		qsort(infos, n, sizeof(*infos), by_path);
	ret->file_infos = n ? zone_memdup(zone, infos, n * sizeof(*infos)) : NULL;
	ret->n_file_infos = n;
	return 0;
}

int files_list(const char *root, const char *path, struct zone *zone, struct fl_api_files *ret, struct err *err)
{
	struct stat st;
	_cleanup_close_ int fd = find(root, path, &st, err);

	if (fd < 0)
		return fd;
	if (!S_ISDIR(st.st_mode))
		return explain(err, ENOTDIR, path);
	int dir_fd = reopen(fd, O_DIRECTORY);
	DIR *dir = dir_fd < 0 ? NULL : fdopendir(dir_fd);
	if (!dir) {
		int code = errno;
		if (dir_fd >= 0)
			close(dir_fd);
		return explain(err, code, path);
	}
	int r = list_folder(dir, path, zone, ret, err);
	closedir(dir);
	return r;
}

int files_read(const char *root, const char *path, uint64_t offset, uint64_t length, struct zone *zone,
               struct fl_api_file_data *ret, struct err *err)
{
	struct stat st;
	_cleanup_close_ int found = find(root, path, &st, err);

	if (found < 0)
		return found;
	if (!S_ISREG(st.st_mode))
		return err_set(err, EINVAL, "%.128s is not a plain file%s", path,
		               S_ISLNK(st.st_mode) ? ", but a symbolic link; links are not followed" : "");
	_cleanup_close_ int fd = reopen(found, 0);
	if (fd < 0)
		return explain(err, errno, path);
	size_t wanted = length < FILES_MAX_READ ? (size_t)length : FILES_MAX_READ;
	uint8_t *data = zone_alloc(zone, wanted + 1);
	ssize_t n = wanted && offset <= INT64_MAX ? pread(fd, data, wanted, (off_t)offset) : 0;
	if (n < 0)
		return explain(err, errno, path);
	ret->size = (uint64_t)st.st_size;
	ret->data = (struct fl_bytes){data, (size_t)n};
	return 0;
}
