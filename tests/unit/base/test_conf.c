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
#include <unistd.h>

#include "base/buf.h"
#include "base/conf.h"
#include "base/err.h"
#include "base/mem.h"

struct test_conf {
	bool verbose;
	int64_t port;
	int64_t offer_timeout;
	int64_t max_size;
	char *zk;
};

#define ROW(name, type, deflt, min, max, help)                                       \
	{                                                                            \
#name, type, deflt, min, max, help, offsetof(struct test_conf, name) \
	}
static const struct conf_opt opts[] = {
	ROW(verbose, CONF_BOOL, "false", 0, 0, "say more"),
	ROW(port, CONF_INT, "5050", 0, 65535, "where to listen"),
	ROW(offer_timeout, CONF_DURATION, "30s", 1000, 3600000, "an offer ends after"),
	ROW(max_size, CONF_BYTES, "1M", 1024, 1ll << 40, "largest thing"),
	ROW(zk, CONF_STRING, "", 0, 0, "where ZooKeeper is"),
};
static const struct conf_table table = {"fairlead-test", "tests options", opts, ARRAY_SIZE(opts),
                                        sizeof(struct test_conf)};

struct fixture {
	struct test_conf conf;
	struct err err;
	char path[64];
};

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));

	snprintf(f->path, sizeof(f->path), "/tmp/test_conf.XXXXXX");
	int fd = mkstemp(f->path);
	assert_true(fd >= 0);
	close(fd);
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;

	conf_fini(&table, &f->conf);
	unlink(f->path);
	unsetenv("FAIRLEAD_PORT");
	unsetenv("FAIRLEAD_ZK");
	free(f);
	return 0;
}

static void write_file(struct fixture *f, const char *text)
{
	_cleanup_fclose_ FILE *file = fopen(f->path, "we");
	fputs(text, file);
}

#define LOAD(f, default_file, ...) \
	load(f, default_file, (char *[]){"prog", __VA_ARGS__}, ARRAY_SIZE(((char *[]){"prog", __VA_ARGS__})))

static int load(struct fixture *f, const char *default_file, char **argv, int argc)
{
	conf_fini(&table, &f->conf);
	f->err = (struct err){0};
	return conf_load(&table, default_file, argc, argv, &f->conf, &f->err);
}

static void defaults(void **state)
{
	struct fixture *f = *state;

	conf_defaults(&table, &f->conf);
	assert_false(f->conf.verbose);
	assert_int_equal(f->conf.port, 5050);
	assert_int_equal(f->conf.offer_timeout, 30000);
	assert_int_equal(f->conf.max_size, 1 << 20);
	assert_string_equal(f->conf.zk, "");
}

static void flags(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(LOAD(f, NULL, "--port", "1", "--offer-timeout=2m", "--verbose", "--zk", "zk://a/b"), 0);
	assert_int_equal(f->conf.port, 1);
	assert_int_equal(f->conf.offer_timeout, 120000);
	assert_true(f->conf.verbose);
	assert_string_equal(f->conf.zk, "zk://a/b");
	assert_int_equal(LOAD(f, NULL, "--max_size", "2G", "--verbose=yes", "--no-verbose", "--zk="), 0);
	assert_int_equal(f->conf.max_size, 2ll << 30);
	assert_false(f->conf.verbose);
	assert_string_equal(f->conf.zk, "");
	assert_int_equal(LOAD(f, NULL, "--verbose=off"), 0);
	assert_false(f->conf.verbose);
}

static void bad_flags_are_explained(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(LOAD(f, NULL, "--prot", "1"), -EINVAL);
	assert_string_equal(f->err.text, "unknown option 'prot', did you mean 'port'?");
	assert_int_equal(LOAD(f, NULL, "--something-else"), -EINVAL);
	assert_string_equal(f->err.text, "unknown option 'something-else'");
	assert_int_equal(LOAD(f, NULL, "--port"), -EINVAL);
	assert_string_equal(f->err.text, "--port needs a value");
	assert_int_equal(LOAD(f, NULL, "port"), -EINVAL);
	assert_int_equal(LOAD(f, NULL, "--port", "x"), -EINVAL);
	assert_string_equal(f->err.text, "option: port: 'x' is not a number");
	assert_int_equal(LOAD(f, NULL, "--port", "65536"), -EINVAL);
	assert_string_equal(f->err.text, "option: port: 65536 is not between 0 and 65535");
	assert_int_equal(LOAD(f, NULL, "--offer_timeout", "10ms"), -EINVAL);
	assert_string_equal(f->err.text, "option: offer_timeout: 10ms is not between 1s and 1h");
	assert_int_equal(LOAD(f, NULL, "--max_size", "1"), -EINVAL);
	assert_string_equal(f->err.text, "option: max_size: 1 is not between 1K and 1T");
	assert_int_equal(LOAD(f, NULL, "--verbose=maybe"), -EINVAL);
	assert_int_equal(LOAD(f, NULL, "--no-port"), -EINVAL);
	assert_int_equal(LOAD(f, NULL, "--config", "/none/such"), -ENOENT);
}

static void precedence(void **state)
{
	struct fixture *f = *state;

	write_file(f, "# a comment\nport = 1\nzk = from-file\noffer-timeout = 5s\n[fairlead-test]\nverbose = true\n");
	assert_int_equal(LOAD(f, NULL, "--config", f->path), 0);
	assert_int_equal(f->conf.port, 1);
	assert_true(f->conf.verbose);
	setenv("FAIRLEAD_PORT", "2", 1);
	assert_int_equal(LOAD(f, f->path, "--zk=from-flag"), 0);
	assert_int_equal(f->conf.port, 2);
	assert_int_equal(f->conf.offer_timeout, 5000);
	assert_string_equal(f->conf.zk, "from-flag");
	assert_int_equal(LOAD(f, f->path, "--port=3"), 0);
	assert_int_equal(f->conf.port, 3);
	assert_string_equal(f->conf.zk, "from-file");
	setenv("FAIRLEAD_PORT", "many", 1);
	assert_int_equal(LOAD(f, NULL, "--port=3"), -EINVAL);
	assert_string_equal(f->err.text, "environment variable FAIRLEAD_PORT: port: 'many' is not a number");
}

static void a_missing_default_file_is_fine(void **state)
{
	struct fixture *f = *state;

	assert_int_equal(LOAD(f, "/none/such", "--port=3"), 0);
}

static void bad_files_are_explained_with_their_line(void **state)
{
	struct fixture *f = *state;
	char expected[200];

	write_file(f, "port = 1\n\nverbos = true\n");
	assert_int_equal(LOAD(f, f->path, "--port=3"), -EINVAL);
	snprintf(expected, sizeof(expected), "%s:3: unknown option 'verbos', did you mean 'verbose'?", f->path);
	assert_string_equal(f->err.text, expected);
	write_file(f, "[other]\nport = 1\n");
	assert_int_equal(LOAD(f, f->path, "--port=3"), -EINVAL);
	write_file(f, "port 1\n");
	assert_int_equal(LOAD(f, f->path, "--port=3"), -EINVAL);
	assert_non_null(strstr(f->err.text, ":1: "));
	write_file(f, "port = -1\n");
	assert_int_equal(LOAD(f, f->path, "--port=3"), -EINVAL);
}

static void set_and_print(void **state)
{
	static const char *const expected[] = {"true", "80", "90s", "1536K", "a"};
	struct fixture *f = *state;

	conf_defaults(&table, &f->conf);
	assert_int_equal(conf_set(&table, &f->conf, "verbose", "on", NULL), 0);
	assert_int_equal(conf_set(&table, &f->conf, "port", "80", NULL), 0);
	assert_int_equal(conf_set(&table, &f->conf, "offer-timeout", "90", NULL), 0);
	assert_int_equal(conf_set(&table, &f->conf, "max_size", "1572864", NULL), 0);
	assert_int_equal(conf_set(&table, &f->conf, "zk", "a", NULL), 0);
	assert_int_equal(conf_set(&table, &f->conf, "zk", f->conf.zk, NULL), 0);
	assert_int_equal(conf_set(&table, &f->conf, "none", "a", NULL), -EINVAL);
	for (size_t i = 0; i < ARRAY_SIZE(expected); i++) {
		_cleanup_buf_ struct buf b = {0};
		conf_print(&table, &f->conf, i, &b);
		assert_string_equal(buf_cstr(&b), expected[i]);
	}
	conf_set(&table, &f->conf, "offer_timeout", "1500ms", NULL);
	_cleanup_buf_ struct buf b = {0};
	conf_print(&table, &f->conf, 2, &b);
	assert_string_equal(buf_cstr(&b), "1500ms");
}

/* What conf_load prints for one flag. */
static const char *printed(struct fixture *f, char *flag)
{
	static char out[4096];
	int pipe_fds[2];

	fflush(stdout);
	assert_int_equal(pipe2(pipe_fds, O_CLOEXEC), 0);
	int saved = dup(STDOUT_FILENO);
	dup2(pipe_fds[1], STDOUT_FILENO);
	int r = LOAD(f, NULL, "--port=1", flag);
	fflush(stdout);
	dup2(saved, STDOUT_FILENO);
	close(saved);
	close(pipe_fds[1]);
	ssize_t n = read(pipe_fds[0], out, sizeof(out) - 1);
	out[n > 0 ? n : 0] = 0;
	close(pipe_fds[0]);
	assert_int_equal(r, 1);
	return out;
}

static void help_and_version(void **state)
{
	struct fixture *f = *state;

	assert_string_equal(printed(f, "--version"), "fairlead-test " FAIRLEAD_VERSION "\n");
	const char *help = printed(f, "--help");
	assert_non_null(strstr(help, "usage: fairlead-test [OPTION]...\ntests options\n"));
	assert_non_null(strstr(help, "  --[no-]verbose        say more (default: false)\n"
	                             "  --port N              where to listen (default: 5050)\n"
	                             "  --offer_timeout TIME  an offer ends after (default: 30s)\n"
	                             "  --max_size SIZE       largest thing (default: 1M)\n"
	                             "  --zk TEXT             where ZooKeeper is\n"));
}

int main(void)
{
#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
	const struct CMUnitTest tests[] = {
		T(defaults),
		T(flags),
		T(bad_flags_are_explained),
		T(precedence),
		T(a_missing_default_file_is_fine),
		T(bad_files_are_explained_with_their_line),
		T(set_and_print),
		T(help_and_version),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
