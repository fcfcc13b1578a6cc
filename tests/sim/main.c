/* The simulator's command line: runs seeds, each in a process of its own, and says how to run a failing one again. */
#include <errno.h>
#include <getopt.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/mem.h"
#include "faults.h"
#include "scenario.h"
#include "world.h"

static const struct scenario *const scenarios[] = {
	&scenario_elect,
#ifndef SIM_ELECT_ONLY
	&scenario_cluster,
#endif
};

struct result {
	uint64_t hash, events;
	int64_t end_us;
};

struct options {
	const struct scenario *scenario;
	uint64_t first, last;
	int jobs;
	bool verbose;
	int twice_every; /* every n-th seed runs twice, to compare the hashes (I11) */
	const char *program;
};

/* An assertion of the code under test: what led to it. Not safe in a signal handler in general, good enough here. */
static void on_abort(int signo)
{
	world_show();
	fprintf(stderr, "\nFAILED seed=%llu host=%s: %s\nreplay: %s\n", (unsigned long long)world.seed,
	        world.current ? world.current->host->name : "-", strsignal(signo), world.replay);
	signal(signo, SIG_DFL);
	raise(signo);
}

static void run_seed(const struct options *o, uint64_t seed, struct result *ret)
{
	char replay[512];

	snprintf(replay, sizeof(replay), "%s --scenario %s --seed %llu --verbose", o->program, o->scenario->name,
	         (unsigned long long)seed);
	signal(SIGABRT, on_abort);
	world_init(seed);
	world.replay = replay;
	world.verbose = o->verbose;
	o->scenario->setup();
	faults_start();
	world_run(o->scenario->fault_us, NULL);
	faults_stop();
	if (!world_run(o->scenario->limit_us, o->scenario->done)) {
		o->scenario->explain();
		world_fail("I9: still not done %lld s after the last fault",
		           (long long)((o->scenario->limit_us - o->scenario->fault_us) / SIM_S));
	}
	*ret = (struct result){world.hash, world.n_run, world.now_us};
}

/* ---- many seeds ---- */

struct child {
	pid_t pid;
	uint64_t seed;
	int out, part; /* where its result comes from; which of two runs */
};

static void start_child(const struct options *o, struct child *c, uint64_t seed, int part)
{
	int fds[2];

	if (pipe(fds) < 0)
		abort();
	fflush(NULL);
	c->seed = seed;
	c->part = part;
	c->out = fds[0];
	c->pid = fork();
	if (c->pid) {
		close(fds[1]);
		return;
	}
	struct result r;
	setrlimit(RLIMIT_CORE, &(struct rlimit){0});
	alarm(120); /* real seconds */
	run_seed(o, seed, &r);
	_exit(write(fds[1], &r, sizeof(r)) == sizeof(r) ? 0 : 1);
}

static bool end_child(const struct options *o, struct child *c, struct result *ret)
{
	int status;
	bool got = read(c->out, ret, sizeof(*ret)) == sizeof(*ret);

	close(c->out);
	waitpid(c->pid, &status, 0);
	if (got && WIFEXITED(status) && WEXITSTATUS(status) == 0)
		return true;
	if (WIFSIGNALED(status) && WTERMSIG(status) != SIGABRT)
		fprintf(stderr, "\nFAILED seed=%llu: %s\nreplay: %s --scenario %s --seed %llu --verbose\n",
		        (unsigned long long)c->seed, strsignal(WTERMSIG(status)), o->program, o->scenario->name,
		        (unsigned long long)c->seed);
	return false;
}

static int run_seeds(const struct options *o)
{
	struct child *children = xcalloc((size_t)o->jobs, sizeof(*children));
	uint64_t next = o->first, events = 0, ok = 0, failed = 0;
	int64_t virtual_us = 0;
	int running = 0, part = 0;
	uint64_t hashes[2] = {0};

	for (int at = 0;; at = (at + 1) % o->jobs) {
		struct child *c = &children[at];
		if (c->pid) {
			struct result r;
			bool good = end_child(o, c, &r);
			running--;
			if (good) {
				events += r.events;
				virtual_us += r.end_us;
				hashes[c->part] = r.hash;
				if (c->part == 1 && hashes[0] != hashes[1]) {
					fprintf(stderr, "\nFAILED seed=%llu: I11: two runs differ\n",
					        (unsigned long long)c->seed);
					good = false;
				}
			}
			if (!good)
				failed++;
			else if (c->part == 0)
				ok++;
			c->pid = 0;
			if (failed >= 5)
				next = o->last + 1;
		}
		if (next <= o->last) {
			/* The second run of a pair follows the first, so that the hashes meet. */
			start_child(o, c, next, part);
			running++;
			bool twice = o->twice_every && next % (uint64_t)o->twice_every == 0;
			if (twice && part == 0) {
				part = 1;
			} else {
				part = 0;
				next++;
			}
		}
		if (!running)
			break;
	}
	free(children);
	printf("%s: %llu seeds ok, %llu failed, %llu events, %lld virtual seconds\n", o->scenario->name,
	       (unsigned long long)ok, (unsigned long long)failed, (unsigned long long)events,
	       (long long)(virtual_us / SIM_S));
	return failed ? 1 : 0;
}

static int usage(void)
{
	fprintf(stderr, "usage: sim [--scenario NAME] --seed N [--verbose]\n"
	                "       sim [--scenario NAME] --seeds A..B [--jobs N] [--twice-every N]\n");
	for (size_t i = 0; i < ARRAY_SIZE(scenarios); i++)
		fprintf(stderr, "  %-10s %s\n", scenarios[i]->name, scenarios[i]->doc);
	return 2;
}

int main(int argc, char **argv)
{
	static const struct option options[] = {
		{"seed", 1, NULL, 's'},        {"seeds", 1, NULL, 'S'},
		{"verbose", 0, NULL, 'v'},     {"jobs", 1, NULL, 'j'},
		{"scenario", 1, NULL, 'c'},    {"help", 0, NULL, 'h'},
		{"twice-every", 1, NULL, 't'}, {0},
	};
	struct options o = {
		.scenario = scenarios[ARRAY_SIZE(scenarios) - 1], .jobs = 2, .twice_every = 10, .program = argv[0]};
	unsigned long long first = 0, last = 0;
	bool given = false, one = false;

	for (int opt; (opt = getopt_long(argc, argv, "", options, NULL)) != -1;) {
		switch (opt) {
		case 's':
			one = given = sscanf(optarg, "%llu", &first) == 1;
			last = first;
			break;
		case 'S':
			given = sscanf(optarg, "%llu..%llu", &first, &last) == 2 && first <= last;
			break;
		case 'v':
			o.verbose = true;
			break;
		case 'j':
			o.jobs = (int)strtol(optarg, NULL, 10);
			break;
		case 't':
			o.twice_every = (int)strtol(optarg, NULL, 10);
			break;
		case 'c':
			o.scenario = NULL;
			for (size_t i = 0; i < ARRAY_SIZE(scenarios); i++)
				if (!strcmp(scenarios[i]->name, optarg))
					o.scenario = scenarios[i];
			if (!o.scenario)
				return usage();
			break;
		default:
			return usage();
		}
	}
	if (!given || o.jobs < 1)
		return usage();
	o.first = first;
	o.last = last;
	if (!one)
		return run_seeds(&o);
	struct result r;
	run_seed(&o, first, &r);
	printf("%s: seed %llu ok, hash %016llx, %llu events, %lld virtual seconds\n", o.scenario->name, first,
	       (unsigned long long)r.hash, (unsigned long long)r.events, (long long)(r.end_us / SIM_S));
	fflush(stdout);
	_exit(0); /* what dead processes left is nobody's leak */
}
