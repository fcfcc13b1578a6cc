/* Text forms, and lists in every format. */
#include "tests/unit/cli/capture.h"

#include <errno.h>
#include <time.h>

#include "cli/output.h"
#include "msg/desc.h"

static struct capture c;

/* ---- text forms ---- */

static void test_milli(void **state)
{
	assert_string_equal(text_milli(0), "0");
	assert_string_equal(text_milli(1500), "1.5");
	assert_string_equal(text_milli(100), "0.1");
	assert_string_equal(text_milli(-250), "-0.25");
}

static void test_mib(void **state)
{
	assert_string_equal(text_mib(0), "0M");
	assert_string_equal(text_mib(512000), "512M");
	assert_string_equal(text_mib(1023999), "1023M");
	assert_string_equal(text_mib(1024000), "1G");
	assert_string_equal(text_mib(1536000), "1.5G");
	assert_string_equal(text_mib(1600000), "1.5G");
	assert_string_equal(text_mib(1024ll * 1024 * 1000), "1024G");
}

static void test_resources(void **state)
{
	struct fl_scalar one = {1000}, half = {500}, mem = {2048000};
	struct fl_range range = {31000, 31005};
	struct fl_ranges ranges = {.range = &range, .n_range = 1};
	struct fl_resource list[] = {
		{.name = "cpus", .type = FL_SCALAR, .scalar = &one},
		{.name = "cpus", .type = FL_SCALAR, .scalar = &half},
		{.name = "mem", .type = FL_SCALAR, .scalar = &mem},
		{.name = "ports", .type = FL_RANGES, .ranges = &ranges},
	};

	assert_string_equal(text_resource(list, 4, "cpus"), "1.5");
	assert_string_equal(text_resource(list, 4, "mem"), "2G");
	assert_string_equal(text_resource(list, 4, "disk"), "0M");
	assert_string_equal(text_resource(list, 4, "gpus"), "0");
	assert_string_equal(text_resource(NULL, 0, "cpus"), "0");
	assert_string_equal(text_resources(list, 4), "cpus:1.5;mem:2048;ports:[31000-31005]");
	assert_string_equal(text_resources(NULL, 0), "");
}

static void test_states(void **state)
{
	assert_string_equal(text_state("TASK_RUNNING"), "RUNNING");
	assert_string_equal(text_state("REGISTERED"), "REGISTERED");
	assert_string_equal(text_state("?"), "?");
}

static void test_times(void **state)
{
	setenv("TZ", "UTC", 1);
	tzset();
	assert_string_equal(text_time_ns(0), "-");
	assert_string_equal(text_time_ns(1700000000ll * 1000000000), "2023-11-14 22:13:20");
}

static const char *ago(int64_t seconds)
{
	return text_ago_ns(((int64_t)time(NULL) - seconds) * 1000000000);
}

static void test_ago(void **state)
{
	assert_string_equal(text_ago_ns(0), "-");
	assert_string_equal(ago(-100), "0s"); /* clocks differ */
	assert_string_equal(ago(100), "1m");
	assert_string_equal(ago(3 * 60 + 59 - 2), "3m");
	assert_string_equal(ago(2 * 3600 + 30), "2h");
	assert_string_equal(ago(50 * 3600), "2d");
	const char *few = ago(5);
	assert_true(!strcmp(few, "5s") || !strcmp(few, "6s"));
}

/* As many as one line of output needs live at the same time. */
static void test_many_live_at_once(void **state)
{
	const char *all[16];

	for (int i = 0; i < 16; i++)
		all[i] = text_milli(i * 1000);
	for (int i = 0; i < 16; i++)
		assert_int_equal(atol(all[i]), i);
}

/* ---- formats ---- */

static void expect_format(char **words, int want_exit, enum output_format want)
{
	struct args a;
	enum output_format got = OUTPUT_TABLE;
	int r;

	assert_int_equal(read_words(&a, words), 0);
	CAPTURE(&c, r = output_format(&a, &got));
	args_fini(&a);
	assert_int_equal(r, want_exit);
	assert_int_equal(got, want);
}

static void test_which_format(void **state)
{
	expect_format(WORDS("ps"), 0, OUTPUT_TABLE);
	expect_format(WORDS("ps", "-q"), 0, OUTPUT_NAME);
	expect_format(WORDS("ps", "-q", "-o", "json"), 0, OUTPUT_JSON);
	expect_format(WORDS("ps", "-o", "table"), 0, OUTPUT_TABLE);
	expect_format(WORDS("ps", "-o", "ndjson"), 0, OUTPUT_NDJSON);
	expect_format(WORDS("ps", "-o", "name"), 0, OUTPUT_NAME);
	expect_format(WORDS("status", "-o", "json"), 0, OUTPUT_JSON);
	expect_format(WORDS("ps", "-o", "yaml"), EXIT_USAGE, OUTPUT_TABLE);
	assert_string_equal(c.err, "fairlead: -o is table, json, ndjson or name, not 'yaml'\n");
}

static const struct column columns[] = {{"NAME", false, true}, {"STATE", false, false}, {"WEIGHT", true, false}};

static void row(struct table *t, const void *item)
{
	const struct fl_api_role *r = item;
	table_cell(t, "%s", r->name);
	table_cell_state(t, "TASK_RUNNING");
	table_cell(t, "%s", text_milli(r->weight));
}

static const char *name(const void *item)
{
	return ((const struct fl_api_role *)item)->name;
}

/* Prints a list of roles with these options; the text is in c.out. */
static void print_roles(const struct fl_api_role *roles, size_t n, char **words)
{
	struct listing l = {.desc = &rec_api_role,
	                    .items = roles,
	                    .n = n,
	                    .columns = columns,
	                    .n_columns = 3,
	                    .row = row,
	                    .name = name,
	                    .empty = "No roles."};
	struct args a;
	int r;

	assert_int_equal(read_words(&a, words), 0);
	CAPTURE(&c, r = listing_print(&a, &l));
	args_fini(&a);
	assert_int_equal(r, 0);
}

static const struct fl_api_role roles[] = {{.name = "short", .weight = 1000},
                                           {.name = "a-longer-name", .weight = 2500}};

static void test_table(void **state)
{
	unsetenv("COLUMNS");
	print_roles(roles, 2, WORDS("ps"));
	assert_string_equal(c.out, "NAME          STATE   WEIGHT\n"
	                           "short         RUNNING      1\n"
	                           "a-longer-name RUNNING    2.5\n");
	print_roles(roles, 0, WORDS("ps"));
	assert_string_equal(c.out, "");
	assert_string_equal(c.err, "No roles.\n");
}

static void test_json(void **state)
{
	print_roles(roles, 2, WORDS("ps", "-o", "json"));
	assert_string_equal(c.out, "[{\"name\":\"short\",\"weight\":1},\n"
	                           " {\"name\":\"a-longer-name\",\"weight\":2.5}]\n");
	print_roles(roles, 0, WORDS("ps", "-o", "json"));
	assert_string_equal(c.out, "[]\n");
	assert_string_equal(c.err, "");
	print_roles(roles, 2, WORDS("ps", "-o", "ndjson"));
	assert_string_equal(c.out, "{\"name\":\"short\",\"weight\":1}\n{\"name\":\"a-longer-name\",\"weight\":2.5}\n");
	print_roles(roles, 0, WORDS("ps", "-o", "ndjson"));
	assert_string_equal(c.out, "");
	assert_string_equal(c.err, "");
}

static void test_names(void **state)
{
	print_roles(roles, 2, WORDS("ps", "-q"));
	assert_string_equal(c.out, "short\na-longer-name\n");
	print_roles(roles, 0, WORDS("ps", "-q"));
	assert_string_equal(c.out, "");
	assert_string_equal(c.err, "");
}

/* ---- width and colour ---- */

static size_t longest_line(const char *text)
{
	size_t longest = 0;

	for (const char *end; (end = strchr(text, '\n')); text = end + 1)
		if ((size_t)(end - text) > longest)
			longest = (size_t)(end - text);
	return longest;
}

static void test_width(void **state)
{
	char text[400];
	struct fl_api_role wide = {.name = text, .weight = 1000};

	memset(text, 'x', sizeof(text));
	text[sizeof(text) - 1] = '\0';
	setenv("COLUMNS", "60", 1);
	print_roles(&wide, 1, WORDS("ps"));
	assert_true(longest_line(c.out) <= 60);
	assert_has(c.out, "RUNNING"); /* what is short stays whole */
	unsetenv("COLUMNS");
	print_roles(&wide, 1, WORDS("ps")); /* a file gets it all */
	assert_has(c.out, text);
	setenv("COLUMNS", "not a number", 1);
	print_roles(&wide, 1, WORDS("ps"));
	assert_has(c.out, text);
	unsetenv("COLUMNS");
}

static void test_color(void **state)
{
	unsetenv("NO_COLOR");
	assert_int_equal(output_set_color("always"), 0);
	print_roles(roles, 1, WORDS("ps"));
	assert_has(c.out, "\033[32mRUNNING");
	setenv("NO_COLOR", "1", 1); /* who says always means it */
	assert_true(output_color());
	assert_int_equal(output_set_color("never"), 0);
	assert_false(output_color());
	assert_int_equal(output_set_color("auto"), 0);
	print_roles(roles, 1, WORDS("ps"));
	assert_null(strchr(c.out, '\033'));
	unsetenv("NO_COLOR");
	print_roles(roles, 1, WORDS("ps")); /* a file has no colours */
	assert_null(strchr(c.out, '\033'));
	assert_int_equal(output_set_color("sometimes"), -EINVAL);
}

/* What others wrote must not command the terminal. */
static void test_fields(void **state)
{
	struct fl_api_role evil = {.name = "red\033[31m\nrole\r", .weight = 1000};

	CAPTURE(&c, print_field("name", "%s and %d", "value", 7));
	assert_string_equal(c.out, "name           value and 7\n");
	CAPTURE(&c, print_field("name", "%s", "a\033[2Jb\nc\177 é"));
	assert_string_equal(c.out, "name           a?[2Jb?c? é\n");
	print_roles(&evil, 1, WORDS("ps"));
	assert_null(strchr(c.out, '\033'));
	assert_null(strchr(c.out, '\r'));
	output_set_color("always");
	CAPTURE(&c, print_field("name", "x"));
	assert_string_equal(c.out, "\033[1mname          \033[0m x\n");
	output_set_color("auto");
}

static int end(void **state)
{
	capture_fini(&c);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_milli),
		cmocka_unit_test(test_mib),
		cmocka_unit_test(test_resources),
		cmocka_unit_test(test_states),
		cmocka_unit_test(test_times),
		cmocka_unit_test(test_ago),
		cmocka_unit_test(test_many_live_at_once),
		cmocka_unit_test(test_which_format),
		cmocka_unit_test(test_table),
		cmocka_unit_test(test_json),
		cmocka_unit_test(test_names),
		cmocka_unit_test(test_width),
		cmocka_unit_test(test_color),
		cmocka_unit_test(test_fields),
	};
	return cmocka_run_group_tests(tests, NULL, end);
}
