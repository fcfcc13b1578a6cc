/* Every rule of validation, by its message. Pure: no master. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/mem.h"
#include "master/core.h"
#include "master/validate.h"
#include "msg/resources.h"

/* ---- tasks ---- */

struct task_case {
	struct zone *zone;
	struct resources available;
	struct validate_task where;
	struct fl_command_info command;
	struct fl_task_info task;
};

static void give(struct task_case *t, const char *resources)
{
	struct resources r = {0};

	assert_int_equal(resources_parse(resources, &r, NULL), 0);
	resources_to_wire(&r, t->zone, &t->task.resources, &t->task.n_resources);
	resources_fini(&r);
}

static int setup(void **state)
{
	struct task_case *t = xcalloc(1, sizeof(*t));

	t->zone = zone_create();
	assert_int_equal(resources_parse("cpus:4;mem:1024;ports:[31000-31010]", &t->available, NULL), 0);
	t->where = (struct validate_task){.slave_id = "S0", .role = "*", .available = &t->available};
	t->command = (struct fl_command_info){.value = "true"};
	t->task = (struct fl_task_info){.name = "", .task_id = "t", .slave_id = "S0", .command = &t->command};
	give(t, "cpus:1;mem:64");
	*state = t;
	return 0;
}

static int teardown(void **state)
{
	struct task_case *t = *state;

	resources_fini(&t->available);
	zone_destroy(t->zone);
	free(t);
	return 0;
}

static void refused(struct task_case *t, const char *words)
{
	struct resources need = {0};
	struct err err = {0};

	assert_int_equal(validate_task(&t->task, &t->where, &need, &err), -EINVAL);
	if (!strstr(err.text, words))
		fail_msg("\"%s\" does not say \"%s\"", err.text, words);
	assert_true(resources_empty(&need));
}

static void taken(struct task_case *t)
{
	struct resources need = {0};
	struct err err = {0};

	if (validate_task(&t->task, &t->where, &need, &err) < 0)
		fail_msg("%s", err.text);
	assert_false(resources_empty(&need));
	resources_fini(&need);
}

static void test_good(void **state)
{
	struct task_case *t = *state;

	taken(t);
	give(t, "cpus:4;mem:1024;ports:[31000-31003]");
	taken(t);
}

static void test_task_id(void **state)
{
	static const char *const bad[] = {"", ".", "..", "a/b", "a\\b", "a\nb"};
	struct task_case *t = *state;
	char longest[257];

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		t->task.task_id = bad[i];
		refused(t, "task_id must have");
	}
	memset(longest, 'x', 256);
	longest[256] = '\0';
	t->task.task_id = longest;
	refused(t, "task_id must have");
	longest[255] = '\0';
	taken(t);
}

static void test_task_id_in_use(void **state)
{
	struct task_case *t = *state;

	t->where.in_use = true;
	refused(t, "in use");
}

static void test_other_slave(void **state)
{
	struct task_case *t = *state;

	t->task.slave_id = "S1";
	refused(t, "names slave S1, the offers are of S0");
}

static void test_times(void **state)
{
	struct task_case *t = *state;
	struct fl_duration_info minus = {.nanoseconds = -1}, zero = {0};
	struct fl_kill_policy policy = {.grace_period = &minus};

	t->task.kill_policy = &policy;
	refused(t, "grace_period");
	policy.grace_period = &zero;
	t->task.max_completion_time = &minus;
	refused(t, "max_completion_time");
	t->task.max_completion_time = &zero;
	taken(t);
}

static void test_resources(void **state)
{
	struct task_case *t = *state;
	struct fl_allocation_info info = {.role = "other"};
	struct fl_reservation_info reservation = {.role = "*"};

	t->task.n_resources = 0;
	refused(t, "takes no resources");
	give(t, "cpus:1;mem:64");
	t->task.resources[0].scalar->value = -1;
	refused(t, "resources:");
	give(t, "cpus:1;mem:64");
	t->task.resources[0].allocation_info = &info;
	refused(t, "allocated to role other");
	info.role = "*";
	taken(t);
	t->task.resources[0].reservations = &reservation;
	t->task.resources[0].n_reservations = 1;
	refused(t, "not supported yet");
}

static void test_command_or_executor(void **state)
{
	struct task_case *t = *state;
	struct fl_executor_info executor = {.executor_id = "e"};

	t->task.executor = &executor;
	refused(t, "not both");
	t->task.command = NULL;
	refused(t, "not supported yet");
	t->task.executor = NULL;
	refused(t, "needs a command");
}

static void test_fits(void **state)
{
	struct task_case *t = *state;

	give(t, "cpus:4.001");
	refused(t, "takes cpus:4.001, of the offers is left");
	give(t, "gpus:1");
	refused(t, "takes gpus:1");
	give(t, "cpus:1;ports:[31010-31011]");
	refused(t, "ports:[31010-31011]");
}

static void test_limits(void **state)
{
	struct task_case *t = *state;
	struct fl_scalar two = {.value = 2000}, half = {.value = 500};
	struct fl_scalar_entry entry = {.key = "cpus", .value = &two};

	t->task.limits = &entry;
	t->task.n_limits = 1;
	taken(t);
	entry.value = &half;
	refused(t, "the limit of cpus, 0.5, is below its request, 1");
	entry.key = "disk";
	refused(t, "not for disk");
}

static void test_command(void **state)
{
	struct task_case *t = *state;
	struct fl_uri uri = {.value = "http://a/b"};
	struct fl_variable v = {.name = "A", .type = FL_VARIABLE_VALUE};
	struct fl_environment env = {.variables = &v, .n_variables = 1};

	t->command.value = "";
	refused(t, "command.value must not be empty");
	t->command.value = NULL;
	refused(t, "command.value must not be empty");
	t->command.value = "true";
	t->command.environment = &env;
	refused(t, "needs a value");
	v.value = "";
	taken(t);
	v.name = "A=B";
	refused(t, "without '='");
	v.name = "A";
	v.type = FL_VARIABLE_SECRET;
	refused(t, "SECRET is not supported yet");
	v.type = FL_VARIABLE_VALUE;
	t->command.uris = &uri;
	t->command.n_uris = 1;
	refused(t, "uris is not supported yet");
}

static void test_container(void **state)
{
	struct task_case *t = *state;
	struct fl_container_info container = {.type = FL_CONTAINER_DOCKER};
	struct fl_linux_info linux_info = {.has_pids_limit = true, .pids_limit = -1};

	t->task.container = &container;
	refused(t, "container type DOCKER is not supported yet");
	container.type = FL_CONTAINER_VM;
	refused(t, "container type VM is not supported yet");
	container.type = FL_CONTAINER_MESOS;
	taken(t);
	container.linux_info = &linux_info;
	refused(t, "pids_limit");
	linux_info.pids_limit = 10;
	linux_info.rootfs = "images/x";
	refused(t, "absolute");
	linux_info.rootfs = "/images/x";
	taken(t);
}

static void test_task_size(void **state)
{
	struct task_case *t = *state;
	char *big = zone_alloc(t->zone, MASTER_MAX_TASK_INFO + 1);

	memset(big, 'x', MASTER_MAX_TASK_INFO);
	t->command.value = big;
	refused(t, "longer than");
}

/* The first thing wrong is told. */
static void test_order(void **state)
{
	struct task_case *t = *state;

	t->task.command = NULL;
	give(t, "cpus:100");
	refused(t, "needs a command");
	t->task.slave_id = "S9";
	refused(t, "names slave");
	t->where.in_use = true;
	refused(t, "in use");
	t->task.task_id = "";
	refused(t, "task_id");
}

/* ---- frameworks ---- */

static void subscribe_is(struct fl_framework_info *info, const char **suppressed, size_t n, const char *words)
{
	struct fl_call_subscribe subscribe = {
		.framework_info = info, .suppressed_roles = suppressed, .n_suppressed_roles = n};
	struct err err = {0};
	int r = validate_subscribe(&subscribe, &err);

	if (!words && r < 0)
		fail_msg("%s", err.text);
	if (words && (r == 0 || !strstr(err.text, words)))
		fail_msg("\"%s\" does not say \"%s\"", err.text, words);
}

static void test_subscribe(void **state)
{
	static struct fl_framework_capability multi = {.type = FL_CAPABILITY_MULTI_ROLE};
	const char *roles[] = {"a", "b/c"}, *twice[] = {"a", "a"}, *bad[] = {"a//b"}, *other[] = {"z"};
	struct fl_framework_info info = {.user = "", .name = "n"};

	subscribe_is(&info, NULL, 0, NULL);
	info.role = "a b";
	subscribe_is(&info, NULL, 0, "is not valid");
	info.role = "dev";
	subscribe_is(&info, NULL, 0, NULL);
	info.roles = roles;
	info.n_roles = 2;
	subscribe_is(&info, NULL, 0, "needs the capability MULTI_ROLE");
	info.capabilities = &multi;
	info.n_capabilities = 1;
	subscribe_is(&info, NULL, 0, "leave role out");
	info.role = NULL;
	subscribe_is(&info, roles, 2, NULL);
	subscribe_is(&info, other, 1, "suppressed role \"z\"");
	info.roles = twice;
	subscribe_is(&info, NULL, 0, "named twice");
	info.roles = bad;
	info.n_roles = 1;
	subscribe_is(&info, NULL, 0, "is not valid");
	info.roles = NULL;
	info.n_roles = 0;
	subscribe_is(&info, NULL, 0, NULL); /* no role, no offers */
	info.failover_timeout_ns = -1;
	subscribe_is(&info, NULL, 0, "failover_timeout");
	info.failover_timeout_ns = 0;
	info.id = "a/b";
	subscribe_is(&info, NULL, 0, "id is not valid");
}

static void test_subscribe_sizes(void **state)
{
	static struct fl_framework_capability multi = {.type = FL_CAPABILITY_MULTI_ROLE};
	const char *roles[VALIDATE_MAX_ROLES + 1];
	struct fl_framework_info info = {
		.user = "", .name = "n", .capabilities = &multi, .n_capabilities = 1, .roles = roles};
	char *big = xcalloc(1, MASTER_MAX_FRAMEWORK_INFO + 1);

	for (size_t i = 0; i < ARRAY_SIZE(roles); i++)
		roles[i] = "r";
	info.n_roles = ARRAY_SIZE(roles);
	subscribe_is(&info, NULL, 0, "at most");
	info.n_roles = 0;
	memset(big, 'x', MASTER_MAX_FRAMEWORK_INFO);
	info.name = big;
	subscribe_is(&info, NULL, 0, "longer than");
	free(big);
}

/* ---- slaves ---- */

static void slave_is(const struct fl_slave_info *info, const char *words)
{
	struct err err = {0};
	int r = validate_slave(info, &err);

	if (!words && r < 0)
		fail_msg("%s", err.text);
	if (words && (r == 0 || !strstr(err.text, words)))
		fail_msg("\"%s\" does not say \"%s\"", err.text, words);
}

static void test_slave(void **state)
{
	struct fl_scalar two = {.value = 2000};
	struct fl_text text = {.value = "east"};
	struct fl_resource cpus = {.name = "cpus", .type = FL_SCALAR, .scalar = &two};
	struct fl_attribute zone = {.name = "zone", .type = FL_TEXT, .text = &text};
	struct fl_slave_info info = {
		.hostname = "h", .resources = &cpus, .n_resources = 1, .attributes = &zone, .n_attributes = 1};

	slave_is(&info, NULL);
	zone.type = FL_SCALAR;
	slave_is(&info, "has no scalar");
	zone.type = FL_RANGES;
	slave_is(&info, "has no ranges");
	zone.type = FL_SET;
	slave_is(&info, "must be SCALAR, RANGES or TEXT");
	zone.type = FL_TEXT;
	zone.text = NULL;
	slave_is(&info, "has no text");
	info.n_attributes = 0;
	info.has_port = true;
	info.port = 65536;
	slave_is(&info, "port");
	info.port = 5051;
	info.hostname = "";
	slave_is(&info, "hostname");
	info.hostname = "h";
	two.value = -5;
	slave_is(&info, "resources:");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, setup, teardown)
		T(test_good),
		T(test_task_id),
		T(test_task_id_in_use),
		T(test_other_slave),
		T(test_times),
		T(test_resources),
		T(test_command_or_executor),
		T(test_fits),
		T(test_limits),
		T(test_command),
		T(test_container),
		T(test_task_size),
		T(test_order),
		cmocka_unit_test(test_subscribe),
		cmocka_unit_test(test_subscribe_sizes),
		cmocka_unit_test(test_slave),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
