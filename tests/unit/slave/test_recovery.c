/* A slave that finds its journal damaged, its machine restarted, its disk full: what is hit is told, the rest goes on. */
#include "tests/unit/slave/slave_fixture.h"

#include <fcntl.h>
#include <sched.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/statvfs.h>

#include "base/buf.h"
#include "slave/journal_format.h"

#define TASKS 6

static void id_of(int i, char out[16])
{
	snprintf(out, 16, "t%d", i);
}

static bool ended(struct fixture *x, const char *id)
{
	return fixture_saw(x, id, FL_TASK_KILLED) || fixture_saw(x, id, FL_TASK_FAILED) ||
	       fixture_saw(x, id, FL_TASK_DROPPED) || fixture_saw(x, id, FL_TASK_LOST);
}

static char *journal_path(struct fixture *x, int segment)
{
	return xasprintf("%s/journal/%08d.log", x->dir, segment);
}

static void read_file(const char *path, struct buf *ret)
{
	FILE *f = fopen(path, "r");
	uint8_t part[4096];
	size_t n;

	assert_non_null(f);
	while ((n = fread(part, 1, sizeof(part), f)))
		buf_append(ret, part, n);
	fclose(f);
}

static void write_file(const char *path, const void *data, size_t size)
{
	FILE *f = fopen(path, "w");

	assert_non_null(f);
	assert_int_equal(fwrite(data, 1, size, f), size);
	fclose(f);
}

static void start_tasks(struct fixture *x)
{
	char id[16];

	for (int i = 0; i < TASKS; i++) {
		id_of(i, id);
		fake_run(&x->master, (struct fake_task){id, "sleep 100"});
	}
	for (int i = 0; i < TASKS; i++) {
		id_of(i, id);
		PUMP_UNTIL(x->loop, fixture_saw(x, id, FL_TASK_RUNNING));
	}
	pump_ms(x->loop, 100);
}

/* Which tasks the slave says it has, and how many of them run. */
static int reported(struct fixture *x, bool seen[TASKS])
{
	int running = 0;

	memset(seen, 0, TASKS * sizeof(*seen));
	for (size_t p = 0; p < x->master.n_parts; p++) {
		const struct fl_slave_reregister *part = x->master.parts[p].rec;
		for (size_t i = 0; i < part->n_tasks; i++) {
			seen[part->tasks[i].task_id[1] - '0'] = true;
			running += part->tasks[i].state == FL_TASK_RUNNING;
		}
	}
	return running;
}

/* Any damage to one place costs one task at most; the others run on, and all of them come to an end that is told. */
static void damage_and_restart(struct fixture *x, size_t at, size_t n)
{
	_cleanup_free_ char *path = journal_path(x, 1);
	_cleanup_buf_ struct buf b = {0};
	bool seen[TASKS];
	char id[16];

	fixture_register(x);
	start_tasks(x);
	fixture_stop_slave(x);
	read_file(path, &b);
	for (size_t i = at % (b.size - n); n > 0; i++, n--)
		b.data[i] ^= 0x5a;
	write_file(path, b.data, b.size);
	fixture_start_slave(x);
	fixture_register(x);
	fixture_check(x);
	assert_true(reported(x, seen) >= TASKS - 1);
	for (int i = 0; i < TASKS; i++) {
		id_of(i, id);
		fake_kill(&x->master, id);
		PUMP_UNTIL(x->loop, ended(x, id));
	}
	fixture_check(x);
}

static void test_damage_anywhere(void **state)
{
	uint64_t seed = 99;

	for (int round = 0; round < 12; round++) {
		void *each = NULL;
		fixture_setup(&each);
		seed = seed * 6364136223846793005u + 1442695040888963407u;
		damage_and_restart(each, (size_t)(seed >> 33), 1 + round % 9);
		fixture_teardown(&each);
	}
}

static void test_torn_tail(void **state)
{
	struct fixture *x = *state;
	_cleanup_free_ char *path = journal_path(x, 1);
	bool seen[TASKS];
	struct stat st;

	fixture_register(x);
	start_tasks(x);
	for (int cut = 1; cut < 60; cut += 7) {
		fixture_stop_slave(x);
		assert_int_equal(stat(path, &st), 0);
		assert_int_equal(truncate(path, st.st_size - cut), 0);
		fixture_start_slave(x);
		fixture_register(x);
		assert_int_equal(reported(x, seen), TASKS);
		pump_ms(x->loop, 60);
		fixture_check(x);
	}
	for (int i = 0; i < TASKS; i++) {
		char id[16];
		id_of(i, id);
		fake_kill(&x->master, id);
		PUMP_UNTIL(x->loop, fixture_saw(x, id, FL_TASK_KILLED));
	}
}

/* Another boot id in the records: the machine was restarted, the slave is the same, its tasks are not. */
static void test_reboot(void **state)
{
	struct fixture *x = *state;
	_cleanup_free_ char *path = journal_path(x, 1);
	_cleanup_buf_ struct buf old = {0}, fresh = {0};
	_cleanup_zone_ struct zone *zone = zone_create();
	struct journal_item *item = xcalloc(1, sizeof(*item));

	fixture_register(x);
	fake_run(&x->master, (struct fake_task){"t0", "sleep 100"});
	PUMP_UNTIL(x->loop, fixture_saw(x, "t0", FL_TASK_RUNNING));
	pump_ms(x->loop, 100);
	fixture_stop_slave(x);
	read_file(path, &old);
	struct journal_reader reader = {old.data, old.size, 0};
	while (journal_next(&reader, zone, item) == JOURNAL_FOUND_RECORD) {
		struct fl_journal_record rec = *item->rec;
		if (rec.boot_id)
			rec.boot_id = "00000000-0000-0000-0000-000000000000";
		assert_int_equal(journal_format_put(&rec, &fresh, NULL), 0);
	}
	free(item);
	write_file(path, fresh.data, fresh.size);
	fixture_start_slave(x);
	fixture_register(x);
	assert_int_equal(x->master.n_register, 1);
	assert_int_equal(x->master.n_reregister, 1);
	PUMP_UNTIL(x->loop, fixture_saw(x, "t0", FL_TASK_FAILED));
	const struct fl_task_status *s = fake_status(&x->master, "t0", FL_TASK_FAILED);
	assert_int_equal(s->reason, FL_REASON_SLAVE_REBOOTED);
}

/* The slave is stopped, its container killed from outside, its exit slot there or not: it is told as it was. */
static void test_ended_while_away(void **state)
{
	struct fixture *x = *state;

	fixture_register(x);
	fake_run(&x->master, (struct fake_task){"t0", "sleep 0.3; exit 7"});
	PUMP_UNTIL(x->loop, fixture_saw(x, "t0", FL_TASK_RUNNING));
	pump_ms(x->loop, 50);
	fixture_stop_slave(x);
	pump_ms(x->loop, 1000);
	fixture_start_slave(x);
	PUMP_UNTIL(x->loop, fixture_saw(x, "t0", FL_TASK_FAILED));
	assert_string_equal(fake_status(&x->master, "t0", FL_TASK_FAILED)->message, "exited with status 7");
}

static void test_smaller_after_restart(void **state)
{
	struct fixture *x = *state;

	fixture_register(x);
	fake_run(&x->master, (struct fake_task){"t0", "sleep 100", .cpus_milli = 4000});
	PUMP_UNTIL(x->loop, fixture_saw(x, "t0", FL_TASK_RUNNING));
	pump_ms(x->loop, 50);
	fixture_stop_slave(x);
	fixture_set(x, "resources", "cpus:2;mem:1024;disk:10");
	fixture_start_slave(x);
	fixture_register(x);
	fixture_check(x);
	fake_kill(&x->master, "t0");
	PUMP_UNTIL(x->loop, fixture_saw(x, "t0", FL_TASK_KILLED));
	fixture_check(x);
}

/* ---- a full disk ---- */

static void fill_disk(struct fixture *x)
{
	_cleanup_free_ char *path = xasprintf("%s/ballast", x->dir);
	static const char block[4096];
	int fd = open(path, O_CREAT | O_WRONLY, 0600);

	assert_true(fd >= 0);
	while (write(fd, block, sizeof(block)) > 0)
		;
	close(fd);
}

static void empty_disk(struct fixture *x)
{
	_cleanup_free_ char *path = xasprintf("%s/ballast", x->dir);
	unlink(path);
}

static int setup_small_disk(void **state)
{
	fixture_setup_stopped(state);
	struct fixture *x = *state;
	if (mount("tmpfs", x->dir, "tmpfs", 0, "size=1m") < 0)
		return -1;
	fixture_start_slave(x);
	return 0;
}

static int teardown_small_disk(void **state)
{
	struct fixture *x = *state;

	slave_destroy(x->slave);
	x->slave = NULL;
	umount2(x->dir, MNT_DETACH);
	return fixture_teardown(state);
}

static void test_full_disk(void **state)
{
	struct fixture *x = *state;
	struct fake_master *m = &x->master;

	fixture_register(x);
	fake_run(m, (struct fake_task){"before", "sleep 100"});
	PUMP_UNTIL(x->loop, fixture_saw(x, "before", FL_TASK_RUNNING));
	pump_ms(x->loop, 100);
	fill_disk(x);
	const struct fl_task_status *dropped = NULL;
	char id[16];
	for (int i = 0; i < 40 && !dropped; i++) {
		/* The journal's last block may have room for a few records more. */
		snprintf(id, sizeof(id), "full%d", i);
		fake_run(m, (struct fake_task){id, "true"});
		pump_ms(x->loop, 200);
		dropped = fake_status(m, id, FL_TASK_DROPPED);
	}
	assert_non_null(dropped);
	assert_int_equal(dropped->reason, FL_REASON_SLAVE_DISK_FULL);
	/* A new epoch can be stored all the same, and a task be killed. */
	m->epoch.term = 50;
	fake_kill(m, "before");
	pump_ms(x->loop, 300);
	empty_disk(x);
	PUMP_UNTIL(x->loop, fixture_saw(x, "before", FL_TASK_KILLED));
	fake_run(m, (struct fake_task){"after", "true"});
	PUMP_UNTIL(x->loop, fixture_saw(x, "after", FL_TASK_FINISHED));
	pump_ms(x->loop, 100);
	fixture_check(x);
	fixture_stop_slave(x);
	fixture_start_slave(x);
	fixture_register(x);
	const struct fl_slave_reregister *part = m->parts[0].rec;
	assert_int_equal(part->epoch->term, 50);
	assert_int_equal(part->n_tasks, 0);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_damage_anywhere),
		TEST(test_torn_tail),
		TEST(test_reboot),
		TEST(test_ended_while_away),
		TEST(test_smaller_after_restart),
		cmocka_unit_test_setup_teardown(test_full_disk, setup_small_disk, teardown_small_disk),
	};

	/* Mounts of our own, seen by nobody else. */
	if (!fixture_containers_work() || unshare(CLONE_NEWNS) < 0 ||
	    mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) < 0) {
		printf("skipped: containers and mounts need root\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
