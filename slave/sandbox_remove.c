#include "slave/sandbox_remove.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/mem.h"

#define YOUNG_NS 2000000000 /* may have been made since the rules were: clocks of file systems are coarse */

static DIR *open_folder(int parent, const char *name)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	DIR *dir = fd < 0 ? NULL : fdopendir(fd);

	if (!dir && fd >= 0)
		close(fd);
	return dir;
}

/* The next one but itself and its parent. */
static const char *next_name(DIR *dir)
{
	struct dirent *e;

	do
		e = readdir(dir);
	while (e && (!strcmp(e->d_name, ".") || !strcmp(e->d_name, "..")));
	return e ? e->d_name : NULL;
}

/* ---- a tree ---- */

/* False when it is a folder that is not empty, or will not go. */
static bool remove_one(int folder, const char *name)
{
	return unlinkat(folder, name, 0) == 0 || unlinkat(folder, name, AT_REMOVEDIR) == 0 || errno == ENOENT;
}

static bool move_up(int from, const char *name, int top, unsigned *number)
{
	char fresh[32];

	for (int tries = 0; tries < 1000; tries++) {
		snprintf(fresh, sizeof(fresh), ".removed-%u", (*number)++);
		if (renameat2(from, name, top, fresh, RENAME_NOREPLACE) == 0)
			return true;
		if (errno != EEXIST)
			break;
	}
	return false;
}

/* What is in the folder goes, or moves to the top. True when something did. */
static bool flatten(int top, const char *name, unsigned *number)
{
	DIR *dir = open_folder(top, name);
	const char *inner;
	bool any = false;

	while (dir && (inner = next_name(dir)))
		any |= remove_one(dirfd(dir), inner) || move_up(dirfd(dir), inner, top, number);
	if (dir)
		closedir(dir);
	return any;
}

/* Without recursion: a task can nest folders deeper than any stack, or any limit on descriptors. */
int sandbox_remove_tree(int parent, const char *name)
{
	DIR *dir = open_folder(parent, name);
	unsigned number = 0;
	const char *inner;
	bool any = dir != NULL;

	while (any) {
		any = false;
		rewinddir(dir);
		while ((inner = next_name(dir)))
			any |= remove_one(dirfd(dir), inner) || flatten(dirfd(dir), inner, &number);
	}
	if (dir)
		closedir(dir);
	return unlinkat(parent, name, AT_REMOVEDIR) < 0 ? -errno : 0;
}

/* ---- all of them ---- */

struct found {
	char *framework, *task, *id;
	int64_t changed_ns;
};

struct list_of_found {
	struct found *v;
	size_t n, room;
};

static void add_found(struct list_of_found *l, const char *framework, const char *task, const char *id,
                      const struct stat *st)
{
	if (l->n == l->room) {
		l->room = l->room ? 2 * l->room : 64;
		l->v = xrealloc(l->v, l->room * sizeof(*l->v));
	}
	l->v[l->n++] = (struct found){xstrdup(framework), xstrdup(task), xstrdup(id),
	                              (int64_t)st->st_ctim.tv_sec * 1000000000 + st->st_ctim.tv_nsec};
}

static void find_in_task(struct list_of_found *l, int folder, const char *framework, const char *task)
{
	DIR *dir = open_folder(folder, task);
	const char *id;
	struct stat st;

	while (dir && (id = next_name(dir)))
		if (fstatat(dirfd(dir), id, &st, AT_SYMLINK_NOFOLLOW) == 0 && S_ISDIR(st.st_mode))
			add_found(l, framework, task, id, &st);
	if (dir)
		closedir(dir);
}

static void find_all(struct list_of_found *l, int root)
{
	DIR *dir = open_folder(root, "."), *inner;
	const char *framework, *task;

	while (dir && (framework = next_name(dir))) {
		inner = open_folder(dirfd(dir), framework);
		while (inner && (task = next_name(inner)))
			find_in_task(l, dirfd(inner), framework, task);
		if (inner)
			closedir(inner);
	}
	if (dir)
		closedir(dir);
}

static int oldest_first(const void *a, const void *b)
{
	int64_t x = ((const struct found *)a)->changed_ns, y = ((const struct found *)b)->changed_ns;
	return x < y ? -1 : x > y;
}

/* With the folders above it that are empty then. */
static bool remove_found(int root, const struct found *f)
{
	_cleanup_free_ char *folder = xasprintf("%s/%s", f->framework, f->task);
	_cleanup_close_ int parent = openat(root, folder, O_PATH | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (parent < 0 || sandbox_remove_tree(parent, f->id) < 0)
		return false;
	if (unlinkat(root, folder, AT_REMOVEDIR) == 0)
		unlinkat(root, f->framework, AT_REMOVEDIR);
	return true;
}

static bool is_due(const struct found *f, const struct sandbox_rules *rules)
{
	int64_t age_ns = rules->now_ns - f->changed_ns;

	if (age_ns < YOUNG_NS || (age_ns < rules->delay_ns && !rules->need_room(rules->user)))
		return false;
	return !rules->in_use(rules->user, f->id);
}

void sandboxes_remove(int root, const struct sandbox_rules *rules, struct sandbox_removal *ret)
{
	struct list_of_found all = {0};

	*ret = (struct sandbox_removal){0};
	find_all(&all, root);
	if (all.n)
		qsort(all.v, all.n, sizeof(*all.v), oldest_first);
	for (size_t i = 0; i < all.n; i++) {
		struct found *f = &all.v[i];
		if (is_due(f, rules))
			++*(remove_found(root, f) ? &ret->removed : &ret->failed);
		free(f->framework);
		free(f->task);
		free(f->id);
	}
	free(all.v);
}
