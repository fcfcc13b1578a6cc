/* Slaves at the door, gone, back, and elsewhere. */
#include "fixture.h"
#include "master/core.h"
#include "master/framework.h"
#include "master/slave.h"
#include "master/task.h"

static void test_repeated_register(void **state)
{
	struct cluster *c = *state;
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "n");
	const char *id = s.id;

	fake_free(s.link); /* as if the answer had been lost: it knows no id */
	slave_connect(c, &s);
	slave_register_again(c, &s, "n");
	slave_await_registered(c, &s);
	assert_string_equal(s.id, id);
}

static void test_register_while_admitting(void **state)
{
	struct cluster *c = *state;
	struct fake_slave s = {.info = slave_info(c, "cpus:1;mem:64")};
	struct fake_framework f = new_framework(c);

	slave_connect(c, &s);
	slave_register_again(c, &s, "n");
	slave_register_again(c, &s, "n");
	slave_await_registered(c, &s);
	assert_int_equal(framework_await(&f, FL_EVENT_OFFERS)->offers->n_offers, 1);
	fence(&f);
	assert_null(framework_look(&f, FL_EVENT_OFFERS));
}

static void refused_with(struct cluster *c, struct fake_slave *s, int refusal)
{
	AWAIT(c, s->link->closed);
	assert_int_equal(s->link->refusal, refusal);
}

static void test_invalid_slaves(void **state)
{
	struct cluster *c = *state;
	struct fake_slave s = {.info = slave_info(c, "cpus:1;mem:64")};

	s.info->hostname = "";
	slave_connect(c, &s);
	slave_register_again(c, &s, "n");
	refused_with(c, &s, FL_REFUSAL_INVALID);
	s.info->hostname = "h";
	slave_connect(c, &s);
	slave_register_again(c, &s, "");
	refused_with(c, &s, FL_REFUSAL_INVALID);
	slave_connect(c, &s);
	s.info->resources[0].scalar->value = -1;
	slave_register_again(c, &s, "n");
	refused_with(c, &s, FL_REFUSAL_INVALID);
	s.info->resources[0].scalar->value = 1000;
	slave_connect(c, &s);
	slave_report(&s, NULL, 0, NULL, 0); /* without an id */
	refused_with(c, &s, FL_REFUSAL_INVALID);
}

static void test_totals_have_a_limit(void **state)
{
	struct cluster *c = *state;
	struct fake_slave s = {.info = slave_info(c, "cpus:1;mem:64")};

	new_slave(c, "cpus:1;mem:64", "first");
	s.info->resources[1].scalar->value = INT64_C(1) << 50;
	slave_connect(c, &s);
	slave_register_again(c, &s, "n");
	refused_with(c, &s, FL_REFUSAL_INVALID);
}

static void test_one_connection_one_slave(void **state)
{
	struct cluster *c = *state;
	struct fake_slave s = new_slave(c, "cpus:1;mem:64", "n");

	slave_register_again(c, &s, "another");
	refused_with(c, &s, FL_REFUSAL_INVALID);
}

static void test_address_from_the_connection(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c);
	struct fake_slave s = {.info = slave_info(c, "cpus:1;mem:64")};

	s.info->ip = NULL;
	slave_connect(c, &s);
	slave_register_again(c, &s, "n");
	slave_await_registered(c, &s);
	assert_string_equal(framework_await_offer(&f)->url->address->ip, "127.0.0.1");
}

/* An id nobody knows, with valid info, is admitted: the registry may have forgotten it. */
static void test_unknown_id(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c);
	struct fake_slave s = {.info = slave_info(c, "cpus:4;mem:1024")};
	struct fl_task task = report_of(c, f.id, "t", "some-other-S7", FL_TASK_RUNNING, "cpus:3;mem:1000");

	slave_connect(c, &s);
	s.info->id = "some-other-S7";
	slave_report(&s, &task, 1, NULL, 0);
	slave_await_registered(c, &s);
	assert_string_equal(s.id, "some-other-S7");
	assert_int_equal(framework_await_offer(&f)->resources[0].scalar->value, 1000);
}

static void test_second_process_wins(void **state)
{
	struct cluster *c = *state;
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "n"), twin = s;
	struct fake_framework f = new_framework(c);
	const char *offer = framework_await_offer(&f)->id;

	slave_connect(c, &twin);
	slave_report(&twin, NULL, 0, NULL, 0);
	slave_await_registered(c, &twin);
	refused_with(c, &s, FL_REFUSAL_DUPLICATE);
	assert_string_equal(framework_await(&f, FL_EVENT_RESCIND)->rescind->offer_id, offer);
	framework_await_offer(&f);
}

static void test_other_incarnation(void **state)
{
	struct cluster *c = *state;
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "n");

	fake_free(s.link);
	slave_connect(c, &s);
	s.epoch->incarnation = "another";
	slave_report(&s, NULL, 0, NULL, 0);
	refused_with(c, &s, FL_REFUSAL_INCARNATION);
}

static void test_newer_term(void **state)
{
	struct cluster *c = *state;
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "n");

	fake_free(s.link);
	slave_connect(c, &s);
	s.epoch->term += 5;
	slave_report(&s, NULL, 0, NULL, 0);
	refused_with(c, &s, FL_REFUSAL_NOT_LEADER);
}

static void test_report_in_parts(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c);
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "n");
	struct fl_task a = report_of(c, f.id, "a", s.id, FL_TASK_RUNNING, "cpus:1;mem:100");
	struct fl_task b = report_of(c, f.id, "b", s.id, FL_TASK_RUNNING, "cpus:1;mem:100");
	struct fl_slave_reregister first = {.slave = s.info, .epoch = s.epoch, .tasks = &a, .n_tasks = 1};
	struct fl_slave_reregister last = {.tasks = &b, .n_tasks = 1, .has_last = true, .last = true};
	const char *offer = framework_await_offer(&f)->id;

	fake_free(s.link);
	slave_connect(c, &s);
	peer_send(s.link->peer, MSG_slave_reregister, &first);
	assert_string_equal(framework_await(&f, FL_EVENT_RESCIND)->rescind->offer_id, offer);
	fence(&f);
	assert_null(framework_look(&f, FL_EVENT_OFFERS)); /* takes effect at the last part */
	assert_true(c->master->kept_bytes > 0);
	peer_send(s.link->peer, MSG_slave_reregister, &last);
	slave_await_registered(c, &s);
	assert_int_equal(framework_await_offer(&f)->resources[0].scalar->value, 2000);
	assert_int_equal(c->master->kept_bytes, 0);
}

static void test_changed_resources(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c);
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "n");
	struct fl_task task;

	launch_running(c, &f, &s, "t", "cpus:4;mem:512");
	task = report_of(c, f.id, "t", s.id, FL_TASK_RUNNING, "cpus:4;mem:512");
	s.info = slave_info(c, "cpus:2;mem:4096"); /* fewer than its task holds */
	s.info->id = s.id;
	slave_come_back(c, &s, &task, 1, NULL, 0);
	AWAIT(c, framework_await_offer(&f)->resources[0].scalar->value == 3584000);
}

/* The slave does not report a task that the master knows: it is asked, and its own stream answers. */
static void test_missing_task_is_asked_for(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c);
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "n");
	const struct fl_slave_reconcile *ask;

	launch(c, &f, &s, "t", "cpus:1;mem:100");
	slave_come_back(c, &s, NULL, 0, NULL, 0);
	ask = fake_await(s.link, MSG_slave_reconcile, NULL, NULL);
	assert_int_equal(ask->n_tasks, 1);
	assert_string_equal(ask->tasks[0].task_id, "t");
	assert_string_equal(ask->tasks[0].framework_id, f.id);
	slave_update(&s, f.id, "t", FL_TASK_DROPPED, FL_TASK_DROPPED, 3);
	assert_int_equal(framework_await_update(&f, "t")->state, FL_TASK_DROPPED);
}

/* ---- unreachable ---- */

static int quick_setup(void **state)
{
	cluster_setup(state);
	set_option(*state, "slave_unreachable", "150ms");
	set_option(*state, "unreachable_rate", "600"); /* one each 100 ms */
	start_master(*state);
	return 0;
}

static void test_unreachable_and_back(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c);
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "n");
	const struct fl_task_status *status;
	struct fl_task task;

	launch_running(c, &f, &s, "t", "cpus:1;mem:100");
	fake_hang_up(s.link);
	status = framework_await_update(&f, "t");
	assert_int_equal(status->state, FL_TASK_UNREACHABLE);
	assert_int_equal(status->reason, FL_REASON_SLAVE_REMOVED);
	assert_int_equal(status->source, FL_SOURCE_MASTER);
	assert_non_null(status->unreachable_time);
	assert_null(status->uuid.data);
	assert_string_equal(framework_await(&f, FL_EVENT_FAILURE)->failure->slave_id, s.id);

	task = report_of(c, f.id, "t", s.id, FL_TASK_RUNNING, "cpus:1;mem:100");
	slave_come_back(c, &s, &task, 1, NULL, 0);
	status = framework_await_update(&f, "t");
	assert_int_equal(status->state, FL_TASK_RUNNING);
	assert_int_equal(status->reason, FL_REASON_SLAVE_REREGISTERED);
	assert_int_equal(framework_await_offer(&f)->resources[0].scalar->value, 3000);
}

static void test_unreachable_is_lost_without_partition_aware(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = {.info = framework_info()};
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "n");

	f.info.n_capabilities = 0;
	framework_subscribe(c, &f);
	launch_running(c, &f, &s, "t", "cpus:1;mem:100");
	fake_hang_up(s.link);
	assert_int_equal(framework_await_update(&f, "t")->state, FL_TASK_LOST);
}

/* It ended while its slave was away: its own stream says so, nothing else does. */
static void test_ended_while_unreachable(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c);
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "n");
	struct fl_task task;

	launch_running(c, &f, &s, "t", "cpus:1;mem:100");
	fake_hang_up(s.link);
	assert_int_equal(framework_await_update(&f, "t")->state, FL_TASK_UNREACHABLE);
	task = report_of(c, f.id, "t", s.id, FL_TASK_FINISHED, "cpus:1;mem:100");
	slave_come_back(c, &s, &task, 1, NULL, 0);
	slave_update(&s, f.id, "t", FL_TASK_FINISHED, FL_TASK_FINISHED, 5);
	assert_int_equal(framework_await_update(&f, "t")->state, FL_TASK_FINISHED);
	framework_ack(&f, s.id, "t", 5);
	fake_await(s.link, MSG_status_ack, NULL, NULL);
}

/* Its slave may never come back to hear of it: the framework has the end, and that is enough. */
static void test_ack_of_an_unreachable_slave(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c);
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "n");

	launch_running(c, &f, &s, "t", "cpus:1;mem:100");
	slave_update(&s, f.id, "t", FL_TASK_FINISHED, FL_TASK_FINISHED, 5);
	framework_await_update(&f, "t");
	fake_hang_up(s.link);
	framework_await(&f, FL_EVENT_FAILURE);
	assert_non_null(task_find(c->master, f.id, "t"));
	framework_ack(&f, s.id, "t", 5);
	AWAIT(c, !task_find(c->master, f.id, "t"));
}

/* A rack that fails is declared unreachable at the given rate, and who comes back in time is not. */
static void test_rate(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c);
	struct fake_slave s[4];
	int64_t then;
	char nonce[8];

	for (int i = 0; i < 4; i++) {
		snprintf(nonce, sizeof(nonce), "n%d", i);
		s[i] = new_slave(c, "cpus:1;mem:64", nonce);
	}
	then = loop_now_ms(c->loop);
	for (int i = 0; i < 4; i++)
		fake_hang_up(s[i].link);
	for (int i = 0; i < 4; i++)
		framework_await(&f, FL_EVENT_FAILURE);
	assert_true(loop_now_ms(c->loop) - then >= 150 + 300);
}

static void test_back_in_time(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c);
	struct fake_slave s = new_slave(c, "cpus:1;mem:64", "n");
	struct fake_slave gone = new_slave(c, "cpus:1;mem:64", "gone");

	fake_hang_up(s.link);
	fake_hang_up(gone.link);
	slave_come_back(c, &s, NULL, 0, NULL, 0);
	assert_string_equal(framework_await(&f, FL_EVENT_FAILURE)->failure->slave_id, gone.id);
	fence(&f);
	assert_null(framework_look(&f, FL_EVENT_FAILURE));
}

/* ---- replaced, and forgotten ---- */

/* A new slave at the address of one that is away: that one is not coming back. */
static void test_replaced(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c);
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "n"), other;
	const struct fl_task_status *status;

	launch_running(c, &f, &s, "t", "cpus:1;mem:100");
	fake_hang_up(s.link);
	AWAIT(c, slave_state(slave_find(c->master, s.id)) == FL_SLAVE_DISCONNECTED);
	other = new_slave(c, "cpus:4;mem:1024", "another");
	assert_string_not_equal(other.id, s.id);
	status = framework_await_update(&f, "t");
	assert_int_equal(status->state, FL_TASK_LOST); /* also for those that are partition aware */
	assert_int_equal(status->reason, FL_REASON_SLAVE_REMOVED);
	assert_int_equal(status->source, FL_SOURCE_MASTER);
	assert_null(status->uuid.data);
	assert_string_equal(framework_await(&f, FL_EVENT_FAILURE)->failure->slave_id, s.id);
	assert_null(slave_find(c->master, s.id));
	assert_null(task_find(c->master, f.id, "t"));
	stop_master(c);
	start_master(c); /* and the registry has forgotten it */
	assert_null(slave_find(c->master, s.id));
	assert_non_null(slave_find(c->master, other.id));
}

static void test_other_port_replaces_nothing(void **state)
{
	struct cluster *c = *state;
	struct fake_slave s = new_slave(c, "cpus:1;mem:64", "n"), other = {.info = slave_info(c, "cpus:1;mem:64")};

	fake_hang_up(s.link);
	AWAIT(c, slave_state(slave_find(c->master, s.id)) == FL_SLAVE_DISCONNECTED);
	other.info->port = 5052;
	slave_connect(c, &other);
	slave_register_again(c, &other, "another");
	slave_await_registered(c, &other);
	assert_non_null(slave_find(c->master, s.id));
}

static int forgetful_setup(void **state)
{
	cluster_setup(state);
	set_option(*state, "slave_unreachable", "100ms");
	set_option(*state, "unreachable_rate", "60000");
	set_option(*state, "max_unreachable_slaves", "1");
	set_option(*state, "max_unreachable_tasks", "2");
	start_master(*state);
	return 0;
}

static void go_away(struct cluster *c, struct fake_slave *s)
{
	fake_hang_up(s->link);
	AWAIT(c, slave_state(slave_find(c->master, s->id)) == FL_SLAVE_UNREACHABLE);
}

static void test_oldest_unreachable_is_forgotten(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c);
	struct fake_slave a = new_slave(c, "cpus:1;mem:64", "a"), b;
	struct fl_task task;

	launch_running(c, &f, &a, "t", "cpus:1;mem:64");
	b = new_slave(c, "cpus:1;mem:64", "b");
	go_away(c, &a);
	framework_await_update(&f, "t");
	go_away(c, &b);
	AWAIT(c, !slave_find(c->master, a.id));
	stop_master(c);
	start_master(c);
	assert_null(slave_find(c->master, a.id));
	assert_non_null(slave_find(c->master, b.id));
	framework_come_back(c, &f);
	task = report_of(c, f.id, "t", a.id, FL_TASK_RUNNING, "cpus:1;mem:64");
	slave_come_back(c, &a, &task, 1, NULL, 0); /* and may come back all the same; its framework hears of it */
	assert_int_equal(framework_await_update(&f, "t")->state, FL_TASK_RUNNING);
}

static void test_unreachable_tasks_are_bounded(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c);
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "n");
	const char *offer = framework_await_offer(&f)->id;
	struct fl_task_info tasks[3];

	for (size_t i = 0; i < ARRAY_SIZE(tasks); i++)
		tasks[i] = task_info(c, zone_printf(c->zone, "t%zu", i), s.id, "cpus:1");
	framework_accept(&f, &offer, 1, tasks, ARRAY_SIZE(tasks), 0);
	for (size_t i = 0; i < ARRAY_SIZE(tasks); i++)
		fake_await(s.link, MSG_run_task, NULL, NULL);
	go_away(c, &s);
	assert_null(task_find(c->master, f.id, "t0"));
	assert_non_null(task_find(c->master, f.id, "t1"));
	assert_non_null(task_find(c->master, f.id, "t2"));
}

/* A slave that contradicts itself harms nobody: what the ledger cannot take is not counted. */
static void test_impossible_report(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c);
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024;ports:[31000-31001]", "n");
	struct fl_task tasks[] = {
		report_of(c, f.id, "a", s.id, FL_TASK_RUNNING, "cpus:1;ports:[31000-31000]"),
		report_of(c, f.id, "b", s.id, FL_TASK_RUNNING, "cpus:1;ports:[31000-31000]"),
		report_of(c, f.id, "c", s.id, FL_TASK_RUNNING, "cpus:1"),
	};

	tasks[2].role = "not a role";
	slave_come_back(c, &s, tasks, ARRAY_SIZE(tasks), NULL, 0);
	assert_null(task_find(c->master, f.id, "c"));
	slave_update(&s, f.id, "a", FL_TASK_FINISHED, FL_TASK_FINISHED, 1);
	slave_update(&s, f.id, "b", FL_TASK_FINISHED, FL_TASK_FINISHED, 2);
	framework_await_update(&f, "a");
	framework_await_update(&f, "b");
	fence(&f);
}

/* What a slave says of a framework goes into the registry: it is bounded like what frameworks say. */
static void test_reported_framework_is_bounded(void **state)
{
	struct cluster *c = *state;
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "n");
	struct fl_framework_info info = framework_info();
	char *name = xcalloc(1, MASTER_MAX_FRAMEWORK_INFO + 1);

	memset(name, 'x', MASTER_MAX_FRAMEWORK_INFO);
	info.id = "long";
	info.name = name;
	slave_come_back(c, &s, NULL, 0, &info, 1);
	assert_null(framework_find(c->master, "long"));
	free(name);
}

/* It came back without the task, was asked, and has it after all. */
static void test_alive_after_all(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c);
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "n");

	launch_running(c, &f, &s, "t", "cpus:1;mem:100");
	fake_hang_up(s.link);
	assert_int_equal(framework_await_update(&f, "t")->state, FL_TASK_UNREACHABLE);
	slave_come_back(c, &s, NULL, 0, NULL, 0);
	fake_await(s.link, MSG_slave_reconcile, NULL, NULL);
	framework_await_offer(&f); /* all of it */
	slave_update(&s, f.id, "t", FL_TASK_RUNNING, FL_TASK_RUNNING, 2);
	assert_int_equal(framework_await_update(&f, "t")->state, FL_TASK_RUNNING);
	assert_int_equal(sm_state(&task_find(c->master, f.id, "t")->sm), TASK_LIVE);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, started_setup, cluster_teardown)
#define G(name) cmocka_unit_test_setup_teardown(name, forgetful_setup, cluster_teardown)
#define Q(name) cmocka_unit_test_setup_teardown(name, quick_setup, cluster_teardown)
		T(test_repeated_register),
		T(test_register_while_admitting),
		T(test_invalid_slaves),
		T(test_totals_have_a_limit),
		T(test_one_connection_one_slave),
		T(test_address_from_the_connection),
		T(test_unknown_id),
		T(test_second_process_wins),
		T(test_other_incarnation),
		T(test_newer_term),
		T(test_report_in_parts),
		T(test_changed_resources),
		T(test_missing_task_is_asked_for),
		Q(test_unreachable_and_back),
		Q(test_unreachable_is_lost_without_partition_aware),
		Q(test_ended_while_unreachable),
		Q(test_ack_of_an_unreachable_slave),
		Q(test_rate),
		Q(test_back_in_time),
		T(test_replaced),
		T(test_other_port_replaces_nothing),
		G(test_oldest_unreachable_is_forgotten),
		G(test_unreachable_tasks_are_bounded),
		T(test_impossible_report),
		T(test_reported_framework_is_bounded),
		Q(test_alive_after_all),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
