/* What a framework knows is written down at once and survives it, as in a database: its id, its jobs, their attempts. A
 * job that fails for a reason that is not its own is tried again under a new task id.
 *
 * I2 is held here: each attempt comes to at most one terminal state; an attempt whose status was acknowledged is never
 * unknown to the cluster afterwards. */
#include "framework.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fairlead/scheduler.h>

#include "base/err.h"
#include "base/loop.h"
#include "base/mem.h"
#include "check.h"
#include "framework-sdk/scheduler.h"
#include "world.h"

#define MAX_JOBS 64
#define MAX_ATTEMPTS 2000
#define PATIENCE_US (20 * SIM_S) /* an attempt nobody knows for so long was never launched */

struct job {
	int64_t cpus_milli, mem_milli, run_ms;
	int exit_code;
	bool to_be_killed;
	int attempts;
	bool done;
	struct attempt *current; /* NULL: to be launched */
};

struct attempt {
	char id[40];
	struct job *job;
	char slave[96];
	int64_t launched_us;
	enum fl_task_state state, terminal;
	bool acknowledged;    /* an update with a uuid came and was answered */
	uint8_t uuids[8][16]; /* of the updates so far */
	int n_uuids;
	bool ran, given_up;
};

struct framework {
	char name[16], role[16], id[96];
	struct job jobs[MAX_JOBS];
	int n_jobs;
	struct attempt attempts[MAX_ATTEMPTS];
	int n_attempts;
};

/* Of one life. */
struct run {
	struct framework *f;
	struct loop *loop;
	fl_scheduler *scheduler;
	struct timer tick;
};

static struct attempt *find_attempt(struct framework *f, const char *id)
{
	for (int i = f->n_attempts; i > 0; i--)
		if (!strcmp(f->attempts[i - 1].id, id))
			return &f->attempts[i - 1];
	return NULL;
}

static void on_subscribed(fl_scheduler *s, void *user, const struct fl_event_subscribed *e)
{
	struct run *r = user;

	if (r->f->id[0] && strcmp(r->f->id, e->framework_id) != 0)
		world_fail("I2: framework %s became %s", r->f->id, e->framework_id);
	if (!r->f->id[0])
		snprintf(r->f->id, sizeof(r->f->id), "%s", e->framework_id);
	world_trace("framework.subscribed id=%s", r->f->id);
}

static struct attempt *new_attempt(struct framework *f, struct job *job, const char *slave)
{
	struct attempt *a = &f->attempts[f->n_attempts++];

	if (f->n_attempts == MAX_ATTEMPTS)
		world_fail("I9: framework %s tries without end", f->name);
	*a = (struct attempt){.job = job, .launched_us = world.now_us, .state = FL_TASK_STAGING};
	job->attempts++;
	_cleanup_free_ char *id = xasprintf("%s-%d.%d", f->name, (int)(job - f->jobs), job->attempts);
	snprintf(a->id, sizeof(a->id), "%s", id);
	snprintf(a->slave, sizeof(a->slave), "%s", slave);
	job->current = a;
	return a;
}

struct launch {
	struct fl_task_info infos[MAX_JOBS];
	struct fl_resource resources[MAX_JOBS][2];
	struct fl_scalar scalars[MAX_JOBS][2];
	struct fl_command_info commands[MAX_JOBS];
	char texts[MAX_JOBS][48];
	size_t n;
};

static void add_task(struct launch *l, const struct attempt *a)
{
	const struct job *j = a->job;
	size_t i = l->n++;

	l->scalars[i][0].value = j->cpus_milli;
	l->scalars[i][1].value = j->mem_milli;
	l->resources[i][0] = (struct fl_resource){.name = "cpus", .type = FL_SCALAR, .scalar = &l->scalars[i][0]};
	l->resources[i][1] = (struct fl_resource){.name = "mem", .type = FL_SCALAR, .scalar = &l->scalars[i][1]};
	snprintf(l->texts[i], sizeof(l->texts[i]), "sim %lld %d", (long long)j->run_ms, j->exit_code);
	l->commands[i] = (struct fl_command_info){.value = l->texts[i]};
	l->infos[i] = (struct fl_task_info){.name = "job",
	                                    .task_id = a->id,
	                                    .slave_id = a->slave,
	                                    .resources = l->resources[i],
	                                    .n_resources = 2,
	                                    .command = &l->commands[i]};
}

static bool has_work(const struct framework *f)
{
	for (int i = 0; i < f->n_jobs; i++)
		if (!f->jobs[i].done && !f->jobs[i].current)
			return true;
	return false;
}

static void use_offer(struct run *r, const struct fl_offer *offer)
{
	int64_t cpus_milli = fl_offer_scalar(offer, "cpus"), mem_milli = fl_offer_scalar(offer, "mem");
	struct launch *l = xcalloc(1, sizeof(*l));
	int most = (int)world_between(1, 6);

	world_trace("framework.offer offer=%s slave=%s cpus=%lld mem=%lld", offer->id, offer->slave_id,
	            (long long)cpus_milli, (long long)mem_milli);

	if (!world.calm && has_work(r->f) && world_chance(30)) { /* sits on it until it expires */
		free(l);
		return;
	}
	for (int i = 0; i < r->f->n_jobs && (int)l->n < most; i++) {
		struct job *j = &r->f->jobs[i];
		if (j->done || j->current || j->cpus_milli > cpus_milli || j->mem_milli > mem_milli)
			continue;
		cpus_milli -= j->cpus_milli;
		mem_milli -= j->mem_milli;
		/* Written down before it is launched: a crash in between costs an attempt, not the rule that an id is used once. */
		add_task(l, new_attempt(r->f, j, offer->slave_id));
	}
	int64_t refuse_ns = has_work(r->f) && world_chance(500) ? 0 : world_between(100, 5000) * 1000000;
	if (l->n) {
		world_trace("framework.launch offer=%s n=%zu first=%s", offer->id, l->n, l->infos[0].task_id);
		fl_launch(r->scheduler, offer, l->infos, l->n, refuse_ns);
	} else {
		fl_decline(r->scheduler, offer->id, refuse_ns);
	}
	free(l);
}

static void on_offers(fl_scheduler *s, void *user, const struct fl_offer *offers, size_t n)
{
	for (size_t i = 0; i < n; i++)
		use_offer(user, &offers[i]);
}

static void retry(struct attempt *a)
{
	if (a->job->current == a)
		a->job->current = NULL;
}

static void on_terminal(struct attempt *a, const struct fl_task_status *status)
{
	struct job *j = a->job;

	if (a->terminal == status->state)
		return; /* again, as it may */
	if (a->terminal && status->state == FL_TASK_GONE && !status->uuid.size)
		return; /* asked before its end, answered after: of what is over and acknowledged no record is owed */
	if (a->terminal)
		world_fail("I2: task %s is %s after it was %s", a->id, fl_task_state_name(status->state),
		           fl_task_state_name(a->terminal));
	a->terminal = status->state;
	if (status->state == FL_TASK_FINISHED && j->exit_code != 0)
		world_fail("I2: task %s is FINISHED, its exit code is %d", a->id, j->exit_code);
	if ((status->state == FL_TASK_FINISHED || status->state == FL_TASK_FAILED || status->state == FL_TASK_KILLED) &&
	    status->uuid.size && status->state == FL_TASK_FINISHED && !check_started(a->id))
		world_fail("I2: task %s is %s and never ran", a->id, fl_task_state_name(status->state));
	if (status->state == FL_TASK_DROPPED && check_started(a->id))
		world_fail("I2: task %s is DROPPED, but it ran", a->id);
	bool ended_itself = status->state == FL_TASK_FINISHED ||
	                    (status->state == FL_TASK_FAILED && j->exit_code && status->has_exit_status &&
	                     status->exit_status == j->exit_code);
	if (ended_itself || (status->state == FL_TASK_KILLED && j->to_be_killed)) {
		j->done = true;
		j->current = NULL;
	} else {
		retry(a);
	}
}

/* The network may repeat an update at any time later. */
static bool is_repeated(struct attempt *a, const struct fl_task_status *status)
{
	if (status->uuid.size != 16)
		return false;
	for (int i = 0; i < a->n_uuids; i++)
		if (!memcmp(a->uuids[i], status->uuid.data, 16))
			return true;
	if (a->n_uuids == (int)ARRAY_SIZE(a->uuids))
		world_fail("I2: task %s has more than %d updates", a->id, a->n_uuids);
	memcpy(a->uuids[a->n_uuids++], status->uuid.data, 16);
	return false;
}

static void on_update(fl_scheduler *s, void *user, const struct fl_task_status *status)
{
	struct run *r = user;
	struct attempt *a = find_attempt(r->f, status->task_id);

	world_trace("framework.update task=%s state=%s reason=%s uuid=%d message=\"%s\"", status->task_id,
	            fl_task_state_name(status->state), fl_reason_name(status->reason), status->uuid.size > 0,
	            status->message ? status->message : "");
	if (!a)
		world_fail("I2: an update for task %s, which was never launched", status->task_id);
	if (is_repeated(a, status) || (a->terminal && !status->uuid.size && world.now_us < world.last_stray_us + SIM_S))
		return;
	if (a->terminal && !fl_task_state_terminal(status->state) && status->state != FL_TASK_UNKNOWN)
		world_fail("I2: task %s is %s after it was %s", a->id, fl_task_state_name(status->state),
		           fl_task_state_name(a->terminal));
	if (status->state == FL_TASK_UNKNOWN) {
		if (!status->slave_id) /* asked without: it may be where the master cannot look now */
			return;
		if (a->acknowledged && !a->terminal)
			world_fail("I2: task %s was acknowledged as %s and is unknown now", a->id,
			           fl_task_state_name(a->state));
		if (world.now_us - a->launched_us > PATIENCE_US && !a->terminal) {
			a->given_up = true;
			retry(a);
		}
		return;
	}
	a->state = status->state;
	if (status->uuid.size)
		a->acknowledged = true;
	if (fl_task_state_terminal(status->state))
		on_terminal(a, status);
}

static void boot_again(void *user)
{
	sim_boot(user);
}

static void on_error(fl_scheduler *s, void *user, const char *message)
{
	struct run *r = user;

	/* A SUBSCRIBE of an earlier life may arrive behind that of this one: whoever supervises us starts us again. */
	if (!strstr(message, "over another connection"))
		world_fail("the framework's subscription ended: %s", message);
	world_after(NULL, SIM_S, boot_again, r->loop->host);
	loop_stop(r->loop);
}

static void ask(struct run *r)
{
	struct fl_reconcile_task *tasks = xcalloc(MAX_JOBS, sizeof(*tasks));
	size_t n = 0;

	for (int i = 0; i < r->f->n_jobs; i++) {
		struct attempt *a = r->f->jobs[i].current;
		if (!a || a->terminal || world.now_us - a->launched_us < 5 * SIM_S)
			continue;
		tasks[n++] = (struct fl_reconcile_task){.task_id = a->id,
		                                        .slave_id = world_chance(500) ? a->slave : NULL};
	}
	if (n)
		fl_reconcile(r->scheduler, tasks, n);
	free(tasks);
}

static void on_tick(void *user)
{
	struct run *r = user;

	if (fl_subscribed(r->scheduler)) {
		ask(r);
		for (int i = 0; i < r->f->n_jobs; i++) {
			struct job *j = &r->f->jobs[i];
			if (j->to_be_killed && j->current && j->current->state == FL_TASK_RUNNING)
				fl_kill(r->scheduler, j->current->id, NULL, world_between(0, 5000) * 1000000);
		}
		if (world_chance(100))
			fl_revive(r->scheduler, NULL, 0);
	}
	timer_set(&r->tick, world_between(1000, 6000));
}

static void start(struct host *h)
{
	static const struct fl_scheduler_callbacks callbacks = {
		.struct_size = sizeof(callbacks),
		.subscribed = on_subscribed,
		.offers = on_offers,
		.update = on_update,
		.error = on_error,
	};
	struct framework *f = h->user;
	struct fl_framework_capability capabilities[] = {{.type = FL_CAPABILITY_PARTITION_AWARE}};
	struct fl_framework_info info = {
		.user = "",
		.name = f->name,
		.role = f->role,
		.id = f->id[0] ? f->id : NULL,
		.has_failover_timeout_ns = true,
		.failover_timeout_ns = 3600 * 1000000000ll,
		.capabilities = capabilities,
		.n_capabilities = 1,
	};
	struct fl_scheduler_options options = {
		.struct_size = sizeof(options),
		.master = "zk://zk:2181/fairlead",
		.framework = &info,
	};
	struct run *r = xcalloc(1, sizeof(*r));
	struct err err = {0};

	r->f = f;
	r->loop = h->process;
	r->scheduler = scheduler_create_on(h->process, &options, &callbacks, r, &err);
	if (!r->scheduler)
		world_fail("fl_scheduler_create: %s", err.text);
	timer_init(&r->tick, h->process, on_tick, r);
	timer_set(&r->tick, 1000);
}

struct host *framework_create(const char *name, const char *role, int n_jobs)
{
	struct framework *f = xcalloc(1, sizeof(*f));

	snprintf(f->name, sizeof(f->name), "%s", name);
	snprintf(f->role, sizeof(f->role), "%s", role);
	f->n_jobs = n_jobs < MAX_JOBS ? n_jobs : MAX_JOBS;
	for (int i = 0; i < f->n_jobs; i++) {
		f->jobs[i] = (struct job){
			.cpus_milli = world_between(1, 20) * 100,
			.mem_milli = world_between(32, 1024) * 1000,
			.run_ms = world_chance(700) ? world_between(1, 3000) : world_between(1000, 30000),
			.exit_code = world_chance(200) ? (int)world_between(1, 255) : 0,
			.to_be_killed = world_chance(100),
		};
	}
	struct host *h = sim_host_create(name, start, f);
	sim_boot(h);
	return h;
}

bool framework_done(const struct host *h)
{
	const struct framework *f = h->user;

	for (int i = 0; i < f->n_jobs; i++)
		if (!f->jobs[i].done)
			return false;
	/* Each attempt that ever was has come to its end as well, or was never known. */
	for (int i = 0; i < f->n_attempts; i++)
		if (!f->attempts[i].terminal && !f->attempts[i].given_up)
			return false;
	return true;
}

void framework_explain(const struct host *h)
{
	const struct framework *f = h->user;

	for (int i = 0; i < f->n_jobs; i++)
		if (!f->jobs[i].done)
			world_trace("%s: job %d is not done, attempts=%d current=%s", f->name, i, f->jobs[i].attempts,
			            f->jobs[i].current ? f->jobs[i].current->id : "-");
	for (int i = 0; i < f->n_attempts; i++)
		if (!f->attempts[i].terminal && !f->attempts[i].given_up)
			world_trace("%s: task %s has no end, state=%s slave=%s ran=%d", f->name, f->attempts[i].id,
			            fl_task_state_name(f->attempts[i].state), f->attempts[i].slave,
			            check_started(f->attempts[i].id));
}
