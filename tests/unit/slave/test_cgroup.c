/* cgroups for real, v1 or v2, whatever the host has: needs root. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "slave/container/cgroup.h"
#include "slave/container/cgroup_backend.h"

#define MIB (1024 * 1024LL)

struct fixture {
	char root[64], path[96];
	struct cgroups *cgroups;
};

static const struct cgroup_limits plain = {.cpus_milli = 1000, .mem_bytes = 64 * MIB, .pids = 10};

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	struct err err = {0};

	snprintf(f->root, sizeof(f->root), "/fairlead-unit-%d", (int)getpid());
	snprintf(f->path, sizeof(f->path), "%s/one", f->root);
	f->cgroups = cgroups_create(f->root, &err);
	if (!f->cgroups)
		fail_msg("%s", err.text);
	*state = f;
	return 0;
}

/* v2 has taken us into its leaf, which can only be removed from outside. */
static void leave_leaf(void)
{
	FILE *f = fopen("/sys/fs/cgroup/cgroup.procs", "we");

	if (!f)
		return;
	fprintf(f, "0");
	fclose(f);
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	char path[128];

	leave_leaf();
	snprintf(path, sizeof(path), "%s/.slave", f->root);
	cgroup_remove(f->cgroups, path);
	cgroup_remove(f->cgroups, f->root);
	cgroups_destroy(f->cgroups);
	free(f);
	return 0;
}

static void create(struct fixture *f, const struct cgroup_limits *limits)
{
	struct err err = {0};

	if (cgroup_create(f->cgroups, f->path, limits, &err) < 0)
		fail_msg("%s", err.text);
}

static void remove_soon(struct fixture *f)
{
	int r = -EBUSY;

	for (int i = 0; i < 1000 && (r = cgroup_remove(f->cgroups, f->path)) == -EBUSY; i++)
		usleep(1000);
	assert_int_equal(r, 0);
}

/* A child in the cgroup that waits to be killed; as a launch does it. */
static pid_t child_in(struct fixture *f)
{
	int v2 = cgroup_open(f->cgroups, f->path), pipe_[2];
	struct {
		uint64_t flags, pidfd, child_tid, parent_tid, exit_signal, stack, stack_size, tls, set_tid,
			set_tid_size, cgroup;
	} args = {.exit_signal = SIGCHLD};
	char c;

	if (v2 >= 0) {
		args.flags = 0x200000000ULL; /* CLONE_INTO_CGROUP */
		args.cgroup = (uint64_t)v2;
	}
	assert_int_equal(pipe(pipe_), 0);
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0) {
		if (cgroup_enter(f->cgroups, f->path) < 0)
			_exit(1);
		close(pipe_[0]);
		if (write(pipe_[1], "x", 1) != 1)
			_exit(1);
		for (;;)
			pause();
	}
	assert_true(pid > 0);
	close(pipe_[1]);
	assert_int_equal(read(pipe_[0], &c, 1), 1);
	close(pipe_[0]);
	if (v2 >= 0)
		close(v2);
	return pid;
}

static void test_create_and_remove(void **state)
{
	struct fixture *f = *state;
	struct cgroup_usage u = {0};
	struct err err = {0};

	create(f, &plain);
	assert_int_equal(cgroup_usage(f->cgroups, f->path, &u), 0);
	assert_int_equal(u.pids, 0);
	assert_int_equal(u.mem_limit_bytes, 64 * MIB);
	assert_int_equal(u.oom_kills, 0);
	/* One that is there is another's: not taken, not removed. */
	assert_int_equal(cgroup_create(f->cgroups, f->path, &plain, &err), -EEXIST);
	assert_non_null(strstr(err.text, "File exists"));
	assert_int_equal(cgroup_usage(f->cgroups, f->path, &u), 0);
	assert_int_equal(cgroup_remove(f->cgroups, f->path), 0);
	assert_int_equal(cgroup_remove(f->cgroups, f->path), 0);
	assert_int_equal(cgroup_usage(f->cgroups, f->path, &u), -ENOENT);
}

static void test_failed_limit_leaves_nothing(void **state)
{
	struct fixture *f = *state;
	struct cgroup_limits bad = plain;
	struct cgroup_usage u;
	struct err err = {0};

	bad.pids = INT64_MIN;
	assert_true(cgroup_create(f->cgroups, f->path, &bad, &err) < 0);
	assert_non_null(strstr(err.text, "pids: setting pids.max"));
	assert_int_equal(cgroup_usage(f->cgroups, f->path, &u), -ENOENT);
}

static void test_limits_are_clamped(void **state)
{
	struct fixture *f = *state;
	struct cgroup_limits tiny = {.cpus_milli = 0, .cpus_limit_milli = 1},
			     huge = {.cpus_milli = 100000000, .cpus_limit_milli = INT64_C(1) << 50};
	struct err err = {0};

	create(f, &tiny); /* below what the kernel takes, and no memory limit */
	assert_int_equal(cgroup_set(f->cgroups, f->path, &huge, &err), 0);
	assert_int_equal(cgroup_remove(f->cgroups, f->path), 0);
}

static void test_set_up_and_down(void **state)
{
	struct fixture *f = *state;
	struct cgroup_limits l = plain;
	struct cgroup_usage u;
	struct err err = {0};
	static const int64_t sizes[] = {128 * MIB, 16 * MIB, 1024 * MIB, 0, 32 * MIB};

	create(f, &plain);
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		l.mem_bytes = sizes[i];
		l.mem_request_bytes = sizes[i] / 2;
		if (cgroup_set(f->cgroups, f->path, &l, &err) < 0)
			fail_msg("%s", err.text);
		assert_int_equal(cgroup_usage(f->cgroups, f->path, &u), 0);
		if (sizes[i])
			assert_int_equal(u.mem_limit_bytes, sizes[i]);
		else
			assert_true(u.mem_limit_bytes > INT64_MAX / 2);
	}
	assert_int_equal(cgroup_remove(f->cgroups, f->path), 0);
}

static void test_children(void **state)
{
	struct fixture *f = *state;
	struct cgroup_usage u;
	pid_t pids[3];
	int status;

	create(f, &plain);
	for (int i = 0; i < 3; i++)
		pids[i] = child_in(f);
	assert_int_equal(cgroup_usage(f->cgroups, f->path, &u), 0);
	assert_int_equal(u.pids, 3);
	assert_true(cgroup_has(f->cgroups, f->path, pids[0]));
	assert_false(cgroup_has(f->cgroups, f->path, getpid()));
	assert_false(cgroup_has(f->cgroups, f->path, 0x7ffffff));
	assert_int_equal(cgroup_remove(f->cgroups, f->path), -EBUSY);
	cgroup_kill(f->cgroups, f->path);
	for (int i = 0; i < 3; i++) {
		assert_int_equal(waitpid(pids[i], &status, 0), pids[i]);
		assert_int_equal(WTERMSIG(status), SIGKILL);
	}
	remove_soon(f);
}

static void test_kill_at_once(void **state)
{
	struct fixture *f = *state;
	int status;

	create(f, &plain);
	pid_t pid = child_in(f);
	if (strcmp(cgroups_version(f->cgroups), "v1") == 0)
		assert_false(cgroup_kill_at_once(f->cgroups, f->path));
	else
		assert_true(cgroup_kill_at_once(f->cgroups, f->path));
	kill(pid, SIGKILL);
	assert_int_equal(waitpid(pid, &status, 0), pid);
	assert_int_equal(WTERMSIG(status), SIGKILL);
	remove_soon(f);
}

struct seen {
	int ones, others;
};

static void on_name(void *user, const char *name)
{
	struct seen *s = user;

	if (strcmp(name, "one") == 0)
		s->ones++;
	else
		s->others++;
}

static void test_list(void **state)
{
	struct fixture *f = *state;
	struct seen s = {0};

	cgroups_list(f->cgroups, on_name, &s);
	assert_int_equal(s.ones, 0);
	create(f, &plain);
	cgroups_list(f->cgroups, on_name, &s);
	assert_true(s.ones >= 1);      /* once in each hierarchy */
	assert_int_equal(s.others, 0); /* the slave's own leaf is not shown */
	assert_int_equal(cgroup_remove(f->cgroups, f->path), 0);
}

static void test_root_is_checked(void **state)
{
	static const char *const wrong[] = {
		"",        "/",     "fairlead",
		"/a/../b", "/a//b", "/0123456789012345678901234567890123456789012345678901234567890123456789"};
	struct err err;

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		err = (struct err){0};
		assert_null(cgroups_create(wrong[i], &err));
		assert_non_null(strstr(err.text, "a path like /fairlead is wanted"));
	}
}

static void test_nested_root(void **state)
{
	struct fixture *f = *state;
	struct err err = {0};
	char root[96], path[128];

	snprintf(root, sizeof(root), "%s-n/deep", f->root);
	struct cgroups *c = cgroups_create(root, &err);
	if (!c)
		fail_msg("%s", err.text);
	snprintf(path, sizeof(path), "%s/two", root);
	assert_int_equal(cgroup_create(c, path, &plain, &err), 0);
	assert_int_equal(cgroup_remove(c, path), 0);
	leave_leaf();
	snprintf(path, sizeof(path), "%s/.slave", root);
	cgroup_remove(c, path);
	assert_int_equal(cgroup_remove(c, root), 0);
	snprintf(path, sizeof(path), "%s-n", f->root);
	assert_int_equal(cgroup_remove(c, path), 0);
	cgroups_destroy(c);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_create_and_remove),
		cmocka_unit_test(test_failed_limit_leaves_nothing),
		cmocka_unit_test(test_limits_are_clamped),
		cmocka_unit_test(test_set_up_and_down),
		cmocka_unit_test(test_children),
		cmocka_unit_test(test_kill_at_once),
		cmocka_unit_test(test_list),
		cmocka_unit_test(test_root_is_checked),
		cmocka_unit_test(test_nested_root),
	};

	if (geteuid() != 0 || access("/sys/fs/cgroup", W_OK) < 0) {
		fprintf(stderr, "skipped: cgroups need root and a writable cgroup file system\n");
		return 77;
	}
	if (argc > 1)
		cmocka_set_test_filter(argv[1]);
	return cmocka_run_group_tests(tests, setup, teardown);
}
