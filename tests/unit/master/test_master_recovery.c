/* Another master on the same registry, and office that is uncertain for a while. */
#include "fixture.h"
#include "master/core.h"
#include "master/framework.h"
#include "master/link.h"
#include "master/slave.h"
#include "master/task.h"

static void restart(struct cluster *c)
{
	stop_master(c);
	start_master(c);
}

static void test_everything_comes_back(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c);
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "n");
	uint64_t term = s.epoch->term;
	const char *slave_id = s.id, *framework_id = f.id;
	struct fl_task task;

	launch_running(c, &f, &s, "t", "cpus:1;mem:100");
	restart(c);
	task = report_of(c, f.id, "t", s.id, FL_TASK_RUNNING, "cpus:1;mem:100");
	slave_come_back(c, &s, &task, 1, NULL, 0);
	assert_string_equal(s.id, slave_id);
	assert_int_equal(s.epoch->term, term + 1);
	framework_come_back(c, &f);
	assert_string_equal(f.id, framework_id);
	assert_int_equal(framework_await_offer(&f)->resources[0].scalar->value, 3000);
	slave_update(&s, f.id, "t", FL_TASK_FINISHED, FL_TASK_FINISHED, 2);
	assert_int_equal(framework_await_update(&f, "t")->state, FL_TASK_FINISHED);
	framework_ack(&f, s.id, "t", 2);
	fake_await(s.link, MSG_status_ack, NULL, NULL);
}

/* A framework that the registry does not know comes back with its slave's report. */
static void test_framework_from_a_report(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = {.info = framework_info(), .id = "from-elsewhere-0007"};
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "n");
	struct fl_task task = report_of(c, f.id, "t", s.id, FL_TASK_RUNNING, "cpus:1;mem:100");
	struct framework *known;

	f.info.id = f.id;
	slave_come_back(c, &s, &task, 1, &f.info, 1);
	known = framework_find(c->master, f.id);
	assert_non_null(known);
	assert_int_equal(sm_state(&known->sm), FRAMEWORK_RECOVERED);
	assert_true(framework_left_ms(known) > 50000);
	framework_subscribe(c, &f);
	assert_string_equal(f.id, "from-elsewhere-0007");
	assert_int_equal(framework_await_offer(&f)->resources[0].scalar->value, 3000);
}

static void test_at_least_a_minute(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = {.info = framework_info()};
	struct framework *known;

	f.info.failover_timeout_ns = 0;
	framework_subscribe(c, &f);
	AWAIT(c, c->master->metrics.registry_writes > 0);
	restart(c);
	known = framework_find(c->master, f.id);
	assert_non_null(known);
	assert_true(framework_left_ms(known) > 50000);
	assert_true(framework_left_ms(known) <= 60000);
}

static void test_remaining_time_is_kept(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = {.info = framework_info()};
	struct framework *known;

	f.info.failover_timeout_ns = INT64_C(3600) * 1000000000;
	framework_subscribe(c, &f);
	AWAIT(c, c->master->metrics.registry_writes == 1);
	fake_hang_up(f.link);
	AWAIT(c, c->master->metrics.registry_writes == 2);
	restart(c);
	known = framework_find(c->master, f.id);
	assert_true(framework_left_ms(known) > 3500000);
	assert_true(framework_left_ms(known) <= 3600000);
}

static void test_removed_stays_removed(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c);
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "n");
	struct fl_task task;
	int64_t writes;

	launch_running(c, &f, &s, "t", "cpus:1;mem:100");
	fake_hang_up(s.link);
	writes = c->master->metrics.registry_writes;
	framework_call(&f, &(struct fl_call){.type = FL_CALL_TEARDOWN});
	AWAIT(c, c->master->metrics.registry_writes > writes);
	restart(c);
	task = report_of(c, f.id, "t", s.id, FL_TASK_RUNNING, "cpus:1;mem:100");
	slave_come_back(c, &s, &task, 1, &f.info, 1);
	fake_await(s.link, MSG_shutdown_framework, NULL, NULL);
	slave_update(&s, f.id, "t", FL_TASK_KILLED, FL_TASK_KILLED, 2);
	fake_await(s.link, MSG_status_ack, NULL, NULL);
	f.link = fake_connect(c, FL_PEER_FRAMEWORK);
	framework_send_subscribe(&f);
	assert_non_null(strstr(framework_await(&f, FL_EVENT_ERROR)->error->message, "removed"));
}

static void test_slaves_that_do_not_return(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f;
	struct fake_slave s;

	set_option(c, "slave_reregister_timeout", "150ms");
	start_master(c);
	s = new_slave(c, "cpus:4;mem:1024", "n");
	restart(c);
	f = new_framework(c);
	assert_string_equal(framework_await(&f, FL_EVENT_FAILURE)->failure->slave_id, s.id);
	restart(c); /* and the registry has it */
	assert_int_equal(slave_state(slave_find(c->master, s.id)), FL_SLAVE_UNREACHABLE);
	framework_come_back(c, &f);
	slave_come_back(c, &s, NULL, 0, NULL, 0);
	framework_await_offer(&f);
}

static void test_nonce_survives(void **state)
{
	struct cluster *c = *state;
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "n");
	const char *id = s.id;

	restart(c);
	fake_free(s.link);
	slave_connect(c, &s);
	slave_register_again(c, &s, "n");
	slave_await_registered(c, &s);
	assert_string_equal(s.id, id);
}

/* ---- not certain of its office ---- */

static void suspend(struct cluster *c)
{
	sm_move(&c->master->office, OFFICE_SUSPENDED);
}

static void resume(struct cluster *c)
{
	sm_move(&c->master->office, OFFICE_LEADING);
	slaves_resume(c->master);
	links_replay(c->master);
}

static void settle(struct cluster *c)
{
	for (int i = 0; i < 20; i++)
		step_once(c);
}

static void test_suspended_orders_nothing(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c);
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "n");
	const char *offer = framework_await_offer(&f)->id;
	struct fl_task_info task = task_info(c, "t", s.id, "cpus:1;mem:100");

	suspend(c);
	framework_accept(&f, &offer, 1, &task, 1, 0);
	slave_update(&s, f.id, "stray", FL_TASK_RUNNING, FL_TASK_RUNNING, 1);
	settle(c);
	assert_null(fake_look(s.link, MSG_run_task, NULL, NULL));
	assert_null(framework_look(&f, FL_EVENT_UPDATE));
	resume(c);
	fake_await(s.link, MSG_run_task, NULL, NULL);
	framework_await_update(&f, "stray");
}

static void test_gone_while_suspended(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = {.info = framework_info()}, g = new_framework(c);
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "n");

	f.info.failover_timeout_ns = 0;
	framework_subscribe(c, &f);
	framework_await_offer(&g);
	suspend(c);
	slave_update(&s, g.id, "t", FL_TASK_RUNNING, FL_TASK_RUNNING, 1);
	framework_call(&g, &(struct fl_call){.type = FL_CALL_REVIVE});
	settle(c);
	fake_hang_up(f.link);
	fake_hang_up(s.link);
	framework_await(&g, FL_EVENT_RESCIND); /* what is known at once is told at once */
	AWAIT(c, sm_state(&framework_find(c->master, f.id)->sm) == FRAMEWORK_DISCONNECTED);
	resume(c);
	AWAIT(c, sm_state(&framework_find(c->master, f.id)->sm) == FRAMEWORK_REMOVED);
}

static void test_flood_while_suspended(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c);
	size_t size = 1 << 20;
	uint8_t *data = xcalloc(1, size);
	struct fl_call_message message = {.slave_id = "s", .executor_id = "e", .data = {data, size}};

	suspend(c);
	for (int i = 0; i < 20 && !f.link->closed; i++) {
		framework_call(&f, &(struct fl_call){.type = FL_CALL_MESSAGE, .message = &message});
		step_once(c);
	}
	AWAIT(c, f.link->closed);
	assert_int_equal(c->master->kept_bytes, 0);
	resume(c);
	free(data);
}

/* Two masters cannot lead on one file:// registry. */
static void test_second_master(void **state)
{
	struct cluster *c = *state;
	struct err err = {0};

	assert_null(master_create(c->loop, &c->conf, &err));
	assert_non_null(strstr(err.text, "--registry"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, started_setup, cluster_teardown)
		T(test_everything_comes_back),
		T(test_framework_from_a_report),
		T(test_at_least_a_minute),
		T(test_remaining_time_is_kept),
		T(test_removed_stays_removed),
		cmocka_unit_test_setup_teardown(test_slaves_that_do_not_return, cluster_setup, cluster_teardown),
		T(test_nonce_survives),
		T(test_suspended_orders_nothing),
		T(test_gone_while_suspended),
		T(test_flood_while_suspended),
		T(test_second_master),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
