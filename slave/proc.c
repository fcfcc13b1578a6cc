/* Containers as processes: the order of the steps, the waiting, the watching. The work of each step is in container/.
 *
 * States of a container: WAITING its turn; BUILDING (forked, the child makes its tree); READY (the caller records
 * it); STARTING (GO was sent, until the program runs); RUNNING; ADOPTING (of an earlier run, to be looked at); FAILING
 * (the launch failed and its child is being ended); ENDED. Only a few build at a time, and a turn of the loop starts new
 * ones, and sees off ended ones, for a few milliseconds at most.
 *
 * Killing goes beside the states: SIGTERM, then, when the grace is over, everything, again each second until it is gone.
 * Invariants: pidfd >= 0 from BUILDING to RUNNING; birth != NULL until RUNNING; nothing on the host is owned by a
 * container whose launch failed, by the time its on_exit is called.
 *
 * The grace timer is the patience with a child while BUILDING, and the grace of a kill later. */
#include "slave/proc.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <signal.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/hash.h"
#include "base/list.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/sm.h"
#include "base/str.h"
#include "slave/container/cgroup.h"
#include "slave/container/ending.h"
#include "slave/container/folder.h"
#include "slave/container/graves.h"
#include "slave/container/pid.h"
#include "slave/container/launcher.h"

#define MAX_BUILDING 8
#define SLICE_US 2000 /* of a turn, for starting some; and for seeing some off */
#define KILL_AGAIN_MS 1000
#define BUILD_PATIENCE_MS 30000

enum { WAITING, BUILDING, READY, STARTING, RUNNING, ADOPTING, FAILING, ENDED };

#define TO(state) (1u << (state))
static const struct sm_state states[] = {
	[WAITING] = {"WAITING", TO(BUILDING) | TO(FAILING) | TO(ENDED), SM_INITIAL},
	[BUILDING] = {"BUILDING", TO(READY) | TO(FAILING), 0},
	[READY] = {"READY", TO(STARTING) | TO(FAILING), 0},
	[STARTING] = {"STARTING", TO(RUNNING) | TO(FAILING), 0},
	[RUNNING] = {"RUNNING", TO(ENDED), 0},
	[ADOPTING] = {"ADOPTING", TO(RUNNING) | TO(ENDED), SM_INITIAL},
	[FAILING] = {"FAILING", TO(ENDED), 0},
	[ENDED] = {"ENDED", 0, SM_FINAL},
};

enum kill_stage { KILL_NONE, KILL_TERM, KILL_ALL };

struct procs {
	struct loop *loop;
	struct procs_conf conf;  /* strings owned */
	struct cgroups *cgroups; /* NULL: none are used */
	struct launcher *launcher;
	struct list all, waiting, ending;
	int n_building;
	struct defer start, end;
	struct graves graves;
	char description[96];
};

struct proc {
	struct list_node node, queue; /* queue: waiting or ending */
	struct procs *procs;
	struct sm sm;
	const struct proc_ops *ops;
	void *user;
	char *id, *name;
	struct birth *birth;
	struct proc_identity identity;
	bool child; /* ours to wait for; not after an adoption */
	int pidfd;
	bool gone;     /* pidfd says so */
	bool building; /* counted in n_building */
	struct watch on_pidfd, on_socket;
	struct timer grace;
	struct defer later;
	enum kill_stage kill;
	bool has_runtime;
	struct birth_failure failure; /* FAILING */
	struct proc_exit exit;        /* ENDED */
	char message[ENDING_TEXT];
};

static void step(void *user);

/* ---- all of them ---- */

static void clean(struct proc *p)
{
	graves_bury(&p->procs->graves, p->identity.cgroup);
	p->identity.cgroup[0] = 0;
	if (p->has_runtime)
		launcher_remove_runtime(p->procs->launcher, p->id);
	p->has_runtime = false;
}

static void start_some(void *user);

static void free_conf(struct procs_conf *c)
{
	free((char *)c->runtime_dir);
	free((char *)c->cgroup_root);
	free((char *)c->work_dir);
	free((char *)c->image_dir);
}

struct procs *procs_create(struct loop *l, const struct procs_conf *conf, struct err *err)
{
	struct procs *ps = xcalloc(1, sizeof(*ps));

	ps->loop = l;
	ps->conf = *conf;
	ps->conf.runtime_dir = xstrdup(conf->runtime_dir);
	ps->conf.cgroup_root = xstrdup(conf->cgroup_root);
	ps->conf.work_dir = xstrdup(conf->work_dir);
	ps->conf.image_dir = xstrdup(conf->image_dir);
	list_init(&ps->all);
	list_init(&ps->waiting);
	list_init(&ps->ending);
	graves_init(&ps->graves, l, NULL);
	if (geteuid() != 0) {
		err_set(err, EPERM, "containers need root");
		goto fail;
	}
	if (folder_make(ps->conf.runtime_dir, 0755, err) < 0)
		goto fail;
	if (conf->use_cgroups && !(ps->cgroups = cgroups_create(conf->cgroup_root, err)))
		goto fail;
	ps->graves.cgroups = ps->cgroups;
	ps->launcher = launcher_create(&ps->conf, ps->cgroups, err);
	if (!ps->launcher)
		goto fail;
	if (!ps->cgroups)
		log_warn("proc.no_cgroups effect=\"limits are not enforced\"");
	snprintf(ps->description, sizeof(ps->description), "cgroup:%s userns:%s seccomp:yes",
	         ps->cgroups ? cgroups_version(ps->cgroups) : "no",
	         launcher_user_namespaces(ps->launcher) ? "yes" : "no");
	return ps;
fail:
	procs_destroy(ps);
	return NULL;
}

void procs_destroy(struct procs *ps)
{
	struct proc *p;

	if (!ps)
		return;
	LIST_FOREACH (p, &ps->all, struct proc, node)
		proc_destroy(p);
	graves_fini(&ps->graves);
	defer_cancel(&ps->start);
	defer_cancel(&ps->end);
	launcher_destroy(ps->launcher);
	cgroups_destroy(ps->cgroups);
	free_conf(&ps->conf);
	free(ps);
}

const char *procs_describe(const struct procs *ps)
{
	return ps->description;
}

/* ---- how it ended ---- */

static void end(struct proc *p)
{
	log_info("proc.ended container=%s task=%s message=\"%s\"", p->id, p->name, p->message);
	sm_move(&p->sm, ENDED);
	p->ops->on_exit(p->user, p, &p->exit); /* p may be gone */
}

/* status: what waitid said, of a child. mystery: why it is taken for dead, of one that is adopted. */
static bool same_boot(const struct proc_identity *id)
{
	char boot_id[40];

	return pid_boot_id(boot_id) == 0 && strcmp(boot_id, id->boot_id) == 0;
}

static void ended(struct proc *p, const siginfo_t *status, const char *mystery)
{
	_cleanup_free_ char *slot_path = launcher_slot_path(p->procs->launcher, p->id);
	struct ending from = {
		.cgroups = p->procs->cgroups,
		.cgroup = p->identity.cgroup,
		.slot_path = slot_path,
		.status = status,
		.away = mystery != NULL,
		.mystery = mystery,
	};

	ending_tell(&from, p->message, &p->exit);
	p->exit.rebooted = mystery && !p->exit.known && !same_boot(&p->identity);
	end(p);
}

/* ---- failing ---- */

static void not_building(struct proc *p)
{
	struct procs *ps = p->procs;

	if (!p->building)
		return;
	p->building = false;
	ps->n_building--;
	if (!list_empty(&ps->waiting))
		loop_defer(ps->loop, &ps->start, start_some, ps);
}

/* The child, if there is one, goes first; finish_failure follows it. */
static void fail(struct proc *p)
{
	int state = sm_state(&p->sm);

	not_building(p);
	list_remove(&p->queue);
	watch_stop(&p->on_socket);
	timer_stop(&p->grace);
	if (state != FAILING)
		sm_move(&p->sm, FAILING);
	if (p->pidfd >= 0)
		pid_signal(p->pidfd, SIGKILL);
	else
		loop_defer(p->procs->loop, &p->later, step, p);
}

static void fail_with(struct proc *p, const char *where, const char *text)
{
	p->failure.step = where;
	err_set(&p->failure.err, ECANCELED, "%s", text);
	fail(p);
}

static void finish_failure(struct proc *p)
{
	p->exit.failed_step = p->failure.step;
	ending_read_memory(p->procs->cgroups, p->identity.cgroup, &p->exit);
	snprintf(p->message, sizeof(p->message), "%s", p->failure.err.text);
	p->exit.message = p->message;
	clean(p);
	end(p);
}

/* ---- building ---- */

/* A thousand may end at once. */
static void end_some(void *user)
{
	struct procs *ps = user;
	int64_t until_us = loop_now_us(ps->loop) + SLICE_US;

	while (!list_empty(&ps->ending) && loop_now_us(ps->loop) < until_us) {
		struct proc *p = CONTAINER_OF(list_first(&ps->ending), struct proc, queue);
		list_remove(&p->queue);
		step(p);
	}
	if (!list_empty(&ps->ending))
		loop_defer(ps->loop, &ps->end, end_some, ps);
}

static void on_pidfd(void *user, int events)
{
	struct proc *p = user;

	p->gone = true;
	if (sm_state(&p->sm) == RUNNING || sm_state(&p->sm) == FAILING)
		watch_stop(&p->on_pidfd);
	if (!list_linked(&p->queue))
		list_push(&p->procs->ending, &p->queue);
	loop_defer(p->procs->loop, &p->procs->end, end_some, p->procs);
}

static void on_socket(void *user, int events)
{
	step(user);
}

static void watch_process(struct proc *p)
{
	watch_init(&p->on_pidfd, p->procs->loop, p->pidfd, on_pidfd, p);
	watch_set(&p->on_pidfd, WATCH_READ);
}

static void start(struct proc *p)
{
	int r = birth_start(p->birth, &p->failure);

	p->has_runtime = birth_has_runtime(p->birth);
	p->pidfd = birth_take_pidfd(p->birth);
	p->identity = *birth_identity(p->birth);
	snprintf(p->identity.cgroup, sizeof(p->identity.cgroup), "%s", birth_cgroup(p->birth));
	if (p->pidfd >= 0) {
		p->child = true;
		watch_process(p);
	}
	if (r < 0) {
		fail(p);
		return;
	}
	p->building = true;
	p->procs->n_building++;
	sm_move(&p->sm, BUILDING);
	watch_init(&p->on_socket, p->procs->loop, birth_socket(p->birth), on_socket, p);
	watch_set(&p->on_socket, WATCH_READ);
	timer_set(&p->grace, BUILD_PATIENCE_MS);
}

static void start_some(void *user)
{
	struct procs *ps = user;
	int64_t until_us = loop_now_us(ps->loop) + SLICE_US;

	while (!list_empty(&ps->waiting) && ps->n_building < MAX_BUILDING && loop_now_us(ps->loop) < until_us) {
		struct proc *p = CONTAINER_OF(list_first(&ps->waiting), struct proc, queue);
		list_remove(&p->queue);
		start(p);
	}
	if (!list_empty(&ps->waiting) && ps->n_building < MAX_BUILDING)
		loop_defer(ps->loop, &ps->start, start_some, ps);
}

/* Out of memory is the likely reason: the limits hold for the child from its start. */
static void child_died(struct proc *p)
{
	struct cgroup_usage u = {0};
	char limit[32];

	if (p->identity.cgroup[0] && cgroup_usage(p->procs->cgroups, p->identity.cgroup, &u) == 0 && u.oom_kills > 0) {
		snprintf(p->message, sizeof(p->message), "%s of memory are not enough to start",
		         ending_size(u.mem_limit_bytes, limit));
		fail_with(p, "memory", p->message);
		return;
	}
	fail_with(p, "launch", "the child ended before it was ready");
}

/* While a launch is under way. True when something was done and more may be there. */
static bool take_report(struct proc *p)
{
	struct wire_report report;
	int r = birth_receive(p->birth, &report);

	if (r == -EAGAIN)
		return false;
	if (r == 0 && sm_state(&p->sm) == STARTING) { /* the program was executed, or its init is dead */
		watch_stop(&p->on_socket);
		sm_move(&p->sm, RUNNING);
		birth_destroy(p->birth);
		p->birth = NULL;
		log_debug("proc.running container=%s task=%s pid=%" PRId64, p->id, p->name, p->identity.pid);
		p->ops->on_running(p->user, p); /* p may be gone */
		return false;
	}
	if (r == 0) {
		child_died(p);
		return false;
	}
	if (report.kind == WIRE_FAILED) {
		birth_explain(p->birth, &report, &p->failure);
		fail(p);
		return false;
	}
	if (report.kind == WIRE_USERNS) {
		if (birth_map(p->birth, &p->failure) == 0)
			return true;
		fail(p);
		return false;
	}
	sm_move(&p->sm, READY);
	timer_stop(&p->grace);
	not_building(p);
	p->ops->on_ready(p->user, p, &p->identity); /* p may be gone */
	return false;
}

/* ---- adopting ---- */

static const char *check_identity(struct proc *p)
{
	const struct proc_identity *id = &p->identity;
	uint64_t start_time;
	char state;

	if (!same_boot(id))
		return "the machine was started anew since";
	if (pid_stat((pid_t)id->pid, &start_time, &state) < 0 || start_time != id->start_time || state == 'Z' ||
	    state == 'X')
		return "how is not known";
	if (id->cgroup[0] && !cgroup_has(p->procs->cgroups, id->cgroup, (pid_t)id->pid))
		return "its process is in another cgroup";
	return NULL;
}

/* pidfd first: what is compared after it is of the process that it holds. */
static void adopt(struct proc *p)
{
	const char *problem = "how is not known";

	p->pidfd = pid_open((pid_t)p->identity.pid);
	if (p->pidfd >= 0)
		problem = check_identity(p);
	if (!problem) {
		watch_process(p);
		sm_move(&p->sm, RUNNING);
		p->ops->on_running(p->user, p); /* p may be gone */
		return;
	}
	ended(p, NULL, problem);
}

/* ---- stepping ---- */

static void reap(struct proc *p, siginfo_t *ret)
{
	if (waitid(P_PIDFD, (id_t)p->pidfd, ret, WEXITED | WNOHANG | __WALL) < 0)
		ret->si_code = CLD_EXITED;
}

/* The process is gone: nothing more comes from the socket than lies there. */
static void after_end(struct proc *p)
{
	siginfo_t status = {.si_code = CLD_EXITED};

	watch_stop(&p->on_pidfd);
	timer_stop(&p->grace);
	if (p->child)
		reap(p, &status);
	close(p->pidfd);
	p->pidfd = -1;
	if (sm_state(&p->sm) == FAILING)
		finish_failure(p);
	else
		ended(p, p->child ? &status : NULL, NULL);
}

static void step(void *user)
{
	struct proc *p = user;
	bool more;

	do {
		more = false;
		switch (sm_state(&p->sm)) {
		case BUILDING:
		case READY:
			more = take_report(p);
			break;
		case STARTING: /* what it reported comes before its end, which is seen again next turn */
			take_report(p);
			break;
		case ADOPTING:
			adopt(p);
			break;
		case RUNNING:
			if (p->gone)
				after_end(p);
			break;
		case FAILING:
			if (p->pidfd < 0)
				finish_failure(p);
			else if (p->gone)
				after_end(p);
			break;
		default:
			break;
		}
	} while (more);
}

/* ---- killing ---- */

static void kill_all(struct proc *p)
{
	struct procs *ps = p->procs;

	p->kill = KILL_ALL;
	/* With its init the kernel ends all of a pid namespace; frozen processes only once they are let go. */
	pid_signal(p->pidfd, SIGKILL);
	if (p->identity.cgroup[0] && !cgroup_kill_at_once(ps->cgroups, p->identity.cgroup))
		cgroup_thaw(ps->cgroups, p->identity.cgroup);
	timer_set(&p->grace, KILL_AGAIN_MS);
}

static void on_grace(void *user)
{
	struct proc *p = user;

	if (sm_state(&p->sm) == BUILDING) /* a file system that does not answer */
		fail_with(p, "launch", "not ready after 30 s");
	else
		kill_all(p);
}

void proc_kill(struct proc *p, int64_t grace_ms)
{
	switch (sm_state(&p->sm)) {
	case WAITING:
	case BUILDING:
	case READY:
		fail_with(p, "killed", "killed before it was started");
		return;
	case STARTING:
	case RUNNING:
		break;
	default:
		return;
	}
	if (p->kill == KILL_ALL)
		return;
	if (grace_ms <= 0) {
		kill_all(p);
		return;
	}
	if (p->kill == KILL_NONE) {
		pid_signal(p->pidfd, SIGTERM);
		if (p->identity.cgroup[0])
			cgroup_thaw(p->procs->cgroups, p->identity.cgroup);
	}
	if (p->kill == KILL_NONE || loop_now_ms(p->procs->loop) + grace_ms < p->grace.due_ms)
		timer_set(&p->grace, grace_ms);
	p->kill = KILL_TERM;
}

/* ---- one of them ---- */

static struct proc *create(struct procs *ps, const char *id, const char *name, int state, const struct proc_ops *ops,
                           void *user)
{
	struct proc *p = xcalloc(1, sizeof(*p));

	p->procs = ps;
	p->ops = ops;
	p->user = user;
	p->id = xstrdup(id);
	p->name = xstrdup(name ? name : "");
	p->pidfd = -1;
	timer_init(&p->grace, ps->loop, on_grace, p);
	sm_init(&p->sm, states, ARRAY_SIZE(states), state, "proc", p->id, NULL, NULL);
	list_push(&ps->all, &p->node);
	return p;
}

struct proc *proc_launch(struct procs *ps, const struct proc_spec *spec, const struct proc_ops *ops, void *user)
{
	struct proc *p = create(ps, spec->container_id, spec->name, WAITING, ops, user);

	p->birth = birth_create(ps->launcher, spec);
	list_push(&ps->waiting, &p->queue);
	loop_defer(ps->loop, &ps->start, start_some, ps);
	return p;
}

void proc_go(struct proc *p)
{
	if (sm_state(&p->sm) != READY) /* killed meanwhile, or told twice */
		return;
	sm_move(&p->sm, STARTING);
	birth_go(p->birth); /* a child that is gone shows by the end of the socket */
}

struct proc *proc_adopt(struct procs *ps, const char *container_id, const struct proc_identity *id,
                        const struct proc_ops *ops, void *user)
{
	struct proc *p = create(ps, container_id, NULL, ADOPTING, ops, user);

	p->identity = *id;
	if (!ps->cgroups)
		p->identity.cgroup[0] = 0;
	p->has_runtime = true;
	loop_defer(ps->loop, &p->later, step, p);
	return p;
}

int proc_set_limits(struct proc *p, int64_t cpus_milli, int64_t cpus_limit_milli, int64_t mem_bytes, struct err *err)
{
	struct procs *ps = p->procs;
	struct cgroup_limits limits = {
		.cpus_milli = cpus_milli,
		.cpus_limit_milli = ps->conf.cpu_cap && !cpus_limit_milli ? cpus_milli : cpus_limit_milli,
		.mem_bytes = mem_bytes,
	};

	if (!p->identity.cgroup[0])
		return err_set(err, ENOTSUP, "limits need cgroups");
	return cgroup_set(ps->cgroups, p->identity.cgroup, &limits, err);
}

int proc_usage(struct proc *p, struct proc_usage *ret)
{
	struct cgroup_usage u;

	if (!p->identity.cgroup[0])
		return -ENOTSUP;
	int r = cgroup_usage(p->procs->cgroups, p->identity.cgroup, &u);
	if (r < 0)
		return r;
	*ret = (struct proc_usage){.cpu_ns = u.cpu_ns,
	                           .mem_bytes = u.mem_bytes,
	                           .mem_peak_bytes = u.mem_peak_bytes,
	                           .pids = u.pids > 0 ? u.pids - 1 : 0}; /* without init */
	return 0;
}

void proc_destroy(struct proc *p)
{
	if (!p)
		return;
	not_building(p);
	list_remove(&p->node);
	list_remove(&p->queue);
	watch_stop(&p->on_pidfd);
	watch_stop(&p->on_socket);
	timer_stop(&p->grace);
	defer_cancel(&p->later);
	if (sm_state(&p->sm) == ENDED)
		clean(p);
	if (p->pidfd >= 0)
		close(p->pidfd);
	birth_destroy(p->birth);
	free(p->id);
	free(p->name);
	free(p);
}

/* ---- sweeping ---- */

struct sweep {
	struct procs *procs;
	const char *const *known;
	size_t n_known;
	struct hash found; /* of struct leftover */
};

struct leftover {
	struct hash_node node;
	char *id;
};

static void note_leftover(void *user, const char *id)
{
	struct sweep *s = user;
	struct proc *p;

	for (size_t i = 0; i < s->n_known; i++)
		if (strcmp(s->known[i], id) == 0)
			return;
	LIST_FOREACH (p, &s->procs->all, struct proc, node)
		if (strcmp(p->id, id) == 0)
			return;
	if (graves_hold(&s->procs->graves, id) || hash_get(&s->found, id)) /* swept already, or seen elsewhere */
		return;
	struct leftover *l = xcalloc(1, sizeof(*l));
	l->id = xstrdup(id);
	hash_put(&s->found, &l->node, l->id);
}

static void list_runtime(struct procs *ps, struct sweep *s)
{
	DIR *dir = opendir(ps->conf.runtime_dir);
	struct dirent *e;

	while (dir && (e = readdir(dir)))
		if (e->d_name[0] != '.')
			note_leftover(s, e->d_name);
	if (dir)
		closedir(dir);
}

int procs_sweep(struct procs *ps, const char *const *known_ids, size_t n)
{
	struct sweep s = {.procs = ps, .known = known_ids, .n_known = n};
	struct leftover *l;
	int count = 0;

	hash_init(&s.found);
	if (ps->cgroups)
		cgroups_list(ps->cgroups, note_leftover, &s);
	list_runtime(ps, &s);
	HASH_FOREACH (l, &s.found, struct leftover, node) {
		_cleanup_free_ char *cgroup = xasprintf("%s/%s", ps->conf.cgroup_root, l->id);
		log_warn("proc.swept container=%s", l->id);
		if (ps->cgroups) {
			cgroup_kill(ps->cgroups, cgroup);
			graves_bury(&ps->graves, cgroup);
		}
		launcher_remove_runtime(ps->launcher, l->id);
		hash_del(&s.found, &l->node);
		free(l->id);
		free(l);
		count++;
	}
	hash_fini(&s.found);
	return count;
}
