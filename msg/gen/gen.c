/* Host program: makes <fairlead/types.h>, the field tables and docs/protocol.md out of schema.def.
 *
 *   fl_gen types|tables|protocol OUT
 *
 * The schema is read as one flat list of rows, which is checked first: a tag or name used twice, an unknown record or
 * enum, or a value of 0 stops the build. types.c, tables.c and protocol.c print the three forms. */
#include "msg/gen/gen.h"

#include <errno.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

#define MAX_TAG 64

#define ENUMERATION(name, json, doc) {ROW_ENUMERATION, 0, #name, #json, "", "", "", doc},
#define VALUE(cname, number, json, doc) {ROW_VALUE, number, #cname, json, "", "", "", doc},
#define END_ENUMERATION(name) {ROW_END, 0, #name, "", "", "", "", ""},
#define RECORD(name, json, doc) {ROW_RECORD, 0, #name, #json, "", "", "", doc},
#define STR(tag, name, json, need, deflt, doc) {ROW_STR, tag, #name, json, #need, #deflt, "", doc},
#define ID(tag, name, json, need, doc) {ROW_ID, tag, #name, json, #need, "", "", doc},
#define BYTES(tag, name, json, need, doc) {ROW_BYTES, tag, #name, json, #need, "", "", doc},
#define BOOL(tag, name, json, need, deflt, doc) {ROW_BOOL, tag, #name, json, #need, #deflt, "", doc},
#define INT(tag, name, json, need, deflt, doc) {ROW_INT, tag, #name, json, #need, #deflt, "", doc},
#define UINT(tag, name, json, need, deflt, doc) {ROW_UINT, tag, #name, json, #need, #deflt, "", doc},
#define MILLI(tag, name, json, need, deflt, doc) {ROW_MILLI, tag, #name, json, #need, #deflt, "", doc},
#define SECONDS(tag, name, json, need, deflt, doc) {ROW_SECONDS, tag, #name, json, #need, #deflt, "", doc},
#define NANOS(tag, name, json, need, deflt, doc) {ROW_NANOS, tag, #name, json, #need, #deflt, "", doc},
#define ENUM(tag, name, json, need, ref, deflt, doc) {ROW_ENUM, tag, #name, json, #need, #deflt, #ref, doc},
#define REC(tag, name, json, need, ref, doc) {ROW_REC, tag, #name, json, #need, "", #ref, doc},
#define LIST(tag, name, json, ref, doc) {ROW_LIST, tag, #name, json, "MAY", "", #ref, doc},
#define STRS(tag, name, json, doc) {ROW_STRS, tag, #name, json, "MAY", "", "", doc},
#define IDS(tag, name, json, doc) {ROW_IDS, tag, #name, json, "MAY", "", "", doc},
#define MAP(tag, name, json, ref, doc) {ROW_MAP, tag, #name, json, "MAY", "", #ref, doc},
#define END_RECORD(name) {ROW_END, 0, #name, "", "", "", "", ""},
#define MESSAGE(name, id, from, to, record, doc) {ROW_MESSAGE, id, #name, #from, #to, "", #record, doc},

const struct row rows[] = {
#include "msg/schema.def"
};
#include "msg/schema_undef.h"
const size_t n_rows = sizeof(rows) / sizeof(rows[0]);

bool row_is_field(const struct row *r)
{
	return r->kind >= ROW_STR && r->kind <= ROW_MAP;
}

bool row_is_must(const struct row *r)
{
	return !strcmp(r->need, "MUST");
}

const struct row *row_find(enum row_kind kind, const char *name)
{
	for (const struct row *r = rows; r < rows + n_rows; r++)
		if (r->kind == kind && !strcmp(r->name, name))
			return r;
	return NULL;
}

static int complain(const struct row *r, const char *what)
{
	fprintf(stderr, "schema.def: %s (%s): %s\n", r->name, r->doc, what);
	return 1;
}

/* Rows of the block that r belongs to must not share its number or either name. */
static int check_unique(const struct row *r)
{
	int bad = 0;

	for (const struct row *o = r - 1; o >= rows && o->kind >= ROW_VALUE; o--) {
		if (o->number == r->number)
			bad += complain(r, "its number is taken");
		if (!strcmp(o->name, r->name))
			bad += complain(r, "its name is taken");
		if (r->kind != ROW_MESSAGE && !strcmp(o->json, r->json))
			bad += complain(r, "its JSON name is taken");
	}
	return bad;
}

static int check_ref(const struct row *r)
{
	if (r->kind == ROW_ENUM)
		return row_find(ROW_ENUMERATION, r->ref) ? 0 : complain(r, "no such enumeration");
	const struct row *rec = row_find(ROW_RECORD, r->ref);
	if (!rec)
		return complain(r, "no such record");
	if (r->kind == ROW_MAP &&
	    (rec[1].kind != ROW_STR || strcmp(rec[1].name, "key") || strcmp(rec[2].name, "value")))
		return complain(r, "the entry of a map has STR key and then value");
	return 0;
}

static int check(void)
{
	int bad = 0;

	for (const struct row *r = rows; r < rows + n_rows; r++) {
		if (r->kind == ROW_ENUMERATION || r->kind == ROW_RECORD)
			bad += row_find(r->kind, r->name) == r ? 0 : complain(r, "its name is taken");
		if (r->kind < ROW_VALUE)
			continue;
		if (r->number <= 0)
			bad += complain(r, "numbers begin at 1");
		if (row_is_field(r) && r->number > MAX_TAG)
			bad += complain(r, "its tag is too high for the decoder's set of tags seen");
		bad += check_unique(r);
		if (*r->ref)
			bad += check_ref(r);
	}
	return bad;
}

static int write_form(void (*print)(FILE *), const char *path)
{
	FILE *out = fopen(path, "w");

	if (!out) {
		fprintf(stderr, "%s: %s\n", path, strerror(errno));
		return 1;
	}
	print(out);
	if (ferror(out) | fclose(out)) {
		fprintf(stderr, "%s: cannot be written\n", path);
		return 1;
	}
	return 0;
}

int main(int argc, char **argv)
{
	static const struct {
		const char *name;
		void (*print)(FILE *);
	} forms[] = {{"types", types_print}, {"tables", tables_print}, {"protocol", protocol_print}};

	for (size_t i = 0; argc == 3 && i < sizeof(forms) / sizeof(forms[0]); i++)
		if (!strcmp(argv[1], forms[i].name))
			return check() ? 1 : write_form(forms[i].print, argv[2]);
	fprintf(stderr, "usage: fl_gen types|tables|protocol OUT\n");
	return 2;
}
