/* What has been declined, by whom and until when (rules 32 to 38). */
#include "fixture.h"

#include <errno.h>
#include <stdio.h>

#define SLAVE "cpus:4;mem:1024;ports:[31000-31009]"

struct bed {
	struct drf *d;
	drf_id s, a, b;
	struct grants g;
};

static int setup(void **state)
{
	struct bed *b = xcalloc(1, sizeof(*b));

	b->d = drf_create(1);
	b->s = add_slave(b->d, "s", SLAVE);
	b->a = add_client(b->d, "a", "*");
	b->b = add_client(b->d, "b", "*");
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bed *b = *state;

	assert_sound(b->d);
	grants_fini(&b->g);
	drf_destroy(b->d);
	free(b);
	return 0;
}

static void assert_granted(struct bed *b, int64_t now_ms, drf_id client)
{
	assert_int_equal(round_of(b->d, now_ms, &b->g), client ? 1 : 0);
	if (client)
		assert_true(b->g.v[0].client == client);
}

static void a_filter_hides_until_it_ends(void **state)
{
	struct bed *b = *state;

	assert_int_equal(refuse(b->d, b->s, b->a, SLAVE, 100), 0);
	assert_int_equal(drf_next_expiry(b->d), 100);
	assert_granted(b, 0, b->b);
	release_all(b->d, &b->g);
	assert_int_equal(refuse(b->d, b->s, b->b, SLAVE, 50), 0);
	assert_granted(b, 49, 0);
	assert_false(drf_dirty(b->d));
	drf_expire(b->d, 49);
	assert_false(drf_dirty(b->d));
	drf_expire(b->d, 50);
	assert_true(drf_dirty(b->d));
	assert_int_equal(drf_next_expiry(b->d), 100);
	assert_granted(b, 50, b->b);
	release_all(b->d, &b->g);
	/* a had no grant yet, but it is hidden until 100. */
	assert_granted(b, 99, b->b);
	release_all(b->d, &b->g);
	assert_granted(b, 100, b->a);
	assert_int_equal(drf_next_expiry(b->d), INT64_MAX);
}

static void more_than_was_refused_is_offered(void **state)
{
	struct bed *b = *state;

	assert_int_equal(drf_client_suppress(b->d, b->b), 0);
	assert_int_equal(take(b->d, b->s, b->b, "cpus:2;mem:24;ports:[31000-31000]"), 0);
	assert_granted(b, 0, b->a);
	release_all(b->d, &b->g);
	assert_int_equal(refuse(b->d, b->s, b->a, "cpus:2;mem:1000;ports:[31001-31009]", 100), 0);
	assert_granted(b, 0, 0);
	/* Less is hidden as well; a single port more is not, nor a bit of cpu. */
	assert_int_equal(take(b->d, b->s, b->b, "cpus:1;ports:[31001-31001]"), 0);
	drf_mark_all_dirty(b->d);
	assert_granted(b, 0, 0);
	assert_int_equal(release(b->d, b->s, b->b, "ports:[31000-31001]"), 0);
	assert_granted(b, 0, b->a);
	release_all(b->d, &b->g);
	assert_int_equal(take(b->d, b->s, b->b, "ports:[31000-31001]"), 0);
	assert_granted(b, 0, 0);
	assert_int_equal(release(b->d, b->s, b->b, "cpus:1.001"), 0);
	assert_granted(b, 0, b->a);
}

static void any_of_several_hides(void **state)
{
	struct bed *b = *state;

	assert_int_equal(drf_client_suppress(b->d, b->b), 0);
	assert_int_equal(refuse(b->d, b->s, b->a, "cpus:4;mem:100;ports:[31000-31009]", 100), 0);
	assert_int_equal(refuse(b->d, b->s, b->a, "cpus:1;mem:1024;ports:[31000-31009]", 200), 0);
	assert_int_equal(take(b->d, b->s, b->b, "mem:1000"), 0);
	assert_granted(b, 0, 0); /* by the first */
	assert_int_equal(release(b->d, b->s, b->b, "mem:1000"), 0);
	assert_int_equal(take(b->d, b->s, b->b, "cpus:3"), 0);
	assert_granted(b, 0, 0); /* by the second */
	assert_granted(b, 100, 0);
	assert_granted(b, 200, b->a);
}

static void a_filter_that_covers_another_replaces_it(void **state)
{
	struct bed *b = *state;

	assert_int_equal(refuse(b->d, b->s, b->a, "cpus:1", 100), 0);
	assert_int_equal(refuse(b->d, b->s, b->a, SLAVE, 200), 0);
	assert_int_equal(drf_next_expiry(b->d), 200); /* the small one is gone */
	assert_int_equal(refuse(b->d, b->s, b->a, "cpus:2", 150), 0);
	assert_int_equal(drf_next_expiry(b->d), 200); /* never came */
	assert_int_equal(refuse(b->d, b->s, b->a, SLAVE, 300), 0);
	assert_int_equal(drf_next_expiry(b->d), 300); /* lasts longer */
	assert_int_equal(refuse(b->d, b->s, b->a, "cpus:2", 400), 0);
	assert_int_equal(drf_next_expiry(b->d), 300); /* neither covers the other */
}

static void one_client_cannot_pile_them_up(void **state)
{
	struct bed *b = *state;
	char text[64];

	/* None covers another: more cpus each time, and less mem. */
	for (int i = 0; i < 100; i++) {
		snprintf(text, sizeof(text), "cpus:%d;mem:%d", i + 1, 1000 - i);
		assert_int_equal(refuse(b->d, b->s, b->a, text, 1000 + i), 0);
	}
	assert_int_equal(drf_next_expiry(b->d), 1084);
	assert_sound(b->d);
}

static void revive_drops_them(void **state)
{
	struct bed *b = *state;
	drf_id other = add_slave(b->d, "s2", SLAVE);

	assert_int_equal(refuse(b->d, b->s, b->a, SLAVE, INT64_MAX), 0);
	assert_int_equal(refuse(b->d, other, b->a, SLAVE, INT64_MAX), 0);
	assert_int_equal(drf_client_suppress(b->d, b->b), 0);
	assert_granted(b, 0, 0);
	assert_int_equal(drf_client_revive(b->d, b->a), 0);
	assert_true(drf_dirty(b->d));
	assert_int_equal(round_of(b->d, 0, &b->g), 2);
	assert_int_equal(drf_next_expiry(b->d), INT64_MAX);
}

static void deactivation_drops_them_and_suppression_does_not(void **state)
{
	struct bed *b = *state;

	assert_int_equal(refuse(b->d, b->s, b->a, SLAVE, 100), 0);
	assert_int_equal(refuse(b->d, b->s, b->b, SLAVE, 200), 0);
	assert_int_equal(drf_client_suppress(b->d, b->b), 0);
	assert_int_equal(drf_client_set_active(b->d, b->a, false), 0);
	assert_int_equal(drf_next_expiry(b->d), 200);
	assert_int_equal(drf_client_set_active(b->d, b->a, true), 0);
	assert_granted(b, 0, b->a);
}

static void they_go_with_slave_and_client(void **state)
{
	struct bed *b = *state;
	drf_id other = add_slave(b->d, "s2", SLAVE), again;

	assert_int_equal(refuse(b->d, b->s, b->a, SLAVE, 100), 0);
	assert_int_equal(refuse(b->d, other, b->a, SLAVE, 200), 0);
	assert_int_equal(refuse(b->d, other, b->b, SLAVE, 300), 0);
	assert_int_equal(drf_slave_remove(b->d, b->s), 0);
	assert_int_equal(drf_next_expiry(b->d), 200);
	assert_int_equal(refuse(b->d, b->s, b->a, SLAVE, 50), -ENOENT);
	assert_int_equal(drf_client_remove(b->d, b->a), 0);
	assert_int_equal(drf_next_expiry(b->d), 300);
	/* Whoever gets its place does not get its filters. */
	again = add_client(b->d, "a", "*");
	assert_granted(b, 0, again);
}

/* Everybody declines everything for ever: nobody is asked again, and nothing is dirty. */
static void all_is_declined(void **state)
{
	enum { clients = 150, slaves = 20 };
	struct drf *d = drf_create(3);
	struct grants g = {0};
	drf_id c[clients];
	char name[16];

	for (int i = 0; i < clients; i++) {
		snprintf(name, sizeof(name), "f%d", i);
		c[i] = add_client(d, name, i % 2 ? "eng" : "ops/web");
	}
	for (int i = 0; i < slaves; i++) {
		snprintf(name, sizeof(name), "s%d", i);
		add_slave(d, name, SLAVE);
	}
	for (int turn = 0; turn < clients; turn++) {
		assert_int_equal(round_of(d, turn, &g), slaves);
		for (size_t i = 0; i < g.n; i++)
			assert_int_equal(drf_filter(d, g.v[i].slave, g.v[i].client, &g.v[i].what, INT64_MAX - 1), 0);
		release_all(d, &g);
	}
	assert_int_equal(round_of(d, clients, &g), 0);
	assert_false(drf_dirty(d));
	drf_mark_all_dirty(d);
	assert_true(drf_dirty(d));
	assert_int_equal(round_of(d, clients, &g), 0);
	/* One newcomer gets all of it. */
	c[0] = add_client(d, "new", "new");
	assert_int_equal(round_of(d, clients, &g), slaves);
	for (size_t i = 0; i < g.n; i++)
		assert_true(g.v[i].client == c[0]);
	grants_fini(&g);
	drf_destroy(d);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_filter_hides_until_it_ends),
		TEST(more_than_was_refused_is_offered),
		TEST(any_of_several_hides),
		TEST(a_filter_that_covers_another_replaces_it),
		TEST(one_client_cannot_pile_them_up),
		TEST(revive_drops_them),
		TEST(deactivation_drops_them_and_suppression_does_not),
		TEST(they_go_with_slave_and_client),
		cmocka_unit_test(all_is_declined),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
