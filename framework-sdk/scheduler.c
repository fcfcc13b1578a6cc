/* A framework's side of the protocol.
 *
 * Owns: the loop (unless given one), the detector, the connection to the leader, the framework's info and id, and which of
 * its roles are suppressed.
 * States: SEEKING (no leader known) → WAITING (random backoff) → CONNECTING → SUBSCRIBING → SUBSCRIBED → LEAVING
 * (teardown sent) → STOPPED. Any loss of the connection before STOPPED leads back to WAITING or SEEKING.
 * Invariants: a peer exists exactly in CONNECTING, SUBSCRIBING, SUBSCRIBED and LEAVING; the framework id, once given, never
 * changes. */
#include "framework-sdk/scheduler.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/sm.h"
#include "base/str.h"
#include "framework-sdk/options.h"
#include "msg/codec.h"
#include "net/conn.h"
#include "net/detect.h"
#include "net/peer.h"
#include "net/url.h"

#define CONNECT_TIMEOUT_MS 5000
#define LEAVE_TIMEOUT_MS 5000
#define BACKOFF_MAX_MS 5000
#define NS_PER_MS 1000000
#define DEFAULT_MASTER "127.0.0.1:5050"

enum { SEEKING, WAITING, CONNECTING, SUBSCRIBING, SUBSCRIBED, LEAVING, STOPPED };

#define BIT(s) (1u << (s))
#define LOST (BIT(SEEKING) | BIT(WAITING) | BIT(STOPPED))
static const struct sm_state states[] = {
	[SEEKING] = {"SEEKING", BIT(WAITING) | BIT(STOPPED), SM_INITIAL},
	[WAITING] = {"WAITING", BIT(CONNECTING) | BIT(SEEKING) | BIT(STOPPED), 0},
	[CONNECTING] = {"CONNECTING", BIT(SUBSCRIBING) | LOST, 0},
	[SUBSCRIBING] = {"SUBSCRIBING", BIT(SUBSCRIBED) | LOST, 0},
	[SUBSCRIBED] = {"SUBSCRIBED", BIT(LEAVING) | LOST, 0},
	[LEAVING] = {"LEAVING", BIT(STOPPED), 0},
	[STOPPED] = {"STOPPED", 0, SM_FINAL},
};

struct fl_scheduler {
	struct sm sm;
	struct loop *loop;
	bool own_loop;
	struct fl_scheduler_callbacks cb;
	void *user;
	char *cluster;
	bool explicit_acknowledge;
	int64_t heartbeat_ms, backoff_first_ms, backoff_ms;
	struct detect *detect;
	struct peer *peer;
	char *master_id;          /* whom the peer is or was for */
	struct timer timer;       /* WAITING: backoff; SUBSCRIBING: patience; LEAVING: patience */
	struct owned info;        /* fl_framework_info, its id left out */
	struct owned leader;      /* fl_master_info; rec NULL when nobody is known to lead */
	const char *const *roles; /* of info */
	const char *role;         /* what roles is for a framework without MULTI_ROLE */
	bool *suppressed;         /* one for each of roles */
	size_t n_roles;
	char *framework_id;
	char run[37]; /* random; with attempt it tells the master which of our subscriptions is the newest */
	uint64_t attempt;
	const struct fl_task_status *unacknowledged; /* while its callback runs */
	int result;
	struct err error;
};

static bool scheduler_sound(const struct sm *sm)
{
	const struct fl_scheduler *s = CONTAINER_OF(sm, struct fl_scheduler, sm);
	int state = sm_state(sm);
	bool connected = state >= CONNECTING && state <= LEAVING;
	return connected == (s->peer != NULL);
}

static void scheduler_on_enter(struct sm *sm, int from)
{
	struct fl_scheduler *s = CONTAINER_OF(sm, struct fl_scheduler, sm);
	(void)from;
	timer_stop(&s->timer);
	if (sm_state(sm) == STOPPED && s->own_loop)
		loop_stop(s->loop);
}

static void drop_peer(struct fl_scheduler *s)
{
	peer_destroy(s->peer);
	s->peer = NULL;
}

static void send_call(struct fl_scheduler *s, struct fl_call *call)
{
	call->framework_id = s->framework_id;
	peer_send(s->peer, MSG_call, call);
}

/* The callback of an update has returned, or has ended everything: that, too, means that it knows. */
static void acknowledge(struct fl_scheduler *s)
{
	const struct fl_task_status *status = s->unacknowledged;

	s->unacknowledged = NULL;
	if (!status || !status->uuid.size || !status->slave_id || !fl_subscribed(s))
		return;
	struct fl_call_acknowledge ack = {
		.slave_id = status->slave_id,
		.task_id = status->task_id,
		.uuid = status->uuid,
	};
	send_call(s, &(struct fl_call){.type = FL_CALL_ACKNOWLEDGE, .acknowledge = &ack});
}

static void stop(struct fl_scheduler *s, int result)
{
	if (sm_is_final(&s->sm))
		return;
	acknowledge(s);
	if (s->peer)
		peer_finish(s->peer);
	s->peer = NULL;
	s->result = result;
	sm_move(&s->sm, STOPPED);
}

/* The callback comes last: what it calls finds a scheduler that has stopped. */
static void fail(struct fl_scheduler *s, const char *message)
{
	err_set(&s->error, EPROTO, "%s", message);
	stop(s, -EPROTO);
	if (s->cb.error)
		s->cb.error(s, s->user, message);
	else
		fprintf(stderr, "fairlead: %s\n", message);
}

/* ---------------------------------------------------------------------------------------------- finding the master */

static void wait_a_while(struct fl_scheduler *s)
{
	timer_set(&s->timer, (int64_t)loop_random_below(s->loop, (uint64_t)s->backoff_ms + 1));
	s->backoff_ms = s->backoff_ms * 2 < BACKOFF_MAX_MS ? s->backoff_ms * 2 : BACKOFF_MAX_MS;
}

static void wait_or_seek(struct fl_scheduler *s)
{
	if (!s->leader.rec) {
		if (sm_state(&s->sm) != SEEKING)
			sm_move(&s->sm, SEEKING);
		return;
	}
	sm_move(&s->sm, WAITING);
	wait_a_while(s);
}

static void lose(struct fl_scheduler *s)
{
	bool was_subscribed = sm_state(&s->sm) == SUBSCRIBED;
	drop_peer(s);
	wait_or_seek(s);
	if (was_subscribed && s->cb.disconnected)
		s->cb.disconnected(s, s->user);
}

/* A connection to a leader that is no longer known is kept: only its end, or another leader, ends it. */
static void on_leader(void *user, const struct fl_master_info *leader)
{
	struct fl_scheduler *s = user;
	const struct fl_master_info *before = s->leader.rec;
	bool other = leader && !(before && str_equal(before->id, leader->id));

	owned_set(&s->leader, &rec_master_info, leader);
	if (!leader || (s->peer && str_equal(s->master_id, leader->id)))
		return;
	s->backoff_ms = s->backoff_first_ms;
	switch (sm_state(&s->sm)) {
	case SEEKING:
		wait_or_seek(s);
		break;
	case WAITING: /* so far for the one before, and ever longer */
		if (other)
			wait_a_while(s);
		break;
	case CONNECTING:
	case SUBSCRIBING:
	case SUBSCRIBED:
		lose(s);
		break;
	default:
		break;
	}
}

static const char *leader_host(const struct fl_master_info *leader)
{
	if (leader->address && leader->address->ip)
		return leader->address->ip;
	return leader->hostname ? leader->hostname : "127.0.0.1";
}

/* ---------------------------------------------------------------------------------------------- the connection */

static void on_ready(void *user, struct peer *p, const struct fl_hello *hello)
{
	struct fl_scheduler *s = user;
	struct fl_framework_info info = *(const struct fl_framework_info *)s->info.rec;
	_cleanup_free_ const char **suppressed = xcalloc(s->n_roles + 1, sizeof(*suppressed));
	struct fl_call_subscribe subscribe = {
		.framework_info = &info,
		.suppressed_roles = suppressed,
		.run = s->run,
		.has_attempt = true,
		.attempt = ++s->attempt,
	};
	struct fl_call call = {.type = FL_CALL_SUBSCRIBE, .subscribe = &subscribe};

	(void)p;
	(void)hello;
	info.id = s->framework_id;
	for (size_t i = 0; i < s->n_roles; i++)
		if (s->suppressed[i])
			suppressed[subscribe.n_suppressed_roles++] = s->roles[i];
	sm_move(&s->sm, SUBSCRIBING);
	timer_set(&s->timer, CONNECT_TIMEOUT_MS);
	send_call(s, &call);
}

static void on_subscribed(struct fl_scheduler *s, const struct fl_event_subscribed *e)
{
	if (sm_state(&s->sm) != SUBSCRIBING)
		return;
	if (!s->framework_id)
		s->framework_id = xstrdup(e->framework_id);
	s->backoff_ms = s->backoff_first_ms;
	sm_move(&s->sm, SUBSCRIBED);
	if (s->cb.subscribed)
		s->cb.subscribed(s, s->user, e);
}

static void on_offers(struct fl_scheduler *s, const struct fl_event_offers *e)
{
	if (s->cb.offers) {
		s->cb.offers(s, s->user, e->offers, e->n_offers);
		return;
	}
	for (size_t i = 0; i < e->n_offers; i++)
		fl_decline(s, e->offers[i].id, -1);
}

static void on_update(struct fl_scheduler *s, const struct fl_task_status *status)
{
	s->unacknowledged = s->explicit_acknowledge ? NULL : status;
	if (s->cb.update)
		s->cb.update(s, s->user, status);
	acknowledge(s);
}

static void on_event(struct fl_scheduler *s, const struct fl_event *e)
{
	if (e->type == FL_EVENT_SUBSCRIBED && e->subscribed)
		on_subscribed(s, e->subscribed);
	else if (e->type == FL_EVENT_ERROR)
		fail(s, e->error ? e->error->message : "the master ended the subscription");
	else if (!fl_subscribed(s))
		return;
	else if (e->type == FL_EVENT_OFFERS && e->offers)
		on_offers(s, e->offers);
	else if (e->type == FL_EVENT_UPDATE && e->update)
		on_update(s, e->update->status);
	else if (e->type == FL_EVENT_RESCIND && e->rescind && s->cb.rescinded)
		s->cb.rescinded(s, s->user, e->rescind->offer_id);
	else if (e->type == FL_EVENT_MESSAGE && e->message && s->cb.message)
		s->cb.message(s, s->user, e->message);
	else if (e->type == FL_EVENT_FAILURE && e->failure && s->cb.failure)
		s->cb.failure(s, s->user, e->failure);
}

static void on_message(void *user, struct peer *p, const struct message_desc *desc, const void *rec)
{
	(void)p;
	if (desc->id == MSG_event)
		on_event(user, rec);
}

static bool is_fatal(enum fl_refusal refusal)
{
	return refusal == FL_REFUSAL_CLUSTER || refusal == FL_REFUSAL_PROTOCOL || refusal == FL_REFUSAL_INVALID;
}

/* A master that has removed the framework closes the connection and says nothing. */
static void on_left(struct fl_scheduler *s, const struct fl_refused *refused, const char *why)
{
	if (refused)
		err_set(&s->error, ECONNREFUSED, "the master did not do the teardown: %s", why);
	stop(s, refused ? -ECONNREFUSED : 0);
}

static void on_close(void *user, struct peer *p, const struct fl_refused *refused, const char *why)
{
	struct fl_scheduler *s = user;

	(void)p;
	log_debug("scheduler.disconnected framework=%s why=\"%s\"", s->framework_id ? s->framework_id : "-", why);
	if (sm_state(&s->sm) == LEAVING) {
		on_left(s, refused, why);
	} else if (refused && is_fatal(refused->refusal)) {
		fail(s, refused->message ? refused->message : enum_doc(&enum_refusal, (int)refused->refusal));
	} else {
		detect_again(s->detect);
		lose(s);
	}
}

static const struct peer_ops peer_ops = {.on_ready = on_ready, .on_message = on_message, .on_close = on_close};

static void connect_to_leader(struct fl_scheduler *s)
{
	const struct fl_master_info *leader = s->leader.rec;
	struct peer_self self = {
		.kind = FL_PEER_FRAMEWORK,
		.cluster = s->cluster,
		.id = s->framework_id,
		.expect = PEER_MASTER,
		.heartbeat_ms = s->heartbeat_ms,
		.timeout_ms = CONNECT_TIMEOUT_MS,
	};
	free(s->master_id);
	s->master_id = xstrdup(leader->id);
	s->peer = peer_connect(s->loop, &self, leader_host(leader), (int)leader->fairlead_port, &peer_ops, s);
	sm_move(&s->sm, CONNECTING);
}

/* The leader's own word on its cluster; without it the hello tells, too late for a reason that people can read. */
static void step_waiting(struct fl_scheduler *s)
{
	const struct fl_master_info *leader = s->leader.rec;
	struct err err = {0};

	if (!leader) {
		sm_move(&s->sm, SEEKING);
	} else if (*s->cluster && leader->cluster && strcmp(s->cluster, leader->cluster) != 0) {
		err_set(&err, EPROTO,
		        "the masters belong to cluster '%.100s', not to '%.100s'; check options.cluster and where "
		        "masters are looked for",
		        leader->cluster, s->cluster);
		fail(s, err.text);
	} else {
		connect_to_leader(s);
	}
}

static void on_timer(void *user)
{
	struct fl_scheduler *s = user;

	switch (sm_state(&s->sm)) {
	case WAITING:
		step_waiting(s);
		break;
	case SUBSCRIBING: /* connected, but no answer: a master that does not lead any more */
		detect_again(s->detect);
		lose(s);
		break;
	case LEAVING:
		err_set(&s->error, ETIMEDOUT, "the master did not confirm the teardown");
		stop(s, -ETIMEDOUT);
		break;
	default:
		break;
	}
}

/* ---------------------------------------------------------------------------------------------- making and running */

static int64_t or_default_ms(int64_t ns, int64_t default_ms)
{
	return ns > 0 ? (ns + NS_PER_MS - 1) / NS_PER_MS : default_ms;
}

static int start_detecting(struct fl_scheduler *s, const struct fl_scheduler_options *o, struct err *err)
{
	struct url url;
	const char *master = o->master ? o->master : getenv("FAIRLEAD_MASTER");
	int r = url_parse(master && master[0] ? master : DEFAULT_MASTER, &url, err);
	if (r < 0)
		return r;
	if (url.kind == URL_FILE)
		r = err_set(err, EINVAL, "a framework finds its master by zk://… or host:port, not by file://…");
	else
		s->detect = detect_create(s->loop, &url, (int)or_default_ms(o->zk_session_ns, 6000), on_leader, s, err);
	url_fini(&url);
	return s->detect ? 0 : r < 0 ? r : -EINVAL;
}

static bool is_multi_role(const struct fl_framework_info *info)
{
	for (size_t i = 0; i < info->n_capabilities; i++)
		if (info->capabilities[i].type == FL_CAPABILITY_MULTI_ROLE)
			return true;
	return false;
}

static void keep_roles(struct fl_scheduler *s)
{
	const struct fl_framework_info *info = s->info.rec;

	s->role = info->role ? info->role : "*";
	s->roles = is_multi_role(info) ? info->roles : &s->role;
	s->n_roles = is_multi_role(info) ? info->n_roles : 1;
	s->suppressed = xcalloc(s->n_roles + 1, sizeof(*s->suppressed));
}

static void keep_info(struct fl_scheduler *s, const struct fl_framework_info *info)
{
	struct fl_framework_info copy = *info;
	if (!copy.user)
		copy.user = "";
	if (copy.id && copy.id[0])
		s->framework_id = xstrdup(copy.id);
	copy.id = NULL;
	owned_set(&s->info, &rec_framework_info, &copy);
	keep_roles(s);
}

fl_scheduler *scheduler_create_on(struct loop *l, const struct fl_scheduler_options *options,
                                  const struct fl_scheduler_callbacks *callbacks, void *user, struct err *err)
{
	struct fl_scheduler_options o = {0};
	struct fl_scheduler_callbacks cb = {0};
	struct fl_scheduler *s;

	if (options_copy(options, callbacks, &o, &cb, err) < 0)
		return NULL;
	s = xcalloc(1, sizeof(*s));
	s->cb = cb;
	s->loop = l;
	s->user = user;
	s->cluster = xstrdup(o.cluster ? o.cluster : "");
	s->explicit_acknowledge = o.explicit_acknowledge;
	s->heartbeat_ms = or_default_ms(o.heartbeat_ns, 1000);
	s->backoff_first_ms = or_default_ms(o.backoff_ns, 100);
	if (s->backoff_first_ms > BACKOFF_MAX_MS)
		s->backoff_first_ms = BACKOFF_MAX_MS;
	s->backoff_ms = s->backoff_first_ms;
	keep_info(s, o.framework);
	str_uuid(loop_random(l), loop_random(l), s->run);
	sm_init(&s->sm, states, ARRAY_SIZE(states), SEEKING, "scheduler", o.framework->name, scheduler_sound,
	        scheduler_on_enter);
	timer_init(&s->timer, l, on_timer, s);
	if (start_detecting(s, &o, err) < 0) {
		fl_scheduler_destroy(s);
		return NULL;
	}
	return s;
}

FL_API fl_scheduler *fl_scheduler_create(const struct fl_scheduler_options *options,
                                         const struct fl_scheduler_callbacks *callbacks, void *user, char *error,
                                         size_t error_size)
{
	struct err err = {0};
	struct loop *l = loop_create();
	fl_scheduler *s = scheduler_create_on(l, options, callbacks, user, &err);

	if (s) {
		s->own_loop = true;
		return s;
	}
	loop_destroy(l);
	if (error_size)
		snprintf(error, error_size, "%s", err.text);
	return NULL;
}

/* Its own loop turns once more: for what was queued since the last turn, and for questions that were given up. */
static void end_loop(struct loop *l)
{
	loop_step(l, 0);
	conn_sweep(l);
	loop_destroy(l);
}

FL_API void fl_scheduler_destroy(fl_scheduler *s)
{
	if (!s)
		return;
	timer_stop(&s->timer);
	if (s->peer)
		peer_finish(s->peer);
	detect_destroy(s->detect);
	if (s->own_loop)
		end_loop(s->loop);
	owned_fini(&s->info);
	owned_fini(&s->leader);
	free(s->suppressed);
	free(s->framework_id);
	free(s->master_id);
	free(s->cluster);
	free(s);
}

FL_API int fl_step(fl_scheduler *s, int timeout_ms)
{
	if (!sm_is_final(&s->sm))
		loop_step(s->loop, timeout_ms);
	return sm_is_final(&s->sm) ? s->result : 1;
}

FL_API int fl_run(fl_scheduler *s)
{
	int r;
	while ((r = fl_step(s, -1)) == 1)
		;
	loop_step(s->loop, 0); /* sends what the last callback queued */
	return r;
}

FL_API void fl_stop(fl_scheduler *s)
{
	stop(s, 0);
}

FL_API const char *fl_framework_id(const fl_scheduler *s)
{
	return s->framework_id;
}

FL_API bool fl_subscribed(const fl_scheduler *s)
{
	return sm_state(&s->sm) == SUBSCRIBED;
}

FL_API const char *fl_scheduler_error(const fl_scheduler *s)
{
	return s->error.text;
}

FL_API const char *fl_version(void)
{
	return FAIRLEAD_VERSION;
}

/* ---------------------------------------------------------------------------------------------- for calls.c */

/* Checks the whole call before it is queued, so that a caller's mistake is an error of the call, not of the connection. */
int scheduler_call(fl_scheduler *s, struct fl_call *call)
{
	_cleanup_buf_ struct buf scratch = {0};
	int r;

	call->framework_id = s->framework_id;
	if (!fl_subscribed(s))
		return err_set(&s->error, ENOTCONN, "not subscribed to a master");
	if ((r = message_encode(MSG_call, call, &scratch, &s->error)) < 0)
		return r;
	if (scratch.size > CONN_MAX_FRAME)
		return err_set(&s->error, EMSGSIZE,
		               "the call has %zu bytes, at most %u are possible: use several calls", scratch.size,
		               CONN_MAX_FRAME);
	peer_send(s->peer, MSG_call, call);
	return 0;
}

static bool is_named(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (str_equal(names[i], name))
			return true;
	return false;
}

void scheduler_suppress(fl_scheduler *s, const char *const *roles, size_t n, bool suppress)
{
	for (size_t i = 0; i < s->n_roles; i++)
		if (n == 0 || is_named(roles, n, s->roles[i]))
			s->suppressed[i] = suppress;
}

FL_API int fl_teardown(fl_scheduler *s)
{
	int r = scheduler_call(s, &(struct fl_call){.type = FL_CALL_TEARDOWN});

	if (r < 0)
		return r;
	sm_move(&s->sm, LEAVING);
	timer_set(&s->timer, LEAVE_TIMEOUT_MS);
	return 0;
}
