/* The raw check: walks msgpack bytes with the field tables and without allocating, before msgpack-c may see them.
 *
 * msgpack-c allocates by the count a peer claims, and a byte on the wire may cost it 24 in memory; so everything it or
 * the decoder will allocate is added up here first. Values under unknown tags and values of the wrong kind count as
 * what msgpack-c makes of them; that they are wrong is the decoder's to say. */
#ifndef FL_MSG_CODEC_CHECK_H
#define FL_MSG_CODEC_CHECK_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct record_desc;

/* As codec_check of codec.h; ret_cost (may be NULL): what the decode will take, at most. */
int codec_check_cost(const struct record_desc *desc, const void *data, size_t size, size_t *ret_cost, struct err *err);

/* The head of a message: its id, and where its record begins. */
int codec_check_head(const void *data, size_t size, int *ret_id, size_t *ret_offset, struct err *err);

#endif
