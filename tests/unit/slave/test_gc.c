/* The sandbox of a task that is over goes, that of one that runs stays, over restarts of the slave. */
#include "tests/unit/slave/slave_fixture.h"

static int count_sandboxes(const struct fixture *x)
{
	_cleanup_free_ char *path = xasprintf("%s/sandboxes/fw-1", x->dir);
	DIR *dir = opendir(path);
	struct dirent *e;
	int n = 0;

	while (dir && (e = readdir(dir)))
		n += e->d_name[0] != '.';
	if (dir)
		closedir(dir);
	return n;
}

static void test_ended_go(void **state)
{
	struct fixture *x = *state;

	fixture_set(x, "gc_delay", "100ms");
	fixture_start_slave(x);
	fixture_register(x);
	fake_run(&x->master, (struct fake_task){"lasting", "sleep 1000"});
	fake_run(&x->master, (struct fake_task){"short", "mkdir -p a/b; ln -s / a/b/c; exit 0"});
	PUMP_UNTIL(x->loop, fixture_saw(x, "lasting", FL_TASK_RUNNING));
	PUMP_UNTIL(x->loop, fixture_saw(x, "short", FL_TASK_FINISHED));
	assert_int_equal(count_sandboxes(x), 2);
	fixture_stop_slave(x);
	fixture_start_slave(x);
	fixture_register(x);
	PUMP_UNTIL(x->loop, count_sandboxes(x) == 1);
	pump_ms(x->loop, 300);
	assert_int_equal(count_sandboxes(x), 1);
	fake_kill(&x->master, "lasting");
	PUMP_UNTIL(x->loop, fixture_saw(x, "lasting", FL_TASK_KILLED));
	PUMP_UNTIL(x->loop, count_sandboxes(x) == 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup_teardown(test_ended_go, fixture_setup_stopped, fixture_teardown)};

	if (!fixture_containers_work()) {
		fprintf(stderr, "skipped: containers need root\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
