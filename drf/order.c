/* A treap: a search tree by rank_compare that is a heap by random priorities. */
#include "drf/order.h"

#include <assert.h>
#include <string.h>

int rank_compare(const struct rank *a, const struct rank *b)
{
	int by_share = share_compare(a->share, a->weight, b->share, b->weight);

	if (by_share)
		return by_share;
	if (a->grants != b->grants)
		return a->grants < b->grants ? -1 : 1;
	return strcmp(a->name, b->name);
}

/* The pointer that holds r: its parent's or the tree's. */
static struct rank **link_to(struct order *o, const struct rank *r)
{
	if (!r->parent)
		return &o->root;
	return r->parent->left == r ? &r->parent->left : &r->parent->right;
}

/* Turns r above its parent; the order from left to right stays. */
static void rotate_up(struct order *o, struct rank *r)
{
	struct rank *down = r->parent;
	struct rank **from_above = link_to(o, down);
	struct rank *moved;

	if (down->left == r) {
		moved = down->left = r->right;
		r->right = down;
	} else {
		moved = down->right = r->left;
		r->left = down;
	}
	if (moved)
		moved->parent = down;
	r->parent = down->parent;
	down->parent = r;
	*from_above = r;
}

void order_insert(struct order *o, struct rank *r, uint32_t priority)
{
	struct rank **at = &o->root;
	bool first = true;

	assert(!rank_linked(r));
	r->priority = priority ? priority : 1;
	r->parent = r->left = r->right = NULL;
	while (*at) {
		r->parent = *at;
		if (rank_compare(r, *at) < 0) {
			at = &(*at)->left;
		} else {
			at = &(*at)->right;
			first = false;
		}
	}
	*at = r;
	if (first)
		o->first = r;
	while (r->parent && r->parent->priority < r->priority)
		rotate_up(o, r);
}

void order_remove(struct order *o, struct rank *r)
{
	assert(rank_linked(r));
	if (o->first == r)
		o->first = order_next(r);
	while (r->left && r->right)
		rotate_up(o, r->left->priority > r->right->priority ? r->left : r->right);
	struct rank *only = r->left ? r->left : r->right;
	*link_to(o, r) = only;
	if (only)
		only->parent = r->parent;
	r->parent = r->left = r->right = NULL;
	r->priority = 0;
}

struct rank *order_next(const struct rank *r)
{
	if (r->right) {
		r = r->right;
		while (r->left)
			r = r->left;
		return (struct rank *)r;
	}
	while (r->parent && r->parent->right == r)
		r = r->parent;
	return r->parent;
}

static const struct rank *previous(const struct rank *r)
{
	if (r->left) {
		r = r->left;
		while (r->right)
			r = r->right;
		return r;
	}
	while (r->parent && r->parent->left == r)
		r = r->parent;
	return r->parent;
}

bool order_in_place(const struct rank *r)
{
	const struct rank *before = previous(r);
	const struct rank *after = order_next(r);

	return (!before || rank_compare(before, r) < 0) && (!after || rank_compare(r, after) < 0);
}
