/* Resource arithmetic. An item matches another by name and type; both arrays are sorted by that, so every operation is one
 * walk along both. Comparing allocates nothing; adding and subtracting scalars that are there already neither. */
#include "msg/resources.h"

#include <assert.h>
#include <errno.h>
#include <fairlead/types.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "msg/ranges.h"
#include "msg/words.h"

/* ------------------------------------------------------------------------------------------------------- items */

static int compare(const struct resource_item *a, const struct resource_item *b)
{
	int order = strcmp(a->name, b->name);
	return order ? order : a->type - b->type;
}

void resource_item_fini(struct resource_item *item)
{
	free(item->ranges);
	words_fini(item->words, item->n_words);
	*item = (struct resource_item){0};
}

static bool item_empty(const struct resource_item *item)
{
	return !item->milli && !item->n_ranges && !item->n_words;
}

static struct resource_item item_copy(const struct resource_item *from)
{
	struct resource_item copy = *from;

	if (from->ranges)
		copy.ranges = xmemdup(from->ranges, from->n_ranges * sizeof(*from->ranges));
	copy.words = words_copy(from->words, from->n_words);
	return copy;
}

static bool item_contains(const struct resource_item *a, const struct resource_item *b)
{
	return a->milli >= b->milli && ranges_contain(a->ranges, a->n_ranges, b->ranges, b->n_ranges) &&
	       words_contain(a->words, a->n_words, b->words, b->n_words);
}

static bool item_equal(const struct resource_item *a, const struct resource_item *b)
{
	return !compare(a, b) && a->milli == b->milli && ranges_equal(a->ranges, a->n_ranges, b->ranges, b->n_ranges) &&
	       words_equal(a->words, a->n_words, b->words, b->n_words);
}

typedef size_t (*range_op)(const struct resource_range *, size_t, const struct resource_range *, size_t,
                           struct resource_range *);

static void set_ranges(struct resource_item *a, const struct resource_item *b, range_op op)
{
	struct resource_range *out = xmalloc((a->n_ranges + b->n_ranges) * sizeof(*out));

	a->n_ranges = op(a->ranges, a->n_ranges, b->ranges, b->n_ranges, out);
	free(a->ranges);
	a->ranges = out;
}

static void item_add(struct resource_item *a, const struct resource_item *b)
{
	bool overflow = __builtin_add_overflow(a->milli, b->milli, &a->milli);

	assert(!overflow); /* totals are limited at the door */
	if (a->type == FL_RANGES)
		set_ranges(a, b, ranges_union);
	else if (a->type == FL_SET)
		a->words = words_union(a->words, a->n_words, b->words, b->n_words, &a->n_words);
}

static void item_sub(struct resource_item *a, const struct resource_item *b)
{
	assert(item_contains(a, b));
	a->milli -= b->milli;
	if (a->type == FL_RANGES)
		set_ranges(a, b, ranges_subtract);
	else if (a->type == FL_SET)
		a->n_words = words_filter(a->words, a->n_words, b->words, b->n_words, false);
}

static void item_intersect(struct resource_item *a, const struct resource_item *b)
{
	if (a->milli > b->milli)
		a->milli = b->milli;
	if (a->type == FL_RANGES)
		set_ranges(a, b, ranges_intersect);
	else if (a->type == FL_SET)
		a->n_words = words_filter(a->words, a->n_words, b->words, b->n_words, true);
}

/* ------------------------------------------------------------------------------------------------------ values */

void resources_fini(struct resources *r)
{
	for (size_t i = 0; i < r->n_items; i++)
		resource_item_fini(&r->items[i]);
	free(r->items);
	*r = (struct resources){0};
}

void resources_copy(struct resources *to, const struct resources *from)
{
	struct resources fresh = {0};

	if (from->n_items)
		fresh.items = xmalloc(from->n_items * sizeof(*fresh.items));
	for (; fresh.n_items < from->n_items; fresh.n_items++)
		fresh.items[fresh.n_items] = item_copy(&from->items[fresh.n_items]);
	resources_fini(to);
	*to = fresh;
}

bool resources_empty(const struct resources *r)
{
	return !r->n_items;
}

bool resources_equal(const struct resources *a, const struct resources *b)
{
	if (a->n_items != b->n_items)
		return false;
	for (size_t i = 0; i < a->n_items; i++)
		if (!item_equal(&a->items[i], &b->items[i]))
			return false;
	return true;
}

/* Where an item that compares like key is or would be; *ret_found tells which. */
static size_t find(const struct resources *r, const struct resource_item *key, bool *ret_found)
{
	size_t low = 0, high = r->n_items;
	int order = 1;

	while (low < high) {
		size_t middle = low + (high - low) / 2;
		order = compare(&r->items[middle], key);
		if (order == 0) {
			*ret_found = true;
			return middle;
		}
		if (order < 0)
			low = middle + 1;
		else
			high = middle;
	}
	*ret_found = false;
	return low;
}

static void insert(struct resources *r, size_t at, const struct resource_item *item)
{
	r->items = xrealloc(r->items, (r->n_items + 1) * sizeof(*r->items));
	memmove(&r->items[at + 1], &r->items[at], (r->n_items - at) * sizeof(*r->items));
	r->items[at] = *item;
	r->n_items++;
}

/* Drops items that became empty. */
static void compact(struct resources *r)
{
	size_t n = 0;

	for (size_t i = 0; i < r->n_items; i++) {
		if (item_empty(&r->items[i]))
			resource_item_fini(&r->items[i]);
		else if (n++ != i)
			r->items[n - 1] = r->items[i];
	}
	r->n_items = n;
}

/* Moves *i on to the first item of r that is not before key; true when they match. */
static bool seek(const struct resources *r, size_t *i, const struct resource_item *key)
{
	int order = -1;

	while (*i < r->n_items && (order = compare(&r->items[*i], key)) < 0)
		++*i;
	return *i < r->n_items && order == 0;
}

bool resources_contains(const struct resources *a, const struct resources *b)
{
	size_t i = 0;

	for (size_t j = 0; j < b->n_items; j++)
		if (!seek(a, &i, &b->items[j]) || !item_contains(&a->items[i], &b->items[j]))
			return false;
	return true;
}

void resources_add(struct resources *a, const struct resources *b)
{
	size_t i = 0;

	for (size_t j = 0; j < b->n_items; j++) {
		if (seek(a, &i, &b->items[j])) {
			item_add(&a->items[i], &b->items[j]);
			continue;
		}
		struct resource_item copy = item_copy(&b->items[j]);
		insert(a, i, &copy);
	}
}

void resources_sub(struct resources *a, const struct resources *b)
{
	size_t i = 0;

	if (a == b) {
		resources_fini(a);
		return;
	}
	for (size_t j = 0; j < b->n_items; j++) {
		bool found = seek(a, &i, &b->items[j]);
		assert(found);
		item_sub(&a->items[i], &b->items[j]);
	}
	compact(a);
}

void resources_intersect(struct resources *a, const struct resources *b)
{
	size_t j = 0;

	for (size_t i = 0; a != b && i < a->n_items; i++) {
		if (seek(b, &j, &a->items[i]))
			item_intersect(&a->items[i], &b->items[j]);
		else
			resource_item_fini(&a->items[i]);
	}
	compact(a);
}

static struct resource_item scalar_key(const char *name)
{
	struct resource_item key = {.type = FL_SCALAR};
	size_t n = strlen(name);

	assert(n && n < sizeof(key.name));
	memcpy(key.name, name, n);
	return key;
}

int64_t resources_scalar(const struct resources *r, const char *name)
{
	for (size_t i = 0; i < r->n_items; i++)
		if (r->items[i].type == FL_SCALAR && !strcmp(r->items[i].name, name))
			return r->items[i].milli;
	return 0;
}

void resources_set_scalar(struct resources *r, const char *name, int64_t milli)
{
	struct resource_item key = scalar_key(name);
	bool found;
	size_t at = find(r, &key, &found);

	assert(milli >= 0);
	key.milli = milli;
	if (found)
		r->items[at].milli = milli;
	else
		insert(r, at, &key);
	compact(r);
}

/* --------------------------------------------------------------------------------------- from outside: take */

static int check_type(const struct resources *r, size_t at, const struct resource_item *item, struct err *err)
{
	/* Items of the same name and another type are neighbours of the place. */
	if ((at > 0 && !strcmp(r->items[at - 1].name, item->name)) ||
	    (at < r->n_items && !strcmp(r->items[at].name, item->name)))
		return err_set(err, EINVAL, "%s has two types", item->name);
	if (r->n_items >= RESOURCES_MAX_NAMES)
		return err_set(err, EINVAL, "more than %d resources", RESOURCES_MAX_NAMES);
	return 0;
}

static int check_sum(const struct resource_item *a, const struct resource_item *b, struct err *err)
{
	if (a->milli > RESOURCES_MAX_MILLI - b->milli)
		return err_set(err, EINVAL, "%s is too large", b->name);
	if (ranges_meet(a->ranges, a->n_ranges, b->ranges, b->n_ranges))
		return err_set(err, EINVAL, "%s has ranges that overlap", b->name);
	if (words_meet(a->words, a->n_words, b->words, b->n_words))
		return err_set(err, EINVAL, "%s has a word twice", b->name);
	if (a->n_ranges + b->n_ranges > RESOURCES_MAX_RANGES || a->n_words + b->n_words > RESOURCES_MAX_RANGES)
		return err_set(err, EINVAL, "%s has more than %d parts", b->name, RESOURCES_MAX_RANGES);
	return 0;
}

int resources_take(struct resources *r, struct resource_item *item, struct err *err)
{
	static const struct resource_item none;
	bool found;
	size_t at = find(r, item, &found);
	int status = check_sum(found ? &r->items[at] : &none, item, err);

	if (status == 0 && !found)
		status = check_type(r, at, item, err);
	if (status < 0)
		return status;
	if (found)
		item_add(&r->items[at], item);
	if (found || item_empty(item))
		resource_item_fini(item);
	else
		insert(r, at, item);
	*item = (struct resource_item){0};
	return 0;
}
