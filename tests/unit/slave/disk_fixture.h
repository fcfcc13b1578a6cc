/* A loop and a disk on a folder of its own. */
#ifndef FL_TESTS_DISK_FIXTURE_H
#define FL_TESTS_DISK_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/disk.h"
#include "base/err.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"

struct disk_fixture {
	struct loop *loop;
	struct disk *disk;
	char dir[64];
};

static void swallow(void *user, enum log_level level, const char *line)
{
}

static void disk_fixture_open(struct disk_fixture *x)
{
	struct err err = {0};

	x->disk = disk_create(x->loop, x->dir, &err);
	if (!x->disk)
		fail_msg("%s", err.text);
}

static int disk_setup(void **state)
{
	struct disk_fixture *x = xcalloc(1, sizeof(*x));

	if (!getenv("VERBOSE"))
		log_set_sink(swallow, NULL);
	x->loop = loop_create();
	snprintf(x->dir, sizeof(x->dir), "/tmp/fl-disk-XXXXXX");
	assert_non_null(mkdtemp(x->dir));
	disk_fixture_open(x);
	*state = x;
	return 0;
}

static int disk_remove_one(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static int disk_teardown(void **state)
{
	struct disk_fixture *x = *state;

	disk_destroy(x->disk);
	loop_destroy(x->loop);
	nftw(x->dir, disk_remove_one, 16, FTW_DEPTH | FTW_PHYS);
	free(x);
	return 0;
}

#define UNTIL(l, condition)                                          \
	do {                                                         \
		int64_t _end = loop_now_us(l) / 1000 + 20000;        \
		while (!(condition) && loop_now_us(l) / 1000 < _end) \
			loop_step(l, 50);                            \
		if (!(condition))                                    \
			fail_msg("did not happen: %s", #condition);  \
	} while (0)

/* Changes bytes of a file behind everybody's back. */
static inline void damage(const struct disk_fixture *x, const char *name, off_t at, const void *bytes, size_t n)
{
	char path[160];

	snprintf(path, sizeof(path), "%s/%s", x->dir, name);
	int fd = open(path, O_WRONLY);
	assert_true(fd >= 0);
	assert_int_equal(pwrite(fd, bytes, n, at), n);
	close(fd);
}

static inline off_t file_size(const struct disk_fixture *x, const char *name)
{
	char path[160];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", x->dir, name);
	return stat(path, &st) == 0 ? st.st_size : -1;
}

#endif
