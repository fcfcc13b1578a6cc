/* How records lie in a journal segment, and the reader that no damage stops.
 *
 *   "FLJ1"  size of payload (u32)  size of key (u16)  0 (u16)  checksum of these 12 bytes and the key (u32)
 *   key ("framework/task", escaped)
 *   payload (msgpack journal_record)
 *   checksum of key and payload (u32)
 *
 * Little-endian. The head has a checksum of its own: when only the payload is bad, the reader knows whose record it was
 * and where the next one begins; when the head is bad, it looks for the next head. */
#ifndef FL_SLAVE_JOURNAL_FORMAT_H
#define FL_SLAVE_JOURNAL_FORMAT_H

#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;
struct fl_journal_record;
struct zone;

#define JOURNAL_MAX_PAYLOAD (8u << 20)
#define JOURNAL_MAX_KEY 2048u

/* Appends one record. -EINVAL or -EMSGSIZE with a text; out is then unchanged. */
int journal_format_put(const struct fl_journal_record *rec, struct buf *out, struct err *err);

enum journal_found {
	JOURNAL_FOUND_END,
	JOURNAL_FOUND_RECORD,
	JOURNAL_FOUND_BROKEN, /* bytes that are no record; good ones may follow */
	JOURNAL_FOUND_TAIL,   /* bytes that are no record, and nothing follows: a torn write */
};

struct journal_reader {
	const uint8_t *data;
	size_t size, at;
};

struct journal_item {
	size_t offset, size;                 /* in the segment */
	const struct fl_journal_record *rec; /* RECORD: lives in the zone */
	char key[JOURNAL_MAX_KEY + 1];       /* BROKEN, TAIL: whose it was, "" when unknown */
	char why[256];                       /* BROKEN, TAIL: in words */
};

/* The next thing in the segment. Ends for every input: each call moves on by at least a byte. */
enum journal_found journal_next(struct journal_reader *r, struct zone *zone, struct journal_item *ret);

#endif
