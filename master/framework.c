/* States of a framework:
 *
 *   RECOVERED    known from the registry or from slaves; the timer runs, at least a minute
 *   CONNECTED    subscribed; its clients are active in the ledger
 *   DISCONNECTED its link is gone; the timer of its failover time runs
 *   REMOVED      torn down or not back in time; its tasks are being killed. It stays, without tasks, in a ring, so that
 *                late tasks are killed too and its id is refused
 *
 * Invariant: a link exactly when CONNECTED; no offers otherwise. */
#include "master/framework.h"

#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "master/core.h"
#include "master/leader.h"
#include "master/link.h"
#include "master/offer.h"
#include "master/registry.h"
#include "master/slave.h"
#include "master/task.h"
#include "master/update.h"

#define GRANTED_MS 60000      /* by a new leader, at least */
#define SLICE_MS (10 * 60000) /* what remains is written that often */
#define NOT_LEADING_RETRY_MS 1000
#define TO(state) (1u << FRAMEWORK_##state)

static const struct sm_state states[] = {
	[FRAMEWORK_RECOVERED] = {"RECOVERED", TO(CONNECTED) | TO(REMOVED), SM_INITIAL},
	[FRAMEWORK_CONNECTED] = {"CONNECTED", TO(DISCONNECTED) | TO(REMOVED), 0},
	[FRAMEWORK_DISCONNECTED] = {"DISCONNECTED", TO(CONNECTED) | TO(REMOVED), 0},
	[FRAMEWORK_REMOVED] = {"REMOVED", 0, SM_FINAL},
};

static void on_enter(struct sm *sm, int from)
{
	struct framework *f = CONTAINER_OF(sm, struct framework, sm);

	timer_stop(&f->timer);
	f->left_ms = 0;
}

static bool invariant(const struct sm *sm)
{
	const struct framework *f = CONTAINER_OF(sm, const struct framework, sm);

	return (sm_state(sm) == FRAMEWORK_CONNECTED) == (f->link != NULL);
}

/* ---- failover time ---- */

static void start_slice(struct framework *f, int64_t total_ms)
{
	int64_t slice_ms = total_ms < SLICE_MS ? total_ms : SLICE_MS;

	f->left_ms = total_ms - slice_ms;
	timer_set(&f->timer, slice_ms);
}

int64_t framework_left_ms(const struct framework *f)
{
	int64_t slice_ms = timer_armed(&f->timer) ? f->timer.due_ms - loop_now_ms(f->m->loop) : 0;

	return f->left_ms + (slice_ms > 0 ? slice_ms : 0);
}

static void on_timer(void *user)
{
	struct framework *f = user;

	if (!leader_leading(f->m)) {
		timer_set(&f->timer, NOT_LEADING_RETRY_MS);
	} else if (f->left_ms > 0) {
		start_slice(f, f->left_ms);
		registry_put_framework(f);
	} else {
		framework_remove(f, "it did not come back within its failover_timeout");
	}
}

static int64_t failover_ms(const struct framework *f)
{
	const struct fl_framework_info *info = f->info.rec;

	return info->failover_timeout_ns / 1000000;
}

/* ---- birth and death ---- */

static void set_info(struct framework *f, const struct fl_framework_info *info)
{
	owned_set(&f->info, &rec_framework_info, info);
	f->multi_role = f->partition_aware = f->killing_state = false;
	for (size_t i = 0; i < info->n_capabilities; i++) {
		f->multi_role |= info->capabilities[i].type == FL_CAPABILITY_MULTI_ROLE;
		f->partition_aware |= info->capabilities[i].type == FL_CAPABILITY_PARTITION_AWARE;
		f->killing_state |= info->capabilities[i].type == FL_CAPABILITY_TASK_KILLING_STATE;
	}
}

struct framework *framework_create(struct master *m, const struct fl_framework_info *info)
{
	struct framework *f = xcalloc(1, sizeof(*f));

	f->m = m;
	f->id = xstrdup(info->id);
	list_init(&f->clients);
	list_init(&f->tasks);
	list_init(&f->completed);
	list_init(&f->unreachable);
	list_init(&f->offers);
	list_init(&f->fresh);
	timer_init(&f->timer, m->loop, on_timer, f);
	sm_init(&f->sm, states, ARRAY_SIZE(states), FRAMEWORK_RECOVERED, "framework", f->id, invariant, on_enter);
	set_info(f, info);
	f->registered_wall_ns = loop_wall_ns(m->loop);
	hash_put(&m->frameworks, &f->node, f->id);
	return f;
}

static void drop_client(struct framework *f, struct client *c)
{
	drf_client_remove(f->m->drf, c->drf);
	list_remove(&c->node);
	free(c->role);
	free(c);
}

static void drop_clients(struct framework *f)
{
	struct client *c;

	LIST_FOREACH (c, &f->clients, struct client, node)
		drop_client(f, c);
}

void framework_destroy(struct framework *f)
{
	struct task *t;

	if (!f)
		return;
	assert(list_empty(&f->tasks) && list_empty(&f->offers));
	LIST_FOREACH (t, &f->completed, struct task, by_framework)
		task_destroy(t);
	drop_clients(f);
	timer_stop(&f->timer);
	list_remove(&f->announce_node);
	if (list_linked(&f->removed_node)) {
		list_remove(&f->removed_node);
		f->m->n_removed--;
	}
	hash_del(&f->m->frameworks, &f->node);
	owned_fini(&f->info);
	free(f->link);
	free(f->run);
	free(f->id);
	free(f);
}

struct framework *framework_find(const struct master *m, const char *id)
{
	return id ? HASH_FIND(&m->frameworks, id, struct framework, node) : NULL;
}

static void grant_time(struct framework *f, int64_t left_ms)
{
	start_slice(f, left_ms > GRANTED_MS ? left_ms : GRANTED_MS);
}

void framework_recover_registered(struct master *m, const struct fl_registry_framework *rec)
{
	struct framework *f;

	if (!rec->framework->id || framework_find(m, rec->framework->id)) {
		log_error("framework.broken_in_registry framework=%s", rec->framework->id ? rec->framework->id : "");
		return;
	}
	f = framework_create(m, rec->framework);
	if (rec->removed) {
		f->unregistered_wall_ns = f->registered_wall_ns;
		sm_move(&f->sm, FRAMEWORK_REMOVED);
		framework_on_task_gone(f);
	} else {
		grant_time(f, rec->has_remaining_ns ? rec->remaining_ns / 1000000 : failover_ms(f));
	}
}

struct framework *framework_recover_reported(struct master *m, const struct fl_framework_info *info)
{
	struct framework *f = framework_find(m, info->id);

	if (f)
		return f;
	f = framework_create(m, info);
	log_info("framework.recovered framework=%s name=\"%s\"", f->id, info->name);
	grant_time(f, failover_ms(f));
	registry_put_framework(f);
	return f;
}

/* ---- clients ---- */

static struct client *client_find(const struct framework *f, const char *role)
{
	struct client *c;

	LIST_FOREACH (c, &f->clients, struct client, node)
		if (str_equal(c->role, role))
			return c;
	return NULL;
}

struct client *framework_client(struct framework *f, const char *role)
{
	struct client *c = client_find(f, role);
	struct err err;

	if (c)
		return c;
	c = xcalloc(1, sizeof(*c));
	c->role = xstrdup(role);
	list_push(&f->clients, &c->node);
	if (drf_client_add(f->m->drf, f->id, role, &c->drf, &err) < 0)
		log_error("framework.client framework=%s role=%s error=\"%s\"", f->id, role, err.text);
	drf_client_set_active(f->m->drf, c->drf, false);
	return c;
}

/* Of roles it has left, those in which it holds nothing. */
static void drop_idle_clients(struct framework *f)
{
	struct resources held = {0};
	struct client *c;

	LIST_FOREACH (c, &f->clients, struct client, node)
		if (!c->subscribed && drf_client_held(f->m->drf, c->drf, &held) && resources_empty(&held))
			drop_client(f, c);
	resources_fini(&held);
}

static bool named(const char *const *names, size_t n, const char *name)
{
	for (size_t i = 0; i < n; i++)
		if (strcmp(names[i], name) == 0)
			return true;
	return false;
}

static void subscribe_roles(struct framework *f, const char *const *suppressed, size_t n_suppressed)
{
	const struct fl_framework_info *info = f->info.rec;
	const char *single[] = {info->role ? info->role : "*"};
	const char *const *roles = f->multi_role ? info->roles : single;
	size_t n = f->multi_role ? info->n_roles : 1;
	struct drf *d = f->m->drf;
	struct client *c;

	for (size_t i = 0; i < n; i++)
		framework_client(f, roles[i]);
	LIST_FOREACH (c, &f->clients, struct client, node) {
		c->subscribed = named(roles, n, c->role);
		if (named(suppressed, n_suppressed, c->role))
			drf_client_suppress(d, c->drf);
		else
			drf_client_revive(d, c->drf);
		drf_client_set_active(d, c->drf, c->subscribed);
	}
	drop_idle_clients(f);
}

int framework_set_suppressed(struct framework *f, const char *const *roles, size_t n, bool suppressed)
{
	struct client *c;

	for (size_t i = 0; i < n; i++) {
		c = client_find(f, roles[i]);
		if (!c || !c->subscribed)
			return -EINVAL;
	}
	LIST_FOREACH (c, &f->clients, struct client, node) {
		if (!c->subscribed || (n && !named(roles, n, c->role)))
			continue;
		if (suppressed)
			drf_client_suppress(f->m->drf, c->drf);
		else
			drf_client_revive(f->m->drf, c->drf);
	}
	if (!suppressed)
		f->patience_ms = 0;
	return 0;
}

/* ---- coming and going ---- */

static void discard_offers(struct framework *f)
{
	struct offer *o;

	LIST_FOREACH (o, &f->offers, struct offer, by_framework)
		offer_end(o, FL_OFFER_DISCARDED, NULL);
}

static void set_link(struct framework *f, const char *link)
{
	char *copy = xstrdup(link);

	free(f->link);
	f->link = copy;
}

static void fail_over(struct framework *f, struct link *k)
{
	struct link *old = link_find(f->m, f->link);

	discard_offers(f);
	if (old && old != k)
		link_error(old, "the framework subscribed over another connection");
}

static void send_subscribed(struct framework *f)
{
	struct master *m = f->m;
	struct fl_event_subscribed subscribed = {
		.framework_id = f->id,
		.heartbeat_interval_ns = m->conf->heartbeat * 1000000,
		.has_heartbeat_interval_ns = true,
		.master_info = m->self.rec,
		.epoch = m->epoch.rec,
	};

	framework_send(f, &(struct fl_event){.type = FL_EVENT_SUBSCRIBED, .subscribed = &subscribed});
}

void framework_connect(struct framework *f, struct link *k, const struct fl_framework_info *info,
                       const char *const *suppressed, size_t n_suppressed)
{
	bool resumed = sm_state(&f->sm) == FRAMEWORK_CONNECTED;
	struct task *t;

	if (resumed)
		fail_over(f, k);
	set_link(f, k->id);
	if (!resumed)
		sm_move(&f->sm, FRAMEWORK_CONNECTED);
	free(k->framework_id);
	k->framework_id = xstrdup(f->id);
	set_info(f, info);
	f->patience_ms = 0;
	f->reregistered_wall_ns = loop_wall_ns(f->m->loop);
	log_info("framework.subscribed framework=%s name=\"%s\"", f->id, info->name);
	registry_put_framework(f);
	send_subscribed(f);
	subscribe_roles(f, suppressed, n_suppressed);
	LIST_FOREACH (t, &f->tasks, struct task, by_framework)
		update_resend(t);
}

static void deactivate(struct framework *f)
{
	struct client *c;

	discard_offers(f);
	list_remove(&f->announce_node);
	LIST_FOREACH (c, &f->clients, struct client, node) {
		c->subscribed = false;
		drf_client_set_active(f->m->drf, c->drf, false);
	}
}

void framework_on_closed(struct framework *f)
{
	log_info("framework.disconnected framework=%s failover_timeout_ms=%lld", f->id, (long long)failover_ms(f));
	set_link(f, NULL);
	sm_move(&f->sm, FRAMEWORK_DISCONNECTED);
	deactivate(f);
	start_slice(f, failover_ms(f));
	registry_put_framework(f);
}

static void shut_down_tasks(struct framework *f)
{
	struct fl_shutdown_framework msg = {.epoch = f->m->epoch.rec, .framework_id = f->id};
	struct task *t;
	struct slave *s;

	LIST_FOREACH (t, &f->tasks, struct task, by_framework) { /* each slave once */
		s = slave_find(f->m, t->slave_id);
		if (!s->told)
			s->told = slave_send(s, MSG_shutdown_framework, &msg);
	}
	LIST_FOREACH (t, &f->tasks, struct task, by_framework)
		slave_find(f->m, t->slave_id)->told = false;
}

void framework_remove(struct framework *f, const char *why)
{
	struct link *k = link_find(f->m, f->link);
	struct task *t;

	if (sm_state(&f->sm) == FRAMEWORK_REMOVED)
		return;
	log_info("framework.removed framework=%s why=\"%s\"", f->id, why);
	set_link(f, NULL);
	sm_move(&f->sm, FRAMEWORK_REMOVED);
	f->unregistered_wall_ns = loop_wall_ns(f->m->loop);
	deactivate(f);
	registry_put_framework(f);
	if (k)
		link_finish(k);
	shut_down_tasks(f);
	LIST_FOREACH (t, &f->tasks, struct task, by_framework)
		task_on_framework_removed(t);
	framework_on_task_gone(f);
}

void framework_on_task_gone(struct framework *f)
{
	struct master *m = f->m;

	if (sm_state(&f->sm) != FRAMEWORK_REMOVED || !list_empty(&f->tasks))
		return;
	drop_clients(f);
	if (!list_linked(&f->removed_node)) {
		list_push(&m->removed, &f->removed_node);
		m->n_removed++;
	}
}

void frameworks_trim(struct master *m)
{
	struct framework *f;

	LIST_FOREACH (f, &m->removed, struct framework, removed_node) {
		if (m->n_removed <= (size_t)m->conf->max_completed_frameworks || !leader_leading(m))
			return;
		if (!list_empty(&f->tasks) || !framework_removed_for_good(f))
			continue;
		registry_remove_framework(m, f->id);
		framework_destroy(f);
	}
}

void frameworks_trim_unreachable(struct master *m)
{
	struct framework *f;

	HASH_FOREACH (f, &m->frameworks, struct framework, node)
		while (f->n_unreachable > (size_t)m->conf->max_unreachable_tasks)
			task_complete(CONTAINER_OF(list_first(&f->unreachable), struct task, absent));
}

/* ---- telling ---- */

bool framework_removed_for_good(const struct framework *f)
{
	return sm_state(&f->sm) == FRAMEWORK_REMOVED && f->written_seq == f->write_seq;
}

bool framework_connected(const struct framework *f)
{
	return sm_state(&f->sm) == FRAMEWORK_CONNECTED;
}

void framework_send(struct framework *f, const struct fl_event *event)
{
	struct link *k = link_find(f->m, f->link);

	if (k)
		link_send(k, MSG_event, event);
}

void frameworks_tell_failure(struct master *m, const char *slave_id)
{
	struct fl_event_failure failure = {.slave_id = slave_id};
	struct fl_event event = {.type = FL_EVENT_FAILURE, .failure = &failure};
	struct framework *f;

	HASH_FOREACH (f, &m->frameworks, struct framework, node)
		framework_send(f, &event);
}
