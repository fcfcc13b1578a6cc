/* A stream is a list of updates; the head's life is: recording (journal) → out (sent, timer) → acked (recording the ack)
 * → gone. Invariants: only the head is ever sent; nothing follows a terminal update; uuids in a stream differ. */
#include "slave/updates.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/hash.h"
#include "base/list.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "msg/codec.h"
#include "slave/journal.h"
#include "slave/task_key.h"

#define RETRY_MAX_MS 60000

struct update {
	struct list_node node;
	struct stream *stream;
	struct owned status; /* struct fl_task_status */
	bool durable, acked;
	struct journal_wait wait;
};

struct stream {
	struct hash_node node; /* by key */
	struct updates *updates;
	char *key, *framework_id, *task_id;
	struct list pending;
	size_t n_pending;
	struct owned told; /* the last one acknowledged */
	bool durable;
	struct timer retry;
	int64_t wait_ms;
};

struct updates {
	struct loop *loop;
	struct journal *journal;
	struct updates_ops ops;
	void *user;
	int64_t retry_ms;
	struct hash streams;
	bool connected;
	uint64_t retries;
};

bool task_state_terminal(enum fl_task_state state)
{
	switch (state) {
	case FL_TASK_FINISHED:
	case FL_TASK_FAILED:
	case FL_TASK_KILLED:
	case FL_TASK_ERROR:
	case FL_TASK_LOST:
	case FL_TASK_DROPPED:
	case FL_TASK_GONE:
	case FL_TASK_GONE_BY_OPERATOR:
		return true;
	default:
		return false;
	}
}

static const struct fl_task_status *status_of(const struct update *up)
{
	return up->status.rec;
}

static struct update *head(const struct stream *st)
{
	struct list_node *n = list_first(&st->pending);
	return n ? CONTAINER_OF(n, struct update, node) : NULL;
}

static struct update *newest(const struct stream *st)
{
	return list_empty(&st->pending) ? NULL : CONTAINER_OF(st->pending.head.prev, struct update, node);
}

static struct stream *stream_find(const struct updates *u, const char *framework_id, const char *task_id)
{
	_cleanup_free_ char *key = task_key(framework_id, task_id);
	return HASH_FIND(&u->streams, key, struct stream, node);
}

static bool same_uuid(const struct fl_bytes *a, const struct fl_bytes *b)
{
	return a->size == b->size && a->data && b->data && memcmp(a->data, b->data, a->size) == 0;
}

/* ---- sending ---- */

static enum fl_task_state latest_state(const struct stream *st)
{
	return status_of(newest(st))->state;
}

static void send_head(struct stream *st)
{
	struct updates *u = st->updates;
	struct update *up = head(st);

	timer_stop(&st->retry);
	if (!up || !up->durable || up->acked || !u->connected)
		return;
	struct fl_status_update message = {
		.framework_id = st->framework_id, .status = up->status.rec, .latest_state = latest_state(st)};
	u->ops.send(u->user, &message);
	timer_set(&st->retry, st->wait_ms);
	st->wait_ms = st->wait_ms * 2 < RETRY_MAX_MS ? st->wait_ms * 2 : RETRY_MAX_MS;
}

static void on_retry(void *user)
{
	struct stream *st = user;

	st->updates->retries++;
	send_head(st);
}

static void send_afresh(struct stream *st)
{
	st->wait_ms = st->updates->retry_ms;
	send_head(st);
}

bool updates_resend(struct updates *u, const char *framework_id, const char *task_id)
{
	struct stream *st = stream_find(u, framework_id, task_id);

	if (!st || !head(st))
		return false;
	send_afresh(st);
	return true;
}

/* ---- streams ---- */

static struct stream *stream_make(struct updates *u, const char *framework_id, const char *task_id, bool durable)
{
	struct stream *st = xcalloc(1, sizeof(*st));

	st->updates = u;
	st->key = task_key(framework_id, task_id);
	st->framework_id = xstrdup(framework_id);
	st->task_id = xstrdup(task_id);
	st->durable = durable;
	st->wait_ms = u->retry_ms;
	list_init(&st->pending);
	timer_init(&st->retry, u->loop, on_retry, st);
	hash_put(&u->streams, &st->node, st->key);
	return st;
}

static void update_destroy(struct update *up)
{
	journal_wait_cancel(&up->wait);
	if (list_linked(&up->node))
		up->stream->n_pending--;
	list_remove(&up->node);
	owned_fini(&up->status);
	free(up);
}

static void stream_destroy(struct stream *st)
{
	while (head(st))
		update_destroy(head(st));
	timer_stop(&st->retry);
	hash_del(&st->updates->streams, &st->node);
	owned_fini(&st->told);
	free(st->key);
	free(st->framework_id);
	free(st->task_id);
	free(st);
}

void updates_connect(struct updates *u, bool connected)
{
	struct stream *st;

	u->connected = connected;
	HASH_FOREACH (st, &u->streams, struct stream, node) {
		if (connected)
			send_afresh(st);
		else if (st->durable)
			timer_stop(&st->retry);
		else
			stream_destroy(st); /* the master asks again for what it misses */
	}
}

struct updates *updates_create(struct loop *l, int64_t retry_ms, const struct updates_ops *ops, void *user)
{
	struct updates *u = xcalloc(1, sizeof(*u));

	*u = (struct updates){.loop = l, .ops = *ops, .user = user, .retry_ms = retry_ms};
	hash_init_seeded(&u->streams, loop_random(l));
	return u;
}

void updates_set_journal(struct updates *u, struct journal *j)
{
	u->journal = j;
}

void updates_destroy(struct updates *u)
{
	struct stream *st;

	if (!u)
		return;
	HASH_FOREACH (st, &u->streams, struct stream, node)
		stream_destroy(st);
	hash_fini(&u->streams);
	free(u);
}

/* ---- adding and acknowledging ---- */

static void on_recorded(void *user, int status)
{
	struct update *up = user;
	struct stream *st = up->stream;

	assert(status == 0); /* not droppable: it waits until the disk has it */
	up->durable = true;
	if (up == head(st))
		send_afresh(st);
	if (task_state_terminal(status_of(up)->state))
		st->updates->ops.on_terminal_durable(st->updates->user, st->framework_id, st->task_id);
}

static struct update *push(struct stream *st, const struct fl_task_status *status)
{
	struct update *up = xcalloc(1, sizeof(*up));

	up->stream = st;
	owned_set(&up->status, &rec_task_status, status);
	list_push(&st->pending, &up->node);
	st->n_pending++;
	return up;
}

static bool closed(const struct stream *st)
{
	const struct fl_task_status *last = newest(st) ? status_of(newest(st)) : st->told.rec;
	return last && task_state_terminal(last->state);
}

void updates_add(struct updates *u, const char *framework_id, const struct fl_task_status *status, bool durable)
{
	struct stream *st = stream_find(u, framework_id, status->task_id);

	assert(status->uuid.data && status->has_timestamp_ns);
	if (!st)
		st = stream_make(u, framework_id, status->task_id, durable);
	if (closed(st))
		return;
	struct update *up = push(st, status);
	if (!st->durable) {
		up->durable = true;
		if (up == head(st))
			send_afresh(st);
		return;
	}
	up->wait.fn = on_recorded;
	up->wait.user = up;
	struct fl_journal_record rec = {.kind = FL_JOURNAL_UPDATE,
	                                .framework_id = st->framework_id,
	                                .task_id = st->task_id,
	                                .status = up->status.rec};
	journal_append(u->journal, &rec, &up->wait, false);
}

/* The head's acknowledgement is durable: on to the next. */
static void pop(struct stream *st)
{
	struct updates *u = st->updates;
	struct update *up = head(st);

	owned_set(&st->told, &rec_task_status, up->status.rec);
	update_destroy(up);
	if (head(st) || !closed(st)) {
		send_afresh(st);
		return;
	}
	_cleanup_free_ char *framework_id = xstrdup(st->framework_id), *task_id = xstrdup(st->task_id);
	stream_destroy(st);
	u->ops.on_finished(u->user, framework_id, task_id);
}

static void on_ack_recorded(void *user, int status)
{
	struct update *up = user;

	assert(status == 0);
	pop(up->stream);
}

bool updates_ack(struct updates *u, const char *framework_id, const char *task_id, const struct fl_bytes *uuid)
{
	struct stream *st = stream_find(u, framework_id, task_id);
	struct update *up = st ? head(st) : NULL;

	if (!up || !up->durable || up->acked || !same_uuid(&status_of(up)->uuid, uuid))
		return false;
	up->acked = true;
	timer_stop(&st->retry);
	if (!st->durable) {
		pop(st);
		return true;
	}
	up->wait.fn = on_ack_recorded;
	up->wait.user = up;
	struct fl_journal_record rec = {
		.kind = FL_JOURNAL_ACK, .framework_id = st->framework_id, .task_id = st->task_id, .uuid = *uuid};
	journal_append(u->journal, &rec, &up->wait, false);
	return true;
}

/* ---- recovery ---- */

void updates_replay(struct updates *u, const char *framework_id, const struct fl_task_status *status)
{
	struct stream *st = stream_find(u, framework_id, status->task_id);
	struct update *up;

	if (!st)
		st = stream_make(u, framework_id, status->task_id, true);
	if (st->told.rec && same_uuid(&((const struct fl_task_status *)st->told.rec)->uuid, &status->uuid))
		return;
	LIST_FOREACH (up, &st->pending, struct update, node)
		if (same_uuid(&status_of(up)->uuid, &status->uuid))
			return;
	if (!closed(st))
		push(st, status)->durable = true;
}

void updates_replay_ack(struct updates *u, const char *framework_id, const char *task_id, const struct fl_bytes *uuid)
{
	struct stream *st = stream_find(u, framework_id, task_id);
	struct update *up;
	bool known = false;

	if (!st)
		return;
	LIST_FOREACH (up, &st->pending, struct update, node)
		known = known || same_uuid(&status_of(up)->uuid, uuid);
	while (known) { /* what stands before it was acknowledged too, though its record is lost */
		up = head(st);
		known = !same_uuid(&status_of(up)->uuid, uuid);
		owned_set(&st->told, &rec_task_status, up->status.rec);
		update_destroy(up);
	}
}

bool updates_finished(const struct updates *u, const char *framework_id, const char *task_id)
{
	struct stream *st = stream_find(u, framework_id, task_id);
	return st && !head(st) && closed(st);
}

void updates_forget(struct updates *u, const char *framework_id, const char *task_id)
{
	struct stream *st = stream_find(u, framework_id, task_id);

	if (st)
		stream_destroy(st);
}

/* ---- what others see ---- */

const struct fl_task_status *updates_told(const struct updates *u, const char *framework_id, const char *task_id)
{
	struct stream *st = stream_find(u, framework_id, task_id);

	if (!st)
		return NULL;
	/* What is not durable yet has been told to nobody, and may never be. */
	return head(st) && head(st)->durable ? head(st)->status.rec : st->told.rec;
}

size_t updates_pending(const struct updates *u, const char *framework_id, const char *task_id)
{
	struct stream *st = stream_find(u, framework_id, task_id);
	return st ? st->n_pending : 0;
}

size_t updates_streams(const struct updates *u)
{
	return u->streams.count;
}

uint64_t updates_retries(const struct updates *u)
{
	return u->retries;
}

static void put_update(struct journal *j, const struct stream *st, const struct fl_task_status *status, bool acked)
{
	struct fl_journal_record rec = {.kind = FL_JOURNAL_UPDATE,
	                                .framework_id = st->framework_id,
	                                .task_id = st->task_id,
	                                .status = (struct fl_task_status *)status};
	journal_put(j, &rec);
	if (!acked)
		return;
	rec.kind = FL_JOURNAL_ACK;
	rec.status = NULL;
	rec.uuid = status->uuid;
	journal_put(j, &rec);
}

void updates_snapshot(const struct updates *u, struct journal *j, const char *framework_id, const char *task_id)
{
	struct stream *st = stream_find(u, framework_id, task_id);
	struct update *up;

	if (!st || !st->durable)
		return;
	if (st->told.rec)
		put_update(j, st, st->told.rec, true);
	LIST_FOREACH (up, &st->pending, struct update, node)
		put_update(j, st, up->status.rec, up->acked);
}

static int check_stream(const struct stream *st, struct err *err)
{
	const struct update *up;
	size_t n = 0;

	LIST_FOREACH (up, &st->pending, const struct update, node) {
		if (task_state_terminal(status_of(up)->state) && up != newest(st))
			return err_set(err, EUCLEAN, "stream %s goes on after a terminal update", st->key);
		if (up->acked && up != head(st))
			return err_set(err, EUCLEAN, "stream %s has an acknowledged update behind its head", st->key);
		n++;
	}
	if (n != st->n_pending)
		return err_set(err, EUCLEAN, "stream %s counts %zu updates and has %zu", st->key, st->n_pending, n);
	if (timer_armed(&st->retry) && !st->updates->connected)
		return err_set(err, EUCLEAN, "stream %s would be sent to nobody", st->key);
	return 0;
}

int updates_check(const struct updates *u, struct err *err)
{
	struct stream *st;

	HASH_FOREACH (st, &u->streams, struct stream, node) {
		int r = check_stream(st, err);
		if (r < 0)
			return r;
	}
	return 0;
}
