/* Range arithmetic: every operation is one walk along both arrays. */
#include "msg/ranges.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

static int compare(const void *a, const void *b)
{
	const struct resource_range *x = a, *y = b;
	return x->begin < y->begin ? -1 : x->begin > y->begin;
}

/* Appends r, which does not begin before the last of out; joins it when they touch. */
static size_t append(struct resource_range *out, size_t n, struct resource_range r)
{
	struct resource_range *last = n ? &out[n - 1] : NULL;

	/* last->end + 1 would wrap at the top. */
	if (last && (r.begin <= last->end || r.begin - 1 == last->end)) {
		if (r.end > last->end)
			last->end = r.end;
		return n;
	}
	out[n] = r;
	return n + 1;
}

int ranges_normalize(struct resource_range *r, size_t *n)
{
	size_t kept = 0;

	for (size_t i = 0; i < *n; i++)
		if (r[i].begin > r[i].end)
			return -EINVAL;
	if (*n > 1)
		qsort(r, *n, sizeof(*r), compare);
	for (size_t i = 1; i < *n; i++)
		if (r[i].begin <= r[i - 1].end)
			return -EEXIST;
	for (size_t i = 0; i < *n; i++)
		kept = append(r, kept, r[i]);
	*n = kept;
	return 0;
}

bool ranges_equal(const struct resource_range *a, size_t n_a, const struct resource_range *b, size_t n_b)
{
	return n_a == n_b && (!n_a || !memcmp(a, b, n_a * sizeof(*a)));
}

bool ranges_contain(const struct resource_range *a, size_t n_a, const struct resource_range *b, size_t n_b)
{
	size_t i = 0;

	for (size_t j = 0; j < n_b; j++) {
		while (i < n_a && a[i].end < b[j].begin)
			i++;
		/* Ranges of a are not adjacent, so one of them must cover b[j] alone. */
		if (i == n_a || a[i].begin > b[j].begin || a[i].end < b[j].end)
			return false;
	}
	return true;
}

bool ranges_meet(const struct resource_range *a, size_t n_a, const struct resource_range *b, size_t n_b)
{
	for (size_t i = 0, j = 0; i < n_a && j < n_b;) {
		if (a[i].end < b[j].begin)
			i++;
		else if (b[j].end < a[i].begin)
			j++;
		else
			return true;
	}
	return false;
}

size_t ranges_union(const struct resource_range *a, size_t n_a, const struct resource_range *b, size_t n_b,
                    struct resource_range *out)
{
	size_t n = 0;

	for (size_t i = 0, j = 0; i < n_a || j < n_b;) {
		bool from_a = j == n_b || (i < n_a && a[i].begin <= b[j].begin);
		n = append(out, n, from_a ? a[i++] : b[j++]);
	}
	return n;
}

size_t ranges_intersect(const struct resource_range *a, size_t n_a, const struct resource_range *b, size_t n_b,
                        struct resource_range *out)
{
	size_t n = 0;

	for (size_t i = 0, j = 0; i < n_a && j < n_b;) {
		uint64_t begin = a[i].begin > b[j].begin ? a[i].begin : b[j].begin;
		uint64_t end = a[i].end < b[j].end ? a[i].end : b[j].end;
		if (begin <= end)
			out[n++] = (struct resource_range){begin, end};
		if (a[i].end < b[j].end)
			i++;
		else
			j++;
	}
	return n;
}

size_t ranges_subtract(const struct resource_range *a, size_t n_a, const struct resource_range *b, size_t n_b,
                       struct resource_range *out)
{
	size_t n = 0, j = 0;

	for (size_t i = 0; i < n_a; i++) {
		struct resource_range rest = a[i];
		bool left = true;
		while (j < n_b && b[j].end < rest.begin)
			j++;
		while (left && j < n_b && b[j].begin <= rest.end) {
			if (b[j].begin > rest.begin)
				out[n++] = (struct resource_range){rest.begin, b[j].begin - 1};
			left = b[j].end < rest.end;
			if (left)
				rest.begin = b[j++].end + 1;
		}
		if (left)
			out[n++] = rest;
	}
	return n;
}
