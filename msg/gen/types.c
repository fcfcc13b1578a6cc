/* Prints <fairlead/types.h>. */
#include <ctype.h>
#include <string.h>

#include "msg/gen/gen.h"

static const char head[] =
	"/* Every enum and record of Fairlead, with the vocabulary of the Mesos v1 API. Made from msg/schema.def; see\n"
	" * docs/protocol.md for the same in prose.\n"
	" *\n"
	" * Absent and zero differ. What may be absent says so by NULL (text, ids, bytes, records), by has_<name> "
	"(numbers and\n"
	" * bools) or by 0 (enums, whose values begin at 1). A reader finds the default in place of what is absent.\n"
	" * A list is a pointer and its count n_<name>; no elements is absent. Text is UTF-8.\n"
	" * Quantities are thousandths (1 cpu is 1000, 1 MiB is 1000); names that end in _ns are nanoseconds.\n"
	" * The number in brackets is the field's tag on the wire. */\n"
	"#ifndef FAIRLEAD_TYPES_H\n"
	"#define FAIRLEAD_TYPES_H\n"
	"\n"
	"#include <stdbool.h>\n"
	"#include <stddef.h>\n"
	"#include <stdint.h>\n"
	"\n"
	"#ifdef __cplusplus\n"
	"extern \"C\" {\n"
	"#endif\n"
	"\n"
	"/** Bytes. data is NULL when absent; present and empty is a pointer with size 0. */\n"
	"struct fl_bytes {\n"
	"\tconst uint8_t *data;\n"
	"\tsize_t size;\n"
	"};\n";

static void print_upper(FILE *out, const char *s)
{
	for (; *s; s++)
		fputc(toupper((unsigned char)*s), out);
}

static const struct row *print_enumeration(FILE *out, const struct row *r)
{
	fprintf(out, "\n/** %s */\nenum fl_%s {\n\t/** Absent or unknown. */\n\tFL_", r->doc, r->name);
	print_upper(out, r->name);
	fprintf(out, "_UNSET = 0,\n");
	for (r++; r->kind == ROW_VALUE; r++)
		fprintf(out, "\t/** %s */\n\t%s = %ld,\n", r->doc, r->name, r->number);
	fprintf(out, "};\n");
	return r;
}

static const char *unit(const struct row *r)
{
	switch (r->kind) {
	case ROW_MILLI:
		return "; thousandths";
	case ROW_SECONDS:
	case ROW_NANOS:
		return "; nanoseconds";
	default:
		return "";
	}
}

/* "default 5000000000" where a reader may find one; nothing where absent is all there is to say. */
static void print_default(FILE *out, const struct row *r)
{
	if (row_is_must(r) || !*r->deflt || !strcmp(r->deflt, "NULL") ||
	    (r->kind == ROW_ENUM && !strcmp(r->deflt, "0")))
		return;
	fprintf(out, "; default %s", r->deflt);
}

static void print_field_doc(FILE *out, const struct row *r)
{
	bool list = r->kind >= ROW_LIST && r->kind <= ROW_MAP;

	fprintf(out, "\t/** %s [%ld; %s%s", r->doc, r->number,
	        row_is_must(r) ? "required"
	        : list         ? "list"
	                       : "optional",
	        unit(r));
	print_default(out, r);
	if (r->kind == ROW_MAP)
		fprintf(out, "; each key once");
	fprintf(out, "] */\n");
}

static const char *scalar_type(const struct row *r)
{
	switch (r->kind) {
	case ROW_STR:
	case ROW_ID:
		return "const char *";
	case ROW_BYTES:
		return "struct fl_bytes ";
	case ROW_BOOL:
		return "bool ";
	case ROW_UINT:
		return "uint64_t ";
	default:
		return "int64_t ";
	}
}

static void print_field(FILE *out, const struct row *r)
{
	print_field_doc(out, r);
	switch (r->kind) {
	case ROW_ENUM:
		fprintf(out, "\tenum fl_%s %s;\n", r->ref, r->name);
		return;
	case ROW_REC:
		fprintf(out, "\tstruct fl_%s *%s;\n", r->ref, r->name);
		return;
	case ROW_LIST:
	case ROW_MAP:
		fprintf(out, "\tstruct fl_%s *%s;\n\tsize_t n_%s;\n", r->ref, r->name, r->name);
		return;
	case ROW_STRS:
	case ROW_IDS:
		fprintf(out, "\tconst char **%s;\n\tsize_t n_%s;\n", r->name, r->name);
		return;
	default:
		fprintf(out, "\t%s%s;\n", scalar_type(r), r->name);
	}
	if (r->kind >= ROW_BOOL && r->kind <= ROW_NANOS && !row_is_must(r))
		fprintf(out, "\tbool has_%s;\n", r->name);
}

static const struct row *print_record(FILE *out, const struct row *r)
{
	fprintf(out, "\n/** %s JSON: %s. */\nstruct fl_%s {\n", r->doc, r->json, r->name);
	r++;
	if (r->kind == ROW_END)
		fprintf(out, "\t/** Nothing; C wants a member. */\n\tuint8_t unused;\n");
	for (; row_is_field(r); r++)
		print_field(out, r);
	fprintf(out, "};\n");
	return r;
}

void types_print(FILE *out)
{
	fputs(head, out);
	fputc('\n', out);
	for (const struct row *r = rows; r < rows + n_rows; r++)
		if (r->kind == ROW_RECORD)
			fprintf(out, "struct fl_%s;\n", r->name);
	for (const struct row *r = rows; r < rows + n_rows; r++) {
		if (r->kind == ROW_ENUMERATION)
			r = print_enumeration(out, r);
		else if (r->kind == ROW_RECORD)
			r = print_record(out, r);
	}
	fputs("\n#ifdef __cplusplus\n}\n#endif\n\n#endif\n", out);
}
