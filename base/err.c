/* Errors as text: made once, wrapped on the way up, always NUL-terminated. */
#include "base/err.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

int err_set(struct err *err, int code, const char *fmt, ...)
{
	va_list ap;

	if (code <= 0)
		code = EIO;
	if (!err)
		return -code;
	/* The arguments may point into err->text itself. */
	char text[sizeof(err->text)];
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	err->code = code;
	memcpy(err->text, text, sizeof(text));
	return -code;
}

int err_wrap(struct err *err, const char *fmt, ...)
{
	va_list ap;

	if (!err)
		return -EIO;
	if (err->code <= 0)
		err->code = EIO;
	char text[2 * sizeof(err->text)];
	va_start(ap, fmt);
	int n = vsnprintf(text, sizeof(err->text), fmt, ap);
	va_end(ap);
	if (n < 0)
		n = 0;
	if ((size_t)n >= sizeof(err->text))
		n = sizeof(err->text) - 1;
	snprintf(text + n, sizeof(text) - (size_t)n, ": %s", err->text);
	text[sizeof(err->text) - 1] = 0;
	memcpy(err->text, text, sizeof(err->text));
	return -err->code;
}
