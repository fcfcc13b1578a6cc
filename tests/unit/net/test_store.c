/* The registry in ZooKeeper and in a folder: the same stories for both, then what only ZooKeeper can do to us. */
#include "tests/unit/net/master.h"

#include <errno.h>

#include "msg/codec.h"
#include "net/store.h"

#define LONG_SESSION_MS 5000

static struct zookeeper server;
static int n_paths;

/* A master that leads, with its store, and what writes and reads told. */
struct registry {
	struct master master;
	struct loop *loop;
	struct store *store;
	char address[128], path[64];
	int answers, ok, status;
	int objects, broken, done, done_status;
	char last[96]; /* last key and host name read */
	char nonce[16];
	bool load_on_leading;
};

static void on_write(void *user, int status)
{
	struct registry *r = user;

	r->answers++;
	r->ok += status == 0;
	r->status = status;
}

static void on_object(void *user, const char *key, const void *rec)
{
	struct registry *r = user;
	const struct fl_registry_slave *s = rec;

	r->objects++;
	snprintf(r->last, sizeof(r->last), "%s=%s", key, s->slave->hostname);
	snprintf(r->nonce, sizeof(r->nonce), "%s", s->nonce ? s->nonce : "");
}

static void on_broken(void *user, const char *key, const char *why)
{
	struct registry *r = user;

	r->broken++;
	assert_true(strlen(why) > 3);
}

static void on_done(void *user, int status)
{
	struct registry *r = user;

	r->done++;
	r->done_status = status;
}

static void load(struct registry *r, const char *folder)
{
	struct store_load what = {folder, &rec_registry_slave, on_object, on_broken, on_done, r};

	r->objects = r->broken = 0;
	store_load(r->store, &what);
}

/* Loads and waits for the end. */
static void load_all(struct registry *r, const char *folder)
{
	int done = r->done;

	load(r, folder);
	assert_int_equal(r->done, done); /* never inside the call */
	DRIVE(r->loop, r->done > done);
	assert_int_equal(r->done_status, 0);
}

static void put(struct registry *r, const char *folder, const char *key, const char *hostname, const char *nonce)
{
	struct fl_slave_info slave = {.hostname = hostname};
	struct fl_registry_slave rec = {.slave = &slave, .state = FL_SLAVE_REGISTERED, .nonce = nonce};

	store_put(r->store, folder, key, &rec_registry_slave, &rec, on_write, r);
}

static void put_wait(struct registry *r, const char *folder, const char *key, const char *hostname, const char *nonce)
{
	int before = r->answers;

	put(r, folder, key, hostname, nonce);
	assert_int_equal(r->answers, before);
	DRIVE(r->loop, r->answers > before);
}

static void remove_wait(struct registry *r, const char *folder, const char *key)
{
	int before = r->answers;

	store_remove(r->store, folder, key, on_write, r);
	assert_int_equal(r->answers, before);
	DRIVE(r->loop, r->answers > before);
}

static void join(struct registry *r, struct loop *l, const char *id, int session_ms)
{
	char address[128], path[64];

	memcpy(address, r->address, sizeof(address));
	memcpy(path, r->path, sizeof(path));
	memset(r, 0, sizeof(*r));
	memcpy(r->address, address, sizeof(address));
	memcpy(r->path, path, sizeof(path));
	r->loop = l;
	master_open_session(&r->master, l, r->address, id, session_ms);
	r->store = store_create(l, r->master.elect);
}

static void open_registry(struct registry *r, struct loop *l, const char *id, bool folder, int session_ms)
{
	memset(r, 0, sizeof(*r));
	if (folder) {
		snprintf(r->path, sizeof(r->path), "/tmp/fairlead-store-XXXXXX");
		assert_non_null(mkdtemp(r->path));
		snprintf(r->address, sizeof(r->address), "file://%s", r->path);
	} else {
		snprintf(r->path, sizeof(r->path), "/store%d", ++n_paths);
		snprintf(r->address, sizeof(r->address), "zk://%s%s", server.hosts, r->path);
	}
	join(r, l, id, session_ms);
}

static void leave(struct registry *r)
{
	store_destroy(r->store);
	master_close(&r->master);
}

static void close_registry(struct registry *r)
{
	char *argv[] = {"/bin/rm", "-rf", r->path, NULL};

	leave(r);
	if (strncmp(r->address, "file", 4) == 0)
		zookeeper_run(argv);
}

/* ---- both back ends ---- */

static void written_is_read(bool folder)
{
	struct loop *l = loop_create();
	struct registry r;

	open_registry(&r, l, "a", folder, SESSION_MS);
	DRIVE(l, r.master.leading == 1);
	load_all(&r, "slaves"); /* nothing yet, not even the folder */
	assert_int_equal(r.objects, 0);
	put_wait(&r, "slaves", "s-1", "host-1", NULL);
	assert_int_equal(r.status, 0);
	put_wait(&r, "frameworks", "f/../%\xc3\xa4 1", "host-f", "n");
	assert_int_equal(r.status, 0);
	put_wait(&r, "slaves", "s-1", "host-1b", "new");
	put_wait(&r, "slaves", "s-2", "host-2", NULL);
	load_all(&r, "frameworks");
	assert_int_equal(r.objects, 1);
	assert_string_equal(r.last, "f/../%\xc3\xa4 1=host-f");
	load_all(&r, "slaves");
	assert_int_equal(r.objects, 2);
	remove_wait(&r, "slaves", "s-2");
	assert_int_equal(r.status, 0);
	remove_wait(&r, "slaves", "s-2"); /* twice, and never there */
	assert_int_equal(r.status, 0);
	remove_wait(&r, "nothing", "x");
	assert_int_equal(r.status, 0);

	/* Another run of the master. */
	leave(&r);
	join(&r, l, "b", SESSION_MS);
	DRIVE(l, r.master.leading == 1);
	assert_int_equal(r.master.term, 2);
	load_all(&r, "slaves");
	assert_int_equal(r.objects, 1);
	assert_string_equal(r.last, "s-1=host-1b");
	assert_string_equal(r.nonce, "new");
	/* Over what another run wrote, without having read the folder. */
	leave(&r);
	join(&r, l, "c", SESSION_MS);
	DRIVE(l, r.master.leading == 1);
	put_wait(&r, "slaves", "s-1", "host-1c", NULL);
	assert_int_equal(r.status, 0);
	remove_wait(&r, "frameworks", "f/../%\xc3\xa4 1");
	assert_int_equal(r.status, 0);
	load_all(&r, "frameworks");
	assert_int_equal(r.objects, 0);
	load_all(&r, "slaves");
	assert_string_equal(r.last, "s-1=host-1c");
	close_registry(&r);
	loop_destroy(l);
}

static void order_is_kept(bool folder)
{
	struct loop *l = loop_create();
	struct registry r;

	open_registry(&r, l, "a", folder, SESSION_MS);
	DRIVE(l, r.master.leading == 1);
	put(&r, "slaves", "x", "1", NULL);
	put(&r, "slaves", "x", "2", NULL);
	store_remove(r.store, "slaves", "x", on_write, &r);
	put(&r, "slaves", "x", "3", NULL);
	put(&r, "slaves", "y", "1", NULL);
	store_remove(r.store, "slaves", "y", on_write, &r);
	DRIVE(l, r.answers == 6);
	assert_int_equal(r.ok, 6);
	load_all(&r, "slaves");
	assert_int_equal(r.objects, 1);
	assert_string_equal(r.last, "x=3");
	close_registry(&r);
	loop_destroy(l);
}

static void many_writes(bool folder, int n)
{
	struct loop *l = loop_create();
	struct registry r;
	char key[32];

	open_registry(&r, l, "a", folder, LONG_SESSION_MS);
	DRIVE(l, r.master.leading == 1);
	int64_t start = loop_now_ms(l);
	for (int i = 0; i < n; i++) {
		snprintf(key, sizeof(key), "slave-%05d", i);
		put(&r, "slaves", key, key, "n");
	}
	DRIVE(l, r.answers == n);
	assert_int_equal(r.ok, n);
	int64_t written = loop_now_ms(l);
	load_all(&r, "slaves");
	assert_int_equal(r.objects, n);
	printf("%d puts in %lld ms, read in %lld ms\n", n, (long long)(written - start),
	       (long long)(loop_now_ms(l) - written));
	for (int i = 0; i < n; i++) {
		snprintf(key, sizeof(key), "slave-%05d", i);
		store_remove(r.store, "slaves", key, on_write, &r);
	}
	DRIVE(l, r.answers == 2 * n);
	assert_int_equal(r.ok, 2 * n);
	load_all(&r, "slaves");
	assert_int_equal(r.objects, 0);
	close_registry(&r);
	loop_destroy(l);
}

static void refusals(bool folder)
{
	static char big[1 << 20];
	struct loop *l = loop_create();
	struct registry r;

	memset(big, 'x', sizeof(big) - 1);
	open_registry(&r, l, "a", folder, SESSION_MS);
	put_wait(&r, "slaves", "early", "x", NULL); /* not the leader yet */
	assert_int_equal(r.status, -EPERM);
	load(&r, "slaves");
	DRIVE(l, r.done == 1 && r.master.leading == 1);
	put_wait(&r, "slaves", "big", big, NULL);
	assert_int_equal(r.status, -EMSGSIZE);
	put_wait(&r, "slaves", "..", "x", NULL); /* a key like any other */
	assert_int_equal(r.status, 0);
	remove_wait(&r, "slaves", "..");
	put_wait(&r, "slaves", "", "x", NULL);
	assert_int_equal(r.status, -EINVAL);
	struct fl_registry_slave incomplete = {.state = FL_SLAVE_REGISTERED};
	store_put(r.store, "slaves", "incomplete", &rec_registry_slave, &incomplete, on_write, &r);
	int before = r.answers;
	DRIVE(l, r.answers == before + 1);
	assert_int_equal(r.status, -EINVAL);
	/* The biggest that goes, several at once: more than fits into one request. */
	big[1000000] = '\0';
	before = r.ok;
	for (int i = 0; i < 3; i++) {
		char key[] = {(char)('a' + i), '\0'};
		put(&r, "slaves", key, big, NULL);
		put(&r, "slaves", key, "small", NULL);
		put(&r, "slaves", key, big, NULL);
	}
	DRIVE(l, r.ok == before + 9);
	load_all(&r, "slaves");
	assert_int_equal(r.objects, 3);
	assert_int_equal(r.master.suspended, 0);
	/* Destroyed with writes and reads under way. */
	for (int i = 0; i < 50; i++)
		put(&r, "slaves", "z", "z", NULL);
	load(&r, "slaves");
	loop_step(l, 0);
	put(&r, "slaves", "z", "z", NULL);
	before = r.answers;
	close_registry(&r);
	drive_idle(l);
	assert_int_equal(r.answers, before);
	loop_destroy(l);
}

static void zk_written_is_read(void **state)
{
	written_is_read(false);
}

static void file_written_is_read(void **state)
{
	written_is_read(true);
}

static void zk_order_is_kept(void **state)
{
	order_is_kept(false);
}

static void file_order_is_kept(void **state)
{
	order_is_kept(true);
}

static void zk_many_writes(void **state)
{
	many_writes(false, 2000);
}

static void file_many_writes(void **state)
{
	many_writes(true, 300);
}

static void zk_refusals(void **state)
{
	refusals(false);
}

static void file_refusals(void **state)
{
	refusals(true);
}

/* ---- the folder only ---- */

static void file_broken_object(void **state)
{
	struct loop *l = loop_create();
	struct registry r;
	char path[128];

	open_registry(&r, l, "a", true, SESSION_MS);
	DRIVE(l, r.master.leading == 1);
	put_wait(&r, "slaves", "good", "g", NULL);
	snprintf(path, sizeof(path), "%s/slaves/bad", r.path);
	FILE *f = fopen(path, "we");
	assert_non_null(f);
	fputs("\xff\xff not msgpack", f);
	fclose(f);
	load_all(&r, "slaves");
	assert_int_equal(r.objects, 1);
	assert_int_equal(r.broken, 1);
	close_registry(&r);
	loop_destroy(l);
}

/* ---- ZooKeeper only ---- */

static void zk_broken_object(void **state)
{
	struct loop *l = loop_create();
	struct registry r;
	struct stranger s;
	char path[128];

	open_registry(&r, l, "a", false, SESSION_MS);
	DRIVE(l, r.master.leading == 1);
	put_wait(&r, "slaves", "good", "g", NULL);
	stranger_open(&s, l, server.hosts);
	snprintf(path, sizeof(path), "%s/registry/slaves/bad%%20one", r.path);
	STRANGER(&s, zk_make(s.zk, path, "rubbish", 7, 0, stranger_on_path, &s));
	load_all(&r, "slaves");
	assert_int_equal(r.objects, 1);
	assert_int_equal(r.broken, 1);
	/* What a stranger made or removed behind our back does not stop a write. */
	put_wait(&r, "slaves", "bad one", "repaired", NULL);
	assert_int_equal(r.status, 0);
	snprintf(path, sizeof(path), "%s/registry/slaves/good", r.path);
	stranger_remove(&s, path);
	put_wait(&r, "slaves", "good", "again", NULL);
	assert_int_equal(r.status, 0);
	load_all(&r, "slaves");
	assert_int_equal(r.objects, 2);
	assert_int_equal(r.master.lost, 0);
	zk_destroy(s.zk);
	close_registry(&r);
	loop_destroy(l);
}

/* A leader that does not know yet that it is none. */
static void zk_deposed_leader(void **state)
{
	struct loop *slow = loop_create(), *l = loop_create();
	struct registry a, b;

	open_registry(&a, slow, "a", false, SESSION_MS);
	DRIVE(slow, a.master.leading == 1);
	put_wait(&a, "slaves", "x", "from a", NULL);
	memcpy(b.address, a.address, sizeof(b.address));
	memcpy(b.path, a.path, sizeof(b.path));
	join(&b, l, "b", SESSION_MS);
	DRIVE(l, b.master.leading == 1); /* a's loop stands still */
	put_wait(&b, "slaves", "x", "from b", NULL);
	assert_int_equal(b.status, 0);
	put_wait(&b, "slaves", "y", "from b", NULL);
	int before = a.answers;
	for (int i = 0; i < 10; i++)
		put(&a, "slaves", "x", "late", NULL);
	load(&a, "slaves");
	DRIVE(slow, a.answers == before + 10 && a.done == 1);
	assert_int_equal(a.status, -EPERM);
	assert_int_equal(a.ok, 1);
	assert_int_not_equal(a.done_status, 0);
	load_all(&b, "slaves");
	assert_int_equal(b.objects, 2);
	put_wait(&a, "slaves", "x", "later", NULL);
	assert_int_equal(a.status, -EPERM);
	close_registry(&a);
	close_registry(&b);
	loop_destroy(l);
	loop_destroy(slow);
}

/* The fence itself: our session lives, but the term was raised or our node taken away just before the write. */
static void zk_fenced_writes(void **state)
{
	struct loop *slow = loop_create(), *l = loop_create();
	struct registry a;
	struct stranger s;
	char path[128];

	open_registry(&a, slow, "a", false, 2 * LONG_SESSION_MS);
	DRIVE(slow, a.master.leading == 1);
	put_wait(&a, "slaves", "x", "1", NULL);
	stranger_open(&s, l, server.hosts);
	snprintf(path, sizeof(path), "%s/registry/term", a.path);
	STRANGER(&s, zk_set(s.zk, path, "9", 1, ZK_ANY_VERSION, stranger_on_status, &s));
	put_wait(&a, "slaves", "x", "2", NULL);
	assert_int_equal(a.status, -EPERM);
	assert_int_equal(a.master.lost, 1);
	DRIVE(slow, a.master.leading == 2);
	assert_int_equal(a.master.term, 10);
	load_all(&a, "slaves");
	assert_string_equal(a.last, "x=1");

	snprintf(path, sizeof(path), "%s/json.info_0000000000", a.path);
	stranger_remove(&s, path);
	put_wait(&a, "slaves", "x", "3", NULL);
	assert_int_equal(a.status, -EPERM);
	DRIVE(slow, a.master.leading == 3);
	load_all(&a, "slaves");
	assert_string_equal(a.last, "x=1");
	zk_destroy(s.zk);
	close_registry(&a);
	loop_destroy(l);
	loop_destroy(slow);
}

/* The server dies in the middle of writing and comes back: every write is done in the end, under the new term. */
static void zk_restart_while_writing(void **state)
{
	struct loop *l = loop_create();
	struct registry r;
	char key[32];

	open_registry(&r, l, "a", false, 2 * LONG_SESSION_MS);
	DRIVE(l, r.master.leading == 1);
	for (int round = 0; round < 3; round++) {
		int before = r.answers;
		for (int i = 0; i < 1500; i++) {
			snprintf(key, sizeof(key), "s%d", i);
			put(&r, "slaves", key, round == 1 ? "odd" : "even", NULL);
			if (i % 3 == round)
				store_remove(r.store, "slaves", key, on_write, &r);
		}
		for (int i = 0; i < 2 * round + 1; i++)
			loop_step(l, 5);
		zookeeper_kill(&server);
		DRIVE(l, r.master.suspended == round + 1);
		put(&r, "frameworks", "while-suspended", "x", NULL);
		zookeeper_launch(&server);
		DRIVE(l, r.answers == before + 2001);
		assert_int_equal(r.ok, r.answers);
		load_all(&r, "slaves");
		assert_int_equal(r.objects, 1000);
	}
	assert_int_equal(r.master.lost, 0);
	assert_int_equal(r.master.term, 4);
	load_all(&r, "frameworks");
	assert_int_equal(r.objects, 1);
	/* A read that is interrupted says so. */
	load(&r, "slaves");
	loop_step(l, 0);
	zookeeper_kill(&server);
	int done = r.done;
	DRIVE(l, r.done == done + 1);
	assert_int_equal(r.done_status, -EAGAIN);
	load(&r, "slaves"); /* and so does one that begins now */
	DRIVE(l, r.done == done + 2);
	assert_int_equal(r.done_status, -EAGAIN);
	zookeeper_launch(&server);
	DRIVE(l, r.master.leading == 5);
	load_all(&r, "slaves");
	assert_int_equal(r.objects, 1000);
	close_registry(&r);
	loop_destroy(l);
}

/* Suspended past the session: what waited is refused. */
static void zk_lost_while_waiting(void **state)
{
	struct loop *l = loop_create();
	struct registry r;

	open_registry(&r, l, "a", false, SESSION_MS);
	DRIVE(l, r.master.leading == 1);
	zookeeper_kill(&server);
	DRIVE(l, r.master.suspended == 1);
	put(&r, "slaves", "x", "x", NULL);
	DRIVE(l, r.master.lost == 1 && r.answers == 1);
	assert_int_equal(r.status, -EPERM);
	zookeeper_wipe(&server);
	zookeeper_launch(&server);
	DRIVE(l, r.master.leading == 2);
	load_all(&r, "slaves");
	assert_int_equal(r.objects, 0);
	put_wait(&r, "slaves", "x", "x", NULL);
	assert_int_equal(r.status, 0);
	close_registry(&r);
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
		cmocka_unit_test(file_written_is_read), cmocka_unit_test(file_order_is_kept),
		cmocka_unit_test(file_many_writes),     cmocka_unit_test(file_refusals),
		cmocka_unit_test(file_broken_object),
	};
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zk_written_is_read),    cmocka_unit_test(zk_order_is_kept),
		cmocka_unit_test(zk_many_writes),        cmocka_unit_test(zk_refusals),
		cmocka_unit_test(zk_broken_object),      cmocka_unit_test(zk_deposed_leader),
		cmocka_unit_test(zk_fenced_writes),      cmocka_unit_test(zk_restart_while_writing),
		cmocka_unit_test(zk_lost_while_waiting),
	};
	int failed = cmocka_run_group_tests(folders, NULL, NULL);

	if (zookeeper_skip()) {
		printf("skipped: %s\n", zookeeper_skip());
		return failed ? failed : 77;
	}
	return failed + cmocka_run_group_tests(tests, start_server, stop_server);
}
