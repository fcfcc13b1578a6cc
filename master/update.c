#include "master/update.h"

#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "master/core.h"
#include "master/framework.h"
#include "master/slave.h"
#include "master/task.h"

enum fl_task_state update_state_for(const struct framework *f, enum fl_task_state state)
{
	switch (state) {
	case FL_TASK_DROPPED:
	case FL_TASK_UNREACHABLE:
	case FL_TASK_GONE:
	case FL_TASK_GONE_BY_OPERATOR:
	case FL_TASK_UNKNOWN:
		return f->partition_aware ? state : FL_TASK_LOST;
	default:
		return state;
	}
}

static void forward(struct framework *f, const struct fl_task_status *status)
{
	struct fl_task_status heard = *status;
	struct fl_event_update update = {.status = &heard};

	heard.state = update_state_for(f, status->state);
	framework_send(f, &(struct fl_event){.type = FL_EVENT_UPDATE, .update = &update});
}

void update_from_master(struct framework *f, struct task *t, const struct master_status *ms)
{
	struct fl_time_info since = {.nanoseconds = ms->unreachable_wall_ns};
	struct fl_task_status status = {
		.task_id = ms->task_id,
		.slave_id = ms->slave_id,
		.state = ms->state,
		.source = FL_SOURCE_MASTER,
		.reason = ms->reason,
		.message = ms->message,
		.timestamp_ns = loop_wall_ns(f->m->loop),
		.has_timestamp_ns = true,
		.unreachable_time = ms->unreachable_wall_ns ? &since : NULL,
	};

	if (ms->like) {
		status.healthy = ms->like->healthy;
		status.has_healthy = ms->like->has_healthy;
		status.container_status = ms->like->container_status;
		status.labels = ms->like->labels;
	}
	if (t)
		task_add_status(t, &status);
	forward(f, &status);
}

static void send_ack(struct slave *s, const char *framework_id, const char *task_id, struct fl_bytes uuid)
{
	struct fl_status_ack msg = {
		.epoch = s->m->epoch.rec, .framework_id = framework_id, .task_id = task_id, .uuid = uuid};

	if (slave_send(s, MSG_status_ack, &msg))
		s->m->metrics.acks++;
	else
		s->m->metrics.acks_dropped++;
}

void update_ack_pending(struct task *t)
{
	struct slave *s = slave_find(t->m, t->slave_id);
	const struct fl_task_status *status = t->pending.rec;

	if (s && status)
		send_ack(s, t->framework_id, t->id, status->uuid);
}

/* ---- from a slave ---- */

static bool same_uuid(struct fl_bytes a, struct fl_bytes b)
{
	return a.data && b.data && a.size == b.size && memcmp(a.data, b.data, a.size) == 0;
}

static void note(struct task *t, const struct fl_task_status *status, enum fl_task_state latest)
{
	const struct fl_task_status *last = task_status(t);

	if (!last || !status->uuid.data || !same_uuid(last->uuid, status->uuid))
		task_add_status(t, status);
	t->status_update_state = status->state; /* its slave's report may have had the status, not its telling */
	if (status->uuid.data)
		owned_set(&t->pending, &rec_task_status, status);
	if (!task_terminal(latest))
		task_return(t); /* its slave came back without it, and has it after all */
	task_set_latest(t, latest);
}

/* Nobody is there to acknowledge; its tasks are to end. */
static void for_removed(struct framework *f, struct slave *s, struct task *t, const struct fl_task_status *status,
                        enum fl_task_state latest)
{
	struct fl_shutdown_framework msg = {.epoch = f->m->epoch.rec, .framework_id = f->id};

	if (status->uuid.data)
		send_ack(s, f->id, status->task_id, status->uuid);
	if (!task_terminal(latest))
		slave_send(s, MSG_shutdown_framework, &msg);
	if (!t)
		return;
	task_add_status(t, status);
	task_set_latest(t, latest);
	if (sm_state(&t->sm) == TASK_ENDED)
		task_complete(t);
}

struct fl_task_status update_bounded(const struct fl_task_status *status, size_t max_bytes)
{
	struct fl_task_status out = *status;

	if (codec_size(&rec_task_status, &out) > max_bytes) {
		out.data = (struct fl_bytes){0};
		out.message = "(left out: too long)";
		out.labels = NULL;
		out.container_status = NULL;
	}
	return out;
}

void update_from_slave(struct slave *s, const struct fl_status_update *msg)
{
	struct master *m = s->m;
	struct framework *f = framework_find(m, msg->framework_id);
	struct task *t = task_find(m, msg->framework_id, msg->status->task_id);
	struct fl_task_status status = update_bounded(msg->status, MASTER_MAX_STATUS); /* the event must fit a frame */

	m->metrics.updates++;
	if (t && strcmp(t->slave_id, s->id) != 0)
		t = NULL;
	if (!t)
		m->metrics.updates_unknown++;
	if (!f) {
		log_warn("update.unknown_framework framework=%s task=%s slave=%s", msg->framework_id, status.task_id,
		         s->id);
		return;
	}
	status.slave_id = s->id;
	if (sm_state(&f->sm) == FRAMEWORK_REMOVED) {
		for_removed(f, s, t, &status, msg->latest_state);
		return;
	}
	if (t)
		note(t, &status, msg->latest_state);
	if (status.state == FL_TASK_KILLING && !f->killing_state) {
		if (status.uuid.data)
			send_ack(s, f->id, status.task_id, status.uuid);
		if (t)
			owned_set(&t->pending, &rec_task_status, NULL);
		return;
	}
	forward(f, &status);
}

void update_resend(struct task *t)
{
	struct framework *f = framework_find(t->m, t->framework_id);

	if (t->pending.rec)
		forward(f, t->pending.rec);
}

/* ---- from a framework ---- */

void update_on_ack(struct framework *f, const struct fl_call_acknowledge *ack)
{
	struct master *m = f->m;
	struct slave *s = slave_find(m, ack->slave_id);
	struct task *t = task_find(m, f->id, ack->task_id);
	const struct fl_task_status *pending = t ? t->pending.rec : NULL;

	if (ack->uuid.size != 16 || !s || (!slave_connected(s) && slave_state(s) != FL_SLAVE_UNREACHABLE)) {
		log_debug("update.ack_dropped task=%s framework=%s slave=%s", ack->task_id, f->id, ack->slave_id);
		m->metrics.acks_dropped++;
		return; /* the slave says it again */
	}
	send_ack(s, f->id, ack->task_id,
	         ack->uuid); /* an unreachable one may never come to say it again: ended is ended */
	if (!pending || strcmp(t->slave_id, s->id) != 0 || !same_uuid(pending->uuid, ack->uuid))
		return;
	if (sm_state(&t->sm) == TASK_ENDED && task_terminal(pending->state)) {
		task_complete(t);
	} else {
		owned_set(&t->pending, &rec_task_status, NULL);
	}
}
