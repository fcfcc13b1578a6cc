/* States of a task at the master, whatever its fl_task_state:
 *
 *   LIVE        holds its resources in the ledger
 *   UNREACHABLE its slave is; holds nothing, may come back
 *   ENDED       its slave has told a terminal state; waits for its framework's acknowledgement
 *   COMPLETED   in its framework's ring, for people to look at
 *
 * Invariant: in the table and in its slave's list unless COMPLETED. */
#include "master/task.h"

#include <string.h>

#include "base/log.h"
#include "master/core.h"
#include "master/framework.h"
#include "master/slave.h"
#include "master/update.h"

#define TO(state) (1u << TASK_##state)

static const struct sm_state states[] = {
	[TASK_LIVE] = {"LIVE", TO(UNREACHABLE) | TO(ENDED) | TO(COMPLETED), SM_INITIAL},
	[TASK_UNREACHABLE] = {"UNREACHABLE", TO(LIVE) | TO(ENDED) | TO(COMPLETED), 0},
	[TASK_ENDED] = {"ENDED", TO(COMPLETED), SM_INITIAL},
	[TASK_COMPLETED] = {"COMPLETED", 0, SM_FINAL},
};

static void on_enter(struct sm *sm, int from)
{
	struct task *t = CONTAINER_OF(sm, struct task, sm);
	struct framework *f = framework_find(t->m, t->framework_id);

	if (from == TASK_UNREACHABLE) {
		list_remove(&t->absent);
		f->n_unreachable--;
	}
	if (sm_state(sm) == TASK_UNREACHABLE) {
		list_push(&f->unreachable, &t->absent);
		f->n_unreachable++;
	}
}

static bool invariant(const struct sm *sm)
{
	const struct task *t = CONTAINER_OF(sm, const struct task, sm);

	return (sm_state(sm) == TASK_COMPLETED) == !list_linked(&t->by_slave);
}

bool task_terminal(enum fl_task_state state)
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
	case FL_TASK_STAGING:
	case FL_TASK_STARTING:
	case FL_TASK_RUNNING:
	case FL_TASK_KILLING:
	case FL_TASK_UNREACHABLE:
	case FL_TASK_UNKNOWN:
	case FL_TASK_STATE_UNSET:
		return false;
	}
	return false;
}

static char *key_of(const char *framework_id, const char *task_id)
{
	return xasprintf("%s/%s", framework_id, task_id);
}

struct task *task_find(const struct master *m, const char *framework_id, const char *task_id)
{
	_cleanup_free_ char *key = key_of(framework_id, task_id);

	return HASH_FIND(&m->tasks, key, struct task, node);
}

static void keep_record(struct task *t, const struct fl_task *rec)
{
	struct fl_task bare = *rec;
	const struct fl_task *kept;

	bare.statuses = NULL;
	bare.n_statuses = 0;
	bare.status_update_state = 0;
	bare.status_update_uuid = (struct fl_bytes){0};
	owned_set(&t->rec, &rec_task, &bare);
	kept = t->rec.rec;
	t->id = kept->task_id;
	t->framework_id = kept->framework_id;
	t->slave_id = kept->slave_id;
	t->role = kept->role ? kept->role : "*";
}

/* What the ledger cannot take is not counted: its slave contradicts itself, or says more than there can be. */
static void take(struct task *t, struct slave *s)
{
	int r = drf_take(t->m->drf, s->drf, t->client, &t->resources);

	slave_weigh(s);
	if (r == 0)
		return;
	log_warn("task.not_counted task=%s framework=%s slave=%s error=\"%s\"", t->id, t->framework_id, t->slave_id,
	         strerror(-r));
	resources_fini(&t->resources);
}

struct task *task_create(struct framework *f, struct slave *s, const struct fl_task *rec, bool reported)
{
	struct task *t = xcalloc(1, sizeof(*t));
	bool terminal = task_terminal(rec->state);

	t->m = f->m;
	keep_record(t, rec);
	t->key = key_of(t->framework_id, t->id);
	t->latest_state = rec->state;
	if (resources_from_wire(rec->resources, rec->n_resources, &t->resources, NULL) < 0)
		log_error("task.bad_resources task=%s framework=%s slave=%s", t->id, t->framework_id, t->slave_id);
	t->client = framework_client(f, t->role)->drf;
	sm_init(&t->sm, states, ARRAY_SIZE(states), terminal ? TASK_ENDED : TASK_LIVE, "task", t->id, invariant,
	        on_enter);
	hash_put(&t->m->tasks, &t->node, t->key);
	list_push(&s->tasks, &t->by_slave);
	list_push(&f->tasks, &t->by_framework);
	if (reported && !terminal)
		take(t, s);
	return t;
}

void task_destroy(struct task *t)
{
	if (!t)
		return;
	hash_del(&t->m->tasks, &t->node);
	list_remove(&t->by_slave);
	list_remove(&t->by_framework);
	list_remove(&t->absent);
	for (size_t i = 0; i < t->n_history; i++)
		owned_fini(&t->history[i]);
	owned_fini(&t->pending);
	owned_fini(&t->kill_policy);
	owned_fini(&t->rec);
	resources_fini(&t->resources);
	free(t->key);
	free(t);
}

static void release(struct task *t)
{
	struct slave *s = slave_find(t->m, t->slave_id);

	if (s && s->drf)
		drf_release(t->m->drf, s->drf, t->client, &t->resources);
}

static void count_end(struct task *t)
{
	struct metrics *metrics = &t->m->metrics;

	switch (t->latest_state) {
	case FL_TASK_FINISHED:
		metrics->ended_finished++;
		break;
	case FL_TASK_FAILED:
		metrics->ended_failed++;
		break;
	case FL_TASK_KILLED:
		metrics->ended_killed++;
		break;
	default:
		metrics->ended_other++;
	}
}

void task_set_latest(struct task *t, enum fl_task_state state)
{
	if (sm_state(&t->sm) == TASK_ENDED || sm_state(&t->sm) == TASK_COMPLETED)
		return;
	t->latest_state = state;
	if (!task_terminal(state))
		return;
	if (sm_state(&t->sm) == TASK_LIVE)
		release(t);
	sm_move(&t->sm, TASK_ENDED);
	count_end(t);
	log_info("task.ended task=%s framework=%s slave=%s state=%s", t->id, t->framework_id, t->slave_id,
	         enum_name(&enum_task_state, state));
}

void task_return(struct task *t)
{
	struct framework *f = framework_find(t->m, t->framework_id);
	struct slave *s = slave_find(t->m, t->slave_id);

	if (sm_state(&t->sm) != TASK_UNREACHABLE)
		return;
	slave_rescind(s);                              /* what it holds may be offered */
	t->client = framework_client(f, t->role)->drf; /* the one it had may be gone */
	take(t, s);
	t->unreachable_wall_ns = 0;
	sm_move(&t->sm, TASK_LIVE);
}

void task_lose(struct task *t, int64_t since_wall_ns)
{
	struct framework *f = framework_find(t->m, t->framework_id);

	if (sm_state(&t->sm) != TASK_LIVE)
		return;
	release(t);
	sm_move(&t->sm, TASK_UNREACHABLE);
	t->latest_state = FL_TASK_UNREACHABLE;
	t->unreachable_wall_ns = since_wall_ns;
	log_info("task.unreachable task=%s framework=%s slave=%s", t->id, t->framework_id, t->slave_id);
	if (sm_state(&f->sm) == FRAMEWORK_REMOVED)
		task_on_framework_removed(t);
	else
		update_from_master(f, t,
		                   &(struct master_status){
					   .task_id = t->id,
					   .slave_id = t->slave_id,
					   .state = FL_TASK_UNREACHABLE,
					   .reason = FL_REASON_SLAVE_REMOVED,
					   .message = "its slave does not answer",
					   .unreachable_wall_ns = since_wall_ns,
				   });
}

void task_on_slave_removed(struct task *t)
{
	struct framework *f = framework_find(t->m, t->framework_id);

	if (sm_state(&t->sm) == TASK_LIVE) {
		task_set_latest(t, FL_TASK_LOST);
		if (sm_state(&f->sm) != FRAMEWORK_REMOVED)
			update_from_master(f, t,
			                   &(struct master_status){
						   .task_id = t->id,
						   .slave_id = t->slave_id,
						   .state = FL_TASK_LOST,
						   .reason = FL_REASON_SLAVE_REMOVED,
						   .message = "another slave has taken the address of its slave",
					   });
	}
	task_complete(t);
}

void task_add_status(struct task *t, const struct fl_task_status *status)
{
	struct fl_task_status kept = *status;

	kept.data = (struct fl_bytes){0};
	kept = update_bounded(&kept, MASTER_MAX_KEPT_STATUS);
	if (t->n_history == TASK_HISTORY) {
		owned_fini(&t->history[0]);
		memmove(&t->history[0], &t->history[1], (TASK_HISTORY - 1) * sizeof(t->history[0]));
		t->n_history--;
	}
	t->history[t->n_history] = (struct owned){0};
	owned_set(&t->history[t->n_history++], &rec_task_status, &kept);
	t->status_update_state = status->state;
}

const struct fl_task_status *task_status(const struct task *t)
{
	return t->n_history ? t->history[t->n_history - 1].rec : NULL;
}

/* There may be many of them, and nobody runs this one again. */
static void shorten(struct task *t)
{
	struct fl_task brief = *(const struct fl_task *)t->rec.rec;

	if (codec_size(&rec_task, &brief) <= MASTER_MAX_KEPT_TASK)
		return;
	brief.command = NULL;
	brief.container = NULL;
	brief.labels = NULL;
	keep_record(t, &brief);
}

void task_complete(struct task *t)
{
	struct framework *f = framework_find(t->m, t->framework_id);

	if (sm_state(&t->sm) == TASK_LIVE)
		release(t);
	hash_del(&t->m->tasks, &t->node);
	list_remove(&t->by_slave);
	list_remove(&t->by_framework);
	owned_set(&t->pending, &rec_task_status, NULL);
	shorten(t);
	sm_move(&t->sm, TASK_COMPLETED);
	list_push(&f->completed, &t->by_framework);
	f->n_completed++;
	while (f->n_completed > (size_t)t->m->conf->max_completed_tasks) {
		task_destroy(CONTAINER_OF(list_first(&f->completed), struct task, by_framework));
		f->n_completed--;
	}
	framework_on_task_gone(f);
}

void task_on_framework_removed(struct task *t)
{
	switch ((enum task_sm)sm_state(&t->sm)) {
	case TASK_LIVE: /* holds its resources until its slave has killed it */
	case TASK_COMPLETED:
		return;
	case TASK_UNREACHABLE:
		t->latest_state = FL_TASK_KILLED;
		break;
	case TASK_ENDED:
		update_ack_pending(t);
		break;
	}
	task_complete(t);
}

void task_to_wire(const struct task *t, struct zone *zone, struct fl_task *ret)
{
	const struct fl_task_status *last = task_status(t);

	*ret = *(const struct fl_task *)t->rec.rec;
	ret->state = t->latest_state;
	ret->status_update_state = t->status_update_state;
	if (last)
		ret->status_update_uuid = last->uuid;
	ret->n_statuses = t->n_history;
	ret->statuses = zone_alloc(zone, t->n_history * sizeof(*ret->statuses));
	for (size_t i = 0; i < t->n_history; i++)
		ret->statuses[i] = *(const struct fl_task_status *)t->history[i].rec;
}
