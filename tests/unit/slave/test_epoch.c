/* Which orders may be obeyed, by their epoch. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include <fairlead/types.h>

#include "slave/epoch.h"

static enum epoch_verdict judge(const char *seen, uint64_t seen_term, const char *got, uint64_t got_term)
{
	struct fl_epoch s = {.incarnation = seen, .term = seen_term}, g = {.incarnation = got, .term = got_term};
	return epoch_judge(seen ? &s : NULL, &g);
}

static void test_verdicts(void **state)
{
	assert_int_equal(judge(NULL, 0, "a", 1), EPOCH_NEWER);
	assert_int_equal(judge("a", 1, "a", 1), EPOCH_SAME);
	assert_int_equal(judge("a", 1, "a", 2), EPOCH_NEWER);
	assert_int_equal(judge("a", 2, "a", 1), EPOCH_STALE);
	assert_int_equal(judge("a", 2, "b", 1), EPOCH_FOREIGN);
	assert_int_equal(judge("a", 2, "b", 3), EPOCH_FOREIGN);
	assert_int_equal(judge("a", UINT64_MAX, "a", UINT64_MAX), EPOCH_SAME);
	assert_int_equal(judge("a", UINT64_MAX, "a", 0), EPOCH_STALE);
}

static void test_no_epoch_at_all(void **state)
{
	char big[EPOCH_MAX_INCARNATION + 2];

	memset(big, 'x', sizeof(big) - 1);
	big[sizeof(big) - 1] = 0;
	assert_int_equal(judge(NULL, 0, "", 1), EPOCH_INVALID);
	assert_int_equal(judge("a", 0, big, 1), EPOCH_INVALID);
	big[EPOCH_MAX_INCARNATION] = 0;
	assert_int_equal(judge(NULL, 0, big, 1), EPOCH_NEWER);
}

int main(void)
{
	const struct CMUnitTest tests[] = {cmocka_unit_test(test_verdicts), cmocka_unit_test(test_no_epoch_at_all)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
