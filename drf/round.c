/* A round: each dirty slave is visited once, in random order, and what is free there goes whole to the first candidate
 * that may have it. */
#include <assert.h>

#include "base/mem.h"
#include "drf/ledger.h"

struct round {
	drf_grant_fn fn;
	void *user;
};

/* Takes the dirty slaves off their list, by id (a grant's callback may do anything but start a round), shuffled. */
static size_t collect(struct drf *d)
{
	struct slave *s;
	size_t n = 0;

	LIST_FOREACH(s, &d->dirty, struct slave, work) {
		if (n == d->visits_capacity) {
			d->visits_capacity = n ? n * 2 : 64;
			d->visits = xrealloc(d->visits, d->visits_capacity * sizeof(*d->visits));
		}
		d->visits[n++] = slots_id(&d->slaves, s->place);
		list_remove(&s->work);
	}
	for (size_t i = n; i > 1; i--) {
		size_t other = tree_random(&d->tree) % i;
		drf_id swap = d->visits[i - 1];
		d->visits[i - 1] = d->visits[other];
		d->visits[other] = swap;
	}
	return n;
}

/* NSDI'11 (DRF), Algorithm 1: "pick user i with lowest dominant share s_i". A task's demand is not known to us: whoever
 * does not want the offer declines it, and its filter passes it over from then on. */
static struct client *pick(const struct drf *d, const struct slave *s)
{
	struct node *n = tree_first(&d->tree);

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
			eligible[n_eligible++] = slots_id(&d->clients, n->place);
	d->audit(d->audit_user, slots_id(&d->slaves, s->place), slots_id(&d->clients, granted->node.place), eligible,
	         n_eligible);
	free(eligible);
}

/* "U_i = U_i + D_i" and "s_i = max_j { u_i,j / r_j }" of Algorithm 1, with all that is free for D_i. */
static void grant(struct drf *d, struct slave *s, struct client *c, struct parcel *p, const struct round *round)
{
	struct resources offer;
	struct holding *h = ledger_book(d, s, c, &p->scalars);

	tree_grant(&d->tree, &c->node, &p->scalars);
	resources_copy(&d->offer_others, &s->free_others);
	p->others = d->offer_others;
	others_move(&s->free_others, &h->what.others, &s->free_others);
	parcel_to_resources(&d->names, p, &d->offer_items, &offer);
	round->fn(round->user, slots_id(&d->slaves, s->place), slots_id(&d->clients, c->node.place), &offer);
}

static bool visit(struct drf *d, struct slave *s, const struct round *round)
{
	struct parcel p;
	struct client *c = NULL;

	list_remove(&s->work);
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
		list_push(&d->idle, &s->work);
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
	size_t n, n_grants = 0;

	assert(!d->in_round);
	d->in_round = true;
	filters_expire(d, now_ms);
	n = collect(d);
	for (size_t i = 0; i < n; i++) {
		struct slave *s = ledger_slave(d, d->visits[i]);
		if (s)
			n_grants += visit(d, s, &round);
	}
	d->in_round = false;
	return n_grants;
}
