/* Updates and their acknowledgements, reconciliation row by row, kills. */
#include "fixture.h"
#include "master/core.h"
#include "master/slave.h"
#include "master/task.h"

static const struct fl_status_ack *await_ack(struct fake_slave *s)
{
	return fake_await(s->link, MSG_status_ack, NULL, NULL);
}

static bool in_table(struct cluster *c, struct fake_framework *f, const char *task_id)
{
	return task_find(c->master, f->id, task_id) != NULL;
}

/* ---- updates ---- */

static void test_terminal_is_kept_until_acked(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c);
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "n");

	launch_running(c, &f, &s, "t", "cpus:1;mem:100");
	slave_update(&s, f.id, "t", FL_TASK_FINISHED, FL_TASK_FINISHED, 2);
	framework_await_update(&f, "t");
	framework_ack(&f, s.id, "t", 9); /* another uuid: passed on, changes nothing here */
	await_ack(&s);
	fence(&f);
	assert_true(in_table(c, &f, "t"));
	framework_ack(&f, s.id, "t", 2);
	assert_int_equal(await_ack(&s)->uuid.data[0], 2);
	AWAIT(c, !in_table(c, &f, "t"));
}

static void test_repeated_update(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c);
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "n");

	launch(c, &f, &s, "t", "cpus:1;mem:100");
	for (int i = 0; i < 3; i++) {
		slave_update(&s, f.id, "t", FL_TASK_RUNNING, FL_TASK_RUNNING, 1);
		assert_int_equal(framework_await_update(&f, "t")->state, FL_TASK_RUNNING);
	}
	assert_int_equal(task_find(c->master, f.id, "t")->n_history, 1);
}

static void test_history_has_an_end(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c);
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "n");
	const struct task *t;

	launch(c, &f, &s, "t", "cpus:1;mem:100");
	for (uint8_t i = 1; i <= 40; i++) {
		slave_update(&s, f.id, "t", FL_TASK_RUNNING, FL_TASK_RUNNING, i);
		framework_await_update(&f, "t");
	}
	t = task_find(c->master, f.id, "t");
	assert_int_equal(t->n_history, TASK_HISTORY);
	assert_int_equal(task_status(t)->uuid.data[0], 40);
}

/* A terminal task does not change any more; what comes is still passed on. */
static void test_after_the_end(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c);
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "n");

	launch(c, &f, &s, "t", "cpus:1;mem:100");
	slave_update(&s, f.id, "t", FL_TASK_RUNNING, FL_TASK_FAILED, 1);
	framework_await_update(&f, "t");
	slave_update(&s, f.id, "t", FL_TASK_RUNNING, FL_TASK_RUNNING, 2);
	assert_int_equal(framework_await_update(&f, "t")->uuid.data[0], 2);
	assert_int_equal(task_find(c->master, f.id, "t")->latest_state, FL_TASK_FAILED);
}

static void test_unknown_task_is_passed_on(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c);
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "n");

	slave_update(&s, f.id, "stray", FL_TASK_FINISHED, FL_TASK_FINISHED, 4);
	assert_int_equal(framework_await_update(&f, "stray")->state, FL_TASK_FINISHED);
	assert_false(in_table(c, &f, "stray"));
	framework_ack(&f, s.id, "stray", 4);
	assert_string_equal(await_ack(&s)->task_id, "stray");
}

static void test_unknown_framework(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c);
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "n");

	slave_update(&s, "nobody", "t", FL_TASK_RUNNING, FL_TASK_RUNNING, 4);
	slave_update(&s, f.id, "after", FL_TASK_RUNNING, FL_TASK_RUNNING, 5);
	framework_await_update(&f, "after");
	assert_null(fake_look(s.link, MSG_status_ack, NULL, NULL));
}

static void test_ack_of_a_gone_slave(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c);
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "n");
	struct fl_call_acknowledge odd = {.slave_id = s.id, .task_id = "t", .uuid = {(const uint8_t *)"short", 5}};
	struct fl_task task;

	launch(c, &f, &s, "t", "cpus:1;mem:100");
	slave_update(&s, f.id, "t", FL_TASK_FINISHED, FL_TASK_FINISHED, 2);
	framework_await_update(&f, "t");
	framework_call(&f, &(struct fl_call){.type = FL_CALL_ACKNOWLEDGE, .acknowledge = &odd});
	fake_hang_up(s.link);
	framework_await(&f, FL_EVENT_RESCIND);
	framework_ack(&f, s.id, "t", 2); /* dropped; the slave says it again */
	fence(&f);
	assert_true(in_table(c, &f, "t"));
	task = report_of(c, f.id, "t", s.id, FL_TASK_FINISHED, "cpus:1;mem:100");
	slave_come_back(c, &s, &task, 1, NULL, 0);
	slave_update(&s, f.id, "t", FL_TASK_FINISHED, FL_TASK_FINISHED, 2);
	framework_await_update(&f, "t");
	framework_ack(&f, s.id, "t", 2);
	await_ack(&s);
	AWAIT(c, !in_table(c, &f, "t"));
}

static void test_killing_needs_the_capability(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = {.info = framework_info()};
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "n");

	f.info.n_capabilities = 1; /* PARTITION_AWARE only */
	framework_subscribe(c, &f);
	launch_running(c, &f, &s, "t", "cpus:1;mem:100");
	slave_update(&s, f.id, "t", FL_TASK_KILLING, FL_TASK_KILLING, 2);
	assert_int_equal(await_ack(&s)->uuid.data[0], 2); /* so that the stream goes on */
	slave_update(&s, f.id, "t", FL_TASK_KILLED, FL_TASK_KILLED, 3);
	assert_int_equal(framework_await_update(&f, "t")->state, FL_TASK_KILLED);
}

static void test_long_status_is_cut(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c);
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "n");
	size_t size = 1 << 20;
	uint8_t *data = xcalloc(1, size), uuid[16] = {1};
	struct fl_task_status status = {
		.task_id = "t", .state = FL_TASK_RUNNING, .data = {data, size}, .uuid = {uuid, sizeof(uuid)}};
	struct fl_status_update msg = {.framework_id = f.id, .status = &status, .latest_state = FL_TASK_RUNNING};

	peer_send(s.link->peer, MSG_status_update, &msg);
	assert_null(framework_await_update(&f, "t")->data.data);
	free(data);
}

/* Ended tasks are many: of each only so much is kept. */
static void test_kept_is_bounded(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c);
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "n");
	const char *offer = framework_await_offer(&f)->id;
	struct fl_task_info task = task_info(c, "t", s.id, "cpus:1;mem:100");
	char *text = xcalloc(1, 100001);
	struct fl_command_info command = {.value = text};
	uint8_t uuid[16] = {7};
	struct fl_task_status status = {
		.task_id = "t", .state = FL_TASK_FAILED, .message = text, .uuid = {uuid, sizeof(uuid)}};
	struct fl_status_update msg = {.framework_id = f.id, .status = &status, .latest_state = FL_TASK_FAILED};
	struct fl_call_acknowledge ack = {.slave_id = s.id, .task_id = "t", .uuid = {uuid, sizeof(uuid)}};
	struct task *t;

	memset(text, 'x', 100000);
	task.command = &command;
	framework_accept(&f, &offer, 1, &task, 1, 0);
	assert_string_equal(
		((const struct fl_run_task *)fake_await(s.link, MSG_run_task, NULL, NULL))->task->command->value, text);
	peer_send(s.link->peer, MSG_status_update, &msg);
	assert_string_equal(framework_await_update(&f, "t")->message, text); /* is told in full */
	t = task_find(c->master, f.id, "t");
	assert_true(codec_size(&rec_task_status, task_status(t)) <= MASTER_MAX_KEPT_STATUS);
	framework_call(&f, &(struct fl_call){.type = FL_CALL_ACKNOWLEDGE, .acknowledge = &ack});
	AWAIT(c, !in_table(c, &f, "t"));
	assert_true(codec_size(&rec_task, t->rec.rec) <= MASTER_MAX_KEPT_TASK);
	assert_string_equal(t->id, "t");
	free(text);
}

static void test_completed_ring(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f;
	struct fake_slave s;
	char id[8];

	set_option(c, "max_completed_tasks", "2");
	start_master(c);
	f = new_framework(c);
	s = new_slave(c, "cpus:4;mem:1024", "n");
	for (int i = 0; i < 4; i++) {
		snprintf(id, sizeof(id), "t%d", i);
		launch(c, &f, &s, id, "cpus:4;mem:1024");
		slave_update(&s, f.id, id, FL_TASK_FINISHED, FL_TASK_FINISHED, 1);
		framework_await_update(&f, id);
		framework_ack(&f, s.id, id, 1);
		await_ack(&s);
	}
}

/* ---- reconciliation ---- */

static void ask(struct fake_framework *f, const char *task_id, const char *slave_id)
{
	struct fl_reconcile_task task = {.task_id = task_id, .slave_id = slave_id};
	struct fl_call_reconcile reconcile = {.tasks = &task, .n_tasks = task_id ? 1 : 0};

	framework_call(f, &(struct fl_call){.type = FL_CALL_RECONCILE, .reconcile = &reconcile});
}

static void answered(struct fake_framework *f, const char *task_id, const char *slave_id, enum fl_task_state state)
{
	const struct fl_task_status *status;

	ask(f, task_id, slave_id);
	status = framework_await_update(f, task_id);
	assert_int_equal(status->state, state);
	assert_int_equal(status->source, FL_SOURCE_MASTER);
	assert_int_equal(status->reason, FL_REASON_RECONCILIATION);
	assert_null(status->uuid.data);
}

static void not_answered(struct fake_framework *f, const char *task_id, const char *slave_id)
{
	ask(f, task_id, slave_id);
	fence(f);
	assert_null(fake_look(f->link, MSG_event, is_update_of, task_id));
}

static void test_reconcile_known(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c);
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "n");

	launch(c, &f, &s, "t", "cpus:1;mem:100");
	answered(&f, "t", NULL, FL_TASK_STAGING);
	slave_update(&s, f.id, "t", FL_TASK_RUNNING, FL_TASK_FINISHED, 1);
	framework_await_update(&f, "t");
	answered(&f, "t", "ignored", FL_TASK_RUNNING); /* what it was last sent, not the newest (rule 84) */
}

static void test_reconcile_unknown(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c), old = {.info = framework_info()};
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "n");

	answered(&f, "x", s.id, FL_TASK_GONE);
	answered(&f, "x", NULL, FL_TASK_UNKNOWN);
	answered(&f, "x", "no-such-slave", FL_TASK_UNKNOWN);
	fake_hang_up(s.link);
	answered(&f, "x", s.id, FL_TASK_GONE); /* disconnected is registered */
	old.info.n_capabilities = 0;
	framework_subscribe(c, &old);
	answered(&old, "x", s.id, FL_TASK_LOST);
	answered(&old, "x", NULL, FL_TASK_LOST);
}

static void test_reconcile_unreachable(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f;
	struct fake_slave s;

	set_option(c, "slave_unreachable", "100ms");
	start_master(c);
	f = new_framework(c);
	s = new_slave(c, "cpus:4;mem:1024", "n");
	launch_running(c, &f, &s, "t", "cpus:1;mem:100");
	fake_hang_up(s.link);
	framework_await_update(&f, "t");
	answered(&f, "t", s.id, FL_TASK_UNREACHABLE);
	ask(&f, "x", s.id);
	assert_non_null(framework_await_update(&f, "x")->unreachable_time);
	ask(&f, NULL, NULL); /* all: not the unreachable ones */
	fence(&f);
	assert_null(fake_look(f.link, MSG_event, is_update_of, "t"));
}

static void test_reconcile_recovering(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c);
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "n");

	launch_running(c, &f, &s, "t", "cpus:1;mem:100");
	stop_master(c);
	start_master(c);
	framework_come_back(c, &f);
	not_answered(&f, "t", s.id);
	not_answered(&f, "t", NULL);
	answered(&f, "t", "no-such-slave", FL_TASK_UNKNOWN);
	slave_come_back(c, &s, NULL, 0, NULL, 0);
	answered(&f, "t", s.id, FL_TASK_GONE);
}

static void test_reconcile_gone(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c);
	struct fl_slave_info *info = slave_info(c, "cpus:1;mem:64");
	struct fake_slave s = {.info = info};

	info->id = "declared-gone";
	slave_create(c->master, info, NULL, SLAVE_GONE);
	answered(&f, "x", "declared-gone", FL_TASK_GONE_BY_OPERATOR);
	slave_connect(c, &s);
	slave_report(&s, NULL, 0, NULL, 0);
	AWAIT(c, s.link->closed);
	assert_int_equal(s.link->refusal, FL_REFUSAL_GONE);
}

static void test_reconcile_all(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c);
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "n");

	launch_running(c, &f, &s, "a", "cpus:1;mem:100");
	launch(c, &f, &s, "b", "cpus:1;mem:100");
	slave_update(&s, f.id, "b", FL_TASK_FAILED, FL_TASK_FAILED, 1);
	framework_await_update(&f, "b");
	ask(&f, NULL, NULL);
	assert_int_equal(framework_await_update(&f, "a")->state, FL_TASK_RUNNING);
	assert_int_equal(framework_await_update(&f, "b")->state, FL_TASK_FAILED); /* ended, not acknowledged */
}

/* ---- kills ---- */

static void ask_to_kill(struct fake_framework *f, const char *task_id, const char *slave_id,
                        struct fl_kill_policy *policy)
{
	struct fl_call_kill kill_it = {.task_id = task_id, .slave_id = slave_id, .kill_policy = policy};

	framework_call(f, &(struct fl_call){.type = FL_CALL_KILL, .kill = &kill_it});
}

static void test_kill(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c);
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "n");
	struct fl_duration_info grace = {.nanoseconds = 5};
	struct fl_kill_policy policy = {.grace_period = &grace};
	const struct fl_kill_task *order;

	launch_running(c, &f, &s, "t", "cpus:1;mem:100");
	ask_to_kill(&f, "t", "another-slave", NULL); /* ignored (rule 89) */
	ask_to_kill(&f, "t", s.id, &policy);
	order = fake_await(s.link, MSG_kill_task, NULL, NULL);
	assert_string_equal(order->task_id, "t");
	assert_string_equal(order->framework_id, f.id);
	assert_int_equal(order->kill_policy->grace_period->nanoseconds, 5);
	assert_int_equal(order->epoch->term, s.epoch->term);
	assert_null(fake_look(s.link, MSG_kill_task, NULL, NULL));
}

static void test_kill_unknown(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c);
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "n");

	launch_running(c, &f, &s, "t", "cpus:1;mem:100");
	ask_to_kill(&f, "x", s.id, NULL);
	assert_int_equal(framework_await_update(&f, "x")->state, FL_TASK_GONE);
	ask_to_kill(&f, "x", NULL, NULL);
	assert_int_equal(framework_await_update(&f, "x")->state, FL_TASK_UNKNOWN);
	slave_update(&s, f.id, "t", FL_TASK_FINISHED, FL_TASK_FINISHED, 2);
	framework_await_update(&f, "t");
	ask_to_kill(&f, "t", NULL, NULL); /* it has ended */
	assert_int_equal(framework_await_update(&f, "t")->reason, FL_REASON_RECONCILIATION);
}

/* The slave is away: it hears when it comes back. */
static void test_kill_is_remembered(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c);
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "n");
	struct fl_task task;

	launch_running(c, &f, &s, "t", "cpus:1;mem:100");
	task = report_of(c, f.id, "t", s.id, FL_TASK_RUNNING, "cpus:1;mem:100");
	fake_hang_up(s.link);
	ask_to_kill(&f, "t", NULL, NULL);
	fence(&f);
	slave_come_back(c, &s, &task, 1, NULL, 0);
	fake_await(s.link, MSG_kill_task, NULL, NULL);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, started_setup, cluster_teardown)
#define N(name) cmocka_unit_test_setup_teardown(name, cluster_setup, cluster_teardown)
		T(test_terminal_is_kept_until_acked),
		T(test_repeated_update),
		T(test_history_has_an_end),
		T(test_after_the_end),
		T(test_unknown_task_is_passed_on),
		T(test_unknown_framework),
		T(test_ack_of_a_gone_slave),
		T(test_killing_needs_the_capability),
		T(test_long_status_is_cut),
		T(test_kept_is_bounded),
		N(test_completed_ring),
		T(test_reconcile_known),
		T(test_reconcile_unknown),
		N(test_reconcile_unreachable),
		T(test_reconcile_recovering),
		T(test_reconcile_gone),
		T(test_reconcile_all),
		T(test_kill),
		T(test_kill_unknown),
		T(test_kill_is_remembered),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
