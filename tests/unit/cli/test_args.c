/* The table of verbs keeps its own laws; command lines are taken apart by it. */
#include "tests/unit/cli/capture.h"

#include <ctype.h>

#include "base/str.h"

static struct capture c;

/* ---- the table ---- */

static void check_option(const struct opt *o)
{
	assert_true(o->name[0] != '\0' && o->help && o->help[0] != '\0');
	assert_true(isupper((unsigned char)o->help[0]) || islower((unsigned char)o->help[0]));
	assert_true(!o->letter || isalpha((unsigned char)o->letter));
	assert_true(o->metavar || !o->repeated);
	for (const char *p = o->name; *p; p++)
		assert_true(islower((unsigned char)*p) || *p == '-');
}

static void check_clash(const struct verb *v, const struct opt *a, const struct opt *b)
{
	if (str_equal(a->name, b->name) || (a->letter && a->letter == b->letter))
		fail_msg("options --%s and --%s of '%s' clash", a->name, b->name, v->name);
}

static void every_option_is_plain_and_its_own(void **state)
{
	for (size_t i = 0; i < n_verbs; i++) {
		for (const struct opt *a = verbs[i].opts; a->name; a++) {
			check_option(a);
			for (const struct opt *b = a + 1; b->name; b++)
				check_clash(&verbs[i], a, b);
			for (const struct opt *b = global_opts; b->name; b++)
				check_clash(&verbs[i], a, b);
		}
	}
	for (const struct opt *a = global_opts; a->name; a++) {
		check_option(a);
		for (const struct opt *b = a + 1; b->name; b++)
			check_clash(&verbs[0], a, b);
	}
}

static void every_verb_has_help_and_a_name_of_its_own(void **state)
{
	for (size_t i = 0; i < n_verbs; i++) {
		const struct verb *v = &verbs[i];
		assert_non_null(v->fn);
		assert_true(v->help && v->help[0] && v->help[strlen(v->help) - 1] != '.');
		assert_true(isupper((unsigned char)v->help[0]));
		assert_true(v->min_operands >= 0 && (v->max_operands < 0 || v->max_operands >= v->min_operands));
		assert_int_equal(v->max_operands == 0, v->operands[0] == '\0');
		for (size_t k = i + 1; k < n_verbs; k++) {
			assert_false(str_equal(v->noun, verbs[k].noun) && str_equal(v->name, verbs[k].name));
			/* A noun is not also a verb. */
			assert_false(v->noun && !verbs[k].noun && str_equal(v->noun, verbs[k].name));
			assert_false(!v->noun && verbs[k].noun && str_equal(v->name, verbs[k].noun));
		}
	}
}

/* So that help and completion show each noun once. */
static void nouns_stand_together(void **state)
{
	for (size_t i = 0; i < n_verbs; i++)
		for (size_t k = i + 2; k < n_verbs; k++)
			if (verbs[i].noun && str_equal(verbs[i].noun, verbs[k].noun))
				assert_string_equal(verbs[k - 1].noun, verbs[i].noun);
}

/* ---- command lines ---- */

static void expect_verb(char **words, const char *noun, const char *name)
{
	struct args a;

	assert_int_equal(read_words(&a, words), 0);
	assert_true(str_equal(a.verb->noun, noun));
	assert_string_equal(a.verb->name, name);
	args_fini(&a);
}

/* Exit code 2, and stderr has this in it. */
static void expect_complaint(char **words, const char *text)
{
	struct args a;
	int r;

	CAPTURE(&c, r = read_words(&a, words));
	args_fini(&a);
	assert_int_equal(r, EXIT_USAGE);
	assert_has(c.err, text);
	assert_string_equal(c.out, "");
}

static void finds_the_verb(void **state)
{
	expect_verb(WORDS("ps"), NULL, "ps");
	expect_verb(WORDS("slave", "list"), "slave", "list");
	expect_verb(WORDS("task", "show", "t"), "task", "show");
	expect_verb(WORDS("-m", "x", "--timeout=1s", "--color", "never", "ps"), NULL, "ps");
	expect_verb(WORDS("-mx", "slave", "list"), "slave", "list");
	expect_verb(WORDS("--help", "ps"), NULL, "ps");
	expect_complaint(WORDS("tsk"), "unknown verb 'tsk'; did you mean 'task'?");
	expect_complaint(WORDS("entirely-wrong"), "unknown verb 'entirely-wrong'. Try 'fairlead help'.");
	expect_complaint(WORDS("task"), "'task' needs a verb: list show kill\n");
	expect_complaint(WORDS("task", "sho"), "'task' needs a verb: list show kill\n");
	expect_complaint(WORDS("list"), "unknown verb 'list'");
	expect_complaint(WORDS("--master", "x"), "which verb?");
	expect_complaint(WORDS("--master"), "which verb?");
	expect_complaint(WORDS("--nonsense", "ps"), "unknown option '--nonsense'. Try 'fairlead help ps'.");
}

static void takes_options_in_every_form(void **state)
{
	struct args a;

	assert_int_equal(
		read_words(&a, WORDS("task", "list", "--output=json", "-f", "one", "--framework", "two", "-as", "x")),
		0);
	assert_string_equal(args_get(&a, "output"), "json");
	assert_string_equal(args_get(&a, "framework"), "two"); /* the last one counts */
	assert_int_equal(args_all(&a, "framework")->n, 1);
	assert_true(args_has(&a, "all"));
	assert_string_equal(args_get(&a, "slave"), "x");
	assert_false(args_has(&a, "quiet"));
	assert_null(args_get(&a, "no-such-option"));
	args_fini(&a);
	assert_int_equal(read_words(&a, WORDS("-m", "before", "ps", "-aqojson", "--master=")), 0);
	assert_true(args_has(&a, "all") && args_has(&a, "quiet"));
	assert_string_equal(args_get(&a, "output"), "json");
	assert_string_equal(args_get(&a, "master"), "");
	args_fini(&a);
}

static void complains_of_options(void **state)
{
	expect_complaint(WORDS("ps", "--nonsense"), "unknown option '--nonsense'. Try 'fairlead help ps'.");
	expect_complaint(WORDS("slave", "list", "-ax"), "unknown option '-ax'. Try 'fairlead help slave list'.");
	expect_complaint(WORDS("ps", "--outpu=json"), "unknown option");
	expect_complaint(WORDS("ps", "-o"), "--output needs a value: FORMAT");
	expect_complaint(WORDS("ps", "--output"), "--output needs a value: FORMAT");
	expect_complaint(WORDS("ps", "--all=yes"), "--all takes no value");
}

static void takes_operands(void **state)
{
	struct args a;

	assert_int_equal(read_words(&a, WORDS("logs", "t", "-f", "stderr")), 0);
	assert_int_equal(a.n_operands, 2);
	assert_string_equal(a.operands[0], "t");
	assert_string_equal(a.operands[1], "stderr");
	args_fini(&a);
	assert_int_equal(read_words(&a, WORDS("logs", "-f", "--", "-t-")), 0); /* after "--" nothing is an option */
	assert_string_equal(a.operands[0], "-t-");
	args_fini(&a);
	assert_int_equal(read_words(&a, WORDS("logs", "-")), 0); /* a lone dash is a word */
	assert_string_equal(a.operands[0], "-");
	args_fini(&a);
	expect_complaint(WORDS("logs"), "usage: fairlead logs [OPTION…] TASK [stdout|stderr]\n");
	expect_complaint(WORDS("logs", "a", "b", "c"), "usage: fairlead logs");
	expect_complaint(WORDS("ps", "x"), "usage: fairlead ps [OPTION…]\n");
	expect_complaint(WORDS("version", "x"), "usage: fairlead version\n");
	/* Who asks for help need not say the rest. */
	assert_int_equal(read_words(&a, WORDS("logs", "--help")), 0);
	args_fini(&a);
}

static void leaves_the_command_to_run_alone(void **state)
{
	struct args a;

	assert_int_equal(read_words(&a, WORDS("run", "-n", "x", "ls", "-l", "--", "--help")), 0);
	assert_string_equal(args_get(&a, "name"), "x");
	assert_int_equal(a.n_operands, 4);
	assert_string_equal(a.operands[1], "-l");
	assert_string_equal(a.operands[2], "--");
	assert_string_equal(a.operands[3], "--help");
	assert_null(a.operands[4]);
	args_fini(&a);
	assert_int_equal(read_words(&a, WORDS("run", "-e", "A=1", "--env=B=2", "--", "-l")), 0);
	assert_int_equal(args_all(&a, "env")->n, 2);
	assert_string_equal(args_all(&a, "env")->values[0], "A=1");
	assert_string_equal(args_all(&a, "env")->values[1], "B=2");
	assert_int_equal(a.n_operands, 1);
	args_fini(&a);
	expect_complaint(WORDS("run", "--cpus", "1"), "usage: fairlead run [OPTION…] -- CMD [ARG…]\n");
	expect_complaint(WORDS("run", "--"), "usage: fairlead run");
}

static void has_room_for_so_many(void **state)
{
	char *words[MAX_OPT_VALUES + 4] = {(char *)"run"};

	for (int i = 1; i <= MAX_OPT_VALUES + 1; i++)
		words[i] = (char *)"-eA=1";
	words[MAX_OPT_VALUES + 2] = (char *)"true";
	expect_complaint(words, "--env is given more than 64 times");
}

static int end(void **state)
{
	capture_fini(&c);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(every_option_is_plain_and_its_own),
		cmocka_unit_test(every_verb_has_help_and_a_name_of_its_own),
		cmocka_unit_test(nouns_stand_together),
		cmocka_unit_test(finds_the_verb),
		cmocka_unit_test(takes_options_in_every_form),
		cmocka_unit_test(complains_of_options),
		cmocka_unit_test(takes_operands),
		cmocka_unit_test(leaves_the_command_to_run_alone),
		cmocka_unit_test(has_room_for_so_many),
	};
	return cmocka_run_group_tests(tests, NULL, end);
}
