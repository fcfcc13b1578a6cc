/* The tree of roles: what each node holds, its share, and the order among its candidates.
 *
 *   root ── role "a" ── "."       the role's own clients, as one sibling of its children (a role may be leaf and parent)
 *        │           │  └ clients
 *        │           └─ role "a/b" ── "." ── clients
 *        └─ role "*" ── "." ── clients
 *
 * Invariants: a node holds the sum of its children; a client is a candidate when active and not suppressed; a node is in
 * its parent's order exactly when a candidate lies at or below it. While the tree is stale (totals changed) the order
 * means nothing until tree_refresh. */
#ifndef FL_DRF_TREE_H
#define FL_DRF_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/list.h"
#include "drf/order.h"
#include "drf/parcel.h"

#define TREE_MAX_DEPTH 32 /* components of a role */

struct node {
	struct rank rank; /* first, so that a rank is its node */
	struct order order;
	struct node *parent;
	struct list children;
	struct list_node sibling;
	struct amounts held;
	uint32_t n_candidates;
	uint32_t place; /* of a client, in the table of clients; NODE_INNER otherwise */
};
#define NODE_INNER UINT32_MAX

struct role {
	struct node node;
	struct node own; /* "." */
	struct hash_node by_path;
	char *path;
	bool weighted; /* somebody gave it a weight: it stays */
};

struct tree {
	struct role root;
	struct hash roles; /* by path, without the root */
	struct amounts total;
	bool stale;
	uint64_t random;
};

void tree_init(struct tree *t, uint64_t seed);
void tree_fini(struct tree *t);
uint64_t tree_random(struct tree *t);

struct role *tree_find_role(const struct tree *t, const char *path);
/* Finds it or makes it and its parents. NULL when it is deeper than TREE_MAX_DEPTH. */
struct role *tree_need_role(struct tree *t, const char *path);
/* Removes it, and its parents, when nothing needs them any more. */
void tree_drop_role(struct tree *t, struct role *role);
void tree_set_weight(struct tree *t, struct role *role, uint32_t weight_milli);

/* A client's node. name is borrowed. */
void tree_attach(struct tree *t, struct node *client, struct role *role, uint32_t place, const char *name);
/* Holds nothing and is no candidate (asserted). */
void tree_detach(struct tree *t, struct node *client);
struct role *tree_role_of(const struct node *client);

void tree_enter(struct tree *t, struct node *client); /* becomes a candidate */
void tree_leave(struct tree *t, struct node *client);
static inline bool tree_is_candidate(const struct node *client)
{
	return client->n_candidates != 0;
}

/* The client holds so much more or less; every node up to the root with it. */
void tree_charge(struct tree *t, struct node *client, const struct amounts *a);
void tree_discharge(struct tree *t, struct node *client, const struct amounts *a);
/* The same as tree_charge, and counts as a grant. */
void tree_grant(struct tree *t, struct node *client, const struct amounts *a);

void tree_total_add(struct tree *t, const struct amounts *a);
void tree_total_sub(struct tree *t, const struct amounts *a);
/* Brings all shares and orders up to date after totals changed: O(f log f), once. */
void tree_refresh(struct tree *t);

/* Candidates in order: tree_first, then tree_next until NULL. */
struct node *tree_first(const struct tree *t);
struct node *tree_next(const struct node *client);
/* Whether client a comes before b, from what they hold now, without looking at the orders. */
bool tree_before(const struct tree *t, const struct node *a, const struct node *b);
struct share tree_share(const struct tree *t, const struct node *n);

#endif
