/* A chained hash table over two small numbers that we choose ourselves: no keyed hash is needed. */
#include "drf/pairs.h"

#include <assert.h>

#include "base/mem.h"

#define FIRST_BUCKETS 64

void pairs_fini(struct pairs *t)
{
	free(t->buckets);
	*t = (struct pairs){0};
}

static struct pair **bucket(const struct pairs *t, uint32_t slave, uint32_t client)
{
	uint64_t mixed = ((uint64_t)slave << 32 | client) * 0x9e3779b97f4a7c15ull;

	return &t->buckets[(mixed >> 32) & (t->n_buckets - 1)];
}

static void link_pair(struct pairs *t, struct pair *p)
{
	struct pair **at = bucket(t, p->slave, p->client);

	p->chain = *at;
	*at = p;
}

static void grow(struct pairs *t)
{
	struct pair **old = t->buckets;
	size_t n_old = t->n_buckets;

	t->n_buckets = n_old ? n_old * 2 : FIRST_BUCKETS;
	t->buckets = xcalloc(t->n_buckets, sizeof(*t->buckets));
	for (size_t i = 0; i < n_old; i++) {
		for (struct pair *p = old[i], *next; p; p = next) {
			next = p->chain;
			link_pair(t, p);
		}
	}
	free(old);
}

void pairs_put(struct pairs *t, struct pair *p, uint32_t slave, uint32_t client)
{
	if (t->count >= t->n_buckets)
		grow(t);
	p->slave = slave;
	p->client = client;
	link_pair(t, p);
	t->count++;
}

void pairs_del(struct pairs *t, struct pair *p)
{
	struct pair **at = bucket(t, p->slave, p->client);

	while (*at != p) {
		assert(*at);
		at = &(*at)->chain;
	}
	*at = p->chain;
	p->chain = NULL;
	t->count--;
}

static struct pair *skip_to(struct pair *p, uint32_t slave, uint32_t client)
{
	while (p && (p->slave != slave || p->client != client))
		p = p->chain;
	return p;
}

struct pair *pairs_first(const struct pairs *t, uint32_t slave, uint32_t client)
{
	return t->count ? skip_to(*bucket(t, slave, client), slave, client) : NULL;
}

struct pair *pairs_next(const struct pair *p)
{
	return skip_to(p->chain, p->slave, p->client);
}
