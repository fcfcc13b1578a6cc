/* See metrics.h: text exposition format 0.0.4. */
#include "net/metrics.h"

#include <inttypes.h>
#include <string.h>

#include "base/buf.h"

static void print_head(const struct metric_desc *d, struct buf *out)
{
	buf_printf(out, "# HELP %s ", d->name);
	for (const char *p = d->help; *p; p++) {
		if (*p == '\\')
			buf_append_str(out, "\\\\");
		else if (*p == '\n')
			buf_append_str(out, "\\n");
		else
			buf_append_byte(out, (uint8_t)*p);
	}
	buf_printf(out, "\n# TYPE %s %s\n", d->name, d->kind == METRIC_COUNTER ? "counter" : "gauge");
}

void metrics_print(const struct metric_desc *table, size_t n, const void *values, struct buf *out)
{
	for (size_t i = 0; i < n; i++) {
		const struct metric_desc *d = &table[i];
		int64_t value;

		if (i == 0 || strcmp(d->name, table[i - 1].name) != 0)
			print_head(d, out);
		memcpy(&value, (const char *)values + d->offset, sizeof(value));
		buf_append_str(out, d->name);
		if (d->labels && *d->labels)
			buf_printf(out, "{%s}", d->labels);
		buf_printf(out, " %" PRId64 "\n", value);
	}
}
