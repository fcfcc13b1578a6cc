/* What the tests of drf/ share: resources from text, and a ledger with frameworks that launch one task per offer. */
#ifndef FL_TESTS_DRF_FIXTURE_H
#define FL_TESTS_DRF_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "drf/drf.h"
#include "msg/resources.h"

static inline struct resources res(const char *text)
{
	struct resources r = {0};
	struct err err = {0};

	if (resources_parse(text, &r, &err))
		fail_msg("%s: %s", text, err.text);
	return r;
}

static inline void assert_res(const struct resources *r, const char *text)
{
	struct buf b = {0};

	resources_print(r, &b);
	assert_string_equal(buf_cstr(&b), text);
	buf_fini(&b);
}

static inline void assert_sound(const struct drf *d)
{
	struct err err = {0};

	if (drf_check(d, &err))
		fail_msg("%s", err.text);
}

static inline drf_id add_slave(struct drf *d, const char *name, const char *total)
{
	struct resources r = res(total);
	drf_id id = 0;

	assert_int_equal(drf_slave_add(d, name, &r, &id, NULL), 0);
	resources_fini(&r);
	return id;
}

static inline drf_id add_client(struct drf *d, const char *framework, const char *role)
{
	drf_id id = 0;

	assert_int_equal(drf_client_add(d, framework, role, &id, NULL), 0);
	return id;
}

static inline int take(struct drf *d, drf_id slave, drf_id client, const char *what)
{
	struct resources r = res(what);
	int status = drf_take(d, slave, client, &r);

	resources_fini(&r);
	return status;
}

static inline int release(struct drf *d, drf_id slave, drf_id client, const char *what)
{
	struct resources r = res(what);
	int status = drf_release(d, slave, client, &r);

	resources_fini(&r);
	return status;
}

static inline int refuse(struct drf *d, drf_id slave, drf_id client, const char *what, int64_t until_ms)
{
	struct resources r = res(what);
	int status = drf_filter(d, slave, client, &r, until_ms);

	resources_fini(&r);
	return status;
}

static inline void assert_free(const struct drf *d, drf_id slave, const char *text)
{
	struct resources r = {0};

	assert_true(drf_slave_free(d, slave, &r));
	assert_res(&r, text);
	resources_fini(&r);
}

static inline void assert_slave_held(const struct drf *d, drf_id slave, const char *text)
{
	struct resources r = {0};

	assert_true(drf_slave_held(d, slave, &r));
	assert_res(&r, text);
	resources_fini(&r);
}

static inline void assert_client_held(const struct drf *d, drf_id client, const char *text)
{
	struct resources r = {0};

	assert_true(drf_client_held(d, client, &r));
	assert_res(&r, text);
	resources_fini(&r);
}

/* Grants of a round, kept. */
struct grants {
	struct grant {
		drf_id slave, client;
		struct resources what;
	} v[256];
	size_t n;
};

static inline void keep_grant(void *user, drf_id slave, drf_id client, const struct resources *what)
{
	struct grants *g = user;
	struct grant *kept = &g->v[g->n++];

	*kept = (struct grant){.slave = slave, .client = client};
	resources_copy(&kept->what, what);
}

static inline void grants_fini(struct grants *g)
{
	while (g->n)
		resources_fini(&g->v[--g->n].what);
}

static inline size_t round_of(struct drf *d, int64_t now_ms, struct grants *g)
{
	size_t n;

	grants_fini(g);
	n = drf_round(d, now_ms, keep_grant, g);
	assert_int_equal(n, g->n);
	assert_sound(d);
	return n;
}

/* Gives everything of the last round back. */
static inline void release_all(struct drf *d, struct grants *g)
{
	for (size_t i = 0; i < g->n; i++)
		assert_int_equal(drf_release(d, g->v[i].slave, g->v[i].client, &g->v[i].what), 0);
	grants_fini(g);
}

#endif
