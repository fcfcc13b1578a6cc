#include "slave/container/launcher.h"

#include <errno.h>
#include <fcntl.h>
#include <linux/sched.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fairlead/types.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "slave/container/cgroup.h"
#include "slave/container/child.h"
#include "slave/container/folder.h"
#include "slave/container/pid.h"
#include "slave/container/ids.h"
#include "slave/container/image.h"
#include "slave/container/plan.h"
#include "slave/container/rootfs.h"
#include "slave/container/seccomp.h"
#include "slave/container/slot.h"

#define DEFAULT_PATH "PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin"

struct launcher {
	const struct procs_conf *conf;
	struct cgroups *cgroups;
	struct rootfs *rootfs;
	struct seccomp_program seccomp, seccomp_privileged;
	int image;
	bool user_namespaces;
	char boot_id[40];
};

struct words { /* NULL-terminated, all owned */
	char **v;
	size_t n;
};

struct birth {
	struct launcher *launcher;
	struct birth_failure failure; /* of the spec; step NULL: none */
	char *id, *sandbox, *hostname, *image;
	struct words argv, env; /* of the init program */
	struct ids ids;
	uint64_t caps;
	bool privileged, user_namespace, network_namespace;
	struct cgroup_limits limits;
	struct plan plan;
	int socket, pidfd;
	char cgroup[128]; /* "" until made */
	bool has_runtime;
	struct proc_identity identity;
};

/* ---- words ---- */

static void words_add(struct words *w, char *word)
{
	w->v = xrealloc(w->v, (w->n + 2) * sizeof(*w->v));
	w->v[w->n++] = word;
	w->v[w->n] = NULL;
}

static void words_fini(struct words *w)
{
	for (size_t i = 0; i < w->n; i++)
		free(w->v[i]);
	free(w->v);
	*w = (struct words){0};
}

/* A later one of the same name replaces an earlier one. */
static void env_set(struct words *env, char *assignment)
{
	size_t n = strcspn(assignment, "=");

	for (size_t i = 0; i < env->n; i++)
		if (strncmp(env->v[i], assignment, n) == 0 && env->v[i][n] == '=') {
			free(env->v[i]);
			env->v[i] = assignment;
			return;
		}
	words_add(env, assignment);
}

/* ---- what all share ---- */

/* Whether a process can have one: some hosts switch them off. */
static bool probe_user_namespace(void)
{
	struct clone_args args = {.flags = CLONE_NEWUSER};
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));

	if (pid == 0)
		_exit(0);
	return pid > 0 && waitpid(pid, NULL, __WALL) == pid;
}

struct launcher *launcher_create(const struct procs_conf *conf, struct cgroups *cgroups, struct err *err)
{
	struct launcher *r = xcalloc(1, sizeof(*r));

	r->conf = conf;
	r->cgroups = cgroups;
	r->image = -1;
	r->user_namespaces = conf->user_namespaces;
	if (conf->user_namespaces && !probe_user_namespace()) {
		err_set(err, ENOSYS,
		        "user namespaces are not possible on this host; --user_namespaces=no does without");
		goto fail;
	}
	if (pid_boot_id(r->boot_id) < 0) {
		err_set(err, EIO, "/proc/sys/kernel/random/boot_id cannot be read");
		goto fail;
	}
	if (image_open(&r->image, err) < 0 || seccomp_program_make(false, &r->seccomp, err) < 0 ||
	    seccomp_program_make(true, &r->seccomp_privileged, err) < 0)
		goto fail;
	r->rootfs = rootfs_create(conf, err);
	if (r->rootfs)
		return r;
fail:
	launcher_destroy(r);
	return NULL;
}

void launcher_destroy(struct launcher *r)
{
	if (!r)
		return;
	rootfs_destroy(r->rootfs);
	seccomp_program_fini(&r->seccomp);
	seccomp_program_fini(&r->seccomp_privileged);
	if (r->image >= 0)
		close(r->image);
	free(r);
}

bool launcher_user_namespaces(const struct launcher *r)
{
	return r->user_namespaces;
}

/* ---- the spec ---- */

static int build_env(struct birth *l, const struct proc_spec *spec, struct err *err)
{
	const struct fl_environment *e = spec->command->environment;

	env_set(&l->env, xstrdup(DEFAULT_PATH));
	env_set(&l->env, xstrdup("HOME=" ROOTFS_SANDBOX));
	for (size_t i = 0; spec->env && spec->env[i]; i++)
		if (strchr(spec->env[i], '='))
			env_set(&l->env, xstrdup(spec->env[i]));
	for (size_t i = 0; e && i < e->n_variables; i++) {
		const struct fl_variable *v = &e->variables[i];
		if (!*v->name || strchr(v->name, '='))
			return err_set(err, EINVAL, "environment variable %.64s: not a name", v->name);
		env_set(&l->env, xasprintf("%s=%s", v->name, v->value ? v->value : ""));
	}
	return 0;
}

static void add_group(struct buf *text, gid_t gid)
{
	buf_printf(text, "%s%u", text->size ? "," : "", gid);
}

/* See wire.h. */
static int build_argv(struct birth *l, const struct proc_spec *spec, struct err *err)
{
	const struct fl_command_info *c = spec->command;
	bool shell = !c->has_shell || c->shell;
	_cleanup_buf_ struct buf gids = {0};

	if (!c->value || !*c->value)
		return err_set(err, EINVAL, "the command has no value");
	add_group(&gids, l->ids.gid);
	for (size_t i = 0; i < l->ids.n_groups; i++)
		add_group(&gids, l->ids.groups[i]);
	words_add(&l->argv, xstrdup("fairlead-init"));
	words_add(&l->argv, xasprintf("%u", l->ids.uid));
	words_add(&l->argv, xstrdup(buf_cstr(&gids)));
	words_add(&l->argv, xasprintf("%llx", (unsigned long long)l->caps));
	words_add(&l->argv, xstrdup(shell ? "/bin/sh" : c->value));
	if (shell) {
		words_add(&l->argv, xstrdup("sh"));
		words_add(&l->argv, xstrdup("-c"));
	}
	if (shell || c->n_arguments == 0)
		words_add(&l->argv, xstrdup(c->value));
	for (size_t i = 0; !shell && i < c->n_arguments; i++)
		words_add(&l->argv, xstrdup(c->arguments[i]));
	return 0;
}

static void set_limits(struct birth *l, const struct proc_spec *spec)
{
	const struct procs_conf *conf = l->launcher->conf;
	int64_t pids = spec->pids ? spec->pids : conf->default_pids;
	bool cap = conf->cpu_cap && !spec->cpus_limit_milli;

	l->limits = (struct cgroup_limits){
		.cpus_milli = spec->cpus_milli,
		.cpus_limit_milli = cap ? spec->cpus_milli : spec->cpus_limit_milli,
		.mem_bytes = spec->mem_bytes,
		.mem_request_bytes = spec->mem_request_bytes,
		.pids = pids ? pids + 1 : 0, /* init */
	};
}

static const char *check_spec(struct birth *l, const struct proc_spec *spec, struct err *err)
{
	const char *user = spec->user ? spec->user : spec->command->user;

	if (!str_valid_id(spec->container_id) || spec->container_id[0] == '.') {
		err_set(err, EINVAL, "container id %.64s", spec->container_id);
		return "container id";
	}
	if (spec->privileged && !l->launcher->conf->allow_privileged) {
		err_set(err, EPERM, "privileged tasks are not allowed here; --allow_privileged allows them");
		return "privileged";
	}
	if (ids_find(user, &l->ids, err) < 0)
		return "user";
	if (ids_capabilities(spec->capabilities, &l->caps, err) < 0)
		return "capabilities";
	if (l->caps && !l->user_namespace && !l->launcher->conf->allow_privileged) {
		err_set(err, EPERM,
		        "without a user namespace they act on the host, which is not allowed here; --allow_privileged "
		        "allows it");
		return "capabilities";
	}
	if (build_env(l, spec, err) < 0)
		return "environment";
	return build_argv(l, spec, err) < 0 ? "command" : NULL;
}

struct birth *birth_create(struct launcher *r, const struct proc_spec *spec)
{
	struct birth *l = xcalloc(1, sizeof(*l));

	l->launcher = r;
	l->socket = l->pidfd = -1;
	l->id = xstrdup(spec->container_id);
	l->sandbox = xstrdup(spec->sandbox);
	l->hostname = xstrdup(spec->hostname);
	l->image = xstrdup(spec->rootfs);
	l->privileged = spec->privileged;
	l->user_namespace = r->user_namespaces && !spec->privileged;
	l->network_namespace = spec->network_namespace;
	set_limits(l, spec);
	l->failure.step = check_spec(l, spec, &l->failure.err);
	return l;
}

void birth_destroy(struct birth *l)
{
	if (!l)
		return;
	if (l->socket >= 0)
		close(l->socket);
	if (l->pidfd >= 0)
		close(l->pidfd);
	words_fini(&l->argv);
	words_fini(&l->env);
	plan_fini(&l->plan);
	free(l->id);
	free(l->sandbox);
	free(l->hostname);
	free(l->image);
	free(l);
}

/* ---- the steps ---- */

static int make_runtime(struct birth *l, int *ret_slot, struct err *err)
{
	_cleanup_free_ char *dir = xasprintf("%s/%s", l->launcher->conf->runtime_dir, l->id);
	_cleanup_free_ char *slot = launcher_slot_path(l->launcher, l->id);

	if (mkdir(dir, 0700) < 0)
		return err_set(err, errno, "making %s: %s", dir, strerror(errno));
	l->has_runtime = true;
	return slot_create(slot, ret_slot, err);
}

/* The folders above it are made again should one that was empty just have been swept. */
static int make_sandbox(struct birth *l, struct err *err)
{
	int r = folder_make(l->sandbox, 0700, err);

	if (r == -ENOENT)
		r = folder_make(l->sandbox, 0700, err);
	if (r < 0)
		return r;
	_cleanup_close_ int fd = open(l->sandbox, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd < 0)
		return err_set(err, errno, "%s: %s", l->sandbox, strerror(errno));
	if (fchown(fd, l->ids.uid, l->ids.gid) < 0)
		return err_set(err, errno, "giving %s to its user: %s", l->sandbox, strerror(errno));
	return 0;
}

static int make_plan(struct birth *l, struct err *err)
{
	struct rootfs_spec spec = {.sandbox = l->sandbox, .image = l->image, .uid = l->ids.uid, .gid = l->ids.gid};

	return rootfs_plan(l->launcher->rootfs, &spec, &l->plan, err);
}

static int make_cgroup(struct birth *l, struct err *err)
{
	char path[sizeof(l->cgroup)];
	const char *root = l->launcher->conf->cgroup_root;

	if (!l->launcher->cgroups)
		return 0;
	if ((size_t)snprintf(path, sizeof(path), "%s/%s", root, l->id) >= sizeof(path))
		return err_set(err, ENAMETOOLONG, "%s/%s: %s", root, l->id, strerror(ENAMETOOLONG));
	int r = cgroup_create(l->launcher->cgroups, path, &l->limits, err);
	if (r == 0)
		memcpy(l->cgroup, path, sizeof(path));
	return r;
}

/* The child starts with all signals blocked, so that no handler of the slave's runs in it, and stays so: init waits for
 * signals without handlers. exit_signal 0: the slave hears of the end by pidfd. */
static pid_t clone_child(struct birth *l, const struct child *child, int cgroup, struct err *err)
{
	struct clone_args args = {.flags = CLONE_PIDFD | CLONE_NEWPID, .pidfd = (uintptr_t)&l->pidfd};
	sigset_t all, before;

	if (cgroup >= 0) {
		args.flags |= CLONE_INTO_CGROUP;
		args.cgroup = (uint64_t)cgroup;
	}
	sigfillset(&all);
	sigprocmask(SIG_SETMASK, &all, &before);
	pid_t pid = (pid_t)syscall(SYS_clone3, &args, sizeof(args));
	if (pid == 0)
		child_run(child);
	int code = errno;
	sigprocmask(SIG_SETMASK, &before, NULL);
	return pid < 0 ? err_set(err, code, "clone3: %s", strerror(code)) : pid;
}

static int fork_child(struct birth *l, int slot, struct err *err)
{
	int pair[2];
	_cleanup_close_ int cgroup = -1;

	if (l->cgroup[0])
		cgroup = cgroup_open(l->launcher->cgroups, l->cgroup);
	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0, pair) < 0)
		return err_set(err, errno, "socketpair: %s", strerror(errno));
	const struct child child = {
		.socket = pair[1],
		.slot = slot,
		.image = l->launcher->image,
		.cgroups = l->cgroup[0] ? l->launcher->cgroups : NULL,
		.cgroup = l->cgroup,
		.plan = &l->plan,
		.hostname = l->hostname,
		.user_namespace = l->user_namespace,
		.network_namespace = l->network_namespace,
		.uid = l->ids.uid,
		.gid = l->ids.gid,
		.init_uid = l->user_namespace ? ids_init_uid(&l->ids) : IDS_INIT,
		.init_gid = l->user_namespace ? ids_init_gid(&l->ids) : IDS_INIT,
		.caps = l->caps,
		.seccomp = l->privileged ? &l->launcher->seccomp_privileged : &l->launcher->seccomp,
		.argv = l->argv.v,
		.envp = l->env.v,
	};
	pid_t pid = clone_child(l, &child, cgroup, err);
	close(pair[1]);
	l->socket = pair[0];
	if (pid < 0)
		return pid;
	fcntl(l->socket, F_SETFL, O_NONBLOCK);
	l->identity.pid = pid;
	return 0;
}

static int order(struct birth *l, char what)
{
	return send(l->socket, &what, 1, MSG_NOSIGNAL) == 1 ? 0 : -errno;
}

static int isolate(struct birth *l, struct err *err)
{
	struct proc_identity *id = &l->identity;
	char state;

	int r = pid_stat((pid_t)id->pid, &id->start_time, &state);
	if (r == 0)
		r = order(l, WIRE_ORDER_ISOLATE);
	if (r < 0)
		return err_set(err, -r, "the child is gone: %s", strerror(-r));
	memcpy(id->boot_id, l->launcher->boot_id, sizeof(id->boot_id));
	memcpy(id->cgroup, l->cgroup, sizeof(id->cgroup));
	return 0;
}

int birth_start(struct birth *l, struct birth_failure *ret)
{
	struct birth_failure f = l->failure;
	_cleanup_close_ int slot = -1;

	if (f.step)
		goto fail;
	f.step = "runtime folder";
	if (make_runtime(l, &slot, &f.err) < 0)
		goto fail;
	f.step = "sandbox";
	if (make_sandbox(l, &f.err) < 0)
		goto fail;
	f.step = "root filesystem";
	if (make_plan(l, &f.err) < 0)
		goto fail;
	f.step = "cgroup";
	if (make_cgroup(l, &f.err) < 0)
		goto fail;
	f.step = "fork";
	if (fork_child(l, slot, &f.err) < 0)
		goto fail;
	f.step = "isolate";
	if (isolate(l, &f.err) < 0)
		goto fail;
	return 0;
fail:
	*ret = f;
	return -f.err.code;
}

int birth_socket(const struct birth *l)
{
	return l->socket;
}

int birth_take_pidfd(struct birth *l)
{
	int fd = l->pidfd;

	l->pidfd = -1;
	return fd;
}

const struct proc_identity *birth_identity(const struct birth *l)
{
	return &l->identity;
}

int birth_receive(struct birth *l, struct wire_report *ret)
{
	struct wire_report r;
	ssize_t n = recv(l->socket, &r, sizeof(r), MSG_DONTWAIT);

	if (n < 0 && (errno == EAGAIN || errno == EINTR))
		return -EAGAIN;
	if (n != sizeof(r)) /* a reset counts as the end */
		return 0;
	*ret = r;
	return 1;
}

static int write_map(pid_t pid, const char *file, struct buf *map, struct err *err)
{
	char path[64];

	snprintf(path, sizeof(path), "/proc/%d/%s", (int)pid, file);
	_cleanup_close_ int fd = open(path, O_WRONLY | O_CLOEXEC);
	if (fd < 0 || write(fd, map->data, map->size) != (ssize_t)map->size)
		return err_set(err, errno, "writing %s: %s", file, strerror(errno));
	return 0;
}

int birth_map(struct birth *l, struct birth_failure *ret)
{
	_cleanup_buf_ struct buf uids = {0}, gids = {0};
	pid_t pid = (pid_t)l->identity.pid;
	int r;

	ids_uid_map(&l->ids, &uids);
	ids_gid_map(&l->ids, &gids);
	ret->step = "user namespace";
	r = write_map(pid, "uid_map", &uids, &ret->err);
	if (r == 0)
		r = write_map(pid, "gid_map", &gids, &ret->err);
	if (r == 0 && (r = order(l, WIRE_ORDER_MAPPED)) < 0)
		err_set(&ret->err, -r, "the child is gone: %s", strerror(-r));
	return r;
}

int birth_go(struct birth *l)
{
	return order(l, WIRE_ORDER_GO);
}

void birth_explain(const struct birth *l, const struct wire_report *report, struct birth_failure *ret)
{
	static const char *const names[] = {
#define X(name, text) [WIRE_STEP_##name] = text,
		WIRE_STEPS(X)
#undef X
	};
	_cleanup_buf_ struct buf what = {0};

	ret->step = report->step < ARRAY_SIZE(names) ? names[report->step] : "launch";
	if (report->step == WIRE_STEP_TREE && report->detail < l->plan.n)
		plan_describe(&l->plan, report->detail, rootfs_path(l->launcher->rootfs), &what);
	else if (report->step == WIRE_STEP_EXEC)
		buf_printf(&what, "exec %.120s", l->argv.v[WIRE_ARG_FILE]);
	else
		buf_append_str(&what, ret->step);
	err_set(&ret->err, report->error > 0 ? report->error : EIO, "%s: %s", buf_cstr(&what), strerror(report->error));
}

const char *birth_cgroup(const struct birth *l)
{
	return l->cgroup;
}

bool birth_has_runtime(const struct birth *l)
{
	return l->has_runtime;
}

/* ---- the runtime folder ---- */

char *launcher_slot_path(const struct launcher *r, const char *container_id)
{
	return xasprintf("%s/%s/exit", r->conf->runtime_dir, container_id);
}

void launcher_remove_runtime(const struct launcher *r, const char *container_id)
{
	_cleanup_free_ char *dir = xasprintf("%s/%s", r->conf->runtime_dir, container_id);
	_cleanup_free_ char *slot = launcher_slot_path(r, container_id);

	unlink(slot);
	rmdir(dir);
}
