/* Help and completion show the whole table, and nothing else. */
#include "tests/unit/cli/capture.h"

#include <sys/wait.h>

#include "base/str.h"

static struct capture c;

static int help(char **words)
{
	struct args a;
	int r;

	assert_int_equal(read_words(&a, words), 0);
	CAPTURE(&c, r = cmd_help(&a));
	args_fini(&a);
	return r;
}

static void test_all(void **state)
{
	assert_int_equal(help(WORDS("help")), EXIT_OK);
	for (size_t i = 0; i < n_verbs; i++) {
		_cleanup_free_ char *line = xasprintf("\n  %s%s%s ", verbs[i].noun ? verbs[i].noun : "",
		                                      verbs[i].noun ? " " : "", verbs[i].name);
		assert_has(c.out, line);
		assert_has(c.out, verbs[i].help);
	}
	assert_has(c.out, "Exit codes: 0 ok");
	assert_has(c.out, "-m, --master URL");
	assert_string_equal(c.err, "");
}

static void test_one(void **state)
{
	for (size_t i = 0; i < n_verbs; i++) {
		char *words[] = {(char *)"help", (char *)(verbs[i].noun ? verbs[i].noun : verbs[i].name),
		                 (char *)(verbs[i].noun ? verbs[i].name : NULL), NULL};
		assert_int_equal(help(words), EXIT_OK);
		assert_has(c.out, verbs[i].help);
		for (const struct opt *o = verbs[i].opts; o->name; o++)
			assert_has(c.out, o->help);
	}
	assert_int_equal(help(WORDS("help", "run")), EXIT_OK);
	assert_has(c.out, "fairlead run [OPTION…] -- CMD [ARG…]\n");
	assert_has(c.out, "  -e, --env NAME=VALUE         Environment variable (may be repeated)\n");
}

static void test_noun(void **state)
{
	assert_int_equal(help(WORDS("help", "task")), EXIT_OK);
	assert_has(c.out, "task list");
	assert_has(c.out, "task kill TASK");
	assert_null(strstr(c.out, "slave"));
	assert_int_equal(help(WORDS("help", "nothing")), EXIT_NOT_FOUND);
	assert_has(c.err, "no help for 'nothing'");
	assert_int_equal(help(WORDS("help", "task", "nothing")), EXIT_NOT_FOUND);
}

/* Columns are as wide for letters of several bytes. */
static void test_columns(void **state)
{
	assert_int_equal(help(WORDS("help")), EXIT_OK);
	assert_has(c.out, "\n  help [VERB…]                     Show help\n");
	assert_has(c.out, "\n  version                          Versions of");
}

/* ---- completion, by bash itself ---- */

/* What bash offers after these words, the last of which is being typed; sorted, one a line. */
static void complete(const char *script, const char *words)
{
	_cleanup_free_ char *command = xasprintf(
		"source %s && COMP_WORDS=(%s) && COMP_CWORD=$((${#COMP_WORDS[@]} - 1)) && "
		"_fairlead && printf '%%s\\n' \"${COMPREPLY[@]}\"",
		script, words);
	char *argv[] = {(char *)"bash", (char *)"--norc", (char *)"-euc", command, NULL};
	int status = 0;

	CAPTURE(&c, {
		pid_t pid = fork();
		if (pid == 0) {
			execvp(argv[0], argv);
			_exit(127);
		}
		waitpid(pid, &status, 0);
	});
	assert_string_equal(c.err, "");
	assert_int_equal(status, 0);
}

static void test_completion(void **state)
{
	char script[] = "/tmp/fairlead-completion-XXXXXX";
	int fd = mkstemp(script);

	assert_int_equal(help(WORDS("help", "--completion")), EXIT_OK);
	assert_int_equal(write(fd, c.out, strlen(c.out)), strlen(c.out));
	close(fd);
	complete(script, "fairlead s");
	assert_string_equal(c.out, "status\nslave\n");
	complete(script, "fairlead slave ''");
	assert_string_equal(c.out, "list\nshow\n");
	complete(script, "fairlead slave list --o");
	assert_string_equal(c.out, "--output\n");
	complete(script, "fairlead ps --f");
	assert_string_equal(c.out, "--framework\n");
	complete(script, "fairlead logs some-task --");
	assert_has(c.out, "--follow\n");
	assert_has(c.out, "--master\n");
	complete(script, "fairlead nonsense --");
	assert_string_equal(c.out, "\n");
	unlink(script);
}

static int end(void **state)
{
	capture_fini(&c);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_all),     cmocka_unit_test(test_one),        cmocka_unit_test(test_noun),
		cmocka_unit_test(test_columns), cmocka_unit_test(test_completion),
	};
	return cmocka_run_group_tests(tests, NULL, end);
}
