/* The field tables: complete, in keeping with the structs, and found by tag, name and number. */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "base/mem.h"
#include "msg/codec.h"
#include "msg/desc.h"

static void test_messages(void **state)
{
	assert_ptr_equal(message_find(MSG_hello)->record, &rec_hello);
	assert_ptr_equal(message_find(MSG_call)->record, &rec_call);
	assert_int_equal(message_find(MSG_call)->from, PEER_FRAMEWORK);
	assert_int_equal(message_find(MSG_call)->to, PEER_MASTER);
	assert_int_equal(message_find(MSG_heartbeat)->from, PEER_ANY);
	assert_null(message_find(0));
	assert_null(message_find(-1));
	assert_null(message_find(4711));
	for (size_t i = 0; i < n_messages; i++)
		assert_ptr_equal(message_find(messages[i].id), &messages[i]);
}

static void test_enums(void **state)
{
	assert_string_equal(enum_name(&enum_task_state, FL_TASK_RUNNING), "TASK_RUNNING");
	assert_string_equal(enum_name(&enum_status_source, FL_SOURCE_SLAVE), "SOURCE_AGENT");
	assert_string_equal(enum_name(&enum_task_state, 0), "?");
	assert_string_equal(enum_name(&enum_task_state, 99), "?");
	assert_int_equal(enum_number(&enum_task_state, "TASK_LOST"), FL_TASK_LOST);
	assert_int_equal(enum_number(&enum_task_state, "task_lost"), 0);
	assert_int_equal(enum_number(&enum_task_state, ""), 0);
	assert_string_equal(enum_doc(&enum_task_state, FL_TASK_RUNNING), "Running.");
	assert_string_equal(enum_doc(&enum_task_state, -1), "");
	assert_true(enum_has(&enum_task_state, FL_TASK_UNKNOWN));
	assert_false(enum_has(&enum_task_state, 0));
	assert_false(enum_has(&enum_task_state, (int64_t)FL_TASK_RUNNING + ((int64_t)1 << 32)));
}

static void test_finding_fields(void **state)
{
	const struct field_desc *f = field_find(&rec_task_info, 3);

	assert_string_equal(f->name, "slave_id");
	assert_string_equal(f->json, "agent_id");
	assert_int_equal(f->offset, offsetof(struct fl_task_info, slave_id));
	assert_ptr_equal(field_find_json(&rec_task_info, "agent_id"), f);
	assert_null(field_find_json(&rec_task_info, "slave_id"));
	assert_null(field_find(&rec_task_info, 0));
	assert_null(field_find(&rec_task_info, 13));
	assert_null(field_find(&rec_task_info, UINT64_MAX));
	assert_null(field_find(&rec_nothing, 1));
}

/* Every field lies in its struct, knows what it refers to, and is found by tag and name. */
static void test_every_field(void **state)
{
	for (size_t i = 0; i < n_records; i++) {
		const struct record_desc *r = records[i];
		assert_true(r->n_fields <= 64);
		assert_true(*r->name && *r->json && *r->doc);
		for (size_t k = 0; k < r->n_fields; k++) {
			const struct field_desc *f = &r->fields[k];
			bool list = f->kind >= FIELD_LIST;
			bool number = f->kind >= FIELD_BOOL && f->kind <= FIELD_NANOS;
			assert_true(f->offset < r->size && f->has_offset < r->size);
			assert_int_equal(f->has_offset != 0, list || (number && !f->must));
			assert_int_equal(f->enumeration != NULL, f->kind == FIELD_ENUM);
			assert_int_equal(f->record != NULL,
			                 f->kind == FIELD_REC || f->kind == FIELD_LIST || f->kind == FIELD_MAP);
			assert_ptr_equal(field_find(r, f->tag), f);
			assert_ptr_equal(field_find_json(r, f->json), f);
			assert_true(*f->doc);
		}
	}
}

static void test_presence(void **state)
{
	struct fl_task_status s = {0};
	const struct field_desc *healthy = field_find_json(&rec_task_status, "healthy");
	const struct field_desc *uuid = field_find_json(&rec_task_status, "uuid");
	const struct field_desc *message = field_find_json(&rec_task_status, "message");
	const struct field_desc *reason = field_find_json(&rec_task_status, "reason");

	assert_false(field_present(healthy, &s) || field_present(uuid, &s) || field_present(message, &s) ||
	             field_present(reason, &s));
	s.has_healthy = true;
	s.uuid.data = (const uint8_t *)"";
	s.message = "";
	s.reason = FL_REASON_GC_ERROR;
	assert_true(field_present(healthy, &s) && field_present(uuid, &s) && field_present(message, &s) &&
	            field_present(reason, &s));
}

static void test_defaults(void **state)
{
	struct fl_filters filters = {0};
	struct fl_command_info command = {0};
	struct fl_resource resource = {0};
	struct fl_variable variable = {0};

	field_set_default(field_find_json(&rec_filters, "refuse_seconds"), &filters);
	field_set_default(field_find_json(&rec_command_info, "shell"), &command);
	field_set_default(field_find_json(&rec_resource, "role"), &resource);
	field_set_default(field_find_json(&rec_variable, "type"), &variable);
	assert_int_equal(filters.refuse_ns, 5000000000);
	assert_false(filters.has_refuse_ns);
	assert_true(command.shell);
	assert_string_equal(resource.role, "*");
	assert_int_equal(variable.type, FL_VARIABLE_VALUE);
}

static void test_elements(void **state)
{
	const char *words[] = {"a", "b"};
	struct fl_set set = {.item = words, .n_item = 2};
	struct fl_range range[] = {{1, 2}, {3, 4}};
	struct fl_ranges ranges = {.range = range, .n_range = 2};

	assert_int_equal(field_count(&rec_set.fields[0], &set), 2);
	assert_string_equal(field_element(&rec_set.fields[0], &set, 1), "b");
	assert_ptr_equal(field_element(&rec_ranges.fields[0], &ranges, 1), &range[1]);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_messages),       cmocka_unit_test(test_enums),
		cmocka_unit_test(test_finding_fields), cmocka_unit_test(test_every_field),
		cmocka_unit_test(test_presence),       cmocka_unit_test(test_defaults),
		cmocka_unit_test(test_elements),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
