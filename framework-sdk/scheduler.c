/* A framework's side of the protocol.
 *
 * Owns: the loop (unless given one), the detector, the connection to the leader, the framework's info and id.
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
	struct timer timer; /* WAITING: backoff; SUBSCRIBING: patience; LEAVING: patience */
	struct owned info;  /* fl_framework_info; id NULL until the first subscription */
	struct owned leader; /* fl_master_info; rec NULL when nobody is known to lead */
	char *framework_id;
	char run[37];     /* random; with attempt it tells the master which of our subscriptions is the newest */
	uint64_t attempt;
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

static void stop(struct fl_scheduler *s, int result)
{
	if (sm_is_final(&s->sm))
		return;
	if (s->peer)
		peer_finish(s->peer);
	s->peer = NULL;
	s->result = result;
	sm_move(&s->sm, STOPPED);
}

static void fail(struct fl_scheduler *s, const char *message)
{
	err_set(&s->error, EPROTO, "%s", message);
	if (s->cb.error)
		s->cb.error(s, s->user, message);
	else
		fprintf(stderr, "fairlead: %s\n", message);
	stop(s, -EPROTO);
}

/* ---------------------------------------------------------------------------------------------- finding the master */

static void wait_or_seek(struct fl_scheduler *s)
{
	if (!s->leader.rec) {
		if (sm_state(&s->sm) != SEEKING)
			sm_move(&s->sm, SEEKING);
		return;
	}
	sm_move(&s->sm, WAITING);
	timer_set(&s->timer, (int64_t)loop_random_below(s->loop, (uint64_t)s->backoff_ms + 1));
	s->backoff_ms = s->backoff_ms * 2 < BACKOFF_MAX_MS ? s->backoff_ms * 2 : BACKOFF_MAX_MS;
}

static void lose(struct fl_scheduler *s)
{
	bool was_subscribed = sm_state(&s->sm) == SUBSCRIBED;
	drop_peer(s);
	wait_or_seek(s);
	if (was_subscribed && s->cb.disconnected)
		s->cb.disconnected(s, s->user);
}

static bool same_leader(const struct fl_master_info *a, const struct fl_master_info *b)
{
	return a && b && strcmp(a->id, b->id) == 0;
}

static void on_leader(void *user, const struct fl_master_info *leader)
{
	struct fl_scheduler *s = user;
	bool changed = !same_leader(s->leader.rec, leader);

	owned_set(&s->leader, &rec_master_info, leader);
	if (!leader || !changed)
		return; /* a connection to a leader that is no longer known is kept: only its end ends it */
	s->backoff_ms = s->backoff_first_ms;
	switch (sm_state(&s->sm)) {
	case SEEKING:
		wait_or_seek(s);
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

static void send_call(struct fl_scheduler *s, struct fl_call *call)
{
	call->framework_id = s->framework_id;
	peer_send(s->peer, MSG_call, call);
}

static void on_ready(void *user, struct peer *p, const struct fl_hello *hello)
{
	struct fl_scheduler *s = user;
	struct fl_framework_info info = *(const struct fl_framework_info *)s->info.rec;
	struct fl_call_subscribe subscribe = {
		.framework_info = &info,
		.run = s->run,
		.has_attempt = true,
		.attempt = ++s->attempt,
	};
	struct fl_call call = {.type = FL_CALL_SUBSCRIBE, .subscribe = &subscribe};

	(void)p;
	(void)hello;
	info.id = s->framework_id;
	sm_move(&s->sm, SUBSCRIBING);
	timer_set(&s->timer, CONNECT_TIMEOUT_MS);
	send_call(s, &call);
}

static void acknowledge(struct fl_scheduler *s, const struct fl_task_status *status)
{
	struct fl_call_acknowledge ack = {
		.slave_id = status->slave_id,
		.task_id = status->task_id,
		.uuid = status->uuid,
	};
	struct fl_call call = {.type = FL_CALL_ACKNOWLEDGE, .acknowledge = &ack};
	if (status->uuid.size && status->slave_id)
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
	if (s->cb.update)
		s->cb.update(s, s->user, status);
	if (!s->explicit_acknowledge && fl_subscribed(s))
		acknowledge(s, status);
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

static void on_close(void *user, struct peer *p, const struct fl_refused *refused, const char *why)
{
	struct fl_scheduler *s = user;
	enum fl_refusal refusal = refused ? refused->refusal : 0;

	(void)p;
	log_debug("scheduler.disconnected framework=%s why=\"%s\"", s->framework_id ? s->framework_id : "-", why);
	if (sm_state(&s->sm) == LEAVING) {
		drop_peer(s);
		stop(s, 0);
	} else if (refusal == FL_REFUSAL_CLUSTER || refusal == FL_REFUSAL_PROTOCOL || refusal == FL_REFUSAL_INVALID) {
		drop_peer(s);
		fail(s, refused->message ? refused->message : enum_doc(&enum_refusal, (int)refusal));
	} else {
		lose(s);
		detect_again(s->detect);
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
	s->peer = peer_connect(s->loop, &self, leader_host(leader), (int)leader->fairlead_port, &peer_ops, s);
	sm_move(&s->sm, CONNECTING);
}

static void on_timer(void *user)
{
	struct fl_scheduler *s = user;

	switch (sm_state(&s->sm)) {
	case WAITING:
		if (s->leader.rec)
			connect_to_leader(s);
		else
			sm_move(&s->sm, SEEKING);
		break;
	case SUBSCRIBING: /* connected, but no answer: a master that does not lead any more */
		lose(s);
		detect_again(s->detect);
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

static int options_check(const struct fl_scheduler_options *o, const struct fl_scheduler_callbacks *cb, struct err *err)
{
	if (o->struct_size < offsetof(struct fl_scheduler_options, explicit_acknowledge))
		return err_set(err, EINVAL, "options.struct_size is not set to sizeof(struct fl_scheduler_options)");
	if (cb->struct_size < offsetof(struct fl_scheduler_callbacks, rescinded))
		return err_set(err, EINVAL, "callbacks.struct_size is not set to sizeof(struct fl_scheduler_callbacks)");
	if (!o->framework || !o->framework->name || !o->framework->name[0])
		return err_set(err, EINVAL, "options.framework needs a name");
	return 0;
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

static void keep_info(struct fl_scheduler *s, const struct fl_framework_info *info)
{
	struct fl_framework_info copy = *info;
	if (!copy.user)
		copy.user = "";
	if (copy.id && copy.id[0])
		s->framework_id = xstrdup(copy.id);
	copy.id = NULL;
	owned_set(&s->info, &rec_framework_info, &copy);
}

fl_scheduler *scheduler_create_on(struct loop *l, const struct fl_scheduler_options *options,
                                  const struct fl_scheduler_callbacks *callbacks, void *user, struct err *err)
{
	struct fl_scheduler_options o = {0};
	struct fl_scheduler *s;

	if (options_check(options, callbacks, err) < 0)
		return NULL;
	memcpy(&o, options, options->struct_size < sizeof(o) ? options->struct_size : sizeof(o));
	s = xcalloc(1, sizeof(*s));
	memcpy(&s->cb, callbacks, callbacks->struct_size < sizeof(s->cb) ? callbacks->struct_size : sizeof(s->cb));
	s->loop = l;
	s->user = user;
	s->cluster = xstrdup(o.cluster ? o.cluster : "");
	s->explicit_acknowledge = o.explicit_acknowledge;
	s->heartbeat_ms = or_default_ms(o.heartbeat_ns, 1000);
	s->backoff_first_ms = s->backoff_ms = or_default_ms(o.backoff_ns, 100);
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

FL_API void fl_scheduler_destroy(fl_scheduler *s)
{
	if (!s)
		return;
	timer_stop(&s->timer);
	peer_destroy(s->peer);
	detect_destroy(s->detect);
	owned_fini(&s->info);
	owned_fini(&s->leader);
	free(s->framework_id);
	free(s->cluster);
	if (s->own_loop)
		loop_destroy(s->loop);
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

/* ---------------------------------------------------------------------------------------------- calls */

/* Checks the whole call before it is queued, so that a caller's mistake is an error of the call, not of the connection. */
static int checked_call(struct fl_scheduler *s, struct fl_call *call)
{
	call->framework_id = s->framework_id;
	if (!fl_subscribed(s))
		return err_set(&s->error, ENOTCONN, "not subscribed to a master");
	struct buf scratch = {0};
	int r = message_encode(MSG_call, call, &scratch, &s->error);
	size_t size = scratch.size;
	buf_fini(&scratch);
	if (r < 0)
		return r;
	if (size > CONN_MAX_FRAME)
		return err_set(&s->error, EMSGSIZE, "the call has %zu bytes, at most %u are possible: use several calls",
		               size, CONN_MAX_FRAME);
	peer_send(s->peer, MSG_call, call);
	return 0;
}

static struct fl_filters *filters_of(int64_t refuse_ns, struct fl_filters *f)
{
	*f = (struct fl_filters){.has_refuse_ns = true, .refuse_ns = refuse_ns};
	return refuse_ns < 0 ? NULL : f;
}

FL_API int fl_accept(fl_scheduler *s, const char *const *offer_ids, size_t n_offers,
                     const struct fl_operation *operations, size_t n_operations, int64_t refuse_ns)
{
	struct fl_filters filters;
	struct fl_call_accept accept = {
		.offer_ids = (const char **)offer_ids,
		.n_offer_ids = n_offers,
		.operations = (struct fl_operation *)operations,
		.n_operations = n_operations,
		.filters = filters_of(refuse_ns, &filters),
	};
	struct fl_call call = {.type = FL_CALL_ACCEPT, .accept = &accept};
	return checked_call(s, &call);
}

FL_API int fl_launch(fl_scheduler *s, const struct fl_offer *offer, const struct fl_task_info *tasks, size_t n,
                     int64_t refuse_ns)
{
	struct fl_task_info *copies = xmemdup(tasks, n * sizeof(*tasks));
	struct fl_launch launch = {.task_infos = copies, .n_task_infos = n};
	struct fl_operation operation = {.type = FL_OPERATION_LAUNCH, .launch = &launch};

	for (size_t i = 0; i < n; i++)
		if (!copies[i].slave_id)
			copies[i].slave_id = offer->slave_id;
	int r = fl_accept(s, &offer->id, 1, &operation, 1, refuse_ns);
	free(copies);
	return r;
}

FL_API int fl_decline(fl_scheduler *s, const char *offer_id, int64_t refuse_ns)
{
	struct fl_filters filters;
	struct fl_call_decline decline = {
		.offer_ids = &offer_id,
		.n_offer_ids = 1,
		.filters = filters_of(refuse_ns, &filters),
	};
	struct fl_call call = {.type = FL_CALL_DECLINE, .decline = &decline};
	return checked_call(s, &call);
}

FL_API int fl_revive(fl_scheduler *s, const char *const *roles, size_t n)
{
	struct fl_call_roles revive = {.roles = (const char **)roles, .n_roles = n};
	struct fl_call call = {.type = FL_CALL_REVIVE, .revive = &revive};
	return checked_call(s, &call);
}

FL_API int fl_suppress(fl_scheduler *s, const char *const *roles, size_t n)
{
	struct fl_call_roles suppress = {.roles = (const char **)roles, .n_roles = n};
	struct fl_call call = {.type = FL_CALL_SUPPRESS, .suppress = &suppress};
	return checked_call(s, &call);
}

FL_API int fl_kill(fl_scheduler *s, const char *task_id, const char *slave_id, int64_t grace_ns)
{
	struct fl_duration_info grace = {.nanoseconds = grace_ns};
	struct fl_kill_policy policy = {.grace_period = &grace};
	struct fl_call_kill kill = {
		.task_id = task_id,
		.slave_id = slave_id,
		.kill_policy = grace_ns < 0 ? NULL : &policy,
	};
	struct fl_call call = {.type = FL_CALL_KILL, .kill = &kill};
	return checked_call(s, &call);
}

FL_API int fl_acknowledge(fl_scheduler *s, const struct fl_task_status *status)
{
	if (!fl_subscribed(s))
		return err_set(&s->error, ENOTCONN, "not subscribed to a master");
	acknowledge(s, status);
	return 0;
}

FL_API int fl_reconcile(fl_scheduler *s, const struct fl_reconcile_task *tasks, size_t n)
{
	struct fl_call_reconcile reconcile = {.tasks = (struct fl_reconcile_task *)tasks, .n_tasks = n};
	struct fl_call call = {.type = FL_CALL_RECONCILE, .reconcile = &reconcile};
	return checked_call(s, &call);
}

FL_API int fl_message(fl_scheduler *s, const char *slave_id, const char *executor_id, const void *data, size_t size)
{
	struct fl_call_message message = {
		.slave_id = slave_id,
		.executor_id = executor_id,
		.data = {.data = data, .size = size},
	};
	struct fl_call call = {.type = FL_CALL_MESSAGE, .message = &message};
	return checked_call(s, &call);
}

FL_API int fl_teardown(fl_scheduler *s)
{
	struct fl_call call = {.type = FL_CALL_TEARDOWN};
	int r = checked_call(s, &call);
	if (r < 0)
		return r;
	sm_move(&s->sm, LEAVING);
	timer_set(&s->timer, LEAVE_TIMEOUT_MS);
	return 0;
}

/* ---------------------------------------------------------------------------------------------- helpers */

FL_API int64_t fl_offer_scalar(const struct fl_offer *offer, const char *name)
{
	int64_t sum = 0;
	for (size_t i = 0; i < offer->n_resources; i++) {
		const struct fl_resource *r = &offer->resources[i];
		if (r->type == FL_SCALAR && r->scalar && strcmp(r->name, name) == 0)
			sum += r->scalar->value;
	}
	return sum;
}

FL_API bool fl_task_state_terminal(enum fl_task_state state)
{
	switch (state) {
	case FL_TASK_FINISHED:
	case FL_TASK_FAILED:
	case FL_TASK_KILLED:
	case FL_TASK_ERROR:
	case FL_TASK_LOST:
	case FL_TASK_DROPPED:
	case FL_TASK_GONE:
	case FL_TASK_GONE_BY_OPERATOR:
		return true;
	default:
		return false;
	}
}

FL_API const char *fl_task_state_name(enum fl_task_state state)
{
	return enum_name(&enum_task_state, (int)state);
}

FL_API const char *fl_reason_name(enum fl_reason reason)
{
	return reason ? enum_name(&enum_reason, (int)reason) : "";
}
