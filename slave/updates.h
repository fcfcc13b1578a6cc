/* Status update streams: what the framework is still to be told of each task, in order, at least once.
 *
 * One stream a task. Only its head is sent, again and again with growing waits, until it is acknowledged; then the next.
 * An update of a durable stream is journaled before it is sent, its acknowledgement before the next is sent. Streams of
 * tasks that this slave does not have (answers to reconciliation, refused launches) are volatile: the master asks again. */
#ifndef FL_SLAVE_UPDATES_H
#define FL_SLAVE_UPDATES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fairlead/types.h>

struct err;
struct journal;
struct loop;
struct updates;

struct updates_ops {
	void (*send)(void *user, const struct fl_status_update *update);
	/* The terminal update of a durable stream is safe on disk. */
	void (*on_terminal_durable)(void *user, const char *framework_id, const char *task_id);
	/* The terminal update was acknowledged; the stream is gone. Comes from the loop or from updates_ack. */
	void (*on_finished)(void *user, const char *framework_id, const char *task_id);
};

struct updates *updates_create(struct loop *l, int64_t retry_ms, const struct updates_ops *ops, void *user);
/* Needed before anything is added; what is replayed comes before. Borrowed. */
void updates_set_journal(struct updates *u, struct journal *j);
void updates_destroy(struct updates *u); /* NULL allowed */

/* Connected: every head is sent at once. Not connected: all pauses, volatile streams are forgotten: another master would
 * not know what they answer, and may have answered itself. */
void updates_connect(struct updates *u, bool connected);

/* Queues a status (copied). Its uuid and timestamp must be set. The stream is made when absent, durable or not as told;
 * a later update of the same stream keeps that. Ignored after a terminal one. */
void updates_add(struct updates *u, const char *framework_id, const struct fl_task_status *status, bool durable);
/* False when it is not the head's uuid (late, repeated or unknown): ignored. */
bool updates_ack(struct updates *u, const char *framework_id, const char *task_id, const struct fl_bytes *uuid);
/* Sends the head again. False when nothing is pending. */
bool updates_resend(struct updates *u, const char *framework_id, const char *task_id);

/* The head once it is durable, else the last one acknowledged; NULL when there is neither. Borrowed. */
const struct fl_task_status *updates_told(const struct updates *u, const char *framework_id, const char *task_id);
size_t updates_pending(const struct updates *u, const char *framework_id, const char *task_id);
size_t updates_streams(const struct updates *u);
uint64_t updates_retries(const struct updates *u);

/* Recovery: as read from the journal; already durable, safe to repeat. */
void updates_replay(struct updates *u, const char *framework_id, const struct fl_task_status *status);
void updates_replay_ack(struct updates *u, const char *framework_id, const char *task_id, const struct fl_bytes *uuid);
/* Was the terminal update acknowledged already? Only during recovery: such a stream is dropped with updates_forget. */
bool updates_finished(const struct updates *u, const char *framework_id, const char *task_id);
void updates_forget(struct updates *u, const char *framework_id, const char *task_id);

/* Compaction: journal_put for what this stream needs. */
void updates_snapshot(const struct updates *u, struct journal *j, const char *framework_id, const char *task_id);

/* Are the streams in order? -EUCLEAN with what is wrong. */
int updates_check(const struct updates *u, struct err *err);

bool task_state_terminal(enum fl_task_state state);

#endif
