/* Handles: an id is a place in a table and the generation of that place, so that the id of something removed never
 * leads to what came after it. 24 bits of place, 1 of kind, 39 of generation. */
#ifndef FL_DRF_SLOTS_H
#define FL_DRF_SLOTS_H

#include <stddef.h>
#include <stdint.h>

#define SLOTS_MAX ((uint32_t)1 << 24)

struct slot {
	void *thing;
	uint64_t generation; /* of the present or the next thing, from 1 */
};

struct slots {
	struct slot *v;
	uint32_t n, capacity;
	uint32_t *vacant; /* places below n without a thing; the last one is used next */
	uint32_t n_vacant;
	uint32_t kind; /* 0 or 1: ids of one table mean nothing in the other */
};

void slots_fini(struct slots *s);
/* The place given to thing; UINT32_MAX when all are taken. */
uint32_t slots_add(struct slots *s, void *thing);
void slots_remove(struct slots *s, uint32_t place);
uint64_t slots_id(const struct slots *s, uint32_t place);
void *slots_find(const struct slots *s, uint64_t id); /* NULL when the id is not of a present thing */

#endif
