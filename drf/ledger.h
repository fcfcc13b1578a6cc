/* The ledger's own nouns, for the files of drf/ only.
 *
 *   slave    total, what is held there (offered counts as held), its refusals; `dirty` (to be visited), in the list
 *            `idle` (something is free that no candidate may have) or neither (nothing to give)
 *   client   a node of the tree, and its filters
 *
 * Invariants (all checked by drf_check): holdings add up to slaves' and to clients' sums, clients' to roles' and to the
 * cluster's; nothing free on a slave in `idle` may go to a candidate; cluster sums stay at or below DRF_TOTAL_MAX. */
#ifndef FL_DRF_LEDGER_H
#define FL_DRF_LEDGER_H

#include "base/hash.h"
#include "base/list.h"
#include "drf/drf.h"
#include "drf/filters.h"
#include "drf/holdings.h"
#include "drf/names.h"
#include "drf/parcel.h"
#include "drf/slots.h"
#include "drf/tree.h"

/* What a visit reads comes first and close together: slaves are visited in random order, so it is found cold. */
struct slave {
	struct slot slot;
	uint64_t nobody; /* the epoch in which nobody wanted what is free; 0 when not known */
	struct amounts total;
	struct amounts held;
	struct resources free_others; /* ranges and sets */
	bool active;
	bool dirty;
	bool crowded;       /* ranges or sets are held twice or beyond the total: free_others must be made anew */
	bool filters_stale; /* what is free changed since the last filters_look */
	struct hidden hidden;
	struct holdings holdings;
	struct resources total_others;
	struct list_node idle;
	struct hash_node by_name;
	char *name;
};

struct client {
	struct slot slot;
	struct node node;
	struct hash_node by_key; /* role/framework; unlinked once removed */
	char *key;
	const char *framework; /* the end of key */
	bool active, suppressed;
	bool removed; /* only its holdings are left */
	uint32_t n_holdings;
	struct list filters;
};

/* Slaves to be visited, by id: those removed since are passed over. */
struct visits {
	drf_id *v;
	size_t n, capacity;
};

struct drf {
	struct names names;
	struct tree tree;
	struct slots slaves, clients;
	struct hash slaves_by_name, clients_by_key;
	struct filters filters;
	struct visits dirty, visits; /* visits: those of this round */
	struct list idle;
	uint64_t *candidates; /* a bit a client, by place */
	uint32_t n_candidate_words;
	uint64_t epoch; /* raised when a client becomes a candidate */
	struct parcel *min_allocatable;
	size_t n_min_allocatable;
	bool in_round;
	struct parcel_scratch door;               /* for what comes in */
	struct parcel_scratch offer, offer_items; /* for what goes out */
	const struct slave *lent;                 /* its free_others lie in an offer that a callback is reading … */
	uint32_t lent_client;                     /* … and in the holding of this client; */
	struct resources lent_others;             /* or here, once that holding had to change */

	drf_audit_fn audit;
	void *audit_user;
};

struct slave *ledger_slave(const struct drf *d, drf_id id);            /* NULL when gone */
struct client *ledger_client(const struct drf *d, drf_id id);          /* NULL when removed */
struct client *ledger_client_or_ghost(const struct drf *d, drf_id id); /* also one that is removed but still holds */
struct client *ledger_client_at(const struct drf *d, uint32_t place);

/* r as a parcel, borrowed until the next fact; its scalars get numbers. -E2BIG when there are too many names. */
int ledger_enter(struct drf *d, const struct resources *r, struct parcel *ret, struct err *err);

/* The slave's turn comes in the next round. */
void ledger_mark(struct drf *d, struct slave *s);
/* So does that of all that are idle. */
void ledger_mark_idle(struct drf *d);

/* Books scalars to c on s. Ranges and sets, and the tree, are the caller's to change. */
struct holding *ledger_book(struct drf *d, struct slave *s, struct client *c, const struct amounts *scalars);
/* To be called before the others of a holding change: an offer that is being read keeps them. */
void ledger_keep_lent(struct drf *d, const struct slave *s, struct holding *h);
/* The client lost a holding; destroys it when it was removed and this was its last. */
void ledger_unbook(struct drf *d, struct client *c);
void ledger_client_destroy(struct drf *d, struct client *c);

/* What is free on s, borrowed from s and scratch. */
void ledger_free(const struct slave *s, struct parcel_scratch *scratch, struct parcel *ret);
/* Makes free_others anew. */
void ledger_count_others(struct slave *s);
/* Whether as much as p may be granted at all (min allocatable). */
bool ledger_allocatable(const struct drf *d, const struct parcel *p);

#endif
