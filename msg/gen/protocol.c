/* Prints docs/protocol.md. */
#include <ctype.h>
#include <string.h>

#include "msg/gen/gen.h"

static const char head[] =
	"# The Fairlead protocol\n"
	"\n"
	"Made from `msg/schema.def`; do not edit. After a change there, run `make protocol_md`.\n"
	"\n"
	"One vocabulary, two encodings. Slaves and the SDK speak msgpack in frames over TCP or TLS; everybody else "
	"speaks JSON\n"
	"over HTTP, and that JSON is the one of the Mesos v1 API wherever a record has its like there.\n"
	"\n"
	"## Framing\n"
	"\n"
	"A framed connection carries frames both ways. A frame is a length, four bytes, most significant first, and so "
	"many\n"
	"bytes of payload. The payload is one message: a msgpack array of two, the message's id and its record.\n"
	"\n"
	"- A record is a msgpack map from tag (a positive integer) to value, with the fields that are present only. "
	"Unknown tags\n"
	"  are skipped, so that fields can be added; tags are never reused; a tag must not come twice.\n"
	"- Text and ids are msgpack strings: UTF-8 without NUL. Bytes are msgpack bin. Bools are bools. Numbers, "
	"quantities,\n"
	"  times and enums are integers. A record in a record is a map, lists and maps of records are arrays of maps, "
	"lists of\n"
	"  text or ids are arrays of strings.\n"
	"- An unknown number in an optional enum counts as absent; in a required one the message is refused.\n"
	"- Absent and zero differ. A reader puts the default in place of an optional field that is absent.\n"
	"- Before anything is unpacked a receiver checks depth (at most 16), element counts against the bytes left, "
	"and what\n"
	"  the decoded message will take in memory (at most 16 MiB).\n"
	"- An unknown message id is refused; so is a known one from the wrong kind of peer.\n"
	"- A message that carries a list goes in parts of at most 256 KiB and takes effect at the last.\n"
	"\n"
	"## Hello\n"
	"\n"
	"The first message on a connection, both ways, is `hello`: the oldest and newest protocol version spoken (the "
	"highest\n"
	"that both have is used), the cluster's name, the kind of peer and how often it will at least send something. "
	"A peer\n"
	"that does not fit is answered `refused`, which says why and what to do, and the connection closes. Whoever "
	"has nothing\n"
	"to say sends `heartbeat`; silence of four times the promised interval ends the connection.\n"
	"\n"
	"Every order from a master carries its epoch; a slave refuses orders of a lower one.\n"
	"\n"
	"## Kinds\n"
	"\n"
	"| kind | msgpack | JSON | C |\n"
	"|---|---|---|---|\n"
	"| text | str | string | `const char *` |\n"
	"| id | str | `{\"value\": \"…\"}` | `const char *` |\n"
	"| bytes | bin | base64 with padding | `struct fl_bytes` |\n"
	"| bool | bool | bool | `bool` |\n"
	"| int, uint | integer | number; a numeric string is read too | `int64_t`, `uint64_t` |\n"
	"| quantity | integer, thousandths | decimal number | `int64_t`, thousandths |\n"
	"| seconds | integer, nanoseconds | decimal number of seconds | `int64_t`, nanoseconds |\n"
	"| nanoseconds | integer, nanoseconds | `{\"nanoseconds\": n}` | `int64_t`, nanoseconds |\n"
	"| enum | integer | its name | `enum fl_…` |\n"
	"| record | map | object | `struct fl_… *` |\n"
	"| list of … | array | array | pointer and count |\n"
	"| map of … | array of entries | object | pointer and count |\n"
	"\n"
	"In JSON null is absent, unknown fields are ignored, an unknown name in an optional enum is absent, and a lone "
	"value\n"
	"where a list is expected is a list of one. What is written is compact and ASCII.\n";

/* The anchor a Markdown reader makes of the heading "`name`". */
static void print_ref(FILE *out, const char *prefix, const char *name)
{
	fprintf(out, "%s[%s](#%s)", prefix, name, name);
}

static void print_peer(FILE *out, const char *peer)
{
	if (!strcmp(peer, "ANY")) {
		fprintf(out, "any");
		return;
	}
	for (; *peer; peer++)
		fputc(tolower((unsigned char)*peer), out);
}

static void print_messages(FILE *out)
{
	fprintf(out, "\n## Messages\n\n| id | message | from | to | record | meaning |\n|---|---|---|---|---|---|\n");
	for (const struct row *r = rows; r < rows + n_rows; r++) {
		if (r->kind != ROW_MESSAGE)
			continue;
		fprintf(out, "| %ld | `%s` | ", r->number, r->name);
		print_peer(out, r->json);
		fprintf(out, " | ");
		print_peer(out, r->need);
		fprintf(out, " | ");
		print_ref(out, "", r->ref);
		fprintf(out, " | %s |\n", r->doc);
	}
}

static void print_kind(FILE *out, const struct row *r)
{
	static const char *const names[] = {
		[ROW_STR] = "text",
		[ROW_ID] = "id",
		[ROW_BYTES] = "bytes",
		[ROW_BOOL] = "bool",
		[ROW_INT] = "int",
		[ROW_UINT] = "uint",
		[ROW_MILLI] = "quantity",
		[ROW_SECONDS] = "seconds",
		[ROW_NANOS] = "nanoseconds",
		[ROW_ENUM] = "enum ",
		[ROW_REC] = "",
		[ROW_LIST] = "list of ",
		[ROW_STRS] = "list of text",
		[ROW_IDS] = "list of ids",
		[ROW_MAP] = "map of ",
	};

	if (*r->ref)
		print_ref(out, names[r->kind], r->ref);
	else
		fputs(names[r->kind], out);
}

/* As it reads in JSON: seconds are kept in nanoseconds, quantities in thousandths. */
static void print_scaled(FILE *out, const char *number, long long one)
{
	long long v = 0;

	if (sscanf(number, "%lld", &v) != 1 || v % one) {
		fprintf(out, "%s", number);
		return;
	}
	fprintf(out, "%lld", v / one);
}

static void print_default(FILE *out, const struct row *r)
{
	if (row_is_must(r) || !*r->deflt || !strcmp(r->deflt, "NULL"))
		return;
	if (r->kind == ROW_SECONDS)
		print_scaled(out, r->deflt, 1000000000);
	else if (r->kind == ROW_MILLI)
		print_scaled(out, r->deflt, 1000);
	else if (r->kind != ROW_ENUM)
		fputs(r->deflt, out);
	else if (strcmp(r->deflt, "0"))
		fputs(row_find(ROW_VALUE, r->deflt)->json, out);
}

static void print_field(FILE *out, const struct row *r)
{
	fprintf(out, "| %ld | `%s` | ", r->number, r->name);
	if (strcmp(r->name, r->json))
		fprintf(out, "`%s`", r->json);
	fprintf(out, " | ");
	print_kind(out, r);
	fprintf(out, " | %s | ", row_is_must(r) ? "required" : r->kind >= ROW_LIST ? "" : "optional");
	print_default(out, r);
	fprintf(out, " | %s |\n", r->doc);
}

static void print_records(FILE *out)
{
	fprintf(out, "\n## Records\n\nThe JSON name is given where it differs.\n");
	for (const struct row *r = rows; r < rows + n_rows; r++) {
		if (r->kind != ROW_RECORD)
			continue;
		fprintf(out, "\n### %s\n\n%s In JSON and the v1 API: %s.\n", r->name, r->doc, r->json);
		if (row_is_field(r + 1))
			fprintf(out, "\n| tag | field | JSON | kind | need | default | meaning "
			             "|\n|---|---|---|---|---|---|---|\n");
		while (row_is_field(r + 1))
			print_field(out, ++r);
	}
}

static void print_enumerations(FILE *out)
{
	fprintf(out, "\n## Enums\n");
	for (const struct row *r = rows; r < rows + n_rows; r++) {
		if (r->kind != ROW_ENUMERATION)
			continue;
		fprintf(out, "\n### %s\n\n%s\n\n| number | JSON | C | meaning |\n|---|---|---|---|\n", r->name, r->doc);
		while ((++r)->kind == ROW_VALUE)
			fprintf(out, "| %ld | `%s` | `%s` | %s |\n", r->number, r->json, r->name, r->doc);
	}
}

void protocol_print(FILE *out)
{
	fputs(head, out);
	print_messages(out);
	print_records(out);
	print_enumerations(out);
}
