/* Elections against a real server: order, failover, suspension, expiry, deletions, lost data; and the folder. */
#include "tests/unit/net/master.h"

#include <errno.h>

#define LONG_SESSION_MS 3000 /* survives a restart of the server */

static struct zookeeper server;
static int n_paths;

/* A path of its own for each test. */
static const char *cluster(char address[96], char path[32])
{
	snprintf(path, 32, "/test/c%d", ++n_paths);
	snprintf(address, 96, "zk://%s%s", server.hosts, path);
	return address;
}

/* ---- ZooKeeper ---- */

static void first_come_first_leads(void **state)
{
	struct loop *l = loop_create();
	char address[96], path[32];
	struct master a, b, c;
	struct stranger s;

	cluster(address, path);
	master_open(&a, l, address, "a");
	assert_false(elect_leading(a.elect));
	assert_null(elect_epoch(a.elect));
	assert_null(elect_leader(a.elect));
	DRIVE(l, a.leading == 1);
	assert_int_equal(a.term, 1);
	assert_int_equal(strlen(a.incarnation), 36);
	assert_string_equal(a.leader, "a");
	master_open(&b, l, address, "b");
	DRIVE(l, strcmp(b.leader, "a") == 0);
	master_open(&c, l, address, "c");
	DRIVE(l, strcmp(c.leader, "a") == 0);
	assert_false(elect_leading(b.elect));

	/* What Mesos detectors see: nothing that sorts below json.info_, and JSON. */
	stranger_open(&s, l, server.hosts);
	STRANGER(&s, zk_children(s.zk, path, NULL, NULL, stranger_on_list, &s));
	assert_int_equal(s.n_names, 4);
	for (size_t i = 0; i < s.n_names; i++)
		assert_true(strcmp(s.name[i], "registry") == 0 || strncmp(s.name[i], "json.info_0", 11) == 0);
	char node[64];
	snprintf(node, sizeof(node), "%s/json.info_0000000000", path);
	STRANGER(&s, zk_get(s.zk, node, NULL, NULL, stranger_on_data, &s));
	assert_non_null(strstr(s.text, "\"address\":{"));
	assert_non_null(strstr(s.text, "\"port\":5050"));

	/* The next in line takes over, without the herd. */
	int64_t start = loop_now_ms(l);
	master_close(&a);
	DRIVE(l, b.leading == 1 && strcmp(c.leader, "b") == 0);
	assert_true(loop_now_ms(l) - start < SESSION_MS);
	assert_int_equal(b.term, 2);
	assert_string_equal(b.incarnation, a.incarnation);
	assert_int_equal(c.leading, 0);
	master_close(&c); /* one that does not lead */
	master_open(&a, l, address, "a2");
	DRIVE(l, strcmp(a.leader, "b") == 0);
	master_close(&b);
	DRIVE(l, a.leading == 1);
	assert_int_equal(a.term, 3);
	master_close(&a);
	zk_destroy(s.zk);
	elect_destroy(NULL);
	loop_destroy(l);
}

/* Two candidates, one of them in another process that is killed. */
static void between_processes(void **state)
{
	char address[96], path[32];

	cluster(address, path);
	pid_t pid = fork();
	assert_true(pid >= 0);
	if (pid == 0) {
		struct loop *theirs = loop_create();
		struct master m;
		prctl(PR_SET_PDEATHSIG, SIGKILL);
		master_open(&m, theirs, address, "child");
		for (;;)
			loop_step(theirs, -1);
	}
	struct loop *l = loop_create();
	struct stranger s;
	struct master m;
	char term[64];
	stranger_open(&s, l, server.hosts);
	snprintf(term, sizeof(term), "%s/registry/term", path);
	do
		STRANGER(&s, zk_get(s.zk, term, NULL, NULL, stranger_on_data, &s));
	while (s.status != 0);
	assert_string_equal(s.text, "1");
	master_open(&m, l, address, "parent");
	DRIVE(l, strcmp(m.leader, "child") == 0);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
	int64_t start = loop_now_ms(l);
	DRIVE(l, m.leading == 1);
	printf("took over after %lld ms (session %d ms)\n", (long long)(loop_now_ms(l) - start), SESSION_MS);
	assert_int_equal(m.term, 2);
	master_close(&m);
	zk_destroy(s.zk);
	loop_destroy(l);
}

static void restarts_of_the_server(void **state)
{
	struct loop *l = loop_create();
	char address[96], path[32];
	struct master a, b;

	cluster(address, path);
	master_open_session(&a, l, address, "a", LONG_SESSION_MS);
	DRIVE(l, a.leading == 1);
	master_open_session(&b, l, address, "b", LONG_SESSION_MS);
	DRIVE(l, strcmp(b.leader, "a") == 0);

	/* Short: suspended at once, the same session and node, a new term. */
	zookeeper_kill(&server);
	DRIVE(l, a.suspended == 1);
	assert_non_null(elect_epoch(a.elect));
	assert_int_equal(elect_epoch(a.elect)->term, 1);
	zookeeper_launch(&server);
	DRIVE(l, a.leading == 2);
	assert_int_equal(a.term, 2);
	assert_int_equal(b.leading, 0);

	/* Long: the local deadline passes first, then the same node leads again. */
	zookeeper_kill(&server);
	int64_t start = loop_now_ms(l);
	DRIVE(l, a.lost == 1);
	assert_true(loop_now_ms(l) - start <= LONG_SESSION_MS + 100);
	assert_null(elect_leader(a.elect)); /* it does not lead itself, and knows nobody else */
	assert_string_equal(b.leader, "a"); /* b keeps what it knew */
	for (int64_t end = loop_now_ms(l) + 500; loop_now_ms(l) < end;)
		loop_step(l, 50);
	zookeeper_launch(&server);
	DRIVE(l, a.leading + b.leading == 3);
	struct master *leader = a.leading == 3 ? &a : &b;
	assert_int_equal(leader->term, 3);
	DRIVE(l, strcmp(a.leader, leader->id) == 0 && strcmp(b.leader, leader->id) == 0);
	assert_string_equal(leader->leader, leader->id);
	if (leader == &a)
		assert_string_equal(a.order, "LSLSXL");
	master_close(&a);
	master_close(&b);
	loop_destroy(l);
}

/* The leader's process stands still for longer than its session: it knows it at its first turn, before any order. */
static void stopped_leader(void **state)
{
	struct loop *slow = loop_create(), *l = loop_create();
	char address[96], path[32];
	struct master a, b;

	cluster(address, path);
	master_open(&a, slow, address, "a");
	DRIVE(slow, a.leading == 1);
	master_open(&b, l, address, "b");
	DRIVE(l, strcmp(b.leader, "a") == 0);
	while (b.leading == 0) { /* a's deadline passes before b takes office */
		loop_step(l, 20);
		assert_true(b.leading == 0 || !elect_leading(a.elect));
	}
	assert_int_equal(b.term, 2);
	assert_int_equal(a.lost, 0); /* not told yet */
	DRIVE(slow, a.lost == 1);
	DRIVE(slow, strcmp(a.leader, "b") == 0);
	assert_int_equal(a.leading, 1);
	/* Its new node contends again. */
	master_close(&b);
	DRIVE(slow, a.leading == 2);
	assert_int_equal(a.term, 3);
	master_close(&a);
	loop_destroy(l);
	loop_destroy(slow);
}

static void deleted_nodes(void **state)
{
	struct loop *l = loop_create();
	char address[96], path[32], node[64];
	struct master a, b;
	struct stranger s;

	cluster(address, path);
	stranger_open(&s, l, server.hosts);
	master_open(&a, l, address, "a");
	DRIVE(l, a.leading == 1);
	master_open(&b, l, address, "b");
	DRIVE(l, strcmp(b.leader, "a") == 0);

	/* The leader's node. */
	snprintf(node, sizeof(node), "%s/json.info_0000000000", path);
	stranger_remove(&s, node);
	DRIVE(l, a.lost == 1 && b.leading == 1 && strcmp(a.leader, "b") == 0);
	assert_int_equal(b.term, 2);
	/* a contends with a new node; a follower's node does nobody harm. */
	do
		STRANGER(&s, zk_children(s.zk, path, NULL, NULL, stranger_on_list, &s));
	while (s.n_names < 3);
	snprintf(node, sizeof(node), "%s/json.info_0000000003", path);
	STRANGER(&s, zk_exists(s.zk, node, NULL, NULL, stranger_on_status, &s));
	stranger_remove(&s, node);
	drive_idle(l);
	assert_int_equal(b.lost, 0);

	/* The registry: the leader steps down and begins a new incarnation. */
	snprintf(node, sizeof(node), "%s/registry", path);
	char before[40];
	snprintf(before, sizeof(before), "%s", b.incarnation);
	stranger_remove_all(&s, node);
	DRIVE(l, b.lost == 1 && b.leading == 2);
	assert_int_equal(b.term, 1);
	assert_string_not_equal(b.incarnation, before);

	/* Only the term: the counter begins anew, so the incarnation must change. */
	snprintf(before, sizeof(before), "%s", b.incarnation);
	snprintf(node, sizeof(node), "%s/registry/term", path);
	stranger_remove(&s, node);
	DRIVE(l, b.lost == 2 && b.leading == 3);
	assert_int_equal(b.term, 1);
	assert_string_not_equal(b.incarnation, before);

	/* Somebody raises the term: whoever it was, our office is over; then we take the next one. */
	STRANGER(&s, zk_set(s.zk, node, "41", 2, ZK_ANY_VERSION, stranger_on_status, &s));
	DRIVE(l, b.lost == 3 && b.leading == 4);
	assert_int_equal(b.term, 42);
	STRANGER(&s, zk_set(s.zk, node, "rubbish", 7, ZK_ANY_VERSION, stranger_on_status, &s));
	DRIVE(l, b.leading == 5);
	assert_int_equal(b.term, 1);
	master_close(&a);
	master_close(&b);
	zk_destroy(s.zk);
	loop_destroy(l);
}

/* The path is deleted whole while masters are there, and names begin at 0 again. */
static void deleted_path(void **state)
{
	struct loop *l = loop_create();
	char address[96], path[32], node[64];
	struct master a, b;
	struct stranger s;

	cluster(address, path);
	stranger_open(&s, l, server.hosts);
	master_open(&a, l, address, "a");
	DRIVE(l, a.leading == 1);
	master_open(&b, l, address, "b");
	DRIVE(l, strcmp(b.leader, "a") == 0);
	snprintf(node, sizeof(node), "%s/registry", path);
	stranger_remove_all(&s, node);
	stranger_remove_all(&s, path);
	DRIVE(l, a.lost >= 1);
	int took = a.leading + b.leading;
	DRIVE(l, elect_leading(a.elect) != elect_leading(b.elect) && a.leading + b.leading >= took);
	struct master *leader = elect_leading(a.elect) ? &a : &b;
	DRIVE(l, strcmp(a.leader, leader->id) == 0 && strcmp(b.leader, leader->id) == 0);
	master_close(&a);
	master_close(&b);
	zk_destroy(s.zk);
	loop_destroy(l);
}

/* The connection breaks while the node is made: in the end there is exactly one node of ours. */
static void broken_while_contending(void **state)
{
	for (int turns = 2; turns < 8; turns += 2) {
		struct loop *l = loop_create();
		char address[96], path[32];
		struct master a;
		struct stranger s;
		cluster(address, path);
		master_open_session(&a, l, address, "a", 2 * LONG_SESSION_MS);
		for (int i = 0; i < turns; i++)
			loop_step(l, 5);
		zookeeper_kill(&server);
		zookeeper_start(&server);
		DRIVE(l, a.leading >= 1 && elect_leading(a.elect));
		stranger_open(&s, l, server.hosts);
		STRANGER(&s, zk_children(s.zk, path, NULL, NULL, stranger_on_list, &s));
		assert_int_equal(s.n_names, 2); /* the node and the registry */
		assert_int_equal(a.lost, 0);
		master_close(&a);
		zk_destroy(s.zk);
		loop_destroy(l);
	}
}

static void lost_data(void **state)
{
	struct loop *l = loop_create();
	char address[96], path[32];
	struct master a;

	cluster(address, path);
	master_open(&a, l, address, "a");
	DRIVE(l, a.leading == 1);
	char before[40];
	snprintf(before, sizeof(before), "%s", a.incarnation);
	zookeeper_kill(&server);
	zookeeper_wipe(&server);
	zookeeper_launch(&server);
	DRIVE(l, a.lost == 1);
	DRIVE(l, a.leading == 2);
	assert_string_not_equal(a.incarnation, before);
	assert_int_equal(a.term, 1);
	master_close(&a);
	loop_destroy(l);
}

static void server_comes_late(void **state)
{
	struct loop *l = loop_create();
	struct zookeeper late;
	char address[96];
	struct master a;

	zookeeper_init(&late);
	snprintf(address, sizeof(address), "zk://%s/x", late.hosts);
	master_open(&a, l, address, "a");
	for (int64_t end = loop_now_ms(l) + 300; loop_now_ms(l) < end;)
		loop_step(l, 50);
	assert_int_equal(a.leading + a.suspended + a.lost + a.told, 0);
	zookeeper_launch(&late);
	DRIVE(l, a.leading == 1);
	assert_string_equal(a.order, "L");
	master_close(&a);
	loop_destroy(l);
	zookeeper_fini(&late);
}

/* ---- the folder ---- */

static void remove_folder(const char *folder)
{
	char *argv[] = {"/bin/rm", "-rf", (char *)folder, NULL};

	zookeeper_run(argv);
}

static void folder_leads_at_once(void **state)
{
	char folder[64] = "/tmp/fairlead-elect-XXXXXX", address[96];
	struct loop *l = loop_create();
	struct master a;

	assert_non_null(mkdtemp(folder));
	snprintf(address, sizeof(address), "file://%s/registry", folder);
	master_open(&a, l, address, "a");
	assert_int_equal(a.leading, 0); /* not inside the call */
	DRIVE(l, a.leading == 1);
	assert_int_equal(a.term, 1);
	assert_string_equal(a.leader, "a");
	assert_true(elect_leading(a.elect));
	char incarnation[40];
	snprintf(incarnation, sizeof(incarnation), "%s", a.incarnation);
	assert_int_equal(strlen(incarnation), 36);
	master_close(&a);
	for (uint64_t term = 2; term < 5; term++) {
		master_open(&a, l, address, "a");
		DRIVE(l, a.leading == 1);
		assert_int_equal(a.term, term);
		assert_string_equal(a.incarnation, incarnation);
		master_close(&a);
	}
	assert_string_equal(a.order, "L");
	loop_destroy(l);
	remove_folder(folder);
}

static int try_folder(struct loop *l, const char *path, struct err *err)
{
	struct fl_master_info self = {.id = "x", .port = 5050};
	struct url url = {.kind = URL_FILE, .path = (char *)path};
	struct master m = {.loop = l};
	struct elect *e = elect_create(l, &url, &self, NULL, master_ops(), &m, err);

	elect_destroy(e);
	return e ? 0 : -1;
}

static void folder_is_locked(void **state)
{
	char folder[64] = "/tmp/fairlead-elect-XXXXXX", address[96];
	struct loop *l = loop_create();
	struct master a;
	struct err err = {0};

	assert_non_null(mkdtemp(folder));
	snprintf(address, sizeof(address), "file://%s", folder);
	master_open(&a, l, address, "a");
	assert_int_equal(try_folder(l, folder, &err), -1);
	assert_int_equal(err.code, EAGAIN);
	assert_non_null(strstr(err.text, folder));
	DRIVE(l, a.leading == 1);
	master_close(&a);
	assert_int_equal(try_folder(l, folder, &err), 0);
	assert_int_equal(try_folder(l, "/proc/no/such", &err), -1);
	loop_destroy(l);
	remove_folder(folder);
}

static void write_text(const char *folder, const char *name, const char *text)
{
	char path[96];

	snprintf(path, sizeof(path), "%s/%s", folder, name);
	FILE *f = fopen(path, "we");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static void folder_is_damaged(void **state)
{
	char folder[64] = "/tmp/fairlead-elect-XXXXXX", address[96];
	struct loop *l = loop_create();
	struct master a;
	struct err err = {0};

	assert_non_null(mkdtemp(folder));
	snprintf(address, sizeof(address), "file://%s", folder);
	write_text(folder, "incarnation", "0123456789abcdef\n");
	write_text(folder, "term", "7\n");
	master_open(&a, l, address, "a");
	DRIVE(l, a.leading == 1);
	assert_int_equal(a.term, 8);
	assert_string_equal(a.incarnation, "0123456789abcdef");
	master_close(&a);
	write_text(folder, "term", "-\n");
	assert_int_equal(try_folder(l, folder, &err), -1);
	assert_non_null(strstr(err.text, "term is damaged"));
	write_text(folder, "term", "8\n");
	write_text(folder, "incarnation", "");
	assert_int_equal(try_folder(l, folder, &err), -1);
	assert_non_null(strstr(err.text, "incarnation is damaged"));
	loop_destroy(l);
	remove_folder(folder);
}

static void hosts_are_no_registry(void **state)
{
	struct loop *l = loop_create();
	struct fl_master_info self = {.id = "x", .port = 5050};
	struct url url;
	struct err err = {0};

	assert_int_equal(url_parse("a:5050", &url, NULL), 0);
	assert_null(elect_create(l, &url, &self, NULL, master_ops(), NULL, &err));
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
	const struct CMUnitTest folders[] = {
		cmocka_unit_test(folder_leads_at_once),
		cmocka_unit_test(folder_is_locked),
		cmocka_unit_test(folder_is_damaged),
		cmocka_unit_test(hosts_are_no_registry),
	};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(first_come_first_leads),  cmocka_unit_test(between_processes),
		cmocka_unit_test(restarts_of_the_server),  cmocka_unit_test(stopped_leader),
		cmocka_unit_test(deleted_nodes),           cmocka_unit_test(deleted_path),
		cmocka_unit_test(broken_while_contending), cmocka_unit_test(lost_data),
		cmocka_unit_test(server_comes_late),
	};
	int failed = cmocka_run_group_tests(folders, NULL, NULL);

	if (zookeeper_skip()) {
		printf("skipped: %s\n", zookeeper_skip());
		return failed ? failed : 77;
	}
	return failed + cmocka_run_group_tests(tests, start_server, stop_server);
}
