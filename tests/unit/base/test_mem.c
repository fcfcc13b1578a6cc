#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"

static void copies(void **state)
{
	_cleanup_free_ char *a = xstrdup("abc");
	_cleanup_free_ char *b = xstrndup("abcdef", 2);
	_cleanup_free_ char *c = xasprintf("%d-%s", 5, "x");
	_cleanup_free_ int *d = xmemdup(&(int){42}, sizeof(int));

	assert_string_equal(a, "abc");
	assert_string_equal(b, "ab");
	assert_string_equal(c, "5-x");
	assert_int_equal(*d, 42);
	assert_null(xstrdup(NULL));
	assert_null(xstrndup(NULL, 3));
}

static void nothing_is_something(void **state)
{
	_cleanup_free_ void *a = xmalloc(0);
	_cleanup_free_ void *b = xcalloc(0, 0);
	_cleanup_free_ void *c = xmemdup(NULL, 0);

	assert_non_null(a);
	assert_non_null(b);
	assert_non_null(c);
}

static void zone_memory_is_zeroed_and_aligned(void **state)
{
	_cleanup_zone_ struct zone *z = zone_create();
	size_t total = 0;

	for (size_t size = 0; size < 5000; size += 7) {
		unsigned char *p = zone_alloc(z, size);
		assert_int_equal((uintptr_t)p % 16, 0);
		for (size_t i = 0; i < size; i++)
			assert_int_equal(p[i], 0);
		memset(p, 0xff, size);
		total += size;
	}
	assert_int_equal(zone_size(z), total);
}

static void zone_blocks_do_not_overlap(void **state)
{
	_cleanup_zone_ struct zone *z = zone_create();
	enum { N = 300 };
	unsigned char *blocks[N];

	for (int i = 0; i < N; i++) {
		size_t size = 1 + (size_t)(i * 37 % 900) + (i % 50 == 0 ? 200000 : 0);
		blocks[i] = zone_alloc(z, size);
		blocks[i][0] = blocks[i][size - 1] = (unsigned char)i;
	}
	for (int i = 0; i < N; i++)
		assert_int_equal(blocks[i][0], (unsigned char)i);
}

static void zone_reset_gives_clean_memory_again(void **state)
{
	_cleanup_zone_ struct zone *z = zone_create();

	for (int round = 0; round < 3; round++) {
		for (int i = 0; i < 100; i++) {
			unsigned char *p = zone_alloc(z, 100);
			for (int k = 0; k < 100; k++)
				assert_int_equal(p[k], 0);
			memset(p, 0xaa, 100);
		}
		zone_reset(z);
		assert_int_equal(zone_size(z), 0);
	}
}

static void zone_strings(void **state)
{
	_cleanup_zone_ struct zone *z = zone_create();
	char longer[3000];

	memset(longer, 'y', sizeof(longer) - 1);
	longer[sizeof(longer) - 1] = 0;
	assert_string_equal(zone_strdup(z, "hello"), "hello");
	assert_string_equal(zone_strndup(z, "hello", 4), "hell");
	assert_string_equal(zone_strndup(z, "hi", 40), "hi");
	assert_string_equal(zone_printf(z, "%s/%d", "a", 9), "a/9");
	assert_string_equal(zone_printf(z, "%s", longer), longer);
	assert_memory_equal(zone_memdup(z, "\0\1\2", 3), "\0\1\2", 3);
	assert_null(zone_strdup(z, NULL));
	assert_null(zone_strndup(z, NULL, 1));
}

static void destroy_takes_null(void **state)
{
	zone_destroy(NULL);
}

static void cleanup_closes(void **state)
{
	int copy;
	{
		_cleanup_close_ int fd = open("/dev/null", O_RDONLY | O_CLOEXEC);
		_cleanup_close_ int none = -1;
		_cleanup_fclose_ FILE *f = fopen("/dev/null", "re");
		assert_true(fd >= 0);
		assert_non_null(f);
		assert_int_equal(none, -1);
		copy = fd;
	}
	assert_int_equal(fcntl(copy, F_GETFD), -1);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(copies),
		cmocka_unit_test(nothing_is_something),
		cmocka_unit_test(zone_memory_is_zeroed_and_aligned),
		cmocka_unit_test(zone_blocks_do_not_overlap),
		cmocka_unit_test(zone_reset_gives_clean_memory_again),
		cmocka_unit_test(zone_strings),
		cmocka_unit_test(destroy_takes_null),
		cmocka_unit_test(cleanup_closes),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
