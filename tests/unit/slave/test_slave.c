/* The slave against a fake master in the same loop, with real containers: registration, orders, epochs, restarts. */
#include "tests/unit/slave/slave_fixture.h"

/* ---- registration ---- */

static void test_registers_once_and_reregisters(void **state)
{
	struct fixture *x = *state;
	struct fake_master *m = &x->master;

	fixture_register(x);
	assert_int_equal(m->n_register, 1);
	assert_int_equal(strlen(m->nonce), 36);

	fake_hang_up(m);
	fixture_register(x);
	assert_int_equal(m->n_register, 1);
	assert_int_equal(m->n_reregister, 1);
	const struct fl_slave_reregister *part = m->parts[0].rec;
	assert_string_equal(part->slave->id, "slave-1");
	assert_string_equal(part->epoch->incarnation, "registry-1");
	assert_int_equal(part->epoch->term, 7);
	assert_true(part->slave->port > 0);
	assert_true(part->last);
}

static void test_identity_survives_restart(void **state)
{
	struct fixture *x = *state;

	fixture_register(x);
	fixture_stop_slave(x);
	fixture_start_slave(x);
	fixture_register(x);
	assert_int_equal(x->master.n_register, 1);
	assert_int_equal(x->master.n_reregister, 1);
}

static void test_same_nonce_until_admitted(void **state)
{
	struct fixture *x = *state;
	char nonce[64];

	x->master.mute = true;
	fixture_register(x);
	snprintf(nonce, sizeof(nonce), "%s", x->master.nonce);
	fixture_stop_slave(x);
	fixture_start_slave(x);
	x->master.mute = false;
	fixture_register(x);
	assert_int_equal(x->master.n_register, 2);
	assert_string_equal(x->master.nonce, nonce);
}

static void test_work_dir_is_locked(void **state)
{
	struct fixture *x = *state;
	struct err err = {0};

	assert_null(slave_create(x->loop, &x->conf, &err));
	assert_non_null(strstr(err.text, "in use"));
}

static void test_other_id_is_not_taken(void **state)
{
	struct fixture *x = *state;

	fixture_register(x);
	x->master.slave_id = "slave-2";
	fake_hang_up(&x->master);
	PUMP_UNTIL(x->loop, x->master.n_reregister > 0 && x->master.n_closed > 0);
}

/* ---- tasks ---- */

static void test_task_finishes(void **state)
{
	struct fixture *x = *state;
	struct fake_master *m = &x->master;

	fixture_register(x);
	fake_run(m, (struct fake_task){"t", "echo hello; exit 0"});
	PUMP_UNTIL(x->loop, fixture_saw(x, "t", FL_TASK_FINISHED));
	EXPECT_HISTORY(m, "t", FL_TASK_STARTING, FL_TASK_RUNNING, FL_TASK_FINISHED);
	const struct fl_task_status *s = fake_status(m, "t", FL_TASK_FINISHED);
	assert_true(s->has_exit_status);
	assert_int_equal(s->exit_status, 0);
	assert_int_equal(s->source, FL_SOURCE_SLAVE);
	assert_string_equal(s->slave_id, "slave-1");
	assert_int_equal(s->uuid.size, 16);
	assert_non_null(s->container_status->sandbox);
	fixture_check(x);
}

static void test_task_fails_with_status(void **state)
{
	struct fixture *x = *state;

	fixture_register(x);
	fake_run(&x->master, (struct fake_task){"t", "exit 3"});
	PUMP_UNTIL(x->loop, fixture_saw(x, "t", FL_TASK_FAILED));
	const struct fl_task_status *s = fake_status(&x->master, "t", FL_TASK_FAILED);
	assert_string_equal(s->message, "exited with status 3");
	assert_int_equal(s->exit_status, 3);
}

/* One that asks for no memory gets little, not all. */
static void test_no_memory_asked_for(void **state)
{
	struct fixture *x = *state;

	fixture_register(x);
	fake_run(&x->master,
	         (struct fake_task){"t", "exec perl -e '$x = \"x\" x (100 << 20)'", .mem_milli = 1, .no_mem = true});
	PUMP_UNTIL(x->loop, fixture_saw(x, "t", FL_TASK_FAILED));
	const struct fl_task_status *s = fake_status(&x->master, "t", FL_TASK_FAILED);
	assert_int_equal(s->reason, FL_REASON_CONTAINER_LIMITATION_MEMORY);
}

static void test_task_dies_of_signal(void **state)
{
	struct fixture *x = *state;

	fixture_register(x);
	fake_run(&x->master, (struct fake_task){"t", "kill -9 $$"});
	PUMP_UNTIL(x->loop, fixture_saw(x, "t", FL_TASK_FAILED));
	const struct fl_task_status *s = fake_status(&x->master, "t", FL_TASK_FAILED);
	assert_string_equal(s->message, "killed by signal 9 (SIGKILL)");
	assert_int_equal(s->exit_status, 137);
}

static void test_environment(void **state)
{
	struct fixture *x = *state;

	fixture_register(x);
	fake_run(&x->master,
	         (struct fake_task){
			 "t", "test \"$FAIRLEAD_TASK_ID$MESOS_TASK_ID\" = tt -a \"$MESOS_FRAMEWORK_ID\" = fw-1 -a "
			      "\"$SANDBOX\" = /sandbox -a \"$MESOS_SLAVE_ID\" = slave-1 -a -n \"$PATH\""});
	PUMP_UNTIL(x->loop, fixture_saw(x, "t", FL_TASK_FINISHED) || fixture_saw(x, "t", FL_TASK_FAILED));
	assert_true(fixture_saw(x, "t", FL_TASK_FINISHED));
}

static void test_kill(void **state)
{
	struct fixture *x = *state;
	struct fake_master *m = &x->master;

	fixture_register(x);
	fake_run(m, (struct fake_task){"t", "trap 'exit 0' TERM; while :; do sleep 0.05; done", .grace_ms = 5000});
	PUMP_UNTIL(x->loop, fixture_saw(x, "t", FL_TASK_RUNNING));
	pump_ms(x->loop, 200); /* until the trap is set */
	fake_kill(m, "t");
	fake_kill(m, "t");
	PUMP_UNTIL(x->loop, fixture_saw(x, "t", FL_TASK_KILLED));
	EXPECT_HISTORY(m, "t", FL_TASK_STARTING, FL_TASK_RUNNING, FL_TASK_KILLING, FL_TASK_KILLED);
	fixture_check(x);
}

static void test_kill_of_the_deaf(void **state)
{
	struct fixture *x = *state;

	fixture_register(x);
	fake_run(&x->master, (struct fake_task){"t", "trap '' TERM; while :; do sleep 0.05; done", .grace_ms = 100});
	PUMP_UNTIL(x->loop, fixture_saw(x, "t", FL_TASK_RUNNING));
	fake_kill(&x->master, "t");
	PUMP_UNTIL(x->loop, fixture_saw(x, "t", FL_TASK_KILLED));
}

static void test_kill_at_once(void **state)
{
	struct fixture *x = *state;

	fixture_register(x);
	fake_run(&x->master, (struct fake_task){"t", "sleep 100"});
	fake_kill(&x->master, "t");
	PUMP_UNTIL(x->loop, fixture_saw(x, "t", FL_TASK_KILLED));
	assert_false(fixture_saw(x, "t", FL_TASK_FAILED));
	fixture_check(x);
}

static void test_max_completion_time(void **state)
{
	struct fixture *x = *state;

	fixture_register(x);
	fake_run(&x->master, (struct fake_task){"t", "sleep 100", .max_completion_ms = 100});
	PUMP_UNTIL(x->loop, fixture_saw(x, "t", FL_TASK_FAILED));
	EXPECT_HISTORY(&x->master, "t", FL_TASK_STARTING, FL_TASK_RUNNING, FL_TASK_FAILED);
	assert_non_null(strstr(fake_status(&x->master, "t", FL_TASK_FAILED)->message, "max_completion_time"));
}

static void test_shutdown_framework(void **state)
{
	struct fixture *x = *state;
	struct fl_shutdown_framework order = {.epoch = &x->master.epoch, .framework_id = "fw-1"};

	fixture_register(x);
	fake_run(&x->master, (struct fake_task){"a", "sleep 100"});
	fake_run(&x->master, (struct fake_task){"b", "sleep 100"});
	fake_run(&x->master, (struct fake_task){"c", "sleep 1; exit 0", .plain = true});
	PUMP_UNTIL(x->loop, fixture_saw(x, "a", FL_TASK_RUNNING) && fixture_saw(x, "b", FL_TASK_RUNNING));
	peer_send(x->master.peer, MSG_shutdown_framework, &order);
	PUMP_UNTIL(x->loop, fixture_saw(x, "a", FL_TASK_KILLED) && fixture_saw(x, "b", FL_TASK_KILLED));
	PUMP_UNTIL(x->loop, fixture_saw(x, "c", FL_TASK_FINISHED));
	assert_int_equal(fake_status(&x->master, "a", FL_TASK_KILLED)->reason, FL_REASON_FRAMEWORK_REMOVED);
}

/* ---- what is refused, repeated or unknown ---- */

static void test_duplicate_run_is_one_task(void **state)
{
	struct fixture *x = *state;
	struct fake_task t = {"t", "sleep 0.3"};

	fixture_register(x);
	fake_run(&x->master, t);
	fake_run(&x->master, t);
	PUMP_UNTIL(x->loop, fixture_saw(x, "t", FL_TASK_RUNNING));
	fake_run(&x->master, t);
	PUMP_UNTIL(x->loop, fixture_saw(x, "t", FL_TASK_FINISHED));
	pump_ms(x->loop, 100);
	EXPECT_HISTORY(&x->master, "t", FL_TASK_STARTING, FL_TASK_RUNNING, FL_TASK_FINISHED);
	fixture_check(x);
}

static void test_no_room(void **state)
{
	struct fixture *x = *state;

	fixture_register(x);
	fake_run(&x->master, (struct fake_task){"big", "true", .cpus_milli = 4001});
	fake_run(&x->master, (struct fake_task){"a", "sleep 100", .cpus_milli = 3000, .port = 31000});
	fake_run(&x->master, (struct fake_task){"b", "true", .cpus_milli = 1001});
	fake_run(&x->master, (struct fake_task){"c", "true", .port = 31000});
	fake_run(&x->master, (struct fake_task){"d", "true", .cpus_milli = 9000, .plain = true});
	PUMP_UNTIL(x->loop, fixture_saw(x, "big", FL_TASK_DROPPED) && fixture_saw(x, "b", FL_TASK_DROPPED) &&
	                            fixture_saw(x, "c", FL_TASK_DROPPED) && fixture_saw(x, "d", FL_TASK_DROPPED));
	fixture_check(x);
	fake_kill(&x->master, "a");
	PUMP_UNTIL(x->loop, fixture_saw(x, "a", FL_TASK_KILLED));
	fake_run(&x->master, (struct fake_task){"e", "true", .cpus_milli = 4000, .port = 31000});
	PUMP_UNTIL(x->loop, fixture_saw(x, "e", FL_TASK_FINISHED));
}

static void test_bad_descriptions(void **state)
{
	struct fixture *x = *state;

	fixture_register(x);
	fake_run(&x->master, (struct fake_task){"none", NULL});
	fake_run(&x->master, (struct fake_task){"empty", ""});
	fake_run(&x->master, (struct fake_task){"elsewhere", "true", .slave_id = "slave-9"});
	PUMP_UNTIL(x->loop, fixture_saw(x, "none", FL_TASK_ERROR) && fixture_saw(x, "empty", FL_TASK_ERROR) &&
	                            fixture_saw(x, "elsewhere", FL_TASK_DROPPED));
	assert_int_equal(fake_status(&x->master, "none", FL_TASK_ERROR)->reason, FL_REASON_TASK_INVALID);
}

static void test_kill_of_unknown_and_of_ended(void **state)
{
	struct fixture *x = *state;

	fixture_register(x);
	fake_kill(&x->master, "ghost");
	PUMP_UNTIL(x->loop, fixture_saw(x, "ghost", FL_TASK_DROPPED)); /* its framework is not known here */
	fake_run(&x->master, (struct fake_task){"t", "true"});
	PUMP_UNTIL(x->loop, fixture_saw(x, "t", FL_TASK_FINISHED));
	pump_ms(x->loop, 100);
	size_t before = x->master.n_updates;
	fake_kill(&x->master, "t");
	PUMP_UNTIL(x->loop, x->master.n_updates > before);
	const struct fl_status_update *again = x->master.updates[before].rec;
	assert_int_equal(again->status->state, FL_TASK_FINISHED);
}

static void test_reconcile(void **state)
{
	struct fixture *x = *state;
	struct fl_task tasks[] = {
		{.name = "t", .task_id = "t", .framework_id = "fw-1", .slave_id = "slave-1", .state = FL_TASK_RUNNING},
		{.name = "x",
	         .task_id = "ghost",
	         .framework_id = "fw-1",
	         .slave_id = "slave-1",
	         .state = FL_TASK_RUNNING}};
	struct fl_slave_reconcile order = {.epoch = &x->master.epoch, .tasks = tasks, .n_tasks = 2};

	fixture_register(x);
	fake_run(&x->master, (struct fake_task){"t", "sleep 100"});
	PUMP_UNTIL(x->loop, fixture_saw(x, "t", FL_TASK_RUNNING));
	pump_ms(x->loop, 100);
	peer_send(x->master.peer, MSG_slave_reconcile, &order);
	PUMP_UNTIL(x->loop, fixture_saw(x, "ghost", FL_TASK_DROPPED));
	assert_int_equal(fake_status(&x->master, "ghost", FL_TASK_DROPPED)->reason, FL_REASON_RECONCILIATION);
	pump_ms(x->loop, 100);
	EXPECT_HISTORY(&x->master, "t", FL_TASK_STARTING, FL_TASK_RUNNING, FL_TASK_RUNNING);
	fake_kill(&x->master, "t");
	PUMP_UNTIL(x->loop, fixture_saw(x, "t", FL_TASK_KILLED));
}

/* ---- epochs ---- */

static void test_stale_epoch_is_refused(void **state)
{
	struct fixture *x = *state;

	fixture_register(x);
	x->master.epoch.term = 6;
	fake_run(&x->master, (struct fake_task){"t", "true"});
	PUMP_UNTIL(x->loop, x->master.n_refused == 1);
	const struct fl_order_refused *r = x->master.last_refused.rec;
	assert_int_equal(r->refusal, FL_REFUSAL_STALE_EPOCH);
	assert_int_equal(r->seen->term, 7);
	assert_int_equal(r->got->term, 6);
	x->master.epoch.term = 7;
	fake_run(&x->master, (struct fake_task){"u", "true"});
	PUMP_UNTIL(x->loop, fixture_saw(x, "u", FL_TASK_FINISHED));
	assert_false(fixture_saw(x, "t", FL_TASK_STARTING));
}

static void test_newer_epoch_is_obeyed_in_order_and_kept(void **state)
{
	struct fixture *x = *state;

	fixture_register(x);
	x->master.epoch.term = 9;
	fake_run(&x->master, (struct fake_task){"t", "sleep 100"});
	fake_kill(&x->master, "t");
	PUMP_UNTIL(x->loop, fixture_saw(x, "t", FL_TASK_KILLED));
	fixture_stop_slave(x);
	x->master.epoch.term = 8;
	fixture_start_slave(x);
	PUMP_UNTIL(x->loop, x->master.n_refused > 0);
	assert_int_equal(((const struct fl_order_refused *)x->master.last_refused.rec)->seen->term, 9);
}

static void test_other_incarnation_is_refused(void **state)
{
	struct fixture *x = *state;

	fixture_register(x);
	x->master.epoch = (struct fl_epoch){.incarnation = "registry-2", .term = 100};
	fake_run(&x->master, (struct fake_task){"t", "true"});
	PUMP_UNTIL(x->loop, x->master.n_refused == 1);
	assert_int_equal(((const struct fl_order_refused *)x->master.last_refused.rec)->refusal,
	                 FL_REFUSAL_INCARNATION);
	fixture_stop_slave(x);
	fixture_start_slave(x);
	PUMP_UNTIL(x->loop, x->master.n_refused >= 2);
	assert_int_equal(x->master.n_updates, 0);
}

/* ---- updates ---- */

static void test_updates_are_repeated_until_acknowledged(void **state)
{
	struct fixture *x = *state;
	struct fake_master *m = &x->master;

	m->ack = false;
	fixture_register(x);
	fake_run(m, (struct fake_task){"t", "true"});
	PUMP_UNTIL(x->loop, m->n_updates >= 3);
	EXPECT_HISTORY(m, "t", FL_TASK_STARTING);
	assert_int_equal(((const struct fl_status_update *)m->updates[2].rec)->latest_state, FL_TASK_FINISHED);

	struct fl_status_ack wrong = {.epoch = &m->epoch,
	                              .framework_id = "fw-1",
	                              .task_id = "t",
	                              .uuid = {(const uint8_t *)"0123456789abcdef", 16}};
	peer_send(m->peer, MSG_status_ack, &wrong);
	pump_ms(x->loop, 100);
	EXPECT_HISTORY(m, "t", FL_TASK_STARTING);
	m->ack = true;
	PUMP_UNTIL(x->loop, fixture_saw(x, "t", FL_TASK_FINISHED));
	EXPECT_HISTORY(m, "t", FL_TASK_STARTING, FL_TASK_RUNNING, FL_TASK_FINISHED);
	pump_ms(x->loop, 100);
	size_t n = m->n_updates;
	fake_send_ack(m, m->updates[n - 1].rec); /* again: ignored */
	pump_ms(x->loop, 300);
	assert_int_equal(m->n_updates, n);
}

static void test_head_is_resent_on_reregistration(void **state)
{
	struct fixture *x = *state;

	fixture_set(x, "update_retry", "60s");
	fixture_start_slave(x);
	x->master.ack = false;
	fixture_register(x);
	fake_run(&x->master, (struct fake_task){"t", "sleep 100"});
	PUMP_UNTIL(x->loop, x->master.n_updates == 1);
	const struct fl_slave_reregister *part;
	for (size_t times = 2;; times++) { /* until it runs, each time the head and nothing else comes */
		fake_hang_up(&x->master);
		fixture_register(x);
		PUMP_UNTIL(x->loop, x->master.n_updates == times);
		part = x->master.parts[0].rec;
		assert_int_equal(part->n_tasks, 1);
		if (part->tasks[0].state == FL_TASK_RUNNING)
			break;
	}
	assert_int_equal(part->n_frameworks, 1);
	assert_int_equal(part->tasks[0].status_update_state, FL_TASK_STARTING);
	assert_int_equal(part->tasks[0].n_statuses, 2);
	EXPECT_HISTORY(&x->master, "t", FL_TASK_STARTING);
	x->master.ack = true;
	fake_hang_up(&x->master);
	fixture_register(x);
	fake_kill(&x->master, "t");
	PUMP_UNTIL(x->loop, fixture_saw(x, "t", FL_TASK_KILLED));
}

/* ---- restarts ---- */

static void test_containers_outlive_the_slave(void **state)
{
	struct fixture *x = *state;
	struct fake_master *m = &x->master;

	fixture_register(x);
	fake_run(m, (struct fake_task){"t", "sleep 100"});
	PUMP_UNTIL(x->loop, fixture_saw(x, "t", FL_TASK_RUNNING));
	pump_ms(x->loop, 100);
	fixture_stop_slave(x);
	fixture_start_slave(x);
	fixture_register(x);
	const struct fl_slave_reregister *part = m->parts[0].rec;
	assert_int_equal(part->n_tasks, 1);
	assert_string_equal(part->tasks[0].task_id, "t");
	assert_int_equal(part->tasks[0].state, FL_TASK_RUNNING);
	pump_ms(x->loop, 200);
	fixture_check(x);
	fake_kill(m, "t");
	PUMP_UNTIL(x->loop, fixture_saw(x, "t", FL_TASK_KILLED));
	EXPECT_HISTORY(m, "t", FL_TASK_STARTING, FL_TASK_RUNNING, FL_TASK_KILLING, FL_TASK_KILLED);
}

static void test_unacknowledged_updates_survive_restart(void **state)
{
	struct fixture *x = *state;
	struct fake_master *m = &x->master;

	m->ack = false;
	fixture_register(x);
	fake_run(m, (struct fake_task){"t", "true"});
	PUMP_UNTIL(x->loop, m->n_updates > 0 &&
	                            ((const struct fl_status_update *)m->updates[m->n_updates - 1].rec)->latest_state ==
	                                    FL_TASK_FINISHED);
	pump_ms(x->loop, 100);
	for (int i = 0; i < 2; i++) {
		fixture_stop_slave(x);
		fixture_start_slave(x);
		fixture_register(x);
	}
	m->ack = true;
	PUMP_UNTIL(x->loop, fixture_saw(x, "t", FL_TASK_FINISHED));
	EXPECT_HISTORY(m, "t", FL_TASK_STARTING, FL_TASK_RUNNING, FL_TASK_FINISHED);
	pump_ms(x->loop, 200);
	fixture_stop_slave(x);
	fixture_start_slave(x);
	fixture_register(x);
	assert_int_equal(((const struct fl_slave_reregister *)m->parts[0].rec)->n_tasks, 0);
}

/* Stops it at every moment of a launch: whatever it left, the next one makes an end of it, and says so once. */
static void test_stop_at_any_turn_of_a_launch(void **state)
{
	struct fixture *x = *state;
	struct fake_master *m = &x->master;

	for (int turns = 0; turns < 24; turns++) {
		char id[16];
		snprintf(id, sizeof(id), "t%d", turns);
		fixture_register(x);
		fake_run(m, (struct fake_task){id, "sleep 100"});
		for (int i = 0; i < turns; i++)
			loop_step(x->loop, 2);
		fixture_stop_slave(x);
		fixture_start_slave(x);
		fixture_register(x);
		pump_ms(x->loop, 20);
		fixture_check(x);
		fake_kill(m, id);
		PUMP_UNTIL(x->loop, fixture_saw(x, id, FL_TASK_KILLED) || fixture_saw(x, id, FL_TASK_DROPPED) ||
		                            fixture_saw(x, id, FL_TASK_FAILED) || fixture_saw(x, id, FL_TASK_LOST));
		fixture_check(x);
		pump_ms(x->loop, 20);
		fixture_stop_slave(x);
		fixture_start_slave(x);
	}
}

static void test_slave_shutdown(void **state)
{
	struct fixture *x = *state;
	struct fl_slave_shutdown order = {.epoch = &x->master.epoch, .message = "gone"};

	fixture_register(x);
	fake_run(&x->master, (struct fake_task){"t", "sleep 100"});
	PUMP_UNTIL(x->loop, fixture_saw(x, "t", FL_TASK_RUNNING));
	peer_send(x->master.peer, MSG_slave_shutdown, &order);
	PUMP_UNTIL(x->loop, fixture_saw(x, "t", FL_TASK_KILLED));
	fake_run(&x->master, (struct fake_task){"u", "true"});
	PUMP_UNTIL(x->loop, fixture_saw(x, "u", FL_TASK_DROPPED));
	fake_hang_up(&x->master);
	pump_ms(x->loop, 200);
	assert_int_equal(x->master.n_reregister, 0);
}

/* Many tasks with long commands: re-registration comes in parts, and nothing is missing. */
static void test_reregistration_in_parts(void **state)
{
	struct fixture *x = *state;
	static char command[40000];
	char id[16];

	memset(command, ' ', sizeof(command) - 1);
	memcpy(command, "sleep 100;", 10);
	fixture_register(x);
	for (int i = 0; i < 15; i++) {
		snprintf(id, sizeof(id), "t%d", i);
		fake_run(&x->master, (struct fake_task){id, command});
	}
	PUMP_UNTIL(x->loop, fixture_saw(x, "t14", FL_TASK_RUNNING));
	fake_hang_up(&x->master);
	fixture_register(x);
	size_t n_tasks = 0, n_parts = x->master.n_parts;
	for (size_t i = 0; i < n_parts; i++) {
		const struct fl_slave_reregister *part = x->master.parts[i].rec;
		n_tasks += part->n_tasks;
		assert_true(codec_size(&rec_slave_reregister, part) <= 256 << 10);
		assert_int_equal(part->last, i + 1 == n_parts);
		assert_int_equal(part->slave != NULL, i == 0);
	}
	assert_true(n_parts >= 3);
	assert_int_equal(n_tasks, 15);
	for (int i = 0; i < 15; i++) {
		snprintf(id, sizeof(id), "t%d", i);
		fake_kill(&x->master, id);
	}
	PUMP_UNTIL(x->loop, fixture_saw(x, "t14", FL_TASK_KILLED) && fixture_saw(x, "t0", FL_TASK_KILLED));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_registers_once_and_reregisters),
		TEST(test_identity_survives_restart),
		TEST(test_same_nonce_until_admitted),
		TEST(test_work_dir_is_locked),
		TEST(test_other_id_is_not_taken),
		TEST(test_task_finishes),
		TEST(test_task_fails_with_status),
		TEST(test_no_memory_asked_for),
		TEST(test_task_dies_of_signal),
		TEST(test_environment),
		TEST(test_kill),
		TEST(test_kill_of_the_deaf),
		TEST(test_kill_at_once),
		TEST(test_max_completion_time),
		TEST(test_shutdown_framework),
		TEST(test_duplicate_run_is_one_task),
		TEST(test_no_room),
		TEST(test_bad_descriptions),
		TEST(test_kill_of_unknown_and_of_ended),
		TEST(test_reconcile),
		TEST(test_stale_epoch_is_refused),
		TEST(test_newer_epoch_is_obeyed_in_order_and_kept),
		TEST(test_other_incarnation_is_refused),
		TEST(test_updates_are_repeated_until_acknowledged),
		cmocka_unit_test_setup_teardown(test_head_is_resent_on_reregistration, fixture_setup_stopped,
	                                        fixture_teardown),
		TEST(test_containers_outlive_the_slave),
		TEST(test_unacknowledged_updates_survive_restart),
		TEST(test_stop_at_any_turn_of_a_launch),
		TEST(test_slave_shutdown),
		TEST(test_reregistration_in_parts),
	};

	if (!fixture_containers_work()) {
		printf("skipped: containers need root\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
