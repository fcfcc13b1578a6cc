/* Short ids, and what a person may give for one. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "cli/id.h"

#define SLAVE "18b3f969-85cf-4226-b01e-07336b8feacd-S0"

static void test_short_form(void **state)
{
	char out[ID_SHORT_SIZE], longest[ID_SHORT_SIZE + 10];

	assert_string_equal(id_short(SLAVE, out), "18b3f969-S0");
	assert_string_equal(id_short("web-0002.1", out), "web-0002.1");
	assert_string_equal(id_short("18b3f969-85cf-4226-b01e-07336b8feacd", out),
	                    "18b3f969-85cf-4226-b01e-07336b8feacd");
	assert_string_equal(id_short("18B3F969-85cf-4226-b01e-07336b8feacd-S0", out),
	                    "18B3F969-85cf-4226-b01e-07336b8feacd-S0");
	assert_string_equal(id_short("", out), "");
	memset(longest, 'x', sizeof(longest) - 1);
	longest[sizeof(longest) - 1] = '\0';
	assert_int_equal(strlen(id_short(longest, out)), ID_SHORT_SIZE - 1);
}

static void test_what_may_be_given(void **state)
{
	assert_true(id_starts(SLAVE, SLAVE));
	assert_true(id_starts(SLAVE, "18b"));
	assert_true(id_starts(SLAVE, "18b3f969-85cf-4226-b01e-07336b8feacd-"));
	assert_true(id_starts(SLAVE, "18b3f969-S0"));
	assert_true(id_starts(SLAVE, "18b3f969-S"));
	assert_true(id_starts(SLAVE, "S0"));
	assert_false(id_starts(SLAVE, "S"));
	assert_false(id_starts(SLAVE, "S01"));
	assert_false(id_starts(SLAVE, "18b3f969-S1"));
	assert_true(id_starts("web-0002.1", "web"));
	assert_false(id_starts("web-0002.1", "0002.1"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_short_form),
		cmocka_unit_test(test_what_may_be_given),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
