/* Records to JSON text, a slice at a time; declared in json.h.
 *
 * The writer is a stack of frames, one for each record, list, map entry and text it is in the middle of; a step moves the
 * top one by a field, an element or a piece of text. So a slice may end anywhere, and no step takes long. */
#include <assert.h>
#include <inttypes.h>
#include <stdint.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "msg/json.h"

#define MAX_FRAMES 64
#define TEXT_PIECE 3072 /* bytes of text a step; a multiple of 3 for base64 */

enum frame_kind { FRAME_RECORD, FRAME_ELEMENTS, FRAME_ENTRY, FRAME_TEXT, FRAME_BASE64 };

struct frame {
	enum frame_kind kind;
	const struct record_desc *desc; /* RECORD, ENTRY */
	const struct field_desc *field; /* ELEMENTS */
	const char *at;                 /* the record; the text that is left */
	size_t i, n;                    /* next field or element, and their number; n: length of the text left */
	const char *close;              /* what follows its end */
	bool comma;                     /* something was written already */
};

struct json_writer {
	struct frame frames[MAX_FRAMES];
	size_t depth;
	bool begun; /* the brace of the root is out */
};

static void push(struct json_writer *w, struct frame f)
{
	assert(w->depth < MAX_FRAMES); /* the schema is not that deep */
	w->frames[w->depth++] = f;
}

static void push_record(struct json_writer *w, struct buf *out, const struct record_desc *desc, const void *rec)
{
	buf_append_byte(out, '{');
	push(w, (struct frame){.kind = FRAME_RECORD, .desc = desc, .at = rec, .n = desc->n_fields, .close = "}"});
}

static void push_text(struct json_writer *w, struct buf *out, const char *open, const char *text, const char *close)
{
	buf_append_str(out, open);
	push(w, (struct frame){.kind = FRAME_TEXT, .at = text, .n = strlen(text), .close = close});
}

/* ---------------------------------------------------------------------------------------------------- numbers */

static void print_unsigned(struct buf *out, uint64_t v)
{
	char digits[20];
	size_t n = sizeof(digits);

	do
		digits[--n] = (char)('0' + v % 10);
	while (v /= 10);
	buf_append(out, digits + n, sizeof(digits) - n);
}

/* v parts, of which `unit` (a power of ten) make one: shortest exact decimal. */
static void print_decimal(struct buf *out, int64_t v, uint64_t unit)
{
	uint64_t magnitude = v < 0 ? 0 - (uint64_t)v : (uint64_t)v;
	uint64_t fraction = magnitude % unit;

	if (v < 0)
		buf_append_byte(out, '-');
	print_unsigned(out, magnitude / unit);
	if (fraction)
		buf_append_byte(out, '.');
	while (fraction) {
		unit /= 10;
		buf_append_byte(out, (uint8_t)('0' + fraction / unit));
		fraction %= unit;
	}
}

/* Readers keep integers in 63 bits; what is above goes as a numeric string, which the v1 API allows. */
static void print_uint(struct buf *out, uint64_t v)
{
	const char *quote = v > INT64_MAX ? "\"" : "";

	buf_append_str(out, quote);
	print_unsigned(out, v);
	buf_append_str(out, quote);
}

/* ------------------------------------------------------------------------------------------------------- text */

static void print_escape(struct buf *out, uint32_t code)
{
	static const char hex[] = "0123456789abcdef";
	char text[6] = {'\\', 'u'};

	for (int i = 0; i < 4; i++)
		text[2 + i] = hex[code >> (12 - 4 * i) & 15];
	buf_append(out, text, sizeof(text));
}

/* Prints the UTF-8 sequence at s, of which n bytes are there; tells its length. What is none becomes U+FFFD. */
static size_t print_wide(struct buf *out, const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s;
	size_t length = p[0] >= 0xf0 ? 4 : p[0] >= 0xe0 ? 3 : 2;

	if (length > n || !str_valid_utf8(s, length)) {
		print_escape(out, 0xfffd);
		return 1;
	}
	uint32_t code = p[0] & (0x7fu >> length);
	for (size_t i = 1; i < length; i++)
		code = code << 6 | (p[i] & 0x3f);
	if (code >= 0x10000) {
		print_escape(out, 0xd800 + ((code - 0x10000) >> 10));
		code = 0xdc00 + (code & 0x3ff);
	}
	print_escape(out, code);
	return length;
}

static void print_control(struct buf *out, char c)
{
	static const char from[] = "\b\f\n\r\t\"\\", to[] = "bfnrt\"\\";
	const char *at = strchr(from, c);

	if (!c || !at) {
		print_escape(out, (unsigned char)c);
		return;
	}
	buf_append_byte(out, '\\');
	buf_append_byte(out, (uint8_t)to[at - from]);
}

static bool is_plain(char c)
{
	return c >= 0x20 && c < 0x7f && c != '"' && c != '\\';
}

/* A piece of the text; false when it has ended. */
static bool step_text(struct frame *f, struct buf *out)
{
	size_t done = 0;

	while (done < f->n && done < TEXT_PIECE) {
		size_t plain = done;
		while (plain < f->n && plain < TEXT_PIECE && is_plain(f->at[plain]))
			plain++;
		buf_append(out, f->at + done, plain - done);
		done = plain;
		if (done == f->n || done >= TEXT_PIECE)
			break;
		if ((unsigned char)f->at[done] >= 0x80) {
			done += print_wide(out, f->at + done, f->n - done);
		} else {
			print_control(out, f->at[done++]);
		}
	}
	f->at += done;
	f->n -= done;
	return f->n;
}

static bool step_base64(struct frame *f, struct buf *out)
{
	static const char digits[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";
	size_t n = f->n < TEXT_PIECE ? f->n : TEXT_PIECE;

	for (size_t i = 0; i < n; i += 3) {
		size_t here = n - i < 3 ? n - i : 3;
		uint32_t bits = 0;
		for (size_t k = 0; k < 3; k++)
			bits = bits << 8 | (k < here ? (uint8_t)f->at[i + k] : 0);
		for (size_t k = 0; k < 4; k++)
			buf_append_byte(out, k > here ? '=' : (uint8_t)digits[bits >> (18 - 6 * k) & 63]);
	}
	f->at += n;
	f->n -= n;
	return f->n;
}

/* ----------------------------------------------------------------------------------------------------- values */

static void push_elements(struct json_writer *w, struct buf *out, const struct field_desc *f, const void *rec)
{
	bool map = f->kind == FIELD_MAP;

	buf_append_byte(out, map ? '{' : '[');
	push(w, (struct frame){.kind = FRAME_ELEMENTS,
	                       .field = f,
	                       .at = rec,
	                       .n = field_count(f, rec),
	                       .close = map ? "}" : "]"});
}

static void push_bytes(struct json_writer *w, struct buf *out, const struct fl_bytes *b)
{
	buf_append_byte(out, '"');
	push(w, (struct frame){.kind = FRAME_BASE64, .at = (const char *)b->data, .n = b->size, .close = "\""});
}

static void write_value(struct json_writer *w, struct buf *out, const struct field_desc *f, const void *rec)
{
	const void *p = field_ptr(f, rec);

	switch (f->kind) {
	case FIELD_STR:
		push_text(w, out, "\"", *(const char *const *)p, "\"");
		break;
	case FIELD_ID:
		push_text(w, out, "{\"value\":\"", *(const char *const *)p, "\"}");
		break;
	case FIELD_BYTES:
		push_bytes(w, out, p);
		break;
	case FIELD_BOOL:
		buf_append_str(out, *(const bool *)p ? "true" : "false");
		break;
	case FIELD_INT:
		print_decimal(out, *(const int64_t *)p, 1);
		break;
	case FIELD_UINT:
		print_uint(out, *(const uint64_t *)p);
		break;
	case FIELD_MILLI:
		print_decimal(out, *(const int64_t *)p, 1000);
		break;
	case FIELD_SECONDS:
		print_decimal(out, *(const int64_t *)p, 1000000000);
		break;
	case FIELD_NANOS:
		buf_append_str(out, "{\"nanoseconds\":");
		print_decimal(out, *(const int64_t *)p, 1);
		buf_append_byte(out, '}');
		break;
	case FIELD_ENUM:
		buf_append_byte(out, '"');
		buf_append_str(out, enum_name(f->enumeration, *(const int *)p));
		buf_append_byte(out, '"');
		break;
	case FIELD_REC:
		push_record(w, out, f->record, *(const void *const *)p);
		break;
	case FIELD_LIST:
	case FIELD_STRS:
	case FIELD_IDS:
	case FIELD_MAP:
		push_elements(w, out, f, rec);
		break;
	}
}

static void write_comma(struct frame *f, struct buf *out)
{
	if (f->comma)
		buf_append_byte(out, ',');
	f->comma = true;
}

/* The next present field. */
static bool step_record(struct json_writer *w, struct frame *f, struct buf *out)
{
	const struct field_desc *field;

	do {
		if (f->i == f->n)
			return false;
		field = &f->desc->fields[f->i++];
	} while (!field_present(field, f->at));
	write_comma(f, out);
	buf_append_byte(out, '"');
	buf_append_str(out, field->json);
	buf_append(out, "\":", 2);
	write_value(w, out, field, f->at);
	return true;
}

static bool step_elements(struct json_writer *w, struct frame *f, struct buf *out)
{
	if (f->i == f->n)
		return false;
	const struct field_desc *field = f->field;
	const void *element = field_element(field, f->at, f->i++);
	write_comma(f, out);
	if (field->kind == FIELD_MAP)
		push(w, (struct frame){.kind = FRAME_ENTRY, .desc = field->record, .at = element, .n = 2, .close = ""});
	else if (field->record)
		push_record(w, out, field->record, element);
	else if (field->kind == FIELD_IDS)
		push_text(w, out, "{\"value\":\"", element, "\"}");
	else
		push_text(w, out, "\"", element, "\"");
	return true;
}

/* An entry of a map: its key, then its value. */
static bool step_entry(struct json_writer *w, struct frame *f, struct buf *out)
{
	if (f->i == f->n)
		return false;
	const struct field_desc *field = &f->desc->fields[f->i++];
	if (f->i == 1)
		push_text(w, out, "\"", *(const char *const *)field_ptr(field, f->at), "\":");
	else
		write_value(w, out, field, f->at);
	return true;
}

/* Moves the top frame; false when that frame has ended. May push, so the frame is not to be used afterwards. */
static bool step(struct json_writer *w, struct frame *f, struct buf *out)
{
	switch (f->kind) {
	case FRAME_RECORD:
		return step_record(w, f, out);
	case FRAME_ELEMENTS:
		return step_elements(w, f, out);
	case FRAME_ENTRY:
		return step_entry(w, f, out);
	case FRAME_TEXT:
		return step_text(f, out);
	case FRAME_BASE64:
		return step_base64(f, out);
	}
	return false;
}

static void start(struct json_writer *w, const struct record_desc *desc, const void *rec)
{
	w->depth = 0;
	w->begun = false;
	push(w, (struct frame){.kind = FRAME_RECORD, .desc = desc, .at = rec, .n = desc->n_fields, .close = "}"});
}

static bool more(struct json_writer *w, struct buf *out, size_t max)
{
	if (!w->begun)
		buf_append_byte(out, '{');
	w->begun = true;

	size_t begin = out->size;
	while (w->depth && out->size - begin < max) {
		struct frame *top = &w->frames[w->depth - 1];
		if (step(w, top, out))
			continue;
		buf_append_str(out, top->close);
		w->depth--;
	}
	return w->depth;
}

struct json_writer *json_writer_create(const struct record_desc *desc, const void *rec)
{
	struct json_writer *w = xmalloc(sizeof(*w));
	start(w, desc, rec);
	return w;
}

bool json_writer_more(struct json_writer *w, struct buf *out, size_t max)
{
	return more(w, out, max ? max : 1);
}

void json_writer_destroy(struct json_writer *w)
{
	free(w);
}

void json_encode(const struct record_desc *desc, const void *rec, struct buf *out)
{
	struct json_writer w;

	start(&w, desc, rec);
	more(&w, out, SIZE_MAX);
}
