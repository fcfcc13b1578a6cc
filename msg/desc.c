/* Looking things up in the field tables; the tables themselves are printed by msg/gen. */
#include "msg/desc.h"

#include <string.h>

const struct message_desc *message_find(int id)
{
	for (size_t i = 0; i < n_messages; i++)
		if (messages[i].id == id)
			return &messages[i];
	return NULL;
}

const struct field_desc *field_find(const struct record_desc *desc, uint64_t tag)
{
	/* Tags without gaps are the rule. */
	if (tag && tag <= desc->n_fields && desc->fields[tag - 1].tag == tag)
		return &desc->fields[tag - 1];
	for (size_t i = 0; i < desc->n_fields; i++)
		if (desc->fields[i].tag == tag)
			return &desc->fields[i];
	return NULL;
}

const struct field_desc *field_find_json(const struct record_desc *desc, const char *json)
{
	for (size_t i = 0; i < desc->n_fields; i++)
		if (!strcmp(desc->fields[i].json, json))
			return &desc->fields[i];
	return NULL;
}

bool field_present(const struct field_desc *f, const void *rec)
{
	const void *p = field_ptr(f, rec);

	switch (f->kind) {
	case FIELD_STR:
	case FIELD_ID:
	case FIELD_REC:
		return *(const void *const *)p;
	case FIELD_BYTES:
		return ((const struct fl_bytes *)p)->data;
	case FIELD_ENUM:
		return *(const int *)p;
	case FIELD_LIST:
	case FIELD_STRS:
	case FIELD_IDS:
	case FIELD_MAP:
		return field_count(f, rec);
	default:
		return !f->has_offset || *(const bool *)((const char *)rec + f->has_offset);
	}
}

void field_set_default(const struct field_desc *f, void *rec)
{
	void *p = (char *)rec + f->offset;

	switch (f->kind) {
	case FIELD_STR:
		*(const char **)p = f->deflt_str;
		break;
	case FIELD_BOOL:
		*(bool *)p = f->deflt;
		break;
	case FIELD_ENUM:
		*(int *)p = (int)f->deflt;
		break;
	case FIELD_INT:
	case FIELD_UINT:
	case FIELD_MILLI:
	case FIELD_SECONDS:
	case FIELD_NANOS:
		*(int64_t *)p = f->deflt;
		break;
	default:
		break;
	}
}

static const struct enum_value *find_value(const struct enum_desc *e, int number)
{
	for (size_t i = 0; i < e->n_values; i++)
		if (e->values[i].number == number)
			return &e->values[i];
	return NULL;
}

const char *enum_name(const struct enum_desc *e, int number)
{
	const struct enum_value *v = find_value(e, number);
	return v ? v->name : "?";
}

int enum_number(const struct enum_desc *e, const char *name)
{
	for (size_t i = 0; i < e->n_values; i++)
		if (!strcmp(e->values[i].name, name))
			return e->values[i].number;
	return 0;
}

const char *enum_doc(const struct enum_desc *e, int number)
{
	const struct enum_value *v = find_value(e, number);
	return v ? v->doc : "";
}

bool enum_has(const struct enum_desc *e, int64_t number)
{
	return number == (int)number && find_value(e, (int)number);
}
