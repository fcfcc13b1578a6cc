/* What a program may give a scheduler, and what it is told when it may not. */
#include "tests/unit/framework-sdk/framework.h"

#include <errno.h>

/* Creation fails, and the text has this in it. */
static void expect_refused(const struct fl_scheduler_options *options, const struct fl_scheduler_callbacks *callbacks,
                           const char *text)
{
	struct fl_scheduler_callbacks usual = framework_callbacks();
	char error[256] = "";

	assert_null(fl_scheduler_create(options, callbacks ? callbacks : &usual, NULL, error, sizeof(error)));
	if (!strstr(error, text))
		fail_msg("'%s' is not in: %s", text, error);
}

#define OPTIONS(...)                     \
	(&(struct fl_scheduler_options){ \
		.struct_size = sizeof(struct fl_scheduler_options), .framework = &usual_info, __VA_ARGS__})

static void test_sizes(void **state)
{
	struct fl_scheduler_callbacks cb = framework_callbacks();
	struct fl_scheduler_options options = {.framework = &usual_info};

	expect_refused(&options, NULL, "options.struct_size is not set");
	options.struct_size = 8;
	expect_refused(&options, NULL, "options.struct_size is not set");
	cb.struct_size = 0;
	expect_refused(OPTIONS(.master = "localhost"), &cb, "callbacks.struct_size is not set");
	/* No room for the text, or too little. */
	char error[12] = "untouched";
	assert_null(fl_scheduler_create(&options, &cb, NULL, NULL, 0));
	assert_null(fl_scheduler_create(&options, &cb, NULL, error, 0));
	assert_string_equal(error, "untouched");
	assert_null(fl_scheduler_create(&options, &cb, NULL, error, sizeof(error)));
	assert_string_equal(error, "options.str");
}

static void test_framework(void **state)
{
	struct fl_scheduler_options none = {.struct_size = sizeof(none)};
	struct fl_framework_info without_name = {.user = "nobody"}, empty = {.name = ""}, latin = {.name = "caf\xe9"};
	size_t size = 2u << 20;
	_cleanup_free_ char *long_name = xmalloc(size);
	struct fl_framework_info large = {.name = long_name};

	memset(long_name, 'x', size - 1);
	long_name[size - 1] = '\0';
	expect_refused(&none, NULL, "needs a name");
	none.framework = &without_name;
	expect_refused(&none, NULL, "needs a name");
	none.framework = &empty;
	expect_refused(&none, NULL, "needs a name");
	none.framework = &latin;
	expect_refused(&none, NULL, "options.framework: ");
	none.framework = &large;
	expect_refused(&none, NULL, "at most 1048576");
}

static void test_values(void **state)
{
	char name[300];

	memset(name, 'x', sizeof(name));
	name[299] = '\0';
	expect_refused(OPTIONS(.heartbeat_ns = -1), NULL, "options.heartbeat_ns must be");
	expect_refused(OPTIONS(.heartbeat_ns = 3600000000000), NULL, "options.heartbeat_ns must be");
	expect_refused(OPTIONS(.zk_session_ns = INT64_MAX), NULL, "options.zk_session_ns must be");
	expect_refused(OPTIONS(.backoff_ns = INT64_MIN), NULL, "options.backoff_ns must be");
	expect_refused(OPTIONS(.cluster = name), NULL, "options.cluster");
	expect_refused(OPTIONS(.cluster = "caf\xe9"), NULL, "options.cluster");
}

static void test_masters(void **state)
{
	expect_refused(OPTIONS(.master = "zk://localhost:2181"), NULL, "zk://");
	expect_refused(OPTIONS(.master = "file:///var/lib/fairlead"), NULL, "not by file://");
	expect_refused(OPTIONS(.master = "localhost:0"), NULL, "localhost:0");
	expect_refused(OPTIONS(.master = "localhost:99999"), NULL, "localhost:99999");
	expect_refused(OPTIONS(.master = "http://localhost:5050"), NULL, "http");
	setenv("FAIRLEAD_MASTER", "zk://nowhere", 1);
	expect_refused(OPTIONS(.master = NULL), NULL, "zk://");
	unsetenv("FAIRLEAD_MASTER");
}

/* All that may be left out. */
static void test_defaults(void **state)
{
	struct fl_scheduler_callbacks none = {.struct_size = sizeof(none)};
	fl_scheduler *s;

	unsetenv("FAIRLEAD_MASTER");
	s = fl_scheduler_create(OPTIONS(.master = NULL), &none, NULL, NULL, 0);
	assert_non_null(s);
	assert_int_equal(fl_step(s, 0), 1);
	fl_scheduler_destroy(s);
	setenv("FAIRLEAD_MASTER", "", 1);
	s = fl_scheduler_create(OPTIONS(.master = NULL), &none, NULL, NULL, 0);
	assert_non_null(s);
	fl_scheduler_destroy(s);
	unsetenv("FAIRLEAD_MASTER");
}

/* A program built with smaller structures: what lies behind them is not theirs to be read. */
static void test_older_program(void **state)
{
	struct loop *l = loop_create();
	struct master m;
	struct framework f = {0};
	size_t size = offsetof(struct fl_scheduler_options, explicit_acknowledge);
	size_t cb_size = offsetof(struct fl_scheduler_callbacks, message);
	struct fl_scheduler_callbacks all = framework_callbacks();
	/* Exactly as large as they say, so that a sanitizer sees one byte too many. */
	_cleanup_free_ struct fl_scheduler_options *options = xcalloc(1, size);
	_cleanup_free_ struct fl_scheduler_callbacks *cb = xmemdup(&all, cb_size);

	master_open(&m, l, "a");
	options->struct_size = size;
	options->master = m.address;
	options->framework = &usual_info;
	cb->struct_size = cb_size;
	f.s = scheduler_create_on(l, options, cb, &f, NULL);
	assert_non_null(f.s);
	DRIVE(l, f.n_subscribed == 1);
	send_hints(&m);
	send_update(&m, "t", FL_TASK_RUNNING, "uuid-of-16-bytes");
	DRIVE(l, m.n[FL_CALL_ACKNOWLEDGE] == 1); /* as ever */
	assert_int_equal(f.n_rescinded, 1);
	assert_int_equal(f.n_messages + f.n_failures, 0);
	fl_scheduler_destroy(f.s);
	master_close(&m);
	drive_idle(l);
	conn_sweep(l);
	loop_destroy(l);
}

/* A program built with larger ones: what we do not know is left out. */
static void test_newer_program(void **state)
{
	struct {
		struct fl_scheduler_options options;
		char more[64];
	} o = {.options = {.struct_size = sizeof(o), .framework = &usual_info, .master = "127.0.0.1:1"}};
	struct {
		struct fl_scheduler_callbacks callbacks;
		char more[64];
	} cb = {.callbacks = {.struct_size = sizeof(cb)}};

	memset(o.more, 0xff, sizeof(o.more));
	memset(cb.more, 0xff, sizeof(cb.more));
	fl_scheduler *s = fl_scheduler_create(&o.options, &cb.callbacks, NULL, NULL, 0);
	assert_non_null(s);
	assert_int_equal(fl_step(s, 0), 1);
	fl_scheduler_destroy(s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_sizes),         cmocka_unit_test(test_framework),
		cmocka_unit_test(test_values),        cmocka_unit_test(test_masters),
		cmocka_unit_test(test_defaults),      cmocka_unit_test(test_older_program),
		cmocka_unit_test(test_newer_program),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
