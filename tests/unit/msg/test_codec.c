/* Round trips of every record, presence, defaults, unknown tags and values, copies. */
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
#include "tests/unit/msg/fill.h"

static void must_encode(const struct record_desc *desc, const void *rec, struct buf *out)
{
	struct err err = {0};

	if (codec_encode(desc, rec, out, &err) < 0)
		fail_msg("%s: %s", desc->name, err.text);
}

static void *must_decode(const struct record_desc *desc, const void *data, size_t size, struct zone *zone)
{
	struct err err = {0};
	void *rec = NULL;

	if (codec_decode(desc, data, size, zone, &rec, &err) < 0)
		fail_msg("%s: %s", desc->name, err.text);
	return rec;
}

/* Decodes bytes and expects a refusal whose text has this in it. */
static void refuse(const struct record_desc *desc, const void *data, size_t size, const char *text)
{
	struct zone *zone _cleanup_zone_ = zone_create();
	struct err err = {0};
	void *rec = zone;

	assert_int_equal(codec_decode(desc, data, size, zone, &rec, &err), -EBADMSG);
	assert_ptr_equal(rec, zone); /* untouched */
	if (!strstr(err.text, text))
		fail_msg("'%s' does not say '%s'", err.text, text);
}

#define REFUSE(desc, text, ...)                           \
	do {                                              \
		const uint8_t bytes[] = {__VA_ARGS__};    \
		refuse(desc, bytes, sizeof(bytes), text); \
	} while (0)

static void round_trip(const struct record_desc *desc, uint64_t seed, unsigned percent)
{
	struct zone *zone _cleanup_zone_ = zone_create();
	struct buf first _cleanup_buf_ = {0}, second _cleanup_buf_ = {0};
	struct fill f = {zone, seed, percent};
	void *rec = fill_record(&f, desc);

	must_encode(desc, rec, &first);
	assert_int_equal(codec_size(desc, rec), first.size);
	void *back = must_decode(desc, first.data, first.size, zone);
	fill_defaults(desc, rec);
	assert_true(codec_equal(desc, rec, back));

	void *copy = codec_copy(desc, back, zone);
	assert_true(codec_equal(desc, rec, copy));
	must_encode(desc, rec, &second);
	buf_clear(&first);
	must_encode(desc, copy, &first);
	assert_int_equal(first.size, second.size);
	assert_memory_equal(first.data, second.data, first.size);
}

static void test_every_record_round_trips(void **state)
{
	static const unsigned percents[] = {0, 10, 50, 90, 100};

	for (size_t i = 0; i < n_records; i++)
		for (uint64_t seed = 1; seed <= 40; seed++)
			round_trip(records[i], seed * 0x9e3779b97f4a7c15ull, percents[seed % ARRAY_SIZE(percents)]);
}

static void test_every_message_round_trips(void **state)
{
	for (size_t i = 0; i < n_messages; i++) {
		struct zone *zone _cleanup_zone_ = zone_create();
		struct buf out _cleanup_buf_ = {0};
		struct fill f = {zone, i + 1, 40};
		const struct message_desc *desc = NULL;
		void *rec = fill_record(&f, messages[i].record), *back = NULL;
		assert_int_equal(message_encode(messages[i].id, rec, &out, NULL), 0);
		assert_int_equal(message_decode(out.data, out.size, zone, &desc, &back, NULL), 0);
		assert_ptr_equal(desc, &messages[i]);
		fill_defaults(desc->record, rec);
		assert_true(codec_equal(desc->record, rec, back));
	}
}

/* Absent, zero and a value are three things, for every MAY field that can be any of them. */
static void test_absent_is_not_zero(void **state)
{
	for (size_t i = 0; i < n_records; i++) {
		const struct record_desc *desc = records[i];
		for (size_t k = 0; k < desc->n_fields; k++) {
			struct zone *zone _cleanup_zone_ = zone_create();
			struct buf out _cleanup_buf_ = {0};
			struct fill f = {zone, 7, 0};
			const struct field_desc *field = &desc->fields[k];
			if (field->must || field->kind == FIELD_ENUM || field->kind >= FIELD_REC)
				continue;
			char *rec = fill_record(&f, desc);
			void *p = rec + field->offset;
			assert_false(field_present(field, rec));
			must_encode(desc, rec, &out);
			void *absent = must_decode(desc, out.data, out.size, zone);
			assert_int_equal(field_present(field, absent), field->deflt_str != NULL);

			if (field->kind == FIELD_STR || field->kind == FIELD_ID)
				*(const char **)p = "";
			else if (field->kind == FIELD_BYTES)
				((struct fl_bytes *)p)->data = (const uint8_t *)"";
			else
				*(bool *)(rec + field->has_offset) = true;
			buf_clear(&out);
			must_encode(desc, rec, &out);
			void *zero = must_decode(desc, out.data, out.size, zone);
			assert_true(field_present(field, zero));
			assert_false(codec_equal(desc, absent, zero));
			if (field->kind == FIELD_STR || field->kind == FIELD_ID)
				assert_string_equal(*(const char *const *)field_ptr(field, zero), "");
			else if (field->kind == FIELD_BYTES)
				assert_int_equal(((const struct fl_bytes *)field_ptr(field, zero))->size, 0);
			else if (field->kind == FIELD_BOOL)
				assert_false(*(const bool *)field_ptr(field, zero));
			else
				assert_int_equal(*(const int64_t *)field_ptr(field, zero), 0);
		}
	}
}

static void test_defaults_stand_in(void **state)
{
	struct zone *zone _cleanup_zone_ = zone_create();
	static const uint8_t empty[] = {0x80};

	const struct fl_filters *filters = must_decode(&rec_filters, empty, 1, zone);
	assert_int_equal(filters->refuse_ns, 5000000000);
	assert_false(filters->has_refuse_ns);
	const struct fl_command_info *command = must_decode(&rec_command_info, empty, 1, zone);
	assert_true(command->shell);
	assert_false(command->has_shell);
	assert_null(command->value);
	const struct fl_linux_info *linux_info = must_decode(&rec_linux_info, empty, 1, zone);
	assert_false(linux_info->has_privileged || linux_info->privileged);
}

static void test_missing_is_refused_both_ways(void **state)
{
	struct buf out _cleanup_buf_ = {0};
	struct err err = {0};
	struct fl_kill_policy policy = {0};
	struct fl_call_kill kill = {.task_id = NULL, .kill_policy = &policy};
	struct fl_call call = {.type = FL_CALL_KILL, .kill = &kill};

	buf_append_str(&out, "before");
	assert_int_equal(codec_encode(&rec_call, &call, &out, &err), -EINVAL);
	assert_string_equal(err.text, "kill.task_id: missing");
	assert_int_equal(out.size, 6);
	call.type = 0;
	assert_int_equal(codec_encode(&rec_call, &call, &out, &err), -EINVAL);
	assert_string_equal(err.text, "type: missing");
	call.type = (enum fl_call_type)99;
	assert_int_equal(codec_encode(&rec_call, &call, &out, &err), -EINVAL);
	assert_string_equal(err.text, "type: 99 is not in call_type");
	assert_int_equal(message_encode(MSG_call, &call, &out, &err), -EINVAL);
	assert_string_equal(err.text, "call: type: 99 is not in call_type");
	assert_int_equal(out.size, 6);
	kill.task_id = "caf\xe9";
	call.type = FL_CALL_KILL;
	assert_int_equal(codec_encode(&rec_call, &call, &out, &err), -EINVAL);
	assert_string_equal(err.text, "kill.task_id: not UTF-8");

	REFUSE(&rec_call, "type: missing", 0x80);
	REFUSE(&rec_call, "kill.task_id: missing", 0x82, 2, 7, 8, 0x80);
	REFUSE(&rec_ranges, "range[1].end: missing", 0x81, 1, 0x92, 0x82, 1, 0, 2, 0, 0x81, 1, 0);
}

static void test_unknown_tags_are_skipped(void **state)
{
	struct zone *zone _cleanup_zone_ = zone_create();
	/* range with unknown 3 (map with array, ext, nil, float, bin), 200 (twice is refused elsewhere), 70000 */
	static const uint8_t bytes[] = {0x85, 0x03, 0x81, 0xa1, 'x',  0x95, 0xc0, 0xcb, 0, 0,    0,    0,
	                                0,    0,    0,    0,    0xd4, 0x01, 0xff, 0xc4, 1, 9,    0xc3, 0x01,
	                                0x05, 0xcc, 200,  0xa0, 0x02, 0x06, 0xce, 0,    1, 0x11, 0x70, 0x90};
	const struct fl_range *range = must_decode(&rec_range, bytes, sizeof(bytes), zone);

	assert_int_equal(range->begin, 5);
	assert_int_equal(range->end, 6);
}

static void test_wrong_kinds_are_refused(void **state)
{
	REFUSE(&rec_range, "begin: not an integer", 0x82, 1, 0xff, 2, 1); /* negative */
	REFUSE(&rec_range, "begin: not an integer", 0x82, 1, 0xa1, '1', 2, 1);
	REFUSE(&rec_time_info, "nanoseconds: not a 64 bit", 0x81, 1, 0xcf, 0x80, 0, 0, 0, 0, 0, 0, 0);
	REFUSE(&rec_time_info, "nanoseconds: not a 64 bit", 0x81, 1, 0xca, 0, 0, 0, 0);
	REFUSE(&rec_time_info, "nanoseconds: not a 64 bit", 0x81, 1, 0xc0);
	REFUSE(&rec_text, "value: not text", 0x81, 1, 5);
	REFUSE(&rec_text, "value: not text", 0x81, 1, 0xc4, 1, 'a');
	REFUSE(&rec_text, "value: not UTF-8", 0x81, 1, 0xa1, 0xff);
	REFUSE(&rec_text, "value: not UTF-8", 0x81, 1, 0xa2, 'a', 0);
	REFUSE(&rec_api_file_data, "data: not bytes", 0x82, 1, 1, 2, 0xa1, 'a');
	REFUSE(&rec_command_info, "shell: not a bool", 0x81, 3, 1);
	REFUSE(&rec_command_info, "environment: not a record", 0x81, 2, 0x90);
	REFUSE(&rec_ranges, "range: not a list", 0x81, 1, 0x80);
	REFUSE(&rec_ranges, "range[0]: not a record", 0x81, 1, 0x91, 1);
	REFUSE(&rec_set, "item[1]: not text", 0x81, 1, 0x92, 0xa0, 0x80);
	REFUSE(&rec_range, "not a map", 0x90);
	REFUSE(&rec_call, "type: 99 is not in call_type", 0x81, 2, 99);
	REFUSE(&rec_call, "type: 0 is not in call_type", 0x81, 2, 0);
}

static void test_unknown_enum_in_optional_field_is_absent(void **state)
{
	struct zone *zone _cleanup_zone_ = zone_create();
	static const uint8_t bytes[] = {0x81, 1, 99}, variable[] = {0x82, 1, 0xa1, 'n', 3, 0xd0, 0x80};

	const struct fl_framework_capability *c = must_decode(&rec_framework_capability, bytes, sizeof(bytes), zone);
	assert_int_equal(c->type, 0);
	const struct fl_variable *v = must_decode(&rec_variable, variable, sizeof(variable), zone);
	assert_int_equal(v->type, FL_VARIABLE_VALUE);
}

static void test_map_keys_are_unique(void **state)
{
	struct fl_scalar one = {1000};
	struct fl_scalar_entry limits[] = {{"mem", &one}, {"cpus", &one}, {"mem", &one}};
	struct fl_task_info task = {.name = "", .task_id = "t", .slave_id = "s", .limits = limits, .n_limits = 3};
	struct buf out _cleanup_buf_ = {0};

	must_encode(&rec_task_info, &task, &out);
	refuse(&rec_task_info, out.data, out.size, "limits: has a key twice");
}

static void test_cut_at_every_byte(void **state)
{
	struct zone *zone _cleanup_zone_ = zone_create();
	struct buf out _cleanup_buf_ = {0};
	struct fill f = {zone, 3, 60};

	must_encode(&rec_offer, fill_record(&f, &rec_offer), &out);
	assert_true(out.size > 200);
	for (size_t n = 0; n < out.size; n++) {
		void *exact = xmemdup(out.data, n); /* so that a read behind it is seen */
		refuse(&rec_offer, exact, n, "");
		free(exact);
	}
	buf_append_byte(&out, 0xc0);
	refuse(&rec_offer, out.data, out.size, "followed by more bytes");
}

/* Any byte changed: refused or decoded, and what is decoded can be encoded again. */
static void test_any_byte_changed(void **state)
{
	struct zone *zone _cleanup_zone_ = zone_create();
	struct buf out _cleanup_buf_ = {0};
	struct fill f = {zone, 11, 70};
	size_t decoded = 0;

	must_encode(&rec_task, fill_record(&f, &rec_task), &out);
	for (size_t n = 0; n < out.size * 4; n++) {
		struct zone *scratch _cleanup_zone_ = zone_create();
		struct buf again _cleanup_buf_ = {0};
		uint8_t *bytes = xmemdup(out.data, out.size);
		void *rec;
		bytes[n % out.size] ^= (uint8_t)(1 + fill_below(&f, 255));
		if (codec_decode(&rec_task, bytes, out.size, scratch, &rec, NULL) == 0) {
			must_encode(&rec_task, rec, &again);
			decoded++;
		}
		free(bytes);
	}
	assert_true(decoded > 0);
}

static void test_messages_from_strangers(void **state)
{
	struct zone *zone _cleanup_zone_ = zone_create();
	const struct message_desc *desc = NULL;
	struct err err = {0};
	void *rec = NULL;
	static const struct {
		uint8_t bytes[8];
		size_t n;
		int status;
		const char *text;
	} cases[] = {
		{{0}, 0, -EBADMSG, "cut off"},
		{{0x80}, 1, -EBADMSG, "not an array"},
		{{0x91, 1}, 2, -EBADMSG, "not an array"},
		{{0x93, 2, 0x80, 0x80}, 4, -EBADMSG, "not an array"},
		{{0x92, 0xa0, 0x80}, 3, -EBADMSG, "no number"},
		{{0x92, 0xff, 0x80}, 3, -EBADMSG, "no number"},
		{{0x92, 0xce, 0xff, 0xff, 0xff, 0xff, 0x80}, 7, -EBADMSG, "no number"},
		{{0x92, 99, 0x80}, 3, -ENOMSG, "no message has the id 99"},
		{{0x92, 1, 0x80}, 3, -EBADMSG, "hello: version: missing"},
		{{0x92, 2, 0x80, 0}, 4, -EBADMSG, "heartbeat: followed by more"},
		{{0x92, 2}, 2, -EBADMSG, "claims more"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		assert_int_equal(message_decode(cases[i].bytes, cases[i].n, zone, &desc, &rec, &err), cases[i].status);
		if (!strstr(err.text, cases[i].text))
			fail_msg("'%s' does not say '%s'", err.text, cases[i].text);
		assert_null(desc);
		assert_null(rec);
	}
}

static void test_equal_sees_every_field(void **state)
{
	for (size_t i = 0; i < n_records; i++) {
		struct zone *zone _cleanup_zone_ = zone_create();
		struct fill f = {zone, 5, 100};
		void *a = fill_record(&f, records[i]);
		for (size_t k = 0; k < records[i]->n_fields; k++) {
			const struct field_desc *field = &records[i]->fields[k];
			char *b = codec_copy(records[i], a, zone);
			assert_true(codec_equal(records[i], a, b));
			if (!field_present(field, b))
				continue;
			/* Makes a pointer NULL, a list or bytes empty, a number another one. */
			if (field->kind >= FIELD_LIST)
				*(size_t *)(void *)(b + field->has_offset) = 0;
			else if (field->kind < FIELD_BOOL || field->kind == FIELD_REC)
				*(void **)(void *)(b + field->offset) = NULL;
			else
				b[field->offset] ^= 1;
			assert_false(codec_equal(records[i], a, b));
		}
	}
}

static void test_owned(void **state)
{
	struct owned o = {0};
	struct fl_epoch epoch = {"abc", 7};

	owned_set(&o, &rec_epoch, &epoch);
	assert_true(codec_equal(&rec_epoch, o.rec, &epoch));
	assert_ptr_not_equal(((struct fl_epoch *)o.rec)->incarnation, epoch.incarnation);
	owned_set(&o, &rec_epoch, o.rec); /* of itself */
	assert_true(codec_equal(&rec_epoch, o.rec, &epoch));
	owned_set(&o, &rec_epoch, NULL);
	assert_null(o.rec);
	owned_fini(&o);
	owned_fini(&o);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_record_round_trips),
		cmocka_unit_test(test_every_message_round_trips),
		cmocka_unit_test(test_absent_is_not_zero),
		cmocka_unit_test(test_defaults_stand_in),
		cmocka_unit_test(test_missing_is_refused_both_ways),
		cmocka_unit_test(test_unknown_tags_are_skipped),
		cmocka_unit_test(test_wrong_kinds_are_refused),
		cmocka_unit_test(test_unknown_enum_in_optional_field_is_absent),
		cmocka_unit_test(test_map_keys_are_unique),
		cmocka_unit_test(test_cut_at_every_byte),
		cmocka_unit_test(test_any_byte_changed),
		cmocka_unit_test(test_messages_from_strangers),
		cmocka_unit_test(test_equal_sees_every_field),
		cmocka_unit_test(test_owned),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
