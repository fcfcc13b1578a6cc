/* States:
 *
 *   LOST        nobody leads, as far as we know
 *   WAITING     a random while before the next attempt
 *   CONNECTING  to the leader's framed port
 *   REGISTERING connected; said who we are, waiting to be admitted (or for our identity to be durable first)
 *   REGISTERED
 *   RETIRED     declared gone: no attempts any more
 *
 * Each failure doubles the limit of the random wait, up to 15 s; being admitted resets it. */
#include "slave/master_link.h"

#include <arpa/inet.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/sm.h"
#include "base/str.h"
#include "msg/codec.h"
#include "net/detect.h"
#include "net/peer.h"
#include "net/url.h"
#include "slave/conf.h"
#include "slave/dispatch.h"
#include "slave/identity.h"
#include "slave/internal.h"
#include "slave/reregister.h"
#include "slave/updates.h"

#define BACKOFF_MAX_MS 15000
#define CONNECT_TIMEOUT_MS 5000
#define REGISTER_TIMEOUT_MS 10000

enum link_state { LINK_LOST, LINK_WAITING, LINK_CONNECTING, LINK_REGISTERING, LINK_REGISTERED, LINK_RETIRED };

#define TO(s) (1u << LINK_##s)

static const struct sm_state states[] = {
	[LINK_LOST] = {"LOST", TO(WAITING) | TO(RETIRED), SM_INITIAL},
	[LINK_WAITING] = {"WAITING", TO(WAITING) | TO(CONNECTING) | TO(LOST) | TO(RETIRED), 0},
	[LINK_CONNECTING] = {"CONNECTING", TO(REGISTERING) | TO(WAITING) | TO(LOST) | TO(RETIRED), 0},
	[LINK_REGISTERING] = {"REGISTERING", TO(REGISTERED) | TO(WAITING) | TO(LOST) | TO(RETIRED), 0},
	[LINK_REGISTERED] = {"REGISTERED", TO(WAITING) | TO(LOST) | TO(RETIRED), 0},
	[LINK_RETIRED] = {"RETIRED", 0, SM_FINAL},
};

struct master_link {
	struct slave *slave;
	struct sm sm;
	struct detect *detect;
	struct owned leader; /* struct fl_master_info; none: nobody leads */
	struct peer *peer;
	struct timer timer; /* WAITING: the next attempt; REGISTERING: patience */
	struct defer drop;
	int64_t backoff_ms;
	bool left;                    /* nobody leads any more, but the connection to the last leader is open */
	bool said;                    /* REGISTERING: the registration is sent */
	bool admitted;                /* the master has said so, our id may not be durable yet */
	enum fl_refusal last_refusal; /* a repeated one is logged once */
};

static void on_enter(struct sm *sm, int from)
{
	struct master_link *m = CONTAINER_OF(sm, struct master_link, sm);

	timer_stop(&m->timer);
	defer_cancel(&m->drop);
	if (from == LINK_REGISTERED && sm->state != LINK_RETIRED)
		updates_connect(m->slave->updates, false);
	if (sm->state <= LINK_WAITING) {
		peer_destroy(m->peer);
		m->peer = NULL;
		m->said = m->admitted = false;
		dispatch_forget(m->slave->dispatch);
	}
}

static const struct fl_master_info *leader(const struct master_link *m)
{
	return m->leader.rec;
}

/* ---- attempts ---- */

/* At the end of a failed attempt, and when there is somebody new to try. */
static void wait_a_while(struct master_link *m)
{
	if (m->sm.state == LINK_RETIRED)
		return;
	if (m->left)
		owned_set(&m->leader, &rec_master_info, NULL);
	m->left = false;
	if (!leader(m)) {
		if (m->sm.state != LINK_LOST)
			sm_move(&m->sm, LINK_LOST);
		return;
	}
	sm_move(&m->sm, LINK_WAITING);
	timer_set(&m->timer, (int64_t)loop_random_below(m->slave->loop, (uint64_t)m->backoff_ms + 1));
	m->backoff_ms = m->backoff_ms * 2 < BACKOFF_MAX_MS ? m->backoff_ms * 2 : BACKOFF_MAX_MS;
}

static void fail(struct master_link *m, const char *why)
{
	log_warn("master.lost state=%s reason=\"%s\"", sm_name(&m->sm), why);
	m->slave->metrics.link_failures++;
	detect_again(m->detect);
	wait_a_while(m);
}

static void host_of(const struct fl_master_info *info, char *out, size_t size)
{
	struct in_addr in = {.s_addr = (in_addr_t)info->ip}; /* already as the network has it, on little-endian hosts */
	const char *named = info->address && info->address->ip         ? info->address->ip
	                    : info->address && info->address->hostname ? info->address->hostname
	                                                               : info->hostname;

	if (named && *named)
		snprintf(out, size, "%s", named);
	else
		inet_ntop(AF_INET, &in, out, (socklen_t)size);
}

/* ---- registering ---- */

static void send_part(void *user, const struct fl_slave_reregister *part)
{
	struct master_link *m = user;
	peer_send(m->peer, MSG_slave_reregister, part);
}

/* What we promise the master must be on our disk before: the nonce, and later the id. */
static void say_who_we_are(struct master_link *m)
{
	struct slave *s = m->slave;

	if (m->said || !identity_settled(s->identity))
		return;
	m->said = true;
	if (identity_slave_id(s->identity)) {
		reregister_parts(s, send_part, m);
		return;
	}
	struct fl_slave_register message = {
		.slave = &s->info, .version = FAIRLEAD_VERSION, .nonce = identity_nonce(s->identity)};
	peer_send(m->peer, MSG_slave_register, &message);
}

static void enter_registered(struct master_link *m)
{
	struct slave *s = m->slave;

	sm_move(&m->sm, LINK_REGISTERED);
	m->backoff_ms = s->conf->register_backoff;
	m->last_refusal = 0;
	s->metrics.registrations++;
	log_info("slave.registered slave=%s master=%s", identity_slave_id(s->identity), peer_address(m->peer));
	updates_connect(s->updates, true);
}

static void step_registering(struct master_link *m)
{
	if (m->sm.state != LINK_REGISTERING)
		return;
	say_who_we_are(m);
	if (m->admitted && identity_settled(m->slave->identity))
		enter_registered(m);
}

void master_link_admitted(struct master_link *m)
{
	m->admitted = true;
	step_registering(m);
}

void master_link_on_settled(struct master_link *m)
{
	if (m)
		step_registering(m);
}

/* ---- what the connection tells ---- */

static void on_ready(void *user, struct peer *p, const struct fl_hello *hello)
{
	struct master_link *m = user;

	sm_move(&m->sm, LINK_REGISTERING);
	timer_set(&m->timer, REGISTER_TIMEOUT_MS);
	step_registering(m);
}

static void on_message(void *user, struct peer *p, const struct message_desc *desc, const void *rec)
{
	struct master_link *m = user;
	dispatch_message(m->slave->dispatch, desc, rec);
}

static void log_refusal(struct master_link *m, const struct fl_refused *refused)
{
	if (m->last_refusal == refused->refusal)
		return;
	m->last_refusal = refused->refusal;
	log_error("master.refused reason=%s message=\"%s\" advice=\"%s\"", enum_name(&enum_refusal, refused->refusal),
	          refused->message ? refused->message : "", enum_doc(&enum_refusal, refused->refusal));
}

static void on_close(void *user, struct peer *p, const struct fl_refused *refused, const char *why)
{
	struct master_link *m = user;

	if (m->sm.state == LINK_RETIRED) {
		updates_connect(m->slave->updates, false);
		peer_destroy(m->peer);
		m->peer = NULL;
		return;
	}
	if (refused)
		log_refusal(m, refused);
	fail(m, why);
}

static const struct peer_ops peer_ops = {.on_ready = on_ready, .on_message = on_message, .on_close = on_close};

static void try_connect(struct master_link *m)
{
	const struct slave_conf *conf = m->slave->conf;
	struct peer_self self = {.kind = FL_PEER_SLAVE,
	                         .cluster = conf->cluster,
	                         .id = identity_slave_id(m->slave->identity),
	                         .expect = PEER_MASTER,
	                         .heartbeat_ms = conf->heartbeat,
	                         .timeout_ms = CONNECT_TIMEOUT_MS};
	char host[256];

	host_of(leader(m), host, sizeof(host));
	sm_move(&m->sm, LINK_CONNECTING);
	m->peer = peer_connect(m->slave->loop, &self, host, (int)leader(m)->fairlead_port, &peer_ops, m);
}

static void on_timer(void *user)
{
	struct master_link *m = user;

	if (m->sm.state == LINK_WAITING)
		try_connect(m);
	else
		fail(m, "the master did not answer the registration in time");
}

static void on_drop(void *user)
{
	struct master_link *m = user;

	if (m->peer && m->sm.state != LINK_RETIRED) {
		peer_finish(m->peer); /* what was said last is still sent */
		m->peer = NULL;
		wait_a_while(m);
	}
}

void master_link_drop(struct master_link *m, const char *why)
{
	log_warn("master.dropped state=%s reason=\"%s\"", sm_name(&m->sm), why);
	m->slave->metrics.link_failures++;
	detect_again(m->detect);
	loop_defer(m->slave->loop, &m->drop, on_drop, m);
}

void master_link_refused_order(struct master_link *m)
{
	if (m->sm.state == LINK_REGISTERING)
		master_link_drop(m, "its epoch is refused");
}

/* ---- who leads ---- */

static void on_leader(void *user, const struct fl_master_info *info)
{
	struct master_link *m = user;
	bool same = info && leader(m) && codec_equal(&rec_master_info, info, leader(m));

	/* An open connection is as good as it was: a master that stopped leading closes it. */
	m->left = !info && m->sm.state >= LINK_REGISTERING;
	if (m->sm.state == LINK_RETIRED || same || m->left)
		return;
	if (info && (info->fairlead_port < 1 || info->fairlead_port > 65535)) {
		log_error("master.no_port master=%s advice=\"it has no framed port: is it a Fairlead master?\"",
		          info->id);
		info = NULL;
	}
	owned_set(&m->leader, &rec_master_info, info);
	if (!info) {
		wait_a_while(m);
		return;
	}
	log_info("master.leader id=%s pid=%s", info->id, info->pid ? info->pid : "");
	m->backoff_ms = m->slave->conf->register_backoff;
	wait_a_while(m);
}

struct master_link *master_link_create(struct slave *s, struct err *err)
{
	struct master_link *m = xcalloc(1, sizeof(*m));
	struct url url = {0};

	m->slave = s;
	m->backoff_ms = s->conf->register_backoff;
	timer_init(&m->timer, s->loop, on_timer, m);
	sm_init(&m->sm, states, ARRAY_SIZE(states), LINK_LOST, "link", "master", NULL, on_enter);
	if (!*s->conf->master) {
		err_set(err, EINVAL, "--master is needed: zk://host:port/path, or host:port of a master");
		goto fail;
	}
	if (url_parse(s->conf->master, &url, err) < 0)
		goto fail;
	m->detect = detect_create(s->loop, &url, (int)s->conf->zk_session, on_leader, m, err);
	url_fini(&url);
	if (m->detect)
		return m;
fail:
	master_link_destroy(m);
	return NULL;
}

void master_link_destroy(struct master_link *m)
{
	if (!m)
		return;
	detect_destroy(m->detect);
	peer_destroy(m->peer);
	timer_stop(&m->timer);
	defer_cancel(&m->drop);
	owned_fini(&m->leader);
	free(m);
}

void master_link_send(struct master_link *m, int message_id, const void *rec)
{
	if (m->peer)
		peer_send(m->peer, message_id, rec);
}

void master_link_retire(struct master_link *m)
{
	if (m->sm.state != LINK_RETIRED)
		sm_move(&m->sm, LINK_RETIRED);
}

bool master_link_registered(const struct master_link *m)
{
	return m && m->sm.state == LINK_REGISTERED;
}
