/* Resource arithmetic. Quantities are int64 thousandths, ranges and sets as Mesos has them (reference/mesos.md 2.14).
 *
 * A struct resources is a value: a small sorted array of named quantities, owned by whoever declares it. Zero-initialised
 * is empty and valid. Names are interned per value (short, at most 63 bytes). */
#ifndef FL_MSG_RESOURCES_H
#define FL_MSG_RESOURCES_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;
struct fl_resource;
struct zone;

#define RESOURCES_MAX_NAMES 64
#define RESOURCES_MAX_RANGES 4096
#define RESOURCES_MAX_MILLI ((int64_t)1 << 50)

struct resource_range {
	uint64_t begin, end;
};

struct resource_item {
	char name[64];
	int type;                      /* enum fl_value_type */
	int64_t milli;                 /* FL_SCALAR */
	struct resource_range *ranges; /* FL_RANGES: sorted, disjoint, not adjacent */
	size_t n_ranges;
	char **words; /* FL_SET: sorted, unique */
	size_t n_words;
};

struct resources {
	struct resource_item *items; /* sorted by name, none empty */
	size_t n_items;
};

void resources_fini(struct resources *r);
void resources_copy(struct resources *to, const struct resources *from); /* replaces what `to` held */
bool resources_empty(const struct resources *r);
bool resources_equal(const struct resources *a, const struct resources *b);

/* Items match when name and type are equal: a scalar and a set of one name are strangers to each other.
 * a contains b: for each item of b, a has at least as much (subset for ranges and sets). */
bool resources_contains(const struct resources *a, const struct resources *b);
void resources_add(struct resources *a, const struct resources *b);
/* a -= b; b must be contained (asserted). */
void resources_sub(struct resources *a, const struct resources *b);
/* a := what is in both. */
void resources_intersect(struct resources *a, const struct resources *b);
/* Quantity of a scalar, 0 when absent. */
int64_t resources_scalar(const struct resources *r, const char *name);
void resources_set_scalar(struct resources *r, const char *name, int64_t milli);

/* Adds one item and takes over its ranges and words, which must be in order; the item is empty afterwards. An empty one
 * is dropped. -EINVAL when the name has another type, when ranges overlap or words repeat, or above a limit; the item is
 * then still the caller's. */
int resources_take(struct resources *r, struct resource_item *item, struct err *err);
void resource_item_fini(struct resource_item *item);

/* "cpus:4;mem:1024;ports:[31000-32000,33000-33001];tags:{a,b}" (rule 165; no roles yet: "mem(role):1" is refused). */
int resources_parse(const char *text, struct resources *ret, struct err *err);
/* The same form, items in order of name. */
void resources_print(const struct resources *r, struct buf *out);

/* From and to wire records. from_wire validates (rules 160, 161, 176): known type with its body, no negative quantity,
 * begin <= end, no overlap, one type per name, limits above; reservations, disk, revocable, shared are refused as "not
 * supported yet". */
int resources_from_wire(const struct fl_resource *list, size_t n, struct resources *ret, struct err *err);
/* Allocates the list in zone. */
void resources_to_wire(const struct resources *r, struct zone *zone, struct fl_resource **ret_list, size_t *ret_n);

#endif
