/* Records to v1 JSON and back. Reading is jansson's (duplicate keys refused, depth 16); writing is our interpreter's:
 * compact, pure ASCII (\uXXXX), numbers by integer arithmetic, only fields that are present or have a proto2 default
 * that was filled in. */
#ifndef FL_MSG_JSON_H
#define FL_MSG_JSON_H

#include <stdbool.h>
#include <stddef.h>

#include "msg/desc.h"

struct buf;
struct err;
struct zone;

/* Rules of reference/mesos.md 4.3: null = absent (arrays too), unknown fields ignored, unknown names of optional enums =
 * absent, integers accepted as numeric strings, a lone value where a list is expected is a list of one. Numbers with a
 * fraction or exponent are accepted for any numeric kind when they fit. Errors name the path. The 16 MiB decode cost
 * limit holds. */
int json_decode(const struct record_desc *desc, const char *text, size_t size, struct zone *zone, void **ret,
                struct err *err);
/* Appends the JSON form. Text that is not UTF-8 (file names may be) has U+FFFD in place of what is wrong. A UINT above 2^63-1
 * is written as a numeric string: jansson reads no larger number. */
void json_encode(const struct record_desc *desc, const void *rec, struct buf *out);

/* The same in slices, for big answers: json_writer_more appends about max bytes and tells whether there is more. rec must
 * stay as it is until then. */
struct json_writer;
struct json_writer *json_writer_create(const struct record_desc *desc, const void *rec);
bool json_writer_more(struct json_writer *w, struct buf *out, size_t max);
void json_writer_destroy(struct json_writer *w);

#endif
