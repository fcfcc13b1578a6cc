/* The small helpers for reading what callbacks get. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>
#include <string.h>

#include <fairlead/fairlead.h>

static void test_scalars_of_an_offer(void **state)
{
	struct fl_range range = {.begin = 1, .end = 2};
	struct fl_ranges ranges = {.range = &range, .n_range = 1};
	struct fl_resource resources[] = {
		FL_CPUS(1500),
		FL_MEM_MIB(64),
		FL_CPUS(500),
		{.name = "ports", .type = FL_RANGES, .ranges = &ranges},
		{.name = "cpus", .type = FL_RANGES, .scalar = &(struct fl_scalar){.value = 7}},
	};
	struct fl_offer offer = {.resources = resources, .n_resources = 5}, empty = {0};

	assert_int_equal(fl_offer_scalar(&offer, "cpus"), 2000);
	assert_int_equal(fl_offer_scalar(&offer, "mem"), 64000);
	assert_int_equal(fl_offer_scalar(&offer, "ports"), 0);
	assert_int_equal(fl_offer_scalar(&offer, "disk"), 0);
	assert_int_equal(fl_offer_scalar(&empty, "cpus"), 0);
}

static void test_which_states_are_final(void **state)
{
	for (int s = FL_TASK_STAGING; s <= FL_TASK_UNKNOWN; s++) {
		bool open = s <= FL_TASK_KILLING || s == FL_TASK_UNREACHABLE || s == FL_TASK_UNKNOWN;
		assert_int_equal(fl_task_state_terminal((enum fl_task_state)s), !open);
	}
	assert_false(fl_task_state_terminal((enum fl_task_state)0));
	assert_false(fl_task_state_terminal((enum fl_task_state)999));
}

static void test_names(void **state)
{
	assert_string_equal(fl_task_state_name(FL_TASK_RUNNING), "TASK_RUNNING");
	assert_string_equal(fl_task_state_name((enum fl_task_state)999), "?");
	assert_string_equal(fl_reason_name(FL_REASON_SLAVE_REMOVED), "REASON_AGENT_REMOVED");
	assert_string_equal(fl_reason_name((enum fl_reason)0), "");
	assert_string_equal(fl_reason_name((enum fl_reason)999), "?");
	assert_string_equal(fl_version(), FAIRLEAD_VERSION);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_scalars_of_an_offer),
		cmocka_unit_test(test_which_states_are_final),
		cmocka_unit_test(test_names),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
