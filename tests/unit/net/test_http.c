/* The HTTP server and client over real sockets, all in one loop. Raw bytes play the other side where it misbehaves. */
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
#include "msg/codec.h"
#include "msg/json.h"
#include "net/http.h"
#include "tests/unit/net/drive.h"

#define BIG_LABELS 100000

struct world {
	struct loop *l;
	struct http_server *s;
	struct http_request *pending;
	int gone, calls;
	char query[64];
	struct zone *zone; /* of the big record, when the handler keeps it */
	struct fl_labels big;
	/* client */
	int status, fetched;
	struct buf body;
	struct http_fetch *fetch;
	bool destroy_in_gone;
};

/* ---- handlers ---- */

static void on_echo(void *user, struct http_request *req)
{
	size_t size;
	const char *body = http_body(req, &size);

	http_reply_text(req, 200, "text/plain", body, size);
}

static void on_label(void *user, struct http_request *req)
{
	struct world *w = user;
	struct zone *zone = zone_create();
	void *rec;

	w->calls++;
	if (http_body_record(req, &rec_label, zone, &rec) < 0)
		zone_destroy(zone);
	else
		http_reply_record(req, 200, &rec_label, rec, zone);
}

static void on_fail(void *user, struct http_request *req)
{
	http_reply_error(req, 409, "conflict", "no \"%s\" today", "luck");
}

static void on_query(void *user, struct http_request *req)
{
	struct world *w = user;
	const char *a = http_query(req, "a"), *header = http_header(req, "x-test");

	assert_null(http_query(req, "absent"));
	snprintf(w->query, sizeof(w->query), "%s|%s|%s", a ? a : "(none)", header ? header : "(none)", http_uri(req));
	http_reply_text(req, 202, NULL, NULL, 0);
}

static void on_redirect(void *user, struct http_request *req)
{
	http_reply_redirect(req, "leader", 5050);
}

static void on_base(void *user, struct http_request *req)
{
	http_reply_redirect_base(req, "::1", 5050);
}

static void on_gone(void *user, struct http_request *req)
{
	struct world *w = user;

	assert_ptr_equal(req, w->pending);
	w->pending = NULL;
	w->gone++;
	if (w->destroy_in_gone) {
		http_server_destroy(w->s);
		w->s = NULL;
	}
}

static void on_later(void *user, struct http_request *req)
{
	struct world *w = user;

	w->pending = req;
	http_on_gone(req, on_gone, w);
}

static void on_careless(void *user, struct http_request *req)
{
	struct world *w = user;

	w->pending = req;
}

static void on_destroy(void *user, struct http_request *req)
{
	struct world *w = user;

	http_server_destroy(w->s);
	w->s = NULL;
	if (http_query(req, "reply"))
		http_reply_text(req, 200, NULL, "x", 1);
}

static void fill_labels(struct fl_labels *labels, struct zone *zone)
{
	labels->n_labels = BIG_LABELS;
	labels->labels = zone_alloc(zone, BIG_LABELS * sizeof(*labels->labels));
	for (size_t i = 0; i < BIG_LABELS; i++) {
		labels->labels[i].key = zone_printf(zone, "key-%zu", i);
		labels->labels[i].value = "a value that makes it longer";
	}
}

static void on_big(void *user, struct http_request *req)
{
	struct zone *zone = zone_create();
	struct fl_labels *labels = zone_alloc(zone, sizeof(*labels));

	fill_labels(labels, zone);
	http_reply_record(req, 200, &rec_labels, labels, zone);
}

static void on_big_borrowed(void *user, struct http_request *req)
{
	struct zone *zone = zone_create();
	struct fl_labels labels = {0};

	fill_labels(&labels, zone);
	http_reply_record(req, 200, &rec_labels, &labels, NULL);
	zone_destroy(zone);
}

static void on_too_big(void *user, struct http_request *req)
{
	char *data = xcalloc(1, 17 << 20);

	http_reply_text(req, 200, NULL, data, 17 << 20);
	free(data);
}

static const struct http_route routes[] = {
	{"POST", "/echo", "viewer", on_echo, "Says it again."},
	{"POST", "/label", "operator", on_label, "Reads and writes a record."},
	{"GET", "/fail", "viewer", on_fail, "Fails."},
	{"GET", "/query", "viewer", on_query, "Looks at the request."},
	{"GET", "/redirect", "viewer", on_redirect, "Points elsewhere."},
	{"GET", "/base", "viewer", on_base, "Points to an address."},
	{"GET", "/later", "viewer", on_later, "Answers later."},
	{"GET", "/careless", "viewer", on_careless, "Answers later and does not care."},
	{"GET", "/destroy", "operator", on_destroy, "Ends the server."},
	{"GET", "/big", "viewer", on_big, "A big record."},
	{"GET", "/big_borrowed", "viewer", on_big_borrowed, "A big record that goes at once."},
	{"GET", "/too_big", "viewer", on_too_big, "Too big a text."},
	{"GET", "/both", "viewer", on_fail, "Two methods."},
	{"POST", "/both", "viewer", on_fail, "Two methods."},
};

/* ---- the world ---- */

static int setup(void **state)
{
	struct world *w = xcalloc(1, sizeof(*w));
	struct err err = {0};

	w->l = loop_create();
	w->s = http_server_create(w->l, "127.0.0.1", 0, routes, ARRAY_SIZE(routes), w, &err);
	assert_non_null(w->s);
	*state = w;
	return 0;
}

static int teardown(void **state)
{
	struct world *w = *state;

	http_fetch_cancel(w->fetch);
	http_server_destroy(w->s);
	loop_step(w->l, 0);
	loop_step(w->l, 0);
	loop_destroy(w->l);
	buf_fini(&w->body);
	free(w);
	return 0;
}

static int stranger(struct world *w)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
	                         .sin_port = htons((uint16_t)http_server_port(w->s)),
	                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

/* Writes everything while the loop turns; stops when the other side has closed. */
static void put(struct world *w, int fd, const char *data, size_t size)
{
	while (size > 0) {
		ssize_t n = write(fd, data, size);
		if (n < 0 && errno != EAGAIN)
			return;
		data += n > 0 ? n : 0;
		size -= n > 0 ? (size_t)n : 0;
		loop_step(w->l, n > 0 ? 0 : 1);
	}
}

/* What comes back until the server closes (or until `enough` is in it). */
static void take(struct world *w, int fd, const char *enough, struct buf *ret)
{
	char data[65536];

	for (int64_t end_ms = loop_now_ms(w->l) + DRIVE_MS;;) {
		ssize_t n = read(fd, data, sizeof(data));
		if (n == 0 || (n < 0 && errno != EAGAIN))
			break;
		if (n > 0)
			buf_append(ret, data, (size_t)n);
		if (enough && strstr(buf_cstr(ret), enough))
			break;
		assert_true(loop_now_ms(w->l) < end_ms);
		loop_step(w->l, n > 0 ? 0 : 5);
	}
	buf_cstr(ret);
}

/* One request of raw text, answered and closed. */
static void ask(struct world *w, const char *request, struct buf *ret)
{
	int fd = stranger(w);

	put(w, fd, request, strlen(request));
	shutdown(fd, SHUT_WR);
	take(w, fd, NULL, ret);
	close(fd);
}

#define CLOSE "Host: x\r\nConnection: close\r\n"

static void expect(struct world *w, const char *request, const char *const *parts)
{
	_cleanup_buf_ struct buf answer = {0};
	int fd = stranger(w);

	put(w, fd, request, strlen(request));
	take(w, fd, NULL, &answer);
	close(fd);
	for (; *parts; parts++)
		if (!strstr((char *)answer.data, *parts))
			fail_msg("'%s' is not in the answer: %s", *parts, (char *)answer.data);
}
#define EXPECT(w, request, ...) expect((w), (request), (const char *const[]){__VA_ARGS__, NULL})

/* ---- requests ---- */

static void test_a_text_is_answered(void **state)
{
	EXPECT(*state, "POST /echo HTTP/1.1\r\n" CLOSE "Content-Length: 5\r\n\r\nhello", "HTTP/1.1 200 OK\r\n",
	       "Content-Length: 5\r\n", "Content-Type: text/plain\r\n", "\r\n\r\nhello");
}

static void test_a_chunked_body_is_put_together(void **state)
{
	EXPECT(*state,
	       "POST /echo HTTP/1.1\r\n" CLOSE "Transfer-Encoding: chunked\r\n\r\n3\r\nfoo\r\n3\r\nbar\r\n0\r\n\r\n",
	       "\r\n\r\nfoobar");
}

static void test_query_and_headers_are_read(void **state)
{
	struct world *w = *state;

	EXPECT(w, "GET /query?a=x%20y&b=%zz HTTP/1.1\r\n" CLOSE "X-Test: yes\r\n\r\n", "HTTP/1.1 202 ");
	assert_string_equal(w->query, "x y|yes|/query?a=x%20y&b=%zz");
	EXPECT(w, "GET /query HTTP/1.1\r\n" CLOSE "\r\n", "HTTP/1.1 202 ");
	assert_string_equal(w->query, "(none)|(none)|/query");
}

static void test_a_record_is_read_and_written(void **state)
{
	EXPECT(*state,
	       "POST /label HTTP/1.1\r\n" CLOSE
	       "Content-Type: Application/JSON; charset=utf-8\r\nContent-Length: 21\r\n\r\n{\"key\":\"k\",\"value\":1}",
	       "400");
	EXPECT(*state,
	       "POST /label HTTP/1.1\r\n" CLOSE "Content-Type: Application/JSON; charset=utf-8\r\nContent-Length: "
	       "23\r\n\r\n{\"key\":\"k\",\"value\":\"v\"}",
	       "HTTP/1.1 200 OK", "Content-Type: application/json\r\n", "\r\n\r\n{\"key\":\"k\",\"value\":\"v\"}");
}

static void test_bodies_that_are_no_record_are_refused(void **state)
{
	struct world *w = *state;

	EXPECT(w, "POST /label HTTP/1.1\r\n" CLOSE "Content-Length: 2\r\n\r\n{}", "HTTP/1.1 400 ", "no Content-Type");
	EXPECT(w, "POST /label HTTP/1.1\r\n" CLOSE "Content-Type: text/plain\r\nContent-Length: 2\r\n\r\n{}",
	       "HTTP/1.1 415 ", "send application/json");
	EXPECT(w, "POST /label HTTP/1.1\r\n" CLOSE "Content-Type: application/jsonx\r\nContent-Length: 2\r\n\r\n{}",
	       "HTTP/1.1 415 ");
	EXPECT(w, "POST /label HTTP/1.1\r\n" CLOSE "Content-Type: application/json\r\nContent-Length: 2\r\n\r\n{}",
	       "HTTP/1.1 400 ", "\"reason\":\"invalid\"", "key");
	EXPECT(w, "POST /label HTTP/1.1\r\n" CLOSE "Content-Type: application/json\r\nContent-Length: 0\r\n\r\n",
	       "HTTP/1.1 400 ");
	assert_int_equal(w->calls, 5);
}

static void test_an_error_is_an_api_error(void **state)
{
	EXPECT(*state, "GET /fail HTTP/1.1\r\n" CLOSE "\r\n", "HTTP/1.1 409 Conflict\r\n",
	       "Content-Type: application/json\r\n", "{\"error\":\"no \\\"luck\\\" today\",\"reason\":\"conflict\"}");
}

static void test_a_redirect_keeps_path_and_query(void **state)
{
	EXPECT(*state, "GET /master/redirect?a=b HTTP/1.1\r\n" CLOSE "\r\n", "HTTP/1.1 307 ",
	       "Location: //leader:5050/master/redirect?a=b\r\n", "not_leader");
}

static void test_a_redirect_to_the_base_keeps_nothing(void **state)
{
	EXPECT(*state, "GET /base?a=b HTTP/1.1\r\n" CLOSE "\r\n", "HTTP/1.1 307 ", "Location: //[::1]:5050\r\n",
	       "not_leader");
}

static void test_keep_alive_answers_one_after_the_other(void **state)
{
	struct world *w = *state;
	_cleanup_buf_ struct buf answer = {0};
	int fd = stranger(w);
	static const char one[] = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\none";
	static const char two[] = "POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 3\r\n\r\ntwo";

	put(w, fd, one, strlen(one));
	put(w, fd, two, strlen(two)); /* pipelined */
	take(w, fd, "\r\n\r\ntwo", &answer);
	assert_non_null(strstr((char *)answer.data, "\r\n\r\none"));
	put(w, fd, one, strlen(one));
	buf_clear(&answer);
	take(w, fd, "\r\n\r\none", &answer);
	close(fd);
}

/* ---- routes ---- */

static void test_unknown_paths_are_not_found(void **state)
{
	static const char *const paths[] = {"/",
	                                    "/nothing",
	                                    "/echo/",
	                                    "/echox",
	                                    "/master",
	                                    "/slave(x)/echo",
	                                    "/slave()/fail",
	                                    "/slave(1/fail",
	                                    "/master/master/fail",
	                                    "/fail%00",
	                                    "//fail",
	                                    "/%"};
	char request[128];

	for (size_t i = 0; i < ARRAY_SIZE(paths); i++) {
		snprintf(request, sizeof(request), "GET %s HTTP/1.1\r\n" CLOSE "\r\n", paths[i]);
		EXPECT(*state, request, "HTTP/1.1 404 ", "\"reason\":\"not_found\"", "/help");
	}
}

static void test_prefixes_of_mesos_are_aliases(void **state)
{
	EXPECT(*state, "GET /master/fail HTTP/1.1\r\n" CLOSE "\r\n", "409");
	EXPECT(*state, "GET /slave(1)/fail HTTP/1.1\r\n" CLOSE "\r\n", "409");
	EXPECT(*state, "GET /slave%2812%29/fail HTTP/1.1\r\n" CLOSE "\r\n", "409");
}

static void test_other_methods_are_not_allowed(void **state)
{
	static const char *const methods[] = {"POST", "PUT", "DELETE", "HEAD", "OPTIONS", "PATCH"};
	char request[128];

	for (size_t i = 0; i < ARRAY_SIZE(methods); i++) {
		snprintf(request, sizeof(request), "%s /fail HTTP/1.1\r\n" CLOSE "Content-Length: 0\r\n\r\n",
		         methods[i]);
		EXPECT(*state, request, "HTTP/1.1 405 ", "Allow: GET\r\n");
	}
	EXPECT(*state, "PUT /both HTTP/1.1\r\n" CLOSE "Content-Length: 0\r\n\r\n", "Allow: GET, POST\r\n",
	       "\"reason\":\"method_not_allowed\"");
	EXPECT(*state, "POST /help HTTP/1.1\r\n" CLOSE "Content-Length: 0\r\n\r\n", "HTTP/1.1 405 ", "Allow: GET\r\n");
}

static void test_help_lists_the_table(void **state)
{
	EXPECT(*state, "GET /help HTTP/1.1\r\n" CLOSE "\r\n", "HTTP/1.1 200 ", "POST  /echo ", "Says it again.",
	       "GET   /help ", "operator");
}

/* ---- limits and junk ---- */

static void test_an_oversize_body_is_refused(void **state)
{
	struct world *w = *state;
	_cleanup_buf_ struct buf answer = {0};

	ask(w, "POST /echo HTTP/1.1\r\n" CLOSE "Content-Length: 4194305\r\n\r\nabc", &answer);
	assert_non_null(strstr((char *)answer.data, "HTTP/1.1 413 "));
	buf_clear(&answer);
	ask(w, "POST /echo HTTP/1.1\r\n" CLOSE "Content-Length: 99999999999999\r\n\r\nabc", &answer);
	assert_non_null(strstr((char *)answer.data, "HTTP/1.1 413 "));
}

static void test_an_oversize_chunked_body_is_refused(void **state)
{
	struct world *w = *state;
	static const char head[] = "POST /echo HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n";
	char *chunk = xcalloc(1, 65536 + 16);
	struct rusage before, after;
	int fd = stranger(w), n = snprintf(chunk, 16, "10000\r\n");

	memset(chunk + n, 'x', 65536);
	memcpy(chunk + n + 65536, "\r\n", 2);
	getrusage(RUSAGE_SELF, &before);
	put(w, fd, head, strlen(head));
	for (int i = 0; i < 1000; i++)
		put(w, fd, chunk, (size_t)n + 65536 + 2);
	getrusage(RUSAGE_SELF, &after);
	assert_true(after.ru_maxrss - before.ru_maxrss < 32 * 1024);
	close(fd);
	free(chunk);
	EXPECT(w, "GET /fail HTTP/1.1\r\n" CLOSE "\r\n", "409");
}

static void test_the_largest_body_passes(void **state)
{
	struct world *w = *state;
	static const char head[] = "POST /echo HTTP/1.1\r\n" CLOSE "Content-Length: 4194304\r\n\r\n";
	_cleanup_buf_ struct buf answer = {0};
	char *body = xcalloc(1, HTTP_MAX_BODY);
	int fd = stranger(w);

	put(w, fd, head, strlen(head));
	put(w, fd, body, HTTP_MAX_BODY);
	take(w, fd, NULL, &answer);
	assert_true(answer.size > HTTP_MAX_BODY && answer.size < HTTP_MAX_BODY + 1000);
	close(fd);
	free(body);
}

static void test_oversize_headers_are_refused(void **state)
{
	struct world *w = *state;
	_cleanup_buf_ struct buf answer = {0};
	char *value = xcalloc(1, 1 << 20);
	int fd = stranger(w);

	memset(value, 'v', (1 << 20) - 1);
	put(w, fd, "GET /fail HTTP/1.1\r\nX: ", 23);
	put(w, fd, value, (1 << 20) - 1);
	take(w, fd, NULL, &answer);
	assert_null(strstr(buf_cstr(&answer), "409"));
	close(fd);
	free(value);
}

static void test_junk_harms_nobody(void **state)
{
	struct world *w = *state;
	static const char *const junk[] = {
		"\r\n\r\n",
		"\0\0\0\1x",
		"GET\r\n\r\n",
		"GET / HTTP/9.9\r\n\r\n",
		"GET /fail FTP/1.1\r\n\r\n",
		"BREW /pot HTTP/1.1\r\n\r\n",
		"GET  HTTP/1.1\r\n\r\n",
		"POST /echo HTTP/1.1\r\nContent-Length: -1\r\n\r\n",
		"POST /echo HTTP/1.1\r\nContent-Length: 5x\r\n\r\nhello",
		"POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n",
		"GET /fail HTTP/1.1\r\nno colon here\r\n\r\n",
		"POST /echo HTTP/1.1\r\nTransfer-Encoding: chunked\r\n\r\nffffffffffffffff\r\nx",
		"GET http://[::1:80/fail HTTP/1.1\r\n\r\n",
		"GET /fail?%%%=& HTTP/1.1\r\n\r\n",
		"\26\3\1\2\0\1\0\1\374\3\3",
		"CONNECT fail:80 HTTP/1.1\r\n\r\n",
		"GET * HTTP/1.1\r\n\r\n",
		"GET /fail HTTP/1.1\r\n: empty\r\n\r\n",
	};

	for (size_t i = 0; i < ARRAY_SIZE(junk); i++) {
		_cleanup_buf_ struct buf answer = {0};
		int fd = stranger(w);
		put(w, fd, junk[i], junk[i][0] ? strlen(junk[i]) : 5);
		shutdown(fd, SHUT_WR);
		take(w, fd, NULL, &answer);
		close(fd);
	}
	for (int round = 0; round < 100; round++) {
		char noise[300];
		int fd = stranger(w);
		for (size_t i = 0; i < sizeof(noise); i++)
			noise[i] = (char)loop_random(w->l);
		put(w, fd, noise, 1 + loop_random_below(w->l, sizeof(noise)));
		close(fd);
		drive_idle(w->l);
	}
	EXPECT(w, "GET /fail HTTP/1.1\r\n" CLOSE "\r\n", "409");
}

/* A client that vanishes after every possible prefix of an exchange. */
static void test_clients_may_vanish_at_any_point(void **state)
{
	struct world *w = *state;
	static const char request[] =
		"POST /echo HTTP/1.1\r\nHost: x\r\nContent-Length: 5\r\n\r\nhelloGET /big HTTP/1.1\r\n\r\n";
	struct linger now = {.l_onoff = 1};

	for (size_t n = 0; n <= strlen(request); n++) {
		int fd = stranger(w);
		put(w, fd, request, n);
		if (n % 2)
			setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
		loop_step(w->l, 0);
		close(fd);
		drive_idle(w->l);
	}
	EXPECT(w, "GET /fail HTTP/1.1\r\n" CLOSE "\r\n", "409");
}

/* ---- answers later ---- */

static int ask_later(struct world *w, const char *request)
{
	int fd = stranger(w);

	put(w, fd, request, strlen(request));
	DRIVE(w->l, w->pending);
	return fd;
}

static void test_an_answer_may_come_later(void **state)
{
	struct world *w = *state;
	_cleanup_buf_ struct buf answer = {0};
	int fd = ask_later(w, "GET /later HTTP/1.1\r\n" CLOSE "\r\n");

	drive_idle(w->l);
	http_reply_text(w->pending, 200, NULL, "at last", 7);
	take(w, fd, NULL, &answer);
	assert_non_null(strstr((char *)answer.data, "\r\n\r\nat last"));
	assert_int_equal(w->gone, 0);
	close(fd);
}

static void test_what_comes_before_the_answer_waits(void **state)
{
	struct world *w = *state;
	_cleanup_buf_ struct buf answer = {0};
	int fd = ask_later(w, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");
	static const char next[] = "POST /echo HTTP/1.1\r\n" CLOSE "Content-Length: 4\r\n\r\nnext";

	put(w, fd, next, strlen(next));
	drive_idle(w->l);
	http_reply_text(w->pending, 200, NULL, "first", 5);
	take(w, fd, NULL, &answer);
	assert_non_null(strstr((char *)answer.data, "\r\n\r\nfirstHTTP/1.1 200 OK"));
	assert_non_null(strstr((char *)answer.data, "\r\n\r\nnext"));
	assert_int_equal(w->gone, 0);
	close(fd);
}

static void test_a_big_answer_may_come_later(void **state)
{
	struct world *w = *state;
	_cleanup_buf_ struct buf answer = {0};
	int fd = ask_later(w, "GET /later HTTP/1.0\r\n\r\n");

	on_big(w, w->pending);
	take(w, fd, NULL, &answer);
	assert_non_null(strstr((char *)answer.data, "key-99999"));
	close(fd);
}

static void test_a_client_that_goes_is_told(void **state)
{
	struct world *w = *state;

	close(ask_later(w, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n"));
	DRIVE(w->l, w->gone);
	assert_int_equal(w->gone, 1);
}

static void test_a_client_that_resets_is_told(void **state)
{
	struct world *w = *state;
	struct linger now = {.l_onoff = 1};
	int fd = ask_later(w, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n");

	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	close(fd);
	DRIVE(w->l, w->gone);
}

static void test_an_answer_to_one_who_went_is_thrown_away(void **state)
{
	struct world *w = *state;

	for (int i = 0; i < 4; i++) {
		int fd = ask_later(w, "GET /careless HTTP/1.1\r\nHost: x\r\n\r\n");
		struct http_request *req = w->pending;
		size_t size;
		close(fd);
		drive_idle(w->l);
		w->pending = NULL;
		assert_null(http_header(req, "Host"));
		http_body(req, &size);
		assert_int_equal(size, 0);
		if (i == 0)
			http_reply_text(req, 200, "text/plain", "x", 1);
		else if (i == 1)
			http_reply_redirect(req, "h", 1);
		else if (i == 2)
			http_reply_record(req, 200, &rec_label, &(struct fl_label){.key = "k"}, zone_create());
		/* the last one is left to the server's end */
	}
}

static void test_a_server_drops_open_requests(void **state)
{
	struct world *w = *state;
	int a = ask_later(w, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n"), b;
	char c;

	w->pending = NULL;
	b = ask_later(w, "GET /careless HTTP/1.1\r\nHost: x\r\n\r\n");
	http_server_destroy(w->s);
	w->s = NULL;
	drive_idle(w->l);
	assert_int_equal(w->gone, 0);
	assert_int_equal(read(a, &c, 1), 0);
	close(a);
	close(b);
}

static void test_destroy_in_a_handler(void **state)
{
	struct world *w = *state;
	int fd = stranger(w);
	static const char request[] = "GET /destroy HTTP/1.1\r\nHost: x\r\n\r\n";

	put(w, fd, request, strlen(request));
	DRIVE(w->l, !w->s);
	drive_idle(w->l);
	close(fd);
}

static void test_destroy_in_a_handler_that_answers(void **state)
{
	struct world *w = *state;
	int fd = stranger(w);
	static const char request[] = "GET /destroy?reply=1 HTTP/1.1\r\nHost: x\r\n\r\n";

	put(w, fd, request, strlen(request));
	DRIVE(w->l, !w->s);
	drive_idle(w->l);
	close(fd);
}

static void test_destroy_in_on_gone(void **state)
{
	struct world *w = *state;

	w->destroy_in_gone = true;
	close(ask_later(w, "GET /later HTTP/1.1\r\nHost: x\r\n\r\n"));
	DRIVE(w->l, w->gone);
	drive_idle(w->l);
}

/* ---- big answers ---- */

static void expect_big(struct world *w, const char *request)
{
	_cleanup_buf_ struct buf answer = {0};
	_cleanup_zone_ struct zone *zone = zone_create();
	struct fl_labels labels = {0};
	int fd = stranger(w);

	fill_labels(&labels, zone);
	_cleanup_buf_ struct buf json = {0};
	json_encode(&rec_labels, &labels, &json);
	put(w, fd, request, strlen(request));
	take(w, fd, NULL, &answer);
	close(fd);
	/* HTTP/1.0: no chunks, the body as it is. */
	const char *body = strstr((char *)answer.data, "\r\n\r\n");
	assert_non_null(body);
	assert_string_equal(body + 4, buf_cstr(&json));
}

static void test_a_big_record_comes_whole(void **state)
{
	expect_big(*state, "GET /big HTTP/1.0\r\n\r\n");
	expect_big(*state, "GET /big_borrowed HTTP/1.0\r\n\r\n");
}

static void test_a_big_record_is_chunked(void **state)
{
	struct world *w = *state;

	EXPECT(w, "GET /big HTTP/1.1\r\n" CLOSE "\r\n", "Transfer-Encoding: chunked\r\n", "\r\n0\r\n\r\n", "key-99999");
}

static void test_slow_readers_hold_no_memory(void **state)
{
	struct world *w = *state;
	static const char request[] = "GET /big_borrowed HTTP/1.1\r\nHost: x\r\n\r\n";
	char c;
	int fd = stranger(w), small = 4096;

	setsockopt(fd, SOL_SOCKET, SO_RCVBUF, &small, sizeof(small));
	put(w, fd, request, strlen(request));
	drive_idle(w->l);
	assert_int_equal(read(fd, &c, 1), 1);
	/* More requests than it reads answers: what it sends is not read without end. */
	char *more = xcalloc(1, 64 << 20);
	size_t sent = 0;
	for (int idle = 0; idle < 200 && sent < 64u << 20;) {
		ssize_t n = write(fd, more, (64u << 20) - sent);
		idle = n > 0 ? 0 : idle + 1;
		sent += n > 0 ? (size_t)n : 0;
		loop_step(w->l, 0);
	}
	assert_true(sent < 32u << 20);
	free(more);
	close(fd);
	drive_idle(w->l);
	EXPECT(w, "GET /fail HTTP/1.1\r\n" CLOSE "\r\n", "409");
}

static void test_vanishing_in_the_middle_of_a_big_answer(void **state)
{
	struct world *w = *state;
	static const char request[] = "GET /big HTTP/1.1\r\nHost: x\r\n\r\n";
	char data[1000];

	for (int i = 0; i < 20; i++) {
		int fd = stranger(w);
		put(w, fd, request, strlen(request));
		for (int k = 0; k < i; k++) {
			loop_step(w->l, 0);
			assert_true(read(fd, data, sizeof(data)) != 0);
		}
		close(fd);
		drive_idle(w->l);
	}
}

static void test_too_big_a_text_is_an_error(void **state)
{
	EXPECT(*state, "GET /too_big HTTP/1.1\r\n" CLOSE "\r\n", "HTTP/1.1 500 ", "too_large");
}

/* ---- client ---- */

static void on_fetched(void *user, int status, const char *body, size_t size)
{
	struct world *w = user;

	w->fetch = NULL;
	w->fetched++;
	w->status = status;
	buf_append(&w->body, body, size);
	buf_cstr(&w->body);
}

static void fetch(struct world *w, const char *host, int port, const char *path, int timeout_ms)
{
	buf_clear(&w->body);
	w->fetched = 0;
	w->fetch = http_get(w->l, host, port, path, timeout_ms, on_fetched, w);
	assert_int_equal(w->fetched, 0);
	DRIVE(w->l, w->fetched);
}

static void test_the_client_gets_an_answer(void **state)
{
	struct world *w = *state;
	int port = http_server_port(w->s);

	fetch(w, "127.0.0.1", port, "/fail?x=1", 5000);
	assert_int_equal(w->status, 409);
	assert_non_null(strstr((char *)w->body.data, "luck"));
	fetch(w, "localhost", port, "/query?a=1", 5000);
	assert_int_equal(w->status, 202);
	assert_int_equal(w->body.size, 0);
}

static void test_the_client_refuses_too_much(void **state)
{
	struct world *w = *state;

	fetch(w, "127.0.0.1", http_server_port(w->s), "/big", 5000);
	assert_int_equal(w->status, -EMSGSIZE);
	assert_int_equal(w->body.size, 0);
}

static void test_the_client_times_out(void **state)
{
	struct world *w = *state;

	fetch(w, "127.0.0.1", http_server_port(w->s), "/later", 100);
	assert_int_equal(w->status, -ETIMEDOUT);
	DRIVE(w->l, w->gone);
}

static void test_the_client_is_refused(void **state)
{
	struct world *w = *state;
	int port = http_server_port(w->s);

	http_server_destroy(w->s);
	w->s = NULL;
	fetch(w, "127.0.0.1", port, "/fail", 5000);
	assert_int_equal(w->status, -ECONNREFUSED);
	fetch(w, "localhost", port, "/fail", 5000);
	assert_int_equal(w->status, -ECONNREFUSED);
}

static void test_the_client_can_be_cancelled(void **state)
{
	struct world *w = *state;
	int port = http_server_port(w->s);

	http_fetch_cancel(http_get(w->l, "127.0.0.1", port, "/fail", 5000, on_fetched, w));
	http_fetch_cancel(http_get(w->l, "no-such-host.invalid", port, "/fail", 5000, on_fetched, w));
	w->fetch = http_get(w->l, "127.0.0.1", port, "/later", 5000, on_fetched, w);
	DRIVE(w->l, w->pending);
	http_fetch_cancel(w->fetch);
	w->fetch = NULL;
	DRIVE(w->l, w->gone);
	assert_int_equal(w->fetched, 0);
}

/* A server of raw bytes, one answer for one connection. */
static void fetch_raw(struct world *w, const char *answer)
{
	struct sockaddr_in at = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	socklen_t size = sizeof(at);
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_NONBLOCK, 0), peer = -1;

	assert_int_equal(bind(fd, (struct sockaddr *)&at, sizeof(at)), 0);
	assert_int_equal(listen(fd, 1), 0);
	getsockname(fd, (struct sockaddr *)&at, &size);
	buf_clear(&w->body);
	w->fetched = 0;
	w->fetch = http_get(w->l, "127.0.0.1", ntohs(at.sin_port), "/x", 300, on_fetched, w);
	DRIVE(w->l, (peer = accept(fd, NULL, NULL)) >= 0);
	char request[1000];
	DRIVE(w->l, recv(peer, request, sizeof(request), MSG_DONTWAIT) > 0);
	assert_true(write(peer, answer, strlen(answer)) == (ssize_t)strlen(answer));
	close(peer);
	DRIVE(w->l, w->fetched);
	close(fd);
}

static void test_the_client_survives_bad_servers(void **state)
{
	struct world *w = *state;

	fetch_raw(w, "HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
	assert_int_equal(w->status, 200);
	assert_string_equal((char *)w->body.data, "ok");
	fetch_raw(w, "HTTP/1.0 200 OK\r\n\r\nuntil the end");
	assert_int_equal(w->status, 200);
	assert_string_equal((char *)w->body.data, "until the end");
	fetch_raw(w, "");
	assert_true(w->status < 0);
	fetch_raw(w, "not HTTP at all\r\n\r\n");
	assert_true(w->status < 0);
	fetch_raw(w, "HTTP/1.1 200 OK\r\nContent-Length: 100\r\n\r\ntoo short");
	assert_true(w->status < 0);
	fetch_raw(w, "HTTP/1.1 200 OK\r\nContent-Length: 99999999999\r\n\r\n");
	assert_true(w->status < 0);
}

static void test_a_bad_listen_address_is_explained(void **state)
{
	struct world *w = *state;
	struct err err = {0};

	assert_null(http_server_create(w->l, "127.0.0.1", http_server_port(w->s), routes, 0, w, &err));
	assert_int_equal(err.code, EADDRINUSE);
	assert_null(http_server_create(w->l, "nowhere", 0, routes, 0, w, &err));
	assert_int_equal(err.code, EINVAL);
}

#define T(name) cmocka_unit_test_setup_teardown(test_##name, setup, teardown)

int main(void)
{
	const struct CMUnitTest tests[] = {
		T(a_text_is_answered),
		T(a_chunked_body_is_put_together),
		T(query_and_headers_are_read),
		T(a_record_is_read_and_written),
		T(bodies_that_are_no_record_are_refused),
		T(an_error_is_an_api_error),
		T(a_redirect_keeps_path_and_query),
		T(a_redirect_to_the_base_keeps_nothing),
		T(keep_alive_answers_one_after_the_other),
		T(unknown_paths_are_not_found),
		T(prefixes_of_mesos_are_aliases),
		T(other_methods_are_not_allowed),
		T(help_lists_the_table),
		T(an_oversize_body_is_refused),
		T(an_oversize_chunked_body_is_refused),
		T(the_largest_body_passes),
		T(oversize_headers_are_refused),
		T(junk_harms_nobody),
		T(clients_may_vanish_at_any_point),
		T(an_answer_may_come_later),
		T(what_comes_before_the_answer_waits),
		T(a_big_answer_may_come_later),
		T(a_client_that_goes_is_told),
		T(a_client_that_resets_is_told),
		T(an_answer_to_one_who_went_is_thrown_away),
		T(a_server_drops_open_requests),
		T(destroy_in_a_handler),
		T(destroy_in_a_handler_that_answers),
		T(destroy_in_on_gone),
		T(a_big_record_comes_whole),
		T(a_big_record_is_chunked),
		T(slow_readers_hold_no_memory),
		T(vanishing_in_the_middle_of_a_big_answer),
		T(too_big_a_text_is_an_error),
		T(the_client_gets_an_answer),
		T(the_client_refuses_too_much),
		T(the_client_times_out),
		T(the_client_is_refused),
		T(the_client_can_be_cancelled),
		T(the_client_survives_bad_servers),
		T(a_bad_listen_address_is_explained),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
