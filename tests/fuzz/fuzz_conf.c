/* A configuration file and a command line: the bytes before the first NUL are the file, then come the words, each up to
 * the next NUL; the word "@" stands for the file's path. What is accepted is within its limits, and survives being printed
 * and read again. */
#include <assert.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/conf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"

#define MAX_WORDS 32

struct fuzz_conf {
	bool verbose;
	int64_t port, offer_timeout, max_size, any;
	char *zk, *name;
};

#define ROW(name, type, deflt, min, max)                                                      \
	{                                                                                     \
#name, CONF_##type, deflt, min, max, "help", offsetof(struct fuzz_conf, name) \
	}
static const struct conf_opt opts[] = {
	ROW(verbose, BOOL, "true", 0, 0),
	ROW(port, INT, "5050", 0, 65535),
	ROW(offer_timeout, DURATION, "30s", 1000, 3600000),
	ROW(max_size, BYTES, "1M", 1024, 1ll << 40),
	ROW(any, INT, "-1", INT64_MIN, INT64_MAX),
	ROW(zk, STRING, "", 0, 0),
	ROW(name, STRING, "some name", 0, 0),
};
static const struct conf_table table = {"fairlead-fuzz", "For the fuzzer", opts, ARRAY_SIZE(opts),
                                        sizeof(struct fuzz_conf)};

static char path[64];
static int fd;

int LLVMFuzzerInitialize(int *argc, char ***argv)
{
	fd = memfd_create("conf", MFD_CLOEXEC);
	assert(fd >= 0);
	snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
	/* --help goes nowhere; the fuzzer itself speaks through stderr. */
	return freopen("/dev/null", "w", stdout) ? 0 : 1;
}

static void write_file(const uint8_t *data, size_t size)
{
	int r = ftruncate(fd, 0);
	assert(r == 0);
	ssize_t n = pwrite(fd, data, size, 0);
	assert(n == (ssize_t)size);
}

/* False for what would have it read other files. */
static bool split(char *text, size_t size, char **words, int *ret_n)
{
	int n = 1;

	words[0] = (char *)table.program;
	for (char *end = text + size; text < end && n < MAX_WORDS; text += strlen(text) + 1)
		words[n++] = strcmp(text, "@") == 0 ? path : text;
	*ret_n = n;
	for (int i = 1; i < n; i++)
		if (words[i] != path &&
		    (strncmp(words[i], "--config=", 9) == 0 || strcmp(words[i - 1], "--config") == 0))
			return false;
	return true;
}

static void check_again(const struct fuzz_conf *conf)
{
	struct fuzz_conf again;
	struct err err;

	conf_defaults(&table, &again);
	for (size_t i = 0; i < table.n_opts; i++) {
		_cleanup_buf_ struct buf value = {0}, value_again = {0};
		conf_print(&table, conf, i, &value);
		int r = conf_set(&table, &again, opts[i].name, buf_cstr(&value), &err);
		assert(r == 0);
		conf_print(&table, &again, i, &value_again);
		assert(strcmp(buf_cstr(&value), buf_cstr(&value_again)) == 0);
	}
	assert(conf->port >= 0 && conf->port <= 65535);
	assert(conf->offer_timeout >= 1000 && conf->offer_timeout <= 3600000);
	assert(conf->max_size >= 1024 && conf->max_size <= 1ll << 40);
	conf_fini(&table, &again);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	const uint8_t *nul = size ? memchr(data, 0, size) : NULL;
	size_t file_size = nul ? (size_t)(nul - data) : size, rest = nul ? size - file_size - 1 : 0;
	_cleanup_free_ char *text = xcalloc(1, rest + 1);
	char *words[MAX_WORDS + 1] = {0};
	struct fuzz_conf conf;
	struct err err = {0};
	int n;

	write_file(data, file_size);
	if (rest)
		memcpy(text, nul + 1, rest);
	if (!split(text, rest, words, &n))
		return 0;
	int r = conf_load(&table, path, n, words, &conf, &err);
	assert(r == 0 || r == 1 || (r < 0 && err.code == -r && err.text[0]));
	if (r == 0) {
		check_again(&conf);
		conf_fini(&table, &conf);
	}
	return 0;
}
