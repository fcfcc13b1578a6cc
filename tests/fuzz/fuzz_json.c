/* The body of a call from a stranger, read as a scheduler's and as an operator's. What is accepted must survive the way
 * out and in again unchanged. */
#include <assert.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "msg/codec.h"
#include "msg/json.h"

static void try(const struct record_desc *desc, const uint8_t *data, size_t size)
{
	struct zone *zone _cleanup_zone_ = zone_create();
	struct buf out _cleanup_buf_ = {0};
	void *rec = NULL, *again = NULL;
	struct err err;

	if (json_decode(desc, (const char *)data, size, zone, &rec, &err) < 0)
		return;
	assert(zone_size(zone) <= CODEC_MAX_COST);
	json_encode(desc, rec, &out);
	for (size_t i = 0; i < out.size; i++)
		assert(out.data[i] >= 0x20 && out.data[i] < 0x7f);
	int r = json_decode(desc, (const char *)out.data, out.size, zone, &again, &err);
	assert(r == 0);
	assert(codec_equal(desc, rec, again));
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	try(&rec_call, data, size);
	try(&rec_api_call, data, size);
	return 0;
}
