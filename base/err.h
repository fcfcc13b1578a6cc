/* A reason for failure, made where the facts are, kept on the caller's stack.
 *
 * A function whose failure a person or a peer will read takes a last parameter `struct err *err` (NULL allowed: the
 * text is dropped). It fails with `return err_set(err, EINVAL, "…")`; callers put context in front with err_wrap. */
#ifndef FL_BASE_ERR_H
#define FL_BASE_ERR_H

#include <stdarg.h>

struct err {
	int code; /* positive errno value, 0 when nothing failed */
	char text[256];
};

/* Fills err (unless NULL) and returns -code. code is a positive errno value. */
int err_set(struct err *err, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* Puts "context: " in front of the text of an error that is already set; returns -err->code (or -EIO when err is NULL). */
int err_wrap(struct err *err, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#endif
