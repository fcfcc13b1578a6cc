/* JSON text to records. The only file that knows jansson.
 *
 * jansson parses all numbers with a fraction or exponent to double; they become thousandths or nanoseconds here, at the
 * door, and nowhere is a double kept. */
#include "msg/json.h"

#include <assert.h>
#include <errno.h>
#include <jansson.h>
#include <math.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "msg/codec.h"
#include "msg/json_scan.h"
#include "msg/path.h"

#define ALLOC_ALIGN 16 /* of zones */

struct reader {
	struct zone *zone;
	struct err *err;
	size_t cost; /* zone memory taken, at most CODEC_MAX_COST */
};

static int read_record(struct reader *r, const struct record_desc *desc, const json_t *v, void *rec,
                       const struct path *path);

static int fail(const struct reader *r, const struct path *path, const char *what)
{
	return path_fail(path, r->err, EBADMSG, "%s", what);
}

/* Zeroed memory of the zone, NULL and an error above the limit. */
static void *take(struct reader *r, size_t size, const struct path *path)
{
	size_t room = (size + ALLOC_ALIGN) & /* nothing takes one too */
	              ~(size_t)(ALLOC_ALIGN - 1);

	if (room > CODEC_MAX_COST - r->cost) {
		fail(r, path, "takes too much memory");
		return NULL;
	}
	r->cost += room;
	return zone_alloc(r->zone, size);
}

static int read_text(struct reader *r, const json_t *v, const char **ret, const struct path *path)
{
	if (!json_is_string(v))
		return fail(r, path, "not a string");
	size_t n = json_string_length(v);
	char *s = take(r, n + 1, path);
	if (!s)
		return -EBADMSG;
	memcpy(s, json_string_value(v), n);
	*ret = s;
	return 0;
}

static int read_id(struct reader *r, const json_t *v, const char **ret, const struct path *path)
{
	struct path here = {path, "value", 0};

	if (!json_is_object(v))
		return fail(r, path, "not an object with a value");
	const json_t *value = json_object_get(v, "value");
	if (!value || json_is_null(value))
		return fail(r, &here, "missing");
	return read_text(r, value, ret, &here);
}

/* Six bits of a base64 digit, -1 for anything else. */
static int base64_digit(char c)
{
	if (c >= 'A' && c <= 'Z')
		return c - 'A';
	if (c >= 'a' && c <= 'z')
		return c - 'a' + 26;
	if (c >= '0' && c <= '9')
		return c - '0' + 52;
	return c == '+' ? 62 : c == '/' ? 63 : -1;
}

/* Decodes n digits, a multiple of four with up to two '=' at the end, to out. False when they are not that. */
static bool base64_decode(const char *s, size_t n, uint8_t *out, size_t *ret_size)
{
	size_t pad = n && s[n - 1] == '=' ? 1 + (s[n - 2] == '=') : 0;
	uint32_t bits = 0;

	for (size_t i = 0; i < n; i++) {
		int digit = i >= n - pad ? 0 : base64_digit(s[i]);
		if (digit < 0)
			return false;
		bits = bits << 6 | (uint32_t)digit;
		if (i % 4 < 3)
			continue;
		for (int shift = 16; shift >= 0; shift -= 8)
			*out++ = (uint8_t)(bits >> shift);
		bits = 0;
	}
	*ret_size = n / 4 * 3 - pad;
	return true;
}

static int read_bytes(struct reader *r, const json_t *v, struct fl_bytes *ret, const struct path *path)
{
	size_t n = json_string_length(v), size = 0; /* 0 when it is none */

	if (!json_is_string(v) || n % 4)
		return fail(r, path, "not base64");
	uint8_t *data = take(r, n / 4 * 3, path);
	if (!data)
		return -EBADMSG;
	if (!base64_decode(json_string_value(v), n, data, &size))
		return fail(r, path, "not base64");
	*ret = (struct fl_bytes){data, size};
	return 0;
}

/* v units of one, each of `unit` parts, in parts. The one place where a double becomes an integer. */
static bool from_real(double v, int64_t unit, int64_t *ret)
{
	int64_t parts;

	if (!isfinite(v) || fabs(v) >= 0x1p63 / (double)unit)
		return false;
	double whole = trunc(v);
	if (unit == 1 && whole != v)
		return false;
	if (__builtin_mul_overflow((int64_t)whole, unit, &parts))
		return false;
	return !__builtin_add_overflow(parts, (int64_t)llround((v - whole) * (double)unit), ret);
}

static int read_int(struct reader *r, const json_t *v, int64_t unit, int64_t *ret, const struct path *path)
{
	if (json_is_integer(v)) {
		if (__builtin_mul_overflow((int64_t)json_integer_value(v), unit, ret))
			return fail(r, path, "out of range");
		return 0;
	}
	if (json_is_real(v))
		return from_real(json_real_value(v), unit, ret) ? 0 : fail(r, path, "out of range");
	if (json_is_string(v) && unit == 1)
		return str_to_int64(json_string_value(v), INT64_MIN, INT64_MAX, ret, NULL) < 0
		               ? fail(r, path, "not a whole number")
		               : 0;
	return fail(r, path, "not a number");
}

static int read_uint(struct reader *r, const json_t *v, uint64_t *ret, const struct path *path)
{
	int64_t number = 0;

	if (json_is_string(v))
		return str_to_uint64(json_string_value(v), UINT64_MAX, ret, NULL) < 0
		               ? fail(r, path, "not a whole number from 0 on")
		               : 0;
	int status = read_int(r, v, 1, &number, path);
	if (status < 0)
		return status;
	if (number < 0)
		return fail(r, path, "below 0");
	*ret = (uint64_t)number;
	return 0;
}

static int read_nanos(struct reader *r, const json_t *v, int64_t *ret, const struct path *path)
{
	struct path here = {path, "nanoseconds", 0};

	if (!json_is_object(v))
		return fail(r, path, "not an object with nanoseconds");
	const json_t *value = json_object_get(v, "nanoseconds");
	if (!value || json_is_null(value))
		return fail(r, &here, "missing");
	return read_int(r, value, 1, ret, &here);
}

/* An unknown name of an optional enum is as good as absent: newer peers have more values. */
static int read_enum(struct reader *r, const struct field_desc *f, const json_t *v, int *ret, const struct path *path)
{
	if (!json_is_string(v))
		return fail(r, path, "not a name");
	int number = enum_number(f->enumeration, json_string_value(v));
	if (!number && f->must)
		return path_fail(path, r->err, EBADMSG, "'%.64s' is not in %s", json_string_value(v),
		                 f->enumeration->name);
	*ret = number;
	return 0;
}

/* A lone value is a list of one; null is no element. */
static int read_elements(struct reader *r, const struct field_desc *f, const json_t *v, void *rec,
                         const struct path *path)
{
	size_t each = f->record ? f->record->size : sizeof(char *);
	size_t n = json_is_array(v) ? json_array_size(v) : 1, used = 0;
	char *base = n ? take(r, n * each, path) : NULL;

	if (n && !base)
		return -EBADMSG;
	for (size_t i = 0; i < n; i++) {
		const json_t *element = json_is_array(v) ? json_array_get(v, i) : v;
		struct path here = {path, NULL, i};
		void *at = base + used * each;
		int status;
		if (json_is_null(element))
			continue;
		if (f->record)
			status = read_record(r, f->record, element, at, &here);
		else if (f->kind == FIELD_IDS)
			status = read_id(r, element, at, &here);
		else
			status = read_text(r, element, at, &here);
		if (status < 0)
			return status;
		used++;
	}
	*(void **)((char *)rec + f->offset) = used ? base : NULL;
	*(size_t *)((char *)rec + f->has_offset) = used;
	return 0;
}

static int read_value(struct reader *r, const struct field_desc *f, json_t *v, void *rec, const struct path *path);

static int read_map(struct reader *r, const struct field_desc *f, json_t *v, void *rec, const struct path *path)
{
	const struct field_desc *key_field = &f->record->fields[0], *value_field = &f->record->fields[1];
	size_t n = json_object_size(v), used = 0;
	char *base = n ? take(r, n * f->record->size, path) : NULL;
	const char *key;
	json_t *value;

	if (!json_is_object(v))
		return fail(r, path, "not an object");
	if (n && !base)
		return -EBADMSG;
	json_object_foreach(v, key, value)
	{
		struct path here = {path, key, 0};
		char *entry = base + used * f->record->size;
		if (json_is_null(value))
			continue;
		size_t length = strlen(key);
		char *copy = take(r, length + 1, &here);
		if (!copy)
			return -EBADMSG;
		*(char **)(void *)(entry + key_field->offset) = memcpy(copy, key, length);
		int status = read_value(r, value_field, value, entry, &here);
		if (status < 0)
			return status;
		used++;
	}
	*(void **)((char *)rec + f->offset) = used ? base : NULL;
	*(size_t *)((char *)rec + f->has_offset) = used;
	return 0;
}

static int read_bool(struct reader *r, const json_t *v, bool *ret, const struct path *path)
{
	if (!json_is_boolean(v))
		return fail(r, path, "not true or false");
	*ret = json_is_true(v);
	return 0;
}

static int read_value(struct reader *r, const struct field_desc *f, json_t *v, void *rec, const struct path *path)
{
	void *p = (char *)rec + f->offset;

	switch (f->kind) {
	case FIELD_STR:
		return read_text(r, v, p, path);
	case FIELD_ID:
		return read_id(r, v, p, path);
	case FIELD_BYTES:
		return read_bytes(r, v, p, path);
	case FIELD_BOOL:
		return read_bool(r, v, p, path);
	case FIELD_INT:
		return read_int(r, v, 1, p, path);
	case FIELD_UINT:
		return read_uint(r, v, p, path);
	case FIELD_MILLI:
		return read_int(r, v, 1000, p, path);
	case FIELD_SECONDS:
		return read_int(r, v, 1000000000, p, path);
	case FIELD_NANOS:
		return read_nanos(r, v, p, path);
	case FIELD_ENUM:
		return read_enum(r, f, v, p, path);
	case FIELD_REC:
		*(void **)p = take(r, f->record->size, path);
		return *(void **)p ? read_record(r, f->record, v, *(void **)p, path) : -EBADMSG;
	case FIELD_LIST:
	case FIELD_STRS:
	case FIELD_IDS:
		return read_elements(r, f, v, rec, path);
	case FIELD_MAP:
		return read_map(r, f, v, rec, path);
	}
	assert(!"a kind of field");
	return -EBADMSG;
}

/* rec is zeroed memory of the zone. */
static int read_record(struct reader *r, const struct record_desc *desc, const json_t *v, void *rec,
                       const struct path *path)
{
	if (!json_is_object(v))
		return fail(r, path, "not an object");
	for (size_t i = 0; i < desc->n_fields; i++) {
		const struct field_desc *f = &desc->fields[i];
		struct path here = {path, f->json, 0};
		json_t *value = json_object_get(v, f->json);
		bool absent = !value || json_is_null(value);
		if (absent && f->must)
			return fail(r, &here, "missing");
		if (!absent) {
			int status = read_value(r, f, value, rec, &here);
			if (status < 0)
				return status;
			if (!f->must && f->has_offset && f->kind < FIELD_LIST)
				*(bool *)((char *)rec + f->has_offset) = true;
		}
		if (!f->must && !field_present(f, rec))
			field_set_default(f, rec);
	}
	return 0;
}

static int read_root(struct reader *r, const struct record_desc *desc, const json_t *root, void **ret)
{
	void *rec = take(r, desc->size, NULL);

	if (!rec)
		return -EBADMSG;
	int status = read_record(r, desc, root, rec, NULL);
	if (status == 0)
		*ret = rec;
	return status;
}

int json_decode(const struct record_desc *desc, const char *text, size_t size, struct zone *zone, void **ret,
                struct err *err)
{
	struct reader r = {.zone = zone, .err = err};
	json_error_t error;
	int status = json_scan(text, size, err);

	if (status < 0)
		return status;
	json_t *root = json_loadb(text, size, JSON_REJECT_DUPLICATES, &error);
	if (!root)
		return err_set(err, EBADMSG, "not JSON: %s (line %d, column %d)", error.text, error.line, error.column);
	status = read_root(&r, desc, root, ret);
	json_decref(root);
	return status;
}
