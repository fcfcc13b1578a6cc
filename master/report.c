#include "master/report.h"

#include <string.h>

#include "base/log.h"
#include "base/str.h"
#include "master/core.h"
#include "master/framework.h"
#include "master/kill.h"
#include "master/link.h"
#include "master/slave.h"
#include "master/task.h"
#include "master/update.h"

/* The framework of a reported task, even if the slave forgot to say who it is. */
static struct framework *framework_of(struct master *m, const struct fl_task *rec)
{
	const struct fl_framework_info unnamed = {.id = rec->framework_id, .user = "", .name = "", .role = rec->role};

	return framework_recover_reported(m, &unnamed);
}

static void tell_returned(struct framework *f, struct task *t)
{
	const struct fl_task_status *like = task_status(t);

	update_from_master(f, t,
	                   &(struct master_status){
				   .task_id = t->id,
				   .slave_id = t->slave_id,
				   .state = t->latest_state,
				   .reason = FL_REASON_SLAVE_REREGISTERED,
				   .message = "its slave came back",
				   .like = like,
			   });
}

static void shut_down(struct slave *s, struct framework *f)
{
	struct fl_shutdown_framework msg = {.epoch = s->m->epoch.rec, .framework_id = f->id};

	slave_send(s, MSG_shutdown_framework, &msg);
}

static void take_history(struct task *t, const struct fl_task *rec)
{
	for (size_t i = 0; i < rec->n_statuses; i++)
		task_add_status(t, &rec->statuses[i]);
	if (rec->status_update_state)
		t->status_update_state = rec->status_update_state;
}

static bool usable(const struct slave *s, const struct fl_task *rec)
{
	return str_valid_id(rec->task_id) && str_valid_id(rec->framework_id) && str_equal(rec->slave_id, s->id) &&
	       (!rec->role || str_valid_role(rec->role)) && codec_size(&rec_task, rec) <= 2 * MASTER_MAX_TASK_INFO;
}

static void apply_framework(struct slave *s, const struct fl_framework_info *info)
{
	if (info->id && str_valid_id(info->id) && codec_size(&rec_framework_info, info) <= MASTER_MAX_FRAMEWORK_INFO)
		framework_recover_reported(s->m, info);
	else
		log_warn("report.ignored framework=%s slave=%s", info->id ? info->id : "", s->id);
}

/* returned: frameworks may have heard that its slave was unreachable, from us or another master. */
static void apply_task(struct slave *s, const struct fl_task *rec, bool returned)
{
	struct master *m = s->m;
	struct task *t = task_find(m, rec->framework_id, rec->task_id);
	struct framework *f;

	if (!usable(s, rec) || (t && strcmp(t->slave_id, s->id) != 0)) {
		log_warn("report.ignored task=%s framework=%s slave=%s", rec->task_id, rec->framework_id, s->id);
		return;
	}
	f = framework_of(m, rec);
	if (!t) {
		t = task_create(f, s, rec, true);
		take_history(t, rec);
	} else {
		if (sm_state(&t->sm) == TASK_UNREACHABLE && !task_terminal(rec->state))
			task_return(t);
		task_set_latest(t, rec->state);
	}
	if (returned && sm_state(&t->sm) == TASK_LIVE && sm_state(&f->sm) != FRAMEWORK_REMOVED)
		tell_returned(f, t); /* of one that ended its updates tell, in order */
	if (sm_state(&f->sm) == FRAMEWORK_REMOVED) {
		if (sm_state(&t->sm) == TASK_LIVE)
			shut_down(s, f);
		else
			task_complete(t);
	}
}

/* ---- what the slave lacks ---- */

static void ask(struct slave *s, struct fl_task *tasks, size_t n)
{
	struct fl_slave_reconcile msg = {.epoch = s->m->epoch.rec, .tasks = tasks, .n_tasks = n};

	if (n)
		slave_send(s, MSG_slave_reconcile, &msg);
}

/* Identity and state are all it needs to answer, so that even big tasks fit a part. */
static struct fl_task brief(const struct task *t)
{
	return (struct fl_task){
		.name = "",
		.task_id = t->id,
		.framework_id = t->framework_id,
		.slave_id = t->slave_id,
		.state = t->latest_state == FL_TASK_UNREACHABLE ? FL_TASK_STAGING : t->latest_state,
	};
}

static bool reported(struct hash *names, const struct task *t)
{
	return hash_get(names, t->key) != NULL;
}

static void ask_for_missing(struct slave *s, struct hash *names)
{
	struct fl_task *missing = NULL;
	size_t n = 0, capacity = 0, bytes = 0;
	struct task *t;

	LIST_FOREACH (t, &s->tasks, struct task, by_slave) {
		struct fl_task one;

		if (sm_state(&t->sm) == TASK_ENDED || reported(names, t))
			continue;
		one = brief(t);
		bytes += codec_size(&rec_task, &one) + 8;
		if (bytes > MASTER_MAX_PART) {
			ask(s, missing, n);
			n = 0;
			bytes = codec_size(&rec_task, &one) + 8;
		}
		if (n == capacity) {
			capacity = capacity ? 2 * capacity : 16;
			missing = xrealloc(missing, capacity * sizeof(*missing));
		}
		missing[n++] = one;
	}
	ask(s, missing, n);
	free(missing);
}

struct name {
	struct hash_node node;
	char key[];
};

static void add_name(struct hash *names, const struct fl_task *rec)
{
	size_t size = strlen(rec->framework_id) + strlen(rec->task_id) + 2;
	struct name *name = xcalloc(1, sizeof(*name) + size);

	snprintf(name->key, size, "%s/%s", rec->framework_id, rec->task_id);
	if (hash_get(names, name->key))
		free(name);
	else
		hash_put(names, &name->node, name->key);
}

static void free_names(struct hash *names)
{
	struct name *name;

	HASH_FOREACH (name, names, struct name, node)
		free(name);
	hash_fini(names);
}

static void say_kills_again(struct slave *s)
{
	struct task *t;

	LIST_FOREACH (t, &s->tasks, struct task, by_slave)
		if (t->kill_wanted && sm_state(&t->sm) == TASK_LIVE)
			kill_order(t);
}

void report_apply(struct slave *s, struct link *k, bool returned)
{
	struct master *m = s->m;
	struct link_part *p;
	struct hash names;

	hash_init_seeded(&names, loop_random(m->loop));
	LIST_FOREACH (p, &k->report, struct link_part, node) {
		const struct fl_slave_reregister *msg = p->msg.rec;

		for (size_t i = 0; i < msg->n_frameworks; i++)
			apply_framework(s, &msg->frameworks[i]);
	}
	LIST_FOREACH (p, &k->report, struct link_part, node) {
		const struct fl_slave_reregister *msg = p->msg.rec;

		for (size_t i = 0; i < msg->n_tasks; i++) {
			add_name(&names, &msg->tasks[i]);
			apply_task(s, &msg->tasks[i], returned);
		}
	}
	link_drop_report(k);
	ask_for_missing(s, &names);
	free_names(&names);
	say_kills_again(s);
}
