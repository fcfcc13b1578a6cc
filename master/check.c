/* master_check: what this process can see must add up. */
#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "base/str.h"
#include "master/core.h"
#include "master/framework.h"
#include "master/offer.h"
#include "master/slave.h"
#include "master/task.h"

static int check_offer(const struct offer *o, struct err *err)
{
	const struct framework *f = framework_find(o->m, o->framework_id);
	const struct slave *s = slave_find(o->m, o->slave_id);

	if (sm_state(&o->sm) != OFFER_OUT || o->named)
		return err_set(err, EUCLEAN, "offer %s is %s", o->id, sm_name(&o->sm));
	if (!f || !framework_connected(f))
		return err_set(err, EUCLEAN, "offer %s: its framework is not connected", o->id);
	if (!s || !slave_connected(s))
		return err_set(err, EUCLEAN, "offer %s: its slave is not connected", o->id);
	return 0;
}

static int check_task(const struct task *t, struct err *err)
{
	const struct slave *s = slave_find(t->m, t->slave_id);
	bool ended = sm_state(&t->sm) == TASK_ENDED;

	if (!framework_find(t->m, t->framework_id))
		return err_set(err, EUCLEAN, "task %s has no framework", t->id);
	if (!s)
		return err_set(err, EUCLEAN, "task %s has no slave", t->id);
	if (ended != task_terminal(t->latest_state))
		return err_set(err, EUCLEAN, "task %s is %s in state %s", t->id, sm_name(&t->sm),
		               enum_name(&enum_task_state, t->latest_state));
	if (sm_state(&t->sm) == TASK_LIVE && !s->drf)
		return err_set(err, EUCLEAN, "task %s lives on a slave that is not in the ledger", t->id);
	return 0;
}

/* What tasks and offers of a slave hold is what the ledger says, and no more than there is. */
static int check_slave(const struct slave *s, struct err *err)
{
	struct resources sum = {0}, held = {0};
	struct task *t;
	struct offer *o;
	int r = 0;

	LIST_FOREACH (t, &s->tasks, struct task, by_slave)
		if (sm_state(&t->sm) == TASK_LIVE)
			resources_add(&sum, &t->resources);
	LIST_FOREACH (o, &s->offers, struct offer, by_slave)
		resources_add(&sum, &o->resources);
	if (s->drf && !drf_slave_held(s->m->drf, s->drf, &held))
		r = err_set(err, EUCLEAN, "slave %s is not in the ledger", s->id);
	else if (!resources_equal(&sum, &held))
		r = err_set(err, EUCLEAN, "slave %s: the ledger does not hold what its tasks and offers do", s->id);
	else if (!s->shrunk && !resources_contains(&s->total, &sum))
		r = err_set(err, EUCLEAN, "slave %s: its tasks and offers hold more than it has", s->id);
	resources_fini(&sum);
	resources_fini(&held);
	return r;
}

/* The ledger counts scalars only by client; ranges and sets by slave. */
static void add_scalars(struct resources *sum, const struct resources *r)
{
	for (size_t i = 0; i < r->n_items; i++)
		if (r->items[i].type == FL_SCALAR)
			resources_set_scalar(sum, r->items[i].name,
			                     resources_scalar(sum, r->items[i].name) + r->items[i].milli);
}

static int check_client(const struct framework *f, const struct client *c, struct err *err)
{
	struct resources sum = {0}, held = {0};
	struct task *t;
	struct offer *o;
	int r = 0;

	LIST_FOREACH (t, &f->tasks, struct task, by_framework)
		if (sm_state(&t->sm) == TASK_LIVE && t->client == c->drf)
			add_scalars(&sum, &t->resources);
	LIST_FOREACH (o, &f->offers, struct offer, by_framework)
		if (o->client == c->drf)
			add_scalars(&sum, &o->resources);
	drf_client_held(f->m->drf, c->drf, &held);
	if (!resources_equal(&sum, &held))
		r = err_set(err, EUCLEAN,
		            "framework %s in role %s: the ledger does not hold what its tasks and offers do", f->id,
		            c->role);
	resources_fini(&sum);
	resources_fini(&held);
	return r;
}

int master_check(const struct master *m, struct err *err)
{
	struct framework *f;
	struct client *c;
	struct slave *s;
	struct offer *o;
	struct task *t;
	int r = m->drf ? drf_check(m->drf, err) : 0;

	HASH_FOREACH (o, &m->offers, struct offer, node)
		r = r < 0 ? r : check_offer(o, err);
	HASH_FOREACH (t, &m->tasks, struct task, node)
		r = r < 0 ? r : check_task(t, err);
	HASH_FOREACH (s, &m->slaves, struct slave, node)
		r = r < 0 ? r : check_slave(s, err);
	HASH_FOREACH (f, &m->frameworks, struct framework, node)
		LIST_FOREACH (c, &f->clients, struct client, node)
			r = r < 0 ? r : check_client(f, c, err);
	return r;
}
