/* The worked example of Ghodsi et al., NSDI'11, section 4.1, driven as frameworks would: each takes one task out of an
 * offer and returns the rest at once. */
#include "fixture.h"

struct user {
	drf_id id;
	char letter;
	const char *task;
	int n_tasks;
};

struct example {
	struct drf *d;
	struct user users[2];
	char order[32]; /* who launched, one letter a task */
	size_t n_launched;
};

/* Launches one task when it fits, else declines for good; gives back what it does not use. */
static void on_grant(void *user, drf_id slave, drf_id client, const struct resources *offer)
{
	struct example *e = user;
	struct user *u = e->users[0].id == client ? &e->users[0] : &e->users[1];
	struct resources task = res(u->task), rest = {0};

	resources_copy(&rest, offer);
	if (resources_contains(offer, &task)) {
		resources_sub(&rest, &task);
		e->order[e->n_launched++] = u->letter;
		u->n_tasks++;
	} else {
		assert_int_equal(drf_filter(e->d, slave, client, offer, INT64_MAX), 0);
	}
	assert_int_equal(drf_release(e->d, slave, client, &rest), 0);
	resources_fini(&task);
	resources_fini(&rest);
}

static void run(struct example *e)
{
	for (int64_t now = 0; drf_dirty(e->d); now++) {
		assert_true(now < 100);
		drf_round(e->d, now, on_grant, e);
		assert_sound(e->d);
	}
}

static void assert_share(const struct drf *d, drf_id client, int64_t num, int64_t den)
{
	int64_t n, m;

	assert_true(drf_client_share(d, client, &n, &m));
	assert_int_equal(n * den, num * m);
}

static struct example example(const char *role_a, const char *role_b)
{
	struct example e = {.d = drf_create(1)};

	/* "a system with 9 CPUs, 18 GB RAM, and two users, where user A runs tasks with demand vector <1 CPU, 4 GB>, and
	 * user B runs tasks with demand vector <3 CPUs, 1 GB> each." */
	drf_set_min_allocatable(e.d, NULL, 0);
	e.users[0] = (struct user){.id = add_client(e.d, "A", role_a), .letter = 'A', .task = "cpus:1;mem:4096"};
	e.users[1] = (struct user){.id = add_client(e.d, "B", role_b), .letter = 'B', .task = "cpus:3;mem:1024"};
	return e;
}

/* "user A is allocated 3 tasks with a total of <3 CPUs, 12 GB>, and user B 2 tasks with <6 CPUs, 2 GB>. Each ends up
 * with the same dominant share, A with 2/3 of RAM, B with 2/3 of the CPUs." */
static void assert_result(struct example *e)
{
	assert_int_equal(e->users[0].n_tasks, 3);
	assert_int_equal(e->users[1].n_tasks, 2);
	assert_client_held(e->d, e->users[0].id, "cpus:3;mem:12288");
	assert_client_held(e->d, e->users[1].id, "cpus:6;mem:2048");
	assert_share(e->d, e->users[0].id, 2, 3);
	assert_share(e->d, e->users[1].id, 2, 3);
	drf_destroy(e->d);
}

static void one_slave(void **state)
{
	struct example e = example("*", "*");
	drf_id slave = add_slave(e.d, "s", "cpus:9;mem:18432");

	run(&e);
	/* Table 1 of the paper has B first; our ties go by name. Either way the poorer one is next. */
	assert_string_equal(e.order, "ABABA");
	assert_free(e.d, slave, "mem:4096");
	assert_result(&e);
}

static void one_role_each(void **state)
{
	struct example e = example("a", "b");

	add_slave(e.d, "s", "cpus:9;mem:18432");
	run(&e);
	assert_string_equal(e.order, "ABABA");
	assert_result(&e);
}

static void b_first_as_in_table_1(void **state)
{
	/* With the names the other way round, the sequence of the paper's Table 1: B, A, A, B, A. */
	struct example e = example("z", "b");

	add_slave(e.d, "s", "cpus:9;mem:18432");
	run(&e);
	assert_string_equal(e.order, "BAABA");
	assert_result(&e);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(one_slave),
		cmocka_unit_test(one_role_each),
		cmocka_unit_test(b_first_as_in_table_1),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
