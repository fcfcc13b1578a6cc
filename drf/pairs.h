/* What lies between a slave and a client, found by the places of both. Intrusive; several entries may have one key. */
#ifndef FL_DRF_PAIRS_H
#define FL_DRF_PAIRS_H

#include <stddef.h>
#include <stdint.h>

struct pair {
	struct pair *chain;
	uint32_t slave, client; /* places */
};

struct pairs {
	struct pair **buckets;
	size_t n_buckets, count;
};

void pairs_fini(struct pairs *t); /* frees the buckets, not the entries */
void pairs_put(struct pairs *t, struct pair *p, uint32_t slave, uint32_t client);
void pairs_del(struct pairs *t, struct pair *p);
struct pair *pairs_first(const struct pairs *t, uint32_t slave, uint32_t client);
struct pair *pairs_next(const struct pair *p); /* the next with the same key */

#endif
