#include "fixture.h"

#include <stdio.h>

#include "drf/order.h"

#define N 200

struct bed {
	struct order order;
	struct rank ranks[N];
	char names[N][8];
	uint32_t random;
};

static uint32_t next_random(struct bed *b)
{
	b->random = b->random * 1664525 + 1013904223;
	return b->random >> 8;
}

static void bed_init(struct bed *b)
{
	*b = (struct bed){.random = 7};
	for (int i = 0; i < N; i++) {
		snprintf(b->names[i], sizeof(b->names[i]), "n%03d", i);
		b->ranks[i] = (struct rank){.name = b->names[i], .weight = 1000 + i % 3, .share = {0, 1}};
	}
}

static void assert_order(const struct bed *b)
{
	int n = 0, linked = 0;

	for (const struct rank *r = b->order.first; r; r = r->next, n++) {
		assert_true(order_in_place(r));
		assert_true(!r->next || r->next->previous == r);
		assert_true(!r->next || rank_compare(r, r->next) < 0);
	}
	for (int i = 0; i < N; i++)
		linked += rank_linked(&b->ranks[i]);
	assert_int_equal(n, linked);
}

static void keys(void **state)
{
	struct rank a = {.share = {1, 4}, .weight = 1000, .grants = 2, .name = "a"};
	struct rank b = a;

	b.name = "b";
	assert_true(rank_compare(&a, &b) < 0); /* then the name */
	a.grants = 3;
	assert_true(rank_compare(&a, &b) > 0); /* then fewer grants */
	b.share.held = 2;
	assert_true(rank_compare(&a, &b) < 0); /* first the share … */
	b.weight = 4000;
	assert_true(rank_compare(&a, &b) > 0); /* … over the weight */
}

static void moves_in_any_order(void **state)
{
	struct bed b;

	bed_init(&b);
	for (int step = 0; step < 20000; step++) {
		struct rank *r = &b.ranks[next_random(&b) % N];
		if (rank_linked(r))
			order_remove(&b.order, r);
		if (next_random(&b) % 4) {
			r->share = (struct share){next_random(&b) % 10, 10};
			r->grants = next_random(&b) % 3;
			order_insert(&b.order, r, next_random(&b));
		}
		if (step % 50 == 0)
			assert_order(&b);
	}
	assert_order(&b);
}

static void sees_that_a_key_changed(void **state)
{
	struct bed b;

	bed_init(&b);
	for (int i = 0; i < 3; i++) {
		b.ranks[i].weight = 1000;
		b.ranks[i].share = (struct share){i + 1, 10};
		order_insert(&b.order, &b.ranks[i], next_random(&b));
	}
	b.ranks[0].share.held = 2; /* as the second: the name still puts it first */
	assert_true(order_in_place(&b.ranks[0]));
	b.ranks[0].share.held = 4;
	assert_false(order_in_place(&b.ranks[0]));
	order_remove(&b.order, &b.ranks[0]);
	order_insert(&b.order, &b.ranks[0], 1);
	assert_ptr_equal(b.order.first, &b.ranks[1]);
	assert_null(b.ranks[0].next);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(keys),
		cmocka_unit_test(moves_in_any_order),
		cmocka_unit_test(sees_that_a_key_changed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
