/* Resource arithmetic against a model, text both ways, wire both ways, and what is refused. */
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
#include "msg/ranges.h"
#include "msg/resources.h"
#include "msg/words.h"
#include <fairlead/types.h>

#define _cleanup_resources_ __attribute__((cleanup(resources_fini)))

static struct resources parse(const char *text)
{
	struct resources r = {0};
	struct err err = {0};

	if (resources_parse(text, &r, &err) < 0)
		fail_msg("%s: %s", text, err.text);
	return r;
}

/* Ends r. */
static void expect(struct resources r, const char *text)
{
	struct buf out _cleanup_buf_ = {0};

	resources_print(&r, &out);
	resources_fini(&r);
	assert_string_equal(buf_cstr(&out), text);
}

static void same(const char *in, const char *out)
{
	expect(parse(in), out);
}

static void refuse(const char *text, const char *why)
{
	struct resources r = parse("cpus:7");
	struct err err = {0};

	if (resources_parse(text, &r, &err) != -EINVAL && err.code != ERANGE)
		fail_msg("%s is accepted", text);
	if (!strstr(err.text, why))
		fail_msg("%s: '%s' does not say '%s'", text, err.text, why);
	expect(r, "cpus:7"); /* untouched */
}

static void test_text(void **state)
{
	same("", "");
	same(" ; ;", "");
	same("cpus:4;mem:1024;ports:[31000-32000,33000-33001];tags:{b,a}",
	     "cpus:4;mem:1024;ports:[31000-32000,33000-33001];tags:{a,b}");
	same(" mem : 1 024 ;\n cpus:0.5 ; ports : [ 1 - 2 , 5 - 6 ] ", "cpus:0.5;mem:1024;ports:[1-2,5-6]");
	same("cpus:1;cpus:2.5", "cpus:3.5");
	same("cpus:0;ports:[];tags:{}", "");
	same("cpus:0.0004", "");
	same("cpus:0.0005", "cpus:0.001");
	same("ports:[5-6,1-2,3-4]", "ports:[1-6]");
	same("ports:[1-2];ports:[3-4,9-9]", "ports:[1-4,9-9]");
	same("ports:[0-18446744073709551615]", "ports:[0-18446744073709551615]");
	same("ports:[18446744073709551615-18446744073709551615,0-0]",
	     "ports:[0-0,18446744073709551615-18446744073709551615]");
	same("tags:{x};tags:{a,z}", "tags:{a,x,z}");
	same("cpus:1e2", "cpus:100");
	same("disk:1125899906842.624", "disk:1125899906842.624");
	same("gpus:2", "gpus:2");
}

static void test_text_refused(void **state)
{
	refuse("cpus", "not name:value");
	refuse(":4", "not a resource name");
	refuse("c{p:4", "not a resource name");
	refuse("mem(role):1", "not supported yet");
	refuse("cpus:", "cpus");
	refuse("cpus:x", "cpus");
	refuse("cpus:-1", "negative");
	refuse("cpus:inf", "cpus");
	refuse("cpus:1125899906842.625", "too large");
	refuse("cpus:1e300", "cpus");
	refuse("cpus:1125899906842;cpus:1", "too large");
	refuse("gpus:0.5", "whole");
	refuse("ports:[1]", "wants ranges");
	refuse("ports:[1-]", "wants ranges");
	refuse("ports:[-1-5]", "wants ranges");
	refuse("ports:[1-2-3]", "wants ranges");
	refuse("ports:[1-2", "ports");
	refuse("ports:[1-2,]", "ends with a comma");
	refuse("ports:[,1-2]", "wants ranges");
	refuse("ports:[2-1]", "ends before it begins");
	refuse("ports:[1-5,5-9]", "overlap");
	refuse("ports:[1-5];ports:[5-9]", "overlap");
	refuse("ports:[1-18446744073709551616]", "wants ranges");
	refuse("tags:{a,a}", "twice");
	refuse("tags:{a};tags:{b,a}", "twice");
	refuse("tags:{a,,b}", "not a word");
	refuse("tags:{a:b}", "not a word");
	refuse("cpus:1;cpus:{a}", "two types");
	refuse("cpus:{a};cpus:1", "two types");
	refuse("x:[1-2];a:1;x:{a};z:1", "two types");
	refuse("a123456789012345678901234567890123456789012345678901234567890123:1", "not a resource name");
}

static void test_limits(void **state)
{
	struct buf text _cleanup_buf_ = {0};

	for (int i = 0; i < RESOURCES_MAX_NAMES; i++)
		buf_printf(&text, "r%d:1;", i);
	struct resources r = parse(buf_cstr(&text));
	assert_int_equal(r.n_items, RESOURCES_MAX_NAMES);
	resources_fini(&r);
	buf_append_str(&text, "more:1");
	refuse(buf_cstr(&text), "more than 64 resources");

	buf_clear(&text);
	buf_append_str(&text, "ports:[0-0");
	for (int i = 1; i < RESOURCES_MAX_RANGES; i++)
		buf_printf(&text, ",%d-%d", 2 * i, 2 * i);
	struct buf more _cleanup_buf_ = {0};
	buf_append(&more, text.data, text.size);
	buf_append_str(&text, "]");
	buf_append_str(&more, ",99999-99999]");
	r = parse(buf_cstr(&text));
	assert_int_equal(r.items[0].n_ranges, RESOURCES_MAX_RANGES);
	resources_fini(&r);
	refuse(buf_cstr(&more), "more than 4096 parts");
	buf_append_str(&text, ";ports:[99999-99999]");
	refuse(buf_cstr(&text), "more than 4096 parts");

	buf_clear(&text);
	while (text.size <= 256 * 1024)
		buf_append_str(&text, "          ");
	refuse(buf_cstr(&text), "longer than");
}

static void check_arithmetic(const char *a_text, const char *b_text, const char *sum, const char *both)
{
	struct resources a _cleanup_resources_ = parse(a_text), b _cleanup_resources_ = parse(b_text);
	struct resources r = {0};

	resources_copy(&r, &a);
	assert_true(resources_equal(&r, &a));
	resources_add(&r, &b);
	assert_true(resources_contains(&r, &a) && resources_contains(&r, &b));
	expect(r, sum);
	r = (struct resources){0};
	resources_copy(&r, &a);
	resources_intersect(&r, &b);
	assert_true(resources_contains(&a, &r) && resources_contains(&b, &r));
	expect(r, both);
}

static void test_add_and_intersect(void **state)
{
	check_arithmetic("", "", "", "");
	check_arithmetic("cpus:1", "", "cpus:1", "");
	check_arithmetic("", "cpus:1", "cpus:1", "");
	check_arithmetic("cpus:1;mem:5", "cpus:2.5;disk:7", "cpus:3.5;disk:7;mem:5", "cpus:1");
	check_arithmetic("ports:[1-5,10-20]", "ports:[4-12,30-30]", "ports:[1-20,30-30]", "ports:[4-5,10-12]");
	check_arithmetic("ports:[1-5]", "ports:[6-9]", "ports:[1-9]", "");
	check_arithmetic("ports:[1-18446744073709551615]", "ports:[0-5]", "ports:[0-18446744073709551615]",
	                 "ports:[1-5]");
	check_arithmetic("ports:[1-2]", "ports:[18446744073709551615-18446744073709551615]",
	                 "ports:[1-2,18446744073709551615-18446744073709551615]", "");
	check_arithmetic("tags:{a,c}", "tags:{b,c,d}", "tags:{a,b,c,d}", "tags:{c}");
	check_arithmetic("x:1", "x:{a}", "x:1;x:{a}", ""); /* strangers of one name */
}

static void check_sub(const char *a_text, const char *b_text, const char *rest)
{
	struct resources a = parse(a_text), b _cleanup_resources_ = parse(b_text);

	assert_true(resources_contains(&a, &b));
	resources_sub(&a, &b);
	expect(a, rest);
}

static void test_sub(void **state)
{
	check_sub("cpus:1", "", "cpus:1");
	check_sub("cpus:1;mem:2", "cpus:1", "mem:2");
	check_sub("cpus:1;mem:2;zoo:3", "mem:0.5", "cpus:1;mem:1.5;zoo:3");
	check_sub("ports:[1-10]", "ports:[1-1,5-6,10-10]", "ports:[2-4,7-9]");
	check_sub("ports:[1-10,20-30]", "ports:[1-10]", "ports:[20-30]");
	check_sub("ports:[0-18446744073709551615]", "ports:[1-18446744073709551615]", "ports:[0-0]");
	check_sub("ports:[0-18446744073709551615]", "ports:[0-18446744073709551614]",
	          "ports:[18446744073709551615-18446744073709551615]");
	check_sub("ports:[1-10]", "ports:[1-10]", "");
	check_sub("tags:{a,b,c}", "tags:{b}", "tags:{a,c}");
	check_sub("tags:{a}", "tags:{a}", "");

	struct resources r = parse("cpus:1;ports:[1-5];tags:{a,b}");
	resources_intersect(&r, &r);
	assert_int_equal(r.n_items, 3);
	resources_add(&r, &r);
	assert_int_equal(resources_scalar(&r, "cpus"), 2000);
	resources_sub(&r, &r);
	expect(r, "");
}

static void check_contains(const char *a_text, const char *b_text, bool yes)
{
	struct resources a _cleanup_resources_ = parse(a_text), b _cleanup_resources_ = parse(b_text);
	assert_int_equal(resources_contains(&a, &b), yes);
}

static void test_contains(void **state)
{
	check_contains("", "", true);
	check_contains("", "cpus:1", false);
	check_contains("cpus:1", "cpus:1", true);
	check_contains("cpus:1", "cpus:1.001", false);
	check_contains("cpus:1;mem:1", "mem:1", true);
	check_contains("cpus:1", "a:1;cpus:1", false);
	check_contains("cpus:1", "cpus:1;z:1", false);
	check_contains("ports:[1-5,7-9]", "ports:[2-3,7-9]", true);
	check_contains("ports:[1-5,7-9]", "ports:[5-7]", false);
	check_contains("ports:[1-5]", "ports:[0-5]", false);
	check_contains("ports:[1-5]", "ports:[1-6]", false);
	check_contains("ports:[1-5]", "ports:[9-9]", false);
	check_contains("ports:[3-5]", "ports:[1-1]", false);
	check_contains("tags:{a,b}", "tags:{b}", true);
	check_contains("tags:{a,b}", "tags:{aa}", false);
	check_contains("tags:{a,b}", "tags:{b,c}", false);
	check_contains("x:1", "x:{a}", false);
}

static void test_equal(void **state)
{
	static const char *const texts[] = {"",          "cpus:1",      "cpus:2",      "cpus:1;mem:1",
	                                    "mem:1",     "ports:[1-2]", "ports:[1-3]", "ports:[1-2,5-5]",
	                                    "ports:{a}", "tags:{a}",    "tags:{a,b}",  "tags:{b}"};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++)
		for (size_t k = 0; k < ARRAY_SIZE(texts); k++) {
			struct resources a _cleanup_resources_ = parse(texts[i]),
					   b _cleanup_resources_ = parse(texts[k]);
			assert_int_equal(resources_equal(&a, &b), i == k);
		}
}

static void test_scalars(void **state)
{
	struct resources r = {0};

	assert_true(resources_empty(&r));
	assert_int_equal(resources_scalar(&r, "cpus"), 0);
	resources_set_scalar(&r, "mem", 1000);
	resources_set_scalar(&r, "cpus", 500);
	resources_set_scalar(&r, "zoo", 0);
	assert_int_equal(r.n_items, 2);
	assert_int_equal(resources_scalar(&r, "cpus"), 500);
	resources_set_scalar(&r, "cpus", 700);
	assert_int_equal(resources_scalar(&r, "cpus"), 700);
	resources_set_scalar(&r, "cpus", 0);
	assert_false(resources_empty(&r));
	expect(r, "mem:1");
	r = parse("cpus:{a}");
	assert_int_equal(resources_scalar(&r, "cpus"), 0);
	resources_fini(&r);
}

/* ------------------------------------------------------------------ random sequences against sets of bits */

struct random {
	uint64_t state;
};

static uint64_t draw(struct random *r, uint64_t bound)
{
	r->state ^= r->state << 13;
	r->state ^= r->state >> 7;
	r->state ^= r->state << 17;
	return r->state % bound;
}

/* A quantity, 64 numbers as bits and 8 words as bits. */
struct model {
	int64_t milli;
	uint64_t numbers;
	uint64_t words;
};

static struct resources from_model(const struct model *m)
{
	struct buf text _cleanup_buf_ = {0};
	const char *sep = "";

	buf_printf(&text, "cpus:%d.%03d;tags:{", (int)(m->milli / 1000), (int)(m->milli % 1000));
	for (int i = 0; i < 8; i++)
		if (m->words >> i & 1) {
			buf_printf(&text, "%sw%d", sep, i);
			sep = ",";
		}
	buf_append_str(&text, "};ports:[");
	sep = "";
	for (int i = 0; i < 64; i++)
		if (m->numbers >> i & 1) {
			buf_printf(&text, "%s%d-%d", sep, i, i);
			sep = ",";
		}
	buf_append_str(&text, "]");
	return parse(buf_cstr(&text));
}

static void check_model(const struct resources *r, const struct model *m)
{
	struct resources expected _cleanup_resources_ = from_model(m);
	assert_true(resources_equal(r, &expected));
}

static void test_against_a_model(void **state)
{
	struct random rnd = {88172645463325252ull};

	for (int round = 0; round < 3000; round++) {
		struct model x = {(int64_t)draw(&rnd, 5000), draw(&rnd, UINT64_MAX) & draw(&rnd, UINT64_MAX),
		                  draw(&rnd, 256)};
		struct model y = {(int64_t)draw(&rnd, 5000), draw(&rnd, UINT64_MAX) & draw(&rnd, UINT64_MAX),
		                  draw(&rnd, 256)};
		if (draw(&rnd, 4) == 0)
			y = (struct model){x.milli / 2, x.numbers & y.numbers, x.words & y.words};
		struct resources a _cleanup_resources_ = from_model(&x), b _cleanup_resources_ = from_model(&y);
		struct resources r _cleanup_resources_ = {0};
		bool inside = x.milli >= y.milli && !(y.numbers & ~x.numbers) && !(y.words & ~x.words);
		assert_int_equal(resources_contains(&a, &b), inside);

		struct model sum = {x.milli + y.milli, x.numbers | y.numbers, x.words | y.words};
		resources_copy(&r, &a);
		resources_add(&r, &b);
		check_model(&r, &sum);

		struct model left = {x.milli, sum.numbers & ~y.numbers, sum.words & ~y.words};
		resources_sub(&r, &b);
		check_model(&r, &left);

		struct model both = {x.milli < y.milli ? x.milli : y.milli, x.numbers & y.numbers, x.words & y.words};
		resources_copy(&r, &a);
		resources_intersect(&r, &b);
		check_model(&r, &both);
		assert_int_equal(ranges_meet(a.n_items > 1 ? a.items[1].ranges : NULL,
		                             a.n_items > 1 ? a.items[1].n_ranges : 0,
		                             b.n_items > 1 ? b.items[1].ranges : NULL,
		                             b.n_items > 1 ? b.items[1].n_ranges : 0) &&
		                         x.milli && y.milli,
		                 both.numbers != 0 && x.milli && y.milli);
	}
}

/* ----------------------------------------------------------------------------------------------------- wire */

static void wire_refuse(struct fl_resource w, const char *why)
{
	struct resources r = parse("cpus:7");
	struct err err = {0};

	assert_int_equal(resources_from_wire(&w, 1, &r, &err), -EINVAL);
	if (!strstr(err.text, why))
		fail_msg("'%s' does not say '%s'", err.text, why);
	expect(r, "cpus:7"); /* untouched */
}

static void test_wire_round_trip(void **state)
{
	static const char *const texts[] = {"", "cpus:1.5", "cpus:4;mem:1024;ports:[1-2,4-5];tags:{a,b}"};

	for (size_t i = 0; i < ARRAY_SIZE(texts); i++) {
		struct zone *zone _cleanup_zone_ = zone_create();
		struct resources r _cleanup_resources_ = parse(texts[i]), back = {0};
		struct fl_resource *list;
		size_t n;
		resources_to_wire(&r, zone, &list, &n);
		assert_int_equal(n, r.n_items);
		assert_int_equal(resources_from_wire(list, n, &back, NULL), 0);
		expect(back, texts[i]);
	}
}

static void test_wire_merges_and_coalesces(void **state)
{
	struct fl_scalar half = {500}, zero = {0};
	struct fl_range range[] = {{5, 9}, {1, 4}};
	struct fl_ranges ranges = {range, 2};
	struct fl_nothing nothing = {0};
	struct fl_allocation_info allocation = {"r"};
	struct fl_resource list[] = {
		{.name = "cpus", .type = FL_SCALAR, .scalar = &half, .allocation_info = &allocation},
		{.name = "ports", .type = FL_RANGES, .ranges = &ranges, .role = "*"},
		{.name = "cpus", .type = FL_SCALAR, .scalar = &half, .role = "*"},
		{.name = "mem", .type = FL_SCALAR, .scalar = &zero},
	};
	struct resources r = {0};

	assert_int_equal(resources_from_wire(list, ARRAY_SIZE(list), &r, NULL), 0);
	expect(r, "cpus:1;ports:[1-9]");

	list[0].role = "prod";
	wire_refuse(list[0], "reservations are not supported yet");
	list[0].role = "*";
	list[0].disk = &nothing;
	wire_refuse(list[0], "volumes are not supported yet");
	list[0].disk = NULL;
	list[0].revocable = &nothing;
	wire_refuse(list[0], "revocable resources are not supported yet");
	list[0].revocable = NULL;
	list[0].shared = &nothing;
	wire_refuse(list[0], "shared resources are not supported yet");
	struct fl_reservation_info reservation = {.role = "prod"};
	list[2].reservations = &reservation;
	list[2].n_reservations = 1;
	wire_refuse(list[2], "reservations are not supported yet");
}

static void test_wire_refused(void **state)
{
	struct fl_scalar scalar = {1000};
	struct fl_range range[] = {{5, 4}};
	struct fl_ranges ranges = {range, 1};
	const char *words[] = {"a", "a"};
	struct fl_set set = {words, 2};

	wire_refuse((struct fl_resource){.name = "cpus"}, "no value of its type");
	wire_refuse((struct fl_resource){.name = "cpus", .type = FL_TEXT}, "no value of its type");
	wire_refuse((struct fl_resource){.name = "cpus", .type = FL_SCALAR, .ranges = &ranges}, "no value of its type");
	wire_refuse((struct fl_resource){.name = "cpus", .type = FL_SET, .scalar = &scalar}, "no value of its type");
	wire_refuse((struct fl_resource){.name = NULL, .type = FL_SCALAR, .scalar = &scalar}, "not a resource name");
	wire_refuse((struct fl_resource){.name = "", .type = FL_SCALAR, .scalar = &scalar}, "not a resource name");
	wire_refuse((struct fl_resource){.name = "c pus", .type = FL_SCALAR, .scalar = &scalar}, "not a resource name");
	wire_refuse((struct fl_resource){.name = "caf\xc3\xa9", .type = FL_SCALAR, .scalar = &scalar},
	            "not a resource name");
	wire_refuse((struct fl_resource){.name = "ports", .type = FL_RANGES, .ranges = &ranges}, "ends before");
	wire_refuse((struct fl_resource){.name = "tags", .type = FL_SET, .set = &set}, "twice");
	words[1] = "";
	wire_refuse((struct fl_resource){.name = "tags", .type = FL_SET, .set = &set}, "not a word");
	scalar.value = -1;
	wire_refuse((struct fl_resource){.name = "cpus", .type = FL_SCALAR, .scalar = &scalar}, "negative");
	scalar.value = RESOURCES_MAX_MILLI + 1;
	wire_refuse((struct fl_resource){.name = "cpus", .type = FL_SCALAR, .scalar = &scalar}, "too large");
	scalar.value = 1500;
	wire_refuse((struct fl_resource){.name = "gpus", .type = FL_SCALAR, .scalar = &scalar}, "whole numbers");
	ranges.n_range = RESOURCES_MAX_RANGES + 1;
	wire_refuse((struct fl_resource){.name = "ports", .type = FL_RANGES, .ranges = &ranges}, "more than 4096");
	set.n_item = RESOURCES_MAX_RANGES + 1;
	wire_refuse((struct fl_resource){.name = "tags", .type = FL_SET, .set = &set}, "more than 4096");
}

static void test_take_leaves_a_refused_item(void **state)
{
	struct resources r = parse("x:1");
	struct resource_item item = {.name = "x", .type = FL_SET, .words = xcalloc(1, sizeof(char *)), .n_words = 1};

	item.words[0] = xstrdup("w");
	assert_int_equal(resources_take(&r, &item, NULL), -EINVAL);
	assert_string_equal(item.words[0], "w");
	memcpy(item.name, "y", 2);
	assert_int_equal(resources_take(&r, &item, NULL), 0);
	assert_null(item.words);
	expect(r, "x:1;y:{w}");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_text),
		cmocka_unit_test(test_text_refused),
		cmocka_unit_test(test_limits),
		cmocka_unit_test(test_add_and_intersect),
		cmocka_unit_test(test_sub),
		cmocka_unit_test(test_contains),
		cmocka_unit_test(test_equal),
		cmocka_unit_test(test_scalars),
		cmocka_unit_test(test_against_a_model),
		cmocka_unit_test(test_wire_round_trip),
		cmocka_unit_test(test_wire_merges_and_coalesces),
		cmocka_unit_test(test_wire_refused),
		cmocka_unit_test(test_take_leaves_a_refused_item),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
