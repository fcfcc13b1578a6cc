#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/err.h"

static void set_fills_and_returns_minus_code(void **state)
{
	struct err err = {0};

	assert_int_equal(err_set(&err, EINVAL, "bad %s %d", "thing", 7), -EINVAL);
	assert_int_equal(err.code, EINVAL);
	assert_string_equal(err.text, "bad thing 7");
}

static void null_is_allowed(void **state)
{
	assert_int_equal(err_set(NULL, ENOENT, "x"), -ENOENT);
	assert_int_equal(err_wrap(NULL, "x"), -EIO);
}

static void wrap_puts_context_in_front(void **state)
{
	struct err err = {0};

	err_set(&err, ENOSPC, "no room");
	assert_int_equal(err_wrap(&err, "writing %s", "a.log"), -ENOSPC);
	assert_int_equal(err_wrap(&err, "task t1"), -ENOSPC);
	assert_string_equal(err.text, "task t1: writing a.log: no room");
}

static void long_texts_are_cut(void **state)
{
	struct err err = {0};
	char text[600];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	err_set(&err, EIO, "%s", text);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	err_wrap(&err, "%s", text);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
	err_set(&err, EIO, "short");
	err_wrap(&err, "%.250s", text);
	assert_int_equal(strlen(err.text), sizeof(err.text) - 1);
}

static void own_text_may_be_an_argument(void **state)
{
	struct err err = {0};

	err_set(&err, EIO, "inner");
	err_set(&err, EPERM, "outer (%s)", err.text);
	assert_string_equal(err.text, "outer (inner)");
	assert_int_equal(err.code, EPERM);
}

static void a_code_of_zero_still_fails(void **state)
{
	struct err err = {0};

	assert_int_equal(err_set(&err, 0, "?"), -EIO);
	err = (struct err){0};
	assert_int_equal(err_wrap(&err, "?"), -EIO);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(set_fills_and_returns_minus_code), cmocka_unit_test(null_is_allowed),
		cmocka_unit_test(wrap_puts_context_in_front),       cmocka_unit_test(long_texts_are_cut),
		cmocka_unit_test(own_text_may_be_an_argument),      cmocka_unit_test(a_code_of_zero_still_fails),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
