/* Streams of status updates over a real journal: in order, at least once, repeated with growing waits. */
#include "tests/unit/slave/disk_fixture.h"

#include "msg/codec.h"
#include "slave/journal.h"
#include "slave/updates.h"

#define MAX_SENT 200

struct sent {
	char task[32];
	enum fl_task_state state, latest;
	uint8_t uuid[16];
	int64_t at_ms;
};

struct bench {
	struct disk_fixture *x;
	struct journal *journal;
	struct updates *updates;
	struct sent sent[MAX_SENT];
	size_t n_sent;
	int n_terminal, n_finished;
	uint8_t next_uuid;
};

static void on_send(void *user, const struct fl_status_update *u)
{
	struct bench *b = user;
	struct sent *s = &b->sent[b->n_sent++];

	assert_true(b->n_sent < MAX_SENT);
	snprintf(s->task, sizeof(s->task), "%s", u->status->task_id);
	s->state = u->status->state;
	s->latest = u->latest_state;
	memcpy(s->uuid, u->status->uuid.data, 16);
	s->at_ms = loop_now_us(b->x->loop) / 1000;
}

static void on_terminal_durable(void *user, const char *framework_id, const char *task_id)
{
	((struct bench *)user)->n_terminal++;
}

static void on_finished(void *user, const char *framework_id, const char *task_id)
{
	((struct bench *)user)->n_finished++;
}

static const struct updates_ops updates_ops = {
	.send = on_send, .on_terminal_durable = on_terminal_durable, .on_finished = on_finished};

static void on_record(void *user, const struct fl_journal_record *rec)
{
	struct bench *b = user;

	if (rec->kind == FL_JOURNAL_UPDATE)
		updates_replay(b->updates, rec->framework_id, rec->status);
	else
		updates_replay_ack(b->updates, rec->framework_id, rec->task_id, &rec->uuid);
}

static void on_broken(void *user, const char *segment, uint64_t offset, const char *key, const char *why)
{
	fail_msg("%s", why);
}

static bool snapshot(void *user, struct journal *j, bool first)
{
	updates_snapshot(((struct bench *)user)->updates, j, "fw", "t");
	return false;
}

static void on_health(void *user, bool healthy, const char *why)
{
}

static const struct journal_ops journal_ops = {
	.on_record = on_record, .on_broken = on_broken, .snapshot = snapshot, .on_health = on_health};

static void open_bench(struct bench *b)
{
	b->updates = updates_create(b->x->loop, 20, &updates_ops, b);
	b->journal = journal_create(b->x->loop, b->x->disk, &journal_ops, b, NULL);
	assert_non_null(b->journal);
	updates_set_journal(b->updates, b->journal);
}

static void close_bench(struct bench *b)
{
	struct err err = {0};

	if (updates_check(b->updates, &err) < 0)
		fail_msg("%s", err.text);
	updates_destroy(b->updates);
	journal_destroy(b->journal);
}

static void reopen(struct bench *b)
{
	close_bench(b);
	disk_destroy(b->x->disk);
	disk_fixture_open(b->x);
	open_bench(b);
}

static void add(struct bench *b, const char *task, enum fl_task_state state, bool durable)
{
	uint8_t uuid[16] = {++b->next_uuid};
	struct fl_task_status status = {
		.task_id = task, .state = state, .has_timestamp_ns = true, .timestamp_ns = 1, .uuid = {uuid, 16}};
	updates_add(b->updates, "fw", &status, durable);
}

static bool ack_last(struct bench *b)
{
	const struct sent *s = &b->sent[b->n_sent - 1];
	struct fl_bytes uuid = {s->uuid, 16};
	return updates_ack(b->updates, "fw", s->task, &uuid);
}

static void start(struct bench *b, void **state)
{
	*b = (struct bench){.x = *state};
	open_bench(b);
}

static void test_head_first(void **state)
{
	struct bench b;

	start(&b, state);
	updates_connect(b.updates, true);
	add(&b, "t", FL_TASK_STARTING, true);
	assert_int_equal(b.n_sent, 0); /* not before it is durable */
	add(&b, "t", FL_TASK_RUNNING, true);
	add(&b, "t", FL_TASK_FINISHED, true);
	add(&b, "t", FL_TASK_FAILED, true); /* after a terminal one: ignored */
	UNTIL(b.x->loop, b.n_terminal == 1);
	assert_int_equal(b.n_sent, 1);
	assert_int_equal(b.sent[0].state, FL_TASK_STARTING);
	assert_true(ack_last(&b));
	assert_false(ack_last(&b));
	assert_int_equal(b.n_sent, 1); /* not before the acknowledgement is durable */
	UNTIL(b.x->loop, b.n_sent == 2);
	assert_int_equal(b.sent[1].state, FL_TASK_RUNNING);
	assert_int_equal(b.sent[1].latest, FL_TASK_FINISHED);
	ack_last(&b);
	UNTIL(b.x->loop, b.n_sent == 3);
	ack_last(&b);
	UNTIL(b.x->loop, b.n_finished == 1);
	assert_int_equal(updates_streams(b.updates), 0);
	assert_false(ack_last(&b));
	close_bench(&b);
}

static void test_waits_double(void **state)
{
	struct bench b;

	start(&b, state);
	updates_connect(b.updates, true);
	add(&b, "t", FL_TASK_RUNNING, false);
	UNTIL(b.x->loop, b.n_sent == 5);
	assert_true(b.sent[1].at_ms - b.sent[0].at_ms >= 20);
	assert_true(b.sent[4].at_ms - b.sent[3].at_ms >= 160);
	assert_int_equal(updates_retries(b.updates), 4);
	assert_memory_equal(b.sent[0].uuid, b.sent[4].uuid, 16);
	assert_true(updates_resend(b.updates, "fw", "t")); /* and begin again */
	UNTIL(b.x->loop, b.n_sent == 7);
	assert_true(b.sent[6].at_ms - b.sent[5].at_ms < 160);
	assert_false(updates_resend(b.updates, "fw", "u"));
	close_bench(&b);
}

static void test_paused_without_a_master(void **state)
{
	struct bench b;

	start(&b, state);
	add(&b, "t", FL_TASK_RUNNING, true);
	add(&b, "u", FL_TASK_RUNNING, false);
	for (int i = 0; i < 30; i++)
		loop_step(b.x->loop, 5);
	assert_int_equal(b.n_sent, 0);
	updates_connect(b.updates, true);
	assert_int_equal(b.n_sent, 2);
	updates_connect(b.updates, false);
	for (int i = 0; i < 30; i++)
		loop_step(b.x->loop, 5);
	assert_int_equal(b.n_sent, 2);
	close_bench(&b);
}

static void test_recovery(void **state)
{
	struct bench b;

	start(&b, state);
	updates_connect(b.updates, true);
	add(&b, "t", FL_TASK_STARTING, true);
	add(&b, "t", FL_TASK_RUNNING, true);
	add(&b, "u", FL_TASK_DROPPED, false); /* volatile: gone with the process */
	UNTIL(b.x->loop, b.n_sent == 2);
	b.n_sent = 0;
	updates_resend(b.updates, "fw", "t");
	ack_last(&b);
	UNTIL(b.x->loop, b.n_sent == 2);
	assert_int_equal(b.sent[1].state, FL_TASK_RUNNING);
	uint8_t uuid[16];
	memcpy(uuid, b.sent[1].uuid, 16);
	for (int i = 0; i < 3; i++) {
		reopen(&b);
		b.n_sent = 0;
		updates_connect(b.updates, true);
		assert_int_equal(b.n_sent, 1);
		assert_memory_equal(b.sent[0].uuid, uuid, 16);
		assert_int_equal(updates_pending(b.updates, "fw", "t"), 1);
		assert_int_equal(updates_told(b.updates, "fw", "t")->state, FL_TASK_RUNNING);
	}
	add(&b, "t", FL_TASK_FINISHED, true);
	ack_last(&b);
	UNTIL(b.x->loop, b.n_sent == 2);
	ack_last(&b);
	UNTIL(b.x->loop, b.n_finished == 1);
	reopen(&b);
	assert_true(updates_finished(b.updates, "fw", "t"));
	assert_int_equal(updates_pending(b.updates, "fw", "t"), 0);
	updates_forget(b.updates, "fw", "t");
	assert_int_equal(updates_streams(b.updates), 0);
	close_bench(&b);
}

static void test_replay_may_repeat(void **state)
{
	struct bench b;
	uint8_t one[16] = {1}, two[16] = {2};
	struct fl_task_status s1 = {.task_id = "t", .state = FL_TASK_RUNNING, .uuid = {one, 16}},
			      s2 = {.task_id = "t", .state = FL_TASK_FINISHED, .uuid = {two, 16}};

	start(&b, state);
	updates_replay(b.updates, "fw", &s1);
	updates_replay(b.updates, "fw", &s1);
	assert_int_equal(updates_pending(b.updates, "fw", "t"), 1);
	updates_replay_ack(b.updates, "fw", "t", &s1.uuid);
	updates_replay(b.updates, "fw", &s1); /* from a segment read again */
	updates_replay_ack(b.updates, "fw", "t", &s1.uuid);
	updates_replay_ack(b.updates, "fw", "u", &s1.uuid);
	assert_int_equal(updates_pending(b.updates, "fw", "t"), 0);
	assert_false(updates_finished(b.updates, "fw", "t"));
	updates_replay(b.updates, "fw", &s2);
	updates_replay_ack(b.updates, "fw", "t", &s2.uuid);
	assert_true(updates_finished(b.updates, "fw", "t"));
	close_bench(&b);
}

/* The acknowledgement of a later one says that the framework has the earlier ones too. */
static void test_replay_of_a_lost_ack(void **state)
{
	struct bench b;
	uint8_t one[16] = {1}, two[16] = {2};
	struct fl_task_status s1 = {.task_id = "t", .state = FL_TASK_STARTING, .uuid = {one, 16}},
			      s2 = {.task_id = "t", .state = FL_TASK_RUNNING, .uuid = {two, 16}};

	start(&b, state);
	updates_replay(b.updates, "fw", &s1);
	updates_replay(b.updates, "fw", &s2);
	updates_replay_ack(b.updates, "fw", "t", &s2.uuid);
	assert_int_equal(updates_pending(b.updates, "fw", "t"), 0);
	close_bench(&b);
}

static void test_terminal_states(void **state)
{
	assert_true(task_state_terminal(FL_TASK_FINISHED) && task_state_terminal(FL_TASK_LOST) &&
	            task_state_terminal(FL_TASK_DROPPED) && task_state_terminal(FL_TASK_GONE_BY_OPERATOR));
	assert_false(task_state_terminal(FL_TASK_STAGING) || task_state_terminal(FL_TASK_KILLING) ||
	             task_state_terminal(FL_TASK_UNREACHABLE) || task_state_terminal(FL_TASK_UNKNOWN));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, disk_setup, disk_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_head_first),
		TEST(test_waits_double),
		TEST(test_paused_without_a_master),
		TEST(test_recovery),
		TEST(test_replay_may_repeat),
		TEST(test_replay_of_a_lost_ack),
		cmocka_unit_test(test_terminal_states),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
