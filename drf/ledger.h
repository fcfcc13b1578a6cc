/* The ledger's own nouns, for the files of drf/ only.
 *
 *   slave    total, what is held there, its refusals; in the list `dirty` (to be visited), `idle` (something is free
 *            that no candidate may have) or neither (nothing to give)
 *   client   a node of the tree, and its filters
 *   holding  what one client holds on one slave (offered counts as held)
 *   filters  see filters.h
 *
 * Invariants (all checked by drf_check): holdings add up to slaves' and to clients' sums, clients' to roles' and to the
 * cluster's; no slave in `idle` has a candidate that may have it; cluster sums stay at or below DRF_TOTAL_MAX. */
#ifndef FL_DRF_LEDGER_H
#define FL_DRF_LEDGER_H

#include "base/hash.h"
#include "base/list.h"
#include "drf/drf.h"
#include "drf/filters.h"
#include "drf/names.h"
#include "drf/pairs.h"
#include "drf/parcel.h"
#include "drf/slots.h"
#include "drf/tree.h"

struct slave {
	struct hash_node by_name;
	struct list_node work; /* in dirty or idle */
	char *name;
	uint32_t place;
	bool active;
	bool crowded; /* others (ranges, sets) are held twice or beyond the total: free_others must be made anew */
	uint64_t nobody; /* the epoch in which nobody wanted what is free; 0 when not known */
	struct parcel total;
	struct amounts held;
	struct resources free_others;
	struct list holdings;
	struct hidden hidden;
};

struct client {
	struct node node;
	struct hash_node by_key; /* role/framework; unlinked once removed */
	char *key;
	const char *framework; /* the end of key */
	bool active, suppressed;
	bool removed; /* only its holdings are left */
	uint32_t n_holdings;
	struct list filters;
};

struct holding {
	struct pair pair; /* first */
	struct list_node in_slave;
	struct parcel what;
};

struct drf {
	struct names names;
	struct tree tree;
	struct slots slaves, clients;
	struct hash slaves_by_name, clients_by_key;
	struct pairs holdings;
	struct filters filters;
	struct list dirty, idle;
	uint64_t epoch; /* raised when a client becomes a candidate */
	struct parcel *min_allocatable;
	size_t n_min_allocatable;
	bool in_round;
	drf_id *visits; /* of the round */
	size_t visits_capacity;
	struct parcel_scratch door; /* for what comes in */
	struct parcel_scratch offer, offer_items; /* for what goes out */
	struct resources offer_others;

	drf_audit_fn audit;
	void *audit_user;
};

struct slave *ledger_slave(const struct drf *d, drf_id id);            /* NULL when gone */
struct client *ledger_client(const struct drf *d, drf_id id);          /* NULL when removed */
struct client *ledger_client_or_ghost(const struct drf *d, drf_id id); /* also one that is removed but still holds */
struct client *ledger_client_at(const struct drf *d, uint32_t place);
struct holding *ledger_holding(const struct drf *d, const struct slave *s, const struct client *c); /* or NULL */

/* r as a parcel, borrowed until the next fact; its scalars get numbers. -E2BIG when there are too many names. */
int ledger_enter(struct drf *d, const struct resources *r, struct parcel *ret, struct err *err);

/* The slave's turn comes in the next round. */
void ledger_mark(struct drf *d, struct slave *s);
/* So does that of all that are idle. */
void ledger_mark_idle(struct drf *d);

/* Books scalars to c on s. Ranges and sets, and the tree, are the caller's to change. */
struct holding *ledger_book(struct drf *d, struct slave *s, struct client *c, const struct amounts *scalars);
/* Destroys a holding, and the client when it was removed and this was its last. */
void ledger_unbook(struct drf *d, struct slave *s, struct client *c, struct holding *h);
void ledger_client_destroy(struct drf *d, struct client *c);

/* What is free on s, borrowed from s and scratch. */
void ledger_free(const struct slave *s, struct parcel_scratch *scratch, struct parcel *ret);
/* Makes free_others anew. */
void ledger_count_others(struct slave *s);
/* Whether as much as p may be granted at all (min allocatable). */
bool ledger_allocatable(const struct drf *d, const struct parcel *p);

#endif
