/* The raw check. One head (a msgpack format byte with its count or length) is read at a time; containers recurse, at most
 * CODEC_MAX_DEPTH deep. */
#include "msg/codec_check.h"

#include <errno.h>
#include <limits.h>
#include <string.h>

#include "base/err.h"
#include "msg/codec.h"
#include "msg/path.h"

#define OBJECT_COST 24  /* sizeof(msgpack_object), one an element; two an entry of a map */
#define ALLOC_ALIGN 16  /* of zones */
#define MAX_TRACKED 256 /* tags below are refused when repeated; none of ours is above */

enum shape { SHAPE_NIL, SHAPE_BOOL, SHAPE_INT, SHAPE_FLOAT, SHAPE_STR, SHAPE_BIN, SHAPE_EXT, SHAPE_ARRAY, SHAPE_MAP };

struct head {
	enum shape shape;
	bool negative;
	uint64_t n; /* value of an integer (its bits), length, or count of elements */
};

struct check {
	const uint8_t *at, *end;
	size_t cost;
	unsigned depth;
	struct err *err;
};

static size_t bytes_left(const struct check *c)
{
	return (size_t)(c->end - c->at);
}

static int fail(const struct check *c, const struct path *path, const char *what)
{
	return path_fail(path, c->err, EBADMSG, "%s", what);
}

static bool spend(struct check *c, size_t cost)
{
	cost = (cost + ALLOC_ALIGN - 1) & ~(size_t)(ALLOC_ALIGN - 1);
	if (cost > CODEC_MAX_COST - c->cost)
		return false;
	c->cost += cost;
	return true;
}

/* Reads width bytes, most significant first. */
static bool read_number(struct check *c, unsigned width, uint64_t *ret)
{
	if (bytes_left(c) < width)
		return false;
	*ret = 0;
	while (width--)
		*ret = *ret << 8 | *c->at++;
	return true;
}

/* Formats 0xc0 … 0xdf: shape, and width of the count, length or value that follows. */
struct format {
	enum shape shape;
	unsigned width;
	unsigned fixed; /* bytes of content when the format says how many */
};

static const struct format formats[32] = {
	[0x00] = {SHAPE_NIL, 0, 0},   [0x01] = {SHAPE_EXT, 99, 0}, /* never used */
	[0x02] = {SHAPE_BOOL, 0, 0},  [0x03] = {SHAPE_BOOL, 0, 0}, [0x04] = {SHAPE_BIN, 1, 0},
	[0x05] = {SHAPE_BIN, 2, 0},   [0x06] = {SHAPE_BIN, 4, 0},  [0x07] = {SHAPE_EXT, 1, 1},
	[0x08] = {SHAPE_EXT, 2, 1},   [0x09] = {SHAPE_EXT, 4, 1},  [0x0a] = {SHAPE_FLOAT, 4, 0},
	[0x0b] = {SHAPE_FLOAT, 8, 0}, [0x0c] = {SHAPE_INT, 1, 0},  [0x0d] = {SHAPE_INT, 2, 0},
	[0x0e] = {SHAPE_INT, 4, 0},   [0x0f] = {SHAPE_INT, 8, 0},  [0x10] = {SHAPE_INT, 1, 0},
	[0x11] = {SHAPE_INT, 2, 0},   [0x12] = {SHAPE_INT, 4, 0},  [0x13] = {SHAPE_INT, 8, 0},
	[0x14] = {SHAPE_EXT, 0, 2},   [0x15] = {SHAPE_EXT, 0, 3},  [0x16] = {SHAPE_EXT, 0, 5},
	[0x17] = {SHAPE_EXT, 0, 9},   [0x18] = {SHAPE_EXT, 0, 17}, [0x19] = {SHAPE_STR, 1, 0},
	[0x1a] = {SHAPE_STR, 2, 0},   [0x1b] = {SHAPE_STR, 4, 0},  [0x1c] = {SHAPE_ARRAY, 2, 0},
	[0x1d] = {SHAPE_ARRAY, 4, 0}, [0x1e] = {SHAPE_MAP, 2, 0},  [0x1f] = {SHAPE_MAP, 4, 0},
};

static bool read_format(struct check *c, uint8_t byte, struct head *h)
{
	const struct format *f = &formats[byte - 0xc0];

	h->shape = f->shape;
	if (!read_number(c, f->width, &h->n))
		return false;
	if (f->shape == SHAPE_EXT)
		h->n += f->fixed; /* the type byte, and the content of fixext */
	if (byte >= 0xd0 && byte <= 0xd3) {
		unsigned unused = 64 - 8 * f->width;
		int64_t v = (int64_t)(h->n << unused) >> unused;
		h->negative = v < 0;
		h->n = (uint64_t)v;
	}
	return true;
}

/* Reads a head and makes sure that what it claims can be there: a length in full, a byte for each element. */
static int read_head(struct check *c, struct head *h, const struct path *path)
{
	*h = (struct head){0};
	if (c->at == c->end)
		return fail(c, path, "cut off");
	uint8_t byte = *c->at++;
	bool whole = true;

	if (byte == 0xc1)
		return fail(c, path, "not msgpack");
	if (byte < 0x80)
		*h = (struct head){SHAPE_INT, false, byte};
	else if (byte < 0x90)
		*h = (struct head){SHAPE_MAP, false, byte & 0x0f};
	else if (byte < 0xa0)
		*h = (struct head){SHAPE_ARRAY, false, byte & 0x0f};
	else if (byte < 0xc0)
		*h = (struct head){SHAPE_STR, false, byte & 0x1f};
	else if (byte >= 0xe0)
		*h = (struct head){SHAPE_INT, true, (uint64_t)(int8_t)byte};
	else
		whole = read_format(c, byte, h);
	if (!whole)
		return fail(c, path, "cut off");
	if (h->shape < SHAPE_STR)
		return 0;
	if (h->n > bytes_left(c) / (h->shape == SHAPE_MAP ? 2 : 1))
		return fail(c, path, "claims more than there is");
	return 0;
}

/* Goes into a container of n objects, which msgpack-c will lay out as an array of them. */
static int enter(struct check *c, uint64_t n, const struct path *path)
{
	if (c->depth == CODEC_MAX_DEPTH)
		return fail(c, path, "nested too deep");
	c->depth++;
	return spend(c, (size_t)n * OBJECT_COST) ? 0 : fail(c, path, "takes too much memory");
}

/* What remains of a value whose head was read and that nobody will look at. */
static int skip_rest(struct check *c, const struct head *h, const struct path *path)
{
	struct head inner;
	int r;

	if (h->shape < SHAPE_STR)
		return 0;
	if (h->shape < SHAPE_ARRAY) {
		c->at += h->n;
		return 0;
	}
	uint64_t n = h->shape == SHAPE_MAP ? 2 * h->n : h->n;
	r = enter(c, n, path);
	while (r == 0 && n--) {
		r = read_head(c, &inner, path);
		if (r == 0)
			r = skip_rest(c, &inner, path);
	}
	c->depth--;
	return r;
}

static int check_record(struct check *c, const struct record_desc *desc, const struct head *h, const struct path *path);

/* Text or bytes, copied with a NUL. */
static int check_blob(struct check *c, const struct head *h, const struct path *path)
{
	if (!spend(c, (size_t)h->n + 1))
		return fail(c, path, "takes too much memory");
	c->at += h->n;
	return 0;
}

static int check_elements(struct check *c, const struct field_desc *f, const struct head *h, const struct path *path)
{
	size_t each = f->record ? f->record->size : sizeof(char *);
	struct path here = {path, NULL, 0};
	struct head inner;
	int r = enter(c, h->n, path);

	/* h->n is at most the size of the message, which fits in memory; the product may not. */
	if (r == 0 && (h->n > CODEC_MAX_COST / each || !spend(c, (size_t)h->n * each)))
		r = fail(c, path, "takes too much memory");
	for (; r == 0 && here.index < h->n; here.index++) {
		r = read_head(c, &inner, &here);
		if (r < 0)
			break;
		if (f->record && inner.shape == SHAPE_MAP)
			r = check_record(c, f->record, &inner, &here);
		else if (!f->record && inner.shape == SHAPE_STR)
			r = check_blob(c, &inner, &here);
		else
			r = skip_rest(c, &inner, &here);
	}
	c->depth--;
	return r;
}

static int check_value(struct check *c, const struct field_desc *f, const struct path *path)
{
	struct head h;
	int r = read_head(c, &h, path);

	if (r < 0)
		return r;
	switch (f->kind) {
	case FIELD_REC:
		if (h.shape != SHAPE_MAP)
			break;
		if (!spend(c, f->record->size))
			return fail(c, path, "takes too much memory");
		return check_record(c, f->record, &h, path);
	case FIELD_LIST:
	case FIELD_MAP:
	case FIELD_STRS:
	case FIELD_IDS:
		if (h.shape == SHAPE_ARRAY)
			return check_elements(c, f, &h, path);
		break;
	default:
		if (h.shape == SHAPE_STR || h.shape == SHAPE_BIN)
			return check_blob(c, &h, path);
	}
	return skip_rest(c, &h, path);
}

static int check_unknown(struct check *c, const struct path *path)
{
	struct head h;
	int r = read_head(c, &h, path);
	return r < 0 ? r : skip_rest(c, &h, path);
}

/* The entries of a record whose head was read; its struct is paid for. */
static int check_record(struct check *c, const struct record_desc *desc, const struct head *h, const struct path *path)
{
	uint64_t seen[MAX_TRACKED / 64] = {0};
	struct head key;
	int r = enter(c, 2 * h->n, path);

	for (uint64_t n = h->n; r == 0 && n; n--) {
		r = read_head(c, &key, path);
		if (r < 0)
			break;
		if (key.shape != SHAPE_INT || key.negative || !key.n)
			return fail(c, path, "has a key that is no tag");
		const struct field_desc *f = field_find(desc, key.n);
		struct path here = {path, f ? f->name : "(unknown)", 0};
		if (key.n < MAX_TRACKED) {
			uint64_t bit = 1ull << (key.n & 63);
			if (seen[key.n / 64] & bit)
				return fail(c, &here, "given twice");
			seen[key.n / 64] |= bit;
		}
		r = f ? check_value(c, f, &here) : check_unknown(c, &here);
	}
	c->depth--;
	return r;
}

static struct check begin(const void *data, size_t size, struct err *err)
{
	const uint8_t *at = size ? data : (const uint8_t *)""; /* NULL with 0 is allowed */
	return (struct check){.at = at, .end = at + size, .err = err};
}

int codec_check_cost(const struct record_desc *desc, const void *data, size_t size, size_t *ret_cost, struct err *err)
{
	struct check c = begin(data, size, err);
	struct head h;
	int r = read_head(&c, &h, NULL);

	if (r < 0)
		return r;
	if (h.shape != SHAPE_MAP)
		return fail(&c, NULL, "not a map");
	if (!spend(&c, desc->size))
		return fail(&c, NULL, "takes too much memory");
	r = check_record(&c, desc, &h, NULL);
	if (r < 0)
		return r;
	if (c.at != c.end)
		return fail(&c, NULL, "followed by more bytes");
	if (ret_cost)
		*ret_cost = c.cost;
	return 0;
}

int codec_check(const struct record_desc *desc, const void *data, size_t size, struct err *err)
{
	return codec_check_cost(desc, data, size, NULL, err);
}

int codec_check_head(const void *data, size_t size, int *ret_id, size_t *ret_offset, struct err *err)
{
	struct check c = begin(data, size, err);
	struct head h;
	int r = read_head(&c, &h, NULL);

	if (r < 0)
		return r;
	if (h.shape != SHAPE_ARRAY || h.n != 2)
		return fail(&c, NULL, "not an array of id and record");
	r = read_head(&c, &h, NULL);
	if (r < 0)
		return r;
	if (h.shape != SHAPE_INT || h.negative || h.n > INT_MAX)
		return fail(&c, NULL, "has an id that is no number");
	*ret_id = (int)h.n;
	*ret_offset = (size_t)(c.at - (const uint8_t *)data);
	return 0;
}
