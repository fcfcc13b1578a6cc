#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/buf.h"
#include "base/mem.h"
#include "net/metrics.h"

struct values {
	int64_t accepted, declined, slaves;
};

static const struct metric_desc table[] = {
	{METRIC_COUNTER, "fairlead_offers_total", "outcome=\"accepted\"", "Offers ended.",
         offsetof(struct values, accepted)},
	{METRIC_COUNTER, "fairlead_offers_total", "outcome=\"declined\"", "Offers ended.",
         offsetof(struct values, declined)},
	{METRIC_GAUGE, "fairlead_slaves", "", "Back\\slash and\nline.", offsetof(struct values, slaves)},
};

static void test_rows_of_one_name_share_a_head(void **state)
{
	struct values v = {.accepted = 3, .declined = INT64_MAX, .slaves = -1};
	_cleanup_buf_ struct buf out = {0};

	metrics_print(table, ARRAY_SIZE(table), &v, &out);
	assert_string_equal(buf_cstr(&out), "# HELP fairlead_offers_total Offers ended.\n"
	                                    "# TYPE fairlead_offers_total counter\n"
	                                    "fairlead_offers_total{outcome=\"accepted\"} 3\n"
	                                    "fairlead_offers_total{outcome=\"declined\"} 9223372036854775807\n"
	                                    "# HELP fairlead_slaves Back\\\\slash and\\nline.\n"
	                                    "# TYPE fairlead_slaves gauge\n"
	                                    "fairlead_slaves -1\n");
}

static void test_an_empty_table_prints_nothing(void **state)
{
	_cleanup_buf_ struct buf out = {0};

	metrics_print(table, 0, NULL, &out);
	assert_int_equal(out.size, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_rows_of_one_name_share_a_head),
		cmocka_unit_test(test_an_empty_table_prints_nothing),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
