/* Resources of one slave, offered to one framework in one role. */
#ifndef FL_MASTER_OFFER_H
#define FL_MASTER_OFFER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/loop.h"
#include "base/sm.h"
#include "drf/drf.h"
#include "msg/resources.h"

#include <fairlead/types.h>

struct framework;
struct master;
struct slave;
struct zone;

enum offer_sm { OFFER_OUT, OFFER_ACCEPTED, OFFER_DECLINED, OFFER_RESCINDED, OFFER_EXPIRED, OFFER_DISCARDED };

struct offer {
	struct hash_node node;
	struct list_node by_slave, by_framework, fresh;
	struct master *m;
	struct sm sm;
	char *id, *framework_id, *slave_id, *role;
	drf_id client;
	struct resources resources;
	struct timer timer;
	int64_t made_ms;
	bool named; /* marked by the call that is being handled; false between calls */
};

/* The ledger has granted it; the offer holds it from now on. */
struct offer *offer_create(struct master *m, struct slave *s, struct framework *f, drf_id client,
                           const struct resources *resources);
struct offer *offer_find(const struct master *m, const char *id);
/* Leaves OUT and is destroyed. What of it is in *used (may be NULL) is taken out of there and stays held, for tasks; the
 * rest goes back to the ledger. RESCINDED and EXPIRED tell the framework. */
void offer_end(struct offer *o, enum fl_offer_outcome outcome, struct resources *used);
/* Ends all OUT offers of the framework among ids, with one filter for each slave over all that comes back from it
 * (filter_ms 0: none). Unknown ids and those of others are passed over. Returns how many ended. */
size_t offers_return(struct framework *f, const char *const *ids, size_t n, enum fl_offer_outcome outcome,
                     int64_t filter_ms);
/* How long to filter: refuse_seconds with its rules (NULL: the default, which grows while nothing is used). */
int64_t offer_filter_ms(struct framework *f, const struct fl_filters *filters);
/* A borrowed view, valid this turn. */
void offer_to_wire(const struct offer *o, struct zone *zone, struct fl_offer *ret);

#endif
