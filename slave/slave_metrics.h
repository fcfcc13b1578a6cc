/* Counters and gauges of the slave, from metrics.def. */
#ifndef FL_SLAVE_SLAVE_METRICS_H
#define FL_SLAVE_SLAVE_METRICS_H

#include <stdint.h>

struct buf;
struct slave;

struct slave_metrics {
#define METRIC(field, kind, name, labels, help) int64_t field;
#include "slave/metrics.def"
#undef METRIC
};

/* Brings the gauges up to date and prints all, for GET /metrics. */
void slave_metrics_print(struct slave *s, struct buf *out);

#endif
