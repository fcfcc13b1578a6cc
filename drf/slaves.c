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
		if (amounts_get(&now->scalars, i) < 0)
			return err_set(err, ERANGE, "%s is negative", d->names.item[i].name);
		if (amounts_get(&now->scalars, i) > DRF_TOTAL_MAX - rest)
			return err_set(err, ERANGE, "the cluster's total of %s would pass its limit",
			               d->names.item[i].name);
	}
	return 0;
}

static void set_total(struct drf *d, struct slave *s, const struct parcel *total)
{
	tree_total_sub(&d->tree, &s->total);
	tree_total_add(&d->tree, &total->scalars);
	amounts_copy(&s->total, &total->scalars);
	resources_copy(&s->total_others, &total->others);
	ledger_count_others(s);
	s->filters_stale = true;
	ledger_mark(d, s);
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

	struct slave *s = slots_add(&d->slaves);
	if (!s)
		return err_set(err, ENOSPC, "the ledger is full of slaves");
	s->name = xstrdup(name);
	s->active = true;
	filters_init(&s->hidden);
	hash_put(&d->slaves_by_name, &s->by_name, s->name);
	set_total(d, s, &p);
	*ret = slots_id(&d->slaves, s);
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
		r = check_totals(d, &p, &s->total, err);
	if (r)
		return r;
	set_total(d, s, &p);
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
	list_remove(&s->idle);
	hash_del(&d->slaves_by_name, &s->by_name);
	amounts_fini(&s->total);
	resources_fini(&s->total_others);
	amounts_fini(&s->held);
	holdings_fini(&s->holdings);
	resources_fini(&s->free_others);
	free(s->name);
	slots_remove(&d->slaves, s);
}

int drf_slave_remove(struct drf *d, drf_id slave)
{
	struct slave *s = ledger_slave(d, slave);

	if (!s)
		return -ENOENT;
	for (uint32_t i = 0; i < s->holdings.n; i++) {
		struct holding *h = holdings_at(&s->holdings, i);
		struct client *c = ledger_client_at(d, h->client);
		ledger_keep_lent(d, s, h);
		tree_discharge(&d->tree, &c->node, &h->what.scalars);
		ledger_unbook(d, c);
	}
	filters_drop_slave(d, s);
	tree_total_sub(&d->tree, &s->total);
	slave_destroy(d, s);
	return 0;
}
