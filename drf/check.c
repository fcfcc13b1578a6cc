/* The laws of the ledger, checked from the ground up: every sum added again, every order compared, every bit found out
 * anew. Slow on purpose; for tests and the simulator. */
#include <errno.h>

#include "base/err.h"
#include "base/mem.h"
#include "drf/ledger.h"

static bool same(const struct amounts *a, const struct amounts *b)
{
	return amounts_contain(a, b) && amounts_contain(b, a);
}

static int check_slave_sums(const struct slave *s, struct err *err)
{
	struct parcel left = {0};
	struct amounts sum = {0};
	bool crowded = false, held, others;

	resources_copy(&left.others, &s->total_others);
	for (uint32_t i = 0; i < s->holdings.n; i++) {
		amounts_add(&sum, &holdings_at(&s->holdings, i)->what.scalars);
		crowded |= !others_remove(&left.others, &holdings_at(&s->holdings, i)->what.others);
	}
	held = same(&sum, &s->held);
	others = resources_equal(&left.others, &s->free_others) && (s->crowded || !crowded);
	amounts_fini(&sum);
	parcel_fini(&left);
	if (!held)
		return err_set(err, EUCLEAN, "slave %s: holdings do not add up", s->name);
	if (!others)
		return err_set(err, EUCLEAN, "slave %s: free ranges or sets are wrong", s->name);
	return 0;
}

static int check_holdings(const struct drf *d, struct err *err)
{
	struct amounts *sums = xcalloc(d->clients.n, sizeof(*sums));
	uint32_t *counts = xcalloc(d->clients.n, sizeof(*counts));
	struct slave *s;
	int r = 0;

	HASH_FOREACH (s, &d->slaves_by_name, struct slave, by_name) {
		for (uint32_t i = 0; i < s->holdings.n; i++) {
			const struct holding *h = holdings_at(&s->holdings, i);
			amounts_add(&sums[h->client], &h->what.scalars);
			counts[h->client]++;
			if (parcel_empty(&h->what) || (i && h->client <= h[-1].client))
				r = err_set(err, EUCLEAN, "slave %s: a holding is empty or misplaced", s->name);
		}
	}
	for (uint32_t i = 0; i < d->clients.n; i++) {
		const struct client *c = ledger_client_at(d, i); /* or none */
		if (c ? !same(&sums[i], &c->node.held) || counts[i] != c->n_holdings : counts[i])
			r = err_set(err, EUCLEAN, "client %s: holdings do not add up", c ? c->key : "(none)");
		amounts_fini(&sums[i]);
	}
	free(sums);
	free(counts);
	return r;
}

static uint32_t count_candidate_bits(const struct drf *d)
{
	uint32_t n = 0;

	for (uint32_t w = 0; w < d->n_candidate_words; w++)
		n += (uint32_t)__builtin_popcountll(d->candidates[w]);
	return n;
}

/* Sums of a node's children, and their order. */
static int check_node(const struct drf *d, const struct node *parent, struct err *err)
{
	struct amounts sum = {0};
	struct node *n;
	uint32_t n_candidates = 0, n_linked = 0;
	bool held;
	int r;

	LIST_FOREACH (n, &parent->children, struct node, sibling) {
		amounts_add(&sum, &n->held);
		n_candidates += n->n_candidates;
		n_linked += rank_linked(&n->rank);
		if (rank_linked(&n->rank) != (n->n_candidates != 0))
			return err_set(err, EUCLEAN, "%s: in the order without a candidate, or not with", n->rank.name);
		if (n->place == NODE_INNER && (r = check_node(d, n, err)))
			return r;
	}
	held = same(&sum, &parent->held);
	amounts_fini(&sum);
	if (!held)
		return err_set(err, EUCLEAN, "role node %s: children do not add up", parent->rank.name);
	if (parent == &d->tree.root.node && n_candidates != count_candidate_bits(d))
		return err_set(err, EUCLEAN, "candidates and their bits differ");
	if (n_candidates != parent->n_candidates)
		return err_set(err, EUCLEAN, "role node %s: candidates do not add up", parent->rank.name);
	for (const struct rank *a = parent->order.first, *b; a; a = b, n_linked--) {
		b = a->next;
		if (!d->tree.stale && b &&
		    !tree_before(&d->tree, CONTAINER_OF(a, struct node, rank), CONTAINER_OF(b, struct node, rank)))
			return err_set(err, EUCLEAN, "%s stands before %s", a->name, b->name);
	}
	return n_linked ? err_set(err, EUCLEAN, "role node %s: the order lost some", parent->rank.name) : 0;
}

static int check_total(const struct drf *d, struct err *err)
{
	struct amounts sum = {0};
	struct slave *s;
	bool right;

	HASH_FOREACH (s, &d->slaves_by_name, struct slave, by_name)
		amounts_add(&sum, &s->total);
	right = same(&sum, &d->tree.total);
	amounts_fini(&sum);
	return right ? 0 : err_set(err, EUCLEAN, "slaves do not add up to the cluster");
}

/* No filter is lost, and a bit says what the filters say. */
static int check_filters(const struct drf *d, struct err *err)
{
	const struct filters *t = &d->filters;
	struct slave *s;
	struct refusal *r;
	size_t n = 0;

	for (size_t i = 1; i < t->n; i++)
		if (t->heap[i].until_ms < t->heap[(i - 1) / 2].until_ms || t->heap[i].filter->at != i)
			return err_set(err, EUCLEAN, "filters are out of order");
	HASH_FOREACH (s, &d->slaves_by_name, struct slave, by_name) {
		n += s->hidden.n_filters;
		LIST_FOREACH (r, &s->hidden.refusals, struct refusal, in_slave)
			if (list_empty(&r->filters))
				return err_set(err, EUCLEAN, "slave %s: a refusal nobody made", s->name);
	}
	LIST_FOREACH (s, &d->idle, struct slave, idle)
		if (s->nobody != d->epoch)
			return err_set(err, EUCLEAN, "slave %s: idle since before the last new candidate", s->name);
	if (n != t->n || n != t->pairs.count)
		return err_set(err, EUCLEAN, "filters are lost");
	return 0;
}

/* Nothing is forgotten: a slave that waits for no visit has nothing that a candidate may have. */
static int check_attention(const struct drf *d, const struct slave *s, struct err *err)
{
	struct parcel_scratch scratch;
	struct parcel p;

	ledger_free(s, &scratch, &p);
	if (!s->active || !ledger_allocatable(d, &p))
		return 0;
	if (!list_linked(&s->idle))
		return s->dirty ? 0 : err_set(err, EUCLEAN, "slave %s: free, and neither dirty nor idle", s->name);
	const struct client *c;
	SLOTS_FOREACH(c, &d->clients)
	{
		if (!tree_is_candidate(&c->node))
			continue;
		if (!filters_match(d, s, c->slot.place, &p, INT64_MIN))
			return err_set(err, EUCLEAN, "slave %s: idle, but client %s may have it", s->name, c->key);
		if (!s->filters_stale && !filters_hide(&s->hidden, c->slot.place))
			return err_set(err, EUCLEAN, "slave %s: the bit of client %s is wrong", s->name, c->key);
	}
	return 0;
}

int drf_check(const struct drf *d, struct err *err)
{
	struct slave *s;
	int r = check_holdings(d, err);

	if (!r)
		r = check_total(d, err);
	if (!r)
		r = check_node(d, &d->tree.root.node, err);
	if (!r)
		r = check_filters(d, err);
	HASH_FOREACH (s, &d->slaves_by_name, struct slave, by_name) {
		if (!r)
			r = check_slave_sums(s, err);
		if (!r)
			r = check_attention(d, s, err);
	}
	return r;
}
