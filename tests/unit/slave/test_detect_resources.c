/* What is offered: detected, less what the machine needs, unless the operator says otherwise. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "msg/resources.h"
#include "slave/detect_resources.h"

#define GIB ((int64_t)1 << 30)

static void expect(const char *text, struct host_facts facts, const char *want)
{
	struct resources r = {0};
	struct err err = {0};
	_cleanup_buf_ struct buf b = {0};

	if (resources_of_host(text, &facts, &r, &err) < 0)
		fail_msg("%s", err.text);
	resources_print(&r, &b);
	assert_string_equal(buf_cstr(&b), want);
	resources_fini(&r);
}

static void test_detected(void **state)
{
	expect("", (struct host_facts){4, 8 * GIB, 100 * GIB}, "cpus:4;disk:97280;mem:7168;ports:[31000-32000]");
	expect("", (struct host_facts){1, GIB, 8 * GIB}, "cpus:1;disk:4096;mem:512;ports:[31000-32000]");
	expect("", (struct host_facts){1, 2 * GIB, 10 * GIB}, "cpus:1;disk:5120;mem:1024;ports:[31000-32000]");
	expect("", (struct host_facts){1, 2 * GIB, 0}, "cpus:1;mem:1024;ports:[31000-32000]");
}

static void test_named_ones_replace(void **state)
{
	struct host_facts facts = {4, 8 * GIB, 100 * GIB};

	expect("cpus:0.5", facts, "cpus:0.5;disk:97280;mem:7168;ports:[31000-32000]");
	expect("cpus:16;mem:64;disk:1;ports:[1-5]", facts, "cpus:16;disk:1;mem:64;ports:[1-5]");
	expect("bugs:{a,b};mem:100", facts, "bugs:{a,b};cpus:4;disk:97280;mem:100;ports:[31000-32000]");
}

static void test_refused(void **state)
{
	struct host_facts facts = {4, 8 * GIB, 0}, nothing = {0};
	struct resources r = {0};
	struct err err = {0};

	assert_true(resources_of_host("cpus:x", &facts, &r, &err) < 0);
	assert_non_null(strstr(err.text, "--resources"));
	assert_true(resources_of_host("", &nothing, &r, &err) < 0);
	assert_int_equal(r.n_items, 0);
}

static void test_this_machine(void **state)
{
	struct host_facts facts;

	host_facts_read("/tmp", &facts);
	assert_true(facts.cpus >= 1 && facts.mem_bytes > 0 && facts.disk_bytes > 0);
	host_facts_read("/does/not/exist", &facts);
	assert_int_equal(facts.disk_bytes, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_detected),
		cmocka_unit_test(test_named_ones_replace),
		cmocka_unit_test(test_refused),
		cmocka_unit_test(test_this_machine),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
