/* The journal over a real disk: durable in order, read back, damage reported and survived, compacted. */
#include "tests/unit/slave/disk_fixture.h"

#include "msg/codec.h"
#include "slave/journal.h"

#define SEGMENT "journal/00000001.log"

struct log {
	struct journal *journal;
	int n_read, n_broken, n_durable, n_failed, next_durable;
	bool seen[20000], out_of_order;
	char broken_key[300];
	int live_from, live_to; /* what a snapshot holds */
	int n_snapshots, n_parts, put;
};

static struct fl_journal_record record(int i, char task_id[32])
{
	snprintf(task_id, 32, "%d", i);
	return (struct fl_journal_record){.kind = FL_JOURNAL_DONE, .framework_id = "fw", .task_id = task_id};
}

static void on_record(void *user, const struct fl_journal_record *rec)
{
	struct log *l = user;

	l->n_read++;
	l->seen[atoi(rec->task_id)] = true;
}

static void on_broken(void *user, const char *segment, uint64_t offset, const char *key, const char *why)
{
	struct log *l = user;

	l->n_broken++;
	snprintf(l->broken_key, sizeof(l->broken_key), "%s", key);
}

static bool snapshot(void *user, struct journal *j, bool first)
{
	struct log *l = user;
	char id[32];

	l->n_snapshots += first;
	l->n_parts = first ? 1 : l->n_parts + 1;
	for (l->put = first ? l->live_from : l->put; l->put < l->live_to; l->put++) {
		struct fl_journal_record rec = record(l->put, id);
		if (journal_part_full(j))
			return true;
		journal_put(j, &rec);
	}
	return false;
}

static void on_health(void *user, bool healthy, const char *why)
{
}

static const struct journal_ops ops = {
	.on_record = on_record, .on_broken = on_broken, .snapshot = snapshot, .on_health = on_health};

static void open_journal(struct disk_fixture *x, struct log *l)
{
	struct err err = {0};

	l->n_read = l->n_broken = 0;
	memset(l->seen, 0, sizeof(l->seen));
	l->journal = journal_create(x->loop, x->disk, &ops, l, &err);
	if (!l->journal)
		fail_msg("%s", err.text);
}

static void reopen(struct disk_fixture *x, struct log *l)
{
	journal_destroy(l->journal);
	disk_destroy(x->disk);
	disk_fixture_open(x);
	open_journal(x, l);
}

struct waiter {
	struct journal_wait wait;
	struct log *log;
	int number;
};

static void on_durable(void *user, int status)
{
	struct waiter *w = user;

	w->log->n_durable += status == 0;
	w->log->n_failed += status < 0;
	w->log->out_of_order |= w->number != w->log->next_durable++;
}

static void append(struct log *l, int i, struct waiter *w)
{
	char id[32];
	struct fl_journal_record rec = record(i, id);

	if (w)
		*w = (struct waiter){.wait = {.fn = on_durable, .user = w}, .log = l, .number = i};
	journal_append(l->journal, &rec, w ? &w->wait : NULL, false);
}

static void test_durable_in_order_and_read_back(void **state)
{
	struct disk_fixture *x = *state;
	struct log l = {0};
	struct waiter w[100];

	open_journal(x, &l);
	for (int i = 0; i < 100; i++) {
		append(&l, i, &w[i]);
		if (i % 7 == 0)
			loop_step(x->loop, 0);
	}
	assert_true(journal_waiting(&w[99].wait));
	UNTIL(x->loop, l.n_durable == 100);
	assert_false(l.out_of_order);
	assert_false(journal_waiting(&w[99].wait));
	reopen(x, &l);
	assert_int_equal(l.n_read, 100);
	assert_int_equal(l.n_broken, 0);
	journal_destroy(l.journal);
}

static void test_cancelled_wait_is_written_anyway(void **state)
{
	struct disk_fixture *x = *state;
	struct log l = {0};
	struct waiter gone, last;

	open_journal(x, &l);
	append(&l, 1, &gone);
	journal_wait_cancel(&gone.wait);
	append(&l, 0, &last);
	UNTIL(x->loop, l.n_durable == 1);
	reopen(x, &l);
	assert_int_equal(l.n_read, 2);
	journal_destroy(l.journal);
}

static void fill(struct disk_fixture *x, struct log *l, int n)
{
	struct waiter last;

	for (int i = 0; i + 1 < n; i++)
		append(l, i, NULL);
	l->next_durable = n - 1;
	append(l, n - 1, &last);
	int before = l->n_durable;
	UNTIL(x->loop, l->n_durable > before);
}

static void test_torn_tails_are_cut_off(void **state)
{
	struct disk_fixture *x = *state;
	struct log l = {0};

	open_journal(x, &l);
	fill(x, &l, 10);
	off_t whole = file_size(x, SEGMENT);
	off_t one = whole / 10;
	for (off_t cut = 1; cut < one; cut += 3) {
		struct err err = {0};
		assert_int_equal(disk_truncate(x->disk, SEGMENT, (uint64_t)(whole - cut), &err), 0);
		reopen(x, &l);
		assert_int_equal(l.n_read, 9);
		assert_int_equal(l.n_broken, 1);
		assert_int_equal(file_size(x, SEGMENT), whole - one);
		struct waiter again;
		l.next_durable = 9;
		append(&l, 9, &again);
		int before = l.n_durable;
		UNTIL(x->loop, l.n_durable > before);
		assert_int_equal(file_size(x, SEGMENT), whole);
	}
	journal_destroy(l.journal);
}

static void test_damage_costs_one_record_and_is_set_aside(void **state)
{
	struct disk_fixture *x = *state;
	struct log l = {.live_from = 0, .live_to = 0};

	open_journal(x, &l);
	fill(x, &l, 100);
	off_t one = file_size(x, SEGMENT) / 100; /* ids of two digits are longer by one byte or two: close enough */
	damage(x, SEGMENT, one * 50 + one / 2, "\xff\xfe", 2);
	reopen(x, &l);
	assert_int_equal(l.n_broken, 1);
	assert_true(l.n_read >= 98);
	assert_true(l.seen[0] && l.seen[99]);
	/* What is left is written afresh, and the damage kept apart. */
	l.live_from = 10;
	l.live_to = 20;
	UNTIL(x->loop, journal_compactions(l.journal) == 1);
	UNTIL(x->loop, file_size(x, SEGMENT) < 0);
	assert_true(file_size(x, "journal/00000002.log") > 0);
	reopen(x, &l);
	assert_int_equal(l.n_broken, 0);
	assert_int_equal(l.n_read, 10);
	assert_true(l.seen[10] && l.seen[19] && !l.seen[20]);
	struct stat st;
	char path[160];
	snprintf(path, sizeof(path), "%s/journal/damaged", x->dir);
	assert_int_equal(stat(path, &st), 0);
	journal_destroy(l.journal);
}

static void test_random_bytes_anywhere(void **state)
{
	struct disk_fixture *x = *state;
	struct log l = {0};
	uint64_t seed = 7;

	open_journal(x, &l);
	fill(x, &l, 60);
	_cleanup_buf_ struct buf clean = {0};
	assert_int_equal(disk_read(x->disk, SEGMENT, 1 << 20, &clean, NULL), 0);
	for (int round = 0; round < 60; round++) {
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		off_t at = (off_t)((seed >> 33) % (clean.size - 8));
		journal_destroy(l.journal);
		disk_destroy(x->disk);
		damage(x, SEGMENT, 0, clean.data, clean.size);
		damage(x, SEGMENT, at, &seed, 8);
		disk_fixture_open(x);
		open_journal(x, &l); /* destroyed before its compaction begins: no turn is taken */
		assert_true(l.n_read >= 58);
		assert_true(l.n_broken >= 1 && l.n_broken <= 2);
		struct err err = {0};
		if (file_size(x, SEGMENT) < (off_t)clean.size)
			damage(x, SEGMENT, 0, clean.data, clean.size);
		(void)err;
	}
	journal_destroy(l.journal);
}

/* A journal that is mostly dead shrinks; appending goes on meanwhile and nothing is lost. */
static void test_compaction(void **state)
{
	struct disk_fixture *x = *state;
	struct log l = {.live_from = 4000, .live_to = 4010};
	struct waiter last;

	open_journal(x, &l);
	for (int round = 0; round < 15; round++)
		for (int i = 0; i < 3000; i++)
			append(&l, i, NULL);
	l.next_durable = 4095;
	append(&l, 4095, &last);
	UNTIL(x->loop, l.n_durable == 1);
	UNTIL(x->loop, journal_compactions(l.journal) >= 1);
	append(&l, 4094, NULL);
	l.next_durable = 4093;
	append(&l, 4093, &last);
	UNTIL(x->loop, l.n_durable == 2);
	assert_true(journal_size(l.journal) < 1 << 20);
	UNTIL(x->loop, file_size(x, SEGMENT) < 0);
	reopen(x, &l);
	for (int i = 4000; i < 4010; i++)
		assert_true(l.seen[i]);
	assert_true(l.seen[4094] && l.seen[4093]);
	journal_destroy(l.journal);
}

/* Much that lives goes over in parts, a turn each; what is appended between them is there afterwards. */
static void test_compaction_in_parts(void **state)
{
	struct disk_fixture *x = *state;
	struct log l = {.live_from = 5000, .live_to = 19500};
	struct waiter last;

	open_journal(x, &l);
	for (int i = 0; i < 40000; i++)
		append(&l, i % 3000, NULL);
	UNTIL(x->loop, l.n_parts == 1);
	assert_true(l.put < l.live_to);
	append(&l, 4000, NULL);
	UNTIL(x->loop, l.n_parts == 2);
	append(&l, 4001, &last);
	l.next_durable = 4001;
	UNTIL(x->loop, journal_compactions(l.journal) == 1);
	UNTIL(x->loop, l.n_durable == 1 && file_size(x, SEGMENT) < 0);
	assert_int_equal(l.n_snapshots, 1);
	reopen(x, &l);
	assert_int_equal(l.n_read, 14500 + 2);
	assert_true(l.seen[4000] && l.seen[4001] && l.seen[5000] && l.seen[19499]);
	journal_destroy(l.journal);
}

/* Ended between two parts, it begins anew at the next start, and costs nothing. */
static void test_compaction_cut_short(void **state)
{
	struct disk_fixture *x = *state;
	struct log l = {.live_from = 5000, .live_to = 19500};

	open_journal(x, &l);
	for (int i = 0; i < 40000; i++)
		append(&l, i % 3000, NULL);
	UNTIL(x->loop, l.n_parts == 2);
	reopen(x, &l);
	assert_true(l.n_read > 40000);
	UNTIL(x->loop, journal_compactions(l.journal) == 1 && file_size(x, SEGMENT) < 0);
	reopen(x, &l);
	assert_int_equal(l.n_read, 14500);
	journal_destroy(l.journal);
}

/* A crash between the fresh segment and the removal of the old ones: both are read, the old ones go at last. */
static void test_two_segments_are_read_in_order(void **state)
{
	struct disk_fixture *x = *state;
	struct log l = {.live_from = 5, .live_to = 8};

	open_journal(x, &l);
	fill(x, &l, 10);
	_cleanup_buf_ struct buf bytes = {0};
	assert_int_equal(disk_read(x->disk, SEGMENT, 1 << 20, &bytes, NULL), 0);
	journal_destroy(l.journal);
	struct disk_file *f = disk_open(x->disk, "journal/00000002.log", NULL);
	disk_append(f, bytes.data, bytes.size, NULL, NULL);
	UNTIL(x->loop, disk_size(f) == bytes.size);
	disk_close(f);
	open_journal(x, &l);
	assert_int_equal(l.n_read, 20);
	UNTIL(x->loop, journal_compactions(l.journal) == 1);
	UNTIL(x->loop, file_size(x, SEGMENT) < 0 && file_size(x, "journal/00000002.log") < 0);
	reopen(x, &l);
	assert_int_equal(l.n_read, 3);
	journal_destroy(l.journal);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, disk_setup, disk_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_durable_in_order_and_read_back),
		TEST(test_cancelled_wait_is_written_anyway),
		TEST(test_torn_tails_are_cut_off),
		TEST(test_damage_costs_one_record_and_is_set_aside),
		TEST(test_random_bytes_anywhere),
		TEST(test_compaction),
		TEST(test_compaction_in_parts),
		TEST(test_compaction_cut_short),
		TEST(test_two_segments_are_read_in_order),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
