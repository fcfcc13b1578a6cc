/* Peers over real sockets, both sides in one loop; a bare connection plays those who do not speak as they should. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/loop.h"
#include "base/mem.h"
#include "msg/codec.h"
#include "net/conn.h"
#include "net/peer.h"
#include "tests/unit/net/drive.h"

struct side {
	struct peer *p;
	int ready, closed, messages, last_id;
	bool was_refused, echo;
	enum fl_refusal refusal;
	char refused_text[512], leader[64], why[512], hello_id[64], hello_cluster[64], last_text[64];
	bool destroy_on_ready, destroy_on_message, destroy_on_close, finish_on_message, refuse_on_ready,
		refuse_on_message;
};

struct world {
	struct loop *l;
	struct listener *listener;
	struct peer_self master, slave; /* who accepts, who connects */
	struct side server, client;
	struct conn *bare;    /* a client that is no peer */
	struct buf frames[8]; /* what it got */
	int n_frames, opened, bare_closed;
};

static void side_drop(struct side *s)
{
	peer_destroy(s->p);
	s->p = NULL;
}

static void side_refuse(struct side *s)
{
	const struct fl_master_info leader = {.id = "other", .port = 5050, .hostname = "elsewhere"};

	peer_refuse(s->p, FL_REFUSAL_NOT_LEADER, &leader, "ask %s", leader.hostname);
	s->p = NULL;
}

static void on_ready(void *user, struct peer *p, const struct fl_hello *hello)
{
	struct side *s = user;

	assert_ptr_equal(p, s->p);
	assert_true(peer_ready(p));
	s->ready++;
	snprintf(s->hello_id, sizeof(s->hello_id), "%s", hello->id ? hello->id : "(none)");
	snprintf(s->hello_cluster, sizeof(s->hello_cluster), "%s", hello->cluster);
	if (s->destroy_on_ready)
		side_drop(s);
	else if (s->refuse_on_ready)
		side_refuse(s);
}

static void on_message(void *user, struct peer *p, const struct message_desc *desc, const void *rec)
{
	struct side *s = user;

	assert_ptr_equal(p, s->p);
	s->messages++;
	s->last_id = desc->id;
	if (desc->id == MSG_kill_task)
		snprintf(s->last_text, sizeof(s->last_text), "%s", ((const struct fl_kill_task *)rec)->task_id);
	if (s->echo)
		peer_send(p, desc->id, rec);
	if (s->destroy_on_message) {
		side_drop(s);
	} else if (s->finish_on_message) {
		peer_finish(p);
		s->p = NULL;
	} else if (s->refuse_on_message) {
		side_refuse(s);
	}
}

static void on_close(void *user, struct peer *p, const struct fl_refused *refused, const char *why)
{
	struct side *s = user;

	assert_ptr_equal(p, s->p);
	assert_false(peer_ready(p));
	assert_int_equal(peer_queued(p), 0);
	s->closed++;
	snprintf(s->why, sizeof(s->why), "%s", why);
	if (refused) {
		s->was_refused = true;
		s->refusal = refused->refusal;
		snprintf(s->refused_text, sizeof(s->refused_text), "%s", refused->message ? refused->message : "");
		snprintf(s->leader, sizeof(s->leader), "%s", refused->leader ? refused->leader->hostname : "");
	}
	if (s->destroy_on_close)
		side_drop(s);
}

static const struct peer_ops ops = {on_ready, on_message, on_close};

static void on_accept(void *user, struct conn *c)
{
	struct world *w = user;

	if (w->server.p) {
		conn_destroy(c);
		return;
	}
	w->server.p = peer_accept(w->l, &w->master, c, &ops, &w->server);
}

static int setup(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));
	struct err err = {0};

	w->l = loop_create();
	w->listener = listener_create(w->l, "127.0.0.1", 0, on_accept, w, &err);
	assert_non_null(w->listener);
	w->master = (struct peer_self){.kind = FL_PEER_MASTER,
	                               .cluster = "blue",
	                               .id = "m1",
	                               .expect = PEER_SLAVE | PEER_FRAMEWORK,
	                               .heartbeat_ms = 10000,
	                               .timeout_ms = 5000};
	w->slave = (struct peer_self){.kind = FL_PEER_SLAVE,
	                              .cluster = "blue",
	                              .id = "s1",
	                              .expect = PEER_MASTER,
	                              .heartbeat_ms = 10000,
	                              .timeout_ms = 5000};
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	side_drop(&w->client);
	side_drop(&w->server);
	conn_destroy(w->bare);
	listener_destroy(w->listener);
	conn_sweep(w->l);
	loop_step(w->l, 0);
	loop_destroy(w->l);
	for (size_t i = 0; i < ARRAY_SIZE(w->frames); i++)
		buf_fini(&w->frames[i]);
	free(w);
	return 0;
}

static void dial(struct world *w)
{
	w->client.p = peer_connect(w->l, &w->slave, "127.0.0.1", listener_port(w->listener), &ops, &w->client);
}

static void join(struct world *w)
{
	dial(w);
	DRIVE(w->l, w->client.ready && w->server.ready);
}

/* Dials and expects the server to refuse. */
static void expect_refusal(struct world *w, enum fl_refusal refusal, const char *text)
{
	dial(w);
	DRIVE(w->l, w->client.closed && w->server.closed);
	assert_true(w->client.was_refused);
	assert_int_equal(w->client.refusal, refusal);
	if (!strstr(w->client.refused_text, text))
		fail_msg("'%s' is not in: %s", text, w->client.refused_text);
	assert_non_null(strstr(w->client.why, text));
	assert_string_equal(w->server.why, w->client.refused_text);
	assert_int_equal(w->server.was_refused, refusal != FL_REFUSAL_INVALID); /* its own words */
	assert_int_equal(w->server.ready, 0);
}

/* ---- a bare connection ---- */

static void bare_open(void *user, struct conn *c)
{
	struct world *w = user;

	w->opened++;
}

static void bare_frame(void *user, struct conn *c, const void *data, size_t size)
{
	struct world *w = user;

	assert_true(w->n_frames < (int)ARRAY_SIZE(w->frames));
	buf_append(&w->frames[w->n_frames++], data, size);
}

static void bare_close(void *user, struct conn *c, const char *why)
{
	struct world *w = user;

	w->bare_closed++;
}

static const struct conn_ops bare_ops = {bare_open, bare_frame, bare_close};

static void dial_bare(struct world *w)
{
	w->bare = conn_connect(w->l, "127.0.0.1", listener_port(w->listener), 5000, &bare_ops, w);
	DRIVE(w->l, w->opened && w->server.p);
}

static void send_bare(struct world *w, int id, const void *rec)
{
	_cleanup_buf_ struct buf out = {0};
	struct err err = {0};

	assert_int_equal(message_encode(id, rec, &out, &err), 0);
	conn_send(w->bare, out.data, out.size);
}

static struct fl_hello hello_of_slave(void)
{
	return (struct fl_hello){
		.version = 1, .min_version = 1, .cluster = "blue", .kind = FL_PEER_SLAVE, .heartbeat_ns = 10000000000};
}

static void greet_bare(struct world *w)
{
	struct fl_hello hello = hello_of_slave();

	dial_bare(w);
	send_bare(w, MSG_hello, &hello);
	DRIVE(w->l, w->server.ready);
}

/* The server closes; the last frame the bare side got is `refused` with this text. */
static void expect_bare_refused(struct world *w, enum fl_refusal refusal, const char *text)
{
	_cleanup_zone_ struct zone *zone = zone_create();
	const struct message_desc *desc;
	void *rec;
	struct err err = {0};

	DRIVE(w->l, w->server.closed && w->bare_closed);
	assert_true(w->n_frames >= 2);
	struct buf *last = &w->frames[w->n_frames - 1];
	assert_int_equal(message_decode(last->data, last->size, zone, &desc, &rec, &err), 0);
	assert_int_equal(desc->id, MSG_refused);
	const struct fl_refused *refused = rec;
	assert_int_equal(refused->refusal, refusal);
	if (!strstr(refused->message, text))
		fail_msg("'%s' is not in: %s", text, refused->message);
	assert_string_equal(w->server.why, refused->message);
}

/* ---- hello ---- */

static void test_both_sides_become_ready(void **state)
{
	struct world *w = *state;

	join(w);
	assert_string_equal(w->server.hello_id, "s1");
	assert_string_equal(w->client.hello_id, "m1");
	assert_string_equal(w->client.hello_cluster, "blue");
	assert_int_equal(peer_kind(w->server.p), FL_PEER_SLAVE);
	assert_int_equal(peer_kind(w->client.p), FL_PEER_MASTER);
	assert_string_equal(peer_ip(w->server.p), "127.0.0.1");
	assert_true(strncmp(peer_address(w->client.p), "127.0.0.1:", 10) == 0);
}

static void test_another_cluster_is_refused(void **state)
{
	struct world *w = *state;

	/* Each reads the other's hello and refuses it, with the same reason. */
	w->slave.cluster = "green";
	dial(w);
	DRIVE(w->l, w->client.closed && w->server.closed);
	struct side *told[] = {&w->client, &w->server};
	for (int i = 0; i < 2; i++) {
		assert_non_null(strstr(told[i]->why, "'green'"));
		assert_non_null(strstr(told[i]->why, "'blue'"));
		assert_non_null(strstr(told[i]->why, "; check --cluster on both sides"));
		assert_int_equal(told[i]->ready, 0);
	}
}

static void test_a_framework_may_leave_its_cluster_empty(void **state)
{
	struct world *w = *state;

	w->slave.kind = FL_PEER_FRAMEWORK;
	w->slave.cluster = "";
	join(w);
	assert_string_equal(w->client.hello_cluster, "blue");
}

static void test_a_slave_may_not_leave_its_cluster_empty(void **state)
{
	struct world *w = *state;

	w->slave.cluster = "";
	expect_refusal(w, FL_REFUSAL_CLUSTER, "cluster ''");
}

static void test_an_unexpected_kind_is_refused(void **state)
{
	struct world *w = *state;

	w->slave.kind = FL_PEER_MASTER;
	expect_refusal(w, FL_REFUSAL_INVALID, "a MASTER has no business on this port of a MASTER");
}

static void test_a_newer_protocol_is_refused(void **state)
{
	struct world *w = *state;
	struct fl_hello hello = hello_of_slave();

	hello.version = 3;
	hello.min_version = 2;
	dial_bare(w);
	send_bare(w, MSG_hello, &hello);
	expect_bare_refused(w, FL_REFUSAL_PROTOCOL,
	                    "the SLAVE speaks 2 to 3, this MASTER 1 to 1; upgrade the older side");
}

static void test_a_newer_side_that_speaks_ours_too_is_welcome(void **state)
{
	struct world *w = *state;
	struct fl_hello hello = hello_of_slave();

	hello.version = 7;
	dial_bare(w);
	send_bare(w, MSG_hello, &hello);
	DRIVE(w->l, w->server.ready);
}

static void test_an_older_protocol_is_refused(void **state)
{
	struct world *w = *state;
	struct fl_hello hello = hello_of_slave();

	hello.version = hello.min_version = 0;
	dial_bare(w);
	send_bare(w, MSG_hello, &hello);
	expect_bare_refused(w, FL_REFUSAL_PROTOCOL, "upgrade the older side");
}

static void test_absurd_heartbeats_are_refused(void **state)
{
	static const int64_t absurd[] = {0, -1, 999999, INT64_MAX, INT64_MIN, 600000000001};

	for (size_t i = 0; i < ARRAY_SIZE(absurd); i++) {
		void *inner;
		setup(&inner);
		struct world *w = inner;
		struct fl_hello hello = hello_of_slave();
		hello.heartbeat_ns = absurd[i];
		dial_bare(w);
		send_bare(w, MSG_hello, &hello);
		expect_bare_refused(w, FL_REFUSAL_INVALID, "1 ms to 600 s are allowed");
		teardown(&inner);
	}
}

static void test_the_first_message_must_be_hello(void **state)
{
	struct world *w = *state;
	struct fl_heartbeat heartbeat = {0};

	dial_bare(w);
	send_bare(w, MSG_heartbeat, &heartbeat);
	expect_bare_refused(w, FL_REFUSAL_INVALID, "the first message must be hello, not heartbeat");
}

static void test_garbage_instead_of_hello_is_refused(void **state)
{
	struct world *w = *state;

	dial_bare(w);
	conn_send(w->bare, "garbage", 7);
	expect_bare_refused(w, FL_REFUSAL_INVALID, "the first message must be a valid hello: ");
}

static void test_an_unknown_first_message_is_refused(void **state)
{
	struct world *w = *state;

	dial_bare(w);
	conn_send(w->bare, "\x92\xcd\x7f\xff\x80", 5); /* [32767, {}] */
	expect_bare_refused(w, FL_REFUSAL_INVALID, "the first message must be a valid hello: ");
}

static void test_text_cut_in_a_letter_can_still_be_said(void **state)
{
	struct world *w = *state;
	char cluster[300] = "x";
	struct fl_hello hello = hello_of_slave();

	for (size_t i = 1; i + 2 < sizeof(cluster); i += 2)
		memcpy(cluster + i, "\xc3\xa9", 3); /* é */
	hello.cluster = cluster;
	dial_bare(w);
	send_bare(w, MSG_hello, &hello);
	expect_bare_refused(w, FL_REFUSAL_CLUSTER, "belongs to cluster 'x?");
}

static void test_no_hello_in_time_closes(void **state)
{
	struct world *w = *state;

	w->master.timeout_ms = 50;
	dial_bare(w);
	DRIVE(w->l, w->server.closed);
	assert_string_equal(w->server.why, "no hello within 50 ms");
	assert_false(w->server.was_refused);
}

static void test_a_refusal_before_hello_is_understood(void **state)
{
	struct world *w = *state;
	struct fl_refused refused = {.refusal = FL_REFUSAL_DUPLICATE};

	dial_bare(w);
	send_bare(w, MSG_refused, &refused);
	DRIVE(w->l, w->server.closed);
	assert_true(w->server.was_refused);
	assert_int_equal(w->server.refusal, FL_REFUSAL_DUPLICATE);
	assert_non_null(strstr(w->server.why, "DUPLICATE: Another process is connected"));
}

static void test_a_failure_to_connect_is_told(void **state)
{
	struct world *w = *state;
	int port = listener_port(w->listener);

	listener_destroy(w->listener);
	w->listener = NULL;
	w->client.p = peer_connect(w->l, &w->slave, "127.0.0.1", port, &ops, &w->client);
	DRIVE(w->l, w->client.closed);
	assert_non_null(strstr(w->client.why, "Connection refused"));
	assert_int_equal(w->client.ready, 0);
}

/* ---- messages ---- */

static const struct fl_epoch epoch = {.incarnation = "i", .term = 1};

static struct fl_kill_task kill_of(const char *task)
{
	return (struct fl_kill_task){.epoch = (struct fl_epoch *)&epoch, .framework_id = "f", .task_id = task};
}

static void test_messages_arrive_in_order(void **state)
{
	struct world *w = *state;
	char name[32];

	join(w);
	for (int i = 0; i < 5000; i++) {
		snprintf(name, sizeof(name), "task-%d", i);
		struct fl_kill_task kill = kill_of(name);
		peer_send(w->server.p, MSG_kill_task, &kill);
	}
	assert_true(peer_queued(w->server.p) > 0);
	DRIVE(w->l, w->client.messages == 5000);
	assert_int_equal(w->client.last_id, MSG_kill_task);
	assert_string_equal(w->client.last_text, "task-4999");
	assert_int_equal(peer_queued(w->server.p), 0);
}

static void test_sending_before_ready_is_ignored(void **state)
{
	struct world *w = *state;
	struct fl_kill_task kill = kill_of("t");

	dial(w);
	peer_send(w->client.p, MSG_kill_task, &kill);
	assert_int_equal(peer_queued(w->client.p), 0);
	DRIVE(w->l, w->client.ready && w->server.ready);
	drive_idle(w->l);
	assert_int_equal(w->server.messages, 0);
}

static void test_a_message_from_the_wrong_kind_is_refused(void **state)
{
	struct world *w = *state;
	struct fl_kill_task kill = kill_of("t");

	join(w);
	peer_send(w->client.p, MSG_kill_task, &kill);
	DRIVE(w->l, w->client.closed && w->server.closed);
	assert_int_equal(w->server.messages, 0);
	assert_int_equal(w->client.refusal, FL_REFUSAL_INVALID);
	assert_string_equal(w->client.refused_text, "a SLAVE may not send kill_task to a MASTER");
}

static void test_a_second_hello_is_refused(void **state)
{
	struct world *w = *state;
	struct fl_hello hello = hello_of_slave();

	greet_bare(w);
	send_bare(w, MSG_hello, &hello);
	expect_bare_refused(w, FL_REFUSAL_INVALID, "a second hello");
}

static void test_garbage_after_hello_is_refused(void **state)
{
	struct world *w = *state;

	greet_bare(w);
	conn_send(w->bare, "\x92\x21\xc1", 3);
	expect_bare_refused(w, FL_REFUSAL_INVALID, "");
}

static void test_an_invalid_message_names_its_field(void **state)
{
	struct world *w = *state;

	greet_bare(w);
	conn_send(w->bare, "\x92\x20\x80", 3); /* slave_register without anything */
	expect_bare_refused(w, FL_REFUSAL_INVALID, "slave");
}

static void test_an_unknown_message_is_skipped(void **state)
{
	struct world *w = *state;

	greet_bare(w);
	conn_send(w->bare, "\x92\xcd\x7f\xff\x80", 5);
	drive_idle(w->l);
	assert_int_equal(w->server.closed + w->server.messages, 0);
}

static void test_an_empty_frame_is_refused(void **state)
{
	struct world *w = *state;

	greet_bare(w);
	conn_send(w->bare, "", 0);
	expect_bare_refused(w, FL_REFUSAL_INVALID, "");
}

static void test_random_frames_harm_nobody(void **state)
{
	struct world *w = *state;

	for (int round = 0; round < 50; round++) {
		void *inner;
		setup(&inner);
		struct world *v = inner;
		uint8_t bytes[200];
		if (round % 2)
			greet_bare(v);
		else
			dial_bare(v);
		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (uint8_t)loop_random(w->l);
		bytes[0] = 0x92;
		conn_send(v->bare, bytes, 1 + loop_random_below(w->l, sizeof(bytes)));
		drive_idle(v->l);
		assert_int_equal(v->server.messages, 0);
		teardown(&inner);
	}
}

static void test_a_message_too_big_for_a_frame_closes(void **state)
{
	struct world *w = *state;
	char *name = xcalloc(1, CONN_MAX_FRAME + 1);

	join(w);
	memset(name, 'x', CONN_MAX_FRAME);
	struct fl_kill_task kill = kill_of(name);
	peer_send(w->server.p, MSG_kill_task, &kill);
	assert_int_equal(w->server.closed, 0); /* not from inside a call */
	DRIVE(w->l, w->server.closed && w->client.closed);
	assert_non_null(strstr(w->server.why, "a message kill_task of 4194"));
	free(name);
}

static void test_another_owner_takes_over(void **state)
{
	struct world *w = *state;
	struct side other = {0};
	struct fl_kill_task kill = kill_of("t");

	join(w);
	other.p = w->client.p;
	peer_set_user(w->client.p, &ops, &other);
	w->client.p = NULL;
	peer_send(w->server.p, MSG_kill_task, &kill);
	DRIVE(w->l, other.messages);
	assert_int_equal(w->client.messages, 0);
	side_drop(&other);
}

/* ---- heartbeats and silence ---- */

static void test_heartbeats_keep_it_alive(void **state)
{
	struct world *w = *state;

	w->master.heartbeat_ms = w->slave.heartbeat_ms = 10;
	join(w);
	int64_t end_ms = loop_now_ms(w->l) + 300;
	while (loop_now_ms(w->l) < end_ms)
		loop_step(w->l, 5);
	assert_int_equal(w->client.closed + w->server.closed, 0);
	assert_int_equal(w->client.messages + w->server.messages, 0);
}

static void test_heartbeats_come_often_enough(void **state)
{
	struct world *w = *state;

	w->master.heartbeat_ms = 20;
	greet_bare(w);
	int before = w->n_frames;
	DRIVE(w->l, w->n_frames >= before + 4);
	assert_int_equal(w->server.closed, 0);
}

static void test_silence_closes(void **state)
{
	struct world *w = *state;
	struct fl_hello hello = hello_of_slave();

	hello.heartbeat_ns = 10000000;
	dial_bare(w);
	send_bare(w, MSG_hello, &hello);
	DRIVE(w->l, w->server.ready);
	int64_t start_ms = loop_now_ms(w->l);
	DRIVE(w->l, w->server.closed);
	assert_true(loop_now_ms(w->l) - start_ms >= 30);
	assert_non_null(strstr(w->server.why, "nothing heard for "));
	assert_false(w->server.was_refused);
}

static void test_anything_heard_breaks_the_silence(void **state)
{
	struct world *w = *state;
	struct fl_hello hello = hello_of_slave();
	struct fl_heartbeat heartbeat = {0};

	hello.heartbeat_ns = 50000000; /* closes after 200 ms */
	dial_bare(w);
	send_bare(w, MSG_hello, &hello);
	DRIVE(w->l, w->server.ready);
	for (int64_t end_ms = loop_now_ms(w->l) + 500; loop_now_ms(w->l) < end_ms; loop_step(w->l, 20))
		send_bare(w, MSG_heartbeat, &heartbeat);
	assert_int_equal(w->server.closed, 0);
	DRIVE(w->l, w->server.closed);
}

/* ---- ends ---- */

static void test_the_end_is_told_once(void **state)
{
	struct world *w = *state;
	struct fl_kill_task kill = kill_of("t");

	join(w);
	side_drop(&w->client);
	DRIVE(w->l, w->server.closed);
	assert_string_equal(w->server.why, "closed by the other side");
	assert_false(w->server.was_refused);
	peer_send(w->server.p, MSG_kill_task, &kill);
	drive_idle(w->l);
	assert_int_equal(w->server.closed, 1);
}

static void test_refuse_tells_the_leader(void **state)
{
	struct world *w = *state;

	join(w);
	side_refuse(&w->server);
	DRIVE(w->l, w->client.closed);
	assert_int_equal(w->client.refusal, FL_REFUSAL_NOT_LEADER);
	assert_string_equal(w->client.refused_text, "ask elsewhere");
	assert_string_equal(w->client.leader, "elsewhere");
	assert_string_equal(w->client.why, "refused by the other side: NOT_LEADER: ask elsewhere");
	assert_int_equal(w->server.closed, 0);
}

static void test_refuse_at_once_arrives(void **state)
{
	struct world *w = *state;

	dial(w);
	DRIVE(w->l, w->server.p);
	side_refuse(&w->server);
	DRIVE(w->l, w->client.closed);
	assert_int_equal(w->client.refusal, FL_REFUSAL_NOT_LEADER);
}

static void test_finish_sends_what_is_queued(void **state)
{
	struct world *w = *state;

	join(w);
	for (int i = 0; i < 100; i++) {
		struct fl_kill_task kill = kill_of("t");
		peer_send(w->server.p, MSG_kill_task, &kill);
	}
	peer_finish(w->server.p);
	w->server.p = NULL;
	DRIVE(w->l, w->client.closed);
	assert_int_equal(w->client.messages, 100);
}

static void test_finish_and_refuse_after_the_end_are_harmless(void **state)
{
	struct world *w = *state;

	join(w);
	side_drop(&w->client);
	DRIVE(w->l, w->server.closed);
	side_refuse(&w->server);
	dial(w);
	peer_finish(w->client.p);
	w->client.p = NULL;
}

static void test_destroy_in_on_ready(void **state)
{
	struct world *w = *state;

	w->server.destroy_on_ready = true;
	dial(w);
	DRIVE(w->l, w->client.closed);
	assert_int_equal(w->server.ready, 1);
	assert_int_equal(w->server.closed, 0);
}

static void test_refuse_in_on_ready(void **state)
{
	struct world *w = *state;

	w->server.refuse_on_ready = true;
	dial(w);
	DRIVE(w->l, w->client.closed);
	assert_int_equal(w->client.refusal, FL_REFUSAL_NOT_LEADER);
	assert_int_equal(w->client.ready, 1);
}

/* Destroying, finishing or refusing in on_message ends it after the first of many messages. */
static void end_in_on_message(struct world *w)
{
	struct fl_kill_task kill = kill_of("t");

	join(w);
	for (int i = 0; i < 10; i++)
		peer_send(w->server.p, MSG_kill_task, &kill);
	DRIVE(w->l, w->server.closed);
	assert_int_equal(w->client.messages, 1);
	assert_int_equal(w->client.closed, 0);
}

static void test_destroy_in_on_message(void **state)
{
	struct world *w = *state;

	w->client.destroy_on_message = true;
	end_in_on_message(w);
}

static void test_finish_in_on_message(void **state)
{
	struct world *w = *state;

	w->client.finish_on_message = true;
	end_in_on_message(w);
}

static void test_refuse_in_on_message(void **state)
{
	struct world *w = *state;

	w->client.refuse_on_message = true;
	end_in_on_message(w);
	assert_int_equal(w->server.refusal, FL_REFUSAL_NOT_LEADER);
}

static void test_destroy_in_on_close(void **state)
{
	struct world *w = *state;

	w->server.destroy_on_close = w->client.destroy_on_close = true;
	w->slave.cluster = "green";
	dial(w);
	DRIVE(w->l, w->server.closed && w->client.closed);
	assert_null(w->server.p);
	assert_null(w->client.p);
}

#define T(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(both_sides_become_ready),
		T(another_cluster_is_refused),
		T(a_framework_may_leave_its_cluster_empty),
		T(a_slave_may_not_leave_its_cluster_empty),
		T(an_unexpected_kind_is_refused),
		T(a_newer_protocol_is_refused),
		T(a_newer_side_that_speaks_ours_too_is_welcome),
		T(an_older_protocol_is_refused),
		T(absurd_heartbeats_are_refused),
		T(the_first_message_must_be_hello),
		T(garbage_instead_of_hello_is_refused),
		T(an_unknown_first_message_is_refused),
		T(text_cut_in_a_letter_can_still_be_said),
		T(no_hello_in_time_closes),
		T(a_refusal_before_hello_is_understood),
		T(a_failure_to_connect_is_told),
		T(messages_arrive_in_order),
		T(sending_before_ready_is_ignored),
		T(a_message_from_the_wrong_kind_is_refused),
		T(a_second_hello_is_refused),
		T(garbage_after_hello_is_refused),
		T(an_invalid_message_names_its_field),
		T(an_unknown_message_is_skipped),
		T(an_empty_frame_is_refused),
		T(random_frames_harm_nobody),
		T(a_message_too_big_for_a_frame_closes),
		T(another_owner_takes_over),
		T(heartbeats_keep_it_alive),
		T(heartbeats_come_often_enough),
		T(silence_closes),
		T(anything_heard_breaks_the_silence),
		T(the_end_is_told_once),
		T(refuse_tells_the_leader),
		T(refuse_at_once_arrives),
		T(finish_sends_what_is_queued),
		T(finish_and_refuse_after_the_end_are_harmless),
		T(destroy_in_on_ready),
		T(refuse_in_on_ready),
		T(destroy_in_on_message),
		T(finish_in_on_message),
		T(refuse_in_on_message),
		T(destroy_in_on_close),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
