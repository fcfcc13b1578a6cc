/* What a function prints: stdout and stderr go to files while it runs. */
#ifndef FL_TESTS_UNIT_CLI_CAPTURE_H
#define FL_TESTS_UNIT_CLI_CAPTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/mem.h"
#include "cli/verb.h"

struct capture {
	int fd[2], saved[2];
	char *out, *err;
};

static void capture_begin(struct capture *c)
{
	free(c->out);
	free(c->err);
	c->out = c->err = NULL;
	fflush(NULL);
	for (int i = 0; i < 2; i++) {
		char path[] = "/tmp/fairlead-capture-XXXXXX";
		c->fd[i] = mkstemp(path);
		assert_true(c->fd[i] >= 0);
		unlink(path);
		c->saved[i] = dup(STDOUT_FILENO + i);
		dup2(c->fd[i], STDOUT_FILENO + i);
	}
}

static char *capture_read(int fd)
{
	off_t size = lseek(fd, 0, SEEK_END);
	char *text = xcalloc(1, (size_t)size + 1);
	assert_int_equal(pread(fd, text, (size_t)size, 0), size);
	close(fd);
	return text;
}

static void capture_end(struct capture *c)
{
	fflush(NULL);
	for (int i = 0; i < 2; i++) {
		dup2(c->saved[i], STDOUT_FILENO + i);
		close(c->saved[i]);
	}
	c->out = capture_read(c->fd[0]);
	c->err = capture_read(c->fd[1]);
}

static void capture_fini(struct capture *c)
{
	free(c->out);
	free(c->err);
	*c = (struct capture){0};
}

#define CAPTURE(c, statement)     \
	do {                      \
		capture_begin(c); \
		statement;        \
		capture_end(c);   \
	} while (0)

static inline void assert_has(const char *text, const char *part)
{
	if (!strstr(text, part))
		fail_msg("'%s' is not in: %s", part, text);
}

/* "ps", "-o", "json" … to args; the words must live as long. */
#define WORDS(...) ((char *[]){__VA_ARGS__, NULL})

static inline int read_words(struct args *a, char **words)
{
	int n = 0;
	while (words[n])
		n++;
	*a = (struct args){0};
	return args_read(a, n, words);
}

#endif
