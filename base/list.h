/* Intrusive doubly linked list. A node is in at most one list; a zeroed node is in none. */
#ifndef FL_BASE_LIST_H
#define FL_BASE_LIST_H

#include <assert.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/mem.h"

struct list_node {
	struct list_node *prev, *next;
};

struct list {
	struct list_node head;
};

static inline void list_init(struct list *l)
{
	l->head.prev = l->head.next = &l->head;
}

static inline bool list_empty(const struct list *l)
{
	return l->head.next == &l->head;
}

static inline bool list_linked(const struct list_node *n)
{
	return n->next != NULL;
}

static inline void list_insert_before(struct list_node *at, struct list_node *n)
{
	assert(!list_linked(n));
	n->next = at;
	n->prev = at->prev;
	at->prev->next = n;
	at->prev = n;
}

static inline void list_push(struct list *l, struct list_node *n) /* at the end */
{
	list_insert_before(&l->head, n);
}

static inline void list_push_front(struct list *l, struct list_node *n)
{
	list_insert_before(l->head.next, n);
}

/* Takes n out of its list; no effect when it is in none. */
static inline void list_remove(struct list_node *n)
{
	if (!list_linked(n))
		return;
	n->prev->next = n->next;
	n->next->prev = n->prev;
	n->prev = n->next = NULL;
}

static inline struct list_node *list_first(const struct list *l)
{
	return list_empty(l) ? NULL : l->head.next;
}

/* <sys/queue.h>, which libevent's users need, has a macro of this name that nobody here wants. */
#undef LIST_FOREACH
/* Walks l; the current entry may be removed or freed in the body. var: struct type *, member: its list_node. */
#define LIST_FOREACH(var, l, type, member)                                                                             \
	for (struct list_node *_n_##var = (l)->head.next, *_x_##var;                                                   \
	     (_x_##var = _n_##var->next), _n_##var != &(l)->head && ((var) = CONTAINER_OF(_n_##var, type, member), 1); \
	     _n_##var = _x_##var)

#endif
