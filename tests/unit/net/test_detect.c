/* Who leads: from ZooKeeper's nodes and from the masters' own word. */
#include "tests/unit/net/master.h"

#include <errno.h>

#include "msg/desc.h"
#include "net/detect.h"
#include "net/http.h"

static struct zookeeper server;

/* What a detector told. */
struct listener {
	struct loop *loop;
	struct detect *detect;
	int told, none;
	char leader[32];
	int64_t port;
};

static void on_leader(void *user, const struct fl_master_info *leader)
{
	struct listener *d = user;

	d->told++;
	d->none += leader == NULL;
	d->port = leader ? leader->port : 0;
	snprintf(d->leader, sizeof(d->leader), "%s", leader ? leader->id : "");
}

static void listen_to(struct listener *d, struct loop *l, const char *address)
{
	struct url url;
	struct err err = {0};

	memset(d, 0, sizeof(*d));
	d->loop = l;
	assert_int_equal(url_parse(address, &url, NULL), 0);
	d->detect = detect_create(l, &url, SESSION_MS, on_leader, d, &err);
	assert_non_null(d->detect);
	url_fini(&url);
}

static void pass_ms(struct loop *l, int64_t ms)
{
	for (int64_t end = loop_now_ms(l) + ms; loop_now_ms(l) < end;)
		loop_step(l, 20);
}

#define LEADER(d, id) (strcmp((d)->leader, id) == 0)

/* ---- ZooKeeper ---- */

static void follows_the_election(void **state)
{
	struct loop *l = loop_create();
	struct listener d, late;
	struct master a, b;
	char address[96];

	snprintf(address, sizeof(address), "zk://%s/detect/one", server.hosts);
	listen_to(&d, l, address); /* before there is even a path */
	DRIVE(l, d.told == 1);
	assert_int_equal(d.none, 1);
	master_open(&a, l, address, "a");
	DRIVE(l, LEADER(&d, "a"));
	assert_int_equal(d.port, 5050);
	master_open(&b, l, address, "b");
	DRIVE(l, strcmp(b.leader, "a") == 0);
	listen_to(&late, l, address);
	DRIVE(l, LEADER(&late, "a"));
	assert_int_equal(late.told, 1);
	for (int i = 0; i < 20; i++)
		detect_again(d.detect);
	drive_idle(l);
	int64_t start = loop_now_ms(l);
	master_close(&a);
	DRIVE(l, LEADER(&d, "b") && LEADER(&late, "b"));
	assert_true(loop_now_ms(l) - start < SESSION_MS);
	master_close(&b);
	DRIVE(l, d.none == 2 && late.none == 1);
	detect_destroy(d.detect);
	detect_destroy(late.detect);
	detect_destroy(NULL);
	loop_destroy(l);
}

/* ZooKeeper away is not "nobody leads". */
static void keeps_the_last_leader(void **state)
{
	struct loop *l = loop_create();
	struct listener d;
	struct stranger s;
	char address[96], node[] = "/keeps/json.info_0000000000";
	static const char json[] = "{\"id\":\"m\",\"ip\":16777343,\"port\":5051,\"unknown\":[1]}";

	snprintf(address, sizeof(address), "zk://%s/keeps", server.hosts);
	stranger_open(&s, l, server.hosts);
	STRANGER(&s, zk_make(s.zk, "/keeps", NULL, 0, 0, stranger_on_path, &s));
	STRANGER(&s, zk_make(s.zk, "/keeps/log_replicas", NULL, 0, 0, stranger_on_path, &s));
	STRANGER(&s, zk_make(s.zk, "/keeps/info_0000000000", "{}", 2, 0, stranger_on_path, &s));
	STRANGER(&s, zk_make(s.zk, "/keeps/json.info_x", "{}", 2, 0, stranger_on_path, &s));
	listen_to(&d, l, address);
	DRIVE(l, d.told == 1);
	assert_int_equal(d.none, 1); /* none of these is a master */
	STRANGER(&s, zk_make(s.zk, node, json, sizeof(json) - 1, 0, stranger_on_path, &s));
	DRIVE(l, LEADER(&d, "m"));
	int told = d.told;
	zookeeper_kill(&server);
	pass_ms(l, SESSION_MS + 300); /* the session is over, too */
	zookeeper_start(&server);
	STRANGER(&s, zk_exists(s.zk, node, NULL, NULL, stranger_on_status, &s));
	pass_ms(l, 300);
	assert_int_equal(d.told, told);
	assert_string_equal(d.leader, "m");
	/* And it still watches. */
	stranger_remove(&s, node);
	DRIVE(l, LEADER(&d, ""));
	/* By sequence, not by name; a node that cannot be read leads nobody. */
	STRANGER(&s, zk_make(s.zk, "/keeps/json.info_10000000000", "{\"id\":\"far\",\"ip\":1,\"port\":1}", 28, 0,
	                     stranger_on_path, &s));
	DRIVE(l, LEADER(&d, "far"));
	STRANGER(&s, zk_make(s.zk, "/keeps/json.info_9999999999", "{\"id\":\"near\",\"ip\":1,\"port\":1}", 29, 0,
	                     stranger_on_path, &s));
	DRIVE(l, LEADER(&d, "near"));
	STRANGER(&s, zk_make(s.zk, "/keeps/json.info_0000000001", "not JSON", 8, 0, stranger_on_path, &s));
	DRIVE(l, LEADER(&d, ""));
	stranger_remove(&s, "/keeps/json.info_0000000001");
	DRIVE(l, LEADER(&d, "near"));
	zk_destroy(s.zk);
	detect_destroy(d.detect);
	loop_destroy(l);
}

static void survives_expiry_and_lost_data(void **state)
{
	struct loop *l = loop_create(), *slow = loop_create();
	struct listener d;
	struct master a, b;
	char address[96];

	snprintf(address, sizeof(address), "zk://%s/survives", server.hosts);
	master_open(&a, l, address, "a");
	listen_to(&d, slow, address);
	DRIVE(l, a.leading == 1);
	DRIVE(slow, LEADER(&d, "a"));
	pass_ms(l, 2 * SESSION_MS + 500); /* the detector stands still: its session expires */
	master_open(&b, l, address, "b");
	DRIVE(l, strcmp(b.leader, "a") == 0);
	master_close(&a);
	DRIVE(l, b.leading == 1);
	DRIVE(slow, LEADER(&d, "b"));
	zookeeper_kill(&server);
	zookeeper_wipe(&server);
	zookeeper_start(&server);
	DRIVE(l, b.leading == 2);
	master_close(&b);
	master_open(&a, l, address, "c");
	for (int64_t end = loop_now_ms(l) + DRIVE_MS; !LEADER(&d, "c") && loop_now_ms(l) < end; loop_step(l, 10))
		loop_step(slow, 10);
	assert_string_equal(d.leader, "c");
	master_close(&a);
	DRIVE(slow, LEADER(&d, ""));
	detect_destroy(d.detect);
	loop_destroy(l);
	loop_destroy(slow);
}

/* ---- the masters' word ---- */

struct fake {
	struct http_server *http;
	bool leading, broken;
	const char *leader; /* whom it names, NULL: nobody */
	uint64_t term;
	int asked;
};

static void on_version(void *user, struct http_request *req)
{
	struct fake *f = user;
	struct fl_master_info leader = {.id = f->leader, .ip = 1, .port = 5050};
	struct fl_epoch epoch = {.incarnation = "i", .term = f->term};
	struct fl_version_info version = {.version = "1.0.0", .has_leading = true, .leading = f->leading};

	f->asked++;
	if (f->broken) {
		http_reply_error(req, 503, "broken", "not now");
		return;
	}
	if (f->leader) {
		version.leader = &leader;
		version.epoch = &epoch;
	}
	http_reply_record(req, 200, &rec_version_info, &version, NULL);
}

static const struct http_route routes[] = {{"GET", "/version", "viewer", on_version, "Version."}};

static void fake_open(struct fake *f, struct loop *l)
{
	struct err err = {0};

	memset(f, 0, sizeof(*f));
	f->http = http_server_create(l, "127.0.0.1", 0, routes, 1, f, &err);
	if (!f->http)
		fail_msg("%s", err.text);
}

static void asks_the_masters(void **state)
{
	struct loop *l = loop_create();
	struct fake a, b;
	struct listener d;
	char address[96];

	fake_open(&a, l);
	fake_open(&b, l);
	a.leader = b.leader = NULL;
	snprintf(address, sizeof(address), "127.0.0.1:%d,127.0.0.1:%d,127.0.0.1:1", http_server_port(a.http),
	         http_server_port(b.http));
	listen_to(&d, l, address);
	DRIVE(l, d.told == 1);
	assert_int_equal(d.none, 1);
	/* One that leads; the followers' word does not matter then. */
	b.leading = true;
	b.leader = "b";
	b.term = 3;
	a.leader = "old";
	a.term = 2;
	DRIVE(l, LEADER(&d, "b"));
	/* Slowly asked while there is a leader, at once when somebody doubts. */
	int asked = b.asked;
	pass_ms(l, 1500);
	assert_true(b.asked <= asked + 1);
	b.leading = false;
	b.leader = NULL;
	a.leading = true;
	a.leader = "a";
	a.term = 4;
	int64_t start = loop_now_ms(l);
	detect_again(d.detect);
	DRIVE(l, LEADER(&d, "a"));
	assert_true(loop_now_ms(l) - start < 1000);
	/* Two that claim it: the higher term. */
	b.leading = true;
	b.leader = "b";
	b.term = 5;
	detect_again(d.detect);
	DRIVE(l, LEADER(&d, "b"));
	/* None leads, but one knows who does. */
	a.leading = b.leading = false;
	a.leader = "elsewhere";
	a.term = 6;
	detect_again(d.detect);
	DRIVE(l, LEADER(&d, "elsewhere"));
	/* Nobody knows. */
	a.leader = b.leader = NULL;
	detect_again(d.detect);
	DRIVE(l, LEADER(&d, ""));
	detect_destroy(d.detect);
	http_server_destroy(a.http);
	http_server_destroy(b.http);
	drive_idle(l);
	loop_destroy(l);
}

static void nobody_answers(void **state)
{
	struct loop *l = loop_create();
	struct fake a;
	struct listener d;
	char address[96];

	fake_open(&a, l);
	snprintf(address, sizeof(address), "127.0.0.1:%d", http_server_port(a.http));
	a.broken = true;
	listen_to(&d, l, address);
	DRIVE(l, d.told == 1);
	assert_int_equal(d.none, 1);
	a.broken = false;
	a.leading = true;
	a.leader = "a";
	DRIVE(l, LEADER(&d, "a"));
	a.broken = true; /* no news is no news */
	int asked = a.asked;
	detect_again(d.detect);
	DRIVE(l, a.asked > asked);
	pass_ms(l, 300);
	assert_string_equal(d.leader, "a");
	/* Often asked is not often sent. */
	asked = a.asked;
	for (int i = 0; i < 1000; i++) {
		detect_again(d.detect);
		loop_step(l, 0);
	}
	assert_true(a.asked - asked < 50);
	detect_again(d.detect);
	loop_step(l, 0);
	detect_destroy(d.detect); /* with questions open */
	http_server_destroy(a.http);
	drive_idle(l);
	loop_destroy(l);
}

static void a_folder_cannot_be_watched(void **state)
{
	struct loop *l = loop_create();
	struct url url;
	struct err err = {0};

	assert_int_equal(url_parse("file:///tmp/x", &url, NULL), 0);
	assert_null(detect_create(l, &url, SESSION_MS, on_leader, NULL, &err));
	assert_int_equal(err.code, EINVAL);
	url_fini(&url);
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
	const struct CMUnitTest hosts[] = {
		cmocka_unit_test(asks_the_masters),
		cmocka_unit_test(nobody_answers),
		cmocka_unit_test(a_folder_cannot_be_watched),
	};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(follows_the_election),
		cmocka_unit_test(keeps_the_last_leader),
		cmocka_unit_test(survives_expiry_and_lost_data),
	};
	int failed = cmocka_run_group_tests(hosts, NULL, NULL);

	if (zookeeper_skip()) {
		printf("skipped: %s\n", zookeeper_skip());
		return failed ? failed : 77;
	}
	return failed + cmocka_run_group_tests(tests, start_server, stop_server);
}
