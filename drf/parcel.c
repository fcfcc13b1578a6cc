/* Rows of scalars, and ranges and sets beside them. */
#include "drf/parcel.h"

#include <assert.h>
#include <fairlead/types.h>
#include <string.h>

#include "base/mem.h"

static int64_t *row(struct amounts *a)
{
	return a->n <= AMOUNTS_FEW ? a->few : a->many;
}

void amounts_fini(struct amounts *a)
{
	if (a->n > AMOUNTS_FEW)
		free(a->many);
	*a = (struct amounts){0};
}

static void widen(struct amounts *a, uint32_t n)
{
	if (n <= a->n)
		return;
	if (n > AMOUNTS_FEW) {
		int64_t *many = xcalloc(n, sizeof(*many));
		memcpy(many, row(a), a->n * sizeof(*many));
		amounts_fini(a);
		a->many = many;
	} else {
		for (uint32_t i = a->n; i < n; i++)
			a->few[i] = 0;
	}
	a->n = n;
}

void amounts_add(struct amounts *a, const struct amounts *b)
{
	const int64_t *from = amounts_row(b);

	widen(a, b->n);
	for (uint32_t i = 0; i < b->n; i++)
		row(a)[i] += from[i];
}

void amounts_sub(struct amounts *a, const struct amounts *b)
{
	const int64_t *from = amounts_row(b);

	widen(a, b->n);
	for (uint32_t i = 0; i < b->n; i++)
		row(a)[i] -= from[i];
}

bool amounts_contain(const struct amounts *a, const struct amounts *b)
{
	for (uint32_t i = 0; i < b->n; i++)
		if (amounts_get(b, i) > amounts_get(a, i))
			return false;
	return true;
}

bool amounts_zero(const struct amounts *a)
{
	for (uint32_t i = 0; i < a->n; i++)
		if (amounts_get(a, i))
			return false;
	return true;
}

void amounts_copy(struct amounts *to, const struct amounts *from)
{
	widen(to, from->n);
	for (uint32_t i = 0; i < to->n; i++)
		row(to)[i] = amounts_get(from, i);
}

void amounts_clear(struct amounts *a, uint32_t i)
{
	if (i < a->n)
		row(a)[i] = 0;
}

struct amounts amounts_borrow(int64_t *v, uint32_t n)
{
	struct amounts a = {.n = n};

	if (n > AMOUNTS_FEW)
		a.many = v;
	else
		memcpy(a.few, v, n * sizeof(*v));
	return a;
}

void parcel_fini(struct parcel *p)
{
	amounts_fini(&p->scalars);
	resources_fini(&p->others);
}

bool parcel_empty(const struct parcel *p)
{
	return amounts_zero(&p->scalars) && !p->others.n_items;
}

bool parcel_contains(const struct parcel *a, const struct parcel *b)
{
	return amounts_contain(&a->scalars, &b->scalars) &&
	       (!b->others.n_items || resources_contains(&a->others, &b->others));
}

bool parcel_equal(const struct parcel *a, const struct parcel *b)
{
	return amounts_contain(&a->scalars, &b->scalars) && amounts_contain(&b->scalars, &a->scalars) &&
	       a->others.n_items == b->others.n_items &&
	       (!a->others.n_items || resources_equal(&a->others, &b->others));
}

void others_add(struct resources *a, const struct resources *b)
{
	if (!b->n_items)
		return;
	if (!a->n_items)
		resources_copy(a, b);
	else
		resources_add(a, b);
}

void others_move(struct resources *from, struct resources *to, const struct resources *r)
{
	if (!r->n_items)
		return;
	if (!to->n_items && (from == r || resources_equal(from, r))) {
		struct resources none = *to;
		*to = *from;
		*from = none;
		return;
	}
	others_add(to, r);
	if (from == r)
		resources_fini(from);
	else
		resources_sub(from, r);
}

bool others_remove(struct resources *from, const struct resources *r)
{
	if (!r->n_items)
		return true;
	if (resources_contains(from, r)) {
		resources_sub(from, r);
		return true;
	}
	struct resources there = {0};
	resources_copy(&there, from);
	resources_intersect(&there, r);
	resources_sub(from, &there);
	resources_fini(&there);
	return false;
}

bool others_overlap(const struct resources *a, const struct resources *b)
{
	struct resources both = {0};
	bool overlap;

	if (!a->n_items || !b->n_items)
		return false;
	resources_copy(&both, a);
	resources_intersect(&both, b);
	overlap = both.n_items != 0;
	resources_fini(&both);
	return overlap;
}

bool others_conflict(const struct resources *a, const struct resources *b)
{
	for (size_t i = 0; i < a->n_items; i++)
		for (size_t j = 0; j < b->n_items; j++)
			if (a->items[i].type != b->items[j].type && !strcmp(a->items[i].name, b->items[j].name))
				return true;
	return false;
}

void parcel_copy(struct parcel *to, const struct parcel *from)
{
	amounts_copy(&to->scalars, &from->scalars);
	resources_copy(&to->others, &from->others);
}

void parcel_scratch_fini(struct parcel_scratch *s)
{
	free(s->items);
	*s = (struct parcel_scratch){0};
}

static void reserve(struct parcel_scratch *s, size_t n)
{
	if (n <= s->capacity)
		return;
	s->items = xrealloc(s->items, n * sizeof(*s->items));
	s->capacity = n;
}

bool parcel_is_scalar(const struct resource_item *item)
{
	return item->type == FL_SCALAR;
}

void parcel_view(const struct names *names, const struct resources *r, struct parcel_scratch *scratch,
                 struct parcel *ret, bool *ret_unknown)
{
	uint32_t n = 0; /* a row is as long as its last number above zero */
	size_t n_others = 0;

	*ret_unknown = false;
	memset(scratch->v, 0, names->n * sizeof(scratch->v[0]));
	reserve(scratch, r->n_items);
	for (size_t i = 0; i < r->n_items; i++) {
		const struct resource_item *item = &r->items[i];
		if (!parcel_is_scalar(item)) {
			scratch->items[n_others++] = *item;
			continue;
		}
		uint32_t number = names_find(names, item->name);
		if (number == NAMES_NONE) {
			*ret_unknown = true;
			continue;
		}
		scratch->v[number] = item->milli;
		if (number >= n)
			n = number + 1;
	}
	*ret = (struct parcel){amounts_borrow(scratch->v, n), {scratch->items, n_others}};
}

void parcel_to_resources(const struct names *names, const struct parcel *p, struct parcel_scratch *scratch,
                         struct resources *ret)
{
	const struct resources *others = &p->others;
	size_t n = 0, from_others = 0;

	reserve(scratch, names->n + others->n_items);
	for (uint32_t i = 0; i < names->n_sorted; i++) {
		int64_t milli = amounts_get(&p->scalars, names->sorted[i]);
		const struct resource_item *named = &names->item[names->sorted[i]];
		if (milli <= 0)
			continue;
		while (from_others < others->n_items && strcmp(others->items[from_others].name, named->name) < 0)
			scratch->items[n++] = others->items[from_others++];
		scratch->items[n] = *named;
		scratch->items[n++].milli = milli;
	}
	while (from_others < others->n_items)
		scratch->items[n++] = others->items[from_others++];
	*ret = (struct resources){scratch->items, n};
}
