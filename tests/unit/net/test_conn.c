/* Framed connections over real sockets, both sides in one loop; a third party with a plain blocking-free socket plays
 * those who do not keep the rules. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>

#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/loop.h"
#include "base/mem.h"
#include "net/conn.h"
#include "tests/unit/net/drive.h"

#define MAX_PEERS 256

/* One side of a connection and what happened to it. */
struct side {
	struct conn *c;
	int opened, frames, closed;
	size_t bytes;
	uint32_t next; /* expected number, when counting */
	bool counting, echo;
	uint8_t last[64];
	size_t last_size;
	char why[256];
	bool destroy_on_open, destroy_on_frame, destroy_on_close, finish_on_frame;
};

struct world {
	struct loop *l;
	struct listener *listener;
	struct side client, server[MAX_PEERS];
	int accepted;
	bool destroy_on_accept, ignore_on_accept, stop_on_accept;
};

static void side_drop(struct side *s)
{
	conn_destroy(s->c);
	s->c = NULL;
}

static void on_open(void *user, struct conn *c)
{
	struct side *s = user;

	s->opened++;
	if (s->destroy_on_open)
		side_drop(s);
}

static void note_frame(struct side *s, const void *data, size_t size)
{
	s->frames++;
	s->bytes += size;
	s->last_size = size;
	if (size)
		memcpy(s->last, data, size < sizeof(s->last) ? size : sizeof(s->last));
	if (s->counting) {
		uint32_t got;
		assert_true(size >= sizeof(got));
		memcpy(&got, data, sizeof(got));
		assert_int_equal(got, s->next++);
	}
}

static void on_frame(void *user, struct conn *c, const void *data, size_t size)
{
	struct side *s = user;

	assert_ptr_equal(c, s->c);
	note_frame(s, data, size);
	if (s->echo)
		conn_send(c, data, size);
	if (s->destroy_on_frame)
		side_drop(s);
	if (s->finish_on_frame) {
		conn_send(c, "bye", 3);
		conn_finish(c);
		s->c = NULL;
	}
}

static void on_close(void *user, struct conn *c, const char *why)
{
	struct side *s = user;

	assert_ptr_equal(c, s->c);
	s->closed++;
	snprintf(s->why, sizeof(s->why), "%s", why);
	if (s->destroy_on_close)
		side_drop(s);
}

static const struct conn_ops ops = {.on_open = on_open, .on_frame = on_frame, .on_close = on_close};

static void on_accept(void *user, struct conn *c)
{
	struct world *w = user;
	struct side *s = &w->server[w->accepted++];

	if (w->stop_on_accept) {
		listener_destroy(w->listener);
		w->listener = NULL;
	}
	if (w->ignore_on_accept)
		return;
	if (w->destroy_on_accept) {
		conn_destroy(c);
		return;
	}
	s->c = c;
	conn_set_ops(c, &ops, s);
}

static int setup(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));
	struct err err = {0};

	w->l = loop_create();
	w->listener = listener_create(w->l, "127.0.0.1", 0, on_accept, w, &err);
	assert_non_null(w->listener);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	side_drop(&w->client);
	for (int i = 0; i < w->accepted; i++)
		side_drop(&w->server[i]);
	listener_destroy(w->listener);
	conn_sweep(w->l);
	loop_step(w->l, 0);
	loop_destroy(w->l);
	free(w);
	return 0;
}

static void dial(struct world *w)
{
	w->client.c = conn_connect(w->l, "127.0.0.1", listener_port(w->listener), 5000, &ops, &w->client);
}

static void join(struct world *w)
{
	dial(w);
	DRIVE(w->l, w->client.opened && w->accepted);
}

/* A stranger: a plain socket, non-blocking once connected. */
static int stranger(struct world *w)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
	                         .sin_port = htons((uint16_t)listener_port(w->listener)),
	                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	int before = w->accepted;

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	DRIVE(w->l, w->accepted > before);
	return fd;
}

static void put(int fd, const void *data, size_t size)
{
	assert_int_equal(write(fd, data, size), size);
}

/* ---- the ordinary ---- */

static void test_frames_go_both_ways(void **state)
{
	struct world *w = *state;

	join(w);
	conn_send(w->client.c, "hello", 5);
	w->server[0].echo = true;
	DRIVE(w->l, w->client.frames == 1);
	assert_int_equal(w->server[0].last_size, 5);
	assert_memory_equal(w->client.last, "hello", 5);
	assert_int_equal(conn_queued(w->client.c), 0);
}

static void test_an_empty_frame_arrives(void **state)
{
	struct world *w = *state;

	join(w);
	conn_send(w->client.c, "", 0);
	DRIVE(w->l, w->server[0].frames == 1);
	assert_int_equal(w->server[0].last_size, 0);
}

static void test_addresses_are_told(void **state)
{
	struct world *w = *state;
	char text[64];

	join(w);
	snprintf(text, sizeof(text), "127.0.0.1:%d", listener_port(w->listener));
	assert_string_equal(conn_peer_address(w->client.c), text);
	assert_string_equal(conn_peer_ip(w->client.c), "127.0.0.1");
	assert_string_equal(conn_peer_ip(w->server[0].c), "127.0.0.1");
	assert_true(strncmp(conn_peer_address(w->server[0].c), "127.0.0.1:", 10) == 0);
}

static void test_what_is_sent_before_it_is_open_arrives(void **state)
{
	struct world *w = *state;

	dial(w);
	conn_send(w->client.c, "early", 5);
	assert_int_equal(conn_queued(w->client.c), 9);
	DRIVE(w->l, w->accepted && w->server[0].frames == 1);
	assert_memory_equal(w->server[0].last, "early", 5);
}

static void test_thousands_of_frames_keep_their_order(void **state)
{
	struct world *w = *state;
	uint8_t data[3000] = {0};

	join(w);
	w->server[0].counting = w->client.counting = true;
	w->server[0].echo = true;
	for (uint32_t i = 0; i < 20000; i++) {
		memcpy(data, &i, sizeof(i));
		conn_send(w->client.c, data, 4 + i % 700 * (i % 5 == 0 ? 4 : 1));
	}
	DRIVE(w->l, w->client.frames == 20000);
	assert_int_equal(w->server[0].bytes, w->client.bytes);
}

static void test_the_largest_frame_passes(void **state)
{
	struct world *w = *state;
	uint8_t *data = xcalloc(1, CONN_MAX_FRAME);

	join(w);
	memcpy(data, "big", 3);
	conn_send(w->client.c, data, CONN_MAX_FRAME);
	conn_send(w->client.c, "after", 5);
	DRIVE(w->l, w->server[0].frames == 2);
	assert_int_equal(w->server[0].bytes, CONN_MAX_FRAME + 5);
	free(data);
}

static void test_frames_sent_in_a_turn_leave_at_its_end(void **state)
{
	struct world *w = *state;
	char buf[64];
	int fd = stranger(w);

	conn_send(w->server[0].c, "a", 1);
	conn_send(w->server[0].c, "b", 1);
	assert_int_equal(read(fd, buf, sizeof(buf)), -1);
	assert_int_equal(conn_queued(w->server[0].c), 10);
	DRIVE(w->l, conn_queued(w->server[0].c) == 0);
	assert_int_equal(read(fd, buf, sizeof(buf)), 10);
	assert_memory_equal(buf, "\0\0\0\1a\0\0\0\1b", 10);
	close(fd);
}

/* Without anything else to wake it, a loop that waits must still send what was queued before it began to wait. */
static void test_a_frame_queued_outside_a_turn_is_sent_at_once(void **state)
{
	struct world *w = *state;
	char buf[64];
	int fd = stranger(w);

	drive_idle(w->l);
	conn_send(w->server[0].c, "x", 1);
	int64_t start_ms = loop_now_ms(w->l);
	loop_step(w->l, 5000);
	assert_true(loop_now_ms(w->l) - start_ms < 2500);
	assert_int_equal(read(fd, buf, sizeof(buf)), 5);
	close(fd);
}

static void test_a_frame_in_single_bytes_arrives_whole(void **state)
{
	struct world *w = *state;
	static const uint8_t bytes[] = {0, 0, 0, 3, 'o', 'n', 'e', 0, 0, 0, 2, 'o', 'k'};
	int fd = stranger(w);

	for (size_t i = 0; i < sizeof(bytes); i++) {
		put(fd, bytes + i, 1);
		loop_step(w->l, 20);
	}
	DRIVE(w->l, w->server[0].frames == 2);
	assert_memory_equal(w->server[0].last, "ok", 2);
	assert_int_equal(w->server[0].bytes, 5);
	close(fd);
}

/* ---- the other side goes ---- */

static void test_the_end_is_told_once(void **state)
{
	struct world *w = *state;

	join(w);
	side_drop(&w->client);
	DRIVE(w->l, w->server[0].closed);
	assert_string_equal(w->server[0].why, "closed by the other side");
	conn_send(w->server[0].c, "ignored", 7);
	drive_idle(w->l);
	assert_int_equal(w->server[0].closed, 1);
	assert_int_equal(conn_queued(w->server[0].c), 0);
}

static void test_an_end_in_a_frame_is_told_as_such(void **state)
{
	struct world *w = *state;
	int fd = stranger(w);

	put(fd, "\0\0\0\11half", 8);
	close(fd);
	DRIVE(w->l, w->server[0].closed);
	assert_string_equal(w->server[0].why, "closed by the other side in the middle of a frame");
	assert_int_equal(w->server[0].frames, 0);
}

static void test_a_half_open_connection_ends(void **state)
{
	struct world *w = *state;
	int fd = stranger(w);

	put(fd, "\0\0\0\1x", 5);
	shutdown(fd, SHUT_WR);
	DRIVE(w->l, w->server[0].closed);
	assert_int_equal(w->server[0].frames, 1);
	close(fd);
}

static void test_a_reset_is_an_end(void **state)
{
	struct world *w = *state;
	struct linger now = {.l_onoff = 1};
	int fd = stranger(w);

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
	DRIVE(w->l, w->server[0].closed);
	assert_string_equal(w->server[0].why, strerror(ECONNRESET));
}

static void test_last_words_are_read_although_writing_fails(void **state)
{
	struct world *w = *state;
	int fd = stranger(w);

	put(fd, "\0\0\0\4last", 8);
	close(fd);
	for (int i = 0; i < 100 && !w->server[0].closed; i++) {
		conn_send(w->server[0].c, "into the void", 13);
		loop_step(w->l, 1);
	}
	DRIVE(w->l, w->server[0].closed);
	assert_int_equal(w->server[0].frames, 1);
	assert_memory_equal(w->server[0].last, "last", 4);
}

/* ---- those who do not keep the rules ---- */

static void expect_refusal(struct world *w, const void *bytes, size_t size, const char *why)
{
	int fd = stranger(w);
	struct side *s = &w->server[w->accepted - 1];

	put(fd, bytes, size);
	DRIVE(w->l, s->closed);
	assert_string_equal(s->why, why);
	assert_int_equal(s->frames, 0);
	close(fd);
}

static void test_a_claim_of_4_gib_closes(void **state)
{
	expect_refusal(*state, "\377\377\377\377", 4, "frame of 4294967295 bytes, at most 4194304");
}

static void test_one_byte_over_the_limit_closes(void **state)
{
	expect_refusal(*state, "\0\100\0\1", 4, "frame of 4194305 bytes, at most 4194304");
}

static void test_http_is_told_apart(void **state)
{
	static const char why[] = "an HTTP request on the port for framed connections: use the HTTP port";

	expect_refusal(*state, "GET / HTTP/1.1\r\n\r\n", 18, why);
	expect_refusal(*state, "POST /api/v1 HTTP/1.1\r\n", 23, why);
	expect_refusal(*state, "PUT ", 4, why);
}

static void test_tls_is_told_apart(void **state)
{
	expect_refusal(*state, "\26\3\1\2\0\1", 6,
	               "a TLS handshake on the port for framed connections, which does not speak TLS");
}

static void test_frames_before_a_bad_one_count(void **state)
{
	struct world *w = *state;
	int fd = stranger(w);

	put(fd, "\0\0\0\1a\0\0\0\1b\377\0\0\0\0\0\0\1c", 19);
	DRIVE(w->l, w->server[0].closed);
	assert_int_equal(w->server[0].frames, 2);
	close(fd);
}

static void test_garbage_harms_nobody(void **state)
{
	struct world *w = *state;

	for (int round = 0; round < 50; round++) {
		int fd = stranger(w);
		uint8_t bytes[512];
		for (size_t i = 0; i < sizeof(bytes); i++)
			bytes[i] = (uint8_t)loop_random(w->l);
		put(fd, bytes, 1 + loop_random_below(w->l, sizeof(bytes)));
		close(fd);
		DRIVE(w->l, w->server[round].closed);
	}
	join(w);
	conn_send(w->client.c, "still here", 10);
	DRIVE(w->l, w->server[50].frames == 1);
}

static void test_claims_cost_no_memory(void **state)
{
	struct world *w = *state;
	struct rusage before, after;
	int fds[100];

	getrusage(RUSAGE_SELF, &before);
	for (int i = 0; i < 100; i++) {
		fds[i] = stranger(w);
		put(fds[i], "\0\77\377\377only this", 13);
	}
	drive_idle(w->l);
	getrusage(RUSAGE_SELF, &after);
	assert_true(after.ru_maxrss - before.ru_maxrss < 64 * 1024); /* of 400 MB claimed */
	for (int i = 0; i < 100; i++) {
		assert_int_equal(w->server[i].closed, 0);
		close(fds[i]);
	}
}

/* ---- queues ---- */

static void test_a_slow_reader_gets_everything(void **state)
{
	struct world *w = *state;
	int fd = stranger(w);
	size_t frame = 1 << 20, total = 16 * (frame + 4), got = 0;
	uint8_t *data = xcalloc(1, frame);

	for (int i = 0; i < 16; i++)
		conn_send(w->server[0].c, data, frame);
	drive_idle(w->l);
	assert_true(conn_queued(w->server[0].c) > 0);
	while (got < total) {
		ssize_t n = read(fd, data, 100000);
		assert_true(n > 0 || (n < 0 && errno == EAGAIN));
		got += n > 0 ? (size_t)n : 0;
		loop_step(w->l, n > 0 ? 0 : 5);
	}
	assert_int_equal(conn_queued(w->server[0].c), 0);
	assert_int_equal(w->server[0].closed, 0);
	free(data);
	close(fd);
}

static void fill(struct side *s, size_t mib)
{
	static const uint8_t data[1 << 20];

	for (size_t i = 0; i < mib; i++)
		conn_send(s->c, data, sizeof(data));
}

static void test_a_full_queue_closes(void **state)
{
	struct world *w = *state;
	int fd = stranger(w);

	fill(&w->server[0], 63);
	assert_int_equal(w->server[0].closed, 0);
	fill(&w->server[0], 2);
	assert_int_equal(w->server[0].closed, 0); /* not from inside a call */
	DRIVE(w->l, w->server[0].closed);
	assert_non_null(strstr(w->server[0].why, "does not keep up"));
	close(fd);
}

static void test_over_the_budget_the_largest_goes_first(void **state)
{
	struct world *w = *state;
	int fds[10];

	for (int i = 0; i < 10; i++)
		fds[i] = stranger(w);
	fill(&w->server[7], 62);
	for (int i = 0; i < 10; i++)
		if (i != 7)
			fill(&w->server[i], i == 9 ? 10 : 56);
	DRIVE(w->l, w->server[7].closed);
	assert_non_null(strstr(w->server[7].why, "the most of all connections"));
	for (int i = 0; i < 10; i++) {
		assert_int_equal(w->server[i].closed, i == 7);
		close(fds[i]);
	}
}

/* ---- finishing and destroying ---- */

static void test_finish_sends_what_is_queued(void **state)
{
	struct world *w = *state;
	uint8_t *data = xcalloc(1, CONN_MAX_FRAME);

	join(w);
	conn_send(w->client.c, "unread", 6); /* would make a plain close a reset */
	for (int i = 0; i < 4; i++)
		conn_send(w->server[0].c, data, CONN_MAX_FRAME);
	conn_finish(w->server[0].c);
	w->server[0].c = NULL;
	DRIVE(w->l, w->client.closed);
	assert_int_equal(w->client.frames, 4);
	assert_string_equal(w->client.why, "closed by the other side");
	assert_int_equal(w->server[0].closed, 0);
	free(data);
}

static void test_finish_before_it_is_open_just_ends(void **state)
{
	struct world *w = *state;

	dial(w);
	conn_finish(w->client.c);
	w->client.c = NULL;
	drive_idle(w->l);
	assert_int_equal(w->client.opened + w->client.closed, 0);
}

static void test_finish_with_a_deaf_other_side_can_be_swept(void **state)
{
	struct world *w = *state;
	int fd = stranger(w);

	fill(&w->server[0], 16);
	conn_finish(w->server[0].c);
	w->server[0].c = NULL;
	drive_idle(w->l);
	conn_sweep(w->l);
	uint8_t buf[4096];
	while (read(fd, buf, sizeof(buf)) > 0)
		;
	close(fd);
}

static void test_finish_after_the_end_is_harmless(void **state)
{
	struct world *w = *state;
	int fd = stranger(w);

	close(fd);
	DRIVE(w->l, w->server[0].closed);
	conn_finish(w->server[0].c);
	w->server[0].c = NULL;
}

static void test_destroy_in_on_open(void **state)
{
	struct world *w = *state;

	w->client.destroy_on_open = true;
	dial(w);
	conn_send(w->client.c, "never", 5);
	DRIVE(w->l, w->client.opened && w->accepted && w->server[0].closed);
}

static void test_destroy_in_on_frame(void **state)
{
	struct world *w = *state;

	join(w);
	w->server[0].destroy_on_frame = true;
	for (int i = 0; i < 10; i++)
		conn_send(w->client.c, "frame", 5);
	DRIVE(w->l, w->client.closed);
	assert_int_equal(w->server[0].frames, 1);
	assert_int_equal(w->server[0].closed, 0);
}

static void test_finish_in_on_frame(void **state)
{
	struct world *w = *state;

	join(w);
	w->server[0].finish_on_frame = true;
	for (int i = 0; i < 1000; i++)
		conn_send(w->client.c, "frame", 5);
	DRIVE(w->l, w->client.closed);
	assert_int_equal(w->server[0].frames, 1);
	assert_int_equal(w->client.frames, 1);
	assert_memory_equal(w->client.last, "bye", 3);
}

static void test_destroy_in_on_close(void **state)
{
	struct world *w = *state;

	join(w);
	w->server[0].destroy_on_close = true;
	side_drop(&w->client);
	DRIVE(w->l, w->server[0].closed);
	assert_null(w->server[0].c);
}

static void test_destroy_before_on_close_silences_it(void **state)
{
	struct world *w = *state;
	int fd = stranger(w);

	fill(&w->server[0], 65);
	side_drop(&w->server[0]);
	drive_idle(w->l);
	assert_int_equal(w->server[0].closed, 0);
	close(fd);
}

static void test_destroy_in_accept(void **state)
{
	struct world *w = *state;

	w->destroy_on_accept = true;
	dial(w);
	DRIVE(w->l, w->client.closed);
}

static void test_a_connection_nobody_takes_is_closed(void **state)
{
	struct world *w = *state;

	w->ignore_on_accept = true;
	dial(w);
	DRIVE(w->l, w->client.closed);
}

static void test_listener_destroyed_in_accept(void **state)
{
	struct world *w = *state;

	w->stop_on_accept = true;
	dial(w);
	DRIVE(w->l, w->client.opened && w->accepted);
	assert_null(w->listener);
	conn_send(w->client.c, "lives on", 8);
	DRIVE(w->l, w->server[0].frames == 1);
}

/* ---- connecting ---- */

static int free_port(struct world *w)
{
	int port = listener_port(w->listener);

	listener_destroy(w->listener);
	w->listener = NULL;
	return port;
}

static void test_a_refused_connection_is_told(void **state)
{
	struct world *w = *state;
	char why[128];
	int port = free_port(w);

	w->client.c = conn_connect(w->l, "127.0.0.1", port, 5000, &ops, &w->client);
	assert_int_equal(w->client.closed, 0);
	DRIVE(w->l, w->client.closed);
	snprintf(why, sizeof(why), "cannot connect to 127.0.0.1:%d: Connection refused", port);
	assert_string_equal(w->client.why, why);
	assert_int_equal(w->client.opened, 0);
}

static void test_localhost_is_found_without_name_servers(void **state)
{
	struct world *w = *state;

	w->client.c = conn_connect(w->l, "localhost", listener_port(w->listener), 5000, &ops, &w->client);
	DRIVE(w->l, w->client.opened);
	assert_string_equal(conn_peer_ip(w->client.c), "127.0.0.1");
}

static void test_a_name_that_cannot_be_found_is_told(void **state)
{
	struct world *w = *state;

	w->client.c = conn_connect(w->l, "no-such-host.invalid", 1, 300, &ops, &w->client);
	DRIVE(w->l, w->client.closed);
	assert_true(strncmp(w->client.why, "cannot ", 7) == 0);
	assert_non_null(strstr(w->client.why, "no-such-host.invalid:1: "));
}

static void test_destroy_while_the_name_is_sought(void **state)
{
	struct world *w = *state;

	w->client.c = conn_connect(w->l, "no-such-host.invalid", 1, 5000, &ops, &w->client);
	loop_step(w->l, 0);
	side_drop(&w->client);
	drive_idle(w->l);
	assert_int_equal(w->client.closed, 0);
}

static void test_a_silent_address_times_out(void **state)
{
	struct world *w = *state;
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(at);
	int fds[8], n = 0, deaf = socket(AF_INET, SOCK_STREAM, 0);

	/* A listener that never accepts, its backlog full. */
	assert_int_equal(bind(deaf, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(deaf, 0), 0);
	getsockname(deaf, (struct sockaddr *)&at, &size);
	for (; n < 8; n++) {
		fds[n] = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0);
		connect(fds[n], (struct sockaddr *)&at, sizeof(at));
	}
	w->client.c = conn_connect(w->l, "127.0.0.1", ntohs(at.sin_port), 100, &ops, &w->client);
	DRIVE(w->l, w->client.closed);
	assert_non_null(strstr(w->client.why, "no answer within 100 ms"));
	while (n > 0)
		close(fds[--n]);
	close(deaf);
}

static void test_a_bad_listen_address_is_explained(void **state)
{
	struct world *w = *state;
	struct err err = {0};

	assert_null(listener_create(w->l, "localhost", 0, on_accept, w, &err));
	assert_int_equal(err.code, EINVAL);
	assert_string_equal(err.text, "cannot listen on 'localhost': not an IPv4 or IPv6 address");
	assert_null(listener_create(w->l, "127.0.0.1", listener_port(w->listener), on_accept, w, &err));
	assert_int_equal(err.code, EADDRINUSE);
	assert_null(listener_create(w->l, "127.0.0.1", 70000, on_accept, w, &err));
	assert_int_equal(err.code, EINVAL);
}

static void test_ipv6(void **state)
{
	struct world *w = *state;
	struct err err = {0};
	struct listener *v6 = listener_create(w->l, "::1", 0, on_accept, w, &err);

	if (!v6) {
		skip(); /* a machine without IPv6 */
		return;
	}
	w->client.c = conn_connect(w->l, "::1", listener_port(v6), 5000, &ops, &w->client);
	DRIVE(w->l, w->client.opened && w->accepted);
	assert_string_equal(conn_peer_ip(w->server[0].c), "::1");
	assert_true(strncmp(conn_peer_address(w->server[0].c), "[::1]:", 6) == 0);
	listener_destroy(v6);
}

static void test_many_connections_are_accepted(void **state)
{
	struct world *w = *state;
	struct side clients[150] = {0};

	for (size_t i = 0; i < ARRAY_SIZE(clients); i++)
		clients[i].c = conn_connect(w->l, "127.0.0.1", listener_port(w->listener), 5000, &ops, &clients[i]);
	DRIVE(w->l, w->accepted == (int)ARRAY_SIZE(clients));
	for (size_t i = 0; i < ARRAY_SIZE(clients); i++) {
		DRIVE(w->l, clients[i].opened);
		side_drop(&clients[i]);
	}
}

/* With no descriptors left the loop must rest, and accept when there are some again. */
static void test_running_out_of_descriptors_is_survived(void **state)
{
	struct world *w = *state;
	struct rlimit old, low;

	dial(w);
	getrlimit(RLIMIT_NOFILE, &old);
	low = old;
	loop_step(w->l, 0); /* lookup done, connect under way */
	int next = dup(0);
	close(next);
	low.rlim_cur = (rlim_t)next;
	setrlimit(RLIMIT_NOFILE, &low);
	int turns = 0;
	for (int64_t end_ms = loop_now_ms(w->l) + 250; loop_now_ms(w->l) < end_ms; turns++)
		loop_step(w->l, 50);
	assert_int_equal(w->accepted, 0);
	assert_true(turns < 50);
	setrlimit(RLIMIT_NOFILE, &old);
	DRIVE(w->l, w->accepted == 1);
}

#define T(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(frames_go_both_ways),
		T(an_empty_frame_arrives),
		T(addresses_are_told),
		T(what_is_sent_before_it_is_open_arrives),
		T(thousands_of_frames_keep_their_order),
		T(the_largest_frame_passes),
		T(frames_sent_in_a_turn_leave_at_its_end),
		T(a_frame_queued_outside_a_turn_is_sent_at_once),
		T(a_frame_in_single_bytes_arrives_whole),
		T(the_end_is_told_once),
		T(an_end_in_a_frame_is_told_as_such),
		T(a_half_open_connection_ends),
		T(a_reset_is_an_end),
		T(last_words_are_read_although_writing_fails),
		T(a_claim_of_4_gib_closes),
		T(one_byte_over_the_limit_closes),
		T(http_is_told_apart),
		T(tls_is_told_apart),
		T(frames_before_a_bad_one_count),
		T(garbage_harms_nobody),
		T(claims_cost_no_memory),
		T(a_slow_reader_gets_everything),
		T(a_full_queue_closes),
		T(over_the_budget_the_largest_goes_first),
		T(finish_sends_what_is_queued),
		T(finish_before_it_is_open_just_ends),
		T(finish_with_a_deaf_other_side_can_be_swept),
		T(finish_after_the_end_is_harmless),
		T(destroy_in_on_open),
		T(destroy_in_on_frame),
		T(finish_in_on_frame),
		T(destroy_in_on_close),
		T(destroy_before_on_close_silences_it),
		T(destroy_in_accept),
		T(a_connection_nobody_takes_is_closed),
		T(listener_destroyed_in_accept),
		T(a_refused_connection_is_told),
		T(localhost_is_found_without_name_servers),
		T(a_name_that_cannot_be_found_is_told),
		T(destroy_while_the_name_is_sought),
		T(a_silent_address_times_out),
		T(a_bad_listen_address_is_explained),
		T(ipv6),
		T(many_connections_are_accepted),
		T(running_out_of_descriptors_is_survived),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
