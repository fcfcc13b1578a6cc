/* A frame's payload from a stranger. What is accepted must survive the way out and in again unchanged. */
#include <assert.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "msg/codec.h"
#include "msg/json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct zone *zone _cleanup_zone_ = zone_create();
	struct buf out _cleanup_buf_ = {0}, json _cleanup_buf_ = {0};
	const struct message_desc *desc = NULL, *again_desc = NULL;
	void *rec = NULL, *again = NULL;
	struct err err;

	if (message_decode(data, size, zone, &desc, &rec, &err) < 0)
		return 0;
	assert(zone_size(zone) <= CODEC_MAX_COST);
	int r = message_encode(desc->id, rec, &out, &err);
	assert(r == 0);
	r = message_decode(out.data, out.size, zone, &again_desc, &again, &err);
	assert(r == 0 && again_desc == desc);
	assert(codec_equal(desc->record, rec, again));
	assert(codec_equal(desc->record, rec, codec_copy(desc->record, rec, zone)));
	json_encode(desc->record, rec, &json);
	return 0;
}
