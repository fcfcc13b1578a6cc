/* fairlead-init: pid 1 of a container. Static, no C library, run from a sealed memfd that nobody may read.
 *
 * It starts the task as its user, with its capabilities and nothing else; hands on the signals it gets; reaps; writes the
 * exit slot when the task ends, and ends with it, whereupon the kernel ends everything else in the pid namespace.
 *
 * The task must not reach it. It has a uid that no task has (launch.c), is not dumpable, and its memory belongs to the
 * host's user namespace, since the memfd is unreadable: a task with CAP_SYS_PTRACE cannot trace it or look into /proc/1
 * either. Of its capabilities it keeps, once the task runs, CAP_KILL only. */
#include <linux/capability.h>
#include <linux/close_range.h>
#include <linux/fcntl.h>
#include <linux/prctl.h>
#include <linux/resource.h>
#include <linux/time.h>
#include <linux/wait.h>

#include "slave/container/init/sys.h"
#include "slave/container/slot.h"
#include "slave/container/wire.h"

/* As the kernel has them; the C library's differ. */
#define N_SIGNALS 64
#define SIGNAL_KILL 9
#define SIGNAL_CHILD 17
#define SIGNAL_STOP 19
#define SIG_SETMASK 2
#define E_NOENT 2
#define E_INTR 4
#define E_ACCES 13
#define E_NOTDIR 20
#define E_NAMETOOLONG 36
#define MSG_NOSIGNAL 0x4000

struct kernel_sigaction {
	void *handler;
	unsigned long flags;
	void *restorer;
	uint64_t mask;
};

struct task {
	unsigned uid;
	unsigned gids[1 + WIRE_MAX_GROUPS];
	unsigned n_gids;
	uint64_t caps;
	const char *file;
	char **argv, **envp;
};

void *memset(void *at, int byte, size_t n); /* the compiler calls it */
void *memset(void *at, int byte, size_t n)
{
	volatile unsigned char *p = at;

	for (size_t i = 0; i < n; i++)
		p[i] = (unsigned char)byte;
	return at;
}

static _Noreturn void leave(int code)
{
	for (;;)
		SYS_1(__NR_exit_group, code);
}

static _Noreturn void fail(enum wire_step step, long error)
{
	struct wire_report r = {.kind = WIRE_FAILED, .step = step, .error = (int32_t)error};

	sys6(__NR_sendto, WIRE_FD_SOCKET, (long)&r, sizeof(r), MSG_NOSIGNAL, 0, 0);
	leave(127);
}

static void must(long result, enum wire_step step)
{
	if (result < 0)
		fail(step, -result);
}

/* ---- arguments ---- */

static const char *parse(const char *s, unsigned base, uint64_t *ret)
{
	uint64_t value = 0;

	for (;; s++) {
		unsigned digit = *s >= '0' && *s <= '9'   ? (unsigned)(*s - '0')
		                 : *s >= 'a' && *s <= 'f' ? (unsigned)(*s - 'a' + 10)
		                                          : base;
		if (digit >= base)
			break;
		value = value * base + digit;
	}
	*ret = value;
	return s;
}

static void parse_task(char **argv, char **envp, struct task *t)
{
	const char *s = argv[WIRE_ARG_GIDS];
	uint64_t value;

	parse(argv[WIRE_ARG_UID], 10, &value);
	t->uid = (unsigned)value;
	t->n_gids = 0;
	do {
		s = parse(s, 10, &value);
		t->gids[t->n_gids++] = (unsigned)value;
	} while (*s++ == ',' && t->n_gids <= WIRE_MAX_GROUPS);
	parse(argv[WIRE_ARG_CAPS], 16, &t->caps);
	t->file = argv[WIRE_ARG_FILE];
	t->argv = argv + WIRE_ARG_ARGV;
	t->envp = envp;
}

/* ---- the task ---- */

static long set_caps(uint64_t permitted, uint64_t inheritable)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	for (int i = 0; i < 2; i++) {
		data[i].effective = data[i].permitted = (uint32_t)(permitted >> (32 * i));
		data[i].inheritable = (uint32_t)(inheritable >> (32 * i));
	}
	return SYS_2(__NR_capset, &header, data);
}

static void reset_signals(void)
{
	struct kernel_sigaction deflt = {0};
	uint64_t none = 0;

	for (int i = 1; i <= N_SIGNALS; i++) /* SIGKILL and SIGSTOP refuse, and are not changed anyway */
		SYS_4(__NR_rt_sigaction, i, &deflt, 0, sizeof(none));
	SYS_4(__NR_rt_sigprocmask, SIG_SETMASK, &none, 0, sizeof(none));
}

/* RLIMIT_CORE 1, not 0: only 1 keeps the kernel from starting a pipe handler; to files it is as good as 0. A slave started
 * through sudo has a hard limit of 0, which it may not raise. */
static void no_core_dumps(void)
{
	struct {
		uint64_t soft, hard;
	} one = {1, 1}, none = {0, 0};

	if (SYS_4(__NR_prlimit64, 0, RLIMIT_CORE, &one, 0) < 0)
		must(SYS_4(__NR_prlimit64, 0, RLIMIT_CORE, &none, 0), WIRE_STEP_USER);
}

static void become_user(const struct task *t)
{
	for (int cap = 0; SYS_2(__NR_prctl, PR_CAPBSET_READ, cap) >= 0; cap++)
		if (!(t->caps >> cap & 1))
			must(SYS_2(__NR_prctl, PR_CAPBSET_DROP, cap), WIRE_STEP_CAPABILITIES);
	must(SYS_5(__NR_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0), WIRE_STEP_CAPABILITIES);
	must(SYS_2(__NR_prctl, PR_SET_KEEPCAPS, 1), WIRE_STEP_CAPABILITIES); /* until the next exec */
	must(SYS_2(__NR_setgroups, t->n_gids - 1, t->gids + 1), WIRE_STEP_USER);
	must(SYS_3(__NR_setresgid, t->gids[0], t->gids[0], t->gids[0]), WIRE_STEP_USER);
	must(SYS_3(__NR_setresuid, t->uid, t->uid, t->uid), WIRE_STEP_USER);
	must(set_caps(t->caps, t->caps), WIRE_STEP_CAPABILITIES);
	/* Ambient, or a task whose uid is not 0 would lose them by executing. */
	for (int cap = 0; cap < 64; cap++)
		if (t->caps >> cap & 1)
			must(SYS_5(__NR_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0),
			     WIRE_STEP_CAPABILITIES);
}

static const char *environment(char **envp, const char *name, size_t n)
{
	for (; *envp; envp++) {
		size_t i = 0;
		while (i < n && (*envp)[i] == name[i])
			i++;
		if (i == n)
			return *envp + n;
	}
	return NULL;
}

static int join_path(char out[4096], const char *folder, size_t n, const char *file)
{
	size_t at = 0;

	if (n >= 2048)
		return -E_NAMETOOLONG;
	for (; at < n; at++)
		out[at] = folder[at];
	if (at)
		out[at++] = '/';
	for (; *file; file++) {
		if (at >= 4095)
			return -E_NAMETOOLONG;
		out[at++] = *file;
	}
	out[at] = 0;
	return 0;
}

/* As execvpe does it: the first that can be executed, or EACCES if one was there that may not be. */
static long execute(const struct task *t)
{
	static char path[4096];
	long result = -E_NOENT;

	for (const char *s = t->file; *s; s++)
		if (*s == '/')
			return SYS_3(__NR_execve, t->file, t->argv, t->envp);
	const char *folder = environment(t->envp, "PATH=", 5);
	while (folder && *t->file) {
		const char *end = folder;
		while (*end && *end != ':')
			end++;
		long r = join_path(path, folder, (size_t)(end - folder), t->file);
		if (r == 0)
			r = SYS_3(__NR_execve, path, t->argv, t->envp);
		if (r == -E_ACCES)
			result = r;
		else if (r != -E_NOENT && r != -E_NOTDIR)
			return r;
		folder = *end ? end + 1 : NULL;
	}
	return result;
}

static _Noreturn void run_task(const struct task *t)
{
	SYS_1(__NR_setsid, 0);
	SYS_1(__NR_umask, 022);
	no_core_dumps();
	must(SYS_3(__NR_close_range, WIRE_FD_SLOT, ~0U, 0), WIRE_STEP_DESCRIPTORS);
	must(SYS_3(__NR_fcntl, WIRE_FD_SOCKET, F_SETFD, FD_CLOEXEC), WIRE_STEP_DESCRIPTORS);
	become_user(t);
	reset_signals();
	fail(WIRE_STEP_EXEC, -execute(t));
}

/* ---- pid 1 ---- */

/* Not synced: it is to outlive the slave, not the machine, with which all that runs on it ends. */
static void write_slot(int status)
{
	struct timespec {
		int64_t s, ns;
	} now = {0};
	struct slot s = {.magic = SLOT_MAGIC};
	int signal = status & 0x7f;

	SYS_2(__NR_clock_gettime, 0, &now);
	s.kind = signal ? SLOT_SIGNALLED : SLOT_EXITED;
	s.value = signal ? signal : (status >> 8) & 0xff;
	s.wall_ns = now.s * 1000000000 + now.ns;
	s.checksum = slot_checksum(&s);
	sys6(__NR_pwrite64, WIRE_FD_SLOT, (long)&s, sizeof(s), 0, 0, 0);
}

/* Reaps all that has ended; true with its status when the task is among them. */
static int reap(long task, int *ret_status)
{
	int found = 0, status;

	for (;;) {
		long pid = SYS_4(__NR_wait4, -1, &status, WNOHANG, 0);
		if (pid <= 0)
			return found;
		if (pid == task) {
			*ret_status = status;
			found = 1;
		}
	}
}

static int serve(long task)
{
	uint64_t all = ~(uint64_t)0;
	int status = 0;

	for (;;) {
		long signal = SYS_4(__NR_rt_sigtimedwait, &all, 0, 0, sizeof(all));
		if (signal == SIGNAL_CHILD) {
			if (reap(task, &status))
				return status;
		} else if (signal > 0) {
			/* To the task's group, a shell and what it runs; there is none yet before its setsid(). */
			if (SYS_2(__NR_kill, -task, signal) < 0)
				SYS_2(__NR_kill, task, signal);
		}
	}
}

_Noreturn void init_main(long *stack);
_Noreturn void init_main(long *stack)
{
	long argc = stack[0];
	char **argv = (char **)(stack + 1);
	struct task t;
	uint64_t all = ~(uint64_t)0;

	if (argc <= WIRE_ARG_ARGV)
		leave(126);
	SYS_2(__NR_prctl, PR_SET_DUMPABLE, 0);
	SYS_2(__NR_prctl, PR_SET_NAME, "fairlead-init");
	SYS_4(__NR_rt_sigprocmask, SIG_SETMASK, &all, 0, sizeof(all));
	parse_task(argv, argv + argc + 1, &t);
	long task = SYS_5(__NR_clone, SIGNAL_CHILD, 0, 0, 0, 0);
	must(task, WIRE_STEP_FORK);
	if (task == 0)
		run_task(&t);
	for (int fd = 0; fd <= WIRE_FD_SOCKET; fd++)
		SYS_1(__NR_close, fd);
	SYS_5(__NR_prctl, PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0);
	set_caps(1u << CAP_KILL, 0);
	int status = serve(task);
	write_slot(status);
	leave(status & 0x7f ? 128 + (status & 0x7f) : (status >> 8) & 0xff);
}
