#include "slave/journal_format.h"

#include <errno.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "msg/codec.h"
#include "slave/checksum.h"
#include "slave/task_key.h"

#define HEAD 16 /* bytes before the key */
#define TAIL 4  /* bytes after the payload */

static const uint8_t magic[4] = {'F', 'L', 'J', '1'};

static void put_le(uint8_t *at, uint32_t v, int bytes)
{
	for (int i = 0; i < bytes; i++)
		at[i] = (uint8_t)(v >> (8 * i));
}

static uint32_t get_le(const uint8_t *at, int bytes)
{
	uint32_t v = 0;

	for (int i = 0; i < bytes; i++)
		v |= (uint32_t)at[i] << (8 * i);
	return v;
}

static uint32_t head_checksum(const uint8_t *head, const void *key, size_t key_size)
{
	return checksum(checksum(0, head, 12), key, key_size);
}

int journal_format_put(const struct fl_journal_record *rec, struct buf *out, struct err *err)
{
	_cleanup_free_ char *key = task_key(rec->framework_id, rec->task_id);
	_cleanup_buf_ struct buf payload = {0};
	size_t key_size = strlen(key);
	uint8_t head[HEAD] = {0}, tail[TAIL];

	int r = codec_encode(&rec_journal_record, rec, &payload, err);
	if (r < 0)
		return r;
	if (payload.size > JOURNAL_MAX_PAYLOAD || key_size > JOURNAL_MAX_KEY)
		return err_set(err, EMSGSIZE, "a journal record of %zu bytes is too big", payload.size);
	memcpy(head, magic, sizeof(magic));
	put_le(head + 4, (uint32_t)payload.size, 4);
	put_le(head + 8, (uint32_t)key_size, 2);
	put_le(head + 12, head_checksum(head, key, key_size), 4);
	put_le(tail, checksum(checksum(0, key, key_size), payload.data, payload.size), 4);
	buf_append(out, head, sizeof(head));
	buf_append(out, key, key_size);
	buf_append(out, payload.data, payload.size);
	buf_append(out, tail, sizeof(tail));
	return 0;
}

struct head {
	const uint8_t *key, *payload;
	size_t key_size, payload_size, size; /* size: of the whole record, as claimed */
};

/* Is there a record's head at `at`, whole and true? It may still claim more than the segment holds. */
static bool read_head(const struct journal_reader *r, size_t at, struct head *ret)
{
	const uint8_t *p = r->data + at;
	size_t left = r->size - at;

	if (left < HEAD || memcmp(p, magic, sizeof(magic)) != 0)
		return false;
	size_t payload_size = get_le(p + 4, 4), key_size = get_le(p + 8, 2);
	if (payload_size > JOURNAL_MAX_PAYLOAD || key_size > JOURNAL_MAX_KEY || key_size > left - HEAD ||
	    get_le(p + 12, 4) != head_checksum(p, p + HEAD, key_size))
		return false;
	*ret = (struct head){p + HEAD, p + HEAD + key_size, key_size, payload_size,
	                     HEAD + key_size + payload_size + TAIL};
	return true;
}

/* Where the next true head begins, or the end. */
static size_t find_head(const struct journal_reader *r, size_t at)
{
	struct head h;

	while (at < r->size) {
		const uint8_t *p = memchr(r->data + at, magic[0], r->size - at);
		if (!p)
			return r->size;
		at = (size_t)(p - r->data);
		if (read_head(r, at, &h))
			return at;
		at++;
	}
	return r->size;
}

static enum journal_found broken(struct journal_reader *r, size_t next, const struct head *h, const char *why,
                                 struct journal_item *ret)
{
	ret->offset = r->at;
	ret->size = next - r->at;
	ret->rec = NULL;
	snprintf(ret->key, sizeof(ret->key), "%.*s", h ? (int)h->key_size : 0, h ? (const char *)h->key : "");
	snprintf(ret->why, sizeof(ret->why), "%s", why);
	r->at = next;
	return next < r->size ? JOURNAL_FOUND_BROKEN : JOURNAL_FOUND_TAIL;
}

/* The head is good, the rest is not. Where it says it ends, something must begin or the segment end; otherwise it was cut
 * short and overtaken, and the next head may lie inside what it claims. (Not looked for there otherwise: a task's own
 * bytes may look like records.) */
static enum journal_found broken_body(struct journal_reader *r, const struct head *h, const char *why,
                                      struct journal_item *ret)
{
	struct head next;
	size_t left = r->size - r->at;

	if (h->size == left || (h->size < left && read_head(r, r->at + h->size, &next)))
		return broken(r, r->at + h->size, h, why, ret);
	return broken(r, find_head(r, r->at + 1), h, why, ret);
}

static const char *record_problem(const struct fl_journal_record *rec, const struct head *h)
{
	if (!task_key_valid(rec->framework_id, rec->task_id))
		return "its ids are not valid";
	_cleanup_free_ char *key = task_key(rec->framework_id, rec->task_id);
	if (strlen(key) != h->key_size || memcmp(key, h->key, h->key_size) != 0)
		return "its key is not that of its task";
	return NULL;
}

enum journal_found journal_next(struct journal_reader *r, struct zone *zone, struct journal_item *ret)
{
	struct err err = {0};
	struct head h;
	void *rec;

	if (r->at >= r->size)
		return JOURNAL_FOUND_END;
	if (!read_head(r, r->at, &h))
		return broken(r, find_head(r, r->at + 1), NULL, "no record begins here", ret);
	if (h.size > r->size - r->at)
		return broken_body(r, &h, "the record is cut short", ret);
	if (get_le(h.payload + h.payload_size, TAIL) !=
	    checksum(checksum(0, h.key, h.key_size), h.payload, h.payload_size))
		return broken_body(r, &h, "the checksum of the record is wrong", ret);
	if (codec_decode(&rec_journal_record, h.payload, h.payload_size, zone, &rec, &err) < 0)
		return broken(r, r->at + h.size, &h, err.text, ret);
	const char *problem = record_problem(rec, &h);
	if (problem)
		return broken(r, r->at + h.size, &h, problem, ret);
	*ret = (struct journal_item){.offset = r->at, .size = h.size, .rec = rec};
	r->at += h.size;
	return JOURNAL_FOUND_RECORD;
}
