/* Paths as text. */
#include "msg/path.h"

#include <stdarg.h>
#include <stdio.h>

#include "base/buf.h"
#include "base/err.h"

static void print(const struct path *p, struct buf *out)
{
	if (p->up)
		print(p->up, out);
	if (!p->name)
		buf_printf(out, "[%zu]", p->index);
	else
		buf_printf(out, "%s%s", out->size ? "." : "", p->name);
}

int path_fail(const struct path *path, struct err *err, int code, const char *fmt, ...)
{
	struct buf text _cleanup_buf_ = {0};
	va_list ap;

	if (!err)
		return -code;
	if (path) {
		print(path, &text);
		buf_append_str(&text, ": ");
	}
	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	return err_set(err, code, "%s", buf_cstr(&text));
}
