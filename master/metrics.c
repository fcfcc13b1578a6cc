#include "master/metrics.h"

#include <stddef.h>

#include "master/core.h"
#include "master/framework.h"
#include "master/leader.h"
#include "master/slave.h"
#include "master/task.h"
#include "net/metrics.h"

static const struct metric_desc table[] = {
#define METRIC(field, kind, name, labels, help) {METRIC_##kind, name, labels, help, offsetof(struct metrics, field)},
#include "master/metrics.def"
#undef METRIC
};

static void count_slaves(const struct master *m, struct metrics *v)
{
	struct slave *s;

	v->slaves_registered = v->slaves_disconnected = v->slaves_unreachable = v->slaves_recovered = v->slaves_gone =
		0;
	HASH_FOREACH (s, &m->slaves, struct slave, node) {
		switch (slave_state(s)) {
		case FL_SLAVE_REGISTERED:
			v->slaves_registered++;
			break;
		case FL_SLAVE_DISCONNECTED:
			v->slaves_disconnected++;
			break;
		case FL_SLAVE_UNREACHABLE:
			v->slaves_unreachable++;
			break;
		case FL_SLAVE_RECOVERED:
			v->slaves_recovered++;
			break;
		case FL_SLAVE_GONE:
			v->slaves_gone++;
			break;
		case FL_SLAVE_STATE_UNSET:
			break;
		}
	}
}

static void count_frameworks(const struct master *m, struct metrics *v)
{
	struct framework *f;

	v->frameworks_connected = v->frameworks_disconnected = v->frameworks_recovered = v->frameworks_removed = 0;
	HASH_FOREACH (f, &m->frameworks, struct framework, node) {
		switch ((enum framework_sm)sm_state(&f->sm)) {
		case FRAMEWORK_CONNECTED:
			v->frameworks_connected++;
			break;
		case FRAMEWORK_DISCONNECTED:
			v->frameworks_disconnected++;
			break;
		case FRAMEWORK_RECOVERED:
			v->frameworks_recovered++;
			break;
		case FRAMEWORK_REMOVED:
			v->frameworks_removed++;
			break;
		}
	}
}

static void count_task(const struct task *t, struct metrics *v)
{
	if (sm_state(&t->sm) == TASK_UNREACHABLE)
		v->tasks_unreachable++;
	else if (sm_state(&t->sm) == TASK_ENDED)
		v->tasks_ended++;
	else if (t->latest_state == FL_TASK_STAGING)
		v->tasks_staging++;
	else if (t->latest_state == FL_TASK_STARTING)
		v->tasks_starting++;
	else if (t->latest_state == FL_TASK_KILLING)
		v->tasks_killing++;
	else
		v->tasks_running++;
}

static void count_tasks(const struct master *m, struct metrics *v)
{
	struct task *t;

	v->tasks_staging = v->tasks_starting = v->tasks_running = v->tasks_killing = 0;
	v->tasks_unreachable = v->tasks_ended = 0;
	HASH_FOREACH (t, &m->tasks, struct task, node)
		count_task(t, v);
}

void metrics_collect(struct master *m, struct buf *out)
{
	struct metrics *v = &m->metrics;
	const struct fl_epoch *epoch = m->epoch.rec;

	v->is_leader = leader_leading(m);
	v->term = epoch ? (int64_t)epoch->term : 0;
	v->connections = (int64_t)m->links.count;
	v->offers_out = (int64_t)m->offers.count;
	v->slow_turns = (int64_t)loop_slow_turns(m->loop);
	v->longest_turn_us = loop_longest_turn_us(m->loop);
	count_slaves(m, v);
	count_frameworks(m, v);
	count_tasks(m, v);
	metrics_print(table, ARRAY_SIZE(table), v, out);
}
