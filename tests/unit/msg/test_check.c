/* The raw check: bombs, lies and repetitions, refused before anything is allocated. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "msg/codec.h"
#include "msg/codec_check.h"
#include "tests/unit/msg/fill.h"

/* The check and the decoder both say no, in the same words, and the zone stays empty. */
static void refuse(const struct record_desc *desc, const void *data, size_t size, const char *text)
{
	struct zone *zone _cleanup_zone_ = zone_create();
	struct err err = {0};
	void *rec = NULL;

	assert_int_equal(codec_check(desc, data, size, &err), -EBADMSG);
	if (!strstr(err.text, text))
		fail_msg("'%s' does not say '%s'", err.text, text);
	assert_int_equal(codec_decode(desc, data, size, zone, &rec, NULL), -EBADMSG);
	assert_null(rec);
	assert_int_equal(zone_size(zone), 0);
}

static void accept(const struct record_desc *desc, const void *data, size_t size)
{
	struct err err = {0};

	if (codec_check(desc, data, size, &err) < 0)
		fail_msg("%s", err.text);
}

#define BYTES_OF(...) (const uint8_t[]){__VA_ARGS__}, sizeof((const uint8_t[]){__VA_ARGS__})

static void test_counts_against_bytes_left(void **state)
{
	/* Under the known tag of a list, under an unknown tag, and as the root. */
	refuse(&rec_ranges, BYTES_OF(0x81, 1, 0xdd, 0xff, 0, 0, 0), "range: claims more than there is");
	refuse(&rec_ranges, BYTES_OF(0x81, 9, 0xdd, 0xff, 0, 0, 0), "(unknown): claims more than there is");
	refuse(&rec_ranges, BYTES_OF(0xdd, 0xff, 0, 0, 0), "claims more than there is");
	refuse(&rec_ranges, BYTES_OF(0xdf, 0x0f, 0xff, 0xff, 0xff), "claims more than there is");
	refuse(&rec_ranges, BYTES_OF(0x81, 9, 0xdf, 0xff, 0xff, 0xff, 0xff), "claims more than there is");
	refuse(&rec_ranges, BYTES_OF(0x81, 9, 0x82, 0, 0, 0), "claims more than there is"); /* two bytes an entry */
	refuse(&rec_text, BYTES_OF(0x81, 1, 0xdb, 0xff, 0xff, 0xff, 0xff), "value: claims more than there is");
	refuse(&rec_text, BYTES_OF(0x81, 1, 0xc6, 0xff, 0xff, 0xff, 0xff), "value: claims more than there is");
	refuse(&rec_text, BYTES_OF(0x81, 1, 0xc9, 0xff, 0xff, 0xff, 0xff, 1), "value: claims more than there is");
	refuse(&rec_text, BYTES_OF(0x81, 1, 0xd8, 1, 2, 3), "value: claims more than there is");
}

static void test_cut_heads(void **state)
{
	refuse(&rec_text, NULL, 0, "cut off");
	for (unsigned byte = 0xc4; byte < 0xe0; byte++)
		if (byte < 0xd4 || byte > 0xd8) { /* fixext has no length */
			const uint8_t bytes[] = {0x81, 0x01, (uint8_t)byte};
			refuse(&rec_text, bytes, sizeof(bytes), "value: cut off");
		}
	refuse(&rec_text, BYTES_OF(0x81, 1, 0xc1), "value: not msgpack");
	refuse(&rec_text, BYTES_OF(0x81, 0xc1, 1), "not msgpack");
	refuse(&rec_text, BYTES_OF(0xc1), "not msgpack");
}

static void test_keys(void **state)
{
	refuse(&rec_range, BYTES_OF(0x83, 1, 0, 2, 0, 1, 0), "begin: given twice");
	refuse(&rec_range, BYTES_OF(0x83, 1, 0, 2, 0, 0xcd, 0, 1, 0), "begin: given twice"); /* in another width */
	refuse(&rec_range, BYTES_OF(0x84, 1, 0, 2, 0, 0xcc, 200, 0, 0xcc, 200, 0), "(unknown): given twice");
	refuse(&rec_range, BYTES_OF(0x83, 0, 0, 1, 0, 2, 0), "no tag");
	refuse(&rec_range, BYTES_OF(0x83, 0xff, 0, 1, 0, 2, 0), "no tag");
	refuse(&rec_range, BYTES_OF(0x83, 0xd0, 0x80, 0, 1, 0, 2, 0), "no tag");
	refuse(&rec_range, BYTES_OF(0x83, 0xa1, '1', 0, 1, 0, 2, 0), "no tag");
	refuse(&rec_range, BYTES_OF(0x83, 0x90, 0, 1, 0, 2, 0), "no tag");
	accept(&rec_range, BYTES_OF(0x82, 0xd3, 0, 0, 0, 0, 0, 0, 0, 1, 0, 0xcf, 0, 0, 0, 0, 0, 0, 0, 2, 0));
	refuse(&rec_ranges, BYTES_OF(0x81, 1, 0x91, 0x82, 1, 0, 1, 0), "range[0].begin: given twice");
}

/* depth containers, counting the root, under an unknown tag; each of one element. */
static void nest(struct buf *out, unsigned depth, uint8_t head, bool map)
{
	buf_append(out, "\x81\x09", 2);
	for (unsigned i = 1; i < depth; i++) {
		buf_append_byte(out, head);
		if (map)
			buf_append_byte(out, 1);
	}
	buf_append_byte(out, 0xc0);
}

static void test_depth(void **state)
{
	for (int map = 0; map < 2; map++) {
		struct buf out _cleanup_buf_ = {0};
		nest(&out, CODEC_MAX_DEPTH, map ? 0x81 : 0x91, map);
		accept(&rec_ranges, out.data, out.size);
		buf_clear(&out);
		nest(&out, CODEC_MAX_DEPTH + 1, map ? 0x81 : 0x91, map);
		refuse(&rec_ranges, out.data, out.size, "nested too deep");
		buf_clear(&out);
		nest(&out, 1000000, map ? 0x81 : 0x91, map);
		refuse(&rec_ranges, out.data, out.size, "nested too deep");
	}
}

static void put_array(struct buf *out, uint8_t tag, uint32_t n)
{
	const uint8_t head[] = {0x81, tag, 0xdd, (uint8_t)(n >> 24), (uint8_t)(n >> 16), (uint8_t)(n >> 8), (uint8_t)n};
	buf_append(out, head, sizeof(head));
}

/* n elements of one byte, as the list with this tag. */
static void refuse_list(const struct record_desc *desc, uint8_t tag, uint32_t n, uint8_t element)
{
	struct buf out _cleanup_buf_ = {0};

	put_array(&out, tag, n);
	buf_reserve(&out, n);
	memset(out.data + out.size, element, n);
	out.size += n;
	refuse(desc, out.data, out.size, "takes too much memory");
}

static void test_small_bytes_that_cost_much(void **state)
{
	refuse_list(&rec_ranges, 9, 4 << 20, 0);           /* zeros nobody asked for */
	refuse_list(&rec_ranges, 1, 4 << 20, 0);           /* zeros where records should be */
	refuse_list(&rec_call_reconcile, 1, 600000, 0x80); /* empty records */
	refuse_list(&rec_api_get_agents, 1, 150000, 0x80); /* big empty records */
	refuse_list(&rec_set, 1, 600000, 0xa0);            /* empty words */
	refuse_list(&rec_ranges, 9, 800000, 0x90);         /* empty arrays */
}

/* 16 MiB is refused, half of it is not: honest big messages pass. */
static void test_big_text(void **state)
{
	struct zone *zone _cleanup_zone_ = zone_create();
	struct buf out _cleanup_buf_ = {0};
	struct fl_api_file_data data = {.data = {xcalloc(1, CODEC_MAX_COST), CODEC_MAX_COST}};
	void *rec = NULL;

	assert_int_equal(codec_encode(&rec_api_file_data, &data, &out, NULL), 0);
	refuse(&rec_api_file_data, out.data, out.size, "data: takes too much memory");
	data.data.size = CODEC_MAX_COST / 2;
	buf_clear(&out);
	assert_int_equal(codec_encode(&rec_api_file_data, &data, &out, NULL), 0);
	assert_int_equal(codec_decode(&rec_api_file_data, out.data, out.size, zone, &rec, NULL), 0);
	free((void *)(uintptr_t)data.data.data);
}

/* The cost that is reckoned is never below what the decode then takes, and not far above. */
static void test_cost_is_honest(void **state)
{
	for (size_t i = 0; i < n_records; i++) {
		for (uint64_t seed = 1; seed <= 20; seed++) {
			struct zone *zone _cleanup_zone_ = zone_create(), *result _cleanup_zone_ = zone_create();
			struct buf out _cleanup_buf_ = {0};
			struct fill f = {zone, seed * 0x9e3779b97f4a7c15ull, 60};
			size_t cost = 0;
			void *rec;
			assert_int_equal(codec_encode(records[i], fill_record(&f, records[i]), &out, NULL), 0);
			assert_int_equal(codec_check_cost(records[i], out.data, out.size, &cost, NULL), 0);
			assert_int_equal(codec_decode(records[i], out.data, out.size, result, &rec, NULL), 0);
			assert_true(cost >= zone_size(result));
			assert_true(cost <= 16 * (zone_size(result) + out.size) + 64);
		}
	}
}

/* Values of the wrong kind and of no kind we know pass here: the decoder names them. */
static void test_what_is_not_its_business(void **state)
{
	accept(&rec_text, BYTES_OF(0x81, 1, 0x91, 0xc0));
	accept(&rec_text, BYTES_OF(0x81, 1, 0xc7, 2, 1, 0, 0));
	accept(&rec_ranges, BYTES_OF(0x81, 1, 0x92, 0xa0, 0xcb, 0, 0, 0, 0, 0, 0, 0, 0));
	accept(&rec_ranges, BYTES_OF(0x80));
	accept(&rec_call, BYTES_OF(0x80)); /* so are missing fields */
	refuse(&rec_ranges, BYTES_OF(0x80, 0x80), "followed by more bytes");
	refuse(&rec_ranges, BYTES_OF(0x01), "not a map");
}

static void test_heads_of_messages(void **state)
{
	size_t offset = 0;
	int id = 0;

	assert_int_equal(codec_check_head(BYTES_OF(0x92, 0xcd, 0x01, 0x00, 0x80), &id, &offset, NULL), 0);
	assert_int_equal(id, 256);
	assert_int_equal(offset, 4);
	assert_int_equal(codec_check_head(BYTES_OF(0xdc, 0, 2, 7, 0x80), &id, &offset, NULL), 0);
	assert_int_equal(id, 7);
	assert_int_equal(codec_check_head(BYTES_OF(0x92, 0xc0, 0x80), &id, &offset, NULL), -EBADMSG);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_counts_against_bytes_left),
		cmocka_unit_test(test_cut_heads),
		cmocka_unit_test(test_keys),
		cmocka_unit_test(test_depth),
		cmocka_unit_test(test_small_bytes_that_cost_much),
		cmocka_unit_test(test_big_text),
		cmocka_unit_test(test_cost_is_honest),
		cmocka_unit_test(test_what_is_not_its_business),
		cmocka_unit_test(test_heads_of_messages),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
