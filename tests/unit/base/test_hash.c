#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>

#include "base/hash.h"

struct entry {
	struct hash_node node;
	char key[16];
	bool present;
};

static void empty_table_finds_nothing(void **state)
{
	struct hash h;

	hash_init(&h);
	assert_null(hash_get(&h, "x"));
	assert_null(HASH_FIND(&h, "x", struct entry, node));
	assert_null(hash_get(&h, NULL));
	hash_fini(&h);
}

static void finds_what_was_put(void **state)
{
	enum { N = 5000 };
	struct entry *e = xcalloc(N, sizeof(*e));
	struct hash h;

	hash_init_seeded(&h, 77);
	for (int i = 0; i < N; i++) {
		snprintf(e[i].key, sizeof(e[i].key), "key-%d", i);
		hash_put(&h, &e[i].node, e[i].key);
	}
	assert_int_equal(h.count, N);
	for (int i = 0; i < N; i++) {
		char key[16];
		snprintf(key, sizeof(key), "key-%d", i);
		assert_ptr_equal(HASH_FIND(&h, key, struct entry, node), &e[i]);
	}
	assert_null(hash_get(&h, "key-5000"));
	hash_fini(&h);
	free(e);
}

static void walks_in_insertion_order(void **state)
{
	struct entry e[40] = {0};
	struct entry *at;
	struct hash h;
	int n = 0;

	hash_init(&h);
	for (int i = 0; i < 40; i++) {
		snprintf(e[i].key, sizeof(e[i].key), "%d", (i * 7919) % 1000);
		hash_put(&h, &e[i].node, e[i].key);
	}
	HASH_FOREACH (at, &h, struct entry, node)
		assert_ptr_equal(at, &e[n++]);
	assert_int_equal(n, 40);
	HASH_FOREACH (at, &h, struct entry, node)
		hash_del(&h, &at->node);
	assert_int_equal(h.count, 0);
	hash_fini(&h);
}

static void del_of_an_unlinked_entry_has_no_effect(void **state)
{
	struct entry e = {0};
	struct hash h;

	hash_init(&h);
	hash_del(&h, &e.node);
	hash_put(&h, &e.node, "a");
	hash_del(&h, &e.node);
	hash_del(&h, &e.node);
	assert_int_equal(h.count, 0);
	assert_null(hash_get(&h, "a"));
	hash_fini(&h);
}

static void agrees_with_a_plain_array(void **state)
{
	enum { N = 200 };
	struct entry e[N] = {0};
	uint64_t random = 12345;
	struct hash h;
	size_t count = 0;

	hash_init(&h);
	for (int i = 0; i < N; i++)
		snprintf(e[i].key, sizeof(e[i].key), "%x", i);
	for (int step = 0; step < 20000; step++) {
		random = random * 6364136223846793005ull + 1442695040888963407ull;
		struct entry *x = &e[(random >> 33) % N];
		if (x->present)
			hash_del(&h, &x->node);
		else
			hash_put(&h, &x->node, x->key);
		x->present = !x->present;
		count += x->present ? 1 : (size_t)-1;
		assert_int_equal(h.count, count);
		struct entry *y = &e[(random >> 20) % N];
		assert_ptr_equal(hash_get(&h, y->key), y->present ? &y->node : NULL);
	}
	hash_fini(&h);
}

static void seed_and_length_matter(void **state)
{
	assert_int_not_equal(hash_bytes("abc", 3, 0), hash_bytes("abc", 3, 1));
	assert_int_not_equal(hash_bytes("abc\0", 4, 0), hash_bytes("abc", 3, 0));
	assert_int_equal(hash_bytes("0123456789", 10, 5), hash_bytes("0123456789", 10, 5));
	assert_int_not_equal(hash_bytes("", 0, 0), hash_bytes("\0", 1, 0));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(empty_table_finds_nothing), cmocka_unit_test(finds_what_was_put),
		cmocka_unit_test(walks_in_insertion_order),  cmocka_unit_test(del_of_an_unlinked_entry_has_no_effect),
		cmocka_unit_test(agrees_with_a_plain_array), cmocka_unit_test(seed_and_length_matter),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
