/* A master for tests of the slave: HTTP for being found, a framed port for slaves, and a note of all it is told. It lives
 * in the same loop as the slave under test. Everything is static: one program a file includes it. */
#ifndef FL_TESTS_FAKE_MASTER_H
#define FL_TESTS_FAKE_MASTER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/list.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "msg/codec.h"
#include "net/conn.h"
#include "net/http.h"
#include "net/peer.h"
#include "slave/conf.h"
#include "slave/slave.h"

#define PATIENCE_MS 20000
#define MAX_SEEN 256

struct fake_master {
	struct loop *loop;
	struct http_server *http;
	struct listener *listener;
	struct peer *peer;
	struct fl_epoch epoch;
	const char *slave_id; /* given to a slave that has none, expected of one that has */
	bool mute;            /* does not answer registrations */
	bool ack;             /* acknowledges updates at once */
	int n_register, n_reregister, n_refused, n_closed;
	char nonce[64];
	struct owned last_refused;    /* struct fl_order_refused */
	struct owned parts[MAX_SEEN]; /* struct fl_slave_reregister of the last reregistration */
	size_t n_parts;
	struct owned updates[MAX_SEEN]; /* struct fl_status_update, repetitions included */
	size_t n_updates;
};

static void fake_send_ack(struct fake_master *f, const struct fl_status_update *u)
{
	struct fl_status_ack ack = {.epoch = &f->epoch,
	                            .framework_id = u->framework_id,
	                            .task_id = u->status->task_id,
	                            .uuid = u->status->uuid};
	peer_send(f->peer, MSG_status_ack, &ack);
}

static void fake_admit(struct fake_master *f)
{
	struct fl_slave_registered m = {.epoch = &f->epoch, .slave_id = f->slave_id};
	if (!f->mute)
		peer_send(f->peer, MSG_slave_registered, &m);
}

static void fake_forget_parts(struct fake_master *f)
{
	while (f->n_parts)
		owned_fini(&f->parts[--f->n_parts]);
}

static void fake_on_reregister(struct fake_master *f, const struct fl_slave_reregister *m)
{
	if (m->slave)
		fake_forget_parts(f);
	assert_true(f->n_parts < MAX_SEEN);
	owned_set(&f->parts[f->n_parts++], &rec_slave_reregister, m);
	if (!m->last)
		return;
	f->n_reregister++;
	fake_admit(f);
}

static void fake_on_message(void *user, struct peer *p, const struct message_desc *desc, const void *rec)
{
	struct fake_master *f = user;

	switch (desc->id) {
	case MSG_slave_register:
		f->n_register++;
		snprintf(f->nonce, sizeof(f->nonce), "%s", ((const struct fl_slave_register *)rec)->nonce);
		fake_admit(f);
		break;
	case MSG_slave_reregister:
		fake_on_reregister(f, rec);
		break;
	case MSG_status_update:
		assert_true(f->n_updates < MAX_SEEN);
		owned_set(&f->updates[f->n_updates++], &rec_status_update, rec);
		if (f->ack)
			fake_send_ack(f, rec);
		break;
	case MSG_order_refused:
		f->n_refused++;
		owned_set(&f->last_refused, &rec_order_refused, rec);
		break;
	}
}

static void fake_on_ready(void *user, struct peer *p, const struct fl_hello *hello)
{
}

static void fake_on_close(void *user, struct peer *p, const struct fl_refused *refused, const char *why)
{
	struct fake_master *f = user;

	f->n_closed++;
	peer_destroy(f->peer);
	f->peer = NULL;
}

static const struct peer_ops fake_peer_ops = {
	.on_ready = fake_on_ready, .on_message = fake_on_message, .on_close = fake_on_close};

static void fake_on_accept(void *user, struct conn *c)
{
	struct fake_master *f = user;
	struct peer_self self = {.kind = FL_PEER_MASTER,
	                         .cluster = "test",
	                         .expect = PEER_SLAVE,
	                         .heartbeat_ms = 5000,
	                         .timeout_ms = 5000};

	peer_destroy(f->peer);
	f->peer = peer_accept(f->loop, &self, c, &fake_peer_ops, f);
}

static void fake_on_version(void *user, struct http_request *req)
{
	struct fake_master *f = user;
	struct fl_address address = {.hostname = "localhost", .ip = "127.0.0.1", .port = http_server_port(f->http)};
	struct fl_master_info info = {.id = "fake",
	                              .ip = 16777343,
	                              .port = http_server_port(f->http),
	                              .hostname = "localhost",
	                              .address = &address,
	                              .has_fairlead_port = true,
	                              .fairlead_port = listener_port(f->listener),
	                              .cluster = "test"};
	struct fl_version_info v = {.version = "0.1.0",
	                            .program = "fairlead-master",
	                            .cluster = "test",
	                            .leader = &info,
	                            .has_leading = true,
	                            .leading = true,
	                            .epoch = &f->epoch};
	http_reply_record(req, 200, &rec_version_info, &v, NULL);
}

static const struct http_route fake_routes[] = {{"GET", "/version", "viewer", fake_on_version, "Who leads."}};

static inline void fake_start(struct fake_master *f, struct loop *l)
{
	struct err err = {0};

	*f = (struct fake_master){
		.loop = l, .slave_id = "slave-1", .epoch = {.incarnation = "registry-1", .term = 7}, .ack = true};
	f->http = http_server_create(l, "127.0.0.1", 0, fake_routes, 1, f, &err);
	assert_non_null(f->http);
	f->listener = listener_create(l, "127.0.0.1", 0, fake_on_accept, f, &err);
	assert_non_null(f->listener);
}

static inline void fake_stop(struct fake_master *f)
{
	peer_destroy(f->peer);
	listener_destroy(f->listener);
	http_server_destroy(f->http);
	fake_forget_parts(f);
	owned_fini(&f->last_refused);
	while (f->n_updates)
		owned_fini(&f->updates[--f->n_updates]);
}

/* Closes the connection; the slave comes back by itself. */
static inline void fake_hang_up(struct fake_master *f)
{
	peer_destroy(f->peer);
	f->peer = NULL;
}

/* ---- orders ---- */

static struct fl_framework_capability fake_capabilities[] = {{FL_CAPABILITY_PARTITION_AWARE},
                                                             {FL_CAPABILITY_TASK_KILLING_STATE}};

/* What a test may say about a task; the rest is usual. */
struct fake_task {
	const char *id, *command;
	int64_t cpus_milli, mem_milli;
	int64_t grace_ms;          /* 0: 1 ms */
	int64_t max_completion_ms; /* 0: none */
	const char *ports;         /* "31000" one port */
	uint64_t port;
	bool no_mem;
	bool plain;           /* its framework has no capabilities */
	const char *slave_id; /* NULL: the right one */
};

static inline void fake_run(struct fake_master *f, struct fake_task t)
{
	struct fl_scalar cpus = {t.cpus_milli ? t.cpus_milli : 100}, mem = {t.mem_milli ? t.mem_milli : 32000};
	struct fl_range range = {t.port, t.port};
	struct fl_ranges ranges = {.range = &range, .n_range = 1};
	struct fl_resource resources[] = {{.name = "cpus", .type = FL_SCALAR, .scalar = &cpus},
	                                  {.name = t.no_mem ? "disk" : "mem", .type = FL_SCALAR, .scalar = &mem},
	                                  {.name = "ports", .type = FL_RANGES, .ranges = &ranges}};
	struct fl_command_info command = {.value = t.command, .has_shell = true, .shell = true};
	struct fl_duration_info grace = {(t.grace_ms ? t.grace_ms : 1) * 1000000},
				max = {t.max_completion_ms * 1000000};
	struct fl_kill_policy policy = {.grace_period = &grace};
	struct fl_task_info task = {.name = t.id,
	                            .task_id = t.id,
	                            .slave_id = t.slave_id ? t.slave_id : f->slave_id,
	                            .resources = resources,
	                            .n_resources = t.port ? 3 : 2,
	                            .command = t.command ? &command : NULL,
	                            .kill_policy = &policy,
	                            .max_completion_time = t.max_completion_ms ? &max : NULL};
	struct fl_framework_info framework = {.user = "",
	                                      .name = "fw",
	                                      .id = t.plain ? "fw-plain" : "fw-1",
	                                      .capabilities = fake_capabilities,
	                                      .n_capabilities = t.plain ? 0 : 2};
	struct fl_run_task m = {.epoch = &f->epoch, .framework = &framework, .task = &task, .role = "*"};

	peer_send(f->peer, MSG_run_task, &m);
}

static inline void fake_kill(struct fake_master *f, const char *task_id)
{
	struct fl_kill_task m = {.epoch = &f->epoch, .framework_id = "fw-1", .task_id = task_id};
	peer_send(f->peer, MSG_kill_task, &m);
}

/* ---- what came ---- */

static inline const struct fl_task_status *fake_status(const struct fake_master *f, const char *task_id,
                                                       enum fl_task_state state)
{
	for (size_t i = 0; i < f->n_updates; i++) {
		const struct fl_status_update *u = f->updates[i].rec;
		if (!strcmp(u->status->task_id, task_id) && u->status->state == state)
			return u->status;
	}
	return NULL;
}

/* How many different updates of this task came (by uuid), in the order of their first coming; states into out. */
static size_t fake_history(const struct fake_master *f, const char *task_id, enum fl_task_state *out, size_t max)
{
	const struct fl_task_status *seen[MAX_SEEN];
	size_t n = 0;

	for (size_t i = 0; i < f->n_updates; i++) {
		const struct fl_task_status *s = ((const struct fl_status_update *)f->updates[i].rec)->status;
		bool known = strcmp(s->task_id, task_id) != 0;
		for (size_t k = 0; k < n && !known; k++)
			known = memcmp(seen[k]->uuid.data, s->uuid.data, 16) == 0;
		if (known)
			continue;
		assert_true(n < max);
		seen[n] = s;
		out[n++] = s->state;
	}
	return n;
}

static inline void fake_expect_history(const struct fake_master *f, const char *task_id, const enum fl_task_state *want,
                                       size_t n)
{
	enum fl_task_state got[32];

	assert_int_equal(fake_history(f, task_id, got, 32), n);
	for (size_t i = 0; i < n; i++)
		assert_string_equal(enum_name(&enum_task_state, got[i]), enum_name(&enum_task_state, want[i]));
}
#define EXPECT_HISTORY(f, task_id, ...)                                            \
	fake_expect_history(f, task_id, (const enum fl_task_state[]){__VA_ARGS__}, \
	                    sizeof((const enum fl_task_state[]){__VA_ARGS__}) / sizeof(enum fl_task_state))

/* Turns the loop until the condition holds; fails the test when it takes too long. */
#define PUMP_UNTIL(l, condition)                                     \
	do {                                                         \
		int64_t _end = loop_now_us(l) / 1000 + PATIENCE_MS;  \
		while (!(condition) && loop_now_us(l) / 1000 < _end) \
			loop_step(l, 50);                            \
		if (!(condition))                                    \
			fail_msg("did not happen: %s", #condition);  \
	} while (0)

static inline void pump_ms(struct loop *l, int64_t ms)
{
	for (int64_t end = loop_now_us(l) / 1000 + ms; loop_now_us(l) / 1000 < end;)
		loop_step(l, 5);
}

#endif
