#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"

static void int64(void **state)
{
	struct err err;
	int64_t v = 77;

	assert_int_equal(str_to_int64("0", 0, 10, &v, NULL), 0);
	assert_int_equal(v, 0);
	assert_int_equal(str_to_int64("-5", -5, 10, &v, NULL), 0);
	assert_int_equal(v, -5);
	assert_int_equal(str_to_int64("9223372036854775807", INT64_MIN, INT64_MAX, &v, NULL), 0);
	assert_true(v == INT64_MAX);
	assert_int_equal(str_to_int64("-9223372036854775808", INT64_MIN, INT64_MAX, &v, NULL), 0);
	assert_true(v == INT64_MIN);
	v = 77;
	assert_int_equal(str_to_int64("9223372036854775808", INT64_MIN, INT64_MAX, &v, &err), -ERANGE);
	assert_int_equal(str_to_int64("11", 0, 10, &v, &err), -ERANGE);
	assert_string_equal(err.text, "11 is not in 0..10");
	const char *const bad[] = {"", " 1", "1 ", "+1", "1x", "x", "-", "--1", "0x10", "1.0"};
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(str_to_int64(bad[i], INT64_MIN, INT64_MAX, &v, &err), -EINVAL);
	assert_int_equal(str_to_int64(NULL, 0, 1, &v, NULL), -EINVAL);
	assert_int_equal(v, 77);
}

static void uint64(void **state)
{
	uint64_t v = 77;

	assert_int_equal(str_to_uint64("18446744073709551615", UINT64_MAX, &v, NULL), 0);
	assert_true(v == UINT64_MAX);
	assert_int_equal(str_to_uint64("7", 7, &v, NULL), 0);
	assert_int_equal(v, 7);
	assert_int_equal(str_to_uint64("18446744073709551616", UINT64_MAX, &v, NULL), -ERANGE);
	assert_int_equal(str_to_uint64("8", 7, &v, NULL), -ERANGE);
	assert_int_equal(str_to_uint64("-1", 7, &v, NULL), -EINVAL);
	assert_int_equal(str_to_uint64("", 7, &v, NULL), -EINVAL);
	assert_int_equal(str_to_uint64("1 ", 7, &v, NULL), -EINVAL);
	assert_int_equal(v, 7);
}

static void milli(void **state)
{
	static const struct {
		const char *text;
		int64_t value;
	} good[] = {
		{"0", 0},
		{"1", 1000},
		{"0.5", 500},
		{".25", 250},
		{"2.", 2000},
		{"0.0004", 0},
		{"0.0005", 1},
		{"1.0014999", 1001},
		{"-1.5", -1500},
		{"1e3", 1000000},
		{"1E-3", 1},
		{"1.5e+2", 150000},
		{"1e-300", 0},
		{"0.1", 100},
		{"0e400", 0},
		{"0.30000000000000004", 300},
		{"1000000000000000000000000000000000000000e-36", 1000000},
		{"9223372036854775.807", INT64_MAX},
		{"0.000000000000000000000000000000000000000000000000000001", 0},
	};
	for (size_t i = 0; i < ARRAY_SIZE(good); i++) {
		int64_t v = -1;
		assert_int_equal(str_to_milli(good[i].text, &v, NULL), 0);
		assert_true(v == good[i].value);
	}
	const char *const bad[] = {"",   ".",  "-",   "1..2", "1.2.3", " 1",  "1 ",
	                           "e5", "1e", "1e+", "1e5x", "nan",   "inf", "+1"};
	int64_t v = 77;
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(str_to_milli(bad[i], &v, NULL), -EINVAL);
	assert_int_equal(str_to_milli("9223372036854775.808", &v, NULL), -ERANGE);
	assert_int_equal(str_to_milli("1e400", &v, NULL), -ERANGE);
	assert_int_equal(v, 77);
}

static void milli_prints_shortest(void **state)
{
	char out[32];

	assert_string_equal(str_from_milli(1500, out), "1.5");
	assert_string_equal(str_from_milli(2000, out), "2");
	assert_string_equal(str_from_milli(0, out), "0");
	assert_string_equal(str_from_milli(1, out), "0.001");
	assert_string_equal(str_from_milli(10, out), "0.01");
	assert_string_equal(str_from_milli(-250, out), "-0.25");
	assert_string_equal(str_from_milli(INT64_MIN, out), "-9223372036854775.808");
}

static void durations(void **state)
{
	int64_t v;

	assert_int_equal(str_to_duration_ms("250ms", &v, NULL), 0);
	assert_int_equal(v, 250);
	assert_int_equal(str_to_duration_ms("5s", &v, NULL), 0);
	assert_int_equal(v, 5000);
	assert_int_equal(str_to_duration_ms("5", &v, NULL), 0);
	assert_int_equal(v, 5000);
	assert_int_equal(str_to_duration_ms("2m", &v, NULL), 0);
	assert_int_equal(v, 120000);
	assert_int_equal(str_to_duration_ms("1h", &v, NULL), 0);
	assert_int_equal(v, 3600000);
	assert_int_equal(str_to_duration_ms("7d", &v, NULL), 0);
	assert_int_equal(v, 7 * 86400000);
	assert_int_equal(str_to_duration_ms("1w", &v, NULL), -EINVAL);
	assert_int_equal(str_to_duration_ms("", &v, NULL), -EINVAL);
	assert_int_equal(str_to_duration_ms("-1s", &v, NULL), -EINVAL);
	assert_int_equal(str_to_duration_ms("9223372036854775807d", &v, NULL), -ERANGE);
	assert_int_equal(str_to_duration_ms("99999999999999999999", &v, NULL), -ERANGE);
}

static void bytes(void **state)
{
	int64_t v;

	assert_int_equal(str_to_bytes("10", &v, NULL), 0);
	assert_int_equal(v, 10);
	assert_int_equal(str_to_bytes("64K", &v, NULL), 0);
	assert_int_equal(v, 65536);
	assert_int_equal(str_to_bytes("1T", &v, NULL), 0);
	assert_true(v == 1ll << 40);
	assert_int_equal(str_to_bytes("1k", &v, NULL), -EINVAL);
	assert_int_equal(str_to_bytes("9000000T", &v, NULL), -ERANGE);
}

static void ends_and_equality(void **state)
{
	assert_true(str_starts_with("abc", "ab"));
	assert_true(str_starts_with("abc", ""));
	assert_false(str_starts_with("a", "ab"));
	assert_true(str_ends_with("abc", "bc"));
	assert_false(str_ends_with("c", "bc"));
	assert_true(str_equal("a", "a"));
	assert_true(str_equal(NULL, NULL));
	assert_false(str_equal("a", NULL));
	assert_false(str_equal(NULL, "a"));
}

static void split(void **state)
{
	char text[] = "a,,b,", one[] = "x", none[] = "";
	char *parts[4];

	assert_int_equal(str_split(text, ',', parts, 4), 4);
	assert_string_equal(parts[0], "a");
	assert_string_equal(parts[1], "");
	assert_string_equal(parts[2], "b");
	assert_string_equal(parts[3], "");
	assert_int_equal(str_split(one, ',', parts, 4), 1);
	assert_int_equal(str_split(none, ',', parts, 4), 1);
	char many[] = "1,2,3,4,5";
	assert_int_equal(str_split(many, ',', parts, 4), -E2BIG);
}

static void ids(void **state)
{
	char longest[257];

	memset(longest, 'a', 256);
	longest[255] = 0;
	assert_true(str_valid_id(longest));
	longest[255] = 'a';
	longest[256] = 0;
	assert_false(str_valid_id(longest));
	const char *const good[] = {"a", "My-first-(framework).web.1", "...", "a b", "\xc3\xa9"};
	const char *const bad[] = {"", ".", "..", "a/b", "a\\b", "a\nb", "\x7f", NULL};
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(str_valid_id(good[i]));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(str_valid_id(bad[i]));
}

static void roles(void **state)
{
	const char *const good[] = {"*", "a", "a/b/c", "a-b", "...", "eng.prod", "a*"};
	const char *const bad[] = {"",   "/",    "/a",  "a/",  "a//b", ".",  "..",   "a/.",
	                           "-a", "a/-b", "a/*", "*/a", "a b",  "\t", "a\bb", NULL};
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(str_valid_role(good[i]));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(str_valid_role(bad[i]));
}

static void utf8(void **state)
{
	const char *const good[] = {"", "abc", "\xc3\xa9", "\xe2\x82\xac", "\xf0\x9f\x98\x80", "\xf4\x8f\xbf\xbf"};
	const char *const bad[] = {
		"\x80", "\xc3",     "\xc0\xaf", "\xe0\x80\x80",    "\xed\xa0\x80", "\xf4\x90\x80\x80",
		"\xff", "\xe2\x82", "\xc3(",    "\xf8\x88\x80\x80"};
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		assert_true(str_valid_utf8(good[i], strlen(good[i])));
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_false(str_valid_utf8(bad[i], strlen(bad[i])));
	assert_true(str_valid_utf8("a\0b", 3));
}

static void distance(void **state)
{
	assert_int_equal(str_distance("", ""), 0);
	assert_int_equal(str_distance("abc", ""), 3);
	assert_int_equal(str_distance("kitten", "sitting"), 3);
	assert_int_equal(str_distance("offer_timeout", "offer_timout"), 1);
	assert_int_equal(str_distance("ab", "ba"), 2);
}

static void uuid(void **state)
{
	char out[37];

	str_uuid(0xffffffffffffffffull, 0xffffffffffffffffull, out);
	assert_string_equal(out, "ffffffff-ffff-4fff-bfff-ffffffffffff");
	str_uuid(0x0123456789abcdefull, 0x0123456789abcdefull, out);
	assert_string_equal(out, "01234567-89ab-4def-8123-456789abcdef");
}

static void path_escape(void **state)
{
	_cleanup_free_ char *a = str_path_escape("web-1.x_y");
	_cleanup_free_ char *b = str_path_escape("a/b (c)~%");
	_cleanup_free_ char *c = str_path_escape("..");
	_cleanup_free_ char *d = str_path_escape("\xff");

	assert_string_equal(a, "web-1.x_y");
	assert_string_equal(b, "a%2Fb%20%28c%29%7E%25");
	assert_string_equal(c, "%2E%2E");
	assert_string_equal(d, "%FF");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(int64),
		cmocka_unit_test(uint64),
		cmocka_unit_test(milli),
		cmocka_unit_test(milli_prints_shortest),
		cmocka_unit_test(durations),
		cmocka_unit_test(bytes),
		cmocka_unit_test(ends_and_equality),
		cmocka_unit_test(split),
		cmocka_unit_test(ids),
		cmocka_unit_test(roles),
		cmocka_unit_test(utf8),
		cmocka_unit_test(distance),
		cmocka_unit_test(uuid),
		cmocka_unit_test(path_escape),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
