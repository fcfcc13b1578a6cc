/* The ledger as a whole, and the facts about what is held. See drf.h for the contract, ledger.h for the nouns. */
#include "drf/drf.h"

#include <assert.h>
#include <errno.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "drf/ledger.h"

static void default_min_allocatable(struct drf *d)
{
	struct resources sets[2] = {0};

	resources_set_scalar(&sets[0], "cpus", 10);
	resources_set_scalar(&sets[1], "mem", 32000);
	drf_set_min_allocatable(d, sets, 2);
	resources_fini(&sets[0]);
	resources_fini(&sets[1]);
}

struct drf *drf_create(uint64_t seed)
{
	struct drf *d = xcalloc(1, sizeof(*d));

	tree_init(&d->tree, seed);
	slots_init(&d->slaves, 0, sizeof(struct slave));
	slots_init(&d->clients, 1, sizeof(struct client));
	hash_init_seeded(&d->slaves_by_name, seed);
	hash_init_seeded(&d->clients_by_key, seed);
	list_init(&d->idle);
	d->epoch = 1;
	default_min_allocatable(d);
	return d;
}

static void forget_min_allocatable(struct drf *d)
{
	for (size_t i = 0; i < d->n_min_allocatable; i++)
		parcel_fini(&d->min_allocatable[i]);
	free(d->min_allocatable);
	d->min_allocatable = NULL;
	d->n_min_allocatable = 0;
}

void drf_destroy(struct drf *d)
{
	if (!d)
		return;
	struct slave *s;
	struct client *c;
	SLOTS_FOREACH(s, &d->slaves)
	drf_slave_remove(d, slots_id(&d->slaves, s));
	SLOTS_FOREACH(c, &d->clients)
	drf_client_remove(d, slots_id(&d->clients, c));
	forget_min_allocatable(d);
	filters_fini(d);
	slots_fini(&d->slaves);
	slots_fini(&d->clients);
	hash_fini(&d->slaves_by_name);
	hash_fini(&d->clients_by_key);
	tree_fini(&d->tree);
	parcel_scratch_fini(&d->door);
	parcel_scratch_fini(&d->offer);
	parcel_scratch_fini(&d->offer_items);
	free(d->candidates);
	free(d->dirty.v);
	free(d->visits.v);
	free(d);
}

void drf_set_min_allocatable(struct drf *d, const struct resources *sets, size_t n)
{
	struct parcel set;
	struct slave *s;

	forget_min_allocatable(d);
	for (uint32_t i = 0; i < NAMES_MAX; i++)
		d->names.pinned[i] = false;
	d->min_allocatable = xcalloc(n, sizeof(*d->min_allocatable));
	for (size_t i = 0; i < n; i++) {
		if (ledger_enter(d, &sets[i], &set, NULL))
			continue; /* asks for what no slave has */
		parcel_copy(&d->min_allocatable[d->n_min_allocatable++], &set);
		for (uint32_t k = 0; k < set.scalars.n; k++)
			d->names.pinned[k] |= amounts_get(&set.scalars, k) != 0;
	}
	HASH_FOREACH (s, &d->slaves_by_name, struct slave, by_name)
		ledger_mark(d, s);
}

int drf_set_weight(struct drf *d, const char *role, int64_t weight_milli)
{
	struct role *r;

	if (weight_milli < DRF_WEIGHT_MIN || weight_milli > DRF_WEIGHT_MAX)
		return -ERANGE;
	r = str_valid_role(role) ? tree_need_role(&d->tree, role) : NULL;
	if (!r)
		return -EINVAL;
	tree_set_weight(&d->tree, r, (uint32_t)weight_milli);
	return 0;
}

/* --------------------------------------------------------------------------------------------------------- holding */

/* Facts may come in any amount, sums may not: see shares.h. */
static bool too_much(const struct drf *d, const struct amounts *a)
{
	for (uint32_t i = 0; i < a->n; i++)
		if (amounts_get(a, i) < 0 ||
		    amounts_get(a, i) > DRF_TOTAL_MAX - amounts_get(&d->tree.root.node.held, i))
			return true;
	return false;
}

int drf_take(struct drf *d, drf_id slave, drf_id client, const struct resources *r)
{
	struct slave *s = ledger_slave(d, slave);
	struct client *c = ledger_client(d, client);
	struct parcel p;

	if (!s || !c)
		return -ENOENT;
	if (ledger_enter(d, r, &p, NULL))
		return -E2BIG;
	if (too_much(d, &p.scalars))
		return -ERANGE;
	if (parcel_empty(&p))
		return 0;
	struct holding *h = holdings_find(&s->holdings, c->slot.place);
	if (h && (others_conflict(&h->what.others, &p.others) || others_overlap(&h->what.others, &p.others)))
		return -EEXIST;

	h = ledger_book(d, s, c, &p.scalars);
	ledger_keep_lent(d, s, h);
	others_add(&h->what.others, &p.others);
	if (!others_remove(&s->free_others, &p.others))
		s->crowded = true;
	tree_charge(&d->tree, &c->node, &p.scalars);
	return 0;
}

int drf_release(struct drf *d, drf_id slave, drf_id client, const struct resources *r)
{
	struct slave *s = ledger_slave(d, slave);
	struct client *c = ledger_client_or_ghost(d, client);
	struct parcel p;
	bool unknown;

	if (!s || !c)
		return -ENOENT;
	parcel_view(&d->names, r, &d->door, &p, &unknown);
	if (!unknown && parcel_empty(&p))
		return 0;
	struct holding *h = holdings_find(&s->holdings, c->slot.place);
	assert(h && !unknown && parcel_contains(&h->what, &p));

	amounts_sub(&h->what.scalars, &p.scalars);
	amounts_sub(&s->held, &p.scalars);
	tree_discharge(&d->tree, &c->node, &p.scalars);
	ledger_keep_lent(d, s, h);
	if (s->crowded) {
		others_remove(&h->what.others, &p.others);
		ledger_count_others(s);
	} else {
		others_move(&h->what.others, &s->free_others, &p.others);
	}
	s->filters_stale = true;
	ledger_mark(d, s);
	if (parcel_empty(&h->what)) {
		holdings_drop(&s->holdings, h);
		ledger_unbook(d, c);
	}
	return 0;
}

int drf_filter(struct drf *d, drf_id slave, drf_id client, const struct resources *refused, int64_t until_ms)
{
	struct slave *s = ledger_slave(d, slave);
	struct client *c = ledger_client(d, client);
	struct parcel p;
	bool unknown;

	if (!s || !c)
		return -ENOENT;
	parcel_view(&d->names, refused, &d->door, &p, &unknown);
	filters_add(d, s, c, &p, until_ms);
	return 0;
}

void drf_expire(struct drf *d, int64_t now_ms)
{
	filters_expire(d, now_ms);
}

int64_t drf_next_expiry(const struct drf *d)
{
	return d->filters.n ? d->filters.heap[0].until_ms : INT64_MAX;
}

bool drf_dirty(const struct drf *d)
{
	return d->dirty.n != 0;
}

void drf_mark_all_dirty(struct drf *d)
{
	ledger_mark_idle(d);
}

void drf_set_audit(struct drf *d, drf_audit_fn fn, void *user)
{
	d->audit = fn;
	d->audit_user = user;
}
