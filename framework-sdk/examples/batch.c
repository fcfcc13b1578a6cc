/* batch: runs N tasks of the same command, as many at a time as offers allow, and keeps going through failovers.
 *
 *   batch [--tasks N] [--cpus C] [--mem MIB] [--name NAME] [--role ROLE] [--user USER] [--failover SECONDS] -- CMD
 *
 * Each task is PENDING until launched; a task that is lost, dropped or unknown is launched again under a new id, one that
 * fails is not. After a reconnection the tasks in flight are asked for every second until each has been answered: a new
 * leader does not answer for slaves that are not back yet. Prints one line an event; exits 0 when all tasks finished, 1
 * when one failed. */
#include <fairlead/fairlead.h>
#include <getopt.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#define MAX_TASKS 1000 /* of one accept, whose size is limited */

enum job_state { PENDING, IN_FLIGHT, FINISHED, FAILED };

struct job {
	enum job_state state;
	bool confirmed; /* heard of since the last subscription */
	int attempt;
	char id[64];
	char slave[128];
};

struct batch {
	struct job *jobs;
	size_t n_jobs, n_pending, n_done, n_failed;
	int64_t cpus_milli, mem_mib;
	const char *command;
	bool suppressed;
};

static void say(const char *what, const char *detail)
{
	struct timespec now;
	clock_gettime(CLOCK_REALTIME, &now);
	printf("%lld.%03ld %s %s\n", (long long)now.tv_sec, now.tv_nsec / 1000000, what, detail);
	fflush(stdout);
}

static void retry(struct batch *b, struct job *job)
{
	job->state = PENDING;
	job->attempt++;
	b->n_pending++;
}

static struct job *find_job(struct batch *b, const char *task_id)
{
	for (size_t i = 0; i < b->n_jobs; i++)
		if (strcmp(b->jobs[i].id, task_id) == 0)
			return &b->jobs[i];
	return NULL;
}

static void ask_for_unconfirmed(fl_scheduler *s, struct batch *b)
{
	struct fl_reconcile_task *tasks = calloc(b->n_jobs, sizeof(*tasks));
	size_t n = 0;

	for (size_t i = 0; i < b->n_jobs; i++)
		if (b->jobs[i].state == IN_FLIGHT && !b->jobs[i].confirmed)
			tasks[n++] = (struct fl_reconcile_task){.task_id = b->jobs[i].id, .slave_id = b->jobs[i].slave};
	if (n > 0)
		fl_reconcile(s, tasks, n);
	free(tasks);
}

static void on_subscribed(fl_scheduler *s, void *user, const struct fl_event_subscribed *e)
{
	struct batch *b = user;

	say("subscribed", e->framework_id);
	for (size_t i = 0; i < b->n_jobs; i++)
		b->jobs[i].confirmed = false;
	ask_for_unconfirmed(s, b);
}

static void on_disconnected(fl_scheduler *s, void *user)
{
	(void)s;
	(void)user;
	say("disconnected", "");
}

static void describe(struct fl_task_info *task, struct job *job, const struct batch *b, const struct fl_offer *offer)
{
	snprintf(job->id, sizeof(job->id), "batch-%zu.%d", (size_t)(job - b->jobs) + 1, job->attempt);
	snprintf(job->slave, sizeof(job->slave), "%s", offer->slave_id);
	*task = (struct fl_task_info){.name = "batch", .task_id = job->id};
}

/* Puts as many pending jobs on the offer as fit. */
static void use_offer(fl_scheduler *s, struct batch *b, const struct fl_offer *offer)
{
	int64_t cpus = fl_offer_scalar(offer, "cpus"), mem = fl_offer_scalar(offer, "mem");
	struct fl_task_info *tasks = calloc(b->n_jobs, sizeof(*tasks));
	struct job **taken = calloc(b->n_jobs, sizeof(*taken));
	struct fl_command_info command = {.value = b->command};
	struct fl_resource resources[] = {FL_CPUS(b->cpus_milli), FL_MEM_MIB(b->mem_mib)};
	size_t n = 0;

	for (size_t i = 0; i < b->n_jobs && n < MAX_TASKS && cpus >= b->cpus_milli && mem >= b->mem_mib * 1000; i++) {
		if (b->jobs[i].state != PENDING)
			continue;
		describe(&tasks[n], &b->jobs[i], b, offer);
		tasks[n].command = &command;
		tasks[n].resources = resources;
		tasks[n].n_resources = 2;
		taken[n++] = &b->jobs[i];
		cpus -= b->cpus_milli;
		mem -= b->mem_mib * 1000;
	}
	if (n > 0 && fl_launch(s, offer, tasks, n, 0) == 0) {
		char detail[256];
		snprintf(detail, sizeof(detail), "%zu task(s) on %s, from %s", n, offer->hostname, tasks[0].task_id);
		say("launched", detail);
		for (size_t i = 0; i < n; i++) {
			taken[i]->state = IN_FLIGHT;
			taken[i]->confirmed = true; /* the master answers for every task of an accept it has received */
		}
		b->n_pending -= n;
	} else {
		fl_decline(s, offer->id, -1);
	}
	free(taken);
	free(tasks);
}

static void say_offer(const struct fl_offer *offer)
{
	char detail[256];
	snprintf(detail, sizeof(detail), "%s: %lld.%03lld cpus, %lld MiB", offer->hostname,
	         (long long)fl_offer_scalar(offer, "cpus") / 1000, (long long)fl_offer_scalar(offer, "cpus") % 1000,
	         (long long)fl_offer_scalar(offer, "mem") / 1000);
	say("offered", detail);
}

static void on_offers(fl_scheduler *s, void *user, const struct fl_offer *offers, size_t n)
{
	struct batch *b = user;
	for (size_t i = 0; i < n; i++) {
		say_offer(&offers[i]);
		use_offer(s, b, &offers[i]);
	}
	if (b->n_pending == 0 && !b->suppressed)
		b->suppressed = fl_suppress(s, NULL, 0) == 0;
}

static void on_update(fl_scheduler *s, void *user, const struct fl_task_status *status)
{
	struct batch *b = user;
	struct job *job = find_job(b, status->task_id);
	char detail[512];

	if (!job || job->state != IN_FLIGHT)
		return;
	job->confirmed = true;
	snprintf(detail, sizeof(detail), "%s %s%s%s", status->task_id, fl_task_state_name(status->state),
	         status->message ? ": " : "", status->message ? status->message : "");
	say("update", detail);
	switch (status->state) {
	case FL_TASK_FINISHED:
		job->state = FINISHED;
		b->n_done++;
		break;
	case FL_TASK_LOST:
	case FL_TASK_DROPPED:
	case FL_TASK_GONE:
	case FL_TASK_GONE_BY_OPERATOR:
	case FL_TASK_UNKNOWN:
		retry(b, job);
		if (b->suppressed && fl_revive(s, NULL, 0) == 0)
			b->suppressed = false;
		break;
	case FL_TASK_FAILED:
	case FL_TASK_KILLED:
	case FL_TASK_ERROR:
		job->state = FAILED;
		b->n_done++;
		b->n_failed++;
		break;
	default:
		break;
	}
	if (b->n_done == b->n_jobs)
		fl_teardown(s);
}

static void on_error(fl_scheduler *s, void *user, const char *message)
{
	(void)s;
	(void)user;
	say("error", message);
}

static void usage(void)
{
	fprintf(stderr, "usage: batch [--tasks N] [--cpus C] [--mem MIB] [--name NAME] [--role ROLE] [--user USER] "
	                "[--failover SECONDS] -- CMD\n");
	exit(2);
}

static void parse(int argc, char **argv, struct batch *b, struct fl_framework_info *info)
{
	static const struct option options[] = {
		{"tasks", required_argument, NULL, 't'},    {"cpus", required_argument, NULL, 'c'},
		{"mem", required_argument, NULL, 'm'},      {"name", required_argument, NULL, 'n'},
		{"role", required_argument, NULL, 'r'},     {"user", required_argument, NULL, 'u'},
		{"failover", required_argument, NULL, 'f'}, {0},
	};
	int c;

	while ((c = getopt_long(argc, argv, "+", options, NULL)) != -1) {
		if (c == 't')
			b->n_jobs = strtoul(optarg, NULL, 10);
		else if (c == 'c')
			b->cpus_milli = (int64_t)(strtod(optarg, NULL) * 1000 + 0.5);
		else if (c == 'm')
			b->mem_mib = strtoll(optarg, NULL, 10);
		else if (c == 'n')
			info->name = optarg;
		else if (c == 'r')
			info->role = optarg;
		else if (c == 'u')
			info->user = optarg;
		else if (c == 'f')
			info->failover_timeout_ns = strtoll(optarg, NULL, 10) * 1000000000;
		else
			usage();
	}
	if (optind != argc - 1 || b->n_jobs == 0 || b->n_jobs > 100000 || b->cpus_milli <= 0 || b->mem_mib <= 0)
		usage();
	b->command = argv[optind];
}

int main(int argc, char **argv)
{
	struct fl_framework_capability capability = {.type = FL_CAPABILITY_PARTITION_AWARE};
	struct fl_framework_info info = {
		.name = "batch",
		.has_failover_timeout_ns = true,
		.failover_timeout_ns = 60000000000,
		.capabilities = &capability,
		.n_capabilities = 1,
	};
	struct batch b = {.n_jobs = 1, .cpus_milli = 100, .mem_mib = 32};
	struct fl_scheduler_options options = {.struct_size = sizeof(options), .framework = &info};
	struct fl_scheduler_callbacks callbacks = {
		.struct_size = sizeof(callbacks),
		.subscribed = on_subscribed,
		.offers = on_offers,
		.update = on_update,
		.disconnected = on_disconnected,
		.error = on_error,
	};
	char error[256];

	parse(argc, argv, &b, &info);
	b.jobs = calloc(b.n_jobs, sizeof(*b.jobs));
	b.n_pending = b.n_jobs;
	fl_scheduler *s = fl_scheduler_create(&options, &callbacks, &b, error, sizeof(error));
	if (!s) {
		fprintf(stderr, "batch: %s\n", error);
		return 1;
	}
	time_t asked = 0;
	int r;
	while ((r = fl_step(s, 200)) == 1)
		if (fl_subscribed(s) && time(NULL) != asked) {
			asked = time(NULL);
			ask_for_unconfirmed(s, &b);
		}
	snprintf(error, sizeof(error), "%zu of %zu finished", b.n_done - b.n_failed, b.n_jobs);
	say("done", error);
	fl_scheduler_destroy(s);
	free(b.jobs);
	return r < 0 || b.n_failed > 0 || b.n_done < b.n_jobs;
}
