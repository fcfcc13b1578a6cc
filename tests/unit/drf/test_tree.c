/* Roles: siblings first, then clients inside; weights; a role that is leaf and parent. */
#include "fixture.h"

#include <errno.h>
#include <stdio.h>

#include "drf/tree.h"

struct bed {
	struct drf *d;
	drf_id s;
};

static int setup(void **state)
{
	struct bed *b = xcalloc(1, sizeof(*b));

	b->d = drf_create(1);
	drf_set_min_allocatable(b->d, NULL, 0);
	b->s = add_slave(b->d, "big", "cpus:1000");
	*state = b;
	return 0;
}

static int teardown(void **state)
{
	struct bed *b = *state;

	assert_sound(b->d);
	drf_destroy(b->d);
	free(b);
	return 0;
}

/* Keeps one cpu of each offer. */
static void keep_one(void *user, drf_id slave, drf_id client, const struct resources *offer)
{
	struct drf *d = user;
	struct resources rest = {0}, one = res("cpus:1");

	resources_copy(&rest, offer);
	resources_sub(&rest, &one);
	assert_int_equal(drf_release(d, slave, client, &rest), 0);
	resources_fini(&rest);
	resources_fini(&one);
}

static void hand_out(struct bed *b, int cpus)
{
	for (int i = 0; i < cpus; i++)
		assert_int_equal(drf_round(b->d, i, keep_one, b->d), 1);
	assert_sound(b->d);
}

static int64_t cpus_of(struct bed *b, drf_id client)
{
	struct resources held = {0};
	int64_t cpus;

	assert_true(drf_client_held(b->d, client, &held));
	cpus = resources_scalar(&held, "cpus") / 1000;
	resources_fini(&held);
	return cpus;
}

static void roles_share_before_their_clients_do(void **state)
{
	struct bed *b = *state;
	drf_id alone = add_client(b->d, "f", "alone"), many[3];

	for (int i = 0; i < 3; i++)
		many[i] = add_client(b->d, (const char *[]){"x", "y", "z"}[i], "many");
	hand_out(b, 60);
	assert_int_equal(cpus_of(b, alone), 30);
	for (int i = 0; i < 3; i++)
		assert_int_equal(cpus_of(b, many[i]), 10);
}

static void weights_of_siblings(void **state)
{
	struct bed *b = *state;

	assert_int_equal(drf_set_weight(b->d, "a", 3000), 0); /* before it has a client */
	drf_id a = add_client(b->d, "f", "a"), c = add_client(b->d, "f", "c");
	hand_out(b, 40);
	assert_int_equal(cpus_of(b, a), 30);
	assert_int_equal(cpus_of(b, c), 10);
	/* And after: what is held counts against the new weight. */
	assert_int_equal(drf_set_weight(b->d, "c", 9000), 0);
	hand_out(b, 80);
	assert_int_equal(cpus_of(b, a), 30);
	assert_int_equal(cpus_of(b, c), 90);
}

static void weights_have_limits(void **state)
{
	struct bed *b = *state;

	assert_int_equal(drf_set_weight(b->d, "a", 0), -ERANGE);
	assert_int_equal(drf_set_weight(b->d, "a", -5), -ERANGE);
	assert_int_equal(drf_set_weight(b->d, "a", DRF_WEIGHT_MAX + 1), -ERANGE);
	assert_int_equal(drf_set_weight(b->d, "a", DRF_WEIGHT_MIN), 0);
	assert_int_equal(drf_set_weight(b->d, "a", DRF_WEIGHT_MAX), 0);
	assert_int_equal(drf_set_weight(b->d, "a//b", 1000), -EINVAL);
}

static void a_role_that_is_leaf_and_parent(void **state)
{
	struct bed *b = *state;
	drf_id own = add_client(b->d, "f", "eng"), web = add_client(b->d, "f", "eng/web"),
	       db = add_client(b->d, "f", "eng/db"), ops = add_client(b->d, "f", "ops");

	/* eng and ops half each; in eng its own client counts as one sibling of web and db. */
	hand_out(b, 60);
	assert_int_equal(cpus_of(b, ops), 30);
	assert_int_equal(cpus_of(b, own), 10);
	assert_int_equal(cpus_of(b, web), 10);
	assert_int_equal(cpus_of(b, db), 10);
	/* A weight of the parent is not that of its own clients; one of a child is its own. */
	assert_int_equal(drf_set_weight(b->d, "eng", 5000), 0);
	assert_int_equal(drf_set_weight(b->d, "eng/web", 8000), 0);
	hand_out(b, 120);
	assert_int_equal(cpus_of(b, ops), 30);
	assert_int_equal(cpus_of(b, own), 15);
	assert_int_equal(cpus_of(b, db), 15);
	assert_int_equal(cpus_of(b, web), 120);
}

static void deep_roles(void **state)
{
	struct bed *b = *state;
	char deep[4 * TREE_MAX_DEPTH] = "r";
	struct err err = {0};
	drf_id c;

	for (int i = 1; i < TREE_MAX_DEPTH; i++)
		strcat(deep, "/r");
	c = add_client(b->d, "f", deep);
	hand_out(b, 3);
	assert_int_equal(cpus_of(b, c), 3);
	strcat(deep, "/r");
	assert_int_equal(drf_client_add(b->d, "f", deep, &c, &err), -EINVAL);
	assert_int_equal(drf_set_weight(b->d, deep, 1000), -EINVAL);
}

static void inactive_branches_are_not_entered(void **state)
{
	struct bed *b = *state;
	drf_id a = add_client(b->d, "f", "a/b/c"), z = add_client(b->d, "f", "z");

	hand_out(b, 2);
	assert_int_equal(drf_client_suppress(b->d, a), 0);
	hand_out(b, 3);
	assert_int_equal(cpus_of(b, a), 1);
	assert_int_equal(cpus_of(b, z), 4);
	assert_int_equal(drf_client_revive(b->d, a), 0);
	hand_out(b, 3);
	assert_int_equal(cpus_of(b, a), 4);
}

static void totals_change_the_order(void **state)
{
	struct bed *b = *state;
	drf_id s2 = add_slave(b->d, "s2", "mem:100"), a = add_client(b->d, "a", "*"), z = add_client(b->d, "z", "*");
	struct resources more = res("mem:10000");
	struct grants g = {0};

	take(b->d, b->s, a, "cpus:200");
	take(b->d, s2, z, "mem:50");
	/* a has a fifth of the cpus, z half of the mem: a is next. */
	assert_int_equal(drf_why(b->d, b->s, a, 0), DRF_WHY_ELIGIBLE);
	assert_sound(b->d);
	assert_int_equal(drf_slave_set_total(b->d, s2, &more, NULL), 0);
	assert_int_equal(drf_why(b->d, b->s, a, 0), DRF_WHY_NOT_ITS_TURN);
	assert_int_equal(drf_slave_set_active(b->d, s2, false), 0);
	assert_int_equal(round_of(b->d, 0, &g), 1);
	assert_true(g.v[0].client == z);
	grants_fini(&g);
	resources_fini(&more);
}

/* ----------------------------------------------------------------------------------------------------------- roles */

struct listing {
	char text[512];
};

static void list_role(void *user, const struct drf_role_info *r)
{
	struct listing *l = user;
	size_t n = strlen(l->text);

	snprintf(l->text + n, sizeof(l->text) - n, "%s w=%ld share=%ld/%ld cpus=%ld\n", r->name, (long)r->weight_milli,
	         (long)r->share_num, (long)r->share_den, (long)resources_scalar(r->held, "cpus"));
}

static void assert_roles(struct bed *b, const char *text)
{
	struct listing l = {0};

	drf_roles(b->d, list_role, &l);
	assert_string_equal(l.text, text);
}

static void roles_are_listed(void **state)
{
	struct bed *b = *state;
	drf_id web = add_client(b->d, "f", "eng/web"), any = add_client(b->d, "f", "*");

	assert_roles(b, "* w=1000 share=0/1 cpus=0\neng/web w=1000 share=0/1 cpus=0\n");
	take(b->d, b->s, web, "cpus:100");
	assert_int_equal(drf_set_weight(b->d, "eng", 2000), 0);
	assert_roles(b, "* w=1000 share=0/1 cpus=0\neng w=2000 share=1/20 cpus=100000\n"
	                "eng/web w=1000 share=1/10 cpus=100000\n");
	/* A role goes with the last that it has; one with a weight stays. */
	assert_int_equal(drf_client_remove(b->d, any), 0);
	assert_int_equal(drf_client_remove(b->d, web), 0);
	assert_roles(b, "eng w=2000 share=1/20 cpus=100000\neng/web w=1000 share=1/10 cpus=100000\n");
	release(b->d, b->s, web, "cpus:100");
	assert_roles(b, "eng w=2000 share=0/1 cpus=0\n");
	assert_int_equal(drf_slave_remove(b->d, b->s), 0);
	assert_roles(b, "eng w=2000 share=0/0 cpus=0\n");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(roles_share_before_their_clients_do),
		TEST(weights_of_siblings),
		TEST(weights_have_limits),
		TEST(a_role_that_is_leaf_and_parent),
		TEST(deep_roles),
		TEST(inactive_branches_are_not_entered),
		TEST(totals_change_the_order),
		TEST(roles_are_listed),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
