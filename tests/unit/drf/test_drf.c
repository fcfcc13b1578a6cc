/* Facts and what can be seen of them, one by one. */
#include "fixture.h"

#include <errno.h>
#include <stdio.h>

#define SLAVE "cpus:4;mem:1024;ports:[31000-31009]"

static int setup(void **state)
{
	*state = drf_create(42);
	return 0;
}

static int teardown(void **state)
{
	assert_sound(*state);
	drf_destroy(*state);
	return 0;
}

/* ----------------------------------------------------------------------------------------------------------- slaves */

static void a_slave_comes_and_goes(void **state)
{
	struct drf *d = *state;
	drf_id s = add_slave(d, "s1", SLAVE);
	struct resources r = res("cpus:1");
	struct err err = {0};
	drf_id other;

	assert_string_equal(drf_slave_name(d, s), "s1");
	assert_free(d, s, "cpus:4;mem:1024;ports:[31000-31009]");
	assert_slave_held(d, s, "");
	assert_true(drf_dirty(d));
	assert_int_equal(drf_slave_add(d, "s1", &r, &other, &err), -EEXIST);
	assert_true(strstr(err.text, "s1") != NULL);
	assert_int_equal(drf_slave_remove(d, s), 0);
	assert_null(drf_slave_name(d, s));

	/* Its id is never that of another. */
	other = add_slave(d, "s1", "cpus:1");
	assert_true(other != s);
	assert_int_equal(drf_slave_remove(d, s), -ENOENT);
	assert_int_equal(drf_slave_set_total(d, s, &r, NULL), -ENOENT);
	assert_int_equal(drf_slave_set_active(d, s, true), -ENOENT);
	assert_false(drf_slave_free(d, s, &r));
	assert_false(drf_slave_held(d, s, &r));
	resources_fini(&r);
}

static void totals_have_a_limit(void **state)
{
	struct drf *d = *state;
	struct resources half = {0}, one = {0};
	struct err err = {0};
	drf_id s;

	resources_set_scalar(&half, "mem", DRF_TOTAL_MAX / 2);
	resources_set_scalar(&one, "mem", 1);
	assert_int_equal(drf_slave_add(d, "s1", &half, &s, NULL), 0);
	assert_int_equal(drf_slave_add(d, "s2", &half, &s, NULL), 0);
	assert_int_equal(drf_slave_add(d, "s3", &one, &s, &err), -ERANGE);
	assert_true(strstr(err.text, "mem") != NULL);
	assert_int_equal(drf_slave_set_total(d, s, &one, NULL), 0);
	assert_int_equal(drf_slave_add(d, "s3", &one, &s, NULL), 0);
	assert_int_equal(drf_slave_set_total(d, s, &half, NULL), -ERANGE);
	assert_free(d, s, "mem:0.001");
	resources_fini(&half);
	resources_fini(&one);
}

static void a_total_shrinks_below_what_is_held(void **state)
{
	struct drf *d = *state;
	drf_id s = add_slave(d, "s", SLAVE), c = add_client(d, "f", "*");
	struct resources less = res("cpus:1;ports:[31005-31020]");

	assert_int_equal(take(d, s, c, "cpus:2;mem:24;ports:[31000-31007]"), 0);
	assert_free(d, s, "cpus:2;mem:1000;ports:[31008-31009]");
	assert_int_equal(drf_slave_set_total(d, s, &less, NULL), 0);
	assert_free(d, s, "ports:[31008-31020]");
	assert_slave_held(d, s, "cpus:2;mem:24;ports:[31000-31007]");
	assert_sound(d);
	assert_int_equal(release(d, s, c, "cpus:1.5;ports:[31000-31006]"), 0);
	assert_free(d, s, "cpus:0.5;ports:[31005-31006,31008-31020]");
	resources_fini(&less);
}

static void inactive_slaves_are_not_granted(void **state)
{
	struct drf *d = *state;
	struct grants g = {0};
	drf_id s = add_slave(d, "s", SLAVE);

	add_client(d, "f", "*");
	assert_int_equal(drf_slave_set_active(d, s, false), 0);
	assert_int_equal(round_of(d, 0, &g), 0);
	assert_int_equal(drf_slave_set_active(d, s, true), 0);
	assert_true(drf_dirty(d));
	assert_int_equal(round_of(d, 0, &g), 1);
	grants_fini(&g);
}

static void a_removed_slave_takes_its_holdings_along(void **state)
{
	struct drf *d = *state;
	drf_id s1 = add_slave(d, "s1", SLAVE), s2 = add_slave(d, "s2", SLAVE);
	drf_id c = add_client(d, "f", "*"), gone = add_client(d, "g", "*");

	assert_int_equal(take(d, s1, c, "cpus:1"), 0);
	assert_int_equal(take(d, s2, c, "cpus:2"), 0);
	assert_int_equal(take(d, s1, gone, "cpus:2"), 0);
	assert_int_equal(refuse(d, s1, c, SLAVE, 100), 0);
	assert_int_equal(drf_client_remove(d, gone), 0);
	assert_int_equal(drf_slave_remove(d, s1), 0);
	assert_client_held(d, c, "cpus:2");
	assert_int_equal(drf_next_expiry(d), INT64_MAX);
	assert_int_equal(release(d, s2, gone, ""), -ENOENT);
}

/* ---------------------------------------------------------------------------------------------------------- clients */

static void a_client_comes_and_goes(void **state)
{
	struct drf *d = *state;
	drf_id c = add_client(d, "f1", "eng/web"), other;
	struct err err = {0};
	int64_t num, den;

	assert_string_equal(drf_client_framework(d, c), "f1");
	assert_string_equal(drf_client_role(d, c), "eng/web");
	assert_int_equal(drf_client_add(d, "f1", "eng/web", &other, &err), -EEXIST);
	assert_int_equal(drf_client_add(d, "f1", "eng", &other, NULL), 0);
	assert_int_equal(drf_client_add(d, "f1", "not a role", &other, &err), -EINVAL);
	assert_int_equal(drf_client_add(d, "a/b", "eng", &other, &err), -EINVAL);
	assert_int_equal(drf_client_add(d, "", "eng", &other, &err), -EINVAL);
	assert_true(drf_client_share(d, c, &num, &den));
	assert_int_equal(den, 0); /* no cluster */
	assert_int_equal(drf_client_remove(d, c), 0);
	assert_null(drf_client_framework(d, c));
	assert_null(drf_client_role(d, c));
	assert_int_equal(drf_client_remove(d, c), -ENOENT);
	assert_int_equal(drf_client_revive(d, c), -ENOENT);
	assert_int_equal(drf_client_suppress(d, c), -ENOENT);
	assert_int_equal(drf_client_set_active(d, c, true), -ENOENT);
	assert_true(add_client(d, "f1", "eng/web") != c);
}

static void a_removed_client_stays_until_its_last_release(void **state)
{
	struct drf *d = *state;
	struct grants g = {0};
	drf_id s = add_slave(d, "s", SLAVE), c = add_client(d, "f", "eng"), again;

	assert_int_equal(take(d, s, c, "cpus:1;mem:24"), 0);
	assert_int_equal(drf_client_remove(d, c), 0);
	assert_null(drf_client_framework(d, c));
	assert_client_held(d, c, "cpus:1;mem:24");
	assert_int_equal(take(d, s, c, "cpus:1"), -ENOENT);
	assert_int_equal(refuse(d, s, c, "cpus:1", 9), -ENOENT);
	assert_int_equal(round_of(d, 0, &g), 0);

	again = add_client(d, "f", "eng");
	assert_true(again != c);
	assert_int_equal(round_of(d, 0, &g), 1);
	assert_true(g.v[0].client == again);
	assert_int_equal(release(d, s, c, "cpus:1"), 0);
	assert_client_held(d, c, "mem:24");
	assert_int_equal(release(d, s, c, "mem:24"), 0);
	assert_int_equal(release(d, s, c, "mem:24"), -ENOENT);
	grants_fini(&g);
}

static void suppressed_and_inactive_clients_are_passed_over(void **state)
{
	struct drf *d = *state;
	struct grants g = {0};
	drf_id s = add_slave(d, "s", SLAVE), a = add_client(d, "a", "*"), b = add_client(d, "b", "*");

	assert_int_equal(drf_client_suppress(d, a), 0);
	assert_int_equal(drf_client_suppress(d, a), 0);
	assert_int_equal(drf_why(d, s, a, 0), DRF_WHY_SUPPRESSED);
	assert_int_equal(round_of(d, 0, &g), 1);
	assert_true(g.v[0].client == b);
	release_all(d, &g);
	assert_int_equal(drf_client_set_active(d, b, false), 0);
	assert_int_equal(drf_why(d, s, b, 0), DRF_WHY_CLIENT_INACTIVE);
	assert_int_equal(round_of(d, 0, &g), 0);
	assert_false(drf_dirty(d));

	/* The slave lies idle; a revival wakes it. */
	assert_int_equal(drf_client_revive(d, a), 0);
	assert_true(drf_dirty(d));
	assert_int_equal(round_of(d, 0, &g), 1);
	assert_true(g.v[0].client == a);
	release_all(d, &g);
	assert_int_equal(drf_client_suppress(d, a), 0);
	assert_int_equal(round_of(d, 0, &g), 0);
	assert_int_equal(drf_client_set_active(d, b, true), 0);
	assert_int_equal(round_of(d, 0, &g), 1);
	assert_true(g.v[0].client == b);
	grants_fini(&g);
}

/* ---------------------------------------------------------------------------------------------------------- holding */

static void take_and_release(void **state)
{
	struct drf *d = *state;
	drf_id s = add_slave(d, "s", SLAVE), c = add_client(d, "f", "*");
	int64_t num, den;

	assert_int_equal(take(d, s, c, "cpus:1;ports:[31000-31001]"), 0);
	assert_int_equal(take(d, s, c, "mem:512;ports:[31004-31004]"), 0);
	assert_free(d, s, "cpus:3;mem:512;ports:[31002-31003,31005-31009]");
	assert_slave_held(d, s, "cpus:1;mem:512;ports:[31000-31001,31004-31004]");
	assert_client_held(d, c, "cpus:1;mem:512");
	assert_true(drf_client_share(d, c, &num, &den));
	assert_int_equal(num, 1);
	assert_int_equal(den, 2);
	assert_int_equal(release(d, s, c, "cpus:1;ports:[31001-31001,31004-31004]"), 0);
	assert_free(d, s, "cpus:4;mem:512;ports:[31001-31009]");
	assert_int_equal(release(d, s, c, "mem:512;ports:[31000-31000]"), 0);
	assert_free(d, s, SLAVE);
	assert_int_equal(take(d, s, c, ""), 0);
	assert_int_equal(take(d, 12345, c, "cpus:1"), -ENOENT);
	assert_int_equal(take(d, s, s, "cpus:1"), -ENOENT);
}

static void facts_may_exceed_the_room(void **state)
{
	struct drf *d = *state;
	drf_id s = add_slave(d, "s", SLAVE), a = add_client(d, "a", "*"), b = add_client(d, "b", "*");

	assert_int_equal(take(d, s, a, "cpus:3;ports:[31000-31005]"), 0);
	assert_int_equal(take(d, s, b, "cpus:3;gpus:1;ports:[31004-31012]"), 0);
	assert_free(d, s, "mem:1024");
	assert_slave_held(d, s, "cpus:6;gpus:1;ports:[31000-31012]");
	assert_sound(d);
	/* A port that two hold is free when both have given it back. */
	assert_int_equal(release(d, s, a, "cpus:3;ports:[31000-31005]"), 0);
	assert_free(d, s, "cpus:1;mem:1024;ports:[31000-31003]");
	assert_int_equal(release(d, s, b, "ports:[31004-31012]"), 0);
	assert_free(d, s, "cpus:1;mem:1024;ports:[31000-31009]");
	/* One client cannot hold a port twice. */
	assert_int_equal(take(d, s, a, "ports:[31000-31001]"), 0);
	assert_int_equal(take(d, s, a, "cpus:1;ports:[31001-31002]"), -EEXIST);
	assert_client_held(d, a, "");
}

static void sums_have_a_limit(void **state)
{
	struct drf *d = *state;
	drf_id s = add_slave(d, "s", SLAVE), c = add_client(d, "c", "*");
	struct resources most = {0};

	resources_set_scalar(&most, "mem", DRF_TOTAL_MAX);
	assert_int_equal(drf_take(d, s, c, &most), 0);
	assert_int_equal(take(d, s, c, "mem:0.001"), -ERANGE);
	assert_int_equal(drf_release(d, s, c, &most), 0);
	resources_fini(&most);
}

static void names_run_out_and_come_back(void **state)
{
	struct drf *d = *state;
	drf_id s = add_slave(d, "s", SLAVE), c = add_client(d, "f", "*"), many[2];
	struct resources r = {0};
	struct err err = {0};
	char name[32];

	for (int i = 0; i < 60; i++) {
		snprintf(name, sizeof(name), "resource%d", i);
		resources_set_scalar(&r, name, 1000 + i);
	}
	assert_int_equal(drf_slave_add(d, "many", &r, &many[0], NULL), 0);
	assert_int_equal(drf_take(d, many[0], c, &r), 0);
	assert_sound(d);
	resources_fini(&r);
	for (int i = 0; i < 10; i++) {
		snprintf(name, sizeof(name), "other%d", i);
		resources_set_scalar(&r, name, 1000);
	}
	assert_int_equal(drf_slave_add(d, "more", &r, &many[1], &err), -E2BIG);
	assert_int_equal(drf_take(d, s, c, &r), -E2BIG);
	/* Filters that name them do not keep names. */
	assert_int_equal(refuse(d, s, c, "cpus:4;resource7:5", 100), 0);
	assert_int_equal(drf_slave_remove(d, many[0]), 0);
	assert_int_equal(drf_slave_add(d, "more", &r, &many[1], &err), 0);
	assert_free(d, s, SLAVE);
	resources_fini(&r);
}

/* ----------------------------------------------------------------------------------------------------------- rounds */

static void an_offer_is_all_that_is_free(void **state)
{
	struct drf *d = *state;
	struct grants g = {0};
	drf_id s = add_slave(d, "s", SLAVE), a = add_client(d, "a", "*");

	assert_int_equal(take(d, s, a, "cpus:1;ports:[31002-31002]"), 0);
	assert_int_equal(round_of(d, 0, &g), 1);
	assert_true(g.v[0].slave == s && g.v[0].client == a);
	assert_res(&g.v[0].what, "cpus:3;mem:1024;ports:[31000-31001,31003-31009]");
	assert_free(d, s, "");
	assert_client_held(d, a, "cpus:4;mem:1024");
	assert_false(drf_dirty(d));
	assert_int_equal(round_of(d, 0, &g), 0);
	assert_int_equal(release(d, s, a, "cpus:1"), 0);
	assert_true(drf_dirty(d));
	assert_int_equal(round_of(d, 0, &g), 1);
	assert_res(&g.v[0].what, "cpus:1");
	grants_fini(&g);
}

static void too_little_is_not_offered(void **state)
{
	struct drf *d = *state;
	struct grants g = {0};
	struct resources sets[2] = {res("cpus:2"), res("gpus:1;mem:64")};
	drf_id s = add_slave(d, "s", "cpus:0.009;mem:31;disk:9999");
	drf_id c = add_client(d, "f", "*");

	assert_int_equal(round_of(d, 0, &g), 0);
	assert_int_equal(drf_why(d, s, c, 0), DRF_WHY_TOO_SMALL);
	drf_set_min_allocatable(d, NULL, 0); /* anything goes … */
	assert_int_equal(round_of(d, 0, &g), 1);
	assert_int_equal(round_of(d, 0, &g), 0); /* … but nothing */
	release(d, s, c, "cpus:0.009;mem:31;disk:9999");
	drf_set_min_allocatable(d, sets, 2);
	assert_int_equal(round_of(d, 0, &g), 0);
	assert_int_equal(drf_slave_remove(d, s), 0);
	s = add_slave(d, "s2", "gpus:1;mem:64");
	assert_int_equal(round_of(d, 0, &g), 1);
	grants_fini(&g);
	resources_fini(&sets[0]);
	resources_fini(&sets[1]);
}

static void turns_go_round(void **state)
{
	struct drf *d = *state;
	struct grants g = {0};
	int counts[3] = {0};
	drf_id c[3];
	char name[8];

	for (int i = 0; i < 9; i++) {
		snprintf(name, sizeof(name), "s%d", i);
		add_slave(d, name, SLAVE);
	}
	for (int i = 0; i < 3; i++)
		c[i] = add_client(d, (const char *[]){"a", "b", "c"}[i], "*");
	assert_int_equal(round_of(d, 0, &g), 9);
	for (size_t i = 0; i < 9; i++)
		for (int k = 0; k < 3; k++)
			counts[k] += g.v[i].client == c[k];
	assert_int_equal(counts[0], 3);
	assert_int_equal(counts[1], 3);
	assert_int_equal(counts[2], 3);
	grants_fini(&g);
}

static void ties_go_by_grants_then_name(void **state)
{
	struct drf *d = *state;
	struct grants g = {0};
	drf_id b = add_client(d, "b", "*"), a = add_client(d, "a", "*");

	add_slave(d, "s", SLAVE);
	for (int i = 0; i < 6; i++) {
		assert_int_equal(round_of(d, 0, &g), 1);
		assert_true(g.v[0].client == (i % 2 ? b : a));
		release_all(d, &g);
	}
}

static void the_same_seed_visits_in_the_same_order(void **state)
{
	struct grants g[3] = {0};
	char name[8];
	size_t differ = 0;

	for (int run = 0; run < 3; run++) {
		struct drf *d = drf_create(run < 2 ? 5 : 6);
		add_client(d, "f", "*");
		for (int i = 0; i < 50; i++) {
			snprintf(name, sizeof(name), "s%d", i);
			add_slave(d, name, SLAVE);
		}
		assert_int_equal(round_of(d, 0, &g[run]), 50);
		drf_destroy(d);
	}
	for (size_t i = 0; i < 50; i++) {
		assert_true(g[0].v[i].slave == g[1].v[i].slave);
		differ += g[0].v[i].slave != g[2].v[i].slave;
	}
	assert_true(differ > 25);
	for (int run = 0; run < 3; run++)
		grants_fini(&g[run]);
}

/* A callback that does the worst it may, with what it was lent still in hand. */
static void upset(void *user, drf_id slave, drf_id client, const struct resources *what)
{
	struct drf *d = user;

	assert_int_equal(drf_release(d, slave, client, what), 0);
	assert_int_equal(take(d, slave, client, "ports:[31000-31003]"), 0);
	assert_res(what, SLAVE);
	assert_int_equal(drf_slave_remove(d, slave), 0);
	assert_int_equal(drf_client_remove(d, client), 0);
	assert_res(what, SLAVE);
}

static void a_callback_may_change_everything(void **state)
{
	struct drf *d = *state;

	add_client(d, "a", "*");
	add_client(d, "b", "*");
	add_slave(d, "s1", SLAVE);
	add_slave(d, "s2", SLAVE);
	add_slave(d, "s3", SLAVE);
	assert_int_equal(drf_round(d, 0, upset, d), 2);
	assert_sound(d);
}

/* -------------------------------------------------------------------------------------------------------------- why */

static void why_in_words(void **state)
{
	struct drf *d = *state;
	drf_id s = add_slave(d, "s", SLAVE), a = add_client(d, "a", "*"), b = add_client(d, "b", "*");

	assert_int_equal(drf_why(d, s, a, 0), DRF_WHY_ELIGIBLE);
	assert_int_equal(drf_why(d, s, b, 0), DRF_WHY_NOT_ITS_TURN);
	assert_int_equal(refuse(d, s, a, SLAVE, 10), 0);
	assert_int_equal(drf_why(d, s, a, 0), DRF_WHY_FILTERED);
	assert_int_equal(drf_why(d, s, b, 0), DRF_WHY_ELIGIBLE);
	assert_int_equal(drf_why(d, s, a, 10), DRF_WHY_ELIGIBLE);
	assert_int_equal(drf_slave_set_active(d, s, false), 0);
	assert_int_equal(drf_why(d, s, a, 0), DRF_WHY_SLAVE_INACTIVE);
	assert_int_equal(drf_why(d, s, 99, 0), DRF_WHY_UNKNOWN);
	assert_int_equal(drf_why(d, a, s, 0), DRF_WHY_UNKNOWN);
	for (int why = DRF_WHY_ELIGIBLE; why <= DRF_WHY_NOT_ITS_TURN; why++)
		assert_true(strlen(drf_why_text((enum drf_why)why)) > 10);
	assert_string_equal(drf_why_text((enum drf_why)99), "unknown");
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		TEST(a_slave_comes_and_goes),
		TEST(totals_have_a_limit),
		TEST(a_total_shrinks_below_what_is_held),
		TEST(inactive_slaves_are_not_granted),
		TEST(a_removed_slave_takes_its_holdings_along),
		TEST(a_client_comes_and_goes),
		TEST(a_removed_client_stays_until_its_last_release),
		TEST(suppressed_and_inactive_clients_are_passed_over),
		TEST(take_and_release),
		TEST(facts_may_exceed_the_room),
		TEST(sums_have_a_limit),
		TEST(names_run_out_and_come_back),
		TEST(an_offer_is_all_that_is_free),
		TEST(too_little_is_not_offered),
		TEST(turns_go_round),
		TEST(ties_go_by_grants_then_name),
		TEST(the_same_seed_visits_in_the_same_order),
		TEST(a_callback_may_change_everything),
		TEST(why_in_words),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
