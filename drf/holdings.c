/* A sorted array of holdings. */
#include "drf/holdings.h"

#include <string.h>

#include "base/mem.h"

void holdings_fini(struct holdings *h)
{
	for (uint32_t i = 0; i < h->n; i++)
		parcel_fini(&h->v[i].what);
	free(h->v);
	*h = (struct holdings){0};
}

/* Where it is or would be. */
static uint32_t seek(const struct holdings *h, uint32_t client)
{
	uint32_t low = 0, high = h->n;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (h->v[middle].client < client)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct holding *holdings_find(const struct holdings *h, uint32_t client)
{
	uint32_t at = seek(h, client);

	return at < h->n && h->v[at].client == client ? &h->v[at] : NULL;
}

struct holding *holdings_need(struct holdings *h, uint32_t client, bool *ret_made)
{
	uint32_t at = seek(h, client);

	*ret_made = at == h->n || h->v[at].client != client;
	if (!*ret_made)
		return &h->v[at];
	if (h->n == h->capacity) {
		h->capacity = h->capacity ? h->capacity * 2 : 2;
		h->v = xrealloc(h->v, h->capacity * sizeof(*h->v));
	}
	memmove(&h->v[at + 1], &h->v[at], (h->n - at) * sizeof(*h->v));
	h->n++;
	h->v[at] = (struct holding){.client = client};
	return &h->v[at];
}

void holdings_drop(struct holdings *h, struct holding *one)
{
	parcel_fini(&one->what);
	h->n--;
	memmove(one, one + 1, (size_t)(&h->v[h->n] - one) * sizeof(*one));
}
