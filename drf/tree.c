/* Hierarchical DRF: siblings compare their weighted dominant shares, and the walk goes down from the root. */
#include "drf/tree.h"

#include <assert.h>
#include <string.h>

#include "base/mem.h"

static void node_init(struct node *n, struct node *parent, const char *name)
{
	*n = (struct node){.parent = parent, .place = NODE_INNER};
	n->rank.name = name;
	n->rank.weight = SHARE_WEIGHT_ONE;
	n->rank.share = (struct share){0, 1};
	list_init(&n->children);
	if (parent)
		list_push(&parent->children, &n->sibling);
}

static void role_init(struct role *r, struct node *parent, char *path)
{
	const char *slash = strrchr(path, '/');

	r->path = path;
	node_init(&r->node, parent, slash ? slash + 1 : path);
	node_init(&r->own, &r->node, ".");
}

void tree_init(struct tree *t, uint64_t seed)
{
	*t = (struct tree){.random = seed};
	hash_init_seeded(&t->roles, seed);
	role_init(&t->root, NULL, xstrdup(""));
}

static void role_fini(struct role *r)
{
	amounts_fini(&r->node.held);
	amounts_fini(&r->own.held);
	free(r->path);
}

void tree_fini(struct tree *t)
{
	struct role *r;

	HASH_FOREACH (r, &t->roles, struct role, by_path) {
		role_fini(r);
		free(r);
	}
	hash_fini(&t->roles);
	role_fini(&t->root);
	amounts_fini(&t->total);
}

/* SplitMix64: order of visits and shape of treaps only. */
uint64_t tree_random(struct tree *t)
{
	uint64_t z = t->random += 0x9e3779b97f4a7c15ull;

	z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ull;
	z = (z ^ (z >> 27)) * 0x94d049bb133111ebull;
	return z ^ (z >> 31);
}

/* --------------------------------------------------------------------------------------------------------- roles */

struct role *tree_find_role(const struct tree *t, const char *path)
{
	return HASH_FIND(&t->roles, path, struct role, by_path);
}

static int depth_of(const char *path)
{
	int depth = 1;

	while ((path = strchr(path, '/'))) {
		depth++;
		path++;
	}
	return depth;
}

static struct role *role_create(struct tree *t, struct node *parent, char *path)
{
	struct role *r = xcalloc(1, sizeof(*r));

	role_init(r, parent, path);
	hash_put(&t->roles, &r->by_path, r->path);
	return r;
}

struct role *tree_need_role(struct tree *t, const char *path)
{
	struct role *r = tree_find_role(t, path);
	struct node *parent = &t->root.node;

	if (r)
		return r;
	if (depth_of(path) > TREE_MAX_DEPTH)
		return NULL;
	for (const char *end = path; *end; end += *end == '/') {
		end += strcspn(end, "/");
		_cleanup_free_ char *prefix = xstrndup(path, (size_t)(end - path));
		r = tree_find_role(t, prefix);
		if (!r)
			r = role_create(t, parent, xstrdup(prefix));
		parent = &r->node;
	}
	return r;
}

/* The root and "." are no roles to drop. */
static bool needed(const struct tree *t, const struct role *r)
{
	bool has_children = r->node.children.head.next->next != &r->node.children.head; /* more than "." */

	return r == &t->root || r->weighted || has_children || !list_empty(&r->own.children);
}

void tree_drop_role(struct tree *t, struct role *role)
{
	while (!needed(t, role)) {
		struct role *parent = CONTAINER_OF(role->node.parent, struct role, node);
		hash_del(&t->roles, &role->by_path);
		list_remove(&role->node.sibling);
		role_fini(role);
		free(role);
		role = parent;
	}
}

struct role *tree_role_of(const struct node *client)
{
	return CONTAINER_OF(client->parent, struct role, own);
}

/* --------------------------------------------------------------------------------------------------------- order */

static void enlist(struct tree *t, struct node *n)
{
	order_insert(&n->parent->order, &n->rank, (uint32_t)tree_random(t));
}

struct share tree_share(const struct tree *t, const struct node *n)
{
	return share_dominant(amounts_row(&n->held), n->held.n, amounts_row(&t->total), t->total.n);
}

/* Its key changed: takes the place that is now its own. Most keep theirs. */
static void settle(struct tree *t, struct node *n)
{
	if (t->stale || !rank_linked(&n->rank) || order_in_place(&n->rank))
		return;
	order_remove(&n->parent->order, &n->rank);
	enlist(t, n);
}

void tree_set_weight(struct tree *t, struct role *role, uint32_t weight_milli)
{
	role->weighted = true;
	role->node.rank.weight = weight_milli;
	settle(t, &role->node);
}

static void refresh_below(struct tree *t, struct node *parent)
{
	struct node *n;

	parent->order = (struct order){0};
	LIST_FOREACH (n, &parent->children, struct node, sibling) {
		n->rank.priority = 0;
		n->rank.share = tree_share(t, n);
		if (n->n_candidates)
			enlist(t, n);
		refresh_below(t, n);
	}
}

void tree_refresh(struct tree *t)
{
	if (!t->stale)
		return;
	t->stale = false;
	refresh_below(t, &t->root.node);
}

void tree_enter(struct tree *t, struct node *client)
{
	assert(!client->n_candidates);
	for (struct node *n = client; n; n = n->parent)
		if (!n->n_candidates++ && n->parent)
			enlist(t, n);
}

void tree_leave(struct tree *t, struct node *client)
{
	assert(client->n_candidates == 1);
	for (struct node *n = client; n; n = n->parent)
		if (!--n->n_candidates && n->parent)
			order_remove(&n->parent->order, &n->rank);
}

/* ------------------------------------------------------------------------------------------------------- holding */

void tree_attach(struct tree *t, struct node *client, struct role *role, uint32_t place, const char *name)
{
	node_init(client, &role->own, name);
	client->place = place;
}

void tree_detach(struct tree *t, struct node *client)
{
	struct role *role = tree_role_of(client);

	assert(!client->n_candidates && amounts_zero(&client->held));
	list_remove(&client->sibling);
	amounts_fini(&client->held);
	tree_drop_role(t, role);
}

static void weigh(struct tree *t, struct node *n)
{
	if (t->stale || !n->parent)
		return; /* shares wait for tree_refresh; nobody asks for the root's */
	n->rank.share = tree_share(t, n);
	settle(t, n);
}

void tree_charge(struct tree *t, struct node *client, const struct amounts *a)
{
	for (struct node *n = client; n; n = n->parent) {
		amounts_add(&n->held, a);
		weigh(t, n);
	}
}

void tree_discharge(struct tree *t, struct node *client, const struct amounts *a)
{
	for (struct node *n = client; n; n = n->parent) {
		amounts_sub(&n->held, a);
		weigh(t, n);
	}
}

void tree_grant(struct tree *t, struct node *client, const struct amounts *a)
{
	for (struct node *n = client; n; n = n->parent) {
		amounts_add(&n->held, a);
		n->rank.grants++;
		weigh(t, n);
	}
}

void tree_total_add(struct tree *t, const struct amounts *a)
{
	amounts_add(&t->total, a);
	t->stale = true;
}

void tree_total_sub(struct tree *t, const struct amounts *a)
{
	amounts_sub(&t->total, a);
	t->stale = true;
}

/* ------------------------------------------------------------------------------------------------------- walking */

static struct node *descend(const struct node *n)
{
	while (n->place == NODE_INNER)
		n = CONTAINER_OF(n->order.first, struct node, rank);
	return (struct node *)n;
}

/* NSDI'11, Algorithm 1: "pick user i with lowest dominant share s_i"; here among siblings, from the root down. */
struct node *tree_first(const struct tree *t)
{
	return t->root.node.order.first ? descend(&t->root.node) : NULL;
}

struct node *tree_next(const struct node *client)
{
	for (const struct node *n = client; n->parent; n = n->parent) {
		if (n->rank.next)
			return descend(CONTAINER_OF(n->rank.next, struct node, rank));
	}
	return NULL;
}

static int depth(const struct node *n)
{
	int d = 0;

	while ((n = n->parent))
		d++;
	return d;
}

bool tree_before(const struct tree *t, const struct node *a, const struct node *b)
{
	int above_a = depth(a), above_b = depth(b);

	for (; above_a > above_b; above_a--)
		a = a->parent;
	for (; above_b > above_a; above_b--)
		b = b->parent;
	while (a->parent != b->parent) {
		a = a->parent;
		b = b->parent;
	}
	struct rank of_a = a->rank, of_b = b->rank;
	of_a.share = tree_share(t, a);
	of_b.share = tree_share(t, b);
	return rank_compare(&of_a, &of_b) < 0;
}
