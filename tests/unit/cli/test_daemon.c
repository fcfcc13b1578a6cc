/* Background processes known by pid files; /bin/sleep and /bin/sh stand in for the daemons. */
#include "tests/unit/cli/capture.h"

#include <errno.h>
#include <fcntl.h>
#include <ftw.h>
#include <signal.h>
#include <sys/wait.h>
#include <time.h>

#include "cli/daemon.h"

static char home[] = "/tmp/fairlead-daemon-XXXXXX";
static struct capture c;

static char *path_of(const char *file)
{
	return xasprintf("%s/%s", home, file);
}

static char *content_of(const char *file)
{
	_cleanup_free_ char *path = path_of(file);
	int fd = open(path, O_RDONLY | O_CLOEXEC);

	assert_true(fd >= 0);
	return capture_read(fd);
}

static void write_file(const char *file, const char *text)
{
	_cleanup_free_ char *path = path_of(file);
	_cleanup_fclose_ FILE *f = fopen(path, "we");

	assert_non_null(f);
	fputs(text, f);
}

static void start(const char *name, char **argv)
{
	struct err err = {0};

	if (daemon_start(home, name, argv, &err) < 0)
		fail_msg("%s", err.text);
}

static pid_t pid_of(const char *name)
{
	_cleanup_free_ char *file = xasprintf("%s.pid", name), *text = content_of(file);
	return (pid_t)strtol(text, NULL, 10);
}

/* Until the condition holds, with a deadline; 1 ms at a time. */
#define AWAIT(condition)                                              \
	do {                                                          \
		struct timespec await_t = {.tv_nsec = 1000000};       \
		int await_left = 20000;                               \
		while (!(condition) && await_left-- > 0)              \
			nanosleep(&await_t, NULL);                    \
		if (!(condition))                                     \
			fail_msg("%s did not come true", #condition); \
	} while (0)

static void test_a_life(void **state)
{
	start("sleeper", WORDS("/bin/sleep", "1000"));
	assert_true(daemon_alive(home, "sleeper"));
	pid_t pid = pid_of("sleeper");
	assert_int_equal(getsid(pid), pid); /* Ctrl-C at our terminal is not for it */
	assert_true(daemon_stop(home, "sleeper", 5000));
	assert_false(daemon_alive(home, "sleeper"));
	assert_int_equal(kill(pid, 0), -1);
	assert_int_equal(errno, ESRCH);
	_cleanup_free_ char *path = path_of("sleeper.pid");
	assert_int_equal(access(path, F_OK), -1);
	assert_false(daemon_stop(home, "sleeper", 5000)); /* once more */
	assert_false(daemon_alive(home, "never-there"));
}

static void test_output_goes_to_its_log(void **state)
{
	static char *const script[] = {(char *)"/bin/sh", (char *)"-c", (char *)"read x; echo out; echo err >&2", NULL};

	start("talker", (char **)script);
	AWAIT(!daemon_alive(home, "talker"));
	waitpid(pid_of("talker"), NULL, 0);
	start("talker", (char **)script); /* the log goes on */
	AWAIT(!daemon_alive(home, "talker"));
	waitpid(pid_of("talker"), NULL, 0);
	daemon_stop(home, "talker", 1000);
	_cleanup_free_ char *log = content_of("talker.log");
	assert_string_equal(log, "out\nerr\nout\nerr\n");
	CAPTURE(&c, daemon_show_log(home, "talker"));
	assert_has(c.err, "talker.log:\n  out\n  err\n");
	assert_string_equal(c.out, "");
	CAPTURE(&c, daemon_show_log(home, "nobody"));
	assert_has(c.err, "nobody.log:\n");
}

static void test_only_the_end_of_a_long_log(void **state)
{
	_cleanup_free_ char *path = path_of("long.log");
	_cleanup_fclose_ FILE *f = fopen(path, "we");

	for (int i = 0; i < 1000; i++)
		fprintf(f, "line %d\n", i);
	fflush(f);
	CAPTURE(&c, daemon_show_log(home, "long"));
	assert_true(strlen(c.err) < 3000);
	assert_has(c.err, "  line 999\n");
	for (const char *p = strchr(c.err, '\n') + 1; *p; p = strchr(p, '\n') + 1)
		assert_true(strncmp(p, "  line ", 7) == 0); /* no cut one */
}

/* Deaf to SIGTERM. */
static void test_kills_what_does_not_end(void **state)
{
	start("deaf", WORDS("/bin/sh", "-c", "trap '' TERM; echo ready; while :; do /bin/sleep 0.05; done"));
	_cleanup_free_ char *path = path_of("deaf.log");
	AWAIT(access(path, F_OK) == 0);
	for (;;) {
		_cleanup_free_ char *log = content_of("deaf.log");
		if (*log)
			break;
		assert_true(daemon_alive(home, "deaf"));
	}
	pid_t pid = pid_of("deaf");
	assert_true(daemon_stop(home, "deaf", 50));
	assert_int_equal(kill(pid, 0), -1);
}

/* A pid that was used again, by somebody who must not be ended. */
static void test_a_stranger_is_left_alone(void **state)
{
	_cleanup_free_ char *text = NULL;

	start("sleeper", WORDS("/bin/sleep", "1000"));
	pid_t pid = pid_of("sleeper");
	text = xasprintf("%d 12345\n", (int)pid); /* the start time is another's */
	write_file("stranger.pid", text);
	assert_false(daemon_alive(home, "stranger"));
	assert_false(daemon_stop(home, "stranger", 1000));
	assert_true(daemon_alive(home, "sleeper"));
	assert_true(daemon_stop(home, "sleeper", 5000));
}

static void test_a_pid_file_may_hold_anything(void **state)
{
	static const char *const texts[] = {
		"", "x", "12", "0 0", "1 1", "-1 5", "999999999 1", "99999999999999999999 1", "\n\n"};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		write_file("odd.pid", texts[i]);
		assert_false(daemon_alive(home, "odd"));
		assert_false(daemon_stop(home, "odd", 10));
	}
}

static void test_what_cannot_start(void **state)
{
	struct err err = {0};
	_cleanup_free_ char *file = path_of("no-program"), *nowhere = path_of("no-folder");

	assert_int_equal(daemon_start(home, "none", WORDS("/no/such/program"), &err), -ENOENT);
	assert_has(err.text, "cannot start /no/such/program: No such file");
	assert_false(daemon_alive(home, "none"));
	write_file("no-program", "text\n");
	assert_int_equal(daemon_start(home, "none", WORDS(file), &err), -EACCES);
	assert_true(daemon_start(nowhere, "none", WORDS("/bin/sleep", "1000"), &err) < 0);
	assert_int_equal(waitpid(-1, NULL, WNOHANG), -1); /* nothing is left behind */
	assert_int_equal(errno, ECHILD);
}

static int begin(void **state)
{
	return mkdtemp(home) ? 0 : -1;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

static int end(void **state)
{
	capture_fini(&c);
	return nftw(home, remove_entry, 8, FTW_DEPTH | FTW_PHYS);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_a_life),
		cmocka_unit_test(test_output_goes_to_its_log),
		cmocka_unit_test(test_only_the_end_of_a_long_log),
		cmocka_unit_test(test_kills_what_does_not_end),
		cmocka_unit_test(test_a_stranger_is_left_alone),
		cmocka_unit_test(test_a_pid_file_may_hold_anything),
		cmocka_unit_test(test_what_cannot_start),
	};
	return cmocka_run_group_tests(tests, begin, end);
}
