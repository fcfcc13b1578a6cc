/* Chained hash table over SipHash-1-3, doubled at a load of one; a list through the entries keeps insertion order. */
#include "base/hash.h"

#include <string.h>

#define FIRST_BUCKETS 16

struct sip {
	uint64_t v0, v1, v2, v3;
};

static inline uint64_t rotl(uint64_t x, int b)
{
	return (x << b) | (x >> (64 - b));
}

static inline void sip_round(struct sip *s)
{
	s->v0 += s->v1;
	s->v1 = rotl(s->v1, 13) ^ s->v0;
	s->v0 = rotl(s->v0, 32);
	s->v2 += s->v3;
	s->v3 = rotl(s->v3, 16) ^ s->v2;
	s->v0 += s->v3;
	s->v3 = rotl(s->v3, 21) ^ s->v0;
	s->v2 += s->v1;
	s->v1 = rotl(s->v1, 17) ^ s->v2;
	s->v2 = rotl(s->v2, 32);
}

static inline void sip_word(struct sip *s, uint64_t m)
{
	s->v3 ^= m;
	sip_round(s);
	s->v0 ^= m;
}

uint64_t hash_bytes(const void *p, size_t n, uint64_t seed)
{
	const uint8_t *b = p;
	struct sip s = {seed ^ 0x736f6d6570736575ull, seed ^ 0x646f72616e646f6dull, seed ^ 0x6c7967656e657261ull,
	                seed ^ 0x7465646279746573ull};
	uint64_t last = (uint64_t)n << 56;
	uint64_t m;
	size_t left = n;

	for (; left >= 8; left -= 8, b += 8) {
		memcpy(&m, b, 8);
		sip_word(&s, m);
	}
	for (size_t i = 0; i < left; i++)
		last |= (uint64_t)b[i] << (8 * i);
	sip_word(&s, last);
	s.v2 ^= 0xff;
	for (int i = 0; i < 3; i++)
		sip_round(&s);
	return s.v0 ^ s.v1 ^ s.v2 ^ s.v3;
}

void hash_init(struct hash *h)
{
	hash_init_seeded(h, 0);
}

void hash_init_seeded(struct hash *h, uint64_t seed)
{
	*h = (struct hash){.seed = seed};
	list_init(&h->order);
}

void hash_fini(struct hash *h)
{
	free(h->buckets);
	hash_init_seeded(h, h->seed);
}

static struct hash_node **bucket(const struct hash *h, uint64_t hash)
{
	return &h->buckets[hash & (h->n_buckets - 1)];
}

struct hash_node *hash_get(const struct hash *h, const char *key)
{
	if (!h->count || !key)
		return NULL;
	uint64_t hash = hash_bytes(key, strlen(key), h->seed);
	for (struct hash_node *n = *bucket(h, hash); n; n = n->chain)
		if (n->hash == hash && !strcmp(n->key, key))
			return n;
	return NULL;
}

static void link_node(struct hash *h, struct hash_node *n)
{
	struct hash_node **at = bucket(h, n->hash);
	n->chain = *at;
	*at = n;
}

static void grow(struct hash *h)
{
	h->n_buckets = h->n_buckets ? h->n_buckets * 2 : FIRST_BUCKETS;
	free(h->buckets);
	h->buckets = xcalloc(h->n_buckets, sizeof(*h->buckets));
	struct hash_node *n;
	LIST_FOREACH (n, &h->order, struct hash_node, order)
		link_node(h, n);
}

void hash_put(struct hash *h, struct hash_node *n, const char *key)
{
	assert(!list_linked(&n->order));
	assert(!hash_get(h, key));
	if (h->count >= h->n_buckets)
		grow(h);
	n->key = key;
	n->hash = hash_bytes(key, strlen(key), h->seed);
	link_node(h, n);
	list_push(&h->order, &n->order);
	h->count++;
}

void hash_del(struct hash *h, struct hash_node *n)
{
	if (!list_linked(&n->order))
		return;
	struct hash_node **at = bucket(h, n->hash);
	while (*at != n) {
		assert(*at);
		at = &(*at)->chain;
	}
	*at = n->chain;
	n->chain = NULL;
	list_remove(&n->order);
	h->count--;
}
