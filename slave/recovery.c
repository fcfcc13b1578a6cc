#include "slave/recovery.h"

#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "slave/internal.h"
#include "slave/journal.h"
#include "slave/proc.h"
#include "slave/task.h"
#include "slave/task_key.h"
#include "slave/tasks.h"
#include "slave/updates.h"

/* A task that lost a record. */
struct damage {
	struct hash_node node; /* by key */
	char *key;
};

static void mark_damaged(struct slave *s, const char *key)
{
	if (!*key || hash_get(&s->damaged, key))
		return;
	struct damage *d = xcalloc(1, sizeof(*d));
	d->key = xstrdup(key);
	hash_put(&s->damaged, &d->node, d->key);
}

static void forget_damage(struct slave *s)
{
	struct damage *d;

	HASH_FOREACH (d, &s->damaged, struct damage, node) {
		hash_del(&s->damaged, &d->node);
		free(d->key);
		free(d);
	}
}

void recovery_on_broken(void *user, const char *segment, uint64_t offset, const char *key, const char *why)
{
	struct slave *s = user;

	s->metrics.journal_broken++;
	mark_damaged(s, key);
	log_error("journal.damaged segment=%s offset=%" PRIu64 " task=%s reason=\"%s\"", segment, offset,
	          *key ? key : "?", why);
}

/* ---- one record ---- */

static void replay_task(struct slave *s, const struct fl_journal_record *rec)
{
	struct resources resources = {0};
	struct err err = {0};

	if (!rec->run || !rec->container_id || strlen(rec->container_id) != 36 || !str_valid_id(rec->container_id) ||
	    !rec->run->framework->id || !rec->run->task->command || tasks_find(s, rec->framework_id, rec->task_id))
		return;
	if (!str_equal(rec->run->framework->id, rec->framework_id) || !str_equal(rec->run->task->task_id, rec->task_id))
		return;
	if (resources_from_wire(rec->run->task->resources, rec->run->task->n_resources, &resources, &err) < 0)
		log_warn("recovery.bad_resources task=%s reason=%s", rec->task_id, err.text);
	task_create(s, rec->run, rec->container_id, &resources);
	resources_fini(&resources);
}

static void replay_started(struct task *t, const struct fl_journal_record *rec)
{
	if (!str_equal(rec->container_id, t->container_id) || !rec->boot_id || !rec->cgroup)
		return;
	t->identity.pid = rec->pid;
	t->identity.start_time = rec->start_time;
	snprintf(t->identity.boot_id, sizeof(t->identity.boot_id), "%s", rec->boot_id);
	snprintf(t->identity.cgroup, sizeof(t->identity.cgroup), "%s", rec->cgroup);
	t->has_identity = true;
}

static void replay_kill(struct task *t)
{
	t->kill_cause = KILL_REQUEST;
	t->grace_ms = task_grace_ms(t);
	t->kill_due = t->kill_recorded = true;
}

static bool in_history(const struct task *t, const struct fl_bytes *uuid)
{
	for (size_t i = 0; i < t->n_history; i++) {
		const struct fl_bytes *u = &((const struct fl_task_status *)t->history[i].rec)->uuid;
		if (u->size == uuid->size && memcmp(u->data, uuid->data, uuid->size) == 0)
			return true;
	}
	return false;
}

static void replay_update(struct task *t, const struct fl_task_status *status)
{
	if (!status || !status->uuid.data || status->uuid.size != 16 || !str_equal(status->task_id, t->task_id) ||
	    in_history(t, &status->uuid))
		return;
	task_remember(t, status);
	updates_replay(t->slave->updates, t->framework_id, status);
}

static void replay_done(struct task *t)
{
	updates_forget(t->slave->updates, t->framework_id, t->task_id);
	task_destroy(t);
}

void recovery_on_record(void *user, const struct fl_journal_record *rec)
{
	struct slave *s = user;

	if (rec->kind == FL_JOURNAL_TASK) {
		replay_task(s, rec);
		return;
	}
	struct task *t = tasks_find(s, rec->framework_id, rec->task_id);
	if (!t)
		return; /* its intent is lost, or it is done and its segment half removed */
	switch (rec->kind) {
	case FL_JOURNAL_STARTED:
		replay_started(t, rec);
		break;
	case FL_JOURNAL_KILL:
		replay_kill(t);
		break;
	case FL_JOURNAL_UPDATE:
		replay_update(t, rec->status);
		break;
	case FL_JOURNAL_ACK:
		updates_replay_ack(s->updates, t->framework_id, t->task_id, &rec->uuid);
		break;
	case FL_JOURNAL_DONE:
		replay_done(t);
		break;
	default:
		break;
	}
}

/* ---- all of them ---- */

static void sweep(struct slave *s)
{
	const char **known = xcalloc(s->tasks.count + 1, sizeof(*known));
	struct task *t;
	size_t n = 0;

	HASH_FOREACH (t, &s->tasks, struct task, node)
		if (t->proc)
			known[n++] = t->container_id;
	int swept = procs_sweep(s->procs, known, n);
	free(known);
	if (swept > 0) {
		s->metrics.containers_swept += swept;
		log_warn("recovery.swept containers=%d", swept);
	}
}

void recovery_finish(struct slave *s)
{
	size_t n = s->tasks.count;
	struct task *t;

	HASH_FOREACH (t, &s->tasks, struct task, node) {
		t->damaged = hash_get(&s->damaged, t->key) != NULL;
		task_resume(t);
	}
	forget_damage(s);
	sweep(s);
	if (n)
		log_info("recovery.done tasks=%zu", n);
}

/* ---- compaction ---- */

static void put_task(struct journal *j, const struct task *t)
{
	struct fl_journal_record rec = {.kind = FL_JOURNAL_TASK,
	                                .framework_id = t->framework_id,
	                                .task_id = t->task_id,
	                                .run = t->run.rec,
	                                .container_id = t->container_id};

	journal_put(j, &rec);
	rec.run = NULL;
	if (t->has_identity) {
		rec.kind = FL_JOURNAL_STARTED;
		rec.has_pid = rec.has_start_time = true;
		rec.pid = t->identity.pid;
		rec.start_time = t->identity.start_time;
		rec.boot_id = t->identity.boot_id;
		rec.cgroup = t->identity.cgroup;
		journal_put(j, &rec);
	}
	if (t->kill_recorded) {
		rec = (struct fl_journal_record){
			.kind = FL_JOURNAL_KILL, .framework_id = t->framework_id, .task_id = t->task_id};
		journal_put(j, &rec);
	}
	updates_snapshot(t->slave->updates, j, t->framework_id, t->task_id);
}

bool recovery_snapshot(void *user, struct journal *j, bool first)
{
	struct slave *s = user;
	struct task *t;

	s->snapshot += first;
	HASH_FOREACH (t, &s->tasks, struct task, node) {
		if (t->snapshot == s->snapshot || t->sm.state == TASK_RECORDING)
			continue; /* in it already; or its intent is in the queue, and may yet be refused */
		if (journal_part_full(j))
			return true;
		t->snapshot = s->snapshot;
		put_task(j, t);
	}
	return false;
}
