/* Records to msgpack and back. The only file that knows msgpack-c.
 *
 * Encoding walks the field tables and a record; decoding runs the raw check (codec_check.c), lets msgpack-c unpack, and
 * walks the tables and msgpack-c's objects. Recursion is bounded by the schema on the way out and by CODEC_MAX_DEPTH on
 * the way in. */
#include "msg/codec.h"

#include <assert.h>
#include <errno.h>
#include <msgpack.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "msg/codec_check.h"
#include "msg/path.h"

/* --------------------------------------------------------------------------------------------------- encoding */

/* Most writes are a head of one or two bytes into a buffer that has room. */
static int write_buf(void *user, const char *data, size_t size)
{
	struct buf *out = user;

	if (size > 2 || out->capacity - out->size < 2) {
		buf_append(out, data, size);
		return 0;
	}
	for (; size; size--)
		out->data[out->size++] = (uint8_t)*data++;
	return 0;
}

static int write_count(void *total, const char *data, size_t size)
{
	*(size_t *)total += size;
	return 0;
}

struct encoder {
	msgpack_packer pk;
	struct err *err;
	bool unchecked; /* only the size is wanted */
};

static int encode_record(struct encoder *e, const struct record_desc *desc, const void *rec, const struct path *path);

static int encode_text(struct encoder *e, const char *s, const struct path *path)
{
	size_t n = strlen(s);

	if (!e->unchecked && !str_valid_utf8(s, n))
		return path_fail(path, e->err, EINVAL, "not UTF-8");
	msgpack_pack_str_with_body(&e->pk, s, n);
	return 0;
}

static int encode_enum(struct encoder *e, const struct field_desc *f, int number, const struct path *path)
{
	if (!e->unchecked && !enum_has(f->enumeration, number))
		return path_fail(path, e->err, EINVAL, "%d is not in %s", number, f->enumeration->name);
	msgpack_pack_int(&e->pk, number);
	return 0;
}

static int encode_elements(struct encoder *e, const struct field_desc *f, const void *rec, const struct path *path)
{
	size_t n = field_count(f, rec);
	int r = 0;

	msgpack_pack_array(&e->pk, n);
	for (size_t i = 0; r == 0 && i < n; i++) {
		struct path here = {path, NULL, i};
		const void *element = field_element(f, rec, i);
		if (!element)
			return path_fail(&here, e->err, EINVAL, "missing");
		r = f->record ? encode_record(e, f->record, element, &here) : encode_text(e, element, &here);
	}
	return r;
}

static int encode_value(struct encoder *e, const struct field_desc *f, const void *rec, const struct path *path)
{
	const void *p = field_ptr(f, rec);

	switch (f->kind) {
	case FIELD_STR:
	case FIELD_ID:
		return encode_text(e, *(const char *const *)p, path);
	case FIELD_BYTES: {
		const struct fl_bytes *b = p;
		msgpack_pack_bin_with_body(&e->pk, b->data, b->size);
		return 0;
	}
	case FIELD_BOOL:
		*(const bool *)p ? msgpack_pack_true(&e->pk) : msgpack_pack_false(&e->pk);
		return 0;
	case FIELD_UINT:
		msgpack_pack_uint64(&e->pk, *(const uint64_t *)p);
		return 0;
	case FIELD_INT:
	case FIELD_MILLI:
	case FIELD_SECONDS:
	case FIELD_NANOS:
		msgpack_pack_int64(&e->pk, *(const int64_t *)p);
		return 0;
	case FIELD_ENUM:
		return encode_enum(e, f, *(const int *)p, path);
	case FIELD_REC:
		return encode_record(e, f->record, *(const void *const *)p, path);
	case FIELD_LIST:
	case FIELD_STRS:
	case FIELD_IDS:
	case FIELD_MAP:
		return encode_elements(e, f, rec, path);
	}
	assert(!"a kind of field");
	return -EINVAL;
}

static int encode_record(struct encoder *e, const struct record_desc *desc, const void *rec, const struct path *path)
{
	size_t n = 0;
	int r = 0;

	for (size_t i = 0; i < desc->n_fields; i++)
		n += field_present(&desc->fields[i], rec);
	msgpack_pack_map(&e->pk, n);
	for (size_t i = 0; r == 0 && i < desc->n_fields; i++) {
		const struct field_desc *f = &desc->fields[i];
		struct path here = {path, f->name, 0};
		if (field_present(f, rec)) {
			msgpack_pack_uint32(&e->pk, f->tag);
			r = encode_value(e, f, rec, &here);
		} else if (f->must && !e->unchecked) {
			r = path_fail(&here, e->err, EINVAL, "missing");
		}
	}
	return r;
}

int codec_encode(const struct record_desc *desc, const void *rec, struct buf *out, struct err *err)
{
	struct encoder e = {.err = err};
	size_t before = out->size;

	msgpack_packer_init(&e.pk, out, write_buf);
	int r = encode_record(&e, desc, rec, NULL);
	if (r < 0)
		out->size = before;
	return r;
}

size_t codec_size(const struct record_desc *desc, const void *rec)
{
	struct encoder e = {.unchecked = true};
	size_t total = 0;

	msgpack_packer_init(&e.pk, &total, write_count);
	encode_record(&e, desc, rec, NULL);
	return total;
}

int message_encode(int id, const void *rec, struct buf *out, struct err *err)
{
	const struct message_desc *m = message_find(id);
	size_t before = out->size;
	msgpack_packer pk;

	assert(m);
	msgpack_packer_init(&pk, out, write_buf);
	msgpack_pack_array(&pk, 2);
	msgpack_pack_int(&pk, id);
	int r = codec_encode(m->record, rec, out, err);
	if (r < 0) {
		out->size = before;
		err_wrap(err, "%s", m->name);
	}
	return r;
}

/* --------------------------------------------------------------------------------------------------- decoding */

struct decoder {
	struct zone *zone;
	struct err *err;
};

static int fail(const struct decoder *d, const struct path *path, const char *what)
{
	return path_fail(path, d->err, EBADMSG, "%s", what);
}

static int decode_record(struct decoder *d, const struct record_desc *desc, const msgpack_object *o, void *rec,
                         const struct path *path);

static int decode_text(struct decoder *d, const msgpack_object *o, const char **ret, const struct path *path)
{
	if (o->type != MSGPACK_OBJECT_STR)
		return fail(d, path, "not text");
	size_t n = o->via.str.size;
	const char *s = n ? o->via.str.ptr : ""; /* msgpack-c has NULL for no bytes */
	if (memchr(s, 0, n) || !str_valid_utf8(s, n))
		return fail(d, path, "not UTF-8 without NUL");
	char *copy = zone_alloc(d->zone, n + 1);
	memcpy(copy, s, n);
	*ret = copy;
	return 0;
}

static int decode_bytes(struct decoder *d, const msgpack_object *o, struct fl_bytes *ret, const struct path *path)
{
	if (o->type != MSGPACK_OBJECT_BIN)
		return fail(d, path, "not bytes");
	ret->data = zone_memdup(d->zone, o->via.bin.ptr, o->via.bin.size);
	ret->size = o->via.bin.size;
	return 0;
}

static int decode_int(struct decoder *d, const msgpack_object *o, int64_t *ret, const struct path *path)
{
	if (o->type == MSGPACK_OBJECT_NEGATIVE_INTEGER)
		*ret = o->via.i64;
	else if (o->type == MSGPACK_OBJECT_POSITIVE_INTEGER && o->via.u64 <= INT64_MAX)
		*ret = (int64_t)o->via.u64;
	else
		return fail(d, path, "not a 64 bit integer");
	return 0;
}

/* An unknown number of an optional enum is as good as absent: newer peers have more values. */
static int decode_enum(struct decoder *d, const struct field_desc *f, const msgpack_object *o, int *ret,
                       const struct path *path)
{
	int64_t number = 0;
	int r = decode_int(d, o, &number, path);

	if (r < 0)
		return r;
	if (enum_has(f->enumeration, number))
		*ret = (int)number;
	else if (f->must)
		return path_fail(path, d->err, EBADMSG, "%lld is not in %s", (long long)number, f->enumeration->name);
	return 0;
}

static int compare_keys(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

/* The key of an entry is its first field. */
static int check_keys(struct decoder *d, const struct field_desc *f, const char *base, size_t n,
                      const struct path *path)
{
	const char **keys _cleanup_free_ = xmalloc(n * sizeof(*keys));

	for (size_t i = 0; i < n; i++)
		keys[i] = *(const char *const *)field_ptr(&f->record->fields[0], base + i * f->record->size);
	qsort(keys, n, sizeof(*keys), compare_keys);
	for (size_t i = 1; i < n; i++)
		if (!strcmp(keys[i - 1], keys[i]))
			return fail(d, path, "has a key twice");
	return 0;
}

static int decode_elements(struct decoder *d, const struct field_desc *f, const msgpack_object *o, void *rec,
                           const struct path *path)
{
	size_t each = f->record ? f->record->size : sizeof(char *);

	if (o->type != MSGPACK_OBJECT_ARRAY)
		return fail(d, path, "not a list");
	size_t n = o->via.array.size;
	if (!n)
		return 0;
	char *base = zone_alloc(d->zone, n * each);
	for (size_t i = 0; i < n; i++) {
		struct path here = {path, NULL, i};
		const msgpack_object *element = &o->via.array.ptr[i];
		int r = f->record ? decode_record(d, f->record, element, base + i * each, &here)
		                  : decode_text(d, element, (const char **)(void *)(base + i * each), &here);
		if (r < 0)
			return r;
	}
	*(void **)((char *)rec + f->offset) = base;
	*(size_t *)((char *)rec + f->has_offset) = n;
	return f->kind == FIELD_MAP ? check_keys(d, f, base, n, path) : 0;
}

static int decode_value(struct decoder *d, const struct field_desc *f, const msgpack_object *o, void *rec,
                        const struct path *path)
{
	void *p = (char *)rec + f->offset;

	switch (f->kind) {
	case FIELD_STR:
	case FIELD_ID:
		return decode_text(d, o, p, path);
	case FIELD_BYTES:
		return decode_bytes(d, o, p, path);
	case FIELD_BOOL:
		if (o->type != MSGPACK_OBJECT_BOOLEAN)
			return fail(d, path, "not a bool");
		*(bool *)p = o->via.boolean;
		return 0;
	case FIELD_UINT:
		if (o->type != MSGPACK_OBJECT_POSITIVE_INTEGER)
			return fail(d, path, "not an integer from 0 on");
		*(uint64_t *)p = o->via.u64;
		return 0;
	case FIELD_INT:
	case FIELD_MILLI:
	case FIELD_SECONDS:
	case FIELD_NANOS:
		return decode_int(d, o, p, path);
	case FIELD_ENUM:
		return decode_enum(d, f, o, p, path);
	case FIELD_REC:
		*(void **)p = zone_alloc(d->zone, f->record->size);
		return decode_record(d, f->record, o, *(void **)p, path);
	case FIELD_LIST:
	case FIELD_STRS:
	case FIELD_IDS:
	case FIELD_MAP:
		return decode_elements(d, f, o, rec, path);
	}
	assert(!"a kind of field");
	return -EBADMSG;
}

/* After all entries were read: is everything there that must be? */
static int finish_record(struct decoder *d, const struct record_desc *desc, uint64_t seen, void *rec,
                         const struct path *path)
{
	for (size_t i = 0; i < desc->n_fields; i++) {
		const struct field_desc *f = &desc->fields[i];
		if (f->must && !(seen & 1ull << i)) {
			struct path here = {path, f->name, 0};
			return fail(d, &here, "missing");
		}
		if (!f->must && !field_present(f, rec))
			field_set_default(f, rec);
	}
	return 0;
}

/* rec is zeroed memory of the zone. */
static int decode_record(struct decoder *d, const struct record_desc *desc, const msgpack_object *o, void *rec,
                         const struct path *path)
{
	uint64_t seen = 0;

	if (o->type != MSGPACK_OBJECT_MAP)
		return fail(d, path, "not a record");
	for (uint32_t i = 0; i < o->via.map.size; i++) {
		const msgpack_object_kv *kv = &o->via.map.ptr[i];
		const struct field_desc *f = field_find(desc, kv->key.via.u64);
		if (!f)
			continue;
		struct path here = {path, f->name, 0};
		int r = decode_value(d, f, &kv->val, rec, &here);
		if (r < 0)
			return r;
		if (!f->must && f->has_offset && f->kind < FIELD_LIST)
			*(bool *)((char *)rec + f->has_offset) = true;
		seen |= 1ull << (f - desc->fields);
	}
	return finish_record(d, desc, seen, rec, path);
}

int codec_decode(const struct record_desc *desc, const void *data, size_t size, struct zone *zone, void **ret,
                 struct err *err)
{
	struct decoder d = {.zone = zone, .err = err};
	msgpack_unpacked unpacked;
	size_t offset = 0;
	int r = codec_check(desc, data, size, err);

	if (r < 0)
		return r;
	msgpack_unpacked_init(&unpacked);
	msgpack_unpack_return status = msgpack_unpack_next(&unpacked, data, size, &offset);
	if (status == MSGPACK_UNPACK_NOMEM_ERROR)
		abort();
	if (status == MSGPACK_UNPACK_SUCCESS) {
		void *rec = zone_alloc(zone, desc->size);
		r = decode_record(&d, desc, &unpacked.data, rec, NULL);
		if (r == 0)
			*ret = rec;
	} else {
		r = fail(&d, NULL, "not msgpack");
	}
	msgpack_unpacked_destroy(&unpacked);
	return r;
}

int message_decode(const void *data, size_t size, struct zone *zone, const struct message_desc **ret_desc,
                   void **ret_rec, struct err *err)
{
	size_t offset;
	int id;
	int r = codec_check_head(data, size, &id, &offset, err);

	if (r < 0)
		return r;
	const struct message_desc *m = message_find(id);
	if (!m)
		return err_set(err, ENOMSG, "no message has the id %d", id);
	r = codec_decode(m->record, (const char *)data + offset, size - offset, zone, ret_rec, err);
	if (r < 0) {
		err_wrap(err, "%s", m->name);
		return r;
	}
	*ret_desc = m;
	return 0;
}
