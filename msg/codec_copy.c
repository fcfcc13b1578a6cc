/* Copies and comparisons of records by their field tables, and owned copies; declared in codec.h. */
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "msg/codec.h"

static void copy_fields(const struct record_desc *desc, void *to, const void *from, struct zone *zone);

static void *copy_elements(const struct field_desc *f, const void *from, struct zone *zone)
{
	size_t n = field_count(f, from);

	if (!n)
		return NULL;
	if (f->record) {
		char *base = zone_memdup(zone, field_element(f, from, 0), n * f->record->size);
		for (size_t i = 0; i < n; i++)
			copy_fields(f->record, base + i * f->record->size, field_element(f, from, i), zone);
		return base;
	}
	const char **words = zone_alloc(zone, n * sizeof(*words));
	for (size_t i = 0; i < n; i++)
		words[i] = zone_strdup(zone, field_element(f, from, i));
	return words;
}

/* `to` is a flat copy of `from`: what it points to is still from's. */
static void copy_fields(const struct record_desc *desc, void *to, const void *from, struct zone *zone)
{
	for (size_t i = 0; i < desc->n_fields; i++) {
		const struct field_desc *f = &desc->fields[i];
		void *p = (char *)to + f->offset;
		switch (f->kind) {
		case FIELD_STR:
		case FIELD_ID:
			*(char **)p = zone_strdup(zone, *(char **)p);
			break;
		case FIELD_BYTES: {
			struct fl_bytes *b = p;
			if (b->data)
				b->data = zone_memdup(zone, b->data, b->size);
			break;
		}
		case FIELD_REC:
			if (*(void **)p)
				*(void **)p = codec_copy(f->record, *(void **)p, zone);
			break;
		case FIELD_LIST:
		case FIELD_STRS:
		case FIELD_IDS:
		case FIELD_MAP:
			*(void **)p = copy_elements(f, from, zone);
			break;
		default:
			break;
		}
	}
}

void *codec_copy(const struct record_desc *desc, const void *rec, struct zone *zone)
{
	void *copy = zone_memdup(zone, rec, desc->size);
	copy_fields(desc, copy, rec, zone);
	return copy;
}

static bool equal_elements(const struct field_desc *f, const void *a, const void *b)
{
	size_t n = field_count(f, a);

	if (n != field_count(f, b))
		return false;
	for (size_t i = 0; i < n; i++) {
		const void *x = field_element(f, a, i), *y = field_element(f, b, i);
		if (f->record ? !codec_equal(f->record, x, y) : !str_equal(x, y))
			return false;
	}
	return true;
}

/* Both are present. */
static bool equal_value(const struct field_desc *f, const void *a, const void *b)
{
	const void *x = field_ptr(f, a), *y = field_ptr(f, b);

	switch (f->kind) {
	case FIELD_STR:
	case FIELD_ID:
		return str_equal(*(const char *const *)x, *(const char *const *)y);
	case FIELD_BYTES: {
		const struct fl_bytes *p = x, *q = y;
		return p->size == q->size && !memcmp(p->data, q->data, p->size);
	}
	case FIELD_BOOL:
		return *(const bool *)x == *(const bool *)y;
	case FIELD_ENUM:
		return *(const int *)x == *(const int *)y;
	case FIELD_REC:
		return codec_equal(f->record, *(const void *const *)x, *(const void *const *)y);
	case FIELD_LIST:
	case FIELD_STRS:
	case FIELD_IDS:
	case FIELD_MAP:
		return equal_elements(f, a, b);
	default:
		return *(const int64_t *)x == *(const int64_t *)y;
	}
}

bool codec_equal(const struct record_desc *desc, const void *a, const void *b)
{
	for (size_t i = 0; i < desc->n_fields; i++) {
		const struct field_desc *f = &desc->fields[i];
		bool present = field_present(f, a);
		if (present != field_present(f, b) || (present && !equal_value(f, a, b)))
			return false;
	}
	return true;
}

void owned_set(struct owned *o, const struct record_desc *desc, const void *rec)
{
	struct owned fresh = {0};

	if (rec) {
		fresh.zone = zone_create();
		fresh.rec = codec_copy(desc, rec, fresh.zone);
	}
	zone_destroy(o->zone); /* only now: rec may lie in it */
	*o = fresh;
}

void owned_fini(struct owned *o)
{
	zone_destroy(o->zone);
	*o = (struct owned){0};
}
