#include "fixture.h"

#include "drf/shares.h"

#define MOST ((int64_t)1 << 50)

static struct share share(int64_t held, int64_t total)
{
	return (struct share){held, total};
}

static void dominant_is_the_largest(void **state)
{
	const int64_t total[] = {9000, 18000, 0, 100};
	const int64_t held[] = {3000, 12000, 77, 1};
	struct share s = share_dominant(held, 4, total, 4);

	assert_int_equal(s.held, 12000);
	assert_int_equal(s.total, 18000);
	/* What the cluster has none of does not count, nor what lies beyond either row. */
	s = share_dominant(held + 2, 1, total + 2, 1);
	assert_int_equal(s.held, 0);
	assert_int_equal(s.total, 1);
	s = share_dominant(held, 1, total, 4);
	assert_int_equal(s.held, 3000);
	s = share_dominant(held, 4, total, 1);
	assert_int_equal(s.held, 3000);
	s = share_dominant(NULL, 0, NULL, 0);
	assert_int_equal(s.held, 0);
}

static void compared_exactly(void **state)
{
	assert_int_equal(share_compare(share(1, 3), 1000, share(2, 6), 1000), 0);
	assert_true(share_compare(share(1, 3), 1000, share(1, 4), 1000) > 0);
	/* One part in 2^50 is seen; in double both are the same. */
	assert_true(share_compare(share(MOST - 1, MOST), 1000, share(MOST - 2, MOST - 1), 1000) > 0);
	assert_true(share_compare(share(MOST / 3, MOST), 1000, share(1, 3), 1000) < 0);
}

static void compared_at_the_limits(void **state)
{
	uint32_t most_weight = 1 << 20;

	assert_int_equal(share_compare(share(MOST, MOST), most_weight, share(MOST, MOST), most_weight), 0);
	assert_true(share_compare(share(MOST, MOST), most_weight, share(MOST, MOST), most_weight - 1) < 0);
	assert_true(share_compare(share(MOST, 1), 1, share(MOST, MOST), most_weight) > 0);
	assert_true(share_compare(share(0, MOST), 1, share(1, MOST), most_weight) < 0);
}

static void weights_divide(void **state)
{
	assert_int_equal(share_compare(share(2, 10), 2000, share(1, 10), 1000), 0);
	assert_true(share_compare(share(2, 10), 2000, share(1, 10), 999) < 0);
}

static void weighted_in_lowest_terms(void **state)
{
	int64_t num, den;

	share_weighted(share(12000, 18000), 1000, &num, &den);
	assert_int_equal(num, 2);
	assert_int_equal(den, 3);
	share_weighted(share(12000, 18000), 2000, &num, &den);
	assert_int_equal(num, 1);
	assert_int_equal(den, 3);
	share_weighted(share(0, 1), 1000, &num, &den);
	assert_int_equal(num, 0);
	assert_int_equal(den, 1);
	/* Beyond 63 bits it is cut, not wrapped. */
	share_weighted(share(MOST - 1, MOST), (1 << 20) - 1, &num, &den);
	assert_true(num > 0 && den > num);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(dominant_is_the_largest),  cmocka_unit_test(compared_exactly),
		cmocka_unit_test(compared_at_the_limits),   cmocka_unit_test(weights_divide),
		cmocka_unit_test(weighted_in_lowest_terms),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
