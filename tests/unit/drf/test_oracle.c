/* On one divisible pool DRF is progressive filling: all dominant shares grow together, by weight, until a resource is
 * full; who needs it stops, the others go on (NSDI'11, section 4). The oracle does that with exact fractions and knows
 * nothing of turns; drf is driven with small tasks, one for each offer. Both must agree within one task (of
 * the coarsest user: that much its last task may leave over), for those who stop later one more for each who stopped
 * before: what those did not get, or got too much, is theirs. */
#include "fixture.h"

#include <stdio.h>

#define USERS 6
#define KINDS 3
#define POOL 3000 /* units of each resource; a task needs 1 to 6 of some */
#define PARTS 60  /* divisible by all a task may need */
#define INSTANCES 150

__extension__ typedef __int128 wide;

struct fraction {
	wide num, den;
};

struct instance {
	int need[USERS][KINDS];
	int weight[USERS];
	int n_users;
	int64_t tasks[USERS]; /* as drf has it */
	bool full[KINDS];     /* somebody's task did not fit: as good as full for all */
	drf_id ids[USERS];
	struct drf *d;
};

static const char *const kinds[KINDS] = {"cpus", "disk", "mem"};

/* ---------------------------------------------------------------------------------------------------------- oracle */

static struct fraction reduced(wide num, wide den)
{
	wide a = num < 0 ? -num : num, b = den;

	while (b) {
		wide rest = a % b;
		a = b;
		b = rest;
	}
	return (struct fraction){num / a, den / a};
}

static struct fraction minus(struct fraction a, struct fraction b)
{
	wide num = a.num * b.den - b.num * a.den;

	return num ? reduced(num, a.den * b.den) : (struct fraction){0, 1};
}

static bool less(struct fraction a, struct fraction b)
{
	return a.num * b.den < b.num * a.den;
}

static int most(const int need[KINDS])
{
	int m = 0;

	for (int k = 0; k < KINDS; k++)
		m = need[k] > m ? need[k] : m;
	return m;
}

/* How fast user u uses resource k while the common level rises by one, times PARTS. */
static int rate(const struct instance *in, int u, int k)
{
	return PARTS * in->weight[u] * in->need[u][k] / most(in->need[u]);
}

/* The level at which the next resource is full, from `level` on; false when nobody grows any more. */
static bool next_full(const int speed[KINDS], const struct fraction left[KINDS], struct fraction *ret_step)
{
	bool any = false;

	for (int k = 0; k < KINDS; k++) {
		if (!speed[k])
			continue;
		struct fraction until_full = reduced(left[k].num, left[k].den * speed[k]);
		if (!any || less(until_full, *ret_step))
			*ret_step = until_full;
		any = true;
	}
	return any;
}

/* Levels at which the users stop. At level L a user has L * weight / (most it needs of one resource) tasks. */
static void fill(const struct instance *in, struct fraction levels[USERS])
{
	struct fraction left[KINDS], level = {0, 1}, step = {0, 1};
	bool growing[USERS];

	for (int k = 0; k < KINDS; k++)
		left[k] = (struct fraction){(wide)POOL * PARTS, 1};
	for (int u = 0; u < in->n_users; u++)
		growing[u] = true;
	for (;;) {
		int speed[KINDS] = {0};
		for (int k = 0; k < KINDS; k++)
			for (int u = 0; u < in->n_users; u++)
				speed[k] += growing[u] ? rate(in, u, k) : 0;
		if (!next_full(speed, left, &step))
			return;
		level = minus(level, (struct fraction){-step.num, step.den});
		for (int k = 0; k < KINDS; k++)
			left[k] = minus(left[k], (struct fraction){step.num * speed[k], step.den});
		for (int u = 0; u < in->n_users; u++) {
			levels[u] = growing[u] ? level : levels[u];
			for (int k = 0; k < KINDS; k++)
				growing[u] &= !in->need[u][k] || left[k].num;
		}
	}
}

/* ------------------------------------------------------------------------------------------------------------- drf */

/* Whether u may launch one more; if not for lack of a resource, that is full from now on. */
static bool may_launch(struct instance *in, int u, const struct resources *offer)
{
	bool fits = true;

	for (int k = 0; k < KINDS; k++) {
		in->full[k] |= resources_scalar(offer, kinds[k]) < in->need[u][k];
		fits &= !in->need[u][k] || !in->full[k];
	}
	return fits;
}

static void on_grant(void *user, drf_id slave, drf_id client, const struct resources *offer)
{
	struct instance *in = user;
	struct resources rest = {0};
	int u = 0;

	while (in->ids[u] != client)
		u++;
	resources_copy(&rest, offer);
	if (may_launch(in, u, offer)) {
		for (int k = 0; k < KINDS; k++)
			if (in->need[u][k])
				resources_set_scalar(&rest, kinds[k],
				                     resources_scalar(offer, kinds[k]) - in->need[u][k]);
		in->tasks[u]++;
	} else {
		assert_int_equal(drf_filter(in->d, slave, client, offer, INT64_MAX), 0);
	}
	assert_int_equal(drf_release(in->d, slave, client, &rest), 0);
	resources_fini(&rest);
}

static void drive(struct instance *in)
{
	char role[8];

	in->d = drf_create(1);
	drf_set_min_allocatable(in->d, NULL, 0);
	for (int u = 0; u < in->n_users; u++) {
		snprintf(role, sizeof(role), "r%d", u);
		assert_int_equal(drf_set_weight(in->d, role, in->weight[u] * 1000), 0);
		in->ids[u] = add_client(in->d, "f", role);
	}
	add_slave(in->d, "pool", "cpus:3;disk:3;mem:3");
	while (drf_dirty(in->d))
		drf_round(in->d, 0, on_grant, in);
	assert_sound(in->d);
	drf_destroy(in->d);
}

/* ------------------------------------------------------------------------------------------------------- comparing */

static int below(uint32_t *random, int n)
{
	*random = *random * 1664525 + 1013904223;
	return (int)((*random >> 8) % (uint32_t)n);
}

static struct instance instance(uint32_t seed, bool even)
{
	struct instance in = {.n_users = 2 + below(&seed, USERS - 1)};

	for (int u = 0; u < in.n_users; u++) {
		in.weight[u] = even ? 1 : 1 + below(&seed, 3);
		for (int k = 0; k < KINDS; k++)
			in.need[u][k] = below(&seed, 4) ? 1 + below(&seed, 6) : 0;
		if (even || !most(in.need[u]))
			in.need[u][below(&seed, KINDS)] = 6;
	}
	return in;
}

/* How much one task of the user raises its level. */
static struct fraction grain(const struct instance *in, int u)
{
	return reduced(most(in->need[u]), in->weight[u]);
}

static void agree(bool even)
{
	for (uint32_t seed = 1; seed <= INSTANCES; seed++) {
		struct instance in = instance(seed * 77, even);
		struct fraction levels[USERS] = {0}, coarsest = grain(&in, 0);
		drive(&in);
		fill(&in, levels);
		for (int u = 1; u < in.n_users; u++)
			coarsest = less(coarsest, grain(&in, u)) ? grain(&in, u) : coarsest;
		for (int u = 0; u < in.n_users; u++) {
			struct fraction one = grain(&in, u), is = reduced(in.tasks[u] * one.num, one.den);
			struct fraction far = less(is, levels[u]) ? minus(levels[u], is) : minus(is, levels[u]);
			wide bound = 1;
			for (int v = 0; v < in.n_users; v++)
				bound += less(levels[v], levels[u]);
			if (less((struct fraction){coarsest.num * bound, coarsest.den}, far))
				fail_msg("seed %u, user %d: %ld tasks", seed, u, (long)in.tasks[u]);
		}
	}
}

static void tasks_of_one_grain(void **state)
{
	agree(true);
}

static void tasks_and_weights_of_any_grain(void **state)
{
	agree(false);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(tasks_of_one_grain),
		cmocka_unit_test(tasks_and_weights_of_any_grain),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
