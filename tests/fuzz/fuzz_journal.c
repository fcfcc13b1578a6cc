/* A segment of foreign bytes: the reader ends, gives every byte away exactly once, and what it calls a record encodes to
 * a record again. */
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include "base/buf.h"
#include "base/mem.h"
#include "slave/journal_format.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

static void require(int condition)
{
	if (!condition)
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	struct journal_reader reader = {data, size, 0};
	struct journal_item *item = xcalloc(1, sizeof(*item));
	struct zone *zone = zone_create();
	enum journal_found found;
	size_t at = 0;

	while ((found = journal_next(&reader, zone, item)) != JOURNAL_FOUND_END) {
		require(item->offset == at && item->size > 0);
		at += item->size;
		require(found != JOURNAL_FOUND_TAIL || at == size);
		if (found == JOURNAL_FOUND_RECORD) {
			struct buf again = {0};
			require(journal_format_put(item->rec, &again, NULL) == 0);
			buf_fini(&again);
		}
		zone_reset(zone);
	}
	require(at == size);
	zone_destroy(zone);
	free(item);
	return 0;
}
