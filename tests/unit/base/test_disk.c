#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/disk.h"
#include "base/err.h"
#include "base/loop.h"
#include "base/mem.h"

struct fixture {
	char root[64];
	struct loop *loop;
	struct disk *disk;
	struct err err;
};

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	snprintf(f->root, sizeof(f->root), "/tmp/test_disk.XXXXXX");
	assert_non_null(mkdtemp(f->root));
	f->loop = loop_create();
	f->disk = disk_create(f->loop, f->root, &f->err);
	assert_non_null(f->disk);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	disk_destroy(f->disk);
	loop_destroy(f->loop);
	_cleanup_free_ char *command = xasprintf("rm -rf %s", f->root);
	assert_int_equal(system(command), 0);
	free(f);
	return 0;
}

struct done {
	int order; /* when it came, from 1 */
	int status;
};
static int next_order;

static void on_done(void *user, int status)
{
	struct done *d = user;

	d->order = ++next_order;
	d->status = status;
}

static void wait_for(struct fixture *f, struct done *d)
{
	while (!d->order)
		loop_step(f->loop, 5000);
}

static void assert_content(struct fixture *f, const char *path, const char *expected)
{
	_cleanup_buf_ struct buf b = {0};

	assert_int_equal(disk_read(f->disk, path, 1 << 20, &b, NULL), 0);
	assert_string_equal(buf_cstr(&b), expected);
}

static void appends_become_durable_in_order(void **state)
{
	struct fixture *f = *state;
	struct done done[10] = {0};
	struct disk_file *file = disk_open(f->disk, "log", &f->err);
	char text[] = "0";

	next_order = 0;
	for (int i = 0; i < 10; i++, text[0]++)
		disk_append(file, text, 1, on_done, &done[i]); /* data is copied */
	assert_int_equal(done[0].order, 0);
	assert_int_equal(disk_size(file), 0);
	wait_for(f, &done[9]);
	for (int i = 0; i < 10; i++) {
		assert_int_equal(done[i].order, i + 1);
		assert_int_equal(done[i].status, 0);
	}
	assert_int_equal(disk_size(file), 10);
	assert_content(f, "log", "0123456789");
	disk_close(file);
	file = disk_open(f->disk, "log", &f->err);
	assert_int_equal(disk_size(file), 10);
	struct done more = {0};
	disk_append(file, "ab", 2, on_done, &more);
	wait_for(f, &more);
	assert_content(f, "log", "0123456789ab");
	disk_close(file);
}

static void big_appends_to_many_files(void **state)
{
	enum { FILES = 5, SIZE = 900 * 1000 };
	struct fixture *f = *state;
	struct disk_file *files[FILES];
	struct done done[FILES][2] = {0};
	_cleanup_free_ char *data = xmalloc(SIZE);

	memset(data, 'z', SIZE);
	for (int i = 0; i < FILES; i++) {
		char name[] = {(char)('a' + i), 0};
		files[i] = disk_open(f->disk, name, &f->err);
		disk_append(files[i], data, SIZE, on_done, &done[i][0]);
	}
	for (int i = 0; i < FILES; i++)
		disk_append(files[i], "end", 3, on_done, &done[i][1]);
	wait_for(f, &done[FILES - 1][1]);
	for (int i = 0; i < FILES; i++) {
		assert_int_equal(done[i][0].status, 0);
		assert_int_equal(disk_size(files[i]), SIZE + 3);
		disk_close(files[i]);
	}
}

/* Makes the helper's writes beyond this many bytes fail. */
static void limit_file_size(void)
{
	signal(SIGXFSZ, SIG_IGN);
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &(struct rlimit){100, RLIM_INFINITY}), 0);
}

static void no_limit(void)
{
	assert_int_equal(setrlimit(RLIMIT_FSIZE, &(struct rlimit){RLIM_INFINITY, RLIM_INFINITY}), 0);
}

static void a_failed_append_is_cut_off(void **state)
{
	struct fixture *f = *state;
	struct done done[5] = {0};
	char data[200];

	disk_destroy(f->disk);
	limit_file_size();
	f->disk = disk_create(f->loop, f->root, &f->err);
	no_limit();
	struct disk_file *file = disk_open(f->disk, "log", &f->err), *other = disk_open(f->disk, "other", &f->err);
	memset(data, 'x', sizeof(data));
	disk_append(file, data, 50, on_done, &done[0]);
	disk_append(file, data, 60, on_done, &done[1]); /* only in part */
	disk_append(file, data, 1, on_done, &done[2]);  /* would fit, but came behind the failure */
	disk_append(other, data, 7, on_done, &done[3]);
	wait_for(f, &done[3]);
	assert_int_equal(done[0].status, 0);
	assert_int_equal(done[1].status, -EFBIG);
	assert_int_equal(done[2].status, -EFBIG);
	assert_int_equal(done[3].status, 0);
	assert_int_equal(disk_size(file), 50);
	struct stat st;
	_cleanup_free_ char *path = xasprintf("%s/log", f->root);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_size, 50);
	disk_append(file, data, 20, on_done, &done[4]); /* another batch is another chance */
	wait_for(f, &done[4]);
	assert_int_equal(done[4].status, 0);
	assert_int_equal(disk_size(file), 70);
	disk_close(file);
	disk_close(other);
}

static void replace_is_whole(void **state)
{
	struct fixture *f = *state;
	struct done a = {0}, b = {0}, c = {0};

	disk_replace(f->disk, "state", "first, long", 11, on_done, &a);
	disk_replace(f->disk, "state", "second", 6, on_done, &b);
	disk_replace(f->disk, "no/such/folder", "x", 1, on_done, &c);
	wait_for(f, &c);
	assert_int_equal(a.status, 0);
	assert_int_equal(b.status, 0);
	assert_int_equal(c.status, -ENOENT);
	assert_content(f, "state", "second");
}

static void overwrite_stays_inside(void **state)
{
	struct fixture *f = *state;
	struct done a = {0}, b = {0}, c = {0};

	assert_int_equal(disk_allocate(f->disk, "slots", 16, &f->err), 0);
	disk_overwrite(f->disk, "slots", 8, "ABCDEFGH", 8, on_done, &a);
	disk_overwrite(f->disk, "slots", 9, "ABCDEFGH", 8, on_done, &b);
	disk_overwrite(f->disk, "none", 0, "A", 1, on_done, &c);
	wait_for(f, &c);
	assert_int_equal(a.status, 0);
	assert_int_equal(b.status, -EINVAL);
	assert_int_equal(c.status, -ENOENT);
	_cleanup_buf_ struct buf got = {0};
	assert_int_equal(disk_read(f->disk, "slots", 100, &got, NULL), 0);
	assert_int_equal(got.size, 16);
	assert_memory_equal(got.data, "\0\0\0\0\0\0\0\0ABCDEFGH", 16);
	assert_int_equal(disk_allocate(f->disk, "slots", 16, &f->err), 0); /* kept */
	buf_clear(&got);
	assert_int_equal(disk_read(f->disk, "slots", 100, &got, NULL), 0);
	assert_memory_equal(got.data + 8, "ABCDEFGH", 8);
}

static void remove_is_idempotent(void **state)
{
	struct fixture *f = *state;
	struct done a = {0}, b = {0};
	struct buf got = {0};

	disk_replace(f->disk, "x", "1", 1, NULL, NULL);
	disk_remove(f->disk, "x", on_done, &a);
	disk_remove(f->disk, "x", on_done, &b);
	disk_remove(f->disk, "y", NULL, NULL);
	wait_for(f, &b);
	assert_int_equal(a.status, 0);
	assert_int_equal(b.status, 0);
	assert_int_equal(disk_read(f->disk, "x", 10, &got, NULL), -ENOENT);
}

static void reading(void **state)
{
	struct fixture *f = *state;
	_cleanup_buf_ struct buf got = {0};
	struct done a = {0};

	assert_int_equal(disk_read(f->disk, "none", 10, &got, &f->err), -ENOENT);
	assert_non_null(strstr(f->err.text, "none"));
	disk_replace(f->disk, "ten", "0123456789", 10, on_done, &a);
	wait_for(f, &a);
	assert_int_equal(disk_read(f->disk, "ten", 9, &got, &f->err), -EFBIG);
	assert_int_equal(got.size, 0);
	assert_int_equal(disk_read(f->disk, "ten", 10, &got, &f->err), 0);
	assert_int_equal(got.size, 10);
	assert_int_equal(disk_truncate(f->disk, "ten", 4, &f->err), 0);
	assert_content(f, "ten", "0123");
	assert_int_equal(disk_truncate(f->disk, "none", 4, &f->err), -ENOENT);
}

static void collect(void *user, const char *name)
{
	buf_printf(user, "%s ", name);
}

static void folders(void **state)
{
	struct fixture *f = *state;
	_cleanup_buf_ struct buf names = {0};
	struct done a = {0};

	assert_string_equal(disk_root(f->disk), f->root);
	assert_int_equal(disk_mkdir(f->disk, "a/b/c", &f->err), 0);
	assert_int_equal(disk_mkdir(f->disk, "a/b/c", &f->err), 0);
	disk_replace(f->disk, "a/2", "", 0, NULL, NULL);
	disk_replace(f->disk, "a/10", "", 0, NULL, NULL);
	disk_replace(f->disk, "a/unfinished~", "", 0, on_done, &a);
	wait_for(f, &a);
	assert_int_equal(disk_list(f->disk, "a", collect, &names), 0);
	assert_string_equal(buf_cstr(&names), "10 2 b ");
	buf_clear(&names);
	assert_int_equal(disk_list(f->disk, "missing", collect, &names), 0);
	assert_int_equal(names.size, 0);
	assert_int_equal(disk_mkdir(f->disk, "a/2/x", &f->err), -ENOTDIR);
}

static void creating_where_nothing_can_be(void **state)
{
	struct fixture *f = *state;

	assert_null(disk_create(f->loop, "/proc/none/such", &f->err));
	assert_int_not_equal(f->err.code, 0);
	assert_null(disk_open(f->disk, "no/folder", &f->err));
	disk_destroy(NULL);
	disk_close(NULL);
}

static void the_lock_is_exclusive(void **state)
{
	struct fixture *f = *state;
	struct disk *other = disk_create(f->loop, f->root, &f->err);

	assert_int_equal(disk_lock(f->disk, &f->err), 0);
	assert_int_equal(disk_lock(other, &f->err), -EAGAIN);
	disk_destroy(f->disk);
	f->disk = NULL;
	assert_int_equal(disk_lock(other, &f->err), 0);
	disk_destroy(other);
}

/* The one child of this process. */
static pid_t helper_pid(void)
{
	char path[64];
	int pid = 0;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	_cleanup_fclose_ FILE *file = fopen(path, "re");
	if (!file || fscanf(file, "%d", &pid) != 1)
		return 0;
	return pid;
}

static void the_helper_holds_few_descriptors(void **state)
{
	struct fixture *f = *state;
	struct done a = {0};
	int n = 0;

	disk_replace(f->disk, "x", "1", 1, on_done, &a);
	wait_for(f, &a);
	if (!helper_pid())
		skip();
	_cleanup_free_ char *path = xasprintf("/proc/%d/fd", (int)helper_pid());
	DIR *dir = opendir(path);
	for (struct dirent *e; dir && (e = readdir(dir));)
		n += e->d_name[0] != '.';
	closedir(dir);
	assert_int_equal(n, 5);
}

static void a_dead_helper_is_replaced(void **state)
{
	struct fixture *f = *state;
	struct done a = {0}, b = {0}, c = {0};
	struct disk_file *file = disk_open(f->disk, "log", &f->err);

	disk_append(file, "one", 3, on_done, &a);
	wait_for(f, &a);
	pid_t pid = helper_pid();
	if (!pid)
		skip();
	kill(pid, SIGSTOP);
	disk_append(file, "lost", 4, on_done, &b);
	loop_step(f->loop, 0);
	kill(pid, SIGKILL);
	wait_for(f, &b);
	assert_int_equal(b.status, -EIO);
	disk_append(file, "two", 3, on_done, &c);
	wait_for(f, &c);
	assert_int_equal(c.status, 0);
	assert_content(f, "log", "onetwo");
	disk_close(file);
}

static void destroy_drops_callbacks(void **state)
{
	struct fixture *f = *state;
	struct done a = {0}, b = {0};
	struct disk_file *file = disk_open(f->disk, "log", &f->err);

	disk_append(file, "one", 3, on_done, &a);
	disk_close(file);
	disk_replace(f->disk, "x", "1", 1, on_done, &b);
	wait_for(f, &b);
	assert_int_equal(a.order, 0);
	assert_content(f, "log", "one");
	disk_replace(f->disk, "x", "2", 1, on_done, &a);
	disk_destroy(f->disk);
	f->disk = NULL;
	loop_step(f->loop, 1);
	assert_int_equal(a.order, 0);
}

static void destroy_in_callback(void *user, int status)
{
	struct fixture *f = user;

	disk_destroy(f->disk);
	f->disk = NULL;
}

static void a_callback_may_destroy_the_disk(void **state)
{
	struct fixture *f = *state;
	struct done a = {0};

	disk_replace(f->disk, "x", "1", 1, destroy_in_callback, f);
	disk_replace(f->disk, "x", "2", 1, on_done, &a);
	while (f->disk)
		loop_step(f->loop, 1000);
	assert_int_equal(a.order, 0);
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(appends_become_durable_in_order),
		T(big_appends_to_many_files),
		T(a_failed_append_is_cut_off),
		T(replace_is_whole),
		T(overwrite_stays_inside),
		T(remove_is_idempotent),
		T(reading),
		T(folders),
		T(creating_where_nothing_can_be),
		T(the_lock_is_exclusive),
		T(the_helper_holds_few_descriptors),
		T(a_dead_helper_is_replaced),
		T(destroy_drops_callbacks),
		T(a_callback_may_destroy_the_disk),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
