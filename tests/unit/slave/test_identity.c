/* Two slots in turn: what was settled survives, whatever is torn afterwards. */
#include "tests/unit/slave/disk_fixture.h"

#include <fairlead/types.h>

#include "slave/identity.h"

static void on_settled(void *user)
{
	++*(int *)user;
}

static struct identity *open_identity(struct disk_fixture *x, int *settled)
{
	struct err err = {0};
	struct identity *i = identity_create(x->loop, x->disk, on_settled, settled, &err);

	if (!i)
		fail_msg("%s", err.text);
	return i;
}

/* As if the process had ended and begun again. */
static struct identity *reopen(struct disk_fixture *x, struct identity *i, int *settled)
{
	identity_destroy(i);
	disk_destroy(x->disk);
	disk_fixture_open(x);
	return open_identity(x, settled);
}

static void test_new_identity_has_a_nonce(void **state)
{
	struct disk_fixture *x = *state;
	int settled = 0;
	struct identity *i = open_identity(x, &settled);

	assert_null(identity_slave_id(i));
	assert_null(identity_epoch(i));
	assert_int_equal(strlen(identity_nonce(i)), 36);
	assert_false(identity_settled(i));
	UNTIL(x->loop, settled == 1);
	assert_true(identity_settled(i));
	char *nonce = xstrdup(identity_nonce(i));
	i = reopen(x, i, &settled);
	assert_string_equal(identity_nonce(i), nonce);
	assert_true(identity_settled(i));
	free(nonce);
	identity_destroy(i);
}

static void test_all_is_kept(void **state)
{
	struct disk_fixture *x = *state;
	int settled = 0;
	struct identity *i = open_identity(x, &settled);

	for (uint64_t term = 1; term <= 20; term++) {
		struct fl_epoch epoch = {.incarnation = "registry", .term = term};
		identity_set_epoch(i, &epoch);
		identity_set_slave_id(i, "slave-1");
		UNTIL(x->loop, identity_settled(i));
		i = reopen(x, i, &settled);
		assert_int_equal(identity_epoch(i)->term, term);
		assert_string_equal(identity_epoch(i)->incarnation, "registry");
		assert_string_equal(identity_slave_id(i), "slave-1");
	}
	assert_int_equal(file_size(x, "identity"), 8192);
	identity_destroy(i);
}

static void test_changes_while_writing_come_together(void **state)
{
	struct disk_fixture *x = *state;
	int settled = 0;
	struct identity *i = open_identity(x, &settled);

	identity_set_slave_id(i, "slave-1");
	for (uint64_t term = 1; term <= 100; term++)
		identity_set_epoch(i, &(struct fl_epoch){.incarnation = "r", .term = term});
	UNTIL(x->loop, identity_settled(i));
	assert_int_equal(settled, 1);
	i = reopen(x, i, &settled);
	assert_int_equal(identity_epoch(i)->term, 100);
	identity_destroy(i);
}

/* Tears either slot: at worst the last change is gone, never the one before. */
static void test_a_torn_slot_costs_one_write(void **state)
{
	struct disk_fixture *x = *state;
	int settled = 0;
	struct identity *i = open_identity(x, &settled);
	uint64_t term = 0, lost = 0;

	UNTIL(x->loop, identity_settled(i));
	for (int round = 0; round < 40; round++) {
		term += 10;
		identity_set_epoch(i, &(struct fl_epoch){.incarnation = "r", .term = term});
		UNTIL(x->loop, identity_settled(i));
		identity_set_epoch(i, &(struct fl_epoch){.incarnation = "r", .term = ++term});
		UNTIL(x->loop, identity_settled(i));
		identity_destroy(i);
		damage(x, "identity", (round % 3 == 0) * 4096 + round % 60, "\xa5\x5a\xa5\x5a\xa5", 5);
		disk_destroy(x->disk);
		disk_fixture_open(x);
		i = open_identity(x, &settled);
		assert_true(identity_epoch(i)->term == term || identity_epoch(i)->term == term - 1);
		lost += identity_epoch(i)->term != term;
	}
	assert_true(lost > 0 && lost < 40);
	identity_destroy(i);
}

static void test_both_slots_damaged_is_told(void **state)
{
	struct disk_fixture *x = *state;
	struct err err = {0};
	int settled = 0;
	struct identity *i = open_identity(x, &settled);

	identity_set_slave_id(i, "slave-1");
	UNTIL(x->loop, identity_settled(i));
	identity_destroy(i);
	damage(x, "identity", 40, "xxxx", 4);
	damage(x, "identity", 4096 + 40, "xxxx", 4);
	assert_null(identity_create(x->loop, x->disk, on_settled, &settled, &err));
	assert_non_null(strstr(err.text, "damaged"));
}

static void test_torn_first_write_is_a_new_slave(void **state)
{
	struct disk_fixture *x = *state;
	struct err err = {0};
	int settled = 0;

	assert_int_equal(disk_allocate(x->disk, "identity", 8192, &err), 0);
	damage(x, "identity", 0, "FLI1\1", 5);
	struct identity *i = open_identity(x, &settled);
	assert_null(identity_slave_id(i));
	UNTIL(x->loop, identity_settled(i));
	identity_destroy(i);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, disk_setup, disk_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_new_identity_has_a_nonce),
		TEST(test_all_is_kept),
		TEST(test_changes_while_writing_come_together),
		TEST(test_a_torn_slot_costs_one_write),
		TEST(test_both_slots_damaged_is_told),
		TEST(test_torn_first_write_is_a_new_slave),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
