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
	int64_t deflt;              /* numbers, bools, enums */
	const char *deflt_str;      /* FIELD_STR */
	const struct enum_desc *enumeration;
	const struct record_desc *record; /* FIELD_REC, LIST, MAP */
	size_t offset;              /* of the value in the struct */
	size_t has_offset;          /* of has_<name>, or of n_<name> for lists; 0 when neither */
	const char *doc;
};

struct record_desc {
	const char *name;  /* "task_info" */
	const char *json;  /* "TaskInfo" */
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
#define VALUE(cname, number, json, doc)
#define END_ENUMERATION(name)
#define RECORD(name, json, doc) extern const struct record_desc rec_##name;
#define STR(...)
#define ID(...)
#define BYTES(...)
#define BOOL(...)
#define INT(...)
#define UINT(...)
#define MILLI(...)
#define SECONDS(...)
#define NANOS(...)
#define ENUM(...)
#define REC(...)
#define LIST(...)
#define STRS(...)
#define IDS(...)
#define MAP(...)
#define END_RECORD(name)
#define MESSAGE(name, id, from, to, record, doc)
#include "msg/schema.def"
#undef MESSAGE
#define MESSAGE(name, id, from, to, record, doc) MSG_##name = id,
#undef ENUMERATION
#undef RECORD
#define ENUMERATION(...)
#define RECORD(...)
enum message_id {
#include "msg/schema.def"
};
#include "msg/schema_undef.h"

const struct message_desc *message_find(int id); /* NULL when unknown */
extern const struct message_desc messages[];
extern const size_t n_messages;
extern const struct record_desc *const records[];
extern const size_t n_records;

/* JSON name of an enum value, "?" when unknown; number of a name, 0 when unknown. */
const char *enum_name(const struct enum_desc *e, int number);
int enum_number(const struct enum_desc *e, const char *name);
/* Its documentation line, "" when unknown. */
const char *enum_doc(const struct enum_desc *e, int number);

#endif
