#include "slave/gc.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/disk.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "slave/conf.h"
#include "slave/internal.h"
#include "slave/sandbox.h"
#include "slave/sandbox_remove.h"
#include "slave/task.h"

#define LOOK_MS 60000    /* whether the disk gets full */
#define ROUND_MS 3600000 /* through all sandboxes, at the latest */

struct gc {
	struct slave *slave;
	struct timer timer;
	struct watch watch;
	pid_t child; /* 0: none */
	int pidfd;
	int64_t next_round_ms;
};

static int open_sandboxes(const struct gc *g)
{
	_cleanup_free_ char *path = xasprintf("%s/" SANDBOX_FOLDER, disk_root(g->slave->disk));
	return open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
}

static bool nearly_full(int root)
{
	struct statvfs st;

	return fstatvfs(root, &st) == 0 && st.f_bavail < st.f_blocks / 100 * GC_LEAST_FREE_PERCENT;
}

/* ---- the child ---- */

#define CHILD_ROOT 3

static bool in_use(void *user, const char *container_id)
{
	const struct slave *s = user;
	struct task *t;

	HASH_FOREACH (t, &s->tasks, struct task, node)
		if (!strcmp(t->container_id, container_id))
			return true;
	return false;
}

static bool need_room(void *user)
{
	return nearly_full(CHILD_ROOT);
}

/* Holds nothing of the slave's but the folder: connections must close when the slave closes them. */
static _Noreturn void run_child(const struct gc *g, int root)
{
	struct sandbox_rules rules = {.now_ns = loop_wall_ns(g->slave->loop),
	                              .delay_ns = g->slave->conf->gc_delay * 1000000,
	                              .in_use = in_use,
	                              .need_room = need_room,
	                              .user = g->slave};
	struct sandbox_removal done;

	prctl(PR_SET_NAME, "fairlead-gc");
	signal(SIGTERM, SIG_DFL);
	signal(SIGINT, SIG_DFL);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	setpriority(PRIO_PROCESS, 0, 19);
	if ((root != CHILD_ROOT && dup2(root, CHILD_ROOT) < 0) || close_range(CHILD_ROOT + 1, ~0u, 0) < 0)
		_exit(1);
	sandboxes_remove(CHILD_ROOT, &rules, &done);
	if (done.removed || done.failed)
		log_info("sandbox.removed count=%zu failed=%zu", done.removed, done.failed);
	_exit(0);
}

static void let_child_go(struct gc *g)
{
	watch_stop(&g->watch);
	close(g->pidfd);
	while (waitpid(g->child, NULL, 0) < 0 && errno == EINTR)
		;
	g->child = 0;
}

static void on_child(void *user, int events)
{
	let_child_go(user);
}

static void start_child(struct gc *g, int root)
{
	pid_t pid = fork();

	if (pid == 0)
		run_child(g, root);
	if (pid < 0) {
		log_warn("gc.no_child reason=\"%s\"", strerror(errno));
		return;
	}
	g->child = pid;
	g->pidfd = (int)syscall(SYS_pidfd_open, pid, 0);
	if (g->pidfd < 0) { /* out of descriptors: next time */
		kill(pid, SIGKILL);
		let_child_go(g);
		return;
	}
	watch_init(&g->watch, g->slave->loop, g->pidfd, on_child, g);
	watch_set(&g->watch, WATCH_READ);
}

/* ---- when ---- */

static int64_t at_most(int64_t ms, int64_t limit)
{
	return ms < limit ? ms : limit;
}

static void on_timer(void *user)
{
	struct gc *g = user;
	int64_t now = loop_now_ms(g->slave->loop), delay = g->slave->conf->gc_delay;
	_cleanup_close_ int root = open_sandboxes(g);

	if (root >= 0 && !g->child && (now >= g->next_round_ms || nearly_full(root))) {
		g->next_round_ms = now + at_most(delay, ROUND_MS);
		start_child(g, root);
	}
	timer_set(&g->timer, at_most(delay, LOOK_MS));
}

struct gc *gc_create(struct slave *s)
{
	if (!loop_event_base(s->loop))
		return NULL;
	struct gc *g = xcalloc(1, sizeof(*g));
	g->slave = s;
	timer_init(&g->timer, s->loop, on_timer, g);
	timer_set(&g->timer, at_most(s->conf->gc_delay, LOOK_MS));
	return g;
}

void gc_destroy(struct gc *g)
{
	if (!g)
		return;
	timer_stop(&g->timer);
	if (g->child) {
		kill(g->child, SIGKILL);
		let_child_go(g);
	}
	free(g);
}

/* Its age is that of its inode: changing that needs no file of our own, and survives us. */
void gc_ended(struct gc *g, const struct task *t)
{
	if (!g)
		return;
	_cleanup_free_ char *path = sandbox_host_path(g->slave->disk, t->key, t->container_id);
	_cleanup_close_ int fd = open(path, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);
	if (fd >= 0)
		futimens(fd, NULL);
}
