#include "master/accept.h"

#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "master/core.h"
#include "master/framework.h"
#include "master/offer.h"
#include "master/slave.h"
#include "master/task.h"
#include "master/update.h"
#include "master/validate.h"

/* One ACCEPT on its way; lives for the call. */
struct accept {
	struct master *m;
	struct framework *f;
	const struct fl_call_accept *call;
	struct slave *slave;
	drf_id client;
	const char *role;
	struct resources left; /* the running copy of what is offered */
	struct resources used;
	size_t launched;
};

/* ---- claiming: rule 16 ---- */

static int check_offer(struct accept *a, const char *id, struct err *err)
{
	struct offer *o = offer_find(a->m, id);

	if (!o || strcmp(o->framework_id, a->f->id) != 0)
		return err_set(err, EINVAL, "offer %.100s is not valid (any more)", id);
	if (o->named)
		return err_set(err, EINVAL, "offer %.100s is named twice", id);
	o->named = true;
	if (!a->slave) {
		a->slave = slave_find(a->m, o->slave_id);
		a->client = o->client;
		a->role = o->role;
	}
	if (strcmp(o->slave_id, a->slave->id) != 0)
		return err_set(err, EINVAL, "the offers are of more than one slave");
	if (o->client != a->client)
		return err_set(err, EINVAL, "the offers are of more than one role");
	resources_add(&a->left, &o->resources);
	return 0;
}

static void unmark(struct accept *a)
{
	for (size_t i = 0; i < a->call->n_offer_ids; i++) {
		struct offer *o = offer_find(a->m, a->call->offer_ids[i]);

		if (o)
			o->named = false;
	}
}

static int claim(struct accept *a, struct err *err)
{
	int r = a->call->n_offer_ids ? 0 : err_set(err, EINVAL, "no offers are named");

	for (size_t i = 0; r == 0 && i < a->call->n_offer_ids; i++)
		r = check_offer(a, a->call->offer_ids[i], err);
	unmark(a);
	return r;
}

/* ---- what goes wrong ---- */

static void tell(struct accept *a, const struct fl_task_info *task, enum fl_task_state state, enum fl_reason reason,
                 const char *message)
{
	log_info("accept.refused task=%s framework=%s slave=%s reason=%s error=\"%s\"", task->task_id, a->f->id,
	         task->slave_id, enum_name(&enum_reason, reason), message);
	update_from_master(a->f, NULL,
	                   &(struct master_status){
				   .task_id = task->task_id,
				   .slave_id = task->slave_id,
				   .state = state,
				   .reason = reason,
				   .message = message,
			   });
}

/* Offers end once: an ACCEPT of the same ones is the same ACCEPT. */
static uint64_t fingerprint(const struct fl_call_accept *call)
{
	uint64_t h = 1;

	for (size_t i = 0; i < call->n_offer_ids; i++)
		h = hash_bytes(call->offer_ids[i], strlen(call->offer_ids[i]), h);
	return h;
}

/* Launched before: then this ACCEPT is a repetition, and its tasks are not to be ended by it. */
static bool launched_before(const struct accept *a, const char *task_id)
{
	uint64_t accept = fingerprint(a->call);
	struct task *t;

	if (task_find(a->m, a->f->id, task_id))
		return true;
	LIST_FOREACH (t, &a->f->completed, struct task, by_framework)
		if (t->accept == accept && strcmp(t->id, task_id) == 0)
			return true;
	return false;
}

/* Rule 17. */
static void refuse(struct accept *a, const char *message)
{
	const struct fl_call_accept *call = a->call;

	offers_return(a->f, call->offer_ids, call->n_offer_ids, FL_OFFER_DISCARDED, 0);
	for (size_t i = 0; i < call->n_operations; i++) {
		const struct fl_launch *launch = call->operations[i].launch;

		for (size_t j = 0; launch && j < launch->n_task_infos; j++) {
			if (launched_before(a, launch->task_infos[j].task_id))
				continue;
			tell(a, &launch->task_infos[j], FL_TASK_DROPPED, FL_REASON_INVALID_OFFERS, message);
			a->m->metrics.tasks_dropped++;
		}
	}
}

/* ---- launching: rules 20 to 25 ---- */

static void make_task(struct accept *a, const struct fl_task_info *info)
{
	const struct fl_framework_info *framework = a->f->info.rec;
	const char *user = info->command && info->command->user ? info->command->user : framework->user;
	struct fl_task rec = {
		.name = info->name,
		.task_id = info->task_id,
		.framework_id = a->f->id,
		.slave_id = a->slave->id,
		.state = FL_TASK_STAGING,
		.resources = info->resources,
		.n_resources = info->n_resources,
		.labels = info->labels,
		.user = user,
		.role = a->role,
		.command = info->command,
		.container = info->container,
		.kill_policy = info->kill_policy,
	};

	task_create(a->f, a->slave, &rec, false)->accept = fingerprint(a->call);
}

static void launch_task(struct accept *a, const struct fl_task_info *info)
{
	struct validate_task where = {
		.slave_id = a->slave->id,
		.role = a->role,
		.available = &a->left,
		.in_use = task_find(a->m, a->f->id, info->task_id) != NULL,
	};
	struct fl_run_task order = {
		.epoch = a->m->epoch.rec,
		.framework = a->f->info.rec,
		.task = (void *)info,
		.role = a->role,
		.has_launch = true,
	};
	struct resources need = {0};
	struct err err;

	if (validate_task(info, &where, &need, &err) < 0) {
		tell(a, info, FL_TASK_ERROR, FL_REASON_TASK_INVALID, err.text);
		a->m->metrics.tasks_invalid++;
		return;
	}
	resources_sub(&a->left, &need);
	resources_add(&a->used, &need);
	resources_fini(&need);
	make_task(a, info);
	a->launched++;
	a->m->metrics.tasks_launched++;
	log_info("task.launched task=%s framework=%s slave=%s", info->task_id, a->f->id, a->slave->id);
	order.launch = ++a->m->last_launch;
	slave_send(a->slave, MSG_run_task, &order);
}

static void operate(struct accept *a, const struct fl_operation *op)
{
	for (size_t i = 0; op->launch && i < op->launch->n_task_infos; i++) {
		const struct fl_task_info *info = &op->launch->task_infos[i];

		if (op->id)
			tell(a, info, FL_TASK_ERROR, FL_REASON_TASK_INVALID, "LAUNCH must not have an operation id");
		else
			launch_task(a, info);
	}
}

/* What tasks took stays held; the rest goes back, behind one filter. */
static void settle(struct accept *a)
{
	const struct fl_call_accept *call = a->call;
	int64_t filter_ms;

	if (a->launched)
		a->f->patience_ms = 0;
	filter_ms = offer_filter_ms(a->f, call->filters);
	for (size_t i = 0; i < call->n_offer_ids; i++)
		offer_end(offer_find(a->m, call->offer_ids[i]), FL_OFFER_ACCEPTED, &a->used);
	assert(resources_empty(&a->used));
	if (!resources_empty(&a->left))
		drf_filter(a->m->drf, a->slave->drf, a->client, &a->left, loop_now_ms(a->m->loop) + filter_ms);
	if (a->launched)
		a->f->patience_ms = 0;
}

void accept_call(struct framework *f, const struct fl_call_accept *call)
{
	struct accept a = {.m = f->m, .f = f, .call = call};
	struct err err;
	char *role = NULL;

	if (claim(&a, &err) < 0) {
		refuse(&a, err.text);
	} else if (call->n_operations == 0) { /* rule 18 */
		offers_return(f, call->offer_ids, call->n_offer_ids, FL_OFFER_DECLINED,
		              offer_filter_ms(f, call->filters));
	} else {
		role = xstrdup(a.role); /* the offer's, which ends */
		a.role = role;
		for (size_t i = 0; i < call->n_operations; i++)
			operate(&a, &call->operations[i]);
		settle(&a);
	}
	free(role);
	resources_fini(&a.left);
	resources_fini(&a.used);
}
