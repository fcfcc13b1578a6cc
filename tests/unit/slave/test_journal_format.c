/* Records in a segment: what is put comes back, and no damage costs more than what it hits. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "msg/codec.h"
#include "slave/checksum.h"
#include "slave/journal_format.h"

#define N 40

static void put(struct buf *out, int i)
{
	char task[32];
	uint8_t uuid[16];

	memset(uuid, i, sizeof(uuid));
	snprintf(task, sizeof(task), "task %d", i);
	struct fl_journal_record rec = {
		.kind = FL_JOURNAL_ACK, .framework_id = "fw", .task_id = task, .uuid = {uuid, sizeof(uuid)}};
	assert_int_equal(journal_format_put(&rec, out, NULL), 0);
}

struct reading {
	int records, broken, tails;
	bool seen[N];
	char key[JOURNAL_MAX_KEY + 1]; /* of the last broken one */
	size_t tail_at;
};

static void read_segment(const void *data, size_t size, struct reading *ret)
{
	_cleanup_zone_ struct zone *zone = zone_create();
	struct journal_reader reader = {data, size, 0};
	struct journal_item *item = xcalloc(1, sizeof(*item));
	enum journal_found found;
	size_t at = 0;

	*ret = (struct reading){0};
	while ((found = journal_next(&reader, zone, item)) != JOURNAL_FOUND_END) {
		assert_int_equal(item->offset, at);
		assert_true(item->size > 0);
		at += item->size;
		int i;
		if (found == JOURNAL_FOUND_RECORD) {
			assert_int_equal(sscanf(item->rec->task_id, "task %d", &i), 1);
			ret->seen[i] = true;
			ret->records++;
			continue;
		}
		assert_true(*item->why);
		strcpy(ret->key, item->key);
		ret->broken += found == JOURNAL_FOUND_BROKEN;
		ret->tails += found == JOURNAL_FOUND_TAIL;
		ret->tail_at = item->offset;
	}
	assert_int_equal(at, size);
	free(item);
}

static void fill(struct buf *b, size_t ends[N])
{
	for (int i = 0; i < N; i++) {
		put(b, i);
		ends[i] = b->size;
	}
}

static void test_checksum_is_crc32c(void **state)
{
	assert_int_equal(checksum(0, "123456789", 9), 0xe3069283);
	assert_int_equal(checksum(checksum(0, "1234", 4), "56789", 5), 0xe3069283);
	assert_int_equal(checksum(0, "", 0), 0);
}

static void test_round_trip(void **state)
{
	_cleanup_buf_ struct buf b = {0};
	size_t ends[N];
	struct reading r;

	fill(&b, ends);
	read_segment(b.data, b.size, &r);
	assert_int_equal(r.records, N);
	assert_int_equal(r.broken + r.tails, 0);
}

static void test_every_torn_tail_is_a_tail(void **state)
{
	_cleanup_buf_ struct buf b = {0};
	size_t ends[N];
	struct reading r;

	fill(&b, ends);
	for (size_t size = ends[N - 3]; size < b.size; size++) {
		read_segment(b.data, size, &r);
		int whole = size == ends[N - 2] ? N - 1 : size > ends[N - 2] ? N - 1 : N - 2;
		assert_int_equal(r.records, whole);
		assert_int_equal(r.broken, 0);
		bool torn = size != ends[N - 3] && size != ends[N - 2];
		assert_int_equal(r.tails, torn);
		if (torn)
			assert_int_equal(r.tail_at, ends[whole - 1]);
	}
}

/* Any one byte changed costs exactly the record it lies in. */
static void test_any_byte_costs_its_record_only(void **state)
{
	_cleanup_buf_ struct buf b = {0};
	size_t ends[N];
	struct reading r;
	int hit = 0;

	fill(&b, ends);
	for (size_t at = 0; at < b.size; at++) {
		while (at >= ends[hit])
			hit++;
		b.data[at] ^= (uint8_t)(1 + at % 255);
		read_segment(b.data, b.size, &r);
		b.data[at] ^= (uint8_t)(1 + at % 255);
		assert_int_equal(r.records, N - 1);
		assert_false(r.seen[hit]);
		assert_int_equal(r.broken + r.tails, 1);
		assert_int_equal(r.tails, hit == N - 1);
	}
}

static void test_damaged_payload_names_its_task(void **state)
{
	_cleanup_buf_ struct buf b = {0};
	size_t ends[N];
	struct reading r;

	fill(&b, ends);
	b.data[ends[4] - 6] ^= 1; /* inside the payload of record 4 */
	read_segment(b.data, b.size, &r);
	assert_string_equal(r.key, "fw/task%204");
}

/* Whole stretches of garbage: all records outside survive. */
static void test_random_damage(void **state)
{
	_cleanup_buf_ struct buf clean = {0};
	size_t ends[N];
	struct reading r;
	uint64_t seed = 42;

	fill(&clean, ends);
	for (int round = 0; round < 2000; round++) {
		_cleanup_buf_ struct buf b = {0};
		buf_append(&b, clean.data, clean.size);
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		size_t from = (size_t)(seed >> 33) % b.size, size = 1 + (size_t)(seed >> 20) % 200;
		for (size_t i = from; i < from + size && i < b.size; i++) {
			seed = seed * 6364136223846793005u + 1442695040888963407u;
			b.data[i] = (uint8_t)(seed >> 40);
		}
		read_segment(b.data, b.size, &r);
		for (int i = 0; i < N; i++) {
			size_t begin = i ? ends[i - 1] : 0;
			if (ends[i] <= from || begin >= from + size)
				assert_true(r.seen[i]);
		}
	}
}

/* A task may carry bytes that look like records: they are never taken for ones while their own record's head stands. */
static void test_records_inside_a_record_are_not_read(void **state)
{
	_cleanup_buf_ struct buf inner = {0}, b = {0};
	struct reading r;

	put(&inner, 7);
	struct fl_journal_record rec = {
		.kind = FL_JOURNAL_ACK, .framework_id = "fw", .task_id = "task 1", .uuid = {inner.data, inner.size}};
	assert_int_equal(journal_format_put(&rec, &b, NULL), 0);
	put(&b, 2);
	b.data[30] ^= 0x40;
	read_segment(b.data, b.size, &r);
	assert_true(r.seen[2]);
	assert_false(r.seen[7]);
}

static void test_too_big_is_refused(void **state)
{
	_cleanup_buf_ struct buf b = {0};
	struct err err = {0};
	uint8_t *bytes = xcalloc(1, JOURNAL_MAX_PAYLOAD);
	struct fl_journal_record rec = {
		.kind = FL_JOURNAL_ACK, .framework_id = "fw", .task_id = "t", .uuid = {bytes, JOURNAL_MAX_PAYLOAD}};

	assert_int_equal(journal_format_put(&rec, &b, &err), -EMSGSIZE);
	assert_int_equal(b.size, 0);
	free(bytes);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_checksum_is_crc32c),
		cmocka_unit_test(test_round_trip),
		cmocka_unit_test(test_every_torn_tail_is_a_tail),
		cmocka_unit_test(test_any_byte_costs_its_record_only),
		cmocka_unit_test(test_damaged_payload_names_its_task),
		cmocka_unit_test(test_random_damage),
		cmocka_unit_test(test_records_inside_a_record_are_not_read),
		cmocka_unit_test(test_too_big_is_refused),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
