/* The rows of metrics.def, printed. */
#ifndef FL_MASTER_METRICS_H
#define FL_MASTER_METRICS_H

struct buf;
struct master;

void metrics_collect(struct master *m, struct buf *out); /* counts the gauges, prints all in Prometheus' form */

#endif
