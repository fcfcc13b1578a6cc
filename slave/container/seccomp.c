#include "slave/container/seccomp.h"

#include <errno.h>
#include <linux/filter.h>
#include <sched.h>
#include <seccomp.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"

/* Never: the kernel itself, what reaches around the container, what had more holes than users. */
static const char *const always[] = {
	"_sysctl",
	"acct",
	"add_key",
	"bpf",
	"clock_adjtime",
	"clock_settime",
	"create_module",
	"delete_module",
	"fanotify_init",
	"finit_module",
	"get_kernel_syms",
	"init_module",
	"io_uring_enter",
	"io_uring_register",
	"io_uring_setup",
	"ioperm",
	"iopl",
	"kcmp",
	"kexec_file_load",
	"kexec_load",
	"keyctl",
	"lookup_dcookie",
	"name_to_handle_at",
	"nfsservctl",
	"open_by_handle_at",
	"perf_event_open",
	"query_module",
	"quotactl",
	"quotactl_fd",
	"reboot",
	"request_key",
	"settimeofday",
	"stime",
	"swapoff",
	"swapon",
	"syslog",
	"sysfs",
	"uselib",
	"userfaultfd",
	"ustat",
	"vhangup",
	"vm86",
	"vm86old",
};

/* The tree is as it was built, and no namespace is made or entered. */
static const char *const unprivileged[] = {
	"chroot",     "fsconfig",  "fsmount",    "fsopen", "fspick", "mount",   "mount_setattr",
	"move_mount", "open_tree", "pivot_root", "setns",  "umount", "umount2",
};

static const unsigned long namespaces[] = {
	CLONE_NEWNS,  CLONE_NEWUTS, CLONE_NEWIPC,    CLONE_NEWUSER,
	CLONE_NEWPID, CLONE_NEWNET, CLONE_NEWCGROUP, 0x80 /* CLONE_NEWTIME */,
};

static int deny(scmp_filter_ctx ctx, const char *name)
{
	int nr = seccomp_syscall_resolve_name(name);

	if (nr == __NR_SCMP_ERROR) /* libseccomp is older than the call, and the kernel may be too */
		return 0;
	int r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(EPERM), nr, 0);
	return r == -EDOM ? 0 : r; /* not on this architecture */
}

static int deny_list(scmp_filter_ctx ctx, const char *const *names, size_t n)
{
	int r = 0;

	for (size_t i = 0; i < n && r == 0; i++)
		r = deny(ctx, names[i]);
	return r;
}

/* clone3's flags are behind a pointer: "not implemented" makes C libraries fall back to clone. */
static int deny_namespaces(scmp_filter_ctx ctx)
{
	int r = seccomp_rule_add(ctx, SCMP_ACT_ERRNO(ENOSYS), SCMP_SYS(clone3), 0);

	for (size_t i = 0; i < ARRAY_SIZE(namespaces) && r == 0; i++) {
		struct scmp_arg_cmp has = SCMP_A0(SCMP_CMP_MASKED_EQ, namespaces[i], namespaces[i]);
		r = seccomp_rule_add_array(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(unshare), 1, &has);
		/* In clone the bit of CLONE_NEWTIME belongs to the exit signal. */
		if (r == 0 && namespaces[i] != 0x80)
			r = seccomp_rule_add_array(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(clone), 1, &has);
	}
	return r;
}

/* Typing into somebody's terminal; the hypervisor's sockets; the kernel's cryptography. */
static int deny_arguments(scmp_filter_ctx ctx)
{
	static const int families[] = {AF_VSOCK, AF_ALG, AF_KEY};
	struct scmp_arg_cmp push = SCMP_A1(SCMP_CMP_MASKED_EQ, 0xffffffff, TIOCSTI);
	int r = seccomp_rule_add_array(ctx, SCMP_ACT_ERRNO(EPERM), SCMP_SYS(ioctl), 1, &push);

	for (size_t i = 0; i < ARRAY_SIZE(families) && r == 0; i++) {
		struct scmp_arg_cmp family = SCMP_A0(SCMP_CMP_MASKED_EQ, 0xffffffff, (scmp_datum_t)families[i]);
		r = seccomp_rule_add_array(ctx, SCMP_ACT_ERRNO(EAFNOSUPPORT), SCMP_SYS(socket), 1, &family);
	}
	return r;
}

/* The foreign calls of the same machine are filtered too, or they would be the way around. */
static int add_architectures(scmp_filter_ctx ctx)
{
	int r = 0;

#if defined(__x86_64__)
	r = seccomp_arch_add(ctx, SCMP_ARCH_X86);
	if (r == 0 || r == -EEXIST)
		r = seccomp_arch_add(ctx, SCMP_ARCH_X32);
#elif defined(__aarch64__)
	r = seccomp_arch_add(ctx, SCMP_ARCH_ARM);
#endif
	return r == -EEXIST ? 0 : r;
}

static int take_out(scmp_filter_ctx ctx, struct seccomp_program *ret)
{
	struct stat st;
	_cleanup_close_ int fd = memfd_create("seccomp", MFD_CLOEXEC);

	if (fd < 0)
		return -errno;
	int r = seccomp_export_bpf(ctx, fd);
	if (r < 0)
		return r;
	if (fstat(fd, &st) < 0)
		return -errno;
	ret->n = (size_t)st.st_size / sizeof(*ret->filter);
	ret->filter = xmalloc(ret->n * sizeof(*ret->filter));
	ssize_t n = pread(fd, ret->filter, ret->n * sizeof(*ret->filter), 0);
	if (n == (ssize_t)(ret->n * sizeof(*ret->filter)))
		return 0;
	seccomp_program_fini(ret);
	return -EIO;
}

int seccomp_program_make(bool privileged, struct seccomp_program *ret, struct err *err)
{
	scmp_filter_ctx ctx = seccomp_init(SCMP_ACT_ALLOW);
	int r = ctx ? 0 : -ENOMEM;

	if (r == 0)
		r = seccomp_attr_set(ctx, SCMP_FLTATR_ACT_BADARCH, SCMP_ACT_ERRNO(ENOSYS));
	if (r == 0) /* as a tree: the kernel goes through it once for each system call there is when it is loaded */
		r = seccomp_attr_set(ctx, SCMP_FLTATR_CTL_OPTIMIZE, 2);
	if (r == 0)
		r = add_architectures(ctx);
	if (r == 0)
		r = deny_list(ctx, always, ARRAY_SIZE(always));
	if (r == 0)
		r = deny_arguments(ctx);
	if (r == 0 && !privileged)
		r = deny_list(ctx, unprivileged, ARRAY_SIZE(unprivileged));
	if (r == 0 && !privileged)
		r = deny_namespaces(ctx);
	if (r == 0)
		r = take_out(ctx, ret);
	seccomp_release(ctx);
	return r < 0 ? err_set(err, -r, "making the system call filter: %s", strerror(-r)) : 0;
}

void seccomp_program_fini(struct seccomp_program *p)
{
	free(p->filter);
	*p = (struct seccomp_program){0};
}
