/* What the files of drf/ share: finding nouns, naming scalars at the door, booking. */
#include "drf/ledger.h"

#include <assert.h>
#include <errno.h>

#include "base/err.h"
#include "base/mem.h"

struct slave *ledger_slave(const struct drf *d, drf_id id)
{
	return slots_find(&d->slaves, id);
}

struct client *ledger_client(const struct drf *d, drf_id id)
{
	struct client *c = slots_find(&d->clients, id);

	return c && !c->removed ? c : NULL;
}

struct client *ledger_client_or_ghost(const struct drf *d, drf_id id)
{
	return slots_find(&d->clients, id);
}

struct client *ledger_client_at(const struct drf *d, uint32_t place)
{
	return d->clients.v[place].thing;
}

/* ------------------------------------------------------------------------------------------------------------ names */

/* Forgets the scalars that nobody has, holds or asks for. Old filters lose them: they hide less for it. */
static void reclaim_names(struct drf *d)
{
	for (uint32_t i = 0; i < d->names.n; i++) {
		if (d->names.pinned[i] || amounts_get(&d->tree.total, i) ||
		    amounts_get(&d->tree.root.node.held, i))
			continue;
		names_forget(&d->names, i);
		struct slave *s;
		HASH_FOREACH(s, &d->slaves_by_name, struct slave, by_name)
			filters_forget_scalar(s, i);
	}
}

int ledger_enter(struct drf *d, const struct resources *r, struct parcel *ret, struct err *err)
{
	bool unknown;

	parcel_view(&d->names, r, &d->door, ret, &unknown);
	if (!unknown)
		return 0;
	/* A name is reclaimed only while none of r has a number yet that nobody else keeps. */
	if (d->names.n_sorted + r->n_items > NAMES_MAX)
		reclaim_names(d);
	for (size_t i = 0; i < r->n_items; i++)
		if (parcel_is_scalar(&r->items[i]) && names_intern(&d->names, r->items[i].name) == NAMES_NONE)
			return err_set(err, E2BIG, "more than %d different resources in the cluster", NAMES_MAX);
	parcel_view(&d->names, r, &d->door, ret, &unknown);
	return 0;
}

/* --------------------------------------------------------------------------------------------------------- booking */

void ledger_mark(struct drf *d, struct slave *s)
{
	s->nobody = 0;
	list_remove(&s->work);
	if (s->active)
		list_push(&d->dirty, &s->work);
}

void ledger_mark_idle(struct drf *d)
{
	struct slave *s;

	LIST_FOREACH(s, &d->idle, struct slave, work) {
		list_remove(&s->work);
		list_push(&d->dirty, &s->work);
	}
}

struct holding *ledger_holding(const struct drf *d, const struct slave *s, const struct client *c)
{
	struct pair *p = pairs_first(&d->holdings, s->place, c->node.place);

	return p ? CONTAINER_OF(p, struct holding, pair) : NULL;
}

struct holding *ledger_book(struct drf *d, struct slave *s, struct client *c, const struct amounts *scalars)
{
	struct holding *h = ledger_holding(d, s, c);

	if (!h) {
		h = xcalloc(1, sizeof(*h));
		pairs_put(&d->holdings, &h->pair, s->place, c->node.place);
		list_push(&s->holdings, &h->in_slave);
		c->n_holdings++;
	}
	amounts_add(&h->what.scalars, scalars);
	amounts_add(&s->held, scalars);
	s->hidden.stale = true;
	return h;
}

void ledger_unbook(struct drf *d, struct slave *s, struct client *c, struct holding *h)
{
	pairs_del(&d->holdings, &h->pair);
	list_remove(&h->in_slave);
	parcel_fini(&h->what);
	free(h);
	if (!--c->n_holdings && c->removed)
		ledger_client_destroy(d, c);
}

void ledger_client_destroy(struct drf *d, struct client *c)
{
	assert(!c->n_holdings && list_empty(&c->filters));
	tree_detach(&d->tree, &c->node);
	slots_remove(&d->clients, c->node.place);
	hash_del(&d->clients_by_key, &c->by_key);
	free(c->key);
	free(c);
}

void ledger_free(const struct slave *s, struct parcel_scratch *scratch, struct parcel *ret)
{
	const struct amounts *total = &s->total.scalars;

	for (uint32_t i = 0; i < total->n; i++) {
		int64_t left = total->v[i] - amounts_get(&s->held, i);
		scratch->v[i] = left > 0 ? left : 0;
	}
	*ret = (struct parcel){.scalars = {scratch->v, total->n}, .others = s->free_others};
}

void ledger_count_others(struct slave *s)
{
	struct holding *h;

	s->crowded = false;
	resources_copy(&s->free_others, &s->total.others);
	LIST_FOREACH(h, &s->holdings, struct holding, in_slave)
		if (!others_remove(&s->free_others, &h->what.others))
			s->crowded = true;
}

bool ledger_allocatable(const struct drf *d, const struct parcel *p)
{
	for (size_t i = 0; i < d->n_min_allocatable; i++)
		if (parcel_contains(p, &d->min_allocatable[i]))
			return true;
	return !d->n_min_allocatable && !parcel_empty(p);
}
