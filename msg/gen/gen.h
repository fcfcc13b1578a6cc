/* The schema as the generator sees it: a flat list of rows. */
#ifndef FL_MSG_GEN_H
#define FL_MSG_GEN_H

#include <stdbool.h>
#include <stddef.h>
#include <stdio.h>

enum row_kind {
	ROW_ENUMERATION,
	ROW_RECORD,
	ROW_END,
	ROW_VALUE, /* from here on rows have a number */
	ROW_STR,   /* from here to ROW_MAP they are fields */
	ROW_ID,
	ROW_BYTES,
	ROW_BOOL,
	ROW_INT,
	ROW_UINT,
	ROW_MILLI,
	ROW_SECONDS,
	ROW_NANOS,
	ROW_ENUM,
	ROW_REC,
	ROW_LIST,
	ROW_STRS,
	ROW_IDS,
	ROW_MAP,
	ROW_MESSAGE,
};

struct row {
	enum row_kind kind;
	long number; /* tag, value or message id */
	const char *name;
	const char *json;  /* of a message: FROM */
	const char *need;  /* MUST or MAY; of a message: TO */
	const char *deflt; /* C text of the default, "" when the kind has none */
	const char *ref;   /* record or enumeration */
	const char *doc;
};

extern const struct row rows[];
extern const size_t n_rows;

bool row_is_field(const struct row *r);
bool row_is_must(const struct row *r);
const struct row *row_find(enum row_kind kind, const char *name);

void types_print(FILE *out);
void tables_print(FILE *out);
void protocol_print(FILE *out);

#endif
