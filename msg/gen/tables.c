/* Prints the field tables: the definitions of what msg/desc.h declares.
 *
 * They are printed and not made by macros because a field row of the schema does not know its record, and offsetof must. */
#include <string.h>

#include "msg/gen/gen.h"

static void print_quoted(FILE *out, const char *s)
{
	fputc('"', out);
	for (; *s; s++) {
		if (*s == '"' || *s == '\\')
			fputc('\\', out);
		fputc(*s, out);
	}
	fputc('"', out);
}

static const struct row *print_enumeration(FILE *out, const struct row *r)
{
	const char *name = r->name;

	fprintf(out, "\nstatic const struct enum_value values_%s[] = {\n", name);
	for (r++; r->kind == ROW_VALUE; r++) {
		fprintf(out, "\t{%s, \"%s\", ", r->name, r->json);
		print_quoted(out, r->doc);
		fprintf(out, "},\n");
	}
	fprintf(out, "};\nconst struct enum_desc enum_%s = {\"%s\", values_%s, ARRAY_SIZE(values_%s)};\n", name, name,
	        name, name);
	return r;
}

static const char *field_kind(const struct row *r)
{
	static const char *const names[] = {
		[ROW_STR] = "STR",     [ROW_ID] = "ID",     [ROW_BYTES] = "BYTES", [ROW_BOOL] = "BOOL",
		[ROW_INT] = "INT",     [ROW_UINT] = "UINT", [ROW_MILLI] = "MILLI", [ROW_SECONDS] = "SECONDS",
		[ROW_NANOS] = "NANOS", [ROW_ENUM] = "ENUM", [ROW_REC] = "REC",     [ROW_LIST] = "LIST",
		[ROW_STRS] = "STRS",   [ROW_IDS] = "IDS",   [ROW_MAP] = "MAP",
	};
	return names[r->kind];
}

static void print_default(FILE *out, const struct row *r)
{
	if (row_is_must(r) || !*r->deflt)
		return;
	fprintf(out, ", .%s = %s", r->kind == ROW_STR ? "deflt_str" : "deflt", r->deflt);
}

static void print_has(FILE *out, const struct row *rec, const struct row *r)
{
	if (r->kind >= ROW_LIST)
		fprintf(out, ", .has_offset = offsetof(struct fl_%s, n_%s)", rec->name, r->name);
	else if (r->kind >= ROW_BOOL && r->kind <= ROW_NANOS && !row_is_must(r))
		fprintf(out, ", .has_offset = offsetof(struct fl_%s, has_%s)", rec->name, r->name);
}

static void print_field(FILE *out, const struct row *rec, const struct row *r)
{
	fprintf(out, "\t{.tag = %ld, .kind = FIELD_%s, .name = \"%s\", .json = \"%s\"", r->number, field_kind(r),
	        r->name, r->json);
	fprintf(out, ", .must = %s", row_is_must(r) ? "true" : "false");
	print_default(out, r);
	if (*r->ref)
		fprintf(out, r->kind == ROW_ENUM ? ", .enumeration = &enum_%s" : ", .record = &rec_%s", r->ref);
	fprintf(out, ",\n\t .offset = offsetof(struct fl_%s, %s)", rec->name, r->name);
	print_has(out, rec, r);
	fprintf(out, ",\n\t .doc = ");
	print_quoted(out, r->doc);
	fprintf(out, "},\n");
}

static const struct row *print_record(FILE *out, const struct row *rec)
{
	const struct row *r = rec + 1;
	int n = 0;

	if (row_is_field(r))
		fprintf(out, "\nstatic const struct field_desc fields_%s[] = {\n", rec->name);
	for (; row_is_field(r); r++, n++)
		print_field(out, rec, r);
	fprintf(out, "%sconst struct record_desc rec_%s = {\"%s\", \"%s\", sizeof(struct fl_%s), ", n ? "};\n" : "\n",
	        rec->name, rec->name, rec->json, rec->name);
	fprintf(out, n ? "fields_%s, %d, " : "NULL, 0, ", rec->name, n);
	print_quoted(out, rec->doc);
	fprintf(out, "};\n");
	return r;
}

static void print_records(FILE *out)
{
	fprintf(out, "\nconst struct record_desc *const records[] = {\n");
	for (const struct row *r = rows; r < rows + n_rows; r++)
		if (r->kind == ROW_RECORD)
			fprintf(out, "\t&rec_%s,\n", r->name);
	fprintf(out, "};\nconst size_t n_records = ARRAY_SIZE(records);\n");
}

static void print_messages(FILE *out)
{
	fprintf(out, "\nconst struct message_desc messages[] = {\n");
	for (const struct row *r = rows; r < rows + n_rows; r++) {
		if (r->kind != ROW_MESSAGE)
			continue;
		fprintf(out, "\t{\"%s\", %ld, PEER_%s, PEER_%s, &rec_%s, ", r->name, r->number, r->json, r->need,
		        r->ref);
		print_quoted(out, r->doc);
		fprintf(out, "},\n");
	}
	fprintf(out, "};\nconst size_t n_messages = ARRAY_SIZE(messages);\n");
}

void tables_print(FILE *out)
{
	fprintf(out, "/* Made from msg/schema.def. */\n#include \"msg/desc.h\"\n\n#include \"base/mem.h\"\n");
	for (const struct row *r = rows; r < rows + n_rows; r++) {
		if (r->kind == ROW_ENUMERATION)
			r = print_enumeration(out, r);
		else if (r->kind == ROW_RECORD)
			r = print_record(out, r);
	}
	print_records(out);
	print_messages(out);
}
