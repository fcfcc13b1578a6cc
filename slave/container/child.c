#include "slave/container/child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <net/if.h>
#include <sched.h>
#include <signal.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "slave/container/cgroup.h"
#include "slave/container/plan.h"
#include "slave/container/rootfs.h"
#include "slave/container/seccomp.h"
#include "slave/container/wire.h"

/* To start the task as its user, and to hand signals on. */
#define INIT_CAPS (1u << CAP_SETUID | 1u << CAP_SETGID | 1u << CAP_SETPCAP | 1u << CAP_KILL)

static void report(uint32_t kind, enum wire_step step, int error, uint32_t detail)
{
	struct wire_report r = {.kind = kind, .step = step, .error = error, .detail = detail};

	if (send(WIRE_FD_SOCKET, &r, sizeof(r), MSG_NOSIGNAL) < 0)
		_exit(1);
}

static _Noreturn void fail(enum wire_step step, int error, uint32_t detail)
{
	report(WIRE_FAILED, step, error, detail);
	_exit(1);
}

static void must(long result, enum wire_step step)
{
	if (result < 0)
		fail(step, errno, 0);
}

static void wait_for(char order)
{
	char got;
	ssize_t n;

	do
		n = recv(WIRE_FD_SOCKET, &got, 1, 0);
	while (n < 0 && errno == EINTR);
	if (n != 1 || got != order) /* the slave is gone, or has thought better of it */
		_exit(1);
}

/* What init is to have at fixed numbers, and nothing else of the slave's: above all not the ends of other children's
 * sockets, which would keep them from seeing the slave's end. */
static void arrange_descriptors(const struct child *c)
{
	int from[3] = {c->socket, c->slot, c->image};
	int entered = c->cgroups ? cgroup_enter(c->cgroups, c->cgroup) : 0; /* while its descriptors are there */

	for (int i = 0; i < 3; i++) {
		from[i] = fcntl(from[i], F_DUPFD_CLOEXEC, 10);
		if (from[i] < 0)
			_exit(1);
	}
	if (dup2(from[0], WIRE_FD_SOCKET) < 0 || dup2(from[1], WIRE_FD_SLOT) < 0)
		_exit(1);
	if (entered < 0)
		fail(WIRE_STEP_CGROUP, -entered, 0);
	must(dup3(from[2], WIRE_FD_INIT, O_CLOEXEC), WIRE_STEP_DESCRIPTORS);
	must(close_range(WIRE_FD_FIRST_OTHER, ~0U, 0), WIRE_STEP_DESCRIPTORS);
}

static void make_tree(const struct child *c)
{
	size_t failed = 0;
	int r = plan_run(c->plan, &failed);

	if (r < 0)
		fail(WIRE_STEP_TREE, -r, (uint32_t)failed);
}

/* The sandbox is the user's, who may have put anything there: only a plain file of one name is opened. */
static void open_output(const struct child *c, const char *path, int to)
{
	int flags = O_WRONLY | O_APPEND | O_CREAT | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY | O_CLOEXEC;
	int fd = open(path, flags, 0644);
	struct stat st;

	must(fd, WIRE_STEP_OUTPUT);
	must(fstat(fd, &st), WIRE_STEP_OUTPUT);
	if (!S_ISREG(st.st_mode) || st.st_nlink != 1)
		fail(WIRE_STEP_OUTPUT, EMLINK, 0);
	must(fcntl(fd, F_SETFL, O_APPEND), WIRE_STEP_OUTPUT);
	must(fchown(fd, c->uid, c->gid), WIRE_STEP_OUTPUT);
	must(dup2(fd, to), WIRE_STEP_OUTPUT);
	close(fd);
}

static void open_files(const struct child *c)
{
	int null = open("/dev/null", O_RDONLY | O_CLOEXEC);

	must(null, WIRE_STEP_OUTPUT);
	must(dup2(null, 0), WIRE_STEP_OUTPUT);
	close(null);
	open_output(c, ROOTFS_SANDBOX "/stdout", 1);
	open_output(c, ROOTFS_SANDBOX "/stderr", 2);
	must(chdir(ROOTFS_SANDBOX), WIRE_STEP_OUTPUT);
}

/* The slave may be protected; what it runs is not. */
static void plain_oom_score(void)
{
	int fd = open("/proc/self/oom_score_adj", O_WRONLY | O_CLOEXEC);

	must(fd, WIRE_STEP_OOM_SCORE);
	must(write(fd, "0", 1), WIRE_STEP_OOM_SCORE);
	close(fd);
}

static void loopback_up(void)
{
	struct ifreq lo = {.ifr_name = "lo"};
	int fd = socket(AF_INET, SOCK_DGRAM | SOCK_CLOEXEC, 0);

	must(fd, WIRE_STEP_LOOPBACK);
	must(ioctl(fd, SIOCGIFFLAGS, &lo), WIRE_STEP_LOOPBACK);
	lo.ifr_flags |= IFF_UP;
	must(ioctl(fd, SIOCSIFFLAGS, &lo), WIRE_STEP_LOOPBACK);
	close(fd);
}

/* After the tree is built: the mount namespace stays the host's, and nobody inside can change it, whatever
 * capabilities he has there. A network namespace is the container's own. */
static void enter_user_namespace(const struct child *c)
{
	int flags = (c->user_namespace ? CLONE_NEWUSER : 0) | (c->network_namespace ? CLONE_NEWNET : 0);

	if (flags)
		must(unshare(flags), WIRE_STEP_USERNS);
	if (c->network_namespace)
		loopback_up();
	if (c->user_namespace) {
		report(WIRE_USERNS, 0, 0, 0);
		wait_for(WIRE_ORDER_MAPPED);
	}
}

static void set_caps(uint64_t caps)
{
	struct __user_cap_header_struct header = {.version = _LINUX_CAPABILITY_VERSION_3};
	struct __user_cap_data_struct data[2];

	for (int i = 0; i < 2; i++)
		data[i].effective = data[i].permitted = data[i].inheritable = (uint32_t)(caps >> (32 * i));
	must(syscall(SYS_capset, &header, data), WIRE_STEP_CAPABILITIES);
	for (unsigned long cap = 0; cap < 64; cap++)
		if (caps >> cap & 1)
			must(prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_RAISE, cap, 0, 0), WIRE_STEP_CAPABILITIES);
}

static void become_init(const struct child *c)
{
	must(syscall(SYS_setgroups, 0, NULL), WIRE_STEP_IDS);
	must(syscall(SYS_setresgid, c->init_gid, c->init_gid, c->init_gid), WIRE_STEP_IDS);
	must(prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0), WIRE_STEP_IDS);
	must(syscall(SYS_setresuid, c->init_uid, c->init_uid, c->init_uid), WIRE_STEP_IDS);
	set_caps(INIT_CAPS | c->caps);
}

static void filter_calls(const struct child *c)
{
	struct sock_fprog program = {.len = (unsigned short)c->seccomp->n, .filter = c->seccomp->filter};

	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), WIRE_STEP_SECCOMP);
	must(syscall(SYS_seccomp, SECCOMP_SET_MODE_FILTER, 0, &program), WIRE_STEP_SECCOMP);
}

/* SIGPIPE is ignored in the slave, and an ignored signal stays so over exec; handlers do not. */
static void forget_signals(void)
{
	signal(SIGPIPE, SIG_DFL);
}

_Noreturn void child_run(const struct child *c)
{
	arrange_descriptors(c);
	wait_for(WIRE_ORDER_ISOLATE);
	umask(0);
	must(setsid(), WIRE_STEP_NAMESPACES);
	must(unshare(CLONE_NEWNS | CLONE_NEWUTS | CLONE_NEWIPC | CLONE_NEWCGROUP), WIRE_STEP_NAMESPACES);
	if (c->hostname)
		must(sethostname(c->hostname, strlen(c->hostname)), WIRE_STEP_HOSTNAME);
	make_tree(c);
	plain_oom_score();
	open_files(c);
	enter_user_namespace(c);
	become_init(c);
	forget_signals();
	filter_calls(c);
	report(WIRE_READY, 0, 0, 0);
	wait_for(WIRE_ORDER_GO);
	syscall(SYS_execveat, WIRE_FD_INIT, "", c->argv, c->envp, AT_EMPTY_PATH);
	fail(WIRE_STEP_INIT, errno, 0);
}
