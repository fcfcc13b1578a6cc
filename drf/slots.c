/* Ids that age, and the memory behind them. */
#include "drf/slots.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

#define KIND_SHIFT 24
#define GENERATION_SHIFT 25
#define CACHE_LINE 64

void slots_init(struct slots *s, uint32_t kind, size_t size_of_thing)
{
	*s = (struct slots){.kind = kind, .size = (size_of_thing + CACHE_LINE - 1) / CACHE_LINE * CACHE_LINE};
}

void slots_fini(struct slots *s)
{
	for (uint32_t i = 0; i < s->n_blocks; i++)
		free(s->blocks[i]);
	free(s->blocks);
	free(s->vacant);
	slots_init(s, s->kind, s->size);
}

static void add_block(struct slots *s)
{
	void *block = aligned_alloc(CACHE_LINE, SLOTS_BLOCK * s->size);

	if (!block)
		abort(); /* as xcalloc */
	memset(block, 0, SLOTS_BLOCK * s->size);
	s->blocks = xrealloc(s->blocks, (s->n_blocks + 1) * sizeof(*s->blocks));
	s->blocks[s->n_blocks++] = block;
}

static struct slot *fresh(struct slots *s)
{
	struct slot *slot;

	if (s->n == SLOTS_MAX)
		return NULL;
	if (s->n == s->n_blocks * SLOTS_BLOCK)
		add_block(s);
	slot = slots_at(s, s->n);
	*slot = (struct slot){.generation = 1, .place = s->n++};
	return slot;
}

void *slots_add(struct slots *s)
{
	struct slot *slot = s->n_vacant ? slots_at(s, s->vacant[--s->n_vacant]) : fresh(s);

	if (!slot)
		return NULL;
	slot->used = true;
	memset(slot + 1, 0, s->size - sizeof(*slot));
	return slot;
}

void slots_remove(struct slots *s, void *thing)
{
	struct slot *slot = thing;

	assert(slot->used);
	slot->used = false;
	slot->generation++;
	if (s->n_vacant == s->vacant_capacity) {
		s->vacant_capacity = s->vacant_capacity ? s->vacant_capacity * 2 : 64;
		s->vacant = xrealloc(s->vacant, s->vacant_capacity * sizeof(*s->vacant));
	}
	s->vacant[s->n_vacant++] = slot->place;
}

uint64_t slots_id(const struct slots *s, const void *thing)
{
	const struct slot *slot = thing;

	return slot->generation << GENERATION_SHIFT | (uint64_t)s->kind << KIND_SHIFT | slot->place;
}

void *slots_guess(const struct slots *s, uint64_t id)
{
	uint32_t place = id & (SLOTS_MAX - 1);

	return (id >> KIND_SHIFT & 1) == s->kind && place < s->n ? slots_at(s, place) : NULL;
}

void *slots_find(const struct slots *s, uint64_t id)
{
	struct slot *slot = slots_guess(s, id);

	return slot && slot->used && slot->generation == id >> GENERATION_SHIFT ? slot : NULL;
}
