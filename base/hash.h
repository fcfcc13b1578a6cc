/* Intrusive hash table keyed by string. The key lives in the entry and must not change while it is linked.
 *
 *   struct task { struct hash_node node; char *id; };
 *   struct hash tasks; hash_init(&tasks);
 *   hash_put(&tasks, &t->node, t->id);
 *   struct task *t = HASH_FIND(&tasks, id, struct task, node);
 *
 * Iteration follows insertion order (deterministic: the simulator relies on it). SipHash with a fixed per-table key that
 * comes from hash_init_seeded, or zero. */
#ifndef FL_BASE_HASH_H
#define FL_BASE_HASH_H

#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

struct hash_node {
	struct list_node order; /* insertion order */
	struct hash_node *chain;
	const char *key;
	uint64_t hash;
};

struct hash {
	struct hash_node **buckets;
	size_t n_buckets;
	size_t count;
	struct list order;
	uint64_t seed;
};

void hash_init(struct hash *h);
void hash_init_seeded(struct hash *h, uint64_t seed); /* for keys that strangers choose: seed from loop_random */
void hash_fini(struct hash *h);                       /* frees the buckets, not the entries */

/* The entry with this key, or NULL. */
struct hash_node *hash_get(const struct hash *h, const char *key);
/* Links n under key (borrowed from the entry). The key must not be in the table. */
void hash_put(struct hash *h, struct hash_node *n, const char *key);
/* Unlinks n; no effect when it is not linked. */
void hash_del(struct hash *h, struct hash_node *n);

uint64_t hash_bytes(const void *p, size_t n, uint64_t seed);

#define HASH_FIND(h, key, type, member)                               \
	__extension__({                                               \
		struct hash_node *_hn = hash_get((h), (key));         \
		_hn ? CONTAINER_OF(_hn, type, member) : (type *)NULL; \
	})

/* Walks h in insertion order; the current entry may be unlinked or freed in the body. */
#define HASH_FOREACH(var, h, type, member) LIST_FOREACH (var, &(h)->order, type, member.order)

#endif
