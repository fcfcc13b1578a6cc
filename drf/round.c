/* A round: each dirty slave is visited once, in random order, and what is free there goes whole to the first candidate
 * that may have it. */
#include <assert.h>

#include "base/mem.h"
#include "drf/ledger.h"

struct round {
	drf_grant_fn fn;
	void *user;
};

/* Takes the dirty slaves over, by id (a grant's callback may do anything but start a round), shuffled. */
static void collect(struct drf *d)
{
	struct visits visits = d->dirty;

	d->dirty = d->visits;
	d->dirty.n = 0;
	for (size_t i = visits.n; i > 1; i--) {
		size_t other = tree_random(&d->tree) % i;
		drf_id swap = visits.v[i - 1];
		visits.v[i - 1] = visits.v[other];
		visits.v[other] = swap;
	}
	d->visits = visits;
}

#define PREFETCH_MAX 512

static void prefetch_bytes(const void *p, size_t n)
{
	for (size_t at = 0; at < n && at < PREFETCH_MAX; at += 64)
		__builtin_prefetch((const char *)p + at);
}

/* Asks for the memory of visits to come, step by step as one leads to the next: in random order over more slaves than
 * caches hold, waiting for memory would be most of a round. */
static void prefetch(const struct drf *d, size_t next)
{
	const struct visits *w = &d->visits;
	const struct slave *s;

	if (next + 9 < w->n && (s = slots_guess(&d->slaves, w->v[next + 9])))
		prefetch_bytes(s, offsetof(struct slave, idle));
	if (next + 6 < w->n && (s = ledger_slave(d, w->v[next + 6]))) {
		prefetch_bytes(holdings_at(&s->holdings, 0), s->holdings.n * sizeof(struct holding));
		prefetch_bytes(s->free_others.items, s->free_others.n_items * sizeof(struct resource_item));
	}
	if (next + 3 < w->n && (s = ledger_slave(d, w->v[next + 3])))
		for (size_t i = 0; i < s->free_others.n_items; i++)
			prefetch_bytes(s->free_others.items[i].ranges,
			               s->free_others.items[i].n_ranges * sizeof(struct resource_range));
}

#define FEW 8

/* Where filters leave but a few candidates: finds those by the bits and compares them, so that a slave that all have
 * declined costs a bit a client. False when more are left. */
static bool pick_of_few(const struct drf *d, const struct slave *s, struct client **ret)
{
	struct client *best = NULL;
	int n = 0;

	for (uint32_t w = 0; w < d->n_candidate_words; w++) {
		uint64_t left = d->candidates[w] & ~(w < s->hidden.n_words ? s->hidden.bits[w] : 0);
		n += __builtin_popcountll(left);
		if (n > FEW)
			return false;
		for (; left; left &= left - 1) {
			struct client *c = ledger_client_at(d, w * 64 + (uint32_t)__builtin_ctzll(left));
			if (!best || tree_before(&d->tree, &c->node, &best->node))
				best = c;
		}
	}
	*ret = best;
	return true;
}

/* NSDI'11 (DRF), Algorithm 1: "pick user i with lowest dominant share s_i". A task's demand is not known to us: whoever
 * does not want the offer declines it, and its filter passes it over from then on. */
static struct client *pick(const struct drf *d, const struct slave *s)
{
	struct node *n = tree_first(&d->tree);
	struct client *best;

	if (s->hidden.n_filters && pick_of_few(d, s, &best))
		return best;
	while (n && filters_hide(&s->hidden, n->place))
		n = tree_next(n);
	return n ? CONTAINER_OF(n, struct client, node) : NULL;
}

static void audit(struct drf *d, const struct slave *s, const struct client *granted)
{
	drf_id *eligible = xcalloc(d->clients.n, sizeof(*eligible));
	size_t n_eligible = 0;

	for (struct node *n = tree_first(&d->tree); n; n = tree_next(n))
		if (!filters_hide(&s->hidden, n->place))
			eligible[n_eligible++] = slots_id(&d->clients, slots_at(&d->clients, n->place));
	d->audit(d->audit_user, slots_id(&d->slaves, s), slots_id(&d->clients, granted), eligible, n_eligible);
	free(eligible);
}

/* The slave's others go to the holding as they are, and are lent to the callback from there. */
static void lend_others(struct drf *d, struct slave *s, struct holding *h)
{
	if (h->what.others.n_items) {
		d->lent_others = s->free_others;
		s->free_others = (struct resources){0};
		others_add(&h->what.others, &d->lent_others);
		return;
	}
	others_move(&s->free_others, &h->what.others, &s->free_others);
	d->lent = s;
	d->lent_client = h->client;
}

/* "U_i = U_i + D_i" and "s_i = max_j { u_i,j / r_j }" of Algorithm 1, with all that is free for D_i. */
static void grant(struct drf *d, struct slave *s, struct client *c, const struct parcel *p, const struct round *round)
{
	struct resources offer;
	struct holding *h = ledger_book(d, s, c, &p->scalars);

	parcel_to_resources(&d->names, p, &d->offer_items, &offer);
	tree_grant(&d->tree, &c->node, &p->scalars);
	lend_others(d, s, h);
	round->fn(round->user, slots_id(&d->slaves, s), slots_id(&d->clients, c), &offer);
	d->lent = NULL;
	resources_fini(&d->lent_others);
}

static bool visit(struct drf *d, struct slave *s, const struct round *round)
{
	struct parcel p;
	struct client *c = NULL;

	s->dirty = false;
	list_remove(&s->idle);
	if (!s->active)
		return false;
	ledger_free(s, &d->offer, &p);
	if (!ledger_allocatable(d, &p))
		return false;
	if (s->nobody != d->epoch) {
		tree_refresh(&d->tree);
		filters_look(d, s, &p);
		c = pick(d, s);
	}
	if (!c) {
		s->nobody = d->epoch;
		list_push(&d->idle, &s->idle);
		return false;
	}
	if (d->audit)
		audit(d, s, c);
	grant(d, s, c, &p, round);
	return true;
}

size_t drf_round(struct drf *d, int64_t now_ms, drf_grant_fn fn, void *user)
{
	const struct round round = {fn, user};
	size_t n_grants = 0;

	assert(!d->in_round);
	d->in_round = true;
	filters_expire(d, now_ms);
	collect(d);
	for (size_t i = 0; i < d->visits.n; i++) {
		struct slave *s = ledger_slave(d, d->visits.v[i]);
		prefetch(d, i);
		if (s)
			n_grants += visit(d, s, &round);
	}
	d->in_round = false;
	return n_grants;
}
