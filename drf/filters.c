/* Refusals, filters, the bits that sum them up, and the heap by time. */
#include "drf/filters.h"

#include <assert.h>

#include "base/mem.h"
#include "drf/ledger.h"

/* ---------------------------------------------------------------------------------------------------- heap by time */

static void heap_put(struct filters *t, size_t at, struct filter_due due)
{
	t->heap[at] = due;
	due.filter->at = at;
}

static void heap_up(struct filters *t, size_t at, struct filter_due due)
{
	for (; at && t->heap[(at - 1) / 2].until_ms > due.until_ms; at = (at - 1) / 2)
		heap_put(t, at, t->heap[(at - 1) / 2]);
	heap_put(t, at, due);
}

static void heap_down(struct filters *t, size_t at, struct filter_due due)
{
	for (size_t child; (child = 2 * at + 1) < t->n; at = child) {
		if (child + 1 < t->n && t->heap[child + 1].until_ms < t->heap[child].until_ms)
			child++;
		if (t->heap[child].until_ms >= due.until_ms)
			break;
		heap_put(t, at, t->heap[child]);
	}
	heap_put(t, at, due);
}

static void heap_add(struct filters *t, struct filter *f, int64_t until_ms)
{
	if (t->n == t->capacity) {
		t->capacity = t->capacity ? t->capacity * 2 : 64;
		t->heap = xrealloc(t->heap, t->capacity * sizeof(*t->heap));
	}
	heap_up(t, t->n++, (struct filter_due){until_ms, f});
}

static void heap_remove(struct filters *t, size_t at)
{
	struct filter_due last = t->heap[--t->n];

	if (at == t->n)
		return;
	if (at && t->heap[(at - 1) / 2].until_ms > last.until_ms)
		heap_up(t, at, last);
	else
		heap_down(t, at, last);
}

/* ------------------------------------------------------------------------------------------------------------ bits */

static void bit_set(struct hidden *h, uint32_t client)
{
	if (client / 64 >= h->n_words) {
		uint32_t n = client / 64 + 1;
		h->bits = xrealloc(h->bits, n * sizeof(*h->bits));
		while (h->n_words < n)
			h->bits[h->n_words++] = 0;
	}
	h->bits[client / 64] |= (uint64_t)1 << client % 64;
}

static bool any_hides(const struct drf *d, const struct slave *s, uint32_t client)
{
	const struct pair *p = pairs_first(&d->filters.pairs, s->slot.place, client);

	while (p && !CONTAINER_OF(p, struct filter, pair)->refusal->hides)
		p = pairs_next(p);
	return p != NULL;
}

/* One of the client's filters on s went, or hides no more. */
static void bit_review(const struct drf *d, struct slave *s, uint32_t client)
{
	if (filters_hide(&s->hidden, client) && !any_hides(d, s, client))
		s->hidden.bits[client / 64] &= ~((uint64_t)1 << client % 64);
}

/* -------------------------------------------------------------------------------------------------------- refusals */

static struct refusal *refusal_need(struct slave *s, const struct parcel *refused)
{
	struct refusal *r;

	LIST_FOREACH (r, &s->hidden.refusals, struct refusal, in_slave)
		if (parcel_equal(&r->what, refused))
			return r;
	r = xcalloc(1, sizeof(*r));
	r->slave = s;
	list_init(&r->filters);
	list_push(&s->hidden.refusals, &r->in_slave);
	parcel_copy(&r->what, refused);
	s->filters_stale = true;
	return r;
}

static void refusal_destroy(struct refusal *r)
{
	list_remove(&r->in_slave);
	parcel_fini(&r->what);
	free(r);
}

static void refusal_turn(struct drf *d, struct refusal *r, bool hides)
{
	struct filter *f;

	r->hides = hides;
	LIST_FOREACH (f, &r->filters, struct filter, in_refusal) {
		if (hides)
			bit_set(&r->slave->hidden, f->pair.client);
		else
			bit_review(d, r->slave, f->pair.client);
	}
}

void filters_look(struct drf *d, struct slave *s, const struct parcel *free_part)
{
	struct refusal *r;

	if (!s->filters_stale)
		return;
	s->filters_stale = false;
	LIST_FOREACH (r, &s->hidden.refusals, struct refusal, in_slave) {
		/* Rule 33: hidden while what was refused contains all that is free. */
		bool hides = parcel_contains(&r->what, free_part);
		if (hides != r->hides)
			refusal_turn(d, r, hides);
	}
}

/* --------------------------------------------------------------------------------------------------------- filters */

void filters_init(struct hidden *h)
{
	*h = (struct hidden){0};
	list_init(&h->refusals);
}

static void filter_create(struct drf *d, struct refusal *r, struct client *c, int64_t until_ms)
{
	struct filter *f = xcalloc(1, sizeof(*f));

	f->refusal = r;
	list_push(&r->filters, &f->in_refusal);
	list_push(&c->filters, &f->in_client);
	pairs_put(&d->filters.pairs, &f->pair, r->slave->slot.place, c->slot.place);
	heap_add(&d->filters, f, until_ms);
	r->slave->hidden.n_filters++;
	if (r->hides)
		bit_set(&r->slave->hidden, c->slot.place);
}

static void filter_destroy(struct drf *d, struct filter *f)
{
	struct refusal *r = f->refusal;
	struct slave *s = r->slave;

	list_remove(&f->in_refusal);
	list_remove(&f->in_client);
	pairs_del(&d->filters.pairs, &f->pair);
	heap_remove(&d->filters, f->at);
	bit_review(d, s, f->pair.client);
	free(f);
	if (list_empty(&r->filters))
		refusal_destroy(r);
	if (!--s->hidden.n_filters) {
		free(s->hidden.bits);
		s->hidden.bits = NULL;
		s->hidden.n_words = 0;
	}
}

static int64_t until(const struct drf *d, const struct filter *f)
{
	return d->filters.heap[f->at].until_ms;
}

/* Drops the pair's filters that a new one covers in both parcel and time. True when an old one covers the new. */
static bool covered(struct drf *d, struct slave *s, struct client *c, const struct parcel *refused, int64_t until_ms)
{
	struct filter *first_due = NULL;
	size_t n = 0;

	for (struct pair *p = pairs_first(&d->filters.pairs, s->slot.place, c->slot.place), *next; p; p = next) {
		struct filter *f = CONTAINER_OF(p, struct filter, pair);
		next = pairs_next(p);
		if (until(d, f) >= until_ms && parcel_contains(&f->refusal->what, refused))
			return true;
		if (until(d, f) <= until_ms && parcel_contains(refused, &f->refusal->what)) {
			filter_destroy(d, f);
			continue;
		}
		n++;
		if (!first_due || until(d, f) < until(d, first_due))
			first_due = f;
	}
	if (n >= FILTERS_MAX_PER_PAIR) {
		filter_destroy(d, first_due);
		ledger_mark(d, s);
	}
	return false;
}

void filters_add(struct drf *d, struct slave *s, struct client *c, const struct parcel *refused, int64_t until_ms)
{
	if (!covered(d, s, c, refused, until_ms))
		filter_create(d, refusal_need(s, refused), c, until_ms);
}

void filters_drop_client(struct drf *d, struct client *c)
{
	struct filter *f;

	LIST_FOREACH (f, &c->filters, struct filter, in_client) {
		ledger_mark(d, f->refusal->slave);
		filter_destroy(d, f);
	}
}

void filters_drop_slave(struct drf *d, struct slave *s)
{
	while (!list_empty(&s->hidden.refusals)) {
		struct refusal *r = CONTAINER_OF(list_first(&s->hidden.refusals), struct refusal, in_slave);
		filter_destroy(d, CONTAINER_OF(list_first(&r->filters), struct filter, in_refusal));
	}
}

void filters_forget_scalar(struct slave *s, uint32_t number)
{
	struct refusal *r;

	LIST_FOREACH (r, &s->hidden.refusals, struct refusal, in_slave)
		amounts_clear(&r->what.scalars, number);
}

void filters_expire(struct drf *d, int64_t now_ms)
{
	while (d->filters.n && d->filters.heap[0].until_ms <= now_ms) {
		struct filter *f = d->filters.heap[0].filter;
		ledger_mark(d, f->refusal->slave);
		filter_destroy(d, f);
	}
}

bool filters_match(const struct drf *d, const struct slave *s, uint32_t client, const struct parcel *free_part,
                   int64_t now_ms)
{
	for (const struct pair *p = pairs_first(&d->filters.pairs, s->slot.place, client); p; p = pairs_next(p)) {
		const struct filter *f = CONTAINER_OF(p, struct filter, pair);
		if (until(d, f) > now_ms && parcel_contains(&f->refusal->what, free_part))
			return true;
	}
	return false;
}

void filters_fini(struct drf *d)
{
	pairs_fini(&d->filters.pairs);
	free(d->filters.heap);
}
