/* A master as the tests of elect, store and detect need it: a candidacy and what it was told. */
#ifndef FL_TESTS_UNIT_NET_MASTER_H
#define FL_TESTS_UNIT_NET_MASTER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <fairlead/types.h>

#include "base/err.h"
#include "base/loop.h"
#include "net/elect.h"
#include "net/url.h"
#include "net/zk.h"
#include "tests/lib/zookeeper.h"
#include "tests/unit/net/drive.h"

#define SESSION_MS 1000

struct master {
	struct loop *loop;
	struct elect *elect;
	char id[32];
	int leading, suspended, lost, told; /* how often each came */
	char order[128];                    /* the same as letters: L S X */
	uint64_t term;
	char incarnation[40];
	char leader[32]; /* id, "" when nobody is known */
};

static inline void master_note(struct master *m, char what)
{
	size_t n = strlen(m->order);

	if (n + 1 < sizeof(m->order))
		m->order[n] = what;
}

static inline void master_on_leading(void *user, const struct fl_epoch *epoch)
{
	struct master *m = user;

	m->leading++;
	master_note(m, 'L');
	if (strcmp(m->incarnation, epoch->incarnation) == 0)
		assert_true(epoch->term > m->term); /* never the same term twice */
	m->term = epoch->term;
	snprintf(m->incarnation, sizeof(m->incarnation), "%s", epoch->incarnation);
	if (m->elect)
		assert_true(elect_leading(m->elect));
}

static inline void master_on_suspended(void *user)
{
	struct master *m = user;

	m->suspended++;
	master_note(m, 'S');
	assert_false(elect_leading(m->elect));
	assert_non_null(elect_epoch(m->elect));
}

static inline void master_on_lost(void *user)
{
	struct master *m = user;

	m->lost++;
	master_note(m, 'X');
	assert_false(elect_leading(m->elect));
	assert_null(elect_epoch(m->elect));
}

static inline void master_on_leader(void *user, const struct fl_master_info *leader)
{
	struct master *m = user;

	m->told++;
	snprintf(m->leader, sizeof(m->leader), "%s", leader ? leader->id : "");
}

static inline const struct elect_ops *master_ops(void)
{
	static const struct elect_ops ops = {master_on_leading, master_on_suspended, master_on_lost, master_on_leader};

	return &ops;
}

/* Joins the cluster at this address; fails the test when that is not possible. */
static inline void master_open_session(struct master *m, struct loop *l, const char *address, const char *id,
                                       int session_ms)
{
	struct fl_address where = {.ip = "127.0.0.1", .port = 5050};
	struct fl_master_info self = {
		.id = id, .ip = 16777343, .port = 5050, .hostname = "localhost", .address = &where};
	struct elect_options options = {.session_ms = session_ms};
	struct err err = {0};
	struct url url;

	memset(m, 0, sizeof(*m));
	m->loop = l;
	snprintf(m->id, sizeof(m->id), "%s", id);
	assert_int_equal(url_parse(address, &url, &err), 0);
	m->elect = elect_create(l, &url, &self, &options, master_ops(), m, &err);
	if (!m->elect)
		fail_msg("%s", err.text);
	url_fini(&url);
}

static inline void master_open(struct master *m, struct loop *l, const char *address, const char *id)
{
	master_open_session(m, l, address, id, SESSION_MS);
}

static inline void master_close(struct master *m)
{
	elect_destroy(m->elect);
	m->elect = NULL;
}

/* Plain access to ZooKeeper, for what strangers do. */
struct stranger {
	struct loop *loop;
	struct zk *zk;
	int answers, status;
	size_t n_names;
	char name[8][32];
	char text[512];
};

static inline void stranger_on_state(void *user, enum zk_state state)
{
}

static inline void stranger_on_status(void *user, int status)
{
	struct stranger *s = user;

	s->status = status;
	s->answers++;
}

static inline void stranger_on_path(void *user, int status, const char *path)
{
	stranger_on_status(user, status);
}

static inline void stranger_on_list(void *user, int status, const char *const *names, size_t n)
{
	struct stranger *s = user;

	s->n_names = n;
	for (size_t i = 0; i < n && i < 8; i++)
		snprintf(s->name[i], sizeof(s->name[i]), "%s", names[i]);
	stranger_on_status(user, status);
}

static inline void stranger_on_data(void *user, int status, const void *data, size_t size, int version)
{
	struct stranger *s = user;

	snprintf(s->text, sizeof(s->text), "%.*s", (int)(size < 500 ? size : 500), data ? (const char *)data : "");
	stranger_on_status(user, status);
}

static inline void stranger_open(struct stranger *s, struct loop *l, const char *hosts)
{
	memset(s, 0, sizeof(*s));
	s->loop = l;
	s->zk = zk_create(l, hosts, 4000, stranger_on_state, s, NULL);
	assert_non_null(s->zk);
}

#define STRANGER(s, call)                                         \
	do {                                                      \
		int stranger_before = (s)->answers;               \
		call;                                             \
		DRIVE((s)->loop, (s)->answers > stranger_before); \
	} while (0)

static inline void stranger_remove(struct stranger *s, const char *path)
{
	STRANGER(s, zk_remove(s->zk, path, ZK_ANY_VERSION, stranger_on_status, s));
}

/* Deletes a folder with what is in it, one level deep. */
static inline void stranger_remove_all(struct stranger *s, const char *path)
{
	char child[128], names[8][32];

	STRANGER(s, zk_children(s->zk, path, NULL, NULL, stranger_on_list, s));
	size_t n = s->status == 0 ? s->n_names : 0;
	assert_true(n <= 8);
	memcpy(names, s->name, sizeof(names));
	for (size_t i = 0; i < n; i++) {
		snprintf(child, sizeof(child), "%s/%s", path, names[i]);
		stranger_remove(s, child);
	}
	stranger_remove(s, path);
}

#endif
