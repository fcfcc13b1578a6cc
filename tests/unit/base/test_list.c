#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "base/list.h"

struct item {
	int value;
	struct list_node node;
};

static void zeroed_node_is_in_no_list(void **state)
{
	struct item a = {0};

	assert_false(list_linked(&a.node));
	list_remove(&a.node);
	assert_false(list_linked(&a.node));
}

static void keeps_order(void **state)
{
	struct list l;
	struct item items[5] = {{1}, {2}, {3}, {4}, {0}};
	struct item *i;
	int expected = 0;

	list_init(&l);
	assert_true(list_empty(&l));
	assert_null(list_first(&l));
	for (int k = 0; k < 4; k++)
		list_push(&l, &items[k].node);
	list_push_front(&l, &items[4].node);
	LIST_FOREACH (i, &l, struct item, node)
		assert_int_equal(i->value, expected++);
	assert_int_equal(expected, 5);
	assert_ptr_equal(list_first(&l), &items[4].node);
}

static void current_may_be_removed_while_walking(void **state)
{
	struct list l;
	struct item *i;
	int left = 0;

	list_init(&l);
	for (int k = 0; k < 10; k++) {
		struct item *fresh = xcalloc(1, sizeof(*fresh));
		fresh->value = k;
		list_push(&l, &fresh->node);
	}
	LIST_FOREACH (i, &l, struct item, node) {
		if (i->value % 2)
			continue;
		list_remove(&i->node);
		free(i);
	}
	LIST_FOREACH (i, &l, struct item, node) {
		assert_int_equal(i->value % 2, 1);
		left++;
		list_remove(&i->node);
		free(i);
	}
	assert_int_equal(left, 5);
	assert_true(list_empty(&l));
}

static void a_removed_node_may_be_put_again(void **state)
{
	struct list a, b;
	struct item i = {0};

	list_init(&a);
	list_init(&b);
	list_push(&a, &i.node);
	list_remove(&i.node);
	list_push(&b, &i.node);
	assert_true(list_empty(&a));
	assert_false(list_empty(&b));
	assert_true(list_linked(&i.node));
}

static void insert_before(void **state)
{
	struct list l;
	struct item a = {1}, b = {2}, c = {3};

	list_init(&l);
	list_push(&l, &a.node);
	list_push(&l, &c.node);
	list_insert_before(&c.node, &b.node);
	assert_ptr_equal(a.node.next, &b.node);
	assert_ptr_equal(c.node.prev, &b.node);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zeroed_node_is_in_no_list),
		cmocka_unit_test(keeps_order),
		cmocka_unit_test(current_may_be_removed_while_walking),
		cmocka_unit_test(a_removed_node_may_be_put_again),
		cmocka_unit_test(insert_before),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
