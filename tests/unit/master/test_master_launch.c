/* The way of an offer, a launch, an update and its acknowledgement. */
#include "fixture.h"

static void test_register(void **state)
{
	struct cluster *c = *state;
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "nonce-1");

	assert_true(strstr(s.id, "-S0") != NULL);
	assert_true(s.epoch->term >= 1);
}

static void test_subscribe_and_offer(void **state)
{
	struct cluster *c = *state;
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024;ports:[31000-32000]", "nonce-1");
	struct fake_framework f = new_framework(c);
	const struct fl_offer *o = framework_await_offer(&f);
	struct resources r = {0};

	assert_true(strstr(f.id, "-0000") != NULL);
	assert_true(strstr(o->id, "-O0") != NULL);
	assert_string_equal(o->framework_id, f.id);
	assert_string_equal(o->slave_id, s.id);
	assert_string_equal(o->hostname, "host.example");
	assert_string_equal(o->url->address->ip, "127.0.0.1");
	assert_int_equal(o->url->address->port, 5051);
	assert_null(o->allocation_info);
	assert_null(o->resources[0].allocation_info);
	assert_int_equal(resources_from_wire(o->resources, o->n_resources, &r, NULL), 0);
	assert_int_equal(resources_scalar(&r, "cpus"), 4000);
	assert_int_equal(resources_scalar(&r, "mem"), 1024000);
	resources_fini(&r);
}

static void test_multi_role_offer_names_its_role(void **state)
{
	static struct fl_framework_capability multi[] = {{.type = FL_CAPABILITY_MULTI_ROLE}};
	static const char *roles[] = {"dev/web"};
	struct cluster *c = *state;
	struct fake_framework f = {.info = framework_info()};
	const struct fl_offer *o;

	new_slave(c, "cpus:4;mem:1024", "n");
	f.info.capabilities = multi;
	f.info.n_capabilities = 1;
	f.info.roles = roles;
	f.info.n_roles = 1;
	framework_subscribe(c, &f);
	o = framework_await_offer(&f);
	assert_string_equal(o->allocation_info->role, "dev/web");
	assert_string_equal(o->resources[0].allocation_info->role, "dev/web");
}

static void test_launch_to_the_end(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c);
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "n");
	const struct fl_offer *o = framework_await_offer(&f);
	const char *offer = o->id;
	struct fl_task_info task = task_info(c, "t1", s.id, "cpus:1;mem:128");
	const struct fl_run_task *run;
	const struct fl_task_status *status;
	const struct fl_status_ack *ack;

	framework_accept(&f, &offer, 1, &task, 1, 0);
	run = fake_await(s.link, MSG_run_task, NULL, NULL);
	assert_string_equal(run->epoch->incarnation, s.epoch->incarnation);
	assert_int_equal(run->epoch->term, s.epoch->term);
	assert_string_equal(run->framework->id, f.id);
	assert_string_equal(run->task->task_id, "t1");
	assert_string_equal(run->role, "*");
	o = framework_await_offer(&f); /* the rest, 100 ms later */
	assert_int_equal(o->resources[0].scalar->value, 3000);

	slave_update(&s, f.id, "t1", FL_TASK_RUNNING, FL_TASK_RUNNING, 7);
	status = framework_await_update(&f, "t1");
	assert_int_equal(status->state, FL_TASK_RUNNING);
	assert_int_equal(status->uuid.size, 16);
	assert_string_equal(status->slave_id, s.id);
	framework_ack(&f, s.id, "t1", 7);
	ack = fake_await(s.link, MSG_status_ack, NULL, NULL);
	assert_string_equal(ack->framework_id, f.id);
	assert_string_equal(ack->task_id, "t1");
	assert_int_equal(ack->uuid.data[0], 7);
	assert_int_equal(ack->epoch->term, s.epoch->term);

	slave_update(&s, f.id, "t1", FL_TASK_FINISHED, FL_TASK_FINISHED, 8);
	assert_int_equal(framework_await_update(&f, "t1")->state, FL_TASK_FINISHED);
	assert_int_equal(framework_await_offer(&f)->resources[0].scalar->value, 1000); /* free at once */
	framework_ack(&f, s.id, "t1", 8);
	fake_await(s.link, MSG_status_ack, NULL, NULL);
}

/* The head of the stream is old, the latest state is terminal: the resources are free at once (rule 75). */
static void test_latest_state_frees(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c);
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "n");

	launch(c, &f, &s, "t1", "cpus:4;mem:1024");
	slave_update(&s, f.id, "t1", FL_TASK_RUNNING, FL_TASK_FAILED, 1);
	assert_int_equal(framework_await_update(&f, "t1")->state, FL_TASK_RUNNING);
	assert_int_equal(framework_await_offer(&f)->resources[0].scalar->value, 4000);
}

static void test_several_tasks_one_invalid(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c);
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "n");
	const char *offer = framework_await_offer(&f)->id;
	struct fl_task_info tasks[] = {task_info(c, "a", s.id, "cpus:3;mem:128"),
	                               task_info(c, "b", s.id, "cpus:3;mem:128"), task_info(c, "a", s.id, "cpus:0.5"),
	                               task_info(c, "c", s.id, "cpus:1;mem:128")};
	const struct fl_task_status *status;

	framework_accept(&f, &offer, 1, tasks, 4, 0);
	status = framework_await_update(&f, "b");
	assert_int_equal(status->state, FL_TASK_ERROR);
	assert_int_equal(status->source, FL_SOURCE_MASTER);
	assert_int_equal(status->reason, FL_REASON_TASK_INVALID);
	assert_string_equal(status->slave_id, s.id);
	assert_null(status->uuid.data);
	assert_non_null(strstr(status->message, "cpus:3"));
	status = framework_await_update(&f, "a");
	assert_int_equal(status->state, FL_TASK_ERROR);
	assert_non_null(strstr(status->message, "in use"));
	assert_string_equal(((const struct fl_run_task *)fake_await(s.link, MSG_run_task, NULL, NULL))->task->task_id,
	                    "a");
	assert_string_equal(((const struct fl_run_task *)fake_await(s.link, MSG_run_task, NULL, NULL))->task->task_id,
	                    "c");
}

static void test_operation_id_on_launch(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c);
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "n");
	const char *offer = framework_await_offer(&f)->id;
	struct fl_task_info task = task_info(c, "a", s.id, "cpus:3;mem:128");
	struct fl_launch body = {.task_infos = &task, .n_task_infos = 1};
	struct fl_operation op = {.type = FL_OPERATION_LAUNCH, .id = "op", .launch = &body};
	struct fl_call_accept accept = {.offer_ids = &offer, .n_offer_ids = 1, .operations = &op, .n_operations = 1};

	framework_call(&f, &(struct fl_call){.type = FL_CALL_ACCEPT, .accept = &accept});
	assert_int_equal(framework_await_update(&f, "a")->state, FL_TASK_ERROR);
}

static void assert_invalid_offers(struct fake_framework *f, const char *task_id)
{
	const struct fl_task_status *status = framework_await_update(f, task_id);

	assert_int_equal(status->state, FL_TASK_DROPPED);
	assert_int_equal(status->reason, FL_REASON_INVALID_OFFERS);
	assert_int_equal(status->source, FL_SOURCE_MASTER);
	assert_null(status->uuid.data);
}

static void test_invalid_offers(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c);
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "n");
	const char *offer = framework_await_offer(&f)->id;
	const char *unknown[] = {offer, "no-such-offer"}, *twice[2];
	struct fl_task_info task = task_info(c, "a", s.id, "cpus:3;mem:128");

	framework_accept(&f, unknown, 2, &task, 1, 60000);
	assert_invalid_offers(&f, "a");
	offer = framework_await_offer(&f)->id; /* discarded without a filter */
	twice[0] = twice[1] = offer;
	framework_accept(&f, twice, 2, &task, 1, 60000);
	assert_invalid_offers(&f, "a");
	offer = framework_await_offer(&f)->id;
	framework_accept(&f, NULL, 0, &task, 1, 60000);
	assert_invalid_offers(&f, "a");
	framework_accept(&f, &offer, 1, &task, 1, 0);
	fake_await(s.link, MSG_run_task, NULL, NULL);
	task.task_id = "b";
	framework_accept(&f, &offer, 1, &task, 1, 0); /* used before */
	assert_invalid_offers(&f, "b");
}

/* The same ACCEPT once more does not end what it launched. */
static void test_repeated_accept(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c);
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "n");
	const char *offer = framework_await_offer(&f)->id;
	struct fl_task_info task = task_info(c, "a", s.id, "cpus:3;mem:128");

	framework_accept(&f, &offer, 1, &task, 1, 60000);
	framework_accept(&f, &offer, 1, &task, 1, 60000);
	fence(&f);
	fake_await(s.link, MSG_run_task, NULL, NULL);
	assert_null(fake_look(s.link, MSG_run_task, NULL, NULL));
	assert_null(fake_look(f.link, MSG_event, is_update_of, "a"));
}

static void test_offers_of_two_slaves(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c);
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "n1"), other = new_slave(c, "cpus:4;mem:1024", "n2");
	const char *offers[] = {framework_await_offer(&f)->id, framework_await_offer(&f)->id};
	struct fl_task_info task = task_info(c, "a", s.id, "cpus:3;mem:128");

	assert_string_not_equal(s.id, other.id);
	framework_accept(&f, offers, 2, &task, 1, 0);
	assert_invalid_offers(&f, "a");
}

static void test_another_frameworks_offer(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c);
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "n1");
	const char *offer = framework_await_offer(&f)->id;
	struct fake_framework thief = new_framework(c);
	struct fl_task_info task = task_info(c, "a", s.id, "cpus:3;mem:128");

	framework_accept(&thief, &offer, 1, &task, 1, 0);
	assert_invalid_offers(&thief, "a");
	framework_decline(&thief, offer, 0);
	framework_accept(&f, &offer, 1, &task, 1, 0);
	fake_await(s.link, MSG_run_task, NULL, NULL);
}

static void test_combined_offers(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c);
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "n1");
	const char *offers[2];
	struct fl_task_info task = task_info(c, "big", s.id, "cpus:4;mem:1000");

	launch(c, &f, &s, "small", "cpus:2;mem:512");
	offers[0] = framework_await_offer(&f)->id;
	slave_update(&s, f.id, "small", FL_TASK_FINISHED, FL_TASK_FINISHED, 1);
	offers[1] = framework_await_offer(&f)->id;
	framework_accept(&f, offers, 2, &task, 1, 0);
	fake_await(s.link, MSG_run_task, NULL, NULL);
}

static void test_lost_instead_of_dropped(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = {.info = framework_info()};
	const char *offer = "none";
	struct fl_task_info task = task_info(c, "a", "nowhere", "cpus:1");

	f.info.n_capabilities = 0;
	framework_subscribe(c, &f);
	framework_accept(&f, &offer, 1, &task, 1, 0);
	assert_int_equal(framework_await_update(&f, "a")->state, FL_TASK_LOST);
}

/* Nothing to do but to decline: it counts as such, with its filter. */
static void test_accept_without_operations(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c);
	const char *offer;

	new_slave(c, "cpus:4;mem:1024", "n1");
	offer = framework_await_offer(&f)->id;
	framework_accept(&f, &offer, 1, NULL, 0, 3600000);
	fence(&f);
	assert_null(framework_look(&f, FL_EVENT_OFFERS));
	framework_call(&f, &(struct fl_call){.type = FL_CALL_REVIVE});
	framework_await_offer(&f);
}

/* The name of a task that has ended may be used again: then it is a launch like any other, and is answered. */
static void test_name_of_an_ended_task(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c);
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "n");
	struct fl_task_info task = task_info(c, "t", s.id, "cpus:1;mem:100");
	const char *bad = "no-such-offer";

	launch_running(c, &f, &s, "t", "cpus:1;mem:100");
	slave_update(&s, f.id, "t", FL_TASK_FINISHED, FL_TASK_FINISHED, 2);
	framework_await_update(&f, "t");
	framework_ack(&f, s.id, "t", 2);
	fake_await(s.link, MSG_status_ack, NULL, NULL);
	framework_accept(&f, &bad, 1, &task, 1, 0);
	assert_int_equal(framework_await_update(&f, "t")->state, FL_TASK_DROPPED);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, started_setup, cluster_teardown)
		T(test_register),
		T(test_subscribe_and_offer),
		T(test_multi_role_offer_names_its_role),
		T(test_launch_to_the_end),
		T(test_latest_state_frees),
		T(test_several_tasks_one_invalid),
		T(test_operation_id_on_launch),
		T(test_invalid_offers),
		T(test_repeated_accept),
		T(test_offers_of_two_slaves),
		T(test_another_frameworks_offer),
		T(test_combined_offers),
		T(test_lost_instead_of_dropped),
		T(test_accept_without_operations),
		T(test_name_of_an_ended_task),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
