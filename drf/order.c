/* A treap: a search tree by rank_compare that is a heap by random priorities, with a list along its order. */
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

static void thread(struct order *o, struct rank *before, struct rank *after)
{
	if (before)
		before->next = after;
	else
		o->first = after;
	if (after)
		after->previous = before;
}

void order_insert(struct order *o, struct rank *r, uint32_t priority)
{
	struct rank **at = &o->root, *before = NULL, *after = NULL;

	assert(!rank_linked(r));
	r->priority = priority ? priority : 1;
	r->parent = r->left = r->right = NULL;
	while (*at) {
		r->parent = *at;
		if (rank_compare(r, *at) < 0) {
			after = *at;
			at = &(*at)->left;
		} else {
			before = *at;
			at = &(*at)->right;
		}
	}
	*at = r;
	thread(o, before, r);
	thread(o, r, after);
	while (r->parent && r->parent->priority < r->priority)
		rotate_up(o, r);
}

void order_remove(struct order *o, struct rank *r)
{
	assert(rank_linked(r));
	thread(o, r->previous, r->next);
	while (r->left && r->right)
		rotate_up(o, r->left->priority > r->right->priority ? r->left : r->right);
	struct rank *only = r->left ? r->left : r->right;
	*link_to(o, r) = only;
	if (only)
		only->parent = r->parent;
	r->parent = r->left = r->right = r->previous = r->next = NULL;
	r->priority = 0;
}

bool order_in_place(const struct rank *r)
{
	return (!r->previous || rank_compare(r->previous, r) < 0) && (!r->next || rank_compare(r, r->next) < 0);
}
