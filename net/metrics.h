/* Prometheus text from a table. A program's metrics.def has rows METRIC(field, kind, "name", "labels", "help"): field is an
 * int64_t in its struct metrics, kind COUNTER or GAUGE, labels "" or "outcome=\"accepted\"". Rows of one name lie together. */
#ifndef FL_NET_METRICS_H
#define FL_NET_METRICS_H

#include <stddef.h>
#include <stdint.h>

struct buf;

enum metric_kind { METRIC_COUNTER, METRIC_GAUGE };

struct metric_desc {
	enum metric_kind kind;
	const char *name, *labels, *help;
	size_t offset;
};

void metrics_print(const struct metric_desc *table, size_t n, const void *values, struct buf *out);

#endif
