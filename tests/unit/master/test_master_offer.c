/* How offers end, and what keeps them calm. */
#include "fixture.h"

static int64_t now(struct cluster *c)
{
	return loop_now_ms(c->loop);
}

static void test_decline_hides_for_so_long(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c);
	const char *offer;
	int64_t then;

	new_slave(c, "cpus:4;mem:1024", "n");
	offer = framework_await_offer(&f)->id;
	then = now(c);
	framework_decline(&f, offer, 400);
	assert_string_not_equal(framework_await_offer(&f)->id, offer);
	assert_true(now(c) - then >= 400);
	assert_true(now(c) - then < 3000);
}

static void test_refuse_zero_is_100_ms(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c);
	const char *offer;
	int64_t then;

	new_slave(c, "cpus:4;mem:1024", "n");
	offer = framework_await_offer(&f)->id;
	then = now(c);
	framework_decline(&f, offer, 0);
	framework_await_offer(&f);
	assert_true(now(c) - then >= 100);
	assert_true(now(c) - then < 2000);
}

/* What one refuses another gets at once. */
static void test_decline_passes_on(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c), g;
	const char *offer;

	new_slave(c, "cpus:4;mem:1024", "n");
	offer = framework_await_offer(&f)->id;
	g = new_framework(c);
	framework_decline(&f, offer, 3600000);
	assert_string_equal(framework_await_offer(&g)->framework_id, g.id);
	fence(&f);
	assert_null(framework_look(&f, FL_EVENT_OFFERS));
}

/* More than was refused is offered before the filter ends (rule 33). */
static void test_more_than_refused(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c);
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "n");
	const char *offer;

	launch(c, &f, &s, "t", "cpus:2;mem:512");
	offer = framework_await_offer(&f)->id;
	framework_decline(&f, offer, 3600000);
	fence(&f);
	assert_null(framework_look(&f, FL_EVENT_OFFERS));
	slave_update(&s, f.id, "t", FL_TASK_FINISHED, FL_TASK_FINISHED, 1);
	assert_int_equal(framework_await_offer(&f)->resources[0].scalar->value, 4000);
}

static void test_decline_unknown(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c);
	const char *ids[2] = {"unknown"};
	struct fl_filters filters = {.has_refuse_ns = true};
	struct fl_call_decline decline = {.offer_ids = ids, .n_offer_ids = 2, .filters = &filters};

	new_slave(c, "cpus:4;mem:1024", "n");
	ids[1] = framework_await_offer(&f)->id;
	framework_call(&f, &(struct fl_call){.type = FL_CALL_DECLINE, .decline = &decline});
	framework_await_offer(&f); /* the other was handled */
}

/* Two offers of one slave, declined together: their filter is over both, or they would come back as one at once. */
static void test_decline_several_of_one_slave(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c);
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "n");
	const char *ids[2];
	struct fl_filters filters = {.has_refuse_ns = true, .refuse_ns = INT64_C(3600) * 1000000000};
	struct fl_call_decline decline = {.offer_ids = ids, .n_offer_ids = 2, .filters = &filters};

	launch(c, &f, &s, "t", "cpus:2;mem:512");
	ids[0] = framework_await_offer(&f)->id;
	slave_update(&s, f.id, "t", FL_TASK_FINISHED, FL_TASK_FINISHED, 1);
	ids[1] = framework_await_offer(&f)->id;
	framework_call(&f, &(struct fl_call){.type = FL_CALL_DECLINE, .decline = &decline});
	fence(&f);
	assert_null(framework_look(&f, FL_EVENT_OFFERS));
}

static void test_expiry(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f, g;
	const char *offer;

	set_option(c, "offer_timeout", "200ms");
	start_master(c);
	f = new_framework(c);
	new_slave(c, "cpus:4;mem:1024", "n");
	offer = framework_await_offer(&f)->id;
	assert_string_equal(framework_await(&f, FL_EVENT_RESCIND)->rescind->offer_id, offer);
	fence(&f);
	assert_null(framework_look(&f, FL_EVENT_OFFERS)); /* a filter of 5 s */
	g = new_framework(c);
	framework_await_offer(&g);
}

static void test_suppress_and_revive(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c);
	const char *strange = "strange";
	struct fl_call_roles roles = {.roles = &strange, .n_roles = 1};

	framework_call(&f, &(struct fl_call){.type = FL_CALL_SUPPRESS});
	fence(&f);
	new_slave(c, "cpus:4;mem:1024", "n");
	fence(&f);
	assert_null(framework_look(&f, FL_EVENT_OFFERS));
	framework_call(&f, &(struct fl_call){.type = FL_CALL_REVIVE, .revive = &roles}); /* not its role: dropped */
	fence(&f);
	assert_null(framework_look(&f, FL_EVENT_OFFERS));
	framework_call(&f, &(struct fl_call){.type = FL_CALL_REVIVE});
	framework_await_offer(&f);
}

static void test_subscribed_suppressed(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = {.info = framework_info(), .suppressed = {"*"}, .n_suppressed = 1};

	new_slave(c, "cpus:4;mem:1024", "n");
	framework_subscribe(c, &f);
	fence(&f);
	assert_null(framework_look(&f, FL_EVENT_OFFERS));
	f.n_suppressed = 0;
	framework_come_back(c, &f); /* the new set is complete: nothing is suppressed */
	framework_await_offer(&f);
}

static void test_rescind_on_disconnect(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c);
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "n");
	const char *offer = framework_await_offer(&f)->id;

	fake_hang_up(s.link);
	assert_string_equal(framework_await(&f, FL_EVENT_RESCIND)->rescind->offer_id, offer);
	slave_come_back(c, &s, NULL, 0, NULL, 0);
	framework_await_offer(&f);
}

static void test_many_slaves_in_few_events(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f;
	size_t n = 0;
	char nonce[16];

	for (int i = 0; i < 20; i++) {
		snprintf(nonce, sizeof(nonce), "n%d", i);
		new_slave(c, "cpus:1;mem:64", nonce);
	}
	f = new_framework(c);
	while (n < 20) {
		const struct fl_event *e = framework_await(&f, FL_EVENT_OFFERS);

		assert_true(codec_size(&rec_event, e) <= 256 << 10);
		n += e->offers->n_offers;
	}
	assert_int_equal(n, 20);
}

static void test_min_allocatable_and_weights(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f;

	set_option(c, "min_allocatable", "cpus:1|mem:512");
	set_option(c, "weights", "prod=2,batch/low=0.5");
	start_master(c);
	f = new_framework(c);
	new_slave(c, "cpus:0.5;mem:256", "small");
	fence(&f);
	assert_null(framework_look(&f, FL_EVENT_OFFERS));
	new_slave(c, "cpus:0.5;mem:512", "enough");
	assert_int_equal(framework_await_offer(&f)->resources[1].scalar->value, 512000);
}

static void test_bad_options(void **state)
{
	static const struct {
		const char *name, *value, *words;
	} rows[] = {
		{"weights", "prod", "ROLE=WEIGHT"},       {"weights", "prod=0", "must be"},
		{"weights", "a//b=1", "is not a role"},   {"min_allocatable", "cpus", "--min_allocatable"},
		{"registry", "", "--registry is needed"}, {"registry", "host:5050", "--registry"},
		{"ip", "0.0.0.0", "told to others"},      {"ip", "somewhere", "is not an address"},
	};
	struct cluster *c = *state;
	struct err err = {0};

	for (size_t i = 0; i < ARRAY_SIZE(rows); i++) {
		_cleanup_free_ char *before = NULL;
		struct buf old = {0};

		for (size_t k = 0; k < master_conf_table.n_opts; k++)
			if (strcmp(master_conf_table.opts[k].name, rows[i].name) == 0)
				conf_print(&master_conf_table, &c->conf, k, &old);
		before = xstrdup(buf_cstr(&old));
		buf_fini(&old);
		set_option(c, rows[i].name, rows[i].value);
		assert_null(master_create(c->loop, &c->conf, &err));
		if (!strstr(err.text, rows[i].words))
			fail_msg("%s=%s: \"%s\"", rows[i].name, rows[i].value, err.text);
		set_option(c, rows[i].name, before);
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, started_setup, cluster_teardown)
#define N(name) cmocka_unit_test_setup_teardown(name, cluster_setup, cluster_teardown)
		T(test_decline_hides_for_so_long),
		T(test_refuse_zero_is_100_ms),
		T(test_decline_passes_on),
		T(test_more_than_refused),
		T(test_decline_unknown),
		T(test_decline_several_of_one_slave),
		N(test_expiry),
		T(test_suppress_and_revive),
		T(test_subscribed_suppressed),
		T(test_rescind_on_disconnect),
		T(test_many_slaves_in_few_events),
		N(test_min_allocatable_and_weights),
		N(test_bad_options),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
