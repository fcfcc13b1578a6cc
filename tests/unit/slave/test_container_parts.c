/* The parts below a launch that need no container: ids and maps, capabilities, exit slots, plans, filters, process
 * identity, the init program's file. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <linux/filter.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "slave/container/ids.h"
#include "slave/container/image.h"
#include "slave/container/pid.h"
#include "slave/container/plan.h"
#include "slave/container/seccomp.h"
#include "slave/container/slot.h"

struct fixture {
	char folder[64], path[96];
};

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	snprintf(f->folder, sizeof(f->folder), "/tmp/test_parts.XXXXXX");
	if (!mkdtemp(f->folder))
		return -1;
	snprintf(f->path, sizeof(f->path), "%s/file", f->folder);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	unlink(f->path);
	assert_int_equal(rmdir(f->folder), 0);
	free(f);
	return 0;
}

/* ---- ids ---- */

static void test_user(void **state)
{
	struct ids ids;
	struct err err = {0};

	assert_int_equal(ids_find(NULL, &ids, &err), 0);
	assert_int_equal(ids.uid, geteuid());
	assert_int_equal(ids_find("nobody", &ids, &err), 0);
	assert_int_equal(ids.uid, 65534);
	assert_int_equal(ids_find("31337", &ids, &err), 0); /* nobody's number is its own group */
	assert_int_equal(ids.uid, 31337);
	assert_int_equal(ids.gid, 31337);
	assert_int_equal(ids.n_groups, 0);
	assert_int_equal(ids_find("0", &ids, &err), 0);
	assert_int_equal(ids.uid, 0);
	assert_int_equal(ids_find("no-such-user", &ids, &err), -ENOENT);
	assert_string_equal(err.text, "there is no user no-such-user on this host");
	assert_int_equal(ids_find("2000000000", &ids, &err), -ENOENT); /* init's */
	assert_int_equal(ids_find("-1", &ids, &err), -ENOENT);
	assert_int_equal(ids_find("4294967295", &ids, &err), -ENOENT);
}

static void test_maps(void **state)
{
	struct ids ids = {.uid = 1000, .gid = 100, .groups = {5, 27}, .n_groups = 2};
	_cleanup_buf_ struct buf b = {0};

	ids_uid_map(&ids, &b);
	assert_string_equal(buf_cstr(&b), "1000 1000 1\n0 2000000000 1\n");
	buf_clear(&b);
	ids_gid_map(&ids, &b);
	assert_string_equal(buf_cstr(&b), "100 100 1\n0 2000000000 1\n5 5 1\n27 27 1\n");
	ids = (struct ids){0};
	buf_clear(&b);
	ids_uid_map(&ids, &b); /* root's task: init is another then */
	assert_string_equal(buf_cstr(&b), "0 0 1\n2000000000 2000000000 1\n");
	ids = (struct ids){.uid = 1000, .gid = 100, .groups = {0}, .n_groups = 1};
	assert_int_equal(ids_init_uid(&ids), 0);
	assert_int_equal(ids_init_gid(&ids), IDS_INIT); /* a task that is in group 0 */
}

static void test_capabilities(void **state)
{
	const char *some[] = {"CHOWN", "sys_ptrace", "BPF", NULL}, *wrong[] = {"CHOWN", "FLY", NULL};
	uint64_t caps = 99;
	struct err err = {0};

	assert_int_equal(ids_capabilities(NULL, &caps, &err), 0);
	assert_int_equal(caps, 0);
	assert_int_equal(ids_capabilities(some, &caps, &err), 0);
	assert_int_equal(caps, 1u << 0 | 1u << 19 | (uint64_t)1 << 39);
	assert_int_equal(ids_capabilities(wrong, &caps, &err), -EINVAL);
	assert_string_equal(err.text, "there is no capability FLY");
}

/* ---- slots ---- */

static void write_at(const char *path, const void *data, size_t size)
{
	int fd = open(path, O_WRONLY | O_TRUNC | O_CLOEXEC);

	assert_int_equal(write(fd, data, size), size);
	close(fd);
}

static void test_slot(void **state)
{
	struct fixture *f = *state;
	struct slot s = {.magic = SLOT_MAGIC, .kind = SLOT_SIGNALLED, .value = 9, .wall_ns = 12345}, got;
	struct err err = {0};
	struct stat st;
	int fd = -1;

	assert_int_equal(slot_read(f->path, &got), -ENOENT);
	assert_int_equal(slot_create(f->path, &fd, &err), 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_size, sizeof(s));
	assert_true(st.st_blocks > 0); /* room is taken beforehand */
	assert_int_equal(st.st_mode & 0777, 0600);
	close(fd);
	assert_int_equal(slot_create(f->path, &fd, &err), -EEXIST);
	assert_int_equal(slot_read(f->path, &got), -ENODATA);
	s.checksum = slot_checksum(&s);
	write_at(f->path, &s, sizeof(s));
	assert_int_equal(slot_read(f->path, &got), 0);
	assert_int_equal(got.value, 9);
	assert_int_equal(got.wall_ns, 12345);
	for (size_t i = 0; i < sizeof(s); i++) { /* any byte that changes shows */
		struct slot bad = s;
		((uint8_t *)&bad)[i] ^= 0x10;
		write_at(f->path, &bad, sizeof(bad));
		assert_int_equal(slot_read(f->path, &got), -EBADMSG);
	}
	write_at(f->path, &s, sizeof(s) - 1);
	assert_int_equal(slot_read(f->path, &got), -EBADMSG);
}

/* ---- plans ---- */

static void test_plan(void **state)
{
	struct fixture *f = *state;
	struct plan p = {0};
	struct stat st;
	char path[128], target[64] = "";
	size_t failed = 99;
	mode_t mask = umask(0);

	plan_dir(&p, 0751, "%s/d", f->folder);
	plan_dir(&p, 0751, "%s/d", f->folder); /* there already is as good */
	plan_file(&p, "%s/d/f", f->folder);
	plan_link(&p, "f", "%s/d/l", f->folder);
	plan_device(&p, makedev(1, 3), "%s/d/null", f->folder);
	assert_int_equal(plan_run(&p, &failed), 0);
	umask(mask);
	snprintf(path, sizeof(path), "%s/d", f->folder);
	assert_int_equal(stat(path, &st), 0);
	assert_int_equal(st.st_mode & 07777, 0751);
	snprintf(path, sizeof(path), "%s/d/l", f->folder);
	assert_int_equal(readlink(path, target, sizeof(target)), 1);
	snprintf(path, sizeof(path), "%s/d/null", f->folder);
	assert_int_equal(stat(path, &st), 0);
	assert_true(S_ISCHR(st.st_mode));
	assert_int_equal(st.st_rdev, makedev(1, 3));
	assert_int_equal(st.st_mode & 0777, 0666);
	plan_fini(&p);
	for (const char *const *n = (const char *const[]){"null", "l", "f", NULL}; *n; n++) {
		snprintf(path, sizeof(path), "%s/d/%s", f->folder, *n);
		assert_int_equal(unlink(path), 0);
	}
	snprintf(path, sizeof(path), "%s/d", f->folder);
	assert_int_equal(rmdir(path), 0);
}

static void test_plan_failure(void **state)
{
	struct fixture *f = *state;
	struct plan p = {0};
	_cleanup_buf_ struct buf text = {0};
	size_t failed = 99;

	plan_dir(&p, 0755, "%s", f->folder);
	plan_mount(&p, "no-such-fs", 0, NULL, "%s/sub/proc", f->folder);
	plan_file(&p, "%s/never", f->folder);
	assert_int_equal(plan_run(&p, &failed), -ENOENT);
	assert_int_equal(failed, 1);
	plan_describe(&p, 1, f->folder, &text);
	assert_string_equal(buf_cstr(&text), "mount /sub/proc");
	buf_clear(&text);
	plan_describe(&p, 0, f->folder, &text);
	assert_string_equal(buf_cstr(&text), "make folder /");
	plan_fini(&p);
	plan_bind(&p, "/no/such", 0, "%s", f->folder);
	assert_int_equal(plan_run(&p, &failed), -ENOENT);
	buf_clear(&text);
	plan_describe(&p, 0, NULL, &text);
	assert_non_null(strstr(buf_cstr(&text), "bind /no/such at /tmp/"));
	plan_fini(&p);
}

/* ---- filters, identity, image ---- */

static void test_filters(void **state)
{
	struct seccomp_program plain, privileged;
	struct err err = {0};

	assert_int_equal(seccomp_program_make(false, &plain, &err), 0);
	assert_int_equal(seccomp_program_make(true, &privileged, &err), 0);
	assert_true(privileged.n > 10);
	assert_true(plain.n > privileged.n);
	assert_true(plain.n < BPF_MAXINSNS);
	seccomp_program_fini(&plain);
	seccomp_program_fini(&privileged);
	assert_null(plain.filter);
}

static void test_identity(void **state)
{
	uint64_t mine, again, other;
	char st, boot[40];

	assert_int_equal(pid_stat(getpid(), &mine, &st), 0);
	assert_int_equal(st, 'R');
	assert_int_equal(pid_stat(getpid(), &again, &st), 0);
	assert_int_equal(mine, again);
	assert_int_equal(pid_stat(0x7fffffff, &again, &st), -ESRCH);
	assert_int_equal(pid_boot_id(boot), 0);
	assert_int_equal(strlen(boot), 36);
	pid_t pid = fork();
	if (pid == 0) {
		pause();
		_exit(0);
	}
	int fd = pid_open(pid);
	assert_true(fd >= 0);
	assert_int_equal(pid_stat(pid, &other, &st), 0);
	assert_true(other >= mine);
	assert_int_equal(pid_signal(fd, SIGKILL), 0);
	siginfo_t info;
	assert_int_equal(waitid(P_PID, (id_t)pid, &info, WEXITED | WNOWAIT), 0);
	assert_int_equal(pid_stat(pid, &other, &st), 0);
	assert_int_equal(st, 'Z');
	waitpid(pid, NULL, 0);
	assert_int_equal(pid_signal(fd, SIGKILL), -ESRCH);
	close(fd);
	assert_int_equal(pid_open(pid), -ESRCH);
}

static void test_image(void **state)
{
	struct err err = {0};
	struct stat st;
	char *argv[] = {(char *)"fairlead-init", NULL}, *envp[] = {NULL};
	int fd = -1, status;

	assert_int_equal(image_open(&fd, &err), 0);
	assert_int_equal(fstat(fd, &st), 0);
	assert_int_equal(st.st_mode & 0777, 0111);
	assert_int_equal(st.st_uid, IDS_NOBODY);
	assert_true(st.st_size > 1000 && st.st_size < 65536);
	assert_int_equal(fcntl(fd, F_GET_SEALS) & 15, F_SEAL_SEAL | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE);
	assert_int_equal(pwrite(fd, "x", 1, 0), -1);
	assert_int_equal(errno, EPERM);
	assert_int_equal(ftruncate(fd, 0), -1);
	assert_true(fcntl(fd, F_GETFD) & FD_CLOEXEC);
	pid_t pid = fork();
	if (pid == 0) { /* too few arguments: it says no */
		fexecve(fd, argv, envp);
		_exit(1);
	}
	waitpid(pid, &status, 0);
	assert_int_equal(WEXITSTATUS(status), 126);
	close(fd);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_user),
		cmocka_unit_test(test_maps),
		cmocka_unit_test(test_capabilities),
		cmocka_unit_test_setup_teardown(test_slot, setup, teardown),
		cmocka_unit_test_setup_teardown(test_plan, setup, teardown),
		cmocka_unit_test_setup_teardown(test_plan_failure, setup, teardown),
		cmocka_unit_test(test_filters),
		cmocka_unit_test(test_identity),
		cmocka_unit_test(test_image),
	};

	if (geteuid() != 0) {
		fprintf(stderr, "skipped: devices and owners need root\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
