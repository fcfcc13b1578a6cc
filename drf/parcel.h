/* Resources inside the ledger: scalars as a row of numbers indexed by names.h, and the others (ranges and sets) as they
 * came. A parcel owns its memory unless it was made by parcel_view. */
#ifndef FL_DRF_PARCEL_H
#define FL_DRF_PARCEL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "drf/names.h"
#include "msg/resources.h"

#define AMOUNTS_FEW 4 /* cpus, mem, disk and one more lie inside */

struct amounts {
	uint32_t n; /* from n on all are 0 */
	union {
		int64_t few[AMOUNTS_FEW];
		int64_t *many; /* when n is more */
	};
};

void amounts_fini(struct amounts *a);
static inline const int64_t *amounts_row(const struct amounts *a)
{
	return a->n <= AMOUNTS_FEW ? a->few : a->many;
}
static inline int64_t amounts_get(const struct amounts *a, uint32_t i)
{
	return i < a->n ? amounts_row(a)[i] : 0;
}
void amounts_add(struct amounts *a, const struct amounts *b);
void amounts_sub(struct amounts *a, const struct amounts *b); /* may go below zero: the caller knows better */
bool amounts_contain(const struct amounts *a, const struct amounts *b);
bool amounts_zero(const struct amounts *a);
void amounts_copy(struct amounts *to, const struct amounts *from);
void amounts_clear(struct amounts *a, uint32_t i); /* number i becomes 0 */
/* A row that stays the caller's; never to be changed or freed. */
struct amounts amounts_borrow(int64_t *row, uint32_t n);

struct parcel {
	struct amounts scalars;
	struct resources others;
};

void parcel_fini(struct parcel *p);
bool parcel_empty(const struct parcel *p);
bool parcel_contains(const struct parcel *a, const struct parcel *b);
bool parcel_equal(const struct parcel *a, const struct parcel *b);
void parcel_copy(struct parcel *to, const struct parcel *from);

/* For ranges and sets. others_move: r leaves `from`, where it must be contained, for `to`, where nothing of it may be;
 * nothing is copied when all of it moves; r may be `from`. others_remove: takes out of `from` what of r is there; true when all was. */
void others_add(struct resources *a, const struct resources *b);
void others_move(struct resources *from, struct resources *to, const struct resources *r);
bool others_remove(struct resources *from, const struct resources *r);
bool others_overlap(const struct resources *a, const struct resources *b);
/* Whether some name is a range in one and a set in the other. */
bool others_conflict(const struct resources *a, const struct resources *b);

bool parcel_is_scalar(const struct resource_item *item);

/* Memory for views and for parcels turned back into resources; used again and again, freed once. */
struct parcel_scratch {
	int64_t v[NAMES_MAX];
	struct resource_item *items;
	size_t capacity;
};
void parcel_scratch_fini(struct parcel_scratch *s);

/* r as a parcel that borrows from r and from scratch. Scalars without a number are left out; *ret_unknown tells. */
void parcel_view(const struct names *names, const struct resources *r, struct parcel_scratch *scratch,
                 struct parcel *ret, bool *ret_unknown);
/* p as resources that borrow from p and from scratch. */
void parcel_to_resources(const struct names *names, const struct parcel *p, struct parcel_scratch *scratch,
                         struct resources *ret);

#endif
