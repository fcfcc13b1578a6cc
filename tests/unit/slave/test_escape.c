/* Ways out of a container that others had open once, tried for real from inside. This program is also what tries: copied
 * into the sandbox and started there as "escape ATTEMPT SECRET SLOT PID", it exits with 0 when it was refused and with 1
 * when it got somewhere. Each attempt is made by an ordinary user, by root, and by root with every capability that a task
 * can name, which are capabilities in its own user namespace. */
#include "tests/unit/slave/container_fixture.h"

#include <ftw.h>
#include <linux/perf_event.h>
#include <net/if.h>
#include <netinet/in.h>
#include <sched.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <sys/ptrace.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <sys/timex.h>
#include <sys/uio.h>
#include <time.h>

#include "slave/files.h"

#define SECRET "what only the host may know"

/* ---- inside ---- */

/* argv of the attempt: paths and a pid as the host has them. */
struct target {
	const char *secret, *slot;
	pid_t pid;
};

static bool out(const char *how)
{
	dprintf(1, "got out: %s\n", how);
	return true;
}

/* A system call that must not succeed. */
#define REFUSED(call) ((call) >= 0 && out(#call))
#define ANY(array, at) for (size_t at = 0; at < ARRAY_SIZE(array); at++)

static bool shows_secret(const char *prefix, const struct target *t)
{
	char path[512], text[64] = "";

	snprintf(path, sizeof(path), "%s%s", prefix, t->secret);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	return fd >= 0 && read(fd, text, sizeof(text) - 1) >= 0 && out(path);
}

static bool opens(const char *path, int flags)
{
	_cleanup_close_ int fd = open(path, flags | O_NONBLOCK | O_CLOEXEC);
	return fd >= 0 && out(path);
}

static bool host_path(const struct target *t)
{
	return shows_secret("", t) || shows_secret("../../../../../../..", t) || opens("/etc/shadow", O_RDONLY) ||
	       opens("/root", O_RDONLY);
}

static bool init_folders(const struct target *t)
{
	return shows_secret("/proc/1/root", t) || shows_secret("/proc/1/cwd", t) ||
	       shows_secret("/proc/1/task/1/root", t) || opens("/proc/1/ns/mnt", O_RDONLY) ||
	       opens("/proc/1/environ", O_RDONLY);
}

static bool init_descriptors(const struct target *t)
{
	char path[64];

	for (int fd = 0; fd < 32; fd++) {
		snprintf(path, sizeof(path), "/proc/1/fd/%d", fd);
		if (opens(path, O_RDONLY) || opens(path, O_WRONLY) || shows_secret(path, t))
			return true;
	}
	return false;
}

/* The folder that a leaked descriptor shows, taken as working folder or walked up from. */
static bool own_descriptors(const struct target *t)
{
	char path[64];

	for (int fd = 3; fd < 1024; fd++)
		if (fcntl(fd, F_GETFD) >= 0)
			return out("a descriptor was left open");
	for (int fd = 0; fd < 3; fd++) {
		snprintf(path, sizeof(path), "/proc/self/fd/%d/../../../..", fd);
		if (shows_secret(path, t) || (chdir(path) == 0 && out(path)))
			return true;
	}
	return false;
}

static bool working_folder(const struct target *t)
{
	struct stat root, above;

	if (chdir("../../../../../../..") < 0 || stat(".", &above) < 0 || stat("/", &root) < 0)
		return out("no working folder");
	return (root.st_ino != above.st_ino || root.st_dev != above.st_dev) && out("above the root");
}

static bool init_program(const struct target *t)
{
	return opens("/proc/1/exe", O_RDONLY) || opens("/proc/1/exe", O_WRONLY) || opens("/proc/1/mem", O_RDWR) ||
	       opens("/proc/1/map_files", O_RDONLY);
}

static bool host_programs(const struct target *t)
{
	static const char *const programs[] = {"/bin/sh", "/usr/bin/env", "/usr/bin/true", "/etc/passwd"};

	ANY(programs, i)
	if (opens(programs[i], O_WRONLY) || REFUSED(unlink(programs[i])))
		return true;
	return REFUSED(open("/usr/x", O_CREAT | O_WRONLY, 0600)) || REFUSED(mkdir("/x", 0700));
}

static bool trace_init(const struct target *t)
{
	char byte;
	struct iovec here = {&byte, 1}, there = {(void *)0x400000, 1};

	return REFUSED(ptrace(PTRACE_ATTACH, 1, 0, 0)) || REFUSED(ptrace(PTRACE_SEIZE, 1, 0, 0)) ||
	       REFUSED(process_vm_readv(1, &here, 1, &there, 1, 0)) ||
	       REFUSED(process_vm_writev(1, &here, 1, &there, 1, 0));
}

static bool take_init_descriptor(const struct target *t)
{
	int init = (int)syscall(SYS_pidfd_open, 1, 0);

	return init >= 0 && (REFUSED(syscall(SYS_pidfd_getfd, init, 4, 0)) || REFUSED(setns(init, CLONE_NEWNS)));
}

static bool mounts(const struct target *t)
{
	return REFUSED(mount("tmpfs", "/tmp", "tmpfs", 0, NULL)) || REFUSED(mount("/", "/tmp", NULL, MS_BIND, NULL)) ||
	       REFUSED(mount("proc", "/tmp", "proc", 0, NULL)) || REFUSED(umount2("/proc/sys", MNT_DETACH)) ||
	       REFUSED(umount2("/proc/kcore", MNT_DETACH)) ||
	       REFUSED(mount(NULL, "/usr", NULL, MS_REMOUNT | MS_BIND, NULL)) ||
	       REFUSED(syscall(SYS_pivot_root, ".", "."));
}

static bool new_mounts(const struct target *t)
{
	return REFUSED(syscall(SYS_fsopen, "tmpfs", 0)) || REFUSED(syscall(SYS_open_tree, -100, "/", 1)) ||
	       REFUSED(syscall(SYS_fspick, -100, "/", 0)) ||
	       REFUSED(syscall(SYS_move_mount, -100, "/usr", -100, "/tmp", 0));
}

static bool namespaces(const struct target *t)
{
	static const int flags[] = {CLONE_NEWUSER, CLONE_NEWUSER | CLONE_NEWNS, CLONE_NEWNS, CLONE_NEWPID,
	                            CLONE_NEWNET};

	ANY(flags, i)
	if (REFUSED(unshare(flags[i])) || REFUSED(syscall(SYS_clone, flags[i] | SIGCHLD, 0, 0, 0, 0)))
		return true;
	return REFUSED(syscall(SYS_clone3, NULL, 0)) || (errno != ENOSYS && out("clone3 is looked at"));
}

static bool keyring(const struct target *t)
{
	return REFUSED(syscall(SYS_keyctl, 0, -4, 1)) || REFUSED(syscall(SYS_add_key, "user", "x", "y", 1, -4)) ||
	       REFUSED(syscall(SYS_request_key, "user", "x", NULL, -4));
}

static bool kernel_programs(const struct target *t)
{
	char attr[128] = {0};
	struct perf_event_attr perf = {.size = sizeof(perf), .type = PERF_TYPE_SOFTWARE};

	return REFUSED(syscall(SYS_bpf, 0, attr, sizeof(attr))) ||
	       REFUSED(syscall(SYS_perf_event_open, &perf, 0, -1, -1, 0)) || REFUSED(syscall(SYS_userfaultfd, 1)) ||
	       REFUSED(syscall(SYS_io_uring_setup, 1, attr)) || REFUSED(syscall(SYS_init_module, attr, 0, "")) ||
	       REFUSED(syscall(SYS_finit_module, 0, "", 0));
}

static bool kernel_devices(const struct target *t)
{
	static const char *const paths[] = {"/dev/mem",  "/dev/kmem",         "/dev/port", "/dev/kmsg", "/dev/kvm",
	                                    "/dev/fuse", "/dev/loop-control", "/dev/sda",  "/dev/vda",  "/dev/net/tun"};
	char byte;

	ANY(paths, i)
	if (opens(paths[i], O_RDONLY))
		return true;
	_cleanup_close_ int kcore = open("/proc/kcore", O_RDONLY | O_CLOEXEC);
	_cleanup_close_ int kmsg = open("/proc/kmsg", O_RDONLY | O_NONBLOCK | O_CLOEXEC);
	return (kcore >= 0 && read(kcore, &byte, 1) > 0 && out("kcore")) ||
	       (kmsg >= 0 && read(kmsg, &byte, 1) > 0 && out("kmsg"));
}

static bool kernel_settings(const struct target *t)
{
	static const char *const paths[] = {"/proc/sysrq-trigger",
	                                    "/proc/sys/kernel/core_pattern",
	                                    "/proc/sys/kernel/modprobe",
	                                    "/proc/sys/vm/panic_on_oom",
	                                    "/proc/sys/fs/binfmt_misc/register",
	                                    "/proc/sys/kernel/hostname",
	                                    "/proc/irq/default_smp_affinity",
	                                    "/sys/kernel/uevent_helper"};

	ANY(paths, i)
	if (opens(paths[i], O_WRONLY))
		return true;
	return false;
}

static int try_writing(const char *path, const struct stat *st, int type, struct FTW *at)
{
	/* Of a process, or its namespaces', and judged there; and triggers of one's own on the machine's load. */
	static const char *const personal[] = {"self", "thread-self", "pressure"};
	const char *name = path + strlen("/proc/");

	if (at->level == 0)
		return FTW_CONTINUE;
	if (at->level == 1 && (*name >= '0' && *name <= '9'))
		return FTW_SKIP_SUBTREE;
	for (size_t i = 0; at->level == 1 && i < ARRAY_SIZE(personal); i++)
		if (strcmp(name, personal[i]) == 0)
			return FTW_SKIP_SUBTREE;
	return type == FTW_F && S_ISREG(st->st_mode) && (st->st_mode & 0222) && opens(path, O_WRONLY) ? FTW_STOP
	                                                                                              : FTW_CONTINUE;
}

/* Files of /proc belong to root, which the task may be, and not all of them ask for more. Masked ones are /dev/null. */
static bool all_of_proc(const struct target *t)
{
	return nftw("/proc", try_writing, 16, FTW_PHYS | FTW_ACTIONRETVAL) == FTW_STOP;
}

static bool release_agent(const struct target *t)
{
	return REFUSED(mount("cgroup", "/tmp", "cgroup", 0, "memory")) ||
	       REFUSED(mount("cgroup", "/tmp", "cgroup", 0, "none,name=x")) ||
	       REFUSED(mount("cgroup2", "/tmp", "cgroup2", 0, NULL)) || opens("/sys/fs/cgroup", O_RDONLY) ||
	       opens("/tmp/release_agent", O_WRONLY);
}

static bool own_devices(const struct target *t)
{
	static const char *const folders[] = {"/tmp", "/sandbox", "/run", "/var", "/dev", "/dev/shm"};
	static const struct {
		mode_t type;
		unsigned major, minor;
	} kinds[] = {{S_IFBLK, 8, 0}, {S_IFBLK, 254, 0}, {S_IFBLK, 7, 0}, {S_IFCHR, 1, 1}, {S_IFCHR, 1, 11}};
	char path[64];

	ANY(folders, f)
	ANY(kinds, k)
	{
		snprintf(path, sizeof(path), "%s/device", folders[f]);
		mknod(path, kinds[k].type | 0666, makedev(kinds[k].major, kinds[k].minor));
		if (opens(path, O_RDONLY))
			return true;
		unlink(path);
	}
	return false;
}

static bool leave_root(const struct target *t)
{
	int here = open("/", O_PATH | O_DIRECTORY | O_CLOEXEC);

	mkdir("/tmp/jail", 0700);
	return REFUSED(chroot("/tmp/jail")) || fchdir(here) < 0 || shows_secret("../../../..", t);
}

static bool become_somebody(const struct target *t)
{
	int copy = open("/tmp/copy", O_CREAT | O_WRONLY | O_CLOEXEC, 0700);
	bool root = geteuid() == 0;

	if (prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) != 1)
		return out("may gain privileges");
	if (copy < 0)
		return out("no place to try");
	return REFUSED(setuid(root ? 1 : 0)) || REFUSED(setresgid(5, 5, 5)) ||
	       REFUSED(fchown(copy, root ? 1 : 0, -1)) || REFUSED(fchown(copy, -1, 5));
}

/* A signal may be allowed, and then must not arrive: the host sees whether init ended as it should. */
static bool kill_init(const struct target *t)
{
	static const int signals[] = {SIGKILL, SIGSTOP, SIGCHLD};
	struct timespec moment = {.tv_nsec = 20000000};

	ANY(signals, i)
	kill(1, signals[i]);
	nanosleep(&moment, NULL);
	return getppid() != 1 && out("without init");
}

static bool kill_host(const struct target *t)
{
	kill(-1, SIGKILL); /* all but oneself and init; the host is to see whether it was hit */
	return (t->pid != getpid() && t->pid != 1 && REFUSED(kill(t->pid, 0))) || REFUSED(kill(getpid() + 1000, 0));
}

static bool forge_end(const struct target *t)
{
	return opens(t->slot, O_WRONLY) || REFUSED(open(t->slot, O_CREAT | O_WRONLY, 0600)) ||
	       opens("/proc/1/fd/4", O_WRONLY) || REFUSED(write(4, "forged", 6));
}

static bool by_handle(const struct target *t)
{
	uint32_t handle[4] = {8, 1, 2, 0}; /* 8 bytes, of type 1: inode 2, which is a root */
	int mount_id;

	return REFUSED(syscall(SYS_open_by_handle_at, AT_FDCWD, handle, O_RDONLY)) ||
	       REFUSED(syscall(SYS_name_to_handle_at, AT_FDCWD, "/usr", handle, &mount_id, 0));
}

static bool the_machine(const struct target *t)
{
	struct timex clock = {.modes = ADJ_TICK, .tick = 10000};
	struct timespec now = {.tv_sec = 1};

	return REFUSED(syscall(SYS_reboot, 0xfee1dead, 672274793, 0, NULL)) ||
	       REFUSED(clock_settime(CLOCK_REALTIME, &now)) || REFUSED(adjtimex(&clock)) ||
	       REFUSED(syscall(SYS_swapon, "/tmp/x", 0)) || REFUSED(syscall(SYS_syslog, 3, NULL, 0)) ||
	       REFUSED(syscall(SYS_acct, "/tmp/x")) || REFUSED(syscall(SYS_kexec_load, 0, 0, NULL, 0)) ||
	       REFUSED(syscall(SYS_quotactl, 0, "/", 0, NULL));
}

static bool the_network(const struct target *t)
{
	struct ifreq lo = {.ifr_name = "lo"};
	_cleanup_close_ int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	return REFUSED(socket(AF_PACKET, SOCK_RAW, 0)) || REFUSED(socket(AF_INET, SOCK_RAW, 255)) ||
	       REFUSED(ioctl(fd, SIOCSIFFLAGS, &lo)) || REFUSED(socket(AF_VSOCK, SOCK_STREAM, 0));
}

static bool foreign_calls(const struct target *t)
{
#ifdef __x86_64__
	long result = 310; /* unshare, as 32-bit programs number it */

	__asm__ volatile("int $0x80" : "+a"(result) : "b"(CLONE_NEWUSER) : "memory", "r8", "r9", "r10", "r11");
	if (result >= 0)
		return out("unshare by int 0x80");
	return REFUSED(syscall(0x40000000 + SYS_unshare, CLONE_NEWUSER));
#else
	return false;
#endif
}

static bool forge_typing(const struct target *t)
{
	char c = 'x';

	return REFUSED(ioctl(0, TIOCSTI, &c)) || REFUSED(syscall(SYS_ioctl, 0, 0x100000000 | TIOCSTI, &c)) ||
	       opens("/dev/console", O_RDWR) || opens("/dev/tty", O_RDWR);
}

static const struct attempt {
	const char *name;
	bool (*fn)(const struct target *t);
} attempts[] = {
	{"host_path", host_path},
	{"init_folders", init_folders},
	{"init_descriptors", init_descriptors},
	{"own_descriptors", own_descriptors},
	{"working_folder", working_folder},
	{"init_program", init_program},
	{"host_programs", host_programs},
	{"trace_init", trace_init},
	{"take_init_descriptor", take_init_descriptor},
	{"mounts", mounts},
	{"new_mounts", new_mounts},
	{"namespaces", namespaces},
	{"keyring", keyring},
	{"kernel_programs", kernel_programs},
	{"kernel_devices", kernel_devices},
	{"kernel_settings", kernel_settings},
	{"all_of_proc", all_of_proc},
	{"release_agent", release_agent},
	{"own_devices", own_devices},
	{"leave_root", leave_root},
	{"become_somebody", become_somebody},
	{"kill_init", kill_init},
	{"kill_host", kill_host},
	{"forge_end", forge_end},
	{"by_handle", by_handle},
	{"the_machine", the_machine},
	{"the_network", the_network},
	{"foreign_calls", foreign_calls},
	{"forge_typing", forge_typing},
};

static int try_one(char **argv)
{
	struct target t = {.secret = argv[2], .slot = argv[3], .pid = (pid_t)strtol(argv[4], NULL, 10)};

	ANY(attempts, i)
	if (strcmp(attempts[i].name, argv[1]) == 0)
		return attempts[i].fn(&t);
	return 2;
}

/* ---- outside ---- */

static const char *const all_caps[] = {"CHOWN",      "DAC_OVERRIDE", "DAC_READ_SEARCH", "FOWNER",    "KILL",
                                       "MKNOD",      "NET_ADMIN",    "NET_RAW",         "SETFCAP",   "SETGID",
                                       "SETPCAP",    "SETUID",       "SYSLOG",          "SYS_ADMIN", "SYS_BOOT",
                                       "SYS_CHROOT", "SYS_MODULE",   "SYS_PTRACE",      "SYS_RAWIO", "SYS_RESOURCE",
                                       "SYS_TIME",   "BPF",          "PERFMON",         NULL};
static const struct identity {
	const char *name, *user;
	const char *const *capabilities;
} identities[] = {{"user", TASK_USER, NULL}, {"root", "0", NULL}, {"root with capabilities", "0", all_caps}};

static void copy_program(const char *to)
{
	_cleanup_close_ int in = open("/proc/self/exe", O_RDONLY | O_CLOEXEC);
	_cleanup_close_ int file = open(to, O_CREAT | O_EXCL | O_WRONLY | O_CLOEXEC, 0755);
	struct stat st;

	assert_int_equal(fstat(in, &st), 0);
	for (off_t left = st.st_size; left > 0;) {
		ssize_t n = copy_file_range(in, NULL, file, NULL, (size_t)left, 0);
		assert_true(n > 0);
		left -= n;
	}
}

static char *make_secret(struct world *w)
{
	char *path = xasprintf("%s/secret", w->folder);
	_cleanup_fclose_ FILE *f = fopen(path, "we");

	assert_non_null(f);
	fputs(SECRET, f);
	return path;
}

static void make_attempt(struct world *w, const struct attempt *a, const struct identity *who)
{
	_cleanup_free_ char *secret = make_secret(w), *pid = xasprintf("%d", (int)getpid());
	struct story s;

	story_init(&s, w);
	_cleanup_free_ char *program = xasprintf("%s/escape", s.sandbox),
			    *slot = xasprintf("%s/%s/exit", w->runtime, s.id);
	copy_program(program);
	const char *words[] = {"escape", a->name, secret, slot, pid};
	struct fl_command_info c = {
		.value = "/sandbox/escape", .has_shell = true, .arguments = words, .n_arguments = ARRAY_SIZE(words)};
	struct proc_spec spec = spec_of(&s, &c);
	spec.user = who->user;
	spec.capabilities = who->capabilities;
	spec.mem_bytes = 1024 * MIB; /* sanitizers */
	launch_spec(&s, &spec);
	until_over(&s);
	if (s.failed_step[0] || !s.exit.known || s.exit.signal || s.exit.exit_code != 0)
		fail_msg("%s as %s: %s: %s%s", a->name, who->name, s.message, output(&s, "stdout"),
		         output(&s, "stderr"));
	assert_string_equal(read_file(secret), SECRET);
	finish(&s);
}

static void test_attempts(void **state)
{
	ANY(attempts, i)
	ANY(identities, who)
	make_attempt(*state, &attempts[i], &identities[who]);
}

/* The slave follows nothing that a task put where it reads. */
static void test_output_turned(void **state)
{
	static const char *const turns[] = {"ln -sf %s stdout", "rm stdout; mkfifo stdout", "rm stdout; mkdir stdout",
	                                    "mkdir d; ln -s %s d/stdout; rm stdout; mv d stdout",
	                                    "rm stdout; ln -s /proc/self/root stdout"};
	struct world *w = *state;
	_cleanup_free_ char *secret = make_secret(w);
	_cleanup_zone_ struct zone *z = zone_create();

	ANY(turns, i)
	{
		struct story s;
		struct fl_api_file_data data = {0};
		struct err err = {0};
		char script[256];
		snprintf(script, sizeof(script), turns[i], secret);
		story_init(&s, w);
		launch(&s, script);
		until_over(&s);
		assert_int_equal(s.exit.exit_code, 0);
		_cleanup_free_ char *path = xasprintf("%s/stdout", s.id),
				    *deeper = xasprintf("%s/stdout/%s", s.id, "stdout"),
				    *through = xasprintf("%s/stdout%s", s.id, secret);
		assert_int_equal(files_read(w->work, path, 0, 100, z, &data, &err), -EINVAL);
		assert_true(files_read(w->work, deeper, 0, 100, z, &data, &err) < 0);
		assert_true(files_read(w->work, through, 0, 100, z, &data, &err) < 0);
		finish(&s);
	}
}

/* A task that puts a link where its output is to go before it is started again finds it not followed. */
static void test_sandbox_is_a_link(void **state)
{
	struct world *w = *state;
	struct fl_command_info c = {.value = "true"};
	struct story s;

	story_init(&s, w);
	assert_int_equal(rmdir(s.sandbox), 0);
	assert_int_equal(symlink(w->folder, s.sandbox), 0);
	struct proc_spec spec = spec_of(&s, &c);
	assert_fails(&s, &spec, "sandbox", "Not a directory");
	unlink(s.sandbox);
}

int main(int argc, char **argv)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_attempts),
		cmocka_unit_test(test_output_turned),
		cmocka_unit_test(test_sandbox_is_a_link),
	};

	if (argc == 5)
		_exit(try_one(argv)); /* no leak check: it wants to trace */
	if (containers_missing())
		return 77;
	log_set_level(LOG_ERROR);
	return cmocka_run_group_tests(tests, setup, teardown);
}
