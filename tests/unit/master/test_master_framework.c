/* Frameworks: subscribing, failing over, leaving. */
#include "fixture.h"
#include "master/framework.h"

static const char *subscription_error(struct cluster *c, struct fake_framework *f)
{
	const char *text;

	f->link = fake_connect(c, FL_PEER_FRAMEWORK);
	framework_send_subscribe(f);
	text = framework_await(f, FL_EVENT_ERROR)->error->message;
	AWAIT(c, f->link->closed);
	return text;
}

static void test_ids(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c), g = new_framework(c), h = {.info = framework_info(), .id = ""};

	assert_string_not_equal(f.id, g.id);
	framework_subscribe(c, &h); /* an empty id is none */
	assert_true(strlen(h.id) > 36);
}

static void test_subscription_errors(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = {.info = framework_info()};

	f.info.role = "a b";
	assert_non_null(strstr(subscription_error(c, &f), "is not valid"));
	f.info.role = "*";
	f.suppressed[0] = "other";
	f.n_suppressed = 1;
	assert_non_null(strstr(subscription_error(c, &f), "suppressed"));
}

static void test_ids_differ(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = {.info = framework_info(), .link = fake_connect(c, FL_PEER_FRAMEWORK)};
	struct fl_call_subscribe subscribe = {.framework_info = &f.info};
	struct fl_call call = {.type = FL_CALL_SUBSCRIBE, .subscribe = &subscribe, .framework_id = "x"};

	f.info.id = "y";
	peer_send(f.link->peer, MSG_call, &call);
	assert_non_null(strstr(framework_await(&f, FL_EVENT_ERROR)->error->message, "differ"));
}

static void test_subscribe_without_body(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = {.link = fake_connect(c, FL_PEER_FRAMEWORK)};

	framework_call(&f, &(struct fl_call){.type = FL_CALL_SUBSCRIBE});
	framework_await(&f, FL_EVENT_ERROR);
}

/* Calls without a body, of strangers, or of no use are logged and do nothing else. */
static void test_senseless_calls(void **state)
{
	static const enum fl_call_type types[] = {FL_CALL_ACCEPT,      FL_CALL_DECLINE,   FL_CALL_KILL,
	                                          FL_CALL_ACKNOWLEDGE, FL_CALL_RECONCILE, FL_CALL_MESSAGE};
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c), stranger = {.link = fake_connect(c, FL_PEER_FRAMEWORK), .id = f.id};
	struct fl_call_message message = {.slave_id = "s", .executor_id = "e", .data = {(const uint8_t *)"", 0}};

	for (size_t i = 0; i < ARRAY_SIZE(types); i++)
		framework_call(&f, &(struct fl_call){.type = types[i]});
	framework_call(&f, &(struct fl_call){.type = FL_CALL_MESSAGE, .message = &message});
	framework_call(&stranger, &(struct fl_call){.type = FL_CALL_TEARDOWN});
	fence(&f);
	assert_false(f.link->closed);
	assert_false(stranger.link->closed);
}

static void test_failover(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c), heir = f;
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "n");
	const char *offer;
	struct fl_task_info task;

	launch(c, &f, &s, "t", "cpus:1;mem:100");
	slave_update(&s, f.id, "t", FL_TASK_RUNNING, FL_TASK_RUNNING, 9);
	framework_await_update(&f, "t");
	offer = framework_await_offer(&f)->id;
	framework_subscribe(c, &heir);
	assert_string_equal(heir.id, f.id);
	framework_await(&f, FL_EVENT_ERROR);
	AWAIT(c, f.link->closed);
	/* What was not acknowledged is said again; the old offers are worth nothing, their resources are offered anew. */
	assert_int_equal(framework_await_update(&heir, "t")->uuid.data[0], 9);
	assert_string_not_equal(framework_await_offer(&heir)->id, offer);
	task = task_info(c, "u", s.id, "cpus:1;mem:100");
	framework_accept(&heir, &offer, 1, &task, 1, 0);
	assert_int_equal(framework_await_update(&heir, "u")->state, FL_TASK_DROPPED);
}

static void test_resume(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c);
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "n");
	const char *id = f.id;

	launch_running(c, &f, &s, "t", "cpus:1;mem:100");
	fake_hang_up(f.link);
	slave_update(&s, f.id, "t", FL_TASK_FAILED, FL_TASK_FAILED, 2); /* while it is away */
	framework_come_back(c, &f);
	assert_string_equal(f.id, id);
	assert_int_equal(framework_await_update(&f, "t")->state, FL_TASK_FAILED);
	framework_ack(&f, s.id, "t", 2);
	fake_await(s.link, MSG_status_ack, NULL, NULL);
}

static void test_failover_timeout(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = {.info = framework_info()};
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "n");
	const struct fl_shutdown_framework *order;

	f.info.failover_timeout_ns = 100000000;
	framework_subscribe(c, &f);
	launch_running(c, &f, &s, "t", "cpus:1;mem:100");
	fake_hang_up(f.link);
	order = fake_await(s.link, MSG_shutdown_framework, NULL, NULL);
	assert_string_equal(order->framework_id, f.id);
	assert_int_equal(order->epoch->term, s.epoch->term);
	assert_non_null(strstr(subscription_error(c, &f), "removed"));
}

static void test_teardown(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c), g = new_framework(c);
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "n");
	const struct fl_status_ack *ack;

	launch_running(c, &f, &s, "t", "cpus:4;mem:1024");
	framework_call(&f, &(struct fl_call){.type = FL_CALL_TEARDOWN});
	fake_await(s.link, MSG_shutdown_framework, NULL, NULL);
	AWAIT(c, f.link->closed);
	fence(&g);
	assert_null(framework_look(&g, FL_EVENT_OFFERS)); /* the task still holds what it has */
	slave_update(&s, f.id, "t", FL_TASK_KILLED, FL_TASK_KILLED, 2);
	ack = fake_await(s.link, MSG_status_ack, NULL, NULL); /* by the master itself */
	assert_int_equal(ack->uuid.data[0], 2);
	assert_int_equal(framework_await_offer(&g)->resources[0].scalar->value, 4000);
}

/* However many tasks it has there, a slave hears it once. */
static void test_teardown_of_many(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c), g = new_framework(c);
	struct fake_slave s[2];
	struct fl_task_info tasks[3];
	const char *offer;

	framework_call(&g, &(struct fl_call){.type = FL_CALL_SUPPRESS});
	fence(&g);
	for (int i = 0; i < 2; i++) {
		s[i] = new_slave(c, "cpus:4;mem:1024", i ? "n1" : "n0");
		offer = framework_await_offer(&f)->id;
		for (int k = 0; k < 3; k++)
			tasks[k] = task_info(c, zone_printf(c->zone, "t%d-%d", i, k), s[i].id, "cpus:1;mem:100");
		framework_accept(&f, &offer, 1, tasks, 3, 3600000);
		fake_await(s[i].link, MSG_run_task, NULL, NULL);
	}
	framework_call(&f, &(struct fl_call){.type = FL_CALL_TEARDOWN});
	AWAIT(c, f.link->closed);
	fence(&g);
	for (int i = 0; i < 2; i++) {
		fake_await(s[i].link, MSG_shutdown_framework, NULL, NULL);
		assert_null(fake_look(s[i].link, MSG_shutdown_framework, NULL, NULL));
	}
}

/* A slave that was away during the teardown still has the task. */
static void test_late_task_of_removed(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c);
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "n");
	struct fl_task task;

	launch_running(c, &f, &s, "t", "cpus:1;mem:100");
	fake_hang_up(s.link);
	framework_call(&f, &(struct fl_call){.type = FL_CALL_TEARDOWN});
	AWAIT(c, f.link->closed);
	task = report_of(c, f.id, "t", s.id, FL_TASK_RUNNING, "cpus:1;mem:100");
	slave_come_back(c, &s, &task, 1, NULL, 0);
	assert_string_equal(
		((const struct fl_shutdown_framework *)fake_await(s.link, MSG_shutdown_framework, NULL, NULL))
			->framework_id,
		f.id);
	slave_update(&s, f.id, "t", FL_TASK_KILLED, FL_TASK_KILLED, 2);
	fake_await(s.link, MSG_status_ack, NULL, NULL);
}

static void test_ring_of_removed(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f[4];

	set_option(c, "max_completed_frameworks", "2");
	start_master(c);
	for (int i = 0; i < 4; i++) {
		f[i] = new_framework(c);
		framework_call(&f[i], &(struct fl_call){.type = FL_CALL_TEARDOWN});
		AWAIT(c, f[i].link->closed);
	}
	assert_non_null(strstr(subscription_error(c, &f[3]), "removed"));
	AWAIT(c, !framework_find(c->master, f[0].id));
	framework_come_back(c, &f[0]); /* forgotten: its id may live again */
}

static void test_roles_change(void **state)
{
	static struct fl_framework_capability multi[] = {{.type = FL_CAPABILITY_MULTI_ROLE}};
	static const char *ab[] = {"a", "b"}, *b[] = {"b"};
	struct cluster *c = *state;
	struct fake_framework f = {.info = framework_info()};
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "n");

	f.info.capabilities = multi;
	f.info.n_capabilities = 1;
	f.info.roles = ab;
	f.info.n_roles = 2;
	f.suppressed[0] = "b";
	f.n_suppressed = 1;
	framework_subscribe(c, &f);
	launch(c, &f, &s, "t", "cpus:1;mem:100"); /* in role a */
	f.info.roles = b;
	f.info.n_roles = 1;
	f.n_suppressed = 0;
	framework_come_back(c, &f);
	assert_string_equal(framework_await_offer(&f)->allocation_info->role, "b");
	slave_update(&s, f.id, "t", FL_TASK_FINISHED, FL_TASK_FINISHED, 1);
	assert_int_equal(framework_await_update(&f, "t")->state, FL_TASK_FINISHED);
}

static void test_principal_must_not_change(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = {.info = framework_info()};

	f.info.principal = "me";
	framework_subscribe(c, &f);
	fake_free(f.link);
	f.info.principal = "you";
	assert_non_null(strstr(subscription_error(c, &f), "principal"));
}

/* Two frameworks share what there is (two slaves, one each). */
static void test_fair(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c), g = new_framework(c);
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "n");
	struct fl_call_roles none = {0};

	launch(c, &f, &s, "t", "cpus:4;mem:1024");
	framework_call(&f, &(struct fl_call){.type = FL_CALL_REVIVE, .revive = &none});
	new_slave(c, "cpus:4;mem:1024", "m");
	framework_await_offer(&g);
	fence(&f);
	assert_null(framework_look(&f, FL_EVENT_OFFERS));
}

/* Roles come and go; what is left behind and holds nothing is forgotten. */
static void test_roles_do_not_gather(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = {.info = framework_info()};
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "n");
	struct client *client;
	size_t n = 0;

	f.info.role = "first";
	framework_subscribe(c, &f);
	launch_running(c, &f, &s, "t", "cpus:1;mem:100");
	for (int i = 0; i < 10; i++) {
		f.info.role = zone_printf(c->zone, "role-%d", i);
		framework_come_back(c, &f);
	}
	LIST_FOREACH (client, &framework_find(c->master, f.id)->clients, struct client, node)
		n += client->role != NULL;
	assert_int_equal(n, 2); /* the last one, and the one that the task is in */
}

static void test_impossible_subscriptions(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = {.info = framework_info()};
	struct fl_call_subscribe subscribe = {.framework_info = &f.info};
	char run[200];

	f.info.role = "1/2/3/4/5/6/7/8/9/10/11/12/13/14/15/16/17/18/19/20/21/22/23/24/25/26/27/28/29/30/31/32/33";
	assert_non_null(strstr(subscription_error(c, &f), "levels"));
	f.info.role = NULL;
	memset(run, 'x', sizeof(run));
	run[sizeof(run) - 1] = '\0';
	subscribe.run = run;
	f.link = fake_connect(c, FL_PEER_FRAMEWORK);
	framework_call(&f, &(struct fl_call){.type = FL_CALL_SUBSCRIBE, .subscribe = &subscribe});
	assert_non_null(strstr(framework_await(&f, FL_EVENT_ERROR)->error->message, "run"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, started_setup, cluster_teardown)
		T(test_ids),
		T(test_subscription_errors),
		T(test_ids_differ),
		T(test_subscribe_without_body),
		T(test_senseless_calls),
		T(test_failover),
		T(test_resume),
		T(test_failover_timeout),
		T(test_teardown),
		T(test_teardown_of_many),
		T(test_late_task_of_removed),
		cmocka_unit_test_setup_teardown(test_ring_of_removed, cluster_setup, cluster_teardown),
		T(test_roles_change),
		T(test_principal_must_not_change),
		T(test_fair),
		T(test_roles_do_not_gather),
		T(test_impossible_subscriptions),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
