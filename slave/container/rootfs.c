#include "slave/container/rootfs.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <glob.h>
#include <limits.h>
#include <sched.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "slave/container/ids.h"
#include "slave/container/plan.h"
#include "slave/proc.h"

#define FIXED (MOUNT_ATTR_RDONLY | MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV)
#define SEAL (MS_REMOUNT | MS_RDONLY | MS_NOSUID)
#define OWN (MS_NOSUID | MS_NODEV)

static const char *const system_folders[] = {"usr", "bin", "sbin", "lib", "lib32", "lib64", "libx32"};

/* Patterns. Nothing with a secret in it, nothing that describes the host's services. */
static const char *const etc_names[] = {
	"alternatives",
	"bash.bashrc",
	"ca-certificates",
	"ca-certificates.conf",
	"crypto-policies",
	"debian_version",
	"default/locale",
	"environment",
	"ethertypes",
	"fonts",
	"gai.conf",
	"group",
	"host.conf",
	"hosts",
	"inputrc",
	"java-*",
	"ld.so.cache",
	"ld.so.conf",
	"ld.so.conf.d",
	"locale.alias",
	"locale.conf",
	"localtime",
	"magic",
	"magic.mime",
	"mime.types",
	"networks",
	"nsswitch.conf",
	"os-release",
	"passwd",
	"perl",
	"pki/ca-trust",
	"pki/tls/certs",
	"profile",
	"profile.d",
	"protocols",
	"python3*",
	"resolv.conf",
	"rpc",
	"services",
	"shells",
	"ssl/certs",
	"ssl/openssl.cnf",
	"terminfo",
	"timezone",
	"xdg",
	"xml",
};

static const struct device {
	const char *name;
	unsigned major, minor;
} devices[] = {
	{"null", 1, 3}, {"zero", 1, 5}, {"full", 1, 7}, {"random", 1, 8}, {"urandom", 1, 9}, {"tty", 5, 0},
};

/* Files of /proc that tell about, or act on, the whole machine: empty. */
static const char *const masked_files[] = {
	"kcore",         "keys",         "key-users",   "kmsg",     "kpagecgroup", "kpagecount",  "kpageflags",
	"latency_stats", "pagetypeinfo", "sched_debug", "slabinfo", "timer_list",  "timer_stats", "vmallocinfo",
};
static const char *const masked_folders[] = {"acpi", "asound", "driver", "dynamic_debug", "scsi"};
static const char *const readonly_proc[] = {"bus", "fs", "irq", "sys", "sysrq-trigger"};

/* A file that is bound, not the folder it is in: replaced by rename, the old one would stay. */
struct watched {
	char *path;
	dev_t dev;
	ino_t ino; /* 0: is not there */
};

struct rootfs {
	char *root; /* where the skeleton is mounted */
	char *runtime_dir, *work_dir;
	const char *image_dir; /* in conf; may not exist yet */
	struct watched *watched;
	size_t n_watched;
	const char *masks[ARRAY_SIZE(masked_files)]; /* those that this kernel has */
	size_t n_masks;
	const char *hidden[ARRAY_SIZE(masked_folders)];
	size_t n_hidden;
	const char *readonly[ARRAY_SIZE(readonly_proc)];
	size_t n_readonly;
};

/* True when inner is outer or lies below it. Both absolute and resolved. */
static bool path_below(const char *inner, const char *outer)
{
	size_t n = strlen(outer);

	if (strcmp(outer, "/") == 0)
		return true;
	return strncmp(inner, outer, n) == 0 && (inner[n] == '/' || inner[n] == 0);
}

/* ---- the parts of a tree ---- */

static void plan_dev(struct plan *p, const char *root)
{
	plan_dir(p, 0755, "%s/dev", root);
	for (size_t i = 0; i < ARRAY_SIZE(devices); i++)
		plan_device(p, makedev(devices[i].major, devices[i].minor), "%s/dev/%s", root, devices[i].name);
	plan_link(p, "/proc/self/fd", "%s/dev/fd", root);
	plan_link(p, "/proc/self/fd/0", "%s/dev/stdin", root);
	plan_link(p, "/proc/self/fd/1", "%s/dev/stdout", root);
	plan_link(p, "/proc/self/fd/2", "%s/dev/stderr", root);
	plan_link(p, "pts/ptmx", "%s/dev/ptmx", root);
	plan_dir(p, 0755, "%s/dev/pts", root);
	plan_dir(p, 01777, "%s/dev/shm", root);
}

static void plan_mount_points(struct plan *p, const char *root)
{
	static const char *const names[] = {"proc", "tmp", "run", "sandbox"};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		plan_dir(p, 0755, "%s/%s", root, names[i]);
	plan_dir(p, 0555, "%s/.empty", root);
}

/* A link as a link, anything else bound. */
static int plan_entry(struct plan *p, const char *source, const char *root, const char *name)
{
	char target[PATH_MAX];
	struct stat st;

	if (lstat(source, &st) < 0)
		return -errno;
	if (S_ISLNK(st.st_mode)) {
		ssize_t n = readlink(source, target, sizeof(target) - 1);
		if (n < 0)
			return -errno;
		target[n] = 0;
		plan_link(p, target, "%s/%s", root, name);
	} else if (S_ISDIR(st.st_mode)) {
		plan_dir(p, 0755, "%s/%s", root, name);
		plan_bind(p, source, FIXED, "%s/%s", root, name);
	} else if (S_ISREG(st.st_mode)) {
		plan_file(p, "%s/%s", root, name);
		plan_bind(p, source, FIXED, "%s/%s", root, name);
	}
	return 0;
}

static void plan_tmpfs_root(struct plan *p, const char *root)
{
	plan_mount(p, "tmpfs", MS_NOSUID, "mode=0755,size=1m", "%s", root);
}

/* ---- the skeleton ---- */

static void stat_or_zero(const char *path, struct stat *ret)
{
	if (stat(path, ret) < 0)
		ret->st_dev = 0, ret->st_ino = 0;
}

static void watch(struct rootfs *r, const char *path)
{
	struct stat st;

	stat_or_zero(path, &st);
	r->watched = xrealloc(r->watched, (r->n_watched + 1) * sizeof(*r->watched));
	r->watched[r->n_watched++] = (struct watched){.path = xstrdup(path), .dev = st.st_dev, .ino = st.st_ino};
}

static void forget_watched(struct rootfs *r)
{
	for (size_t i = 0; i < r->n_watched; i++)
		free(r->watched[i].path);
	r->n_watched = 0;
}

static bool up_to_date(const struct rootfs *r)
{
	struct stat st;

	for (size_t i = 0; i < r->n_watched; i++) {
		stat_or_zero(r->watched[i].path, &st);
		if (st.st_dev != r->watched[i].dev || st.st_ino != r->watched[i].ino)
			return false;
	}
	return true;
}

/* A link into /usr stays one; one to elsewhere (resolv.conf into /run) is bound, for there is no elsewhere inside. */
static void plan_etc_entry(struct rootfs *r, struct plan *p, const char *path)
{
	const char *name = path + strlen("/etc/"), *slash = strchr(name, '/');
	char resolved[PATH_MAX];
	struct stat st;

	if (!realpath(path, resolved) || stat(resolved, &st) < 0 || (!S_ISREG(st.st_mode) && !S_ISDIR(st.st_mode)))
		return;
	if (slash)
		plan_dir(p, 0755, "%s/etc/%.*s", r->root, (int)(slash - name), name);
	if (path_below(resolved, "/usr")) {
		plan_link(p, resolved, "%s/etc/%s", r->root, name);
		return;
	}
	if (S_ISDIR(st.st_mode))
		plan_dir(p, 0755, "%s/etc/%s", r->root, name);
	else
		plan_file(p, "%s/etc/%s", r->root, name);
	plan_bind(p, resolved, FIXED, "%s/etc/%s", r->root, name);
}

static void plan_etc(struct rootfs *r, struct plan *p)
{
	char path[PATH_MAX];
	glob_t found;

	plan_dir(p, 0755, "%s/etc", r->root);
	for (size_t i = 0; i < ARRAY_SIZE(etc_names); i++) {
		snprintf(path, sizeof(path), "/etc/%s", etc_names[i]);
		if (!strchr(path, '*'))
			watch(r, path);
		if (glob(path, GLOB_NOSORT, NULL, &found) != 0)
			continue;
		for (size_t k = 0; k < found.gl_pathc; k++)
			plan_etc_entry(r, p, found.gl_pathv[k]);
		globfree(&found);
	}
	plan_link(p, "/proc/self/mounts", "%s/etc/mtab", r->root);
}

static int run_here(struct rootfs *r, const struct plan *p, struct err *err)
{
	_cleanup_buf_ struct buf what = {0};
	mode_t old_mask = umask(0);
	size_t failed;
	int status = plan_run(p, &failed);

	umask(old_mask);
	if (status == 0)
		return 0;
	plan_describe(p, failed, r->root, &what);
	return err_set(err, -status, "%s: %s", buf_cstr(&what), strerror(-status));
}

static int build_skeleton(struct rootfs *r, struct err *err)
{
	struct plan p = {0};
	char path[PATH_MAX];

	forget_watched(r);
	plan_tmpfs_root(&p, r->root);
	for (size_t i = 0; i < ARRAY_SIZE(system_folders); i++) {
		snprintf(path, sizeof(path), "/%s", system_folders[i]);
		plan_entry(&p, path, r->root, system_folders[i]); /* absent: not every host has them all */
	}
	plan_etc(r, &p);
	plan_dev(&p, r->root);
	plan_mount_points(&p, r->root);
	plan_dir(&p, 0755, "%s/var", r->root);
	int status = run_here(r, &p, err);
	plan_fini(&p);
	if (status < 0)
		return status;
	if (mount(NULL, r->root, NULL, SEAL, NULL) < 0)
		return err_set(err, errno, "making the skeleton read-only: %s", strerror(errno));
	return 0;
}

static size_t keep_present(const char *const *names, size_t n, const char **ret)
{
	size_t kept = 0;
	char path[64];

	for (size_t i = 0; i < n; i++) {
		snprintf(path, sizeof(path), "/proc/%s", names[i]);
		if (access(path, F_OK) == 0)
			ret[kept++] = names[i];
	}
	return kept;
}

static void probe_proc(struct rootfs *r)
{
	r->n_masks = keep_present(masked_files, ARRAY_SIZE(masked_files), r->masks);
	r->n_hidden = keep_present(masked_folders, ARRAY_SIZE(masked_folders), r->hidden);
	r->n_readonly = keep_present(readonly_proc, ARRAY_SIZE(readonly_proc), r->readonly);
}

static int check_hidden(const char *path, struct err *err)
{
	_cleanup_free_ char *resolved = realpath(path, NULL);
	static const char *const shown[] = {"/usr", "/etc", "/bin", "/sbin", "/lib", "/lib64"};

	for (size_t i = 0; resolved && i < ARRAY_SIZE(shown); i++)
		if (path_below(resolved, shown[i]))
			return err_set(err, EINVAL, "%s lies below %s, which tasks see", path, shown[i]);
	return 0;
}

struct rootfs *rootfs_create(const struct procs_conf *conf, struct err *err)
{
	const char *runtime_dir = conf->runtime_dir, *work_dir = conf->work_dir;

	if (check_hidden(runtime_dir, err) < 0 || check_hidden(work_dir, err) < 0)
		return NULL;
	struct rootfs *r = xcalloc(1, sizeof(*r));
	r->runtime_dir = realpath(runtime_dir, NULL);
	r->work_dir = realpath(work_dir, NULL);
	r->image_dir = conf->image_dir;
	if (!r->runtime_dir || !r->work_dir) {
		err_set(err, errno, "%s: %s", r->runtime_dir ? work_dir : runtime_dir, strerror(errno));
		goto fail;
	}
	char *root = xasprintf("%s/.root", r->runtime_dir);
	if (mkdir(root, 0700) < 0 && errno != EEXIST) {
		err_set(err, errno, "making %s: %s", root, strerror(errno));
		free(root);
		goto fail;
	}
	if (unshare(CLONE_NEWNS) < 0 || mount(NULL, "/", NULL, MS_REC | MS_SLAVE, NULL) < 0) {
		err_set(err, errno, "a mount namespace for the slave: %s", strerror(errno));
		free(root);
		goto fail;
	}
	r->root = root;
	probe_proc(r);
	if (build_skeleton(r, err) == 0)
		return r;
fail:
	rootfs_destroy(r);
	return NULL;
}

void rootfs_destroy(struct rootfs *r)
{
	if (!r)
		return;
	if (r->root) {
		umount2(r->root, MNT_DETACH);
		rmdir(r->root);
	}
	forget_watched(r);
	free(r->watched);
	free(r->root);
	free(r->runtime_dir);
	free(r->work_dir);
	free(r);
}

const char *rootfs_path(const struct rootfs *r)
{
	return r->root;
}

/* ---- a container ---- */

static void plan_own(const struct rootfs *r, const struct rootfs_spec *spec, struct plan *p)
{
	const char *root = r->root;
	static const char tty[] = "newinstance,ptmxmode=0666,mode=0620,max=1024";
	_cleanup_free_ char *null = xasprintf("%s/dev/null", root), *empty = xasprintf("%s/.empty", root);
	char owned[64], proc[64];

	snprintf(owned, sizeof(owned), "mode=0755,uid=%u,gid=%u", spec->uid, spec->gid);
	/* Of other users' processes, which is init here, nothing shows; the group that may see is one that no task has. */
	snprintf(proc, sizeof(proc), "hidepid=2,gid=%u", IDS_INIT);
	plan_mount(p, "proc", OWN | MS_NOEXEC, proc, "%s/proc", root);
	for (size_t i = 0; i < r->n_masks; i++)
		plan_cover(p, null, "%s/proc/%s", root, r->masks[i]);
	for (size_t i = 0; i < r->n_hidden; i++)
		plan_cover(p, empty, "%s/proc/%s", root, r->hidden[i]);
	for (size_t i = 0; i < r->n_readonly; i++)
		plan_readonly(p, "%s/proc/%s", root, r->readonly[i]);
	plan_mount(p, "tmpfs", OWN, "mode=1777", "%s/tmp", root);
	plan_mount(p, "tmpfs", OWN | MS_NOEXEC, owned, "%s/run", root);
	plan_mount(p, "tmpfs", OWN | MS_NOEXEC, "mode=1777", "%s/dev/shm", root);
	plan_mount(p, "devpts", MS_NOSUID | MS_NOEXEC, tty, "%s/dev/pts", root);
	if (!spec->image)
		plan_mount(p, "tmpfs", OWN, owned, "%s/var", root);
	plan_bind(p, spec->sandbox, MOUNT_ATTR_NOSUID | MOUNT_ATTR_NODEV, "%s" ROOTFS_SANDBOX, root);
}

static bool is_ours(const char *name)
{
	static const char *const ours[] = {".", "..", "dev", "proc", "run", "sandbox", "sys", "tmp", ".empty"};

	for (size_t i = 0; i < ARRAY_SIZE(ours); i++)
		if (strcmp(name, ours[i]) == 0)
			return true;
	return false;
}

static int plan_image(struct rootfs *r, const char *image, struct plan *p, struct err *err)
{
	_cleanup_free_ char *resolved = realpath(image, NULL);
	char path[PATH_MAX];
	struct dirent *e;

	if (!resolved)
		return err_set(err, errno, "%s: %s", image, strerror(errno));
	_cleanup_free_ char *allowed = r->image_dir ? realpath(r->image_dir, NULL) : NULL;
	if (!allowed || !path_below(resolved, allowed) || strcmp(resolved, allowed) == 0)
		return err_set(err, EPERM, "%s is not below %s, where root filesystems of tasks are (--image_dir)",
		               image, r->image_dir ? r->image_dir : "any folder");
	if (path_below(r->work_dir, resolved) || path_below(r->runtime_dir, resolved) ||
	    path_below(resolved, r->runtime_dir))
		return err_set(err, EPERM, "%s would show the slave's own folders", image);
	DIR *dir = opendir(resolved);
	if (!dir)
		return err_set(err, errno, "%s: %s", image, strerror(errno));
	plan_tmpfs_root(p, r->root);
	int status = 0;
	while (status == 0 && (e = readdir(dir)))
		if (!is_ours(e->d_name)) {
			snprintf(path, sizeof(path), "%s/%s", resolved, e->d_name);
			status = plan_entry(p, path, r->root, e->d_name);
		}
	closedir(dir);
	if (status < 0)
		return err_set(err, -status, "%s: %s", path, strerror(-status));
	plan_dev(p, r->root);
	plan_mount_points(p, r->root);
	return 0;
}

int rootfs_plan(struct rootfs *r, const struct rootfs_spec *spec, struct plan *plan, struct err *err)
{
	if (!up_to_date(r)) {
		if (umount2(r->root, MNT_DETACH) < 0)
			return err_set(err, errno, "taking down the skeleton: %s", strerror(errno));
		if (build_skeleton(r, err) < 0)
			return err_wrap(err, "building the skeleton again");
	}
	plan_private(plan);
	if (spec->image && plan_image(r, spec->image, plan, err) < 0)
		return -err->code;
	plan_own(r, spec, plan);
	if (spec->image)
		plan_mount(plan, "tmpfs", SEAL, NULL, "%s", r->root);
	plan_pivot(plan, r->root);
	return 0;
}
