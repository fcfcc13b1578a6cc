/* run: a framework of one task. Streams the task's output, exits as the task does.
 *
 * The task is WANTED until launched, LAUNCHED until its end is known. When the leader dies between the accept and the first
 * word of the slave, the new one does not know the task: then, and only then, it is launched again under a new id. */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <fairlead/fairlead.h>

#include "base/mem.h"
#include "base/str.h"
#include "cli/client.h"
#include "cli/output.h"
#include "cli/tail.h"
#include "cli/verb.h"

#define STEP_MS 50
#define ASK_EVERY_MS 1000
#define TALK_AFTER_MS 3000
#define KILL_PATIENCE_MS 15000
#define EXIT_INTERRUPTED 130
#define SLAVE_PATIENCE_MS 2000 /* while a slave is asked for output, the master hears nothing */

struct run {
	struct args *args;
	struct client *client;
	int64_t cpus_milli, mem_milli, disk_milli;
	const char *name;
	struct fl_variable variables[MAX_OPT_VALUES];
	size_t n_variables;
	char task_id[300], slave_id[256];
	char slave_ip[128];
	int slave_port;
	int attempt;
	bool launched, confirmed, seen, tailing, talked, warned;
	bool ended;
	int exit_code;
	struct tail out, err;
	int64_t started_ms, asked_ms, killed_ms;
};

static volatile sig_atomic_t interrupts;

static void on_signal(int signo)
{
	(void)signo;
	interrupts++;
}

static int64_t now_ms(void)
{
	struct timespec t;
	clock_gettime(CLOCK_BOOTTIME, &t);
	return t.tv_sec * 1000 + t.tv_nsec / 1000000;
}

static void end(struct run *r, int exit_code)
{
	r->ended = true;
	r->exit_code = exit_code;
}

/* ---------------------------------------------------------------------------------------------- launching */

static bool fits(const struct run *r, const struct fl_offer *offer)
{
	return fl_offer_scalar(offer, "cpus") >= r->cpus_milli && fl_offer_scalar(offer, "mem") >= r->mem_milli &&
	       fl_offer_scalar(offer, "disk") >= r->disk_milli;
}

static void launch(struct run *r, fl_scheduler *s, const struct fl_offer *offer)
{
	struct fl_environment environment = {.variables = r->variables, .n_variables = r->n_variables};
	struct fl_command_info command = {
		.environment = r->n_variables ? &environment : NULL,
		.has_shell = true,
		.shell = false,
		.value = r->args->operands[0],
		.arguments = (const char **)r->args->operands,
		.n_arguments = (size_t)r->args->n_operands,
	};
	struct fl_resource resources[] = {
		FL_RESOURCE("cpus", r->cpus_milli),
		FL_RESOURCE("mem", r->mem_milli),
		FL_RESOURCE("disk", r->disk_milli),
	};
	struct fl_task_info task = {
		.name = r->name,
		.task_id = r->task_id,
		.command = &command,
		.resources = resources,
		.n_resources = r->disk_milli ? 3 : 2,
	};

	const char *number = strrchr(fl_framework_id(s), '-');
	snprintf(r->task_id, sizeof(r->task_id), "%.200s%s.%d", r->name, number ? number : "", r->attempt + 1);
	if (fl_launch(s, offer, &task, 1, -1) < 0) {
		end(r, complain(EXIT_FAIRLEAD_FAILED, "%s", fl_scheduler_error(s)));
		return;
	}
	r->launched = r->confirmed = true;
	snprintf(r->slave_id, sizeof(r->slave_id), "%s", offer->slave_id);
	if (offer->url && offer->url->address) {
		const struct fl_address *a = offer->url->address;
		snprintf(r->slave_ip, sizeof(r->slave_ip), "%s", a->ip ? a->ip : a->hostname ? a->hostname : "");
		r->slave_port = (int)a->port;
	}
	fl_suppress(s, NULL, 0);
}

static void on_offers(fl_scheduler *s, void *user, const struct fl_offer *offers, size_t n)
{
	struct run *r = user;
	for (size_t i = 0; i < n; i++) {
		if (!r->launched && !r->ended && !interrupts && fits(r, &offers[i]))
			launch(r, s, &offers[i]);
		else
			fl_decline(s, offers[i].id, r->launched ? -1 : 1000000000);
	}
}

static void on_subscribed(fl_scheduler *s, void *user, const struct fl_event_subscribed *e)
{
	struct run *r = user;
	(void)s;
	(void)e;
	r->confirmed = false;
	r->asked_ms = 0;
}

/* ---------------------------------------------------------------------------------------------- following */

static int exit_code_of(const struct run *r, const struct fl_task_status *status)
{
	const char *message = status->message ? status->message : "";

	if (status->state == FL_TASK_FINISHED)
		return EXIT_OK;
	if (status->state == FL_TASK_KILLED && interrupts)
		return EXIT_INTERRUPTED;
	if (status->has_exit_status && (status->state == FL_TASK_FAILED || status->state == FL_TASK_KILLED)) {
		if (status->reason == FL_REASON_CONTAINER_LIMITATION_MEMORY || status->state == FL_TASK_KILLED)
			complain(0, "%s: %s", r->task_id, message);
		return (int)status->exit_status;
	}
	return complain(EXIT_FAIRLEAD_FAILED, "%s is %s: %s", r->task_id, fl_task_state_name(status->state), message);
}

static void start_tailing(struct run *r, const struct fl_task_status *status)
{
	const struct fl_container_status *cs = status->container_status;
	if (r->tailing || !cs || !cs->sandbox || !r->slave_ip[0])
		return;
	tail_init(&r->out, r->slave_ip, r->slave_port, cs->sandbox, "stdout");
	tail_init(&r->err, r->slave_ip, r->slave_port, cs->sandbox, "stderr");
	r->tailing = true;
}

static void launch_again(struct run *r, fl_scheduler *s)
{
	r->launched = false;
	r->attempt++;
	fl_revive(s, NULL, 0);
}

static void on_update(fl_scheduler *s, void *user, const struct fl_task_status *status)
{
	struct run *r = user;
	bool never_started = status->state == FL_TASK_UNKNOWN || status->state == FL_TASK_DROPPED ||
	                     status->state == FL_TASK_GONE;

	if (!r->launched || strcmp(status->task_id, r->task_id) != 0)
		return;
	r->confirmed = true;
	start_tailing(r, status);
	if (never_started && !r->seen && !interrupts)
		launch_again(r, s);
	else if (fl_task_state_terminal(status->state) || status->state == FL_TASK_UNKNOWN)
		end(r, exit_code_of(r, status));
	else if (status->state != FL_TASK_STAGING)
		r->seen = true;
}

static void on_error(fl_scheduler *s, void *user, const char *message)
{
	struct run *r = user;
	(void)s;
	end(r, complain(EXIT_FAIRLEAD_FAILED, "%s", message));
}

/* Whether there was any. */
static bool copy_output(struct run *r)
{
	int ignored;
	if (!r->tailing)
		return false;
	int64_t out = tail_poll(&r->out, r->client, stdout, true, &ignored);
	int64_t err = tail_poll(&r->err, r->client, stderr, true, &ignored);
	return out > 0 || err > 0;
}

/* ---------------------------------------------------------------------------------------------- what time brings */

/* Nobody reads what the task writes any more (head): as good as an interrupt. */
static void mind_the_reader(void)
{
	if (!interrupts && output_reader_gone())
		interrupts = 1;
}

static void obey_interrupts(struct run *r, fl_scheduler *s)
{
	if (!interrupts)
		return;
	if (!fl_subscribed(s) && r->launched && !r->warned) {
		r->warned = true;
		fprintf(stderr, "fairlead: waiting for a leading master to end %s; interrupt again to leave it alone\n",
		        r->task_id);
	}
	if (!r->launched || interrupts > (fl_subscribed(s) ? 2 : 1))
		end(r, EXIT_INTERRUPTED);
	else if (!r->killed_ms && fl_kill(s, r->task_id, r->slave_id, interrupts > 1 ? 0 : -1) == 0)
		r->killed_ms = now_ms();
	else if (r->killed_ms && now_ms() - r->killed_ms > KILL_PATIENCE_MS)
		end(r, complain(EXIT_FAIRLEAD_FAILED, "%s was told to end, but its slave does not confirm it",
		                r->task_id));
}

static void ask_when_unsure(struct run *r, fl_scheduler *s)
{
	struct fl_reconcile_task task = {.task_id = r->task_id, .slave_id = r->slave_id};
	if (!r->launched || r->confirmed || now_ms() - r->asked_ms < ASK_EVERY_MS)
		return;
	if (fl_reconcile(s, &task, 1) == 0)
		r->asked_ms = now_ms();
}

static void mind_the_wait(struct run *r, fl_scheduler *s, int64_t place_within_ms)
{
	int64_t waited = now_ms() - r->started_ms;

	if (r->launched)
		return;
	if (place_within_ms > 0 && waited > place_within_ms) {
		end(r, complain(EXIT_NOT_PLACED,
		                "no slave offered enough in time; 'fairlead slave list' shows what there is"));
	} else if (!r->talked && waited > TALK_AFTER_MS) {
		r->talked = true;
		fprintf(stderr, fl_subscribed(s)
		                        ? "fairlead: waiting for an offer that is large enough; 'fairlead slave list' "
		                          "shows what there is\n"
		                        : "fairlead: waiting for a leading master\n");
	} else if (!fl_framework_id(s) && place_within_ms == 0 && waited > r->args->timeout_ms) {
		end(r, complain(EXIT_FAIRLEAD_FAILED, "no leading master is reachable at %s", r->args->master));
	}
}

static int follow(struct run *r, fl_scheduler *s, int64_t place_within_ms)
{
	int more = 1;

	r->started_ms = now_ms();
	while (more == 1 && !r->ended) {
		more = fl_step(s, STEP_MS);
		copy_output(r);
		if (more != 1)
			break;
		mind_the_reader();
		obey_interrupts(r, s);
		ask_when_unsure(r, s);
		mind_the_wait(r, s, place_within_ms);
	}
	while (copy_output(r) && !interrupts) /* who interrupts does not wait for the rest */
		;
	if (more == 1 && fl_teardown(s) == 0)
		fl_run(s);
	if (!r->ended)
		return complain(EXIT_FAIRLEAD_FAILED, "%s", fl_scheduler_error(s));
	return r->exit_code;
}

/* ---------------------------------------------------------------------------------------------- options */

static int parse_quantity(const struct args *args, const char *option, const char *deflt, int64_t *ret)
{
	struct err err;
	const char *text = args_get(args, option);
	if (str_to_milli(text ? text : deflt, ret, &err) < 0)
		return complain(EXIT_USAGE, "--%s: %s", option, err.text);
	return *ret < 0 ? complain(EXIT_USAGE, "--%s must not be negative", option) : 0;
}

static int parse_env(struct run *r)
{
	const struct opt_value *env = args_all(r->args, "env");
	for (size_t i = 0; i < env->n; i++) {
		const char *equals = strchr(env->values[i], '=');
		if (!equals || equals == env->values[i])
			return complain(EXIT_USAGE, "--env is NAME=VALUE, not '%s'", env->values[i]);
		r->variables[r->n_variables++] = (struct fl_variable){
			.name = xstrndup(env->values[i], (size_t)(equals - env->values[i])),
			.value = equals + 1,
		};
	}
	return 0;
}

static int parse(struct run *r, int64_t *ret_place_within_ms)
{
	const char *within = args_get(r->args, "place-within");
	const char *base = strrchr(r->args->operands[0], '/');
	struct err err;
	int e;

	r->name = args_get(r->args, "name");
	if (!r->name)
		r->name = base && base[1] ? base + 1 : r->args->operands[0];
	if (within && str_to_duration_ms(within, ret_place_within_ms, &err) < 0)
		return complain(EXIT_USAGE, "--place-within: %s", err.text);
	if (!str_valid_id(r->name))
		return complain(EXIT_USAGE, "'%s' cannot be part of a task id; give a plain --name", r->name);
	if ((e = parse_quantity(r->args, "cpus", "0.1", &r->cpus_milli)) ||
	    (e = parse_quantity(r->args, "mem", "32", &r->mem_milli)) ||
	    (e = parse_quantity(r->args, "disk", "0", &r->disk_milli)))
		return e;
	return parse_env(r);
}

static int run_framework(struct run *r, int64_t place_within_ms)
{
	struct fl_framework_capability capabilities[] = {{.type = FL_CAPABILITY_PARTITION_AWARE}};
	struct fl_framework_info framework = {
		.user = args_get(r->args, "user") ? args_get(r->args, "user") : "",
		.name = r->name,
		.role = args_get(r->args, "role"),
		.has_failover_timeout_ns = true,
		.failover_timeout_ns = 60000000000,
		.capabilities = capabilities,
		.n_capabilities = 1,
	};
	struct fl_scheduler_options options = {
		.struct_size = sizeof(options),
		.master = r->args->master,
		.framework = &framework,
	};
	struct fl_scheduler_callbacks callbacks = {
		.struct_size = sizeof(callbacks),
		.subscribed = on_subscribed,
		.offers = on_offers,
		.update = on_update,
		.error = on_error,
	};
	char error[256];
	fl_scheduler *s = fl_scheduler_create(&options, &callbacks, r, error, sizeof(error));
	if (!s)
		return complain(EXIT_FAIRLEAD_FAILED, "%s", error);
	int exit_code = follow(r, s, place_within_ms);
	fl_scheduler_destroy(s);
	return exit_code;
}

int cmd_run(struct args *args)
{
	struct run *r = xcalloc(1, sizeof(*r));
	struct args of_client = *args;
	struct sigaction action = {.sa_handler = on_signal};
	int64_t place_within_ms = 0;
	int exit_code;

	r->args = args;
	exit_code = parse(r, &place_within_ms);
	if (of_client.timeout_ms > SLAVE_PATIENCE_MS)
		of_client.timeout_ms = SLAVE_PATIENCE_MS;
	if (exit_code == 0 && (r->client = client_create(&of_client, &exit_code))) {
		sigaction(SIGINT, &action, NULL);
		sigaction(SIGTERM, &action, NULL);
		exit_code = run_framework(r, place_within_ms);
	}
	client_destroy(r->client);
	for (size_t i = 0; i < r->n_variables; i++)
		free((char *)r->variables[i].name);
	free(r);
	return exit_code;
}
