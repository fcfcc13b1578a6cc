/* Containers, for real, and what tests ask about them: needs root and cgroups. */
#ifndef FL_TESTS_CONTAINER_FIXTURE_H
#define FL_TESTS_CONTAINER_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <fairlead/types.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "slave/proc.h"

#define MIB (1024 * 1024LL)
#define TASK_USER "31337"
#define DEADLINE_MS 20000

/* A slave's worth of surroundings. */
struct world {
	char folder[64], work[96], runtime[96], cgroup_root[64];
	struct loop *loop;
	struct procs *procs;
	int n; /* containers so far */
};

/* One container and what happened to it. */
struct story {
	struct world *world;
	struct proc *proc;
	char id[32], sandbox[160];
	struct proc_identity identity;
	bool hold; /* no GO by itself */
	bool ready, running, over;
	struct proc_exit exit;
	char failed_step[64], message[320];
};

/* ---- the world ---- */

static inline void world_open(struct world *w)
{
	struct err err = {0};
	struct procs_conf conf = {
		.runtime_dir = w->runtime,
		.cgroup_root = w->cgroup_root,
		.work_dir = w->work,
		.image_dir = w->folder,
		.allow_privileged = true,
		.user_namespaces = true,
		.use_cgroups = true,
		.default_pids = 100,
	};

	w->loop = loop_create();
	w->procs = procs_create(w->loop, &conf, &err);
	if (!w->procs)
		fail_msg("procs_create: %s", err.text);
}

static inline void world_close(struct world *w)
{
	procs_destroy(w->procs);
	loop_destroy(w->loop);
	w->procs = NULL;
	w->loop = NULL;
}

static inline int setup(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));

	if (geteuid() != 0)
		return -1;
	snprintf(w->folder, sizeof(w->folder), "/tmp/test_proc.XXXXXX");
	assert_non_null(mkdtemp(w->folder));
	chmod(w->folder, 0755);
	snprintf(w->work, sizeof(w->work), "%s/work", w->folder);
	snprintf(w->runtime, sizeof(w->runtime), "%s/run", w->folder);
	snprintf(w->cgroup_root, sizeof(w->cgroup_root), "/fairlead-test-%d", (int)getpid());
	assert_int_equal(mkdir(w->work, 0711), 0);
	world_open(w);
	*state = w;
	return 0;
}

static inline void remove_cgroup_root(struct world *w)
{
	static const char *const mounts[] = {"",      "/cpu",     "/cpuacct", "/memory",
	                                     "/pids", "/freezer", "/unified", "/cpu,cpuacct"};
	char path[192];

	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++) {
		/* Out of the leaf that v2 moved us into, if it is one. */
		snprintf(path, sizeof(path), "/sys/fs/cgroup%s/cgroup.procs", mounts[i]);
		_cleanup_fclose_ FILE *f = fopen(path, "we");
		if (f && i == 0)
			fputs("0", f);
		if (f)
			fflush(f);
		snprintf(path, sizeof(path), "/sys/fs/cgroup%s%s/.slave", mounts[i], w->cgroup_root);
		rmdir(path);
		snprintf(path, sizeof(path), "/sys/fs/cgroup%s%s", mounts[i], w->cgroup_root);
		rmdir(path);
	}
}

static inline int teardown(void **state)
{
	struct world *w = *state;
	char command[256];

	world_close(w);
	remove_cgroup_root(w);
	snprintf(command, sizeof(command), "%s", w->folder);
	pid_t pid = fork();
	if (pid == 0) {
		execlp("rm", "rm", "-rf", command, (char *)NULL);
		_exit(1);
	}
	waitpid(pid, NULL, 0);
	free(w);
	return 0;
}

/* ---- stories ---- */

static inline void on_ready(void *user, struct proc *p, const struct proc_identity *id)
{
	struct story *s = user;

	s->ready = true;
	s->identity = *id;
	if (!s->hold)
		proc_go(p);
}

static inline void on_running(void *user, struct proc *p)
{
	struct story *s = user;

	s->running = true;
}

static inline void on_exit_(void *user, struct proc *p, const struct proc_exit *e)
{
	struct story *s = user;

	s->over = true;
	s->exit = *e;
	snprintf(s->message, sizeof(s->message), "%s", e->message);
	snprintf(s->failed_step, sizeof(s->failed_step), "%s", e->failed_step ? e->failed_step : "");
}

static const struct proc_ops ops = {on_ready, on_running, on_exit_};

static inline void story_init(struct story *s, struct world *w)
{
	*s = (struct story){.world = w};
	snprintf(s->id, sizeof(s->id), "c%d-%d", (int)getpid(), ++w->n);
	snprintf(s->sandbox, sizeof(s->sandbox), "%s/%s", w->work, s->id);
	assert_int_equal(mkdir(s->sandbox, 0755), 0);
}

static inline struct proc_spec spec_of(struct story *s, const struct fl_command_info *c)
{
	return (struct proc_spec){
		.container_id = s->id,
		.name = "a-task",
		.sandbox = s->sandbox,
		.command = c,
		.user = TASK_USER,
		.cpus_milli = 1000,
		.mem_bytes = 64 * MIB,
	};
}

static inline void launch_spec(struct story *s, const struct proc_spec *spec)
{
	s->proc = proc_launch(s->world->procs, spec, &ops, s);
	assert_non_null(s->proc);
	assert_false(s->over); /* never from inside the call */
}

static inline void launch(struct story *s, const char *script)
{
	struct fl_command_info c = {.value = script};
	struct proc_spec spec = spec_of(s, &c);

	launch_spec(s, &spec);
}

#define WAIT(s, condition)                                                                        \
	do {                                                                                      \
		int64_t _until = loop_now_ms((s)->world->loop) + DEADLINE_MS;                     \
		while (!(condition)) {                                                            \
			if (loop_now_ms((s)->world->loop) > _until)                               \
				fail_msg("waited in vain for %s (%s)", #condition, (s)->message); \
			loop_step((s)->world->loop, 100);                                         \
		}                                                                                 \
	} while (0)

static inline void until_over(struct story *s)
{
	WAIT(s, s->over);
}

static inline void finish(struct story *s)
{
	proc_destroy(s->proc);
	s->proc = NULL;
}

static inline const char *read_file(const char *path)
{
	static char text[65536];
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t n = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);

	text[n < 0 ? 0 : n] = 0;
	return text;
}

static inline const char *output(struct story *s, const char *name)
{
	char path[256];

	snprintf(path, sizeof(path), "%s/%s", s->sandbox, name);
	return read_file(path);
}

/* What a script prints, run to its end; it must succeed. */
static inline const char *tell(struct world *w, const char *script)
{
	struct story s;

	story_init(&s, w);
	launch(&s, script);
	until_over(&s);
	if (s.failed_step[0] || s.exit.exit_code != 0 || s.exit.signal != 0)
		fail_msg("%s: step %s: %s: %s", script, s.failed_step, s.message, output(&s, "stderr"));
	finish(&s);
	return output(&s, "stdout");
}

static inline void assert_tells(struct world *w, const char *script, const char *expected)
{
	assert_string_equal(tell(w, script), expected);
}

/* Spec to a failed launch; nothing may be left. */
static inline void assert_fails(struct story *s, const struct proc_spec *spec, const char *step, const char *message)
{
	launch_spec(s, spec);
	until_over(s);
	if (strcmp(s->failed_step, step) != 0 || !strstr(s->message, message))
		fail_msg("step \"%s\", message \"%s\", not \"%s\", \"%s\"", s->failed_step, s->message, step, message);
	assert_false(s->exit.known);
	finish(s);
}

/* ---- what is on the host ---- */

static inline int count_entries(const char *path)
{
	DIR *dir = opendir(path);
	struct dirent *e;
	int n = 0;

	while (dir && (e = readdir(dir)))
		n += e->d_name[0] != '.' && (e->d_type == DT_DIR);
	if (dir)
		closedir(dir);
	return n;
}

static inline int count_cgroups(struct world *w)
{
	char path[192];
	struct dirent *e;
	DIR *dir = opendir("/sys/fs/cgroup");
	int n = 0;

	snprintf(path, sizeof(path), "/sys/fs/cgroup%s", w->cgroup_root);
	n += count_entries(path);
	while (dir && (e = readdir(dir))) {
		if (e->d_name[0] == '.' || e->d_type != DT_DIR)
			continue;
		snprintf(path, sizeof(path), "/sys/fs/cgroup/%.60s%s", e->d_name, w->cgroup_root);
		n += count_entries(path);
	}
	if (dir)
		closedir(dir);
	return n;
}

static inline int count_lines(const char *path)
{
	int n = 0;

	for (const char *s = read_file(path); *s; s++)
		n += *s == '\n';
	return n;
}

static inline int count_children(void)
{
	char path[64];
	int n = 0;

	snprintf(path, sizeof(path), "/proc/self/task/%d/children", (int)getpid());
	for (const char *s = read_file(path); *s; s++)
		n += *s == ' ';
	return n;
}

struct footprint {
	int cgroups, runtime, mounts, children, descriptors;
};

static inline int count_descriptors(void)
{
	int n = 0;

	for (int fd = 0; fd < 1024; fd++)
		n += fcntl(fd, F_GETFD) >= 0;
	return n;
}

/* Once what earlier containers left is gone. */
static inline struct footprint footprint(struct world *w)
{
	int64_t until = loop_now_ms(w->loop) + DEADLINE_MS;

	while (count_cgroups(w) > 0 && loop_now_ms(w->loop) < until)
		loop_step(w->loop, 20);
	return (struct footprint){count_cgroups(w), count_entries(w->runtime), count_lines("/proc/self/mountinfo"),
	                          count_children(), count_descriptors()};
}

static inline void assert_no_trace(struct world *w, const struct footprint *before)
{
	struct footprint now = footprint(w);
	assert_int_equal(now.cgroups, before->cgroups);
	assert_int_equal(now.runtime, before->runtime);
	assert_int_equal(now.mounts, before->mounts);
	assert_int_equal(now.children, before->children);
	assert_true(now.descriptors <= before->descriptors); /* fewer: one of an earlier test was still closing */
}

static inline bool process_lives(int64_t pid)
{
	char path[64], state = 'X';

	snprintf(path, sizeof(path), "/proc/%" PRId64 "/stat", pid);
	const char *text = read_file(path), *at = strrchr(text, ')');
	if (at && at[1])
		state = at[2];
	return state != 'X' && state != 'Z';
}

/* 77 with a word when containers cannot be made here, else 0. */
static inline int containers_missing(void)
{
	if (geteuid() != 0) {
		fprintf(stderr, "skipped: containers need root\n");
		return 77;
	}
	if (access("/sys/fs/cgroup", W_OK) < 0) {
		fprintf(stderr, "skipped: no writable cgroups\n");
		return 77;
	}
	return 0;
}

#endif
