/* Looking into sandboxes, and nowhere else. */
#include "tests/unit/slave/disk_fixture.h"

#include <fairlead/types.h>

#include "slave/files.h"

static void put(const struct disk_fixture *x, const char *name, const char *text)
{
	char path[200];

	snprintf(path, sizeof(path), "%s/%s", x->dir, name);
	FILE *f = fopen(path, "w");
	assert_non_null(f);
	fputs(text, f);
	fclose(f);
}

static int setup(void **state)
{
	disk_setup(state);
	struct disk_fixture *x = *state;
	char from[200];

	assert_int_equal(disk_mkdir(x->disk, "boxes/fw/t/c/sub", NULL), 0);
	put(x, "secret", "secret");
	put(x, "boxes/fw/t/c/stdout", "0123456789");
	put(x, "boxes/fw/t/c/sub/x", "");
	snprintf(from, sizeof(from), "%s/boxes/fw/t/c/link", x->dir);
	assert_int_equal(symlink("../../../../secret", from), 0);
	snprintf(from, sizeof(from), "%s/boxes/fw/t/c/near", x->dir);
	assert_int_equal(symlink("stdout", from), 0);
	snprintf(from, sizeof(from), "%s/boxes/fw/t/c/up", x->dir);
	assert_int_equal(symlink("../../../..", from), 0);
	snprintf(from, sizeof(from), "%s/boxes/fw/t/c/fifo", x->dir);
	assert_int_equal(mkfifo(from, 0600), 0);
	return 0;
}

static char *root_of(struct disk_fixture *x)
{
	return xasprintf("%s/boxes", x->dir);
}

static int read_part(struct disk_fixture *x, const char *path, uint64_t offset, uint64_t length, char *out,
                     uint64_t *size)
{
	_cleanup_zone_ struct zone *z = zone_create();
	_cleanup_free_ char *root = root_of(x);
	struct fl_api_file_data data = {0};
	struct err err = {0};

	int r = files_read(root, path, offset, length, z, &data, &err);
	if (r < 0) {
		assert_true(*err.text);
		return r;
	}
	memcpy(out, data.data.data, data.data.size);
	out[data.data.size] = 0;
	*size = data.size;
	return 0;
}

static void test_read(void **state)
{
	struct disk_fixture *x = *state;
	char out[64];
	uint64_t size;

	assert_int_equal(read_part(x, "fw/t/c/stdout", 0, 100, out, &size), 0);
	assert_string_equal(out, "0123456789");
	assert_int_equal(size, 10);
	assert_int_equal(read_part(x, "/fw/t/c/stdout", 3, 4, out, &size), 0);
	assert_string_equal(out, "3456");
	assert_int_equal(read_part(x, "fw/t/c/stdout", 10, 4, out, &size), 0);
	assert_string_equal(out, "");
	assert_int_equal(read_part(x, "fw/t/c/stdout", UINT64_MAX, UINT64_MAX, out, &size), 0);
	assert_string_equal(out, "");
	assert_int_equal(read_part(x, "fw/t/c/stdout", 0, 0, out, &size), 0);
	assert_int_equal(size, 10);
}

static void test_ways_out_are_closed(void **state)
{
	static const char *const bad[] = {"../secret",
	                                  "fw/../../secret",
	                                  "fw/t/c/link",
	                                  "fw/t/c/near",
	                                  "fw/t/c/up/secret",
	                                  "fw/t/c/fifo",
	                                  "fw/t/c",
	                                  "",
	                                  "fw/t/c/up/boxes/fw/t/c/stdout"};
	struct disk_fixture *x = *state;
	char out[64];
	uint64_t size;

	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		assert_int_equal(read_part(x, bad[i], 0, 10, out, &size), -EINVAL);
	assert_int_equal(read_part(x, "fw/t/c/none", 0, 10, out, &size), -ENOENT);
	assert_int_equal(read_part(x, "fw/none/c", 0, 10, out, &size), -ENOENT);
}

static void test_list(void **state)
{
	struct disk_fixture *x = *state;
	_cleanup_zone_ struct zone *z = zone_create();
	_cleanup_free_ char *root = root_of(x);
	struct fl_api_files files = {0};
	struct err err = {0};

	assert_int_equal(files_list(root, "fw/t/c", z, &files, &err), 0);
	assert_int_equal(files.n_file_infos, 6);
	assert_string_equal(files.file_infos[0].path, "fw/t/c/fifo");
	assert_string_equal(files.file_infos[3].path, "fw/t/c/stdout");
	assert_int_equal(files.file_infos[3].size, 10);
	assert_true(S_ISREG(files.file_infos[3].mode));
	assert_true(S_ISLNK(files.file_infos[1].mode));
	assert_int_equal(files_list(root, "fw/t/c/sub/", z, &files, &err), 0);
	assert_int_equal(files.n_file_infos, 1);
	assert_int_equal(files_list(root, "", z, &files, &err), 0);
	assert_int_equal(files.n_file_infos, 1);
	assert_int_equal(files_list(root, "fw/t/c/up", z, &files, &err), -EINVAL);
	assert_int_equal(files_list(root, "..", z, &files, &err), -EINVAL);
	assert_int_equal(files_list(root, "fw/t/c/stdout", z, &files, &err), -EINVAL);
	assert_int_equal(files_list(root, "no", z, &files, &err), -ENOENT);
}

static void test_big_reads_are_cut(void **state)
{
	struct disk_fixture *x = *state;
	_cleanup_zone_ struct zone *z = zone_create();
	_cleanup_free_ char *root = root_of(x), *path = xasprintf("%s/boxes/big", x->dir);
	struct fl_api_file_data data = {0};

	int fd = open(path, O_CREAT | O_WRONLY, 0600);
	assert_int_equal(ftruncate(fd, 3 << 20), 0);
	close(fd);
	assert_int_equal(files_read(root, "big", 0, 3 << 20, z, &data, NULL), 0);
	assert_int_equal(data.data.size, FILES_MAX_READ);
	assert_int_equal(data.size, 3 << 20);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, disk_teardown)
	const struct CMUnitTest tests[] = {TEST(test_read), TEST(test_ways_out_are_closed), TEST(test_list),
	                                   TEST(test_big_reads_are_cut)};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
