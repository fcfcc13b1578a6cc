/* The field tables made from schema.def: what the interpreters of msg/codec and msg/json walk. */
#ifndef FL_MSG_DESC_H
#define FL_MSG_DESC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fairlead/types.h>

enum field_kind {
	FIELD_STR,
	FIELD_ID,
	FIELD_BYTES,
	FIELD_BOOL,
	FIELD_INT,
	FIELD_UINT,
	FIELD_MILLI,
	FIELD_SECONDS,
	FIELD_NANOS,
	FIELD_ENUM,
	FIELD_REC,
	FIELD_LIST,
	FIELD_STRS,
	FIELD_IDS,
	FIELD_MAP,
};

struct enum_value {
	int number;
	const char *name; /* JSON name */
	const char *doc;
};

struct enum_desc {
	const char *name;
	const struct enum_value *values;
	size_t n_values;
};

struct record_desc;

struct field_desc {
	uint32_t tag;
	enum field_kind kind;
	const char *name; /* C and documentation name */
	const char *json;
	bool must;
	int64_t deflt;         /* numbers, bools, enums */
	const char *deflt_str; /* FIELD_STR */
	const struct enum_desc *enumeration;
	const struct record_desc *record; /* FIELD_REC, LIST, MAP */
	size_t offset;                    /* of the value in the struct */
	size_t has_offset;                /* of has_<name>, or of n_<name> for lists; 0 when neither */
	const char *doc;
};

struct record_desc {
	const char *name; /* "task_info" */
	const char *json; /* "TaskInfo" */
	size_t size;
	const struct field_desc *fields;
	size_t n_fields;
	const char *doc;
};

enum peer_mask { PEER_MASTER = 1, PEER_SLAVE = 2, PEER_FRAMEWORK = 4, PEER_ANY = 7 };

struct message_desc {
	const char *name;
	int id;
	int from, to; /* peer_mask */
	const struct record_desc *record;
	const char *doc;
};

/* One constant for each row: rec_<name> (struct record_desc), enum_<name> (struct enum_desc), MSG_<name> (message id). */
#define ENUMERATION(name, json, doc) extern const struct enum_desc enum_##name;
#define RECORD(name, json, doc) extern const struct record_desc rec_##name;
#include "msg/schema_rest.h"
#include "msg/schema.def"
#include "msg/schema_undef.h"
#define MESSAGE(name, id, from, to, record, doc) MSG_##name = id,
#include "msg/schema_rest.h"
enum message_id {
#include "msg/schema.def"
};
#include "msg/schema_undef.h"

const struct message_desc *message_find(int id); /* NULL when unknown */
extern const struct message_desc messages[];
extern const size_t n_messages;
extern const struct record_desc *const records[];
extern const size_t n_records;

/* The field with this tag or JSON name, NULL when unknown. */
const struct field_desc *field_find(const struct record_desc *desc, uint64_t tag);
const struct field_desc *field_find_json(const struct record_desc *desc, const char *json);

/* Is it there? MUST numbers and bools always are; a list is when it has elements. */
bool field_present(const struct field_desc *f, const void *rec);
/* Puts the default of an absent MAY field in its place; its presence stays as it is. */
void field_set_default(const struct field_desc *f, void *rec);

static inline const void *field_ptr(const struct field_desc *f, const void *rec)
{
	return (const char *)rec + f->offset;
}

/* Elements of a list or map, and the i-th of them: a record, or a const char * of STRS and IDS. */
static inline size_t field_count(const struct field_desc *f, const void *rec)
{
	return *(const size_t *)((const char *)rec + f->has_offset);
}

static inline const void *field_element(const struct field_desc *f, const void *rec, size_t i)
{
	const char *base = *(const char *const *)field_ptr(f, rec);
	return f->record ? base + i * f->record->size : ((const char *const *)base)[i];
}

/* JSON name of an enum value, "?" when unknown; number of a name, 0 when unknown. */
const char *enum_name(const struct enum_desc *e, int number);
int enum_number(const struct enum_desc *e, const char *name);
/* Its documentation line, "" when unknown. */
const char *enum_doc(const struct enum_desc *e, int number);
bool enum_has(const struct enum_desc *e, int64_t number);

#endif
