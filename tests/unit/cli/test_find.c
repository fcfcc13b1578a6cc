/* One thing by the start of its id. */
#include "tests/unit/cli/capture.h"

#include "cli/find.h"

static struct capture c;

static struct fl_slave_info infos[] = {{.id = "aa-1"}, {.id = "aa-10"}, {.id = "ab-1"}};
static struct fl_api_slave slaves[] = {{.slave_info = &infos[0]}, {.slave_info = &infos[1]}, {.slave_info = &infos[2]}};
static const struct fl_api_get_agents agents = {.agents = slaves, .n_agents = 3};

/* Index of the slave found, or minus the exit code. */
static int find_agent(const char *prefix)
{
	int exit_code = EXIT_OK;
	const struct fl_api_slave *s;

	CAPTURE(&c, s = find_in_agents(&agents, prefix, &exit_code));
	assert_int_equal(!s, exit_code != EXIT_OK);
	return s ? (int)(s - slaves) : -exit_code;
}

static void test_slaves(void **state)
{
	assert_int_equal(find_agent("ab"), 2);
	assert_int_equal(find_agent("aa-10"), 1);
	assert_int_equal(find_agent("aa-1"), 0); /* exact, though the start of another */
	assert_string_equal(c.err, "");
	assert_int_equal(find_agent("aa-"), -EXIT_CONFLICT);
	assert_string_equal(c.err, "fairlead: 'aa-' is the start of 2 slaves: aa-1 aa-10\nGive more of it.\n");
	assert_int_equal(find_agent(""), -EXIT_CONFLICT);
	assert_has(c.err, "the start of 3 slaves");
	assert_int_equal(find_agent("x"), -EXIT_NOT_FOUND);
	assert_string_equal(c.err, "fairlead: there is no slave 'x': 'fairlead slave list' shows them\n");
	assert_int_equal(find_agent("aa-100"), -EXIT_NOT_FOUND);
}

static void test_many_are_not_all_named(void **state)
{
	struct fl_slave_info info[6] = {{.id = "s1"}, {.id = "s2"}, {.id = "s3"},
	                                {.id = "s4"}, {.id = "s5"}, {.id = "s"}};
	struct fl_api_slave s[6];
	struct fl_api_get_agents g = {.agents = s, .n_agents = 5};
	int exit_code = EXIT_OK;

	for (int i = 0; i < 6; i++)
		s[i] = (struct fl_api_slave){.slave_info = &info[i]};
	CAPTURE(&c, find_in_agents(&g, "s", &exit_code));
	assert_int_equal(exit_code, EXIT_CONFLICT);
	assert_has(c.err, "the start of 5 slaves: s1 s2 s3 s4 …\n");
	g.n_agents = 6; /* an exact one, last */
	assert_ptr_equal(find_in_agents(&g, "s", &exit_code), &s[5]);
}

/* ---- frameworks ---- */

static struct fl_framework_info f_infos[] = {{.id = "f-1"}, {.id = "f-2"}, {.id = "f-11"}};
static struct fl_api_framework live[] = {{.framework_info = &f_infos[1]}, {.framework_info = &f_infos[2]}};
static struct fl_api_framework past[] = {{.framework_info = &f_infos[0]}};
static const struct fl_api_get_frameworks frameworks = {
	.frameworks = live, .n_frameworks = 2, .completed_frameworks = past, .n_completed_frameworks = 1};

static const char *find_framework_id(const char *prefix)
{
	int exit_code = EXIT_OK;
	const struct fl_api_framework *f;

	CAPTURE(&c, f = find_in_frameworks(&frameworks, prefix, &exit_code));
	return f ? f->framework_info->id : exit_code == EXIT_CONFLICT ? "several" : "none";
}

static void test_frameworks(void **state)
{
	assert_string_equal(find_framework_id("f-2"), "f-2");
	assert_string_equal(find_framework_id("f-1"), "f-1"); /* it ended, but is exact */
	assert_string_equal(find_framework_id("f-"), "several");
	assert_has(c.err, "of 2 frameworks: f-2 f-11\n"); /* what ended is not in the way */
	assert_string_equal(find_framework_id("g"), "none");
	assert_has(c.err, "'fairlead framework list --all' shows them");
}

/* ---- tasks ---- */

static struct fl_task tasks[] = {
	{.framework_id = "f-1", .task_id = "web"},
	{.framework_id = "f-2", .task_id = "web"},
	{.framework_id = "f-2", .task_id = "job-10"},
	{.framework_id = "f-22", .task_id = "web"},
};
static struct fl_task lost[] = {{.framework_id = "f-1", .task_id = "gone"}};
static struct fl_task ended[] = {
	{.framework_id = "f-2", .task_id = "job-1", .state = FL_TASK_FAILED},
	{.framework_id = "f-2", .task_id = "job-1", .state = FL_TASK_FINISHED},
	{.framework_id = "f-3", .task_id = "early-1"},
	{.framework_id = "f-3", .task_id = "early-2"},
	{.framework_id = "f-2", .task_id = "job-10", .state = FL_TASK_FAILED},
};
static const struct fl_api_get_tasks all = {.tasks = tasks,
                                            .n_tasks = 4,
                                            .unreachable_tasks = lost,
                                            .n_unreachable_tasks = 1,
                                            .completed_tasks = ended,
                                            .n_completed_tasks = 5};

static const struct fl_task *find_one(const char *prefix, int *ret_exit)
{
	const struct fl_task *t;

	*ret_exit = EXIT_OK;
	CAPTURE(&c, t = find_in_tasks(&all, prefix, ret_exit));
	return t;
}

static void test_tasks(void **state)
{
	int exit_code;

	assert_ptr_equal(find_one("job-10", &exit_code), &tasks[2]); /* the living one of two */
	assert_ptr_equal(find_one("job", &exit_code), &tasks[2]);
	assert_ptr_equal(find_one("job-1", &exit_code), &ended[1]); /* exact, and the newest under this id */
	assert_ptr_equal(find_one("go", &exit_code), &lost[0]);
	assert_ptr_equal(find_one("early-2", &exit_code), &ended[3]);
	assert_int_equal(exit_code, EXIT_OK);
	assert_null(find_one("early", &exit_code));
	assert_int_equal(exit_code, EXIT_CONFLICT);
	assert_has(c.err, "'early' is the start of 2 tasks: f-3/early-2 f-3/early-1\n");
	assert_null(find_one("nothing", &exit_code));
	assert_int_equal(exit_code, EXIT_NOT_FOUND);
	assert_has(c.err, "there is no task 'nothing': 'fairlead task list --all' shows them");
}

/* A task's id is its framework's own: another may have the same. */
static void test_tasks_of_frameworks(void **state)
{
	int exit_code;

	assert_null(find_one("web", &exit_code));
	assert_int_equal(exit_code, EXIT_CONFLICT);
	assert_has(c.err, "'web' is the start of 3 tasks: f-22/web f-2/web f-1/web\n");
	assert_ptr_equal(find_one("f-1/web", &exit_code), &tasks[0]);
	assert_ptr_equal(find_one("f-1/w", &exit_code), &tasks[0]);
	assert_ptr_equal(find_one("f-2/web", &exit_code), &tasks[1]); /* not f-22's */
	assert_ptr_equal(find_one("f-22/", &exit_code), &tasks[3]);
	assert_null(find_one("f-9/web", &exit_code));
	assert_int_equal(exit_code, EXIT_NOT_FOUND);
}

static void test_nothing_there(void **state)
{
	struct fl_api_get_agents no_agents = {0};
	struct fl_api_get_frameworks no_frameworks = {0};
	struct fl_api_get_tasks no_tasks = {0};
	int exit_code[3] = {0};

	CAPTURE(&c, find_in_agents(&no_agents, "", &exit_code[0]));
	CAPTURE(&c, find_in_frameworks(&no_frameworks, "", &exit_code[1]));
	CAPTURE(&c, find_in_tasks(&no_tasks, "/", &exit_code[2]));
	for (int i = 0; i < 3; i++)
		assert_int_equal(exit_code[i], EXIT_NOT_FOUND);
}

static int end(void **state)
{
	capture_fini(&c);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests_[] = {
		cmocka_unit_test(test_slaves),
		cmocka_unit_test(test_many_are_not_all_named),
		cmocka_unit_test(test_frameworks),
		cmocka_unit_test(test_tasks),
		cmocka_unit_test(test_tasks_of_frameworks),
		cmocka_unit_test(test_nothing_there),
	};
	return cmocka_run_group_tests(tests_, NULL, end);
}
