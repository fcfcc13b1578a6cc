#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/buf.h"

static void zeroed_is_empty_and_valid(void **state)
{
	struct buf b = {0};

	assert_string_equal(buf_cstr(&b), "");
	buf_fini(&b);
	buf_fini(&b);
	buf_clear(&b);
	buf_consume(&b, 5);
	buf_append(&b, NULL, 0);
	assert_int_equal(b.size, 0);
	buf_fini(&b);
}

static void appends(void **state)
{
	_cleanup_buf_ struct buf b = {0};

	buf_append(&b, "ab", 2);
	buf_append_byte(&b, 'c');
	buf_append_str(&b, "def");
	buf_printf(&b, "-%d-", 12);
	assert_int_equal(b.size, 10);
	assert_string_equal(buf_cstr(&b), "abcdef-12-");
	assert_int_equal(b.size, 10);
}

static void grows(void **state)
{
	_cleanup_buf_ struct buf b = {0};

	for (int i = 0; i < 100000; i++)
		buf_append_byte(&b, (uint8_t)i);
	assert_int_equal(b.size, 100000);
	for (int i = 0; i < 100000; i++)
		assert_int_equal(b.data[i], (uint8_t)i);
}

static void printf_longer_than_the_room(void **state)
{
	_cleanup_buf_ struct buf b = {0};
	char text[1000];

	memset(text, 'q', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	buf_append_str(&b, "x");
	buf_printf(&b, "%s!", text);
	assert_int_equal(b.size, 1001);
	assert_memory_equal(b.data + 1, text, 999);
	assert_int_equal(b.data[1000], '!');
}

static void consume_drops_the_front(void **state)
{
	_cleanup_buf_ struct buf b = {0};

	buf_append_str(&b, "hello world");
	buf_consume(&b, 6);
	assert_string_equal(buf_cstr(&b), "world");
	buf_consume(&b, 0);
	assert_int_equal(b.size, 5);
	buf_consume(&b, 99);
	assert_int_equal(b.size, 0);
}

static void clear_keeps_the_memory(void **state)
{
	_cleanup_buf_ struct buf b = {0};

	buf_reserve(&b, 1000);
	size_t capacity = b.capacity;
	uint8_t *data = b.data;
	buf_append_str(&b, "x");
	buf_clear(&b);
	assert_int_equal(b.capacity, capacity);
	assert_ptr_equal(b.data, data);
	assert_true(capacity >= 1000);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zeroed_is_empty_and_valid),
		cmocka_unit_test(appends),
		cmocka_unit_test(grows),
		cmocka_unit_test(printf_longer_than_the_room),
		cmocka_unit_test(consume_drops_the_front),
		cmocka_unit_test(clear_keeps_the_memory),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
