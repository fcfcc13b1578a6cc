/* Ids that age. */
#include "drf/slots.h"

#include <assert.h>

#include "base/mem.h"

#define KIND_SHIFT 24
#define GENERATION_SHIFT 25

void slots_fini(struct slots *s)
{
	free(s->v);
	free(s->vacant);
	*s = (struct slots){.kind = s->kind};
}

static void grow(struct slots *s)
{
	s->capacity = s->capacity ? s->capacity * 2 : 16;
	s->v = xrealloc(s->v, s->capacity * sizeof(*s->v));
	s->vacant = xrealloc(s->vacant, s->capacity * sizeof(*s->vacant));
}

uint32_t slots_add(struct slots *s, void *thing)
{
	uint32_t place;

	if (s->n_vacant) {
		place = s->vacant[--s->n_vacant];
	} else {
		if (s->n == SLOTS_MAX)
			return UINT32_MAX;
		if (s->n == s->capacity)
			grow(s);
		place = s->n++;
		s->v[place].generation = 1;
	}
	s->v[place].thing = thing;
	return place;
}

void slots_remove(struct slots *s, uint32_t place)
{
	assert(place < s->n && s->v[place].thing);
	s->v[place].thing = NULL;
	s->v[place].generation++;
	s->vacant[s->n_vacant++] = place;
}

uint64_t slots_id(const struct slots *s, uint32_t place)
{
	return s->v[place].generation << GENERATION_SHIFT | (uint64_t)s->kind << KIND_SHIFT | place;
}

void *slots_find(const struct slots *s, uint64_t id)
{
	uint32_t place = id & (SLOTS_MAX - 1);

	if ((id >> KIND_SHIFT & 1) != s->kind || place >= s->n || s->v[place].generation != id >> GENERATION_SHIFT)
		return NULL;
	return s->v[place].thing;
}
