#include "fixture.h"

#include "drf/slots.h"

struct thing {
	struct slot slot;
	int value;
};

static void ids_age(void **state)
{
	struct slots s;
	struct thing *first, *second;
	uint64_t id;

	slots_init(&s, 0, sizeof(struct thing));
	first = slots_add(&s);
	first->value = 1;
	id = slots_id(&s, first);
	assert_true(id != 0);
	assert_ptr_equal(slots_find(&s, id), first);
	slots_remove(&s, first);
	assert_null(slots_find(&s, id));

	second = slots_add(&s);
	assert_ptr_equal(second, first); /* the place is used again … */
	assert_int_equal(second->value, 0);
	assert_null(slots_find(&s, id)); /* … under another id */
	assert_ptr_equal(slots_find(&s, slots_id(&s, second)), second);
	slots_fini(&s);
}

static void kinds_do_not_mix(void **state)
{
	struct slots a, b;
	uint64_t id_a, id_b;

	slots_init(&a, 0, sizeof(struct thing));
	slots_init(&b, 1, sizeof(struct thing));
	id_a = slots_id(&a, slots_add(&a));
	id_b = slots_id(&b, slots_add(&b));
	assert_true(id_a != id_b);
	assert_null(slots_find(&a, id_b));
	assert_null(slots_find(&b, id_a));
	slots_fini(&a);
	slots_fini(&b);
}

static void strange_ids(void **state)
{
	struct slots s;
	const uint64_t strange[] = {0, 1, 5, UINT64_MAX, (uint64_t)1 << 25, ((uint64_t)1 << 25) + 1, (uint64_t)1 << 63};

	slots_init(&s, 0, sizeof(struct thing));
	for (size_t i = 0; i < sizeof(strange) / sizeof(strange[0]); i++)
		assert_null(slots_find(&s, strange[i]));
	slots_add(&s);
	assert_null(slots_find(&s, 0));
	assert_null(slots_find(&s, UINT64_MAX));
	slots_fini(&s);
}

static void things_stay_where_they_are(void **state)
{
	enum { n = 5 * SLOTS_BLOCK + 3 };
	struct slots s;
	struct thing *things[n], *t;
	int count = 0;

	slots_init(&s, 0, sizeof(struct thing));
	for (int i = 0; i < n; i++) {
		things[i] = slots_add(&s);
		things[i]->value = i;
		assert_int_equal((uintptr_t)things[i] % 64, 0);
	}
	for (int i = 0; i < n; i += 2)
		slots_remove(&s, things[i]);
	SLOTS_FOREACH(t, &s)
	{
		assert_ptr_equal(t, things[t->value]);
		assert_int_equal(t->value % 2, 1);
		count++;
	}
	assert_int_equal(count, n / 2);
	slots_fini(&s);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(ids_age),
		cmocka_unit_test(kinds_do_not_mix),
		cmocka_unit_test(strange_ids),
		cmocka_unit_test(things_stay_where_they_are),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
