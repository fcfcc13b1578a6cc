/* Records to msgpack and back; the one interpreter of the field tables.
 *
 * A record is a msgpack map from tag to value, only fields that are present. Enums and bools as integers and bools,
 * records as nested maps, lists and maps as arrays of records. */
#ifndef FL_MSG_CODEC_H
#define FL_MSG_CODEC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "msg/desc.h"

struct buf;
struct err;
struct zone;

#define CODEC_MAX_DEPTH 16
#define CODEC_MAX_COST (16u << 20) /* bytes a decode may cost, strings included */

/* Appends rec to out. -EINVAL when a MUST field is missing, an enum is out of its list or a text is not UTF-8, which every
 * reader would refuse (out is then unchanged). */
int codec_encode(const struct record_desc *desc, const void *rec, struct buf *out, struct err *err);
/* The size that encode would append, were rec valid. */
size_t codec_size(const struct record_desc *desc, const void *rec);

/* Decodes one record that fills data exactly. Before msgpack-c sees a byte the raw bytes are checked: depth, element
 * counts against bytes left, repeated keys, and the memory the decode will cost added up from the field tables. The
 * result and everything in it lives in zone (text is copied: data may go). Defaults are applied to absent MAY fields.
 * -EBADMSG with the path of the offending field ("accept.operations[2].launch: …"). */
int codec_decode(const struct record_desc *desc, const void *data, size_t size, struct zone *zone, void **ret,
                 struct err *err);

/* The raw check alone, for the fuzzer and tests. */
int codec_check(const struct record_desc *desc, const void *data, size_t size, struct err *err);

/* A deep copy into zone. */
void *codec_copy(const struct record_desc *desc, const void *rec, struct zone *zone);
/* Same presence and values, field by field? */
bool codec_equal(const struct record_desc *desc, const void *a, const void *b);

/* An owned copy of a record: a zone with the record in it. */
struct owned {
	struct zone *zone;
	void *rec;
};
void owned_set(struct owned *o, const struct record_desc *desc,
               const void *rec); /* replaces what it held; rec NULL clears */
void owned_fini(struct owned *o);

/* msgpack of a whole message: array [id, record]. One frame's payload (net/conn adds the length). */
int message_encode(int id, const void *rec, struct buf *out, struct err *err);
/* Finds the message and decodes its record. Unknown ids: -ENOMSG. ret_desc and ret_rec are set on success only. */
int message_decode(const void *data, size_t size, struct zone *zone, const struct message_desc **ret_desc,
                   void **ret_rec, struct err *err);

#endif
