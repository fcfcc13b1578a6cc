#include "slave/slave_metrics.h"

#include "base/loop.h"
#include "base/mem.h"
#include "net/metrics.h"
#include "slave/internal.h"
#include "slave/journal.h"
#include "slave/master_link.h"
#include "slave/tasks.h"
#include "slave/updates.h"

static const struct metric_desc table[] = {
#define METRIC(field, kind, name, labels, help) \
	{METRIC_##kind, name, labels, help, offsetof(struct slave_metrics, field)},
#include "slave/metrics.def"
#undef METRIC
};

void slave_metrics_print(struct slave *s, struct buf *out)
{
	struct slave_metrics *m = &s->metrics;

	m->registered = master_link_registered(s->link);
	m->healthy = slave_healthy(s);
	m->tasks = (int64_t)tasks_live(s);
	m->streams = (int64_t)updates_streams(s->updates);
	m->update_retries = (int64_t)updates_retries(s->updates);
	m->journal_bytes = (int64_t)journal_size(s->journal);
	m->journal_compactions = (int64_t)journal_compactions(s->journal);
	m->slow_turns = (int64_t)loop_slow_turns(s->loop);
	m->longest_turn_us = loop_longest_turn_us(s->loop);
	metrics_print(table, ARRAY_SIZE(table), m, out);
}
