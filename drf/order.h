/* Siblings in the order of whose turn it is: lower weighted share first, then fewer grants, then the name.
 *
 * A treap with parent links for finding a place, O(log n), and a list through it for walking, O(1). A ranked thing embeds
 * a struct rank; its key may change while it is inside only when order_in_place is asked next, and obeyed. */
#ifndef FL_DRF_ORDER_H
#define FL_DRF_ORDER_H

#include <stdbool.h>
#include <stdint.h>

#include "drf/shares.h"

struct rank {
	struct share share;
	uint32_t weight;   /* thousandths */
	uint32_t priority; /* of the treap; 0 while outside */
	uint64_t grants;
	const char *name;
	struct rank *left, *right, *parent;
	struct rank *previous, *next;
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
/* Whether r, inside, still lies between its neighbours. */
bool order_in_place(const struct rank *r);

#endif
