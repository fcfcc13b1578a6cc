/* What each client holds on one slave: an array in order of the clients' places, found by halving. Two lie inside, because
 * a visit finds them cold. Pointers into it last until the next holdings_need or holdings_drop. */
#ifndef FL_DRF_HOLDINGS_H
#define FL_DRF_HOLDINGS_H

#include <stdint.h>

#include "drf/parcel.h"

struct holding {
	uint32_t client; /* its place */
	struct parcel what;
};

#define HOLDINGS_FEW 2

struct holdings {
	uint32_t n;
	uint32_t capacity; /* of many; 0 while few are enough */
	union {
		struct holding few[HOLDINGS_FEW];
		struct holding *many;
	};
};

static inline struct holding *holdings_at(const struct holdings *h, uint32_t i)
{
	return (struct holding *)(h->capacity ? h->many : h->few) + i;
}

void holdings_fini(struct holdings *h);
struct holding *holdings_find(const struct holdings *h, uint32_t client); /* or NULL */
/* Finds it or makes an empty one. */
struct holding *holdings_need(struct holdings *h, uint32_t client, bool *ret_made);
void holdings_drop(struct holdings *h, struct holding *one);

#endif
