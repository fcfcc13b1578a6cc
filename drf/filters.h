/* Decline filters (Mesos, NSDI'11, "Making Resource Offers Scalable and Robust"), made cheap for clusters in which
 * everybody declines everything.
 *
 * Clients offered the same part of a slave refuse the same, so a slave keeps each different refused parcel once, as a
 * refusal; a filter is a client's tie to a refusal until a time. A refusal `hides` when it contains what is free now,
 * found out once per change of what is free; a bit per client tells whether any of its filters here hides. So passing
 * over a client in a round costs one bit. */
#ifndef FL_DRF_FILTERS_H
#define FL_DRF_FILTERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "drf/pairs.h"
#include "drf/parcel.h"

#define FILTERS_MAX_PER_PAIR 16 /* of one client on one slave; more drop the one that ends first */

struct client;
struct drf;
struct slave;

struct refusal {
	struct list_node in_slave;
	struct slave *slave;
	struct parcel what;
	struct list filters;
	bool hides;
};

struct filter {
	struct pair pair; /* first; names the client */
	struct list_node in_refusal, in_client;
	struct refusal *refusal;
	size_t at; /* in the heap, which knows until when */
};

struct filter_due {
	int64_t until_ms;
	struct filter *filter;
};

struct filters {
	struct pairs pairs;
	struct filter_due *heap; /* the one that ends first on top */
	size_t n, capacity;
};

struct hidden { /* part of a slave */
	uint32_t n_filters;
	uint32_t n_words;
	uint64_t *bits; /* by client's place; NULL when there is no filter */
	struct list refusals;
};

void filters_init(struct hidden *h);
void filters_fini(struct drf *d);
/* Adds one; drops those of the pair that it makes superfluous. */
void filters_add(struct drf *d, struct slave *s, struct client *c, const struct parcel *refused, int64_t until_ms);
void filters_drop_client(struct drf *d, struct client *c); /* marks the slaves */
void filters_drop_slave(struct drf *d, struct slave *s);
void filters_forget_scalar(struct slave *s, uint32_t number); /* the number is going to mean another name */
void filters_expire(struct drf *d, int64_t now_ms);           /* marks the slaves */
/* Finds out anew, if it must, which refusals contain what is free. */
void filters_look(struct drf *d, struct slave *s, const struct parcel *free_part);

/* As of the last filters_look. */
static inline bool filters_hide(const struct hidden *h, uint32_t client)
{
	return client / 64 < h->n_words && (h->bits[client / 64] >> client % 64 & 1);
}
/* The same from the ground up. */
bool filters_match(const struct drf *d, const struct slave *s, uint32_t client, const struct parcel *free_part,
                   int64_t now_ms);

#endif
