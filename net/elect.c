/* A master's candidacy: what all back ends share. States: see elect.h.
 *
 * Office is held (epoch.term is not 0) from on_leading to on_lost: in LEADING, in SUSPENDED, and in TAKING when a new term
 * is taken after a suspension. */
#include "net/elect.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "net/elect_impl.h"
#include "net/store_impl.h"
#include "net/url.h"

#define CAN(state) (1u << ELECT_##state)
static const struct sm_state states[] = {
	[ELECT_FOLLOWING] = {"FOLLOWING", CAN(TAKING), SM_INITIAL},
	[ELECT_TAKING] = {"TAKING", CAN(LEADING) | CAN(SUSPENDED) | CAN(FOLLOWING), 0},
	[ELECT_LEADING] = {"LEADING", CAN(SUSPENDED) | CAN(FOLLOWING), 0},
	[ELECT_SUSPENDED] = {"SUSPENDED", CAN(TAKING) | CAN(FOLLOWING), 0},
};

static bool invariant(const struct sm *sm)
{
	const struct elect *e = CONTAINER_OF(sm, struct elect, sm);

	switch (elect_state(e)) {
	case ELECT_FOLLOWING:
		return !elect_held(e);
	case ELECT_TAKING:
		return true;
	default:
		return elect_held(e);
	}
}

void elect_init(struct elect *e, struct loop *l, const struct elect_backend *backend, const struct fl_master_info *self,
                const struct elect_ops *ops, void *user)
{
	e->loop = l;
	e->backend = backend;
	e->ops = *ops;
	e->user = user;
	list_init(&e->remains);
	owned_set(&e->self, &rec_master_info, self);
	sm_init(&e->sm, states, ARRAY_SIZE(states), ELECT_FOLLOWING, "elect", self->id, invariant, NULL);
}

void elect_free_remains(struct elect *e)
{
	struct store *s;

	LIST_FOREACH (s, &e->remains, struct store, remains)
		store_free(s);
}

void elect_fini(struct elect *e)
{
	elect_free_remains(e);
	owned_fini(&e->self);
	owned_fini(&e->leader);
}

static void tell_store(struct elect *e)
{
	if (e->on_office)
		e->on_office(e->on_office_user);
}

void elect_take(struct elect *e)
{
	sm_move(&e->sm, ELECT_TAKING);
}

void elect_lead(struct elect *e, const char *incarnation, uint64_t term)
{
	snprintf(e->incarnation, sizeof(e->incarnation), "%s", incarnation);
	e->epoch = (struct fl_epoch){.incarnation = e->incarnation, .term = term};
	sm_move(&e->sm, ELECT_LEADING);
	tell_store(e);
	if (e->ops.on_leading)
		e->ops.on_leading(e->user, &e->epoch);
}

void elect_suspend(struct elect *e)
{
	enum elect_state from = elect_state(e);

	if (from == ELECT_FOLLOWING || from == ELECT_SUSPENDED)
		return;
	sm_move(&e->sm, elect_held(e) ? ELECT_SUSPENDED : ELECT_FOLLOWING);
	if (from != ELECT_LEADING) /* the owner still rests from the last time */
		return;
	tell_store(e);
	if (e->ops.on_suspended)
		e->ops.on_suspended(e->user);
}

void elect_lose(struct elect *e)
{
	bool held = elect_held(e);

	e->epoch = (struct fl_epoch){0};
	if (elect_state(e) != ELECT_FOLLOWING)
		sm_move(&e->sm, ELECT_FOLLOWING);
	if (!held)
		return;
	tell_store(e);
	if (e->ops.on_lost)
		e->ops.on_lost(e->user);
}

void elect_set_leader(struct elect *e, const struct fl_master_info *leader)
{
	const struct fl_master_info *old = e->leader.rec;

	if (!old && !leader)
		return;
	if (old && leader && codec_equal(&rec_master_info, old, leader))
		return;
	owned_set(&e->leader, &rec_master_info, leader);
	if (e->ops.on_leader)
		e->ops.on_leader(e->user, e->leader.rec);
}

struct elect *elect_create(struct loop *l, const struct url *url, const struct fl_master_info *self,
                           const struct elect_options *options, const struct elect_ops *ops, void *user,
                           struct err *err)
{
	switch (url->kind) {
	case URL_ZK:
		return elect_zk_create(l, url, self, options, ops, user, err);
	case URL_FILE:
		return elect_file_create(l, url, self, ops, user, err);
	default:
		err_set(err, EINVAL, "a master needs zk://host:2181/path or file:///folder, not a list of masters");
		return NULL;
	}
}

void elect_destroy(struct elect *e)
{
	if (e)
		e->backend->destroy(e);
}

bool elect_leading(const struct elect *e)
{
	return elect_state(e) == ELECT_LEADING && loop_now_ms(e->loop) < e->backend->valid_until_ms(e);
}

const struct fl_epoch *elect_epoch(const struct elect *e)
{
	return elect_held(e) ? &e->epoch : NULL;
}

const struct fl_master_info *elect_leader(const struct elect *e)
{
	return e->leader.rec;
}
