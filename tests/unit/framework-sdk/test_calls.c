/* What the calls of a framework look like to a master. */
#include "tests/unit/framework-sdk/framework.h"

#include <errno.h>

#define SECOND_NS 1000000000ll

/* Waits for the next call of a type and returns it. */
static const struct fl_call *next(struct world *w, enum fl_call_type type)
{
	int before = w->m.n[type];

	DRIVE(w->l, w->m.n[type] > before);
	assert_int_equal(w->m.n[type], before + 1);
	assert_string_equal(master_call(&w->m, type)->framework_id, "framework-1");
	return master_call(&w->m, type);
}

static int set_up(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));

	world_open(w);
	world_subscribe(w, NULL);
	*state = w;
	return 0;
}

static int tear_down(void **state)
{
	world_close(*state);
	free(*state);
	return 0;
}

/* ---- offers ---- */

static void launch_two(struct framework *f, const struct fl_offer *offers, size_t n)
{
	struct fl_command_info command = {.value = "true"};
	struct fl_resource resources[] = {FL_CPUS(500), FL_MEM_MIB(32), FL_DISK_MIB(1)};
	struct fl_task_info tasks[] = {
		{.name = "one", .task_id = "t1", .command = &command, .resources = resources, .n_resources = 3},
		{.name = "two", .task_id = "t2", .slave_id = "elsewhere"},
	};

	f->result = fl_launch(f->s, &offers[0], tasks, 2, 0);
	assert_null(tasks[0].slave_id); /* theirs is left as it is */
}

static void test_launch(void **state)
{
	struct world *w = *state;

	w->f.in_offers = launch_two;
	send_offers(&w->m, 1);
	const struct fl_call_accept *accept = next(w, FL_CALL_ACCEPT)->accept;
	assert_int_equal(w->f.result, 0);
	assert_int_equal(accept->n_offer_ids, 1);
	assert_string_equal(accept->offer_ids[0], "offer-1");
	assert_true(accept->filters->has_refuse_ns);
	assert_int_equal(accept->filters->refuse_ns, 0);
	assert_int_equal(accept->n_operations, 1);
	assert_int_equal(accept->operations[0].type, FL_OPERATION_LAUNCH);
	const struct fl_launch *launch = accept->operations[0].launch;
	assert_int_equal(launch->n_task_infos, 2);
	assert_string_equal(launch->task_infos[0].task_id, "t1");
	assert_string_equal(launch->task_infos[0].slave_id, "slave-1");
	assert_string_equal(launch->task_infos[0].command->value, "true");
	assert_int_equal(launch->task_infos[0].n_resources, 3);
	assert_string_equal(launch->task_infos[0].resources[1].name, "mem");
	assert_int_equal(launch->task_infos[0].resources[1].scalar->value, 32000);
	assert_string_equal(launch->task_infos[1].slave_id, "elsewhere");
}

static void test_launch_of_nothing(void **state)
{
	struct world *w = *state;
	struct fl_offer offer = {.id = "offer-1", .slave_id = "slave-1"};

	assert_int_equal(fl_launch(w->f.s, &offer, NULL, 0, -1), 0);
	const struct fl_call_accept *accept = next(w, FL_CALL_ACCEPT)->accept;
	assert_int_equal(accept->operations[0].launch->n_task_infos, 0);
	assert_null(accept->filters);
}

static void test_accept(void **state)
{
	struct world *w = *state;
	const char *ids[] = {"offer-1", "offer-2"};

	assert_int_equal(fl_accept(w->f.s, ids, 2, NULL, 0, 7 * SECOND_NS), 0);
	const struct fl_call_accept *accept = next(w, FL_CALL_ACCEPT)->accept;
	assert_int_equal(accept->n_offer_ids, 2);
	assert_string_equal(accept->offer_ids[1], "offer-2");
	assert_int_equal(accept->n_operations, 0);
	assert_int_equal(accept->filters->refuse_ns, 7 * SECOND_NS);
}

static void decline_all(struct framework *f, const struct fl_offer *offers, size_t n)
{
	for (size_t i = 0; i < n; i++)
		f->result |= fl_decline(f->s, offers[i].id, 60 * SECOND_NS);
}

static void test_decline(void **state)
{
	struct world *w = *state;

	w->f.in_offers = decline_all;
	send_offers(&w->m, 2);
	DRIVE(w->l, w->m.n[FL_CALL_DECLINE] == 2);
	const struct fl_call_decline *decline = master_call(&w->m, FL_CALL_DECLINE)->decline;
	assert_int_equal(w->f.result, 0);
	assert_int_equal(decline->n_offer_ids, 1);
	assert_string_equal(decline->offer_ids[0], "offer-2");
	assert_int_equal(decline->filters->refuse_ns, 60 * SECOND_NS);
	assert_int_equal(fl_decline(w->f.s, "offer-3", -1), 0);
	assert_null(next(w, FL_CALL_DECLINE)->decline->filters);
}

/* ---- tasks ---- */

static void test_kill(void **state)
{
	struct world *w = *state;

	assert_int_equal(fl_kill(w->f.s, "t", NULL, -1), 0);
	const struct fl_call_kill *call = next(w, FL_CALL_KILL)->kill;
	assert_string_equal(call->task_id, "t");
	assert_null(call->slave_id);
	assert_null(call->kill_policy);
	assert_int_equal(fl_kill(w->f.s, "t", "slave-1", 0), 0);
	call = next(w, FL_CALL_KILL)->kill;
	assert_string_equal(call->slave_id, "slave-1");
	assert_int_equal(call->kill_policy->grace_period->nanoseconds, 0);
}

static void test_reconcile(void **state)
{
	struct world *w = *state;
	struct fl_reconcile_task tasks[] = {{.task_id = "t1"}, {.task_id = "t2", .slave_id = "slave-1"}};

	assert_int_equal(fl_reconcile(w->f.s, tasks, 2), 0);
	const struct fl_call_reconcile *call = next(w, FL_CALL_RECONCILE)->reconcile;
	assert_int_equal(call->n_tasks, 2);
	assert_null(call->tasks[0].slave_id);
	assert_string_equal(call->tasks[1].slave_id, "slave-1");
	assert_int_equal(fl_reconcile(w->f.s, NULL, 0), 0);
	assert_int_equal(next(w, FL_CALL_RECONCILE)->reconcile->n_tasks, 0);
}

static void test_message(void **state)
{
	struct world *w = *state;

	assert_int_equal(fl_message(w->f.s, "slave-1", "executor", "\0\1", 2), 0);
	const struct fl_call_message *call = next(w, FL_CALL_MESSAGE)->message;
	assert_string_equal(call->slave_id, "slave-1");
	assert_string_equal(call->executor_id, "executor");
	assert_int_equal(call->data.size, 2);
	assert_memory_equal(call->data.data, "\0\1", 2);
}

/* ---- roles ---- */

static void come_back(struct world *w)
{
	int before = w->f.n_subscribed;

	master_hang_up(&w->m);
	DRIVE(w->l, w->f.n_subscribed > before);
}

static void test_the_only_role(void **state)
{
	struct world *w = *state;

	assert_int_equal(fl_suppress(w->f.s, NULL, 0), 0);
	assert_int_equal(next(w, FL_CALL_SUPPRESS)->suppress->n_roles, 0);
	come_back(w);
	const struct fl_call_subscribe *subscribe = master_call(&w->m, FL_CALL_SUBSCRIBE)->subscribe;
	assert_int_equal(subscribe->n_suppressed_roles, 1);
	assert_string_equal(subscribe->suppressed_roles[0], "*");
	assert_int_equal(fl_revive(w->f.s, NULL, 0), 0);
	assert_int_equal(next(w, FL_CALL_REVIVE)->revive->n_roles, 0);
	come_back(w);
	assert_int_equal(master_call(&w->m, FL_CALL_SUBSCRIBE)->subscribe->n_suppressed_roles, 0);
}

static void expect_suppressed(struct world *w, const char *first, const char *second)
{
	come_back(w);
	const struct fl_call_subscribe *subscribe = master_call(&w->m, FL_CALL_SUBSCRIBE)->subscribe;
	assert_int_equal(subscribe->n_suppressed_roles, !!first + !!second);
	if (first)
		assert_string_equal(subscribe->suppressed_roles[0], first);
	if (second)
		assert_string_equal(subscribe->suppressed_roles[1], second);
}

static void test_several_roles(void **state)
{
	struct world w;
	struct fl_framework_capability capability = {FL_CAPABILITY_MULTI_ROLE};
	const char *roles[] = {"a", "b", "c"}, *b[] = {"b"}, *ca[] = {"c", "a"}, *unknown[] = {"d"};
	struct fl_framework_info info = {
		.name = "test", .roles = roles, .n_roles = 3, .capabilities = &capability, .n_capabilities = 1};
	struct fl_scheduler_options options = {.framework = &info};

	world_open(&w);
	world_subscribe(&w, &options);
	assert_int_equal(fl_suppress(w.f.s, ca, 2), 0);
	const struct fl_call_roles *call = next(&w, FL_CALL_SUPPRESS)->suppress;
	assert_int_equal(call->n_roles, 2);
	assert_string_equal(call->roles[0], "c");
	expect_suppressed(&w, "a", "c");
	assert_int_equal(fl_revive(w.f.s, ca, 1), 0);
	assert_int_equal(fl_suppress(w.f.s, b, 1), 0);
	assert_int_equal(fl_suppress(w.f.s, unknown, 1),
	                 0); /* the master's to judge; would end the next subscription */
	expect_suppressed(&w, "a", "b");
	assert_int_equal(fl_revive(w.f.s, NULL, 0), 0);
	expect_suppressed(&w, NULL, NULL);
	world_close(&w);
}

/* ---- mistakes ---- */

static void test_not_subscribed(void **state)
{
	struct world w;
	struct fl_offer offer = {.id = "o", .slave_id = "s"};
	struct fl_task_info task = {.name = "t", .task_id = "t"};
	struct fl_task_status status = {.task_id = "t", .state = FL_TASK_RUNNING};

	world_open(&w);
	w.m.hidden = true;
	framework_open(&w.f, w.l, w.m.address, NULL);
	fl_scheduler *s = w.f.s;
	assert_int_equal(fl_launch(s, &offer, &task, 1, 0), -ENOTCONN);
	assert_int_equal(fl_accept(s, &offer.id, 1, NULL, 0, 0), -ENOTCONN);
	assert_int_equal(fl_decline(s, "o", 0), -ENOTCONN);
	assert_int_equal(fl_revive(s, NULL, 0), -ENOTCONN);
	assert_int_equal(fl_suppress(s, NULL, 0), -ENOTCONN);
	assert_int_equal(fl_kill(s, "t", NULL, 0), -ENOTCONN);
	assert_int_equal(fl_acknowledge(s, &status), -ENOTCONN);
	assert_int_equal(fl_reconcile(s, NULL, 0), -ENOTCONN);
	assert_int_equal(fl_message(s, "s", "e", "", 0), -ENOTCONN);
	assert_int_equal(fl_teardown(s), -ENOTCONN);
	assert_string_equal(fl_scheduler_error(s), "not subscribed to a master");
	/* None of it is remembered. */
	w.m.hidden = false;
	DRIVE(w.l, w.f.n_subscribed == 1);
	assert_int_equal(master_call(&w.m, FL_CALL_SUBSCRIBE)->subscribe->n_suppressed_roles, 0);
	world_close(&w);
}

/* A caller's mistake is an error of that call; the connection does not suffer. */
static void test_calls_that_cannot_be_sent(void **state)
{
	struct world *w = *state;
	size_t size = CONN_MAX_FRAME + 1;
	_cleanup_free_ char *large = xcalloc(1, size);
	struct fl_offer offer = {.id = "o", .slave_id = "s"};
	struct fl_task_info task = {.name = "t", .task_id = "caf\xe9"};

	assert_int_equal(fl_message(w->f.s, "slave-1", "e", large, size), -EMSGSIZE);
	assert_non_null(strstr(fl_scheduler_error(w->f.s), "use several calls"));
	assert_int_equal(fl_launch(w->f.s, &offer, &task, 1, 0), -EINVAL);
	assert_non_null(strstr(fl_scheduler_error(w->f.s), "task_id"));
	assert_int_equal(fl_kill(w->f.s, NULL, NULL, 0), -EINVAL);
	assert_int_equal(fl_message(w->f.s, "slave-1", "e", large, size - 1000), 0);
	assert_int_equal(next(w, FL_CALL_MESSAGE)->message->data.size, size - 1000);
	assert_true(fl_subscribed(w->f.s));
	assert_int_equal(w->m.n[FL_CALL_ACCEPT] + w->m.n[FL_CALL_KILL], 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_launch, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_launch_of_nothing, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_accept, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_decline, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_kill, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_reconcile, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_message, set_up, tear_down),
		cmocka_unit_test_setup_teardown(test_the_only_role, set_up, tear_down),
		cmocka_unit_test(test_several_roles),
		cmocka_unit_test(test_not_subscribed),
		cmocka_unit_test_setup_teardown(test_calls_that_cannot_be_sent, set_up, tear_down),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
