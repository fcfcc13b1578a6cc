/* How long containers take: one after the other, many at a time, and how long the loop is held up. One JSON line. */
#include <inttypes.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <fairlead/types.h>

#include "base/err.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "slave/proc.h"

struct one {
	struct proc *proc;
	bool running, over;
};

static int n_running, n_over;

static void on_ready(void *user, struct proc *p, const struct proc_identity *id)
{
	proc_go(p);
}

static void on_running(void *user, struct proc *p)
{
	n_running++;
}

static void on_exit_(void *user, struct proc *p, const struct proc_exit *e)
{
	struct one *o = user;

	if (e->failed_step || e->signal == SIGSEGV)
		fprintf(stderr, "%s\n", e->message);
	o->over = true;
	n_over++;
}

static const struct proc_ops ops = {on_ready, on_running, on_exit_};
static int64_t longest_us;

static void turn(struct loop *l)
{
	loop_step(l, 1000);
	longest_us = loop_longest_turn_us(l);
}

static void launch(struct procs *ps, struct one *o, const char *sandbox, const char *program, int i)
{
	char id[32];
	struct fl_command_info c = {.value = program, .has_shell = true};
	const char *arguments[] = {"sleep", "1000"};
	struct proc_spec spec = {.container_id = id,
	                         .name = "bench",
	                         .sandbox = sandbox,
	                         .command = &c,
	                         .user = "31337",
	                         .cpus_milli = 100,
	                         .mem_bytes = 64 << 20};

	snprintf(id, sizeof(id), "b%d", i);
	if (strstr(program, "sleep")) {
		c.arguments = arguments;
		c.n_arguments = 2;
	}
	o->proc = proc_launch(ps, &spec, &ops, o);
}

int main(int argc, char **argv)
{
	int n = argc > 1 ? (int)strtol(argv[1], NULL, 10) : 200; /* at least 1 */
	const char *program = argc > 2 ? argv[2] : "/bin/true";
	struct loop *l = loop_create();
	struct err err = {0};
	char folder[] = "/dev/shm/bench_container.XXXXXX", sandbox[64], runtime[64];

	log_set_level(LOG_ERROR);
	if (geteuid() != 0 || !mkdtemp(folder))
		return 77;
	chmod(folder, 0755);
	snprintf(sandbox, sizeof(sandbox), "%s/sandbox", folder);
	snprintf(runtime, sizeof(runtime), "%s/run", folder);
	mkdir(sandbox, 0777);
	struct procs_conf conf = {.runtime_dir = runtime,
	                          .cgroup_root = "/fairlead-bench",
	                          .work_dir = sandbox,
	                          .user_namespaces = true,
	                          .use_cgroups = true,
	                          .default_pids = 100};
	int64_t begin = loop_now_us(l);
	struct procs *ps = procs_create(l, &conf, &err);
	int64_t create = loop_now_us(l) - begin;
	if (!ps) {
		fprintf(stderr, "%s\n", err.text);
		return 1;
	}
	struct one *all = xcalloc((size_t)n, sizeof(*all));

	begin = loop_now_us(l);
	for (int i = 0; i < n; i++) {
		launch(ps, &all[i], sandbox, program, i);
		while (!all[i].over)
			turn(l);
		proc_destroy(all[i].proc);
	}
	int64_t sequential = loop_now_us(l) - begin;
	n_running = n_over = 0;
	memset(all, 0, (size_t)n * sizeof(*all));
	begin = loop_now_us(l);
	for (int i = 0; i < n; i++)
		launch(ps, &all[i], sandbox, "sleep", i);
	while (n_running < n)
		turn(l);
	int64_t kept = loop_now_us(l) - begin;
	begin = loop_now_us(l);
	for (int i = 0; i < n; i++)
		proc_kill(all[i].proc, 0);
	while (n_over < n)
		turn(l);
	for (int i = 0; i < n; i++)
		proc_destroy(all[i].proc);
	int64_t ended = loop_now_us(l) - begin;
	printf("{\"bench\": \"container\", \"n\": %d, \"program\": \"%s\", \"create_us\": %" PRId64
	       ", \"sequential_us\": %" PRId64 ", \"launch_and_keep_us\": %" PRId64 ", \"kill_and_clean_us\": %" PRId64
	       ", \"longest_turn_us\": %" PRId64 ", \"slow_turns\": %" PRIu64 "}\n",
	       n, program, create, sequential / n, kept / n, ended / n, longest_us, loop_slow_turns(l));
	for (int i = 0; i < 100; i++)
		loop_step(l, 10);
	free(all);
	procs_destroy(ps);
	loop_destroy(l);
	for (const char *const *name =
	             (const char *const[]){"sandbox/stdout", "sandbox/stderr", "sandbox", "run", ".", NULL};
	     *name; name++) {
		char path[96];
		snprintf(path, sizeof(path), "%s/%s", folder, *name);
		if (strcmp(*name, ".") == 0)
			rmdir(folder);
		else
			remove(path);
	}
	return 0;
}
