/* One line an event, one write a line. Control characters become blanks: a peer's text cannot forge a line. */
#include "base/log.h"

#include <errno.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#define LINE_MAX_BYTES 2048

static const char *const level_names[] = {"error", "warn", "info", "debug"};
static const int journal_priority[] = {3, 4, 6, 7};

static struct {
	enum log_level level;
	log_sink_fn fn;
	void *user;
	int journal; /* -1 not yet known */
} sink = {.level = LOG_INFO, .journal = -1};

void log_set_level(enum log_level level)
{
	sink.level = level;
}

enum log_level log_level(void)
{
	return sink.level;
}

int log_level_parse(const char *name, enum log_level *ret)
{
	for (int i = 0; i < 4; i++) {
		if (name && !strcmp(name, level_names[i])) {
			*ret = (enum log_level)i;
			return 0;
		}
	}
	return -EINVAL;
}

void log_set_sink(log_sink_fn fn, void *user)
{
	sink.fn = fn;
	sink.user = user;
	sink.journal = -1;
}

/* systemd sets JOURNAL_STREAM to the device and inode of the stream it gave us; ours may have been redirected since. */
static bool stderr_is_journal(void)
{
	const char *stream = getenv("JOURNAL_STREAM");
	unsigned long long dev, ino;
	struct stat st;

	if (!stream || sscanf(stream, "%llu:%llu", &dev, &ino) != 2 || fstat(STDERR_FILENO, &st) < 0)
		return false;
	return dev == (unsigned long long)st.st_dev && ino == (unsigned long long)st.st_ino;
}

static size_t put_prefix(char *out, size_t size, enum log_level level)
{
	if (sink.journal < 0)
		sink.journal = stderr_is_journal();
	if (sink.journal)
		return (size_t)snprintf(out, size, "<%d>", journal_priority[level]);
	struct timespec ts;
	struct tm tm;
	clock_gettime(CLOCK_REALTIME, &ts);
	gmtime_r(&ts.tv_sec, &tm);
	size_t n = strftime(out, size, "%Y-%m-%dT%H:%M:%S", &tm);
	return n + (size_t)snprintf(out + n, size - n, ".%03ldZ %-5s ", ts.tv_nsec / 1000000, level_names[level]);
}

void log_line(enum log_level level, const char *fmt, ...)
{
	char line[LINE_MAX_BYTES];
	size_t start = 0;
	va_list ap;

	if (level > sink.level)
		return;
	int saved = errno;
	if (!sink.fn)
		start = put_prefix(line, sizeof(line) / 2, level);
	va_start(ap, fmt);
	int n = vsnprintf(line + start, sizeof(line) - start - 1, fmt, ap);
	va_end(ap);
	size_t end = start + (n < 0 ? 0 : (size_t)n);
	if (end > sizeof(line) - 2)
		end = sizeof(line) - 2;
	for (size_t i = start; i < end; i++)
		if ((unsigned char)line[i] < 0x20 || line[i] == 0x7f)
			line[i] = ' ';
	line[end] = 0;
	if (sink.fn) {
		sink.fn(sink.user, level, line);
	} else {
		line[end] = '\n';
		/* Nobody is left to tell when stderr fails. */
		ssize_t ignored = write(STDERR_FILENO, line, end + 1);
		(void)ignored;
	}
	errno = saved;
}
