/* How ends become statuses. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "slave/outcome.h"
#include "slave/proc.h"

static void expect(const struct outcome *o, enum fl_task_state state, enum fl_reason reason, const char *message)
{
	assert_int_equal(o->state, state);
	assert_int_equal(o->reason, reason);
	assert_string_equal(o->message, message);
}

static void test_own_ends(void **state)
{
	struct outcome o = outcome_of_exit(&(struct proc_exit){.message = "", .known = true}, KILL_NONE);
	expect(&o, FL_TASK_FINISHED, 0, "exited with status 0");
	assert_true(o.has_exit_status);
	assert_int_equal(o.exit_status, 0);

	o = outcome_of_exit(&(struct proc_exit){.message = "", .known = true, .exit_code = 255}, KILL_NONE);
	expect(&o, FL_TASK_FAILED, FL_REASON_COMMAND_EXECUTOR_FAILED, "exited with status 255");
	assert_int_equal(o.exit_status, 255);

	o = outcome_of_exit(&(struct proc_exit){.message = "", .known = true, .signal = 11}, KILL_NONE);
	expect(&o, FL_TASK_FAILED, FL_REASON_COMMAND_EXECUTOR_FAILED, "killed by signal 11 (SIGSEGV)");
	assert_int_equal(o.exit_status, 139);

	o = outcome_of_exit(&(struct proc_exit){.message = "", .known = true, .signal = 50}, KILL_NONE);
	assert_string_equal(o.message, "killed by signal 50");
}

static void test_out_of_memory(void **state)
{
	struct proc_exit e = {.message = "",
	                      .known = true,
	                      .signal = 9,
	                      .oom = true,
	                      .mem_limit_bytes = 64 << 20,
	                      .mem_peak_bytes = (64 << 20) - 4096};
	struct outcome o = outcome_of_exit(&e, KILL_NONE);

	expect(&o, FL_TASK_FAILED, FL_REASON_CONTAINER_LIMITATION_MEMORY, "out of memory: limit 64 MiB, peak 64 MiB");
	e.mem_peak_bytes = 0;
	o = outcome_of_exit(&e, KILL_NONE);
	assert_string_equal(o.message, "out of memory: limit 64 MiB");
	o = outcome_of_exit(&e, KILL_REQUEST);
	assert_int_equal(o.state, FL_TASK_KILLED);
}

static void test_kills(void **state)
{
	struct proc_exit e = {.message = "", .known = true}; /* it ended well, but it was told to */
	struct outcome o = outcome_of_exit(&e, KILL_REQUEST);

	expect(&o, FL_TASK_KILLED, 0, "killed on request; exited with status 0");
	o = outcome_of_exit(&e, KILL_FRAMEWORK);
	assert_int_equal(o.reason, FL_REASON_FRAMEWORK_REMOVED);
	o = outcome_of_exit(&e, KILL_SLAVE);
	assert_int_equal(o.reason, FL_REASON_SLAVE_REMOVED);
	o = outcome_of_exit(&e, KILL_TIMEOUT);
	assert_int_equal(o.state, FL_TASK_FAILED);
	o = outcome_of_exit(&e, KILL_DISK);
	assert_int_equal(o.state, FL_TASK_DROPPED);
	assert_int_equal(o.reason, FL_REASON_SLAVE_DISK_FULL);
}

static void test_failed_launch(void **state)
{
	struct proc_exit e = {.failed_step = "mount", .message = "no such file or directory"};
	struct outcome o = outcome_of_exit(&e, KILL_NONE);

	expect(&o, FL_TASK_FAILED, FL_REASON_CONTAINER_LAUNCH_FAILED,
	       "launch failed at mount: no such file or directory");
	assert_false(o.has_exit_status);
	o = outcome_of_exit(&e, KILL_REQUEST);
	assert_int_equal(o.state, FL_TASK_KILLED);
	assert_int_equal(o.reason, FL_REASON_TASK_KILLED_DURING_LAUNCH);
}

static void test_ends_nobody_saw(void **state)
{
	struct proc_exit e = {.message = "ended while the slave was away; how is not known", .away = true};
	struct outcome o = outcome_of_exit(&e, KILL_NONE);

	expect(&o, FL_TASK_FAILED, FL_REASON_EXECUTOR_TERMINATED, "ended while the slave was away; how is not known");
	e.rebooted = true;
	o = outcome_of_exit(&e, KILL_NONE);
	assert_int_equal(o.reason, FL_REASON_SLAVE_REBOOTED);
	e = (struct proc_exit){.message = "", .away = true, .known = true}; /* but its slot tells */
	o = outcome_of_exit(&e, KILL_NONE);
	assert_int_equal(o.state, FL_TASK_FINISHED);
}

static void test_long_messages_are_cut(void **state)
{
	char big[2000];

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = 0;
	struct outcome o = outcome_of_exit(&(struct proc_exit){.failed_step = "exec", .message = big}, KILL_NONE);
	assert_int_equal(strlen(o.message), sizeof(o.message) - 1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_own_ends),        cmocka_unit_test(test_out_of_memory),
		cmocka_unit_test(test_kills),           cmocka_unit_test(test_failed_launch),
		cmocka_unit_test(test_ends_nobody_saw), cmocka_unit_test(test_long_messages_are_cut),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
