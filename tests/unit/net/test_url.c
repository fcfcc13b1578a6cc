/* Cluster addresses: every form, every way to get one wrong. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "base/err.h"
#include "net/url.h"

static void zk_forms(void **state)
{
	struct url u;

	assert_int_equal(url_parse("zk://a:1,b,10.0.0.3:65535/fairlead", &u, NULL), 0);
	assert_int_equal(u.kind, URL_ZK);
	assert_string_equal(u.hosts, "a:1,b:2181,10.0.0.3:65535");
	assert_string_equal(u.path, "/fairlead");
	assert_int_equal(u.n_hosts, 3);
	assert_string_equal(u.host[1].host, "b");
	assert_int_equal(u.host[1].port, 2181);
	url_fini(&u);
	assert_null(u.hosts);
	assert_int_equal(u.n_hosts, 0);

	assert_int_equal(url_parse("zk://a/x/y-1.z//", &u, NULL), 0);
	assert_string_equal(u.path, "/x/y-1.z");
	url_fini(&u);

	assert_int_equal(url_parse("zk://[::1]:2182,[fe80::1]/x", &u, NULL), 0);
	assert_string_equal(u.host[0].host, "::1");
	assert_string_equal(u.hosts, "[::1]:2182,[fe80::1]:2181");
	url_fini(&u);
	url_fini(&u); /* twice is fine */
}

static void file_forms(void **state)
{
	struct url u;

	assert_int_equal(url_parse("file:///var/lib/fairlead/registry/", &u, NULL), 0);
	assert_int_equal(u.kind, URL_FILE);
	assert_string_equal(u.path, "/var/lib/fairlead/registry");
	assert_null(u.hosts);
	assert_int_equal(u.n_hosts, 0);
	url_fini(&u);
}

static void host_forms(void **state)
{
	struct url u;

	assert_int_equal(url_parse("master-1:5051,10.1.2.3", &u, NULL), 0);
	assert_int_equal(u.kind, URL_HOSTS);
	assert_string_equal(u.hosts, "master-1:5051,10.1.2.3:5050");
	assert_null(u.path);
	assert_int_equal(u.host[1].port, 5050);
	url_fini(&u);

	assert_int_equal(url_parse("[2001:db8::7]", &u, NULL), 0);
	assert_string_equal(u.host[0].host, "2001:db8::7");
	assert_int_equal(u.host[0].port, 5050);
	url_fini(&u);
}

static void refusals(void **state)
{
	static const char *const bad[] = {
		"",
		"zk://",
		"zk:///x",
		"zk://a",
		"zk://a/",
		"zk://a//",
		"zk://a//x",
		"zk://a/x//y",
		"zk://a/x/../y",
		"zk://a/./x",
		"zk://a:0/x",
		"zk://a:65536/x",
		"zk://a:/x",
		"zk://a:2181x/x",
		"zk://a:-1/x",
		"zk://a,/x",
		"zk://,a/x",
		"zk://user:pw@a/x",
		"zk://a b/x",
		"zk://a/x y",
		"zk://a/x\n",
		"zk://a/x?y",
		"zk://a/zookeeper",
		"zk://a/zookeeper/x",
		"zk://::1/x",
		"zk://[::1/x",
		"zk://[::1]5/x",
		"zk://[]:5/x",
		"file://x",
		"file://",
		"file:///",
		"file:////",
		"http://a:5050",
		"etcd://a/x",
		"a:b",
		"a:5050,",
		",a",
		":5050",
		"a/b",
		"user@a",
		"a:99999999999999999999",
	};

	for (size_t i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
		struct url u = {.kind = 77};
		struct err err = {0};
		if (url_parse(bad[i], &u, &err) == 0)
			fail_msg("'%s' was accepted", bad[i]);
		assert_int_equal(err.code, 22);
		assert_true(strlen(err.text) > 10);
		assert_int_equal(u.kind, 77); /* untouched */
	}
}

static void too_many_hosts(void **state)
{
	char text[1024] = "zk://h0";
	struct url u;
	struct err err = {0};

	for (int i = 1; i < URL_MAX_HOSTS; i++)
		snprintf(text + strlen(text), sizeof(text) - strlen(text), ",h%d", i);
	size_t n = strlen(text);
	snprintf(text + n, sizeof(text) - n, "/x");
	assert_int_equal(url_parse(text, &u, NULL), 0);
	assert_int_equal(u.n_hosts, URL_MAX_HOSTS);
	url_fini(&u);
	snprintf(text + n, sizeof(text) - n, ",one-more/x");
	assert_int_equal(url_parse(text, &u, &err), -22);
	assert_non_null(strstr(err.text, "16"));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(zk_forms), cmocka_unit_test(file_forms),     cmocka_unit_test(host_forms),
		cmocka_unit_test(refusals), cmocka_unit_test(too_many_hosts),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
