/* Random records by the field tables, for round trips of everything the schema has. */
#ifndef FL_TESTS_UNIT_MSG_FILL_H
#define FL_TESTS_UNIT_MSG_FILL_H

#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "msg/codec.h"

struct fill {
	struct zone *zone;
	uint64_t state;
	unsigned percent; /* chance of a MAY field to be there */
};

static inline uint64_t fill_random(struct fill *f)
{
	f->state ^= f->state << 13;
	f->state ^= f->state >> 7;
	f->state ^= f->state << 17;
	return f->state;
}

static inline uint64_t fill_below(struct fill *f, uint64_t bound)
{
	return fill_random(f) % bound;
}

static inline const char *fill_text(struct fill *f)
{
	static const char *const pieces[] = {"a",
	                                     "Z",
	                                     "0",
	                                     " ",
	                                     "\"",
	                                     "\\",
	                                     "/",
	                                     "\n",
	                                     "\x01",
	                                     "\x7f",
	                                     "\xc3\xb6",
	                                     "\xe2\x82\xac",
	                                     "\xf0\x9f\x9a\xa2",
	                                     "<",
	                                     "task-",
	                                     "\t"};
	char text[256];
	size_t used = 0;

	for (uint64_t n = fill_below(f, 12); n; n--) {
		const char *piece = pieces[fill_below(f, ARRAY_SIZE(pieces))];
		memcpy(text + used, piece, strlen(piece));
		used += strlen(piece);
	}
	return zone_strndup(f->zone, text, used);
}

/* Small, large and the ends, so that every msgpack width is met. */
static inline int64_t fill_int(struct fill *f, uint64_t limit)
{
	uint64_t magnitude = fill_random(f) >> fill_below(f, 64);
	uint64_t v = fill_below(f, 8) ? magnitude % limit : limit - 1;
	return fill_below(f, 2) ? (int64_t)v : -(int64_t)v;
}

static inline void fill_fields(struct fill *f, const struct record_desc *desc, void *rec);

static inline void fill_elements(struct fill *f, const struct field_desc *field, void *rec)
{
	size_t n = fill_below(f, 4), each = field->record ? field->record->size : sizeof(char *);
	char *base = n ? zone_alloc(f->zone, n * each) : NULL;

	for (size_t i = 0; i < n; i++) {
		if (field->record)
			fill_fields(f, field->record, base + i * each);
		else
			((const char **)(void *)base)[i] = fill_text(f);
		if (field->kind == FIELD_MAP)
			*(const char **)(void *)(base + i * each) = zone_printf(f->zone, "key \"%zu", i);
	}
	*(void **)((char *)rec + field->offset) = base;
	*(size_t *)((char *)rec + field->has_offset) = n;
}

static inline void fill_value(struct fill *f, const struct field_desc *field, void *rec)
{
	void *p = (char *)rec + field->offset;

	switch (field->kind) {
	case FIELD_STR:
	case FIELD_ID:
		*(const char **)p = fill_text(f);
		break;
	case FIELD_BYTES: {
		struct fl_bytes *b = p;
		b->size = fill_below(f, 20);
		uint8_t *data = zone_alloc(f->zone, b->size);
		for (size_t i = 0; i < b->size; i++)
			data[i] = (uint8_t)fill_random(f);
		b->data = data;
		break;
	}
	case FIELD_BOOL:
		*(bool *)p = fill_below(f, 2);
		break;
	case FIELD_UINT:
		*(uint64_t *)p = fill_random(f) >> fill_below(f, 64);
		break;
	case FIELD_INT:
	case FIELD_NANOS:
		*(int64_t *)p = fill_int(f, (uint64_t)1 << 63);
		break;
	case FIELD_MILLI:
		*(int64_t *)p = fill_int(f, (uint64_t)1 << 50);
		break;
	case FIELD_SECONDS: /* what a double of seconds can tell apart */
		*(int64_t *)p = fill_int(f, 1000000000000000);
		break;
	case FIELD_ENUM:
		*(int *)p = field->enumeration->values[fill_below(f, field->enumeration->n_values)].number;
		break;
	case FIELD_REC:
		*(void **)p = zone_alloc(f->zone, field->record->size);
		fill_fields(f, field->record, *(void **)p);
		break;
	case FIELD_LIST:
	case FIELD_STRS:
	case FIELD_IDS:
	case FIELD_MAP:
		fill_elements(f, field, rec);
		break;
	}
}

static inline void fill_fields(struct fill *f, const struct record_desc *desc, void *rec)
{
	for (size_t i = 0; i < desc->n_fields; i++) {
		const struct field_desc *field = &desc->fields[i];
		if (!field->must && fill_below(f, 100) >= f->percent)
			continue;
		fill_value(f, field, rec);
		if (!field->must && field->has_offset && field->kind < FIELD_LIST)
			*(bool *)((char *)rec + field->has_offset) = true;
	}
}

static inline void *fill_record(struct fill *f, const struct record_desc *desc)
{
	void *rec = zone_alloc(f->zone, desc->size);
	fill_fields(f, desc, rec);
	return rec;
}

/* Puts defaults in place of what is absent, all the way down: as a reader leaves it. */
static inline void fill_defaults(const struct record_desc *desc, void *rec)
{
	for (size_t i = 0; i < desc->n_fields; i++) {
		const struct field_desc *field = &desc->fields[i];
		if (!field->must && !field_present(field, rec))
			field_set_default(field, rec);
		if (field->kind == FIELD_REC && field_present(field, rec))
			fill_defaults(field->record, *(void **)((char *)rec + field->offset));
		for (size_t k = 0; field->kind >= FIELD_LIST && field->record && k < field_count(field, rec); k++)
			fill_defaults(field->record, *(char **)((char *)rec + field->offset) + k * field->record->size);
	}
}

#endif
