/* JSON both ways: every record, the v1 API's own examples, numbers, refusals, ASCII, slices. */
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
#include "msg/json.h"
#include "tests/unit/msg/fill.h"

struct fixture {
	struct zone *zone;
	struct buf out;
};

static int setup(void **state)
{
	struct fixture *f = xcalloc(1, sizeof(*f));
	f->zone = zone_create();
	*state = f;
	return 0;
}

static int teardown(void **state)
{
	struct fixture *f = *state;
	zone_destroy(f->zone);
	buf_fini(&f->out);
	free(f);
	return 0;
}

static void *read_json(struct fixture *f, const struct record_desc *desc, const char *text)
{
	struct err err = {0};
	void *rec = NULL;

	if (json_decode(desc, text, strlen(text), f->zone, &rec, &err) < 0)
		fail_msg("%s: %s", text, err.text);
	return rec;
}

static void refuse(const struct record_desc *desc, const char *text, const char *why)
{
	struct zone *zone _cleanup_zone_ = zone_create();
	struct err err = {0};
	void *rec = zone;

	assert_int_equal(json_decode(desc, text, strlen(text), zone, &rec, &err), -EBADMSG);
	assert_ptr_equal(rec, zone); /* untouched */
	if (!strstr(err.text, why))
		fail_msg("'%s' does not say '%s'", err.text, why);
}

static const char *write_json(struct fixture *f, const struct record_desc *desc, const void *rec)
{
	buf_clear(&f->out);
	json_encode(desc, rec, &f->out);
	return buf_cstr(&f->out);
}

/* Reads, writes, and expects this. */
static void same(struct fixture *f, const struct record_desc *desc, const char *in, const char *out)
{
	assert_string_equal(write_json(f, desc, read_json(f, desc, in)), out);
}

static bool ascii(const struct buf *b)
{
	for (size_t i = 0; i < b->size; i++)
		if (b->data[i] < 0x20 || b->data[i] > 0x7e)
			return false;
	return true;
}

static void test_every_record_round_trips(void **state)
{
	static const unsigned percents[] = {0, 10, 50, 90, 100};

	for (size_t i = 0; i < n_records; i++) {
		for (uint64_t seed = 1; seed <= 40; seed++) {
			struct zone *zone _cleanup_zone_ = zone_create();
			struct buf text _cleanup_buf_ = {0};
			struct err err = {0};
			struct fill f = {zone, seed * 0x9e3779b97f4a7c15ull, percents[seed % ARRAY_SIZE(percents)]};
			void *rec = fill_record(&f, records[i]), *back = NULL;
			json_encode(records[i], rec, &text);
			assert_true(ascii(&text));
			if (json_decode(records[i], (char *)text.data, text.size, zone, &back, &err) < 0)
				fail_msg("%s: %s: %s", records[i]->name, err.text, buf_cstr(&text));
			fill_defaults(records[i], rec);
			if (!codec_equal(records[i], rec, back))
				fail_msg("%s: %s", records[i]->name, buf_cstr(&text));
		}
	}
}

/* mesos-framework 0.7.0: null wherever nothing is set, siblings of the call's body included. */
static void test_subscribe_full_of_nulls(void **state)
{
	struct fixture *f = *state;
	const struct fl_call *call = read_json(
		f, &rec_call,
		"{\"framework_id\":null,\"type\":\"SUBSCRIBE\",\"subscribe\":{\"framework_info\":{\"user\":\"root\","
		"\"name\":\"My-first-Command-framework\",\"id\":null,\"failover_timeout\":604800,\"checkpoint\":null,"
		"\"role\":null,\"roles\":null,\"hostname\":null,\"principal\":null,\"webui_url\":null,\"capabilities\":"
		"null,"
		"\"labels\":null,\"offer_filters\":{}},\"suppressed_roles\":[]},\"accept\":null,\"decline\":null,"
		"\"accept_inverse_offers\":null,\"decline_inverse_offers\":null,\"revive\":null,\"kill\":null,"
		"\"shutdown\":null,\"acknowledge\":null,\"reconcile\":null,\"message\":null,\"request\":null,"
		"\"suppress\":null}");
	const struct fl_framework_info *info = call->subscribe->framework_info;

	assert_int_equal(call->type, FL_CALL_SUBSCRIBE);
	assert_null(call->framework_id);
	assert_null(call->accept);
	assert_null(call->message);
	assert_int_equal(call->subscribe->n_suppressed_roles, 0);
	assert_string_equal(info->user, "root");
	assert_null(info->id);
	assert_true(info->has_failover_timeout_ns);
	assert_int_equal(info->failover_timeout_ns, 604800ll * 1000000000);
	assert_false(info->has_checkpoint);
	assert_true(info->checkpoint);
	assert_string_equal(info->role, "*");
	assert_int_equal(info->n_roles, 0);
	assert_null(info->roles);
	assert_int_equal(info->n_capabilities, 0);
	assert_null(info->labels);
}

static void test_accept_with_a_task(void **state)
{
	struct fixture *f = *state;
	const struct fl_call *call = read_json(
		f, &rec_call,
		"{\"framework_id\":{\"value\":\"f-1\"},\"type\":\"ACCEPT\",\"accept\":{\"offer_ids\":[{\"value\":\"o-"
		"1\"},"
		"{\"value\":\"o-2\"}],\"operations\":[{\"type\":\"LAUNCH\",\"id\":null,\"launch\":{\"task_infos\":[{"
		"\"name\":\"sleepProcesses-1\",\"task_id\":{\"value\":\"My-first-Docker-framework-(bridge-networking)."
		"webservers-1.3c1f\"},\"agent_id\":{\"value\":\"s-1\"},\"resources\":[{\"name\":\"cpus\",\"type\":"
		"\"SCALAR\","
		"\"scalar\":{\"value\":0.2},\"ranges\":null,\"set\":null,\"role\":null,\"disk\":null,\"reservation\":"
		"null},"
		"{\"name\":\"mem\",\"type\":\"SCALAR\",\"scalar\":{\"value\":128},\"role\":\"*\"},{\"name\":\"ports\","
		"\"type\":\"RANGES\",\"ranges\":{\"range\":[{\"begin\":31000,\"end\":31000}]}}],\"executor\":null,"
		"\"command\":{"
		"\"shell\":true,\"value\":\"env && sleep 100\",\"environment\":{\"variables\":[{\"name\":\"HOST\","
		"\"value\":\"127.0.0.1\"},{\"name\":\"TASK_SLEEPPROCESSES_SERIAL_NUMBER\",\"value\":\"1\"}]},\"uris\":["
		"],"
		"\"arguments\":[],\"user\":null},\"container\":null,\"health_check\":null,\"labels\":null,\"limits\":"
		"null,"
		"\"data\":null}]},\"reserve\":null}],\"filters\":null}}");
	const struct fl_call_accept *accept = call->accept;

	assert_string_equal(call->framework_id, "f-1");
	assert_int_equal(accept->n_offer_ids, 2);
	assert_string_equal(accept->offer_ids[1], "o-2");
	assert_null(accept->filters);
	assert_int_equal(accept->operations[0].type, FL_OPERATION_LAUNCH);
	const struct fl_task_info *task = &accept->operations[0].launch->task_infos[0];
	assert_string_equal(task->task_id, "My-first-Docker-framework-(bridge-networking).webservers-1.3c1f");
	assert_string_equal(task->slave_id, "s-1");
	assert_int_equal(task->n_resources, 3);
	assert_int_equal(task->resources[0].scalar->value, 200);
	assert_string_equal(task->resources[0].role, "*");
	assert_null(task->resources[0].ranges);
	assert_int_equal(task->resources[1].scalar->value, 128000);
	assert_int_equal(task->resources[2].ranges->range[0].end, 31000);
	assert_null(task->executor);
	assert_true(task->command->has_shell && task->command->shell);
	assert_int_equal(task->command->environment->n_variables, 2);
	assert_int_equal(task->command->environment->variables[0].type, FL_VARIABLE_VALUE);
	assert_null(task->data.data);
	assert_int_equal(task->n_limits, 0);
}

static void test_an_offer_as_v1_has_it(void **state)
{
	struct fixture *f = *state;
	struct fl_scalar cpus = {2500};
	struct fl_range range[] = {{31000, 32000}};
	struct fl_ranges ranges = {range, 1};
	struct fl_resource resources[] = {
		{.name = "cpus", .type = FL_SCALAR, .scalar = &cpus, .role = "*"},
		{.name = "ports", .type = FL_RANGES, .ranges = &ranges, .role = "*"},
	};
	struct fl_address address = {.ip = "10.0.0.1", .port = 5051};
	struct fl_url url = {.scheme = "http", .address = &address};
	const char *executors[] = {"e-1"};
	struct fl_offer offer = {
		.id = "o-1",
		.framework_id = "f-1",
		.slave_id = "s-1",
		.hostname = "h\xc3\xb6st",
		.url = &url,
		.resources = resources,
		.n_resources = 2,
		.executor_ids = executors,
		.n_executor_ids = 1,
	};

	assert_string_equal(
		write_json(f, &rec_offer, &offer),
		"{\"id\":{\"value\":\"o-1\"},\"framework_id\":{\"value\":\"f-1\"},\"agent_id\":{\"value\":\"s-1\"},"
		"\"hostname\":\"h\\u00f6st\",\"url\":{\"scheme\":\"http\",\"address\":{\"ip\":\"10.0.0.1\",\"port\":"
		"5051}},"
		"\"resources\":[{\"name\":\"cpus\",\"type\":\"SCALAR\",\"scalar\":{\"value\":2.5},\"role\":\"*\"},"
		"{\"name\":\"ports\",\"type\":\"RANGES\",\"ranges\":{\"range\":[{\"begin\":31000,\"end\":32000}]},"
		"\"role\":\"*\"}],"
		"\"executor_ids\":[{\"value\":\"e-1\"}]}");
}

static void test_zero_false_and_empty_are_kept(void **state)
{
	struct fixture *f = *state;

	same(f, &rec_filters, "{\"refuse_seconds\":0}", "{\"refuse_seconds\":0}");
	same(f, &rec_filters, "{}", "{}");
	same(f, &rec_command_info, "{\"shell\":false,\"value\":\"\"}", "{\"shell\":false,\"value\":\"\"}");
	same(f, &rec_task_status,
	     "{\"task_id\":{\"value\":\"\"},\"state\":\"TASK_LOST\",\"healthy\":false,\"exit_status\":0,\"uuid\":\"\","
	     "\"message\":\"\"}",
	     "{\"task_id\":{\"value\":\"\"},\"state\":\"TASK_LOST\",\"message\":\"\",\"uuid\":\"\",\"healthy\":false,"
	     "\"exit_status\":0}");
	same(f, &rec_resource, "{\"name\":\"x\",\"type\":\"SET\",\"shared\":{}}",
	     "{\"name\":\"x\",\"type\":\"SET\",\"role\":\"*\",\"shared\":{}}"); /* a default is shown */
	same(f, &rec_set, "{\"item\":[]}", "{}");
}

static void test_thousandths(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *in;
		int64_t milli;
		const char *out;
	} cases[] = {
		{"0", 0, "0"},
		{"0.1", 100, "0.1"},
		{"0.001", 1, "0.001"},
		{"0.0005", 1, "0.001"},
		{"0.0004", 0, "0"},
		{"1.5", 1500, "1.5"},
		{"-2.25", -2250, "-2.25"},
		{"-0.1", -100, "-0.1"},
		{"128", 128000, "128"},
		{"3.6e+06", 3600000000, "3600000"},
		{"0.7", 700, "0.7"},
		{"4.35", 4350, "4.35"},
		{"1E2", 100000, "100"},
		{"2.0", 2000, "2"},
		{"1.1125", 1113, "1.113"},
		{"1125899906842.624", 1125899906842624, "1125899906842.624"},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[64], out[64];
		snprintf(text, sizeof(text), "{\"value\":%s}", cases[i].in);
		snprintf(out, sizeof(out), "{\"value\":%s}", cases[i].out);
		const struct fl_scalar *s = read_json(f, &rec_scalar, text);
		assert_int_equal(s->value, cases[i].milli);
		assert_string_equal(write_json(f, &rec_scalar, s), out);
	}
	/* Each thousandth there and back. */
	for (int64_t milli = -20000; milli < 20000; milli++) {
		struct fl_scalar s = {milli};
		const struct fl_scalar *back = read_json(f, &rec_scalar, write_json(f, &rec_scalar, &s));
		assert_int_equal(back->value, milli);
	}
}

static void test_seconds_and_nanoseconds(void **state)
{
	struct fixture *f = *state;

	const struct fl_filters *filters = read_json(f, &rec_filters, "{\"refuse_seconds\":1.5}");
	assert_int_equal(filters->refuse_ns, 1500000000);
	same(f, &rec_filters, "{\"refuse_seconds\":5.0}", "{\"refuse_seconds\":5}");
	same(f, &rec_filters, "{\"refuse_seconds\":0.000000001}", "{\"refuse_seconds\":0.000000001}");
	same(f, &rec_filters, "{\"refuse_seconds\":1e-3}", "{\"refuse_seconds\":0.001}");
	same(f, &rec_filters, "{\"refuse_seconds\":9223372036}", "{\"refuse_seconds\":9223372036}");
	refuse(&rec_filters, "{\"refuse_seconds\":9223372037}", "refuse_seconds: out of range");
	refuse(&rec_filters, "{\"refuse_seconds\":1e300}", "refuse_seconds: out of range");
	refuse(&rec_filters, "{\"refuse_seconds\":\"Infinity\"}", "refuse_seconds: not a number");
	refuse(&rec_filters, "{\"refuse_seconds\":1e999}", "not JSON");
	same(f, &rec_api_file_info, "{\"path\":\"/\",\"mtime\":{\"nanoseconds\":-1}}",
	     "{\"path\":\"/\",\"mtime\":{\"nanoseconds\":-1}}");
	refuse(&rec_api_file_info, "{\"path\":\"/\",\"mtime\":5}", "mtime: not an object");
	refuse(&rec_api_file_info, "{\"path\":\"/\",\"mtime\":{\"nanoseconds\":null}}", "mtime.nanoseconds: missing");
}

static void test_integers(void **state)
{
	struct fixture *f = *state;

	same(f, &rec_range, "{\"begin\":\"7\",\"end\":8.0}", "{\"begin\":7,\"end\":8}");
	same(f, &rec_range, "{\"begin\":1e3,\"end\":9223372036854775807}",
	     "{\"begin\":1000,\"end\":9223372036854775807}");
	same(f, &rec_range, "{\"begin\":0,\"end\":\"18446744073709551615\"}",
	     "{\"begin\":0,\"end\":\"18446744073709551615\"}");
	same(f, &rec_time_info, "{\"nanoseconds\":-9223372036854775808}", "{\"nanoseconds\":-9223372036854775808}");
	same(f, &rec_time_info, "{\"nanoseconds\":\"-5\"}", "{\"nanoseconds\":-5}");
	refuse(&rec_time_info, "{\"nanoseconds\":1.5}", "nanoseconds: out of range");
	refuse(&rec_time_info, "{\"nanoseconds\":1e19}", "nanoseconds: out of range");
	refuse(&rec_time_info, "{\"nanoseconds\":\"\"}", "nanoseconds: not a whole number");
	refuse(&rec_time_info, "{\"nanoseconds\":\"1x\"}", "nanoseconds: not a whole number");
	refuse(&rec_time_info, "{\"nanoseconds\":true}", "nanoseconds: not a number");
	refuse(&rec_time_info, "{\"nanoseconds\":[1]}", "nanoseconds: not a number");
	refuse(&rec_range, "{\"begin\":-1,\"end\":8}", "begin: below 0");
	refuse(&rec_range, "{\"begin\":\"-1\",\"end\":8}", "begin: not a whole number");
	refuse(&rec_range, "{\"begin\":18446744073709551616,\"end\":8}", "not JSON");
	refuse(&rec_scalar, "{\"value\":9223372036854775807}", "value: out of range");
	refuse(&rec_scalar, "{\"value\":9.3e15}", "value: out of range");
}

static void test_base64(void **state)
{
	struct fixture *f = *state;
	static const struct {
		const char *text, *bytes;
	} cases[] = {{"", ""},
	             {"Zg==", "f"},
	             {"Zm8=", "fo"},
	             {"Zm9v", "foo"},
	             {"Zm9vYg==", "foob"},
	             {"Zm9vYmFy", "foobar"},
	             {"+/+/", "\xfb\xff\xbf"}};
	static const char *const wrong[] = {
		"Z", "Zg", "Zg=", "Zg===", "=Zg=", "Z===", "Zm9v====", "Zm-_", "Zg==Zg==", "Zm 9"};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char text[64];
		snprintf(text, sizeof(text), "{\"size\":0,\"data\":\"%s\"}", cases[i].text);
		const struct fl_api_file_data *d = read_json(f, &rec_api_file_data, text);
		assert_non_null(d->data.data);
		assert_int_equal(d->data.size, strlen(cases[i].bytes));
		assert_memory_equal(d->data.data, cases[i].bytes, d->data.size);
		assert_string_equal(write_json(f, &rec_api_file_data, d), text);
	}
	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		char text[64];
		snprintf(text, sizeof(text), "{\"size\":0,\"data\":\"%s\"}", wrong[i]);
		refuse(&rec_api_file_data, text, "data: not base64");
	}
	refuse(&rec_api_file_data, "{\"size\":0,\"data\":5}", "data: not base64");
	const struct fl_api_file_data *none = read_json(f, &rec_api_file_data, "{\"size\":0,\"data\":null}");
	assert_null(none->data.data);
}

static void test_ids_lists_and_maps(void **state)
{
	struct fixture *f = *state;

	same(f, &rec_call_decline, "{\"offer_ids\":{\"value\":\"one\"}}", "{\"offer_ids\":[{\"value\":\"one\"}]}");
	same(f, &rec_call_decline, "{\"offer_ids\":[null,{\"value\":\"a\",\"extra\":1},null]}",
	     "{\"offer_ids\":[{\"value\":\"a\"}]}");
	same(f, &rec_call_decline, "{\"offer_ids\":[null]}", "{}");
	same(f, &rec_call_roles, "{\"roles\":\"lone\"}", "{\"roles\":[\"lone\"]}");
	same(f, &rec_ranges, "{\"range\":{\"begin\":1,\"end\":2}}", "{\"range\":[{\"begin\":1,\"end\":2}]}");
	refuse(&rec_call_decline, "{\"offer_ids\":[\"plain\"]}", "offer_ids[0]: not an object");
	refuse(&rec_call_decline, "{\"offer_ids\":[{\"value\":null}]}", "offer_ids[0].value: missing");
	refuse(&rec_call_decline, "{\"offer_ids\":[{\"value\":5}]}", "offer_ids[0].value: not a string");
	refuse(&rec_call_kill, "{\"task_id\":\"t\"}", "task_id: not an object");
	refuse(&rec_call_kill, "{\"task_id\":{}}", "task_id.value: missing");

	same(f, &rec_task_info,
	     "{\"name\":\"n\",\"task_id\":{\"value\":\"t\"},\"agent_id\":{\"value\":\"s\"},\"limits\":{\"cpus\":{"
	     "\"value\":1.5},"
	     "\"gone\":null,\"m\\\"\":{\"value\":2}}}",
	     "{\"name\":\"n\",\"task_id\":{\"value\":\"t\"},\"agent_id\":{\"value\":\"s\"},\"limits\":{\"cpus\":{"
	     "\"value\":1.5},"
	     "\"m\\\"\":{\"value\":2}}}");
	refuse(&rec_task_info,
	       "{\"name\":\"\",\"task_id\":{\"value\":\"t\"},\"agent_id\":{\"value\":\"s\"},\"limits\":{\"cpus\":5}}",
	       "limits.cpus: not an object");
	refuse(&rec_task_info,
	       "{\"name\":\"\",\"task_id\":{\"value\":\"t\"},\"agent_id\":{\"value\":\"s\"},\"limits\":[]}",
	       "limits: not an object");
}

static void test_names_of_enums(void **state)
{
	struct fixture *f = *state;

	const struct fl_framework_info *info = read_json(f, &rec_framework_info,
	                                                 "{\"user\":\"\",\"name\":\"\",\"capabilities\":[{\"type\":"
	                                                 "\"OF_TOMORROW\"},{\"type\":\"MULTI_ROLE\"},{}]}");
	assert_int_equal(info->n_capabilities, 3);
	assert_int_equal(info->capabilities[0].type, 0);
	assert_int_equal(info->capabilities[1].type, FL_CAPABILITY_MULTI_ROLE);
	const struct fl_variable *v = read_json(f, &rec_variable, "{\"name\":\"n\",\"type\":\"OF_TOMORROW\"}");
	assert_int_equal(v->type, FL_VARIABLE_VALUE);
	refuse(&rec_call, "{\"type\":\"OF_TOMORROW\"}", "type: 'OF_TOMORROW' is not in call_type");
	refuse(&rec_call, "{\"type\":7}", "type: not a name");
	refuse(&rec_variable, "{\"name\":\"n\",\"type\":7}", "type: not a name");
}

static void test_refusals(void **state)
{
	refuse(&rec_call, "", "not JSON");
	refuse(&rec_call, "{", "not JSON");
	refuse(&rec_call, "{} {}", "not JSON");
	refuse(&rec_call, "nonsense", "not JSON");
	refuse(&rec_call, "5", "not JSON");
	refuse(&rec_call, "[]", "not an object");
	refuse(&rec_call, "{}", "type: missing");
	refuse(&rec_call, "{\"type\":null}", "type: missing");
	refuse(&rec_call, "{\"type\":\"KILL\",\"type\":\"KILL\"}", "not JSON: duplicate");
	refuse(&rec_text, "{\"value\":\"a\\u0000b\"}", "not JSON");
	refuse(&rec_text, "{\"value\":\"\xff\"}", "not JSON");
	refuse(&rec_text, "{\"value\":\"\\ud800\"}", "not JSON");
	refuse(&rec_text, "{\"value\":NaN}", "not JSON");
	refuse(&rec_text, "{\"value\":[\"a\"]}", "value: not a string");
	refuse(&rec_command_info, "{\"shell\":\"true\"}", "shell: not true or false");
	refuse(&rec_command_info, "{\"environment\":[]}", "environment: not an object");
	refuse(&rec_call,
	       "{\"type\":\"ACCEPT\",\"accept\":{\"operations\":[{\"type\":\"LAUNCH\",\"launch\":{}},{\"type\":"
	       "\"LAUNCH\","
	       "\"launch\":{\"task_infos\":[{\"name\":\"n\",\"task_id\":{\"value\":\"t\"}}]}}]}}",
	       "accept.operations[1].launch.task_infos[0].agent_id: missing");
}

static void test_depth(void **state)
{
	struct fixture *f = *state;

	read_json(f, &rec_set, "{\"x\":[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]}");
	refuse(&rec_set, "{\"x\":[[[[[[[[[[[[[[[[1]]]]]]]]]]]]]]]]}", "nested deeper than 16");
	read_json(f, &rec_set, "{\"x\":\"[[[[[[[[[[[[[[[[[[[[[[[[[[[[[\\\"[[[[[[[[[[[[[\"}");
	for (int brace = 0; brace < 2; brace++) {
		size_t n = 4 << 20;
		char *text = xmalloc(n + 1);
		memset(text, brace ? '{' : '[', n);
		text[n] = 0;
		refuse(&rec_set, text, "nested deeper than 16");
		free(text);
	}
}

/* Small text that would cost much, before and after jansson. */
static void test_cost(void **state)
{
	static const char *const pieces[] = {"[],", "{},", "1,", "\"\",", "null,"};

	for (size_t i = 0; i < ARRAY_SIZE(pieces); i++) {
		struct buf text _cleanup_buf_ = {0};
		buf_append_str(&text, "{\"x\":[");
		for (size_t n = 0; n < 400000; n++)
			buf_append_str(&text, pieces[i]);
		buf_append_str(&text, "0]}");
		refuse(&rec_set, buf_cstr(&text), "takes too much memory");
	}
	/* Within jansson's bound, above the decoder's. */
	struct buf text _cleanup_buf_ = {0};
	buf_append_str(&text, "{\"value\":\"");
	for (size_t n = 0; n <= CODEC_MAX_COST; n += 16)
		buf_append_str(&text, "0123456789abcdef");
	buf_append_str(&text, "\"}");
	refuse(&rec_text, buf_cstr(&text), "value: takes too much memory");
}

static void test_ascii_escapes(void **state)
{
	struct fixture *f = *state;
	struct fl_text t = {"\"\\/\b\f\n\r\t\x01\x1f\x7f \xc3\xb6\xe2\x82\xac\xf0\x9f\x9a\xa2"};

	assert_string_equal(
		write_json(f, &rec_text, &t),
		"{\"value\":\"\\\"\\\\/\\b\\f\\n\\r\\t\\u0001\\u001f\\u007f \\u00f6\\u20ac\\ud83d\\udea2\"}");
	const struct fl_text *back = read_json(f, &rec_text, write_json(f, &rec_text, &t));
	assert_string_equal(back->value, t.value);
	/* What is no UTF-8 (file names may be) is replaced byte for byte. */
	t.value = "a\xff\xc3(\xe2\x82\xed\xa0\x80\xc3";
	assert_string_equal(write_json(f, &rec_text, &t),
	                    "{\"value\":\"a\\ufffd\\ufffd(\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\\ufffd\"}");
}

/* Text and bytes longer than a piece, cut inside wide characters. */
static void test_long_text(void **state)
{
	struct fixture *f = *state;

	for (size_t n = 3068; n < 3078; n++) {
		char *text = xmalloc(n + 5);
		memset(text, 'x', n);
		memcpy(text + n, "\xf0\x9f\x9a\xa2", 5);
		struct fl_text t = {text};
		const struct fl_text *back = read_json(f, &rec_text, write_json(f, &rec_text, &t));
		assert_string_equal(back->value, text);
		struct fl_api_file_data d = {.data = {(const uint8_t *)text, n}};
		const struct fl_api_file_data *data = read_json(f, &rec_api_file_data,
		                                                write_json(f, &rec_api_file_data, &d));
		assert_int_equal(data->data.size, n);
		assert_memory_equal(data->data.data, text, n);
		free(text);
	}
}

/* Slices of any size give the same text, and none is much longer than asked. */
static void test_slices(void **state)
{
	struct fixture *f = *state;
	struct fill fill = {f->zone, 42, 90};
	struct fl_api_get_tasks tasks = {.n_tasks = 200};
	tasks.tasks = zone_alloc(f->zone, tasks.n_tasks * sizeof(*tasks.tasks));
	for (size_t i = 0; i < tasks.n_tasks; i++)
		fill_fields(&fill, &rec_task, &tasks.tasks[i]);
	write_json(f, &rec_api_get_tasks, &tasks);
	assert_true(f->out.size > 200000);

	static const size_t sizes[] = {0, 1, 2, 7, 100, 4096, 1 << 20};
	for (size_t i = 0; i < ARRAY_SIZE(sizes); i++) {
		struct json_writer *w = json_writer_create(&rec_api_get_tasks, &tasks);
		struct buf out _cleanup_buf_ = {0};
		bool more;
		do {
			size_t before = out.size;
			more = json_writer_more(w, &out, sizes[i]);
			assert_true(out.size - before <= sizes[i] + 20000);
			assert_true(out.size > before);
		} while (more);
		assert_false(json_writer_more(w, &out, 100));
		assert_int_equal(out.size, f->out.size);
		assert_memory_equal(out.data, f->out.data, out.size);
		json_writer_destroy(w);
	}
	json_writer_destroy(json_writer_create(&rec_api_get_tasks, &tasks));
	json_writer_destroy(NULL);
}

static void test_one_large_text_in_slices(void **state)
{
	struct fl_api_file_data d = {.data = {xcalloc(1, 1 << 20), 1 << 20}};
	struct json_writer *w = json_writer_create(&rec_api_file_data, &d);
	struct buf out _cleanup_buf_ = {0};
	size_t slices = 0;

	while (json_writer_more(w, &out, 1000))
		slices++;
	assert_true(slices > 300);
	assert_int_equal(out.size, strlen("{\"size\":0,\"data\":\"\"}") + ((1 << 20) + 2) / 3 * 4);
	json_writer_destroy(w);
	free((void *)(uintptr_t)d.data.data);
}

static void test_empty_record(void **state)
{
	struct fixture *f = *state;
	struct fl_nothing nothing = {0};

	same(f, &rec_nothing, "{\"anything\":5}", "{}");
	struct json_writer *w = json_writer_create(&rec_nothing, &nothing);
	buf_clear(&f->out);
	while (json_writer_more(w, &f->out, 1))
		;
	assert_string_equal(buf_cstr(&f->out), "{}");
	json_writer_destroy(w);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_every_record_round_trips),
		TEST(test_subscribe_full_of_nulls),
		TEST(test_accept_with_a_task),
		TEST(test_an_offer_as_v1_has_it),
		TEST(test_zero_false_and_empty_are_kept),
		TEST(test_thousandths),
		TEST(test_seconds_and_nanoseconds),
		TEST(test_integers),
		TEST(test_base64),
		TEST(test_ids_lists_and_maps),
		TEST(test_names_of_enums),
		cmocka_unit_test(test_refusals),
		TEST(test_depth),
		cmocka_unit_test(test_cost),
		TEST(test_ascii_escapes),
		TEST(test_long_text),
		TEST(test_slices),
		cmocka_unit_test(test_one_large_text_in_slices),
		TEST(test_empty_record),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
