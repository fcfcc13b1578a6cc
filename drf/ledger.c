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
	struct slot *slot = slots_at(&d->clients, place);

	return slot->used ? (struct client *)slot : NULL;
}

/* ------------------------------------------------------------------------------------------------------------ names */

/* Forgets the scalars that nobody has, holds or asks for. Old filters lose them: they hide less for it. */
static void reclaim_names(struct drf *d)
{
	for (uint32_t i = 0; i < d->names.n; i++) {
		if (d->names.pinned[i] || amounts_get(&d->tree.total, i) || amounts_get(&d->tree.root.node.held, i))
			continue;
		names_forget(&d->names, i);
		struct slave *s;
		HASH_FOREACH (s, &d->slaves_by_name, struct slave, by_name)
			filters_forget_scalar(s, i);
	}
}

int ledger_enter(struct drf *d, const struct resources *r, struct parcel *ret, struct err *err)
{
	bool unknown;

	parcel_view(&d->names, r, &d->door, ret, &unknown);
	if (!unknown)
		return 0;
	/* Before any new name of r has a number, so that none of them is taken back again. */
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
	struct visits *w = &d->dirty;

	s->nobody = 0;
	list_remove(&s->idle);
	if (!s->active || s->dirty)
		return;
	if (w->n == w->capacity) {
		w->capacity = w->capacity ? w->capacity * 2 : 64;
		w->v = xrealloc(w->v, w->capacity * sizeof(*w->v));
	}
	w->v[w->n++] = slots_id(&d->slaves, s);
	s->dirty = true;
}

void ledger_mark_idle(struct drf *d)
{
	struct slave *s;

	LIST_FOREACH (s, &d->idle, struct slave, idle) {
		uint64_t nobody = s->nobody;
		ledger_mark(d, s);
		s->nobody = nobody;
	}
}

struct holding *ledger_book(struct drf *d, struct slave *s, struct client *c, const struct amounts *scalars)
{
	bool made;
	struct holding *h = holdings_need(&s->holdings, c->slot.place, &made);

	c->n_holdings += made;
	amounts_add(&h->what.scalars, scalars);
	amounts_add(&s->held, scalars);
	s->filters_stale = true;
	return h;
}

void ledger_keep_lent(struct drf *d, const struct slave *s, struct holding *h)
{
	if (d->lent != s || d->lent_client != h->client)
		return;
	d->lent = NULL;
	d->lent_others = h->what.others;
	h->what.others = (struct resources){0};
	resources_copy(&h->what.others, &d->lent_others);
}

void ledger_unbook(struct drf *d, struct client *c)
{
	if (!--c->n_holdings && c->removed)
		ledger_client_destroy(d, c);
}

void ledger_client_destroy(struct drf *d, struct client *c)
{
	assert(!c->n_holdings && list_empty(&c->filters));
	tree_detach(&d->tree, &c->node);
	hash_del(&d->clients_by_key, &c->by_key);
	free(c->key);
	slots_remove(&d->clients, c);
}

void ledger_free(const struct slave *s, struct parcel_scratch *scratch, struct parcel *ret)
{
	const struct amounts *total = &s->total;

	for (uint32_t i = 0; i < total->n; i++) {
		int64_t left = amounts_get(total, i) - amounts_get(&s->held, i);
		scratch->v[i] = left > 0 ? left : 0;
	}
	*ret = (struct parcel){amounts_borrow(scratch->v, total->n), s->free_others};
}

void ledger_count_others(struct slave *s)
{
	s->crowded = false;
	resources_copy(&s->free_others, &s->total_others);
	for (uint32_t i = 0; i < s->holdings.n; i++)
		if (!others_remove(&s->free_others, &holdings_at(&s->holdings, i)->what.others))
			s->crowded = true;
}

bool ledger_allocatable(const struct drf *d, const struct parcel *p)
{
	for (size_t i = 0; i < d->n_min_allocatable; i++)
		if (parcel_contains(p, &d->min_allocatable[i]))
			return true;
	return !d->n_min_allocatable && !parcel_empty(p);
}
