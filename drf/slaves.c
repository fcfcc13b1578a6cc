/* Facts about slaves. */
#include <errno.h>

#include "base/err.h"
#include "base/mem.h"
#include "drf/ledger.h"

/* Whether cluster totals stay in bounds when `now` takes the place of `before`. */
static int check_totals(const struct drf *d, const struct parcel *now, const struct amounts *before, struct err *err)
{
	for (uint32_t i = 0; i < now->scalars.n; i++) {
		int64_t rest = amounts_get(&d->tree.total, i) - amounts_get(before, i);
		if (now->scalars.v[i] < 0)
			return err_set(err, ERANGE, "%s is negative", d->names.name[i]);
		if (now->scalars.v[i] > DRF_TOTAL_MAX - rest)
			return err_set(err, ERANGE, "the cluster's total of %s would pass its limit", d->names.name[i]);
	}
	return 0;
}

int drf_slave_add(struct drf *d, const char *name, const struct resources *total, drf_id *ret, struct err *err)
{
	static const struct amounts nothing;
	struct parcel p;
	int r;

	if (hash_get(&d->slaves_by_name, name))
		return err_set(err, EEXIST, "slave %s is in the ledger already", name);
	r = ledger_enter(d, total, &p, err);
	if (!r)
		r = check_totals(d, &p, &nothing, err);
	if (r)
		return r;

	struct slave *s = xcalloc(1, sizeof(*s));
	s->place = slots_add(&d->slaves, s);
	if (s->place == UINT32_MAX) {
		free(s);
		return err_set(err, ENOSPC, "the ledger is full of slaves");
	}
	s->name = xstrdup(name);
	s->active = true;
	list_init(&s->holdings);
	filters_init(&s->hidden);
	hash_put(&d->slaves_by_name, &s->by_name, s->name);
	parcel_copy(&s->total, &p);
	ledger_count_others(s);
	tree_total_add(&d->tree, &p.scalars);
	ledger_mark(d, s);
	*ret = slots_id(&d->slaves, s->place);
	return 0;
}

int drf_slave_set_total(struct drf *d, drf_id slave, const struct resources *total, struct err *err)
{
	struct slave *s = ledger_slave(d, slave);
	struct parcel p;
	int r;

	if (!s)
		return err_set(err, ENOENT, "no such slave in the ledger");
	r = ledger_enter(d, total, &p, err);
	if (!r)
		r = check_totals(d, &p, &s->total.scalars, err);
	if (r)
		return r;
	tree_total_sub(&d->tree, &s->total.scalars);
	tree_total_add(&d->tree, &p.scalars);
	parcel_copy(&s->total, &p);
	ledger_count_others(s);
	s->hidden.stale = true;
	ledger_mark(d, s);
	return 0;
}

int drf_slave_set_active(struct drf *d, drf_id slave, bool active)
{
	struct slave *s = ledger_slave(d, slave);

	if (!s)
		return -ENOENT;
	if (s->active != active) {
		s->active = active;
		ledger_mark(d, s);
	}
	return 0;
}

static void slave_destroy(struct drf *d, struct slave *s)
{
	list_remove(&s->work);
	hash_del(&d->slaves_by_name, &s->by_name);
	slots_remove(&d->slaves, s->place);
	parcel_fini(&s->total);
	amounts_fini(&s->held);
	resources_fini(&s->free_others);
	free(s->name);
	free(s);
}

int drf_slave_remove(struct drf *d, drf_id slave)
{
	struct slave *s = ledger_slave(d, slave);
	struct holding *h;

	if (!s)
		return -ENOENT;
	LIST_FOREACH(h, &s->holdings, struct holding, in_slave) {
		struct client *c = ledger_client_at(d, h->pair.client);
		tree_discharge(&d->tree, &c->node, &h->what.scalars);
		ledger_unbook(d, s, c, h);
	}
	filters_drop_slave(d, s);
	tree_total_sub(&d->tree, &s->total.scalars);
	slave_destroy(d, s);
	return 0;
}
