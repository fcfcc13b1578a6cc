/* The ZooKeeper seam against a real server: calls, watches, sessions, and what happens when the server goes. */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "base/loop.h"
#include "net/zk.h"
#include "tests/lib/zookeeper.h"
#include "tests/unit/net/drive.h"

#define SESSION_MS 1000

static struct zookeeper server;

/* One client and the last thing it was told. */
struct client {
	struct loop *loop;
	struct zk *zk;
	int states[5]; /* how often each came */
	int answers, status, failed, version, watches;
	char text[256];
	size_t size, names;
	bool destroy_on_expiry, destroy_on_answer;
};

static void on_state(void *user, enum zk_state state)
{
	struct client *c = user;

	c->states[state]++;
	if (state == ZK_EXPIRED && c->destroy_on_expiry) {
		zk_destroy(c->zk);
		c->zk = NULL;
	}
}

static void note(struct client *c, int status, const void *text, size_t size)
{
	c->answers++;
	c->status = status;
	c->size = size;
	snprintf(c->text, sizeof(c->text), "%.*s", (int)(size < 200 ? size : 200), text ? (const char *)text : "");
	if (c->destroy_on_answer) {
		zk_destroy(c->zk);
		c->zk = NULL;
	}
}

static void on_status(void *user, int status)
{
	note(user, status, NULL, 0);
}

static void on_data(void *user, int status, const void *data, size_t size, int version)
{
	((struct client *)user)->version = version;
	note(user, status, data, size);
}

static void on_list(void *user, int status, const char *const *names, size_t n)
{
	((struct client *)user)->names = n;
	note(user, status, n ? names[0] : "", n ? strlen(names[0]) : 0);
}

static void on_path(void *user, int status, const char *path)
{
	note(user, status, path, path ? strlen(path) : 0);
}

static void on_multi(void *user, int status, int failed)
{
	((struct client *)user)->failed = failed;
	note(user, status, NULL, 0);
}

static void on_watch(void *user)
{
	((struct client *)user)->watches++;
}

static void open_client_session(struct client *c, struct loop *l, int session_ms)
{
	struct err err = {0};

	*c = (struct client){.loop = l};
	c->zk = zk_create(l, server.hosts, session_ms, on_state, c, &err);
	assert_non_null(c->zk);
}

static void open_client(struct client *c, struct loop *l)
{
	open_client_session(c, l, SESSION_MS);
}

#define WAIT(c, n) DRIVE((c)->loop, (c)->answers >= (n))

/* Runs one call and waits for its answer. */
#define CALL(c, call)                              \
	do {                                       \
		int answers_before = (c)->answers; \
		call;                              \
		WAIT(c, answers_before + 1);       \
	} while (0)

static void malformed_hosts(void **state)
{
	static const char *const bad[] = {"", "a", "a:0", "a:x", ":1", "a:1,b"};
	struct loop *l = loop_create();

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct err err = {0};
		assert_null(zk_create(l, bad[i], SESSION_MS, on_state, NULL, &err));
		assert_int_equal(err.code, EINVAL);
	}
	zk_destroy(NULL);
	loop_destroy(l);
}

static void calls_and_statuses(void **state)
{
	struct loop *l = loop_create();
	struct client c;

	open_client(&c, l);
	assert_int_equal(zk_state(c.zk), ZK_CONNECTING);
	assert_int_equal(zk_session_ms(c.zk), 0);
	/* Asked before there is a connection: it waits. */
	CALL(&c, zk_make(c.zk, "/calls", "one", 3, 0, on_path, &c));
	assert_int_equal(c.status, 0);
	assert_string_equal(c.text, "/calls");
	assert_int_equal(c.states[ZK_CONNECTED], 1);
	assert_true(zk_session_ms(c.zk) >= SESSION_MS);
	assert_true(zk_session_id(c.zk) != 0);

	CALL(&c, zk_make(c.zk, "/calls", NULL, 0, 0, on_path, &c));
	assert_int_equal(c.status, -EEXIST);
	CALL(&c, zk_make(c.zk, "/no/parent", NULL, 0, 0, on_path, &c));
	assert_int_equal(c.status, -ENOENT);
	CALL(&c, zk_get(c.zk, "/calls", NULL, NULL, on_data, &c));
	assert_int_equal(c.status, 0);
	assert_string_equal(c.text, "one");
	assert_int_equal(c.version, 0);
	CALL(&c, zk_set(c.zk, "/calls", "two", 3, 1, on_status, &c));
	assert_int_equal(c.status, -ESTALE);
	CALL(&c, zk_set(c.zk, "/calls", "two", 3, 0, on_status, &c));
	assert_int_equal(c.status, 0);
	CALL(&c, zk_set(c.zk, "/calls", NULL, 0, ZK_ANY_VERSION, on_status, &c));
	CALL(&c, zk_get(c.zk, "/calls", NULL, NULL, on_data, &c));
	assert_int_equal(c.size, 0);
	assert_int_equal(c.version, 2);
	CALL(&c, zk_exists(c.zk, "/nothing", NULL, NULL, on_status, &c));
	assert_int_equal(c.status, -ENOENT);
	CALL(&c, zk_get(c.zk, "/nothing", NULL, NULL, on_data, &c));
	assert_int_equal(c.status, -ENOENT);
	CALL(&c, zk_make(c.zk, "/calls/s", NULL, 0, ZK_SEQUENCE | ZK_EPHEMERAL, on_path, &c));
	assert_string_equal(c.text, "/calls/s0000000000");
	CALL(&c, zk_children(c.zk, "/calls", NULL, NULL, on_list, &c));
	assert_int_equal(c.names, 1);
	assert_string_equal(c.text, "s0000000000");
	CALL(&c, zk_remove(c.zk, "/calls", ZK_ANY_VERSION, on_status, &c));
	assert_int_equal(c.status, -ENOTEMPTY);
	CALL(&c, zk_remove(c.zk, "/calls/s0000000000", ZK_ANY_VERSION, on_status, &c));
	assert_int_equal(c.status, 0);
	CALL(&c, zk_remove(c.zk, "not a path", ZK_ANY_VERSION, on_status, &c));
	assert_int_equal(c.status, -EIO);
	zk_destroy(c.zk);
	loop_destroy(l);
}

static void multi_is_all_or_nothing(void **state)
{
	struct loop *l = loop_create();
	struct client c;
	struct zk_op ops[] = {
		{ZK_OP_MAKE, "/multi", "x", 1, 0},
		{ZK_OP_MAKE, "/multi/a", NULL, 0, 0},
		{ZK_OP_CHECK, "/multi", NULL, 0, 0},
		{ZK_OP_SET, "/multi", "y", 1, 0},
	};
	struct zk_op bad[] = {
		{ZK_OP_CHECK, "/multi", NULL, 0, ZK_ANY_VERSION},
		{ZK_OP_REMOVE, "/multi/a", NULL, 0, ZK_ANY_VERSION},
		{ZK_OP_CHECK, "/multi", NULL, 0, 7},
		{ZK_OP_SET, "/multi", "z", 1, ZK_ANY_VERSION},
	};

	open_client(&c, l);
	CALL(&c, zk_multi(c.zk, ops, 4, on_multi, &c));
	assert_int_equal(c.status, 0);
	assert_int_equal(c.failed, -1);
	CALL(&c, zk_multi(c.zk, ops, 4, on_multi, &c));
	assert_int_equal(c.status, -EEXIST);
	assert_int_equal(c.failed, 0);
	CALL(&c, zk_multi(c.zk, bad, 4, on_multi, &c));
	assert_int_equal(c.status, -ESTALE);
	assert_int_equal(c.failed, 2);
	bad[2].path = "/gone";
	CALL(&c, zk_multi(c.zk, bad, 4, on_multi, &c));
	assert_int_equal(c.status, -ENOENT);
	CALL(&c, zk_get(c.zk, "/multi", NULL, NULL, on_data, &c));
	assert_string_equal(c.text, "y");
	CALL(&c, zk_exists(c.zk, "/multi/a", NULL, NULL, on_status, &c));
	assert_int_equal(c.status, 0);
	zk_destroy(c.zk);
	loop_destroy(l);
}

static void watches_fire_once(void **state)
{
	struct loop *l = loop_create();
	struct client a, b;

	open_client(&a, l);
	open_client(&b, l);
	CALL(&a, zk_exists(a.zk, "/watched", on_watch, &a, on_status, &a));
	assert_int_equal(a.status, -ENOENT);
	CALL(&b, zk_make(b.zk, "/watched", "1", 1, 0, on_path, &b));
	DRIVE(l, a.watches == 1);
	CALL(&a, zk_get(a.zk, "/watched", on_watch, &a, on_data, &a));
	CALL(&a, zk_children(a.zk, "/watched", on_watch, &a, on_list, &a));
	CALL(&b, zk_make(b.zk, "/watched/child", NULL, 0, 0, on_path, &b));
	DRIVE(l, a.watches == 2);
	CALL(&b, zk_set(b.zk, "/watched", "2", 1, ZK_ANY_VERSION, on_status, &b));
	DRIVE(l, a.watches == 3);
	CALL(&b, zk_set(b.zk, "/watched", "3", 1, ZK_ANY_VERSION, on_status, &b));
	CALL(&a, zk_get(a.zk, "/watched", NULL, NULL, on_data, &a));
	assert_string_equal(a.text, "3");
	assert_int_equal(a.watches, 3);
	/* A get that found nothing leaves no watch. */
	CALL(&a, zk_get(a.zk, "/watched/none", on_watch, &a, on_data, &a));
	CALL(&b, zk_make(b.zk, "/watched/none", NULL, 0, 0, on_path, &b));
	CALL(&a, zk_get(a.zk, "/watched/none", NULL, NULL, on_data, &a));
	assert_int_equal(a.watches, 3);
	zk_destroy(a.zk);
	zk_destroy(b.zk);
	loop_destroy(l);
}

static void many_calls_in_flight(void **state)
{
	struct loop *l = loop_create();
	struct client c;
	char path[32];

	open_client(&c, l);
	CALL(&c, zk_make(c.zk, "/many", NULL, 0, 0, on_path, &c));
	int start = c.answers;
	for (int i = 0; i < 3000; i++) {
		snprintf(path, sizeof(path), "/many/%d", i);
		zk_make(c.zk, path, path, strlen(path), 0, on_path, &c);
	}
	DRIVE(l, c.answers == start + 3000);
	assert_string_equal(c.text, "/many/2999");
	CALL(&c, zk_children(c.zk, "/many", NULL, NULL, on_list, &c));
	assert_int_equal(c.names, 3000);
	zk_destroy(c.zk);
	loop_destroy(l);
}

static void closing_ends_the_session(void **state)
{
	struct loop *l = loop_create();
	struct client a, b;

	open_client(&a, l);
	open_client(&b, l);
	CALL(&a, zk_make(a.zk, "/mine", NULL, 0, ZK_EPHEMERAL, on_path, &a));
	CALL(&b, zk_exists(b.zk, "/mine", on_watch, &b, on_status, &b));
	assert_int_equal(b.status, 0);
	int64_t start = loop_now_ms(l);
	zk_destroy(a.zk);
	DRIVE(l, b.watches == 1);
	assert_true(loop_now_ms(l) - start < SESSION_MS);
	/* With calls in flight, inside a callback, and never connected. */
	for (int i = 0; i < 20; i++)
		zk_get(b.zk, "/", on_watch, &b, on_data, &b);
	b.destroy_on_answer = true;
	int answers = b.answers;
	DRIVE(l, b.zk == NULL);
	drive_idle(l);
	assert_int_equal(b.answers, answers + 1);
	open_client(&a, l);
	zk_get(a.zk, "/", on_watch, &a, on_data, &a);
	zk_destroy(a.zk);
	drive_idle(l);
	loop_destroy(l);
}

/* The server is killed and comes back with its data: calls in flight fail, the session and its watches live on. */
static void server_restart(void **state)
{
	struct loop *l = loop_create();
	struct client c;

	open_client_session(&c, l, 8 * SESSION_MS);
	CALL(&c, zk_make(c.zk, "/kept", NULL, 0, ZK_EPHEMERAL, on_path, &c));
	CALL(&c, zk_exists(c.zk, "/kept", on_watch, &c, on_status, &c));
	uint64_t session = zk_session_id(c.zk);
	kill(server.pid, SIGSTOP);
	for (int i = 0; i < 3; i++)
		zk_get(c.zk, "/", NULL, NULL, on_data, &c);
	int before = c.answers;
	loop_step(l, 0);
	loop_step(l, 20);
	assert_int_equal(c.answers, before);
	zookeeper_kill(&server);
	DRIVE(l, c.states[ZK_SUSPENDED] == 1);
	WAIT(&c, before + 3); /* at once, not at the next connection */
	assert_int_equal(c.status, -EAGAIN);
	int64_t alive = zk_alive_since_ms(c.zk);
	zk_exists(c.zk, "/kept", NULL, NULL, on_status, &c); /* waits */
	zookeeper_launch(&server);
	WAIT(&c, before + 4);
	assert_int_equal(c.status, 0);
	assert_int_equal(zk_state(c.zk), ZK_CONNECTED);
	assert_true(zk_session_id(c.zk) == session);
	assert_true(zk_alive_since_ms(c.zk) > alive);
	assert_int_equal(c.watches, 0);
	CALL(&c, zk_remove(c.zk, "/kept", ZK_ANY_VERSION, on_status, &c));
	DRIVE(l, c.watches == 1); /* the watch from before */
	zk_destroy(c.zk);
	loop_destroy(l);
}

static void pings_tell_that_we_live(void **state)
{
	struct loop *l = loop_create();
	struct client c;

	open_client(&c, l);
	DRIVE(l, c.states[ZK_CONNECTED] == 1);
	int64_t start = loop_now_ms(l);
	assert_true(zk_alive_since_ms(c.zk) <= start && zk_alive_since_ms(c.zk) > start - 1000);
	DRIVE(l, zk_alive_since_ms(c.zk) > start + 2 * SESSION_MS);
	assert_true(loop_now_ms(l) - start < 4 * SESSION_MS);
	assert_int_equal(c.states[ZK_SUSPENDED], 0);
	/* A server that does not answer: no call is needed to notice. */
	kill(server.pid, SIGSTOP);
	start = loop_now_ms(l);
	DRIVE(l, c.states[ZK_SUSPENDED] == 1);
	assert_true(loop_now_ms(l) - start < SESSION_MS);
	assert_true(zk_alive_since_ms(c.zk) <= start);
	kill(server.pid, SIGCONT);
	DRIVE(l, c.states[ZK_CONNECTED] == 2 || c.states[ZK_EXPIRED] == 1);
	zk_destroy(c.zk);
	loop_destroy(l);
}

/* A process that is stopped for longer than its session. */
static void expiry(void **state)
{
	struct loop *l = loop_create(), *other = loop_create();
	struct client c, d;

	open_client(&c, l);
	open_client(&d, other);
	CALL(&c, zk_make(c.zk, "/mortal", NULL, 0, ZK_EPHEMERAL, on_path, &c));
	CALL(&c, zk_get(c.zk, "/mortal", on_watch, &c, on_data, &c));
	CALL(&d, zk_exists(d.zk, "/mortal", on_watch, &d, on_status, &d));
	DRIVE(other, d.watches == 1);
	for (int i = 0; i < 3; i++)
		zk_get(c.zk, "/", NULL, NULL, on_data, &c);
	int before = c.answers;
	WAIT(&c, before + 3);
	DRIVE(l, c.states[ZK_EXPIRED] == 1);
	assert_int_equal(zk_state(c.zk), ZK_EXPIRED);
	assert_int_equal(c.watches, 1);
	CALL(&c, zk_get(c.zk, "/", NULL, NULL, on_data, &c));
	assert_int_equal(c.status, -ECANCELED);
	zk_destroy(c.zk);
	zk_destroy(d.zk);
	loop_destroy(l);
	loop_destroy(other);
}

/* Nobody there for a while: attempts are few, and destroying works at any time. */
static void refused_for_long(void **state)
{
	struct zookeeper mine;
	struct loop *l = loop_create();
	struct client c = {.loop = l};

	zookeeper_init(&mine);
	c.zk = zk_create(l, mine.hosts, SESSION_MS, on_state, &c, NULL);
	zk_get(c.zk, "/", NULL, NULL, on_data, &c);
	int64_t end = loop_now_ms(l) + 2500;
	DRIVE(l, loop_now_ms(l) > end);
	printf("attempts in 2.5 s: %llu\n", (unsigned long long)zk_connect_attempts(c.zk));
	assert_in_range(zk_connect_attempts(c.zk), 3, 15);
	assert_int_equal(c.answers, 0);
	zookeeper_launch(&mine);
	WAIT(&c, 1);
	assert_int_equal(c.status, 0);
	zk_destroy(c.zk);
	loop_destroy(l);
	zookeeper_fini(&mine);
}

/* The server comes back without its data: it refuses the old session for ever, and we must notice. */
static void wiped_server(void **state)
{
	struct loop *l = loop_create();
	struct client c;

	open_client(&c, l);
	c.destroy_on_expiry = true;
	CALL(&c, zk_make(c.zk, "/wiped", NULL, 0, 0, on_path, &c));
	zookeeper_kill(&server);
	zookeeper_wipe(&server);
	int64_t start = loop_now_ms(l);
	zookeeper_launch(&server);
	DRIVE(l, c.states[ZK_EXPIRED] == 1);
	printf("noticed after %lld ms\n", (long long)(loop_now_ms(l) - start));
	assert_null(c.zk);
	drive_idle(l);
	open_client(&c, l);
	CALL(&c, zk_exists(c.zk, "/wiped", NULL, NULL, on_status, &c));
	assert_int_equal(c.status, -ENOENT);
	zk_destroy(c.zk);
	loop_destroy(l);
}

static void unknown_name(void **state)
{
	struct loop *l = loop_create();
	struct client c = {.loop = l};

	c.zk = zk_create(l, "no-such-host.invalid:2181", SESSION_MS, on_state, &c, NULL);
	assert_non_null(c.zk);
	int64_t end = loop_now_ms(l) + 500;
	DRIVE(l, loop_now_ms(l) > end);
	assert_int_equal(zk_state(c.zk), ZK_CONNECTING);
	zk_destroy(c.zk);
	drive_idle(l);
	loop_destroy(l);

	l = loop_create();
	char hosts[64];
	snprintf(hosts, sizeof(hosts), "no-such-host.invalid:2181,localhost:%d", server.port);
	c = (struct client){.loop = l};
	c.zk = zk_create(l, hosts, SESSION_MS, on_state, &c, NULL);
	DRIVE(l, c.states[ZK_CONNECTED] == 1);
	zk_destroy(c.zk);
	drive_idle(l);
	loop_destroy(l);
}

static int start_server(void **state)
{
	zookeeper_init(&server);
	zookeeper_start(&server);
	return 0;
}

static int stop_server(void **state)
{
	zookeeper_fini(&server);
	return 0;
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(malformed_hosts),
		cmocka_unit_test(calls_and_statuses),
		cmocka_unit_test(multi_is_all_or_nothing),
		cmocka_unit_test(watches_fire_once),
		cmocka_unit_test(many_calls_in_flight),
		cmocka_unit_test(closing_ends_the_session),
		cmocka_unit_test(server_restart),
		cmocka_unit_test(pings_tell_that_we_live),
		cmocka_unit_test(expiry),
		cmocka_unit_test(refused_for_long),
		cmocka_unit_test(wiped_server),
		cmocka_unit_test(unknown_name),
	};

	if (zookeeper_skip()) {
		printf("skipped: %s\n", zookeeper_skip());
		return 77;
	}
	return cmocka_run_group_tests(tests, start_server, stop_server);
}
