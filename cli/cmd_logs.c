/* logs: what a task wrote, from its sandbox. */
#include <stdio.h>
#include <time.h>

#include "base/str.h"
#include "cli/client.h"
#include "cli/find.h"
#include "cli/output.h"
#include "cli/tail.h"
#include "cli/verb.h"

#define POLL_MS 200

struct place {
	char slave_id[256], sandbox[512], task[600];
	bool ended;
};

static bool ended(enum fl_task_state state)
{
	return state == FL_TASK_FINISHED || state == FL_TASK_FAILED || state == FL_TASK_KILLED ||
	       state == FL_TASK_ERROR || state == FL_TASK_LOST || state == FL_TASK_DROPPED || state == FL_TASK_GONE;
}

static int find_place(struct client *c, const char *prefix, struct place *ret)
{
	int exit_code = EXIT_OK;
	const struct fl_task *task = find_task(c, prefix, &exit_code);

	if (!task)
		return exit_code;
	snprintf(ret->slave_id, sizeof(ret->slave_id), "%s", task->slave_id);
	snprintf(ret->task, sizeof(ret->task), "%s/%s", task->framework_id, task->task_id);
	ret->ended = ended(task->state);
	for (size_t i = task->n_statuses; i > 0; i--) {
		const struct fl_container_status *cs = task->statuses[i - 1].container_status;
		if (cs && cs->sandbox) {
			snprintf(ret->sandbox, sizeof(ret->sandbox), "%s", cs->sandbox);
			return EXIT_OK;
		}
	}
	return complain(EXIT_CONFLICT, "task '%s' has no sandbox yet: it has not been started", task->task_id);
}

static void wait_a_little(void)
{
	struct timespec t = {.tv_nsec = POLL_MS * 1000000L};
	nanosleep(&t, NULL);
}

/* All that is there; -1 when it cannot be read. */
static int64_t copy(struct client *c, struct tail *tail, int *ret_exit)
{
	int64_t n;
	do
		n = tail_poll(tail, c, stdout, false, ret_exit);
	while (n > 0 && !output_reader_gone());
	return n;
}

static int follow(struct client *c, struct tail *tail, struct place *place)
{
	int exit_code = EXIT_OK;
	unsigned rounds = 0;

	while (!place->ended && !output_reader_gone()) {
		wait_a_little();
		if (tail_poll(tail, c, stdout, false, &exit_code) < 0)
			return exit_code;
		if (++rounds % 5 == 0 && (exit_code = find_place(c, place->task, place)))
			return exit_code;
	}
	return copy(c, tail, &exit_code) < 0 ? exit_code : EXIT_OK;
}

int cmd_logs(struct args *args)
{
	int exit_code = EXIT_OK;
	const char *file = args->n_operands > 1 ? args->operands[1] : "stdout";
	const char *last = args_get(args, "tail");
	int64_t tail_bytes = 0;
	struct err err;
	struct place place = {0};
	struct tail tail;
	struct client *c;

	if (last && str_to_bytes(last, &tail_bytes, &err) < 0)
		return complain(EXIT_USAGE, "--tail: %s", err.text);
	if (!(c = client_create(args, &exit_code)))
		return exit_code;
	exit_code = find_place(c, args->operands[0], &place);
	const struct fl_api_slave *slave = exit_code ? NULL : find_slave(c, place.slave_id, &exit_code);
	if (slave) {
		tail_init(&tail, slave->slave_info->ip ? slave->slave_info->ip : slave->slave_info->hostname,
		          (int)slave->slave_info->port, place.sandbox, file);
		if (!last || tail_seek_end(&tail, c, (uint64_t)tail_bytes, &exit_code) == 0) {
			if (copy(c, &tail, &exit_code) >= 0 && args_has(args, "follow"))
				exit_code = follow(c, &tail, &place);
		}
	}
	client_destroy(c);
	return exit_code;
}
