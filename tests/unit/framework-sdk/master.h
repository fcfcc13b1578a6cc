/* A master for tests of the scheduler: HTTP for being found, a framed port for frameworks, and a note of all it is told.
 * It lives in a loop of the test. Everything is static: a program includes it. */
#ifndef FL_TESTS_UNIT_SDK_MASTER_H
#define FL_TESTS_UNIT_SDK_MASTER_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

#include <cmocka.h>

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/loop.h"
#include "base/mem.h"
#include "msg/codec.h"
#include "net/conn.h"
#include "net/http.h"
#include "net/peer.h"
#include "tests/unit/net/drive.h"

#define N_CALLS (FL_CALL_MESSAGE + 1)

struct master {
	struct loop *loop;
	const char *id;
	const char *cluster; /* as it says in MasterInfo; its hello has the same unless told otherwise */
	const char *hello_cluster;
	const char *framework_id; /* given to whoever subscribes */
	bool hidden;              /* it says that nobody leads */
	bool mute;                /* does not answer SUBSCRIBE */
	bool rude;                /* hangs up on everybody */
	enum fl_refusal refusal;  /* of everybody, with refusal_text */
	const char *refusal_text;
	struct fl_epoch epoch;
	struct http_server *http;
	struct listener *listener;
	struct peer *peer;
	char address[32], hello_id[64], hello_cluster_got[64];
	int n_accepted, n_closed;
	int n[N_CALLS];             /* calls by type */
	struct owned last[N_CALLS]; /* the last of each */
};

static inline void master_send(struct master *m, const struct fl_event *event)
{
	assert_non_null(m->peer);
	peer_send(m->peer, MSG_event, event);
}

static void master_on_ready(void *user, struct peer *p, const struct fl_hello *hello)
{
	struct master *m = user;

	assert_int_equal(hello->kind, FL_PEER_FRAMEWORK);
	snprintf(m->hello_id, sizeof(m->hello_id), "%s", hello->id ? hello->id : "");
	snprintf(m->hello_cluster_got, sizeof(m->hello_cluster_got), "%s", hello->cluster);
	if (m->refusal) {
		m->peer = NULL;
		peer_refuse(p, m->refusal, NULL, "%s", m->refusal_text);
	}
}

static void master_on_message(void *user, struct peer *p, const struct message_desc *desc, const void *rec)
{
	struct master *m = user;
	const struct fl_call *call = rec;
	struct fl_event_subscribed subscribed = {.framework_id = m->framework_id, .epoch = &m->epoch};
	struct fl_event event = {.type = FL_EVENT_SUBSCRIBED, .subscribed = &subscribed};

	assert_int_equal(desc->id, MSG_call);
	m->n[call->type]++;
	owned_set(&m->last[call->type], &rec_call, call);
	if (call->type == FL_CALL_SUBSCRIBE && !m->mute)
		master_send(m, &event);
}

static void master_hang_up(struct master *m)
{
	peer_destroy(m->peer);
	m->peer = NULL;
}

static void master_on_close(void *user, struct peer *p, const struct fl_refused *refused, const char *why)
{
	struct master *m = user;

	m->n_closed++;
	master_hang_up(m);
}

static const struct peer_ops master_ops = {
	.on_ready = master_on_ready,
	.on_message = master_on_message,
	.on_close = master_on_close,
};

static void master_on_accept(void *user, struct conn *c)
{
	struct master *m = user;
	struct peer_self self = {
		.kind = FL_PEER_MASTER,
		.cluster = m->hello_cluster ? m->hello_cluster : m->cluster,
		.expect = PEER_FRAMEWORK,
		.heartbeat_ms = 2000,
		.timeout_ms = 5000,
	};

	m->n_accepted++;
	if (m->rude) {
		conn_destroy(c);
		return;
	}
	master_hang_up(m);
	m->peer = peer_accept(m->loop, &self, c, &master_ops, m);
}

static void master_on_version(void *user, struct http_request *req)
{
	struct master *m = user;
	struct fl_address address = {.hostname = "localhost", .ip = "127.0.0.1", .port = http_server_port(m->http)};
	struct fl_master_info info = {
		.id = m->id,
		.ip = 16777343,
		.port = http_server_port(m->http),
		.address = &address,
		.has_fairlead_port = true,
		.fairlead_port = listener_port(m->listener),
		.cluster = m->cluster,
	};
	struct fl_version_info version = {
		.version = "0.1.0",
		.leader = m->hidden ? NULL : &info,
		.has_leading = true,
		.leading = !m->hidden,
		.epoch = m->hidden ? NULL : &m->epoch,
	};

	http_reply_record(req, 200, &rec_version_info, &version, NULL);
}

static const struct http_route master_routes[] = {{"GET", "/version", "viewer", master_on_version, "Who leads."}};

static void master_open(struct master *m, struct loop *l, const char *id)
{
	struct err err = {0};

	*m = (struct master){
		.loop = l,
		.id = id,
		.cluster = "blue",
		.framework_id = "framework-1",
		.refusal_text = "",
		.epoch = {.incarnation = "registry-1", .term = 7},
	};
	m->http = http_server_create(l, "127.0.0.1", 0, master_routes, 1, m, &err);
	m->listener = listener_create(l, "127.0.0.1", 0, master_on_accept, m, &err);
	if (!m->http || !m->listener)
		fail_msg("%s", err.text);
	snprintf(m->address, sizeof(m->address), "127.0.0.1:%d", http_server_port(m->http));
}

static void master_close(struct master *m)
{
	master_hang_up(m);
	listener_destroy(m->listener);
	http_server_destroy(m->http);
	for (int i = 0; i < N_CALLS; i++)
		owned_fini(&m->last[i]);
}

/* The last call of a type, which must have come. */
static inline const struct fl_call *master_call(const struct master *m, enum fl_call_type type)
{
	assert_non_null(m->last[type].rec);
	return m->last[type].rec;
}

#endif
