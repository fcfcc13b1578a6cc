/* Things with handles: an id is a place in a table and the generation of that place, so that the id of something removed
 * never leads to what came after it. 24 bits of place, 1 of kind, 39 of generation.
 *
 * Things of one kind lie side by side in blocks that never move; each begins with a struct slot. */
#ifndef FL_DRF_SLOTS_H
#define FL_DRF_SLOTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define SLOTS_MAX ((uint32_t)1 << 24)
#define SLOTS_BLOCK 64 /* things in a block */

struct slot {
	uint64_t generation; /* of the present or the next thing here, from 1 */
	uint32_t place;
	bool used;
};

struct slots {
	size_t size;   /* of a thing, a multiple of a cache line */
	uint32_t kind; /* 0 or 1: ids of one table mean nothing in the other */
	void **blocks;
	uint32_t n, n_blocks;
	uint32_t *vacant; /* places below n without a thing; the last one is used next */
	uint32_t n_vacant, vacant_capacity;
};

void slots_init(struct slots *s, uint32_t kind, size_t size_of_thing);
void slots_fini(struct slots *s);
/* A new thing, zeroed after its struct slot; NULL when the table is full. */
void *slots_add(struct slots *s);
void slots_remove(struct slots *s, void *thing);
uint64_t slots_id(const struct slots *s, const void *thing);

/* The thing at a place below n; it may be unused. */
static inline struct slot *slots_at(const struct slots *s, uint32_t place)
{
	return (struct slot *)((char *)s->blocks[place / SLOTS_BLOCK] + place % SLOTS_BLOCK * s->size);
}
/* NULL when the id is not of a present thing. */
void *slots_find(const struct slots *s, uint64_t id);
/* The same without touching its memory: for asking for it early. */
void *slots_guess(const struct slots *s, uint64_t id);

/* Walks the things present. var: a pointer whose first member is a struct slot. */
#define SLOTS_FOREACH(var, s)                                      \
	for (uint32_t _i_##var = 0; _i_##var < (s)->n; _i_##var++) \
		if (slots_at((s), _i_##var)->used && ((var) = (void *)slots_at((s), _i_##var), 1))

#endif
