/* What is refused, as what, and why. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/loop.h"
#include "base/mem.h"
#include "slave/conf.h"
#include "slave/identity.h"
#include "slave/internal.h"
#include "slave/journal.h"
#include "slave/launch.h"
#include "slave/task_key.h"
#include "slave/task_validate.h"
#include "slave/tasks.h"

#include "tests/unit/slave/disk_fixture.h"

/* As much of a slave as the check looks at. */
struct bench {
	struct slave slave;
	struct slave_conf conf;
	struct fl_scalar cpus;
	struct fl_resource resource;
	struct fl_command_info command;
	struct fl_task_info task;
	struct fl_framework_info framework;
	struct fl_run_task order;
};

static void on_record(void *user, const struct fl_journal_record *rec)
{
}

static bool snapshot(void *user, struct journal *j, bool first)
{
	return false;
}

static void on_health(void *user, bool healthy, const char *why)
{
}

static void on_settled(void *user)
{
}

static const struct journal_ops ops = {.on_record = on_record, .snapshot = snapshot, .on_health = on_health};

static void start(struct bench *b, void **state)
{
	struct disk_fixture *x = *state;

	*b = (struct bench){.cpus = {1000},
	                    .resource = {.name = "cpus", .type = FL_SCALAR},
	                    .command = {.value = "true", .shell = true},
	                    .task = {.name = "t", .task_id = "t", .slave_id = "s", .n_resources = 1},
	                    .framework = {.user = "", .name = "f", .id = "f"}};
	b->resource.scalar = &b->cpus;
	b->task.resources = &b->resource;
	b->task.command = &b->command;
	b->order = (struct fl_run_task){.framework = &b->framework, .task = &b->task};
	conf_defaults(&slave_conf_table, &b->conf);
	b->slave.conf = &b->conf;
	b->slave.identity = identity_create(x->loop, x->disk, on_settled, NULL, NULL);
	identity_set_slave_id(b->slave.identity, "s");
	b->slave.journal = journal_create(x->loop, x->disk, &ops, NULL, NULL);
	resources_set_scalar(&b->slave.total, "cpus", 2000);
}

static void stop(struct bench *b)
{
	journal_destroy(b->slave.journal);
	identity_destroy(b->slave.identity);
	resources_fini(&b->slave.total);
	resources_fini(&b->slave.used);
	conf_fini(&slave_conf_table, &b->conf);
}

static void expect(struct bench *b, enum fl_task_state state, enum fl_reason reason)
{
	struct resources r = {0};
	struct outcome o = {0};

	int code = task_validate(&b->slave, &b->order, &r, &o);
	assert_int_equal(code < 0, state != 0);
	assert_int_equal(o.state, state);
	assert_int_equal(o.reason, reason);
	assert_int_equal(*o.message != 0, state != 0);
	assert_int_equal(resources_scalar(&r, "cpus"), state ? 0 : b->cpus.value);
	resources_fini(&r);
}

static void test_good(void **state)
{
	struct bench b;

	start(&b, state);
	expect(&b, 0, 0);
	b.cpus.value = 2000;
	expect(&b, 0, 0);
	stop(&b);
}

static void test_room(void **state)
{
	struct bench b;

	start(&b, state);
	b.cpus.value = 2001;
	expect(&b, FL_TASK_DROPPED, FL_REASON_INVALID_OFFERS);
	b.cpus.value = 1000;
	resources_set_scalar(&b.slave.used, "cpus", 1001);
	expect(&b, FL_TASK_DROPPED, FL_REASON_INVALID_OFFERS);
	b.cpus.value = -1;
	expect(&b, FL_TASK_ERROR, FL_REASON_TASK_INVALID);
	b.task.n_resources = 0;
	expect(&b, FL_TASK_ERROR, FL_REASON_TASK_INVALID);
	b.task.n_resources = 1;
	b.cpus.value = 1000;
	resources_fini(&b.slave.used);
	b.slave.used = (struct resources){0};
	b.slave.tasks.count = TASKS_MAX - 1;
	expect(&b, 0, 0);
	b.slave.tasks.count = TASKS_MAX;
	expect(&b, FL_TASK_DROPPED, FL_REASON_INVALID_OFFERS);
	stop(&b);
}

static void test_place(void **state)
{
	struct bench b;

	start(&b, state);
	b.task.slave_id = "other";
	expect(&b, FL_TASK_DROPPED, FL_REASON_SLAVE_UNKNOWN);
	b.task.slave_id = "s";
	b.slave.shut_down = true;
	expect(&b, FL_TASK_DROPPED, FL_REASON_SLAVE_REMOVED);
	stop(&b);
}

static void test_command(void **state)
{
	struct bench b;
	struct fl_uri uri = {.value = "http://x"};
	struct fl_executor_info executor = {.executor_id = "e"};
	struct fl_variable variable = {.name = "a=b", .value = "c"};
	struct fl_environment environment = {.variables = &variable, .n_variables = 1};

	start(&b, state);
	b.command.uris = &uri;
	b.command.n_uris = 1;
	expect(&b, FL_TASK_ERROR, FL_REASON_TASK_INVALID);
	b.command.n_uris = 0;
	b.command.environment = &environment;
	expect(&b, FL_TASK_ERROR, FL_REASON_TASK_INVALID);
	variable = (struct fl_variable){.name = "a", .type = FL_VARIABLE_SECRET};
	expect(&b, FL_TASK_ERROR, FL_REASON_TASK_INVALID);
	variable = (struct fl_variable){.name = "a", .value = "b=c", .type = FL_VARIABLE_VALUE};
	expect(&b, 0, 0);
	b.command.value = NULL;
	expect(&b, FL_TASK_ERROR, FL_REASON_TASK_INVALID);
	b.task.command = NULL;
	expect(&b, FL_TASK_ERROR, FL_REASON_TASK_INVALID);
	b.task.executor = &executor;
	expect(&b, FL_TASK_ERROR, FL_REASON_TASK_INVALID);
	stop(&b);
}

static void test_container(void **state)
{
	struct bench b;
	struct fl_linux_info linux_info = {.privileged = true};
	struct fl_container_info container = {.type = FL_CONTAINER_MESOS, .linux_info = &linux_info};

	start(&b, state);
	b.task.container = &container;
	expect(&b, FL_TASK_ERROR, FL_REASON_TASK_UNAUTHORIZED);
	b.conf.allow_privileged = true;
	expect(&b, 0, 0);
	linux_info.pids_limit = -1;
	expect(&b, FL_TASK_ERROR, FL_REASON_TASK_INVALID);
	linux_info = (struct fl_linux_info){.rootfs = "images/x"};
	expect(&b, FL_TASK_ERROR, FL_REASON_TASK_INVALID);
	container = (struct fl_container_info){.type = FL_CONTAINER_DOCKER};
	expect(&b, FL_TASK_ERROR, FL_REASON_TASK_INVALID);
	stop(&b);
}

static void test_spans(void **state)
{
	struct bench b;
	struct fl_duration_info negative = {-1};
	struct fl_kill_policy policy = {.grace_period = &negative};

	start(&b, state);
	b.task.kill_policy = &policy;
	expect(&b, FL_TASK_ERROR, FL_REASON_TASK_INVALID);
	b.task.kill_policy = NULL;
	b.task.max_completion_time = &negative;
	expect(&b, FL_TASK_ERROR, FL_REASON_TASK_INVALID);
	stop(&b);
}

static void test_memory_in_bytes(void **state)
{
	assert_int_equal(launch_mem_bytes(0), 0);
	assert_int_equal(launch_mem_bytes(1000), 1 << 20);
	assert_int_equal(launch_mem_bytes(1500), 3 << 19);
	assert_int_equal(launch_mem_bytes(1), 1048);
	assert_true(launch_mem_bytes(RESOURCES_MAX_MILLI) > (int64_t)1 << 59);
}

static void test_keys(void **state)
{
	_cleanup_free_ char *key = task_key("a b", "c/d");

	assert_string_equal(key, "a%20b/c%2Fd");
	assert_true(task_key_valid("f", "t"));
	assert_false(task_key_valid("f", "c/d"));
	assert_false(task_key_valid("..", "t"));
	assert_false(task_key_valid("f", ""));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, disk_setup, disk_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_good),
		TEST(test_room),
		TEST(test_place),
		TEST(test_command),
		TEST(test_container),
		TEST(test_spans),
		cmocka_unit_test(test_memory_in_bytes),
		cmocka_unit_test(test_keys),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
