/* --attributes. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include <fairlead/types.h>

#include "base/err.h"
#include "base/mem.h"
#include "slave/attributes.h"

static void test_kinds(void **state)
{
	_cleanup_zone_ struct zone *z = zone_create();
	struct fl_attribute *a;
	struct err err = {0};
	size_t n;

	assert_int_equal(attributes_parse(" rack : r1; level:10.5;ports:[1-5, 7-9];url:http://x:1 ;", z, &a, &n, &err),
	                 0);
	assert_int_equal(n, 4);
	assert_string_equal(a[0].name, "rack");
	assert_int_equal(a[0].type, FL_TEXT);
	assert_string_equal(a[0].text->value, "r1");
	assert_int_equal(a[1].type, FL_SCALAR);
	assert_int_equal(a[1].scalar->value, 10500);
	assert_int_equal(a[2].type, FL_RANGES);
	assert_int_equal(a[2].ranges->n_range, 2);
	assert_int_equal(a[2].ranges->range[1].begin, 7);
	assert_string_equal(a[3].text->value, "http://x:1");
}

static void test_none(void **state)
{
	_cleanup_zone_ struct zone *z = zone_create();
	struct fl_attribute *a;
	size_t n;

	assert_int_equal(attributes_parse("", z, &a, &n, NULL), 0);
	assert_int_equal(n, 0);
}

static void test_bad(void **state)
{
	static const char *const bad[] = {"rack", ":r1", "rack:", "a:1;b", "r:[5-1]", "r:[x]", "r:[1-2", "a:\xff"};

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++) {
		_cleanup_zone_ struct zone *z = zone_create();
		struct fl_attribute *a;
		struct err err = {0};
		size_t n;
		assert_true(attributes_parse(bad[i], z, &a, &n, &err) < 0);
		assert_non_null(strstr(err.text, "--attributes"));
	}
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_kinds), cmocka_unit_test(test_none),
	                                   cmocka_unit_test(test_bad)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
