/* Siblings in the order of whose turn it is: lower weighted share first, then fewer grants, then the name.
 *
 * A treap with parent links: insert and remove in O(log n), the first in O(1), the next in O(1) amortised. A ranked
 * thing embeds a struct rank; its key may change only while it is outside, or in ways that keep its place. */
#ifndef FL_DRF_ORDER_H
#define FL_DRF_ORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "drf/shares.h"

struct rank { /* one cache line: a search touches these and nothing else */
	struct rank *parent, *left, *right;
	uint32_t priority; /* of the treap; 0 while outside */
	uint32_t weight;   /* thousandths */
	struct share share;
	uint64_t grants;
	const char *name;
};

struct order {
	struct rank *root, *first;
};

/* Negative when a comes before b. */
int rank_compare(const struct rank *a, const struct rank *b);
static inline bool rank_linked(const struct rank *r)
{
	return r->priority != 0;
}

/* priority: random. */
void order_insert(struct order *o, struct rank *r, uint32_t priority);
void order_remove(struct order *o, struct rank *r);
struct rank *order_next(const struct rank *r); /* NULL after the last */
/* Whether r, inside, still lies between its neighbours. */
bool order_in_place(const struct rank *r);

#endif
