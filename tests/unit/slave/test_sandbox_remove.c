/* Removing sandboxes: which go, in which order, and that nothing outside of them does. */
#include "tests/unit/slave/disk_fixture.h"

#include <time.h>

#include "slave/sandbox_remove.h"

#define WEEK_NS (7 * 86400 * INT64_C(1000000000))

struct rules_of_test {
	const char *used;
	int wanted; /* how many are to make room */
};

static bool in_use(void *user, const char *id)
{
	const struct rules_of_test *r = user;
	return r->used && !strcmp(r->used, id);
}

static bool need_room(void *user)
{
	struct rules_of_test *r = user;
	return r->wanted-- > 0;
}

static int64_t changed_ns(const struct disk_fixture *x, const char *name)
{
	char path[200];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", x->dir, name);
	assert_int_equal(stat(path, &st), 0);
	return (int64_t)st.st_ctim.tv_sec * 1000000000 + st.st_ctim.tv_nsec;
}

static bool is_there(const struct disk_fixture *x, const char *name)
{
	char path[200];
	struct stat st;

	snprintf(path, sizeof(path), "%s/%s", x->dir, name);
	return lstat(path, &st) == 0;
}

static void put(const struct disk_fixture *x, const char *name, const char *text)
{
	char path[200];

	snprintf(path, sizeof(path), "%s/%s", x->dir, name);
	_cleanup_fclose_ FILE *f = fopen(path, "we");
	assert_non_null(f);
	fputs(text, f);
}

/* A sandbox that is newer than other, by the file system's clock. */
static void make(struct disk_fixture *x, const char *name, const char *other)
{
	char path[200];

	assert_int_equal(disk_mkdir(x->disk, name, NULL), 0);
	snprintf(path, sizeof(path), "%s/stdout", name);
	put(x, path, "output");
	snprintf(path, sizeof(path), "%s/%s", x->dir, name);
	while (other && changed_ns(x, name) <= changed_ns(x, other))
		assert_int_equal(chmod(path, 0700), 0);
}

static struct sandbox_removal clear(struct disk_fixture *x, struct rules_of_test *r, int64_t age_ns)
{
	char path[200];
	struct sandbox_removal done;

	snprintf(path, sizeof(path), "%s/boxes", x->dir);
	_cleanup_close_ int root = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(root >= 0);
	const struct sandbox_rules rules = {.now_ns = changed_ns(x, "boxes") + age_ns,
	                                    .delay_ns = WEEK_NS,
	                                    .in_use = in_use,
	                                    .need_room = need_room,
	                                    .user = r};
	sandboxes_remove(root, &rules, &done);
	return done;
}

static void three(struct disk_fixture *x)
{
	make(x, "boxes/fw/a/1", NULL);
	make(x, "boxes/fw/a/2", "boxes/fw/a/1");
	make(x, "boxes/gw/b/3", "boxes/fw/a/2");
}

static void test_by_age(void **state)
{
	struct disk_fixture *x = *state;
	struct rules_of_test rules = {.used = "2"};

	three(x);
	assert_int_equal(clear(x, &rules, WEEK_NS / 2).removed, 0);
	assert_int_equal(clear(x, &rules, 2 * WEEK_NS).removed, 2);
	assert_true(is_there(x, "boxes/fw/a/2/stdout"));
	assert_false(is_there(x, "boxes/fw/a/1"));
	assert_false(is_there(x, "boxes/gw")); /* nothing is left in it */
}

static void test_for_room(void **state)
{
	struct disk_fixture *x = *state;
	struct rules_of_test rules = {.used = "1", .wanted = 2};

	three(x);
	assert_int_equal(clear(x, &rules, WEEK_NS / 2).removed, 1); /* "1" is asked for too, and stays */
	assert_true(is_there(x, "boxes/fw/a/1"));
	assert_false(is_there(x, "boxes/fw/a/2"));
	assert_true(is_there(x, "boxes/gw/b/3"));
}

/* What was made since the rules were is not known to them. */
static void test_young(void **state)
{
	struct disk_fixture *x = *state;
	struct rules_of_test rules = {.wanted = 100};

	three(x);
	assert_int_equal(clear(x, &rules, 1000000000).removed, 0);
	assert_int_equal(clear(x, &rules, -WEEK_NS).removed, 0);
}

static void link_in(const struct disk_fixture *x, const char *name, const char *to)
{
	char path[200];

	snprintf(path, sizeof(path), "%s/%s", x->dir, name);
	assert_int_equal(symlink(to, path), 0);
}

static void test_links_are_not_followed(void **state)
{
	struct disk_fixture *x = *state;
	struct rules_of_test rules = {0};

	assert_int_equal(disk_mkdir(x->disk, "outside/deep", NULL), 0);
	put(x, "outside/secret", "secret");
	put(x, "outside/deep/secret", "secret");
	make(x, "boxes/fw/a/1", NULL);
	link_in(x, "boxes/fw/a/1/link", x->dir);
	link_in(x, "boxes/fw/a/1/outside", "../../../../outside");
	link_in(x, "boxes/fw/a/1/secret", "../../../../outside/secret");
	link_in(x, "boxes/fw/a/1/loop", "loop");
	link_in(x, "boxes/fw/a/box", "../../../outside");
	link_in(x, "boxes/fw/task", "../../outside");
	link_in(x, "boxes/gw", "../outside");
	struct sandbox_removal done = clear(x, &rules, 2 * WEEK_NS);
	assert_int_equal(done.removed, 1);
	assert_int_equal(done.failed, 0);
	assert_true(is_there(x, "outside/secret"));
	assert_true(is_there(x, "outside/deep/secret"));
	assert_false(is_there(x, "boxes/fw/a/1"));
}

/* Deeper than a path can say, than descriptors go round, and with names that removal itself uses. */
static void test_deep(void **state)
{
	struct disk_fixture *x = *state;
	struct rules_of_test rules = {0};
	int at;

	make(x, "boxes/fw/a/1", NULL);
	make(x, "boxes/fw/a/1/.removed-0/.removed-1", NULL);
	at = open(x->dir, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	assert_true(at >= 0);
	for (int i = 0; i < 3000; i++) {
		const char *name = i ? "d" : "boxes/fw/a/1/d";
		assert_int_equal(mkdirat(at, name, 0700), 0);
		int next = openat(at, name, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
		assert_true(next >= 0);
		close(at);
		at = next;
	}
	close(at);
	assert_int_equal(clear(x, &rules, 2 * WEEK_NS).removed, 1);
	assert_false(is_there(x, "boxes/fw"));
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, disk_setup, disk_teardown)
	const struct CMUnitTest tests[] = {TEST(test_by_age), TEST(test_for_room), TEST(test_young),
	                                   TEST(test_links_are_not_followed), TEST(test_deep)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
