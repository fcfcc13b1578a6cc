#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/log.h"

struct captured {
	int n;
	enum log_level level;
	char line[4096];
};

static void capture(void *user, enum log_level level, const char *line)
{
	struct captured *c = user;

	c->n++;
	c->level = level;
	snprintf(c->line, sizeof(c->line), "%s", line);
}

static void levels_filter(void **state)
{
	struct captured c = {0};

	log_set_sink(capture, &c);
	log_set_level(LOG_WARN);
	log_info("a.b x=%d", 1);
	log_debug("a.b x=%d", 1);
	assert_int_equal(c.n, 0);
	log_warn("a.b x=%d", 2);
	assert_int_equal(c.n, 1);
	assert_int_equal(c.level, LOG_WARN);
	assert_string_equal(c.line, "a.b x=2");
	log_set_level(LOG_DEBUG);
	log_debug("d");
	assert_int_equal(c.n, 2);
	assert_int_equal(log_level(), LOG_DEBUG);
	log_set_level(LOG_INFO);
	log_set_sink(NULL, NULL);
}

static void a_line_cannot_be_forged(void **state)
{
	struct captured c = {0};

	log_set_sink(capture, &c);
	log_info("peer.said text=%s", "x\n<0>forged\x1b[31m");
	assert_string_equal(c.line, "peer.said text=x <0>forged [31m");
	log_set_sink(NULL, NULL);
}

static void long_lines_are_cut(void **state)
{
	struct captured c = {0};
	char text[5000];

	memset(text, 'x', sizeof(text) - 1);
	text[sizeof(text) - 1] = 0;
	log_set_sink(capture, &c);
	log_info("%s", text);
	assert_in_range(strlen(c.line), 1000, 2048);
	log_set_sink(NULL, NULL);
}

static void errno_is_kept(void **state)
{
	struct captured c = {0};

	log_set_sink(capture, &c);
	errno = ENOSPC;
	log_info("x");
	assert_int_equal(errno, ENOSPC);
	log_set_sink(NULL, NULL);
}

static void level_names(void **state)
{
	enum log_level l = LOG_INFO;

	assert_int_equal(log_level_parse("error", &l), 0);
	assert_int_equal(l, LOG_ERROR);
	assert_int_equal(log_level_parse("debug", &l), 0);
	assert_int_equal(l, LOG_DEBUG);
	assert_int_equal(log_level_parse("loud", &l), -EINVAL);
	assert_int_equal(log_level_parse(NULL, &l), -EINVAL);
	assert_int_equal(l, LOG_DEBUG);
}

/* Logs one line with stderr going to a pipe and returns what came out. */
static const char *on_stderr(bool journal)
{
	static char out[512];
	char stream[64];
	int pipe_fds[2];
	struct stat st;

	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
	int saved = dup(STDERR_FILENO);
	dup2(pipe_fds[1], STDERR_FILENO);
	assert_int_equal(fstat(pipe_fds[1], &st), 0);
	snprintf(stream, sizeof(stream), "%llu:%llu", (unsigned long long)st.st_dev,
	         (unsigned long long)st.st_ino + !journal);
	setenv("JOURNAL_STREAM", stream, 1);
	log_set_sink(NULL, NULL);
	log_warn("slave.lost slave=s1");
	dup2(saved, STDERR_FILENO);
	close(saved);
	ssize_t n = read(pipe_fds[0], out, sizeof(out) - 1);
	out[n > 0 ? n : 0] = 0;
	close(pipe_fds[0]);
	close(pipe_fds[1]);
	unsetenv("JOURNAL_STREAM");
	log_set_sink(NULL, NULL);
	return out;
}

static void journal_gets_a_priority(void **state)
{
	assert_string_equal(on_stderr(true), "<4>slave.lost slave=s1\n");
}

static void people_get_the_time(void **state)
{
	const char *line = on_stderr(false);
	int year, month, day, hour, minute, second, ms, end = 0;

	assert_int_equal(
		sscanf(line, "%4d-%2d-%2dT%2d:%2d:%2d.%3dZ%n", &year, &month, &day, &hour, &minute, &second, &ms, &end),
		7);
	assert_string_equal(line + end, " warn  slave.lost slave=s1\n");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(levels_filter),       cmocka_unit_test(a_line_cannot_be_forged),
		cmocka_unit_test(long_lines_are_cut),  cmocka_unit_test(errno_is_kept),
		cmocka_unit_test(level_names),         cmocka_unit_test(journal_gets_a_priority),
		cmocka_unit_test(people_get_the_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
