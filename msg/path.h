/* Where in a record a reader or writer is, for its error texts: "accept.operations[2].launch: missing".
 * Frames lie on the stack of the functions that walk; the text is made only when something is wrong. */
#ifndef FL_MSG_PATH_H
#define FL_MSG_PATH_H

#include <stddef.h>

struct err;

struct path {
	const struct path *up; /* NULL at the root */
	const char *name;      /* field; NULL: an element */
	size_t index;
};

/* err_set with the path in front. path NULL: nothing in front. Returns -code. */
int path_fail(const struct path *path, struct err *err, int code, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));

#endif
