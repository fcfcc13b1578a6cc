/* A sorted array of holdings. */
#include "drf/holdings.h"

#include <string.h>

#include "base/mem.h"

void holdings_fini(struct holdings *h)
{
	for (uint32_t i = 0; i < h->n; i++)
		parcel_fini(&holdings_at(h, i)->what);
	if (h->capacity)
		free(h->many);
	*h = (struct holdings){0};
}

/* Where it is or would be. */
static uint32_t seek(const struct holdings *h, uint32_t client)
{
	uint32_t low = 0, high = h->n;

	while (low < high) {
		uint32_t middle = low + (high - low) / 2;
		if (holdings_at(h, middle)->client < client)
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct holding *holdings_find(const struct holdings *h, uint32_t client)
{
	uint32_t at = seek(h, client);

	return at < h->n && holdings_at(h, at)->client == client ? holdings_at(h, at) : NULL;
}

static void grow(struct holdings *h)
{
	if (h->capacity) {
		h->capacity *= 2;
		h->many = xrealloc(h->many, h->capacity * sizeof(*h->many));
	} else {
		struct holding *many = xcalloc(2 * HOLDINGS_FEW, sizeof(*many));
		memcpy(many, h->few, sizeof(h->few));
		h->capacity = 2 * HOLDINGS_FEW;
		h->many = many;
	}
}

struct holding *holdings_need(struct holdings *h, uint32_t client, bool *ret_made)
{
	uint32_t at = seek(h, client);

	*ret_made = at == h->n || holdings_at(h, at)->client != client;
	if (!*ret_made)
		return holdings_at(h, at);
	if (h->n == (h->capacity ? h->capacity : HOLDINGS_FEW))
		grow(h);
	struct holding *made = holdings_at(h, at);
	memmove(made + 1, made, (h->n - at) * sizeof(*made));
	h->n++;
	*made = (struct holding){.client = client};
	return made;
}

void holdings_drop(struct holdings *h, struct holding *one)
{
	parcel_fini(&one->what);
	h->n--;
	memmove(one, one + 1, (size_t)(holdings_at(h, h->n) - one) * sizeof(*one));
}
