/* I3: no task runs twice. I5: one leader an epoch; no slave follows an order of a lower epoch than one it accepted, or saw
 * in its present life. Terms only: the registry of a simulated world is never lost. */
#include "check.h"

#include <stdlib.h>
#include <string.h>

#include <fairlead/types.h>

#include "base/hash.h"
#include "base/mem.h"
#include "msg/codec.h"
#include "world.h"

#define MAX_TERMS 4096

struct watched_task {
	struct hash_node node;
	char *id;
	uint64_t term; /* highest of its valid run_task orders, 0: none */
	const struct host *running_on;
	int starts;
};

static struct {
	const struct host *leader[MAX_TERMS]; /* who gave orders under a term */
	struct {
		const struct loop *process;
		uint64_t seen, accepted;
	} slave[SIM_MAX_HOSTS];
	struct hash tasks;
} seen;

void check_reset(void)
{
	memset(&seen, 0, sizeof(seen));
	hash_init(&seen.tasks);
}

static struct watched_task *task_of(const char *id)
{
	struct watched_task *t = HASH_FIND(&seen.tasks, id, struct watched_task, node);

	if (t)
		return t;
	t = xcalloc(1, sizeof(*t));
	t->id = xstrdup(id);
	hash_put(&seen.tasks, &t->node, t->id);
	return t;
}

static const struct fl_epoch *epoch_of(int id, const void *rec)
{
	switch (id) {
	case MSG_slave_registered:
		return ((const struct fl_slave_registered *)rec)->epoch;
	case MSG_slave_reconcile:
		return ((const struct fl_slave_reconcile *)rec)->epoch;
	case MSG_run_task:
		return ((const struct fl_run_task *)rec)->epoch;
	case MSG_kill_task:
		return ((const struct fl_kill_task *)rec)->epoch;
	case MSG_shutdown_framework:
		return ((const struct fl_shutdown_framework *)rec)->epoch;
	case MSG_status_ack:
		return ((const struct fl_status_ack *)rec)->epoch;
	case MSG_slave_shutdown:
		return ((const struct fl_slave_shutdown *)rec)->epoch;
	default:
		return NULL;
	}
}

static void on_order(const struct loop *from, const struct loop *to, int id, const void *rec,
                     const struct fl_epoch *epoch)
{
	int i = to->host->index;
	uint64_t term = epoch->term;

	if (term >= MAX_TERMS)
		world_fail("office changes hands without end");
	if (from && seen.leader[term] && seen.leader[term] != from->host)
		world_fail("I5: %s and %s give orders under term %llu", seen.leader[term]->name, from->host->name,
		           (unsigned long long)term);
	if (from)
		seen.leader[term] = from->host;
	if (seen.slave[i].process != to) { /* a new life knows what it made durable: at least what it acted on */
		seen.slave[i].process = to;
		seen.slave[i].seen = seen.slave[i].accepted;
	}
	if (id == MSG_run_task && term >= seen.slave[i].seen) {
		struct watched_task *t = task_of(((const struct fl_run_task *)rec)->task->task_id);
		if (term > t->term)
			t->term = term;
	}
	if (term > seen.slave[i].seen)
		seen.slave[i].seen = term;
}

void check_frame(struct loop *from, struct loop *to, const void *data, size_t size)
{
	_cleanup_zone_ struct zone *zone = zone_create();
	const struct message_desc *desc;
	void *rec;

	if (message_decode(data, size, zone, &desc, &rec, NULL) < 0) {
		world_trace("frame from=%s size=%zu", from ? from->host->name : "?", size);
		return;
	}
	const struct fl_epoch *epoch = epoch_of(desc->id, rec);
	if (desc->id != MSG_heartbeat)
		world_trace("frame %s from=%s size=%zu term=%llu", desc->name, from ? from->host->name : "?", size,
		            epoch ? (unsigned long long)epoch->term : 0);
	if (epoch)
		on_order(from, to, desc->id, rec, epoch);
}

uint64_t check_order_term(const void *data, size_t size)
{
	_cleanup_zone_ struct zone *zone = zone_create();
	const struct message_desc *desc;
	void *rec;

	if (message_decode(data, size, zone, &desc, &rec, NULL) < 0)
		return 0;
	const struct fl_epoch *epoch = epoch_of(desc->id, rec);
	return epoch ? epoch->term : 0;
}

void check_container(struct host *h, const char *task, bool starts)
{
	struct watched_task *t = task_of(task);

	if (!starts) {
		t->running_on = NULL;
		return;
	}
	if (t->running_on)
		world_fail("I3: task %s runs on %s and is started on %s", task, t->running_on->name, h->name);
	if (t->starts++)
		world_fail("I3: task %s is started a second time", task);
	if (!t->term)
		world_fail("I5: task %s is started without a valid order", task);
	t->running_on = h;
	if (t->term > seen.slave[h->index].accepted)
		seen.slave[h->index].accepted = t->term;
}

bool check_started(const char *task)
{
	return task_of(task)->starts > 0;
}
