/* States of a slave:
 *
 *   ADMITTING    asked to be admitted; the registry is being told
 *   REGISTERED   connected, in the ledger, offered
 *   DISCONNECTED its link is gone; in the ledger, not offered; the timer runs
 *   MARKING      did not come back; the registry is being told that it is unreachable
 *   UNREACHABLE  out of the ledger, its tasks are UNREACHABLE
 *   RETURNING    back from UNREACHABLE, or unknown to the registry, which is being told
 *   RECOVERED    known from the registry, not yet back; the timer runs
 *   GONE         an operator declared it gone; it is refused
 *   REMOVING     replaced by another at its address, or the oldest of too many unreachable ones; the registry is being
 *                told to forget it, then it ends
 *
 * Invariant: REGISTERED has a link and is in the ledger. In other states a link is one whose report waits. */
#include "master/slave.h"

#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "master/core.h"
#include "master/framework.h"
#include "master/leader.h"
#include "master/link.h"
#include "master/offer.h"
#include "master/registry.h"
#include "master/report.h"
#include "master/task.h"

#define NOT_LEADING_RETRY_MS 1000
#define TO(state) (1u << SLAVE_##state)

static const struct sm_state states[] = {
	[SLAVE_ADMITTING] = {"ADMITTING", TO(REGISTERED) | TO(DISCONNECTED), SM_INITIAL},
	[SLAVE_REGISTERED] = {"REGISTERED", TO(DISCONNECTED), 0},
	[SLAVE_DISCONNECTED] = {"DISCONNECTED", TO(REGISTERED) | TO(MARKING) | TO(REMOVING), 0},
	[SLAVE_MARKING] = {"MARKING", TO(UNREACHABLE), 0},
	[SLAVE_UNREACHABLE] = {"UNREACHABLE", TO(RETURNING) | TO(REMOVING), SM_INITIAL},
	[SLAVE_RETURNING] = {"RETURNING", TO(REGISTERED) | TO(DISCONNECTED), SM_INITIAL},
	[SLAVE_RECOVERED] = {"RECOVERED", TO(REGISTERED) | TO(DISCONNECTED) | TO(MARKING), SM_INITIAL},
	[SLAVE_GONE] = {"GONE", 0, SM_INITIAL | SM_FINAL},
	[SLAVE_REMOVING] = {"REMOVING", 0, SM_FINAL},
};

/* The list of unreachable ones is ordered by when they became so, also as the registry is read. */
static void enlist(struct slave *s)
{
	struct list_node *at = &s->m->unreachable.head;

	while (at->prev != &s->m->unreachable.head &&
	       CONTAINER_OF(at->prev, struct slave, absent)->unreachable_wall_ns > s->unreachable_wall_ns)
		at = at->prev;
	list_insert_before(at, &s->absent);
	s->m->n_unreachable++;
}

static void delist(struct slave *s)
{
	if (!list_linked(&s->absent))
		return;
	list_remove(&s->absent);
	s->m->n_unreachable--;
}

static void on_enter(struct sm *sm, int from)
{
	struct slave *s = CONTAINER_OF(sm, struct slave, sm);

	timer_stop(&s->timer);
	s->slot = s->due = false;
	delist(s);
	if (sm_state(sm) == SLAVE_UNREACHABLE)
		enlist(s);
}

static bool invariant(const struct sm *sm)
{
	const struct slave *s = CONTAINER_OF(sm, const struct slave, sm);

	return sm_state(sm) != SLAVE_REGISTERED || (s->link && s->drf);
}

static void step(struct slave *s);

/* Its time is over, unless so many others' is that it must wait for its turn. */
static void on_timer(void *user)
{
	struct slave *s = user;
	struct master *m = s->m;
	int64_t now_ms = loop_now_ms(m->loop);

	if (!leader_leading(m)) {
		timer_set(&s->timer, NOT_LEADING_RETRY_MS);
		return;
	}
	if (!s->slot) {
		int64_t turn_ms = m->next_mark_ms > now_ms ? m->next_mark_ms : now_ms;

		m->next_mark_ms = turn_ms + 60000 / m->conf->unreachable_rate;
		s->slot = true;
		if (turn_ms > now_ms) {
			timer_set(&s->timer, turn_ms - now_ms);
			return;
		}
	}
	s->due = true;
	step(s);
}

struct slave *slave_create(struct master *m, const struct fl_slave_info *info, const char *nonce, enum slave_sm state)
{
	struct slave *s = xcalloc(1, sizeof(*s));

	s->m = m;
	s->id = xstrdup(info->id);
	s->nonce = xstrdup(nonce);
	list_init(&s->tasks);
	list_init(&s->offers);
	timer_init(&s->timer, m->loop, on_timer, s);
	sm_init(&s->sm, states, ARRAY_SIZE(states), state, "slave", s->id, invariant, on_enter);
	slave_set_info(s, info);
	hash_put(&m->slaves, &s->node, s->id);
	if (nonce && !slave_find_nonce(m, nonce))
		hash_put(&m->nonces, &s->nonce_node, s->nonce);
	return s;
}

void slave_destroy(struct slave *s)
{
	if (!s)
		return;
	assert(list_empty(&s->tasks) && list_empty(&s->offers));
	timer_stop(&s->timer);
	delist(s);
	hash_del(&s->m->nonces, &s->nonce_node);
	hash_del(&s->m->slaves, &s->node);
	resources_fini(&s->total);
	owned_fini(&s->info);
	free(s->link);
	free(s->version);
	free(s->nonce);
	free(s->id);
	free(s);
}

struct slave *slave_find(const struct master *m, const char *id)
{
	return id ? HASH_FIND(&m->slaves, id, struct slave, node) : NULL;
}

struct slave *slave_find_nonce(const struct master *m, const char *nonce)
{
	return HASH_FIND(&m->nonces, nonce, struct slave, nonce_node);
}

void slave_recover(struct master *m, const struct fl_registry_slave *rec)
{
	enum slave_sm state = rec->state == FL_SLAVE_GONE          ? SLAVE_GONE
	                      : rec->state == FL_SLAVE_UNREACHABLE ? SLAVE_UNREACHABLE
	                                                           : SLAVE_RECOVERED;
	struct slave *s;

	if (!rec->slave->id || slave_find(m, rec->slave->id)) {
		log_error("slave.broken_in_registry slave=%s", rec->slave->id ? rec->slave->id : "");
		return;
	}
	s = slave_create(m, rec->slave, rec->nonce, state);
	if (rec->unreachable_time)
		s->unreachable_wall_ns = rec->unreachable_time->nanoseconds;
	if (state == SLAVE_UNREACHABLE)
		enlist(s);
	if (state == SLAVE_RECOVERED)
		timer_set(&s->timer, m->conf->slave_reregister_timeout);
}

bool slave_set_info(struct slave *s, const struct fl_slave_info *info)
{
	struct resources total = {0};

	if (s->info.rec && codec_equal(&rec_slave_info, s->info.rec, info))
		return false;
	owned_set(&s->info, &rec_slave_info, info);
	if (resources_from_wire(info->resources, info->n_resources, &total, NULL) < 0)
		log_error("slave.bad_resources slave=%s", s->id);
	resources_fini(&s->total);
	s->total = total;
	return true;
}

/* ---- the ledger ---- */

void slave_weigh(struct slave *s)
{
	struct resources held = {0};

	if (drf_slave_held(s->m->drf, s->drf, &held))
		s->shrunk = !resources_contains(&s->total, &held);
	resources_fini(&held);
}

static int enter_ledger(struct slave *s, struct err *err)
{
	struct drf *d = s->m->drf;
	int r;

	if (!s->drf)
		return drf_slave_add(d, s->id, &s->total, &s->drf, err);
	r = drf_slave_set_total(d, s->drf, &s->total, err);
	if (r < 0) {
		s->shrunk = true; /* the ledger keeps its old total */
		return r;
	}
	slave_weigh(s);
	drf_slave_set_active(d, s->drf, true);
	return 0;
}

static void leave_ledger(struct slave *s)
{
	if (s->drf)
		drf_slave_remove(s->m->drf, s->drf);
	s->drf = 0;
}

/* ---- coming and going ---- */

static void set_link(struct slave *s, const char *link)
{
	char *copy = xstrdup(link);

	free(s->link);
	s->link = copy;
}

void slave_rescind(struct slave *s)
{
	struct offer *o;

	LIST_FOREACH (o, &s->offers, struct offer, by_slave)
		offer_end(o, FL_OFFER_RESCINDED, NULL);
}

static void disconnect(struct slave *s)
{
	sm_move(&s->sm, SLAVE_DISCONNECTED);
	drf_slave_set_active(s->m->drf, s->drf, false);
	slave_rescind(s);
	timer_set(&s->timer, s->m->conf->slave_unreachable);
}

static void welcome(struct slave *s)
{
	struct master *m = s->m;
	struct link *k = link_find(m, s->link);
	struct err err = {0};
	struct fl_slave_registered msg = {.epoch = m->epoch.rec, .slave_id = s->id};
	bool returned = sm_state(&s->sm) == SLAVE_RETURNING;

	if (enter_ledger(s, &err) < 0) {
		set_link(s, NULL);
		link_refuse(k, FL_REFUSAL_INVALID, "%s", err.text);
		if (sm_state(&s->sm) != SLAVE_DISCONNECTED)
			sm_move(&s->sm, SLAVE_DISCONNECTED);
		timer_set(&s->timer, m->conf->slave_unreachable);
		return;
	}
	if (s->back || sm_state(&s->sm) != SLAVE_ADMITTING) {
		s->reregistered_wall_ns = loop_wall_ns(m->loop);
		m->metrics.reregistrations++;
	} else {
		m->metrics.registrations++;
	}
	if (!s->registered_wall_ns)
		s->registered_wall_ns = loop_wall_ns(m->loop);
	s->back = true;
	s->unreachable_wall_ns = 0;
	sm_move(&s->sm, SLAVE_REGISTERED);
	log_info("slave.registered slave=%s hostname=%s", s->id, ((struct fl_slave_info *)s->info.rec)->hostname);
	slave_send(s, MSG_slave_registered, &msg);
	report_apply(s, k, returned);
}

static void lose(struct slave *s)
{
	struct master *m = s->m;
	struct task *t;

	log_warn("slave.unreachable slave=%s hostname=%s", s->id, ((struct fl_slave_info *)s->info.rec)->hostname);
	m->metrics.marked_unreachable++;
	LIST_FOREACH (t, &s->tasks, struct task, by_slave)
		task_lose(t, s->unreachable_wall_ns);
	leave_ledger(s);
	frameworks_trim_unreachable(m);
	frameworks_tell_failure(m, s->id);
}

/* The registry has forgotten it. */
static void end(struct slave *s)
{
	struct task *t;

	log_info("slave.removed slave=%s hostname=%s", s->id, ((struct fl_slave_info *)s->info.rec)->hostname);
	s->m->metrics.slaves_removed++;
	LIST_FOREACH (t, &s->tasks, struct task, by_slave)
		task_on_slave_removed(t);
	if (s->drf) /* else this was told when it became unreachable */
		frameworks_tell_failure(s->m, s->id);
	leave_ledger(s);
	slave_destroy(s);
}

static void write_and_enter(struct slave *s, enum slave_sm state)
{
	sm_move(&s->sm, state);
	registry_put_slave(s);
}

static bool written(const struct slave *s)
{
	return s->written_seq == s->write_seq;
}

static void step(struct slave *s)
{
	for (;;) {
		switch ((enum slave_sm)sm_state(&s->sm)) {
		case SLAVE_REGISTERED:
			return;
		case SLAVE_ADMITTING:
		case SLAVE_RETURNING:
			if (!written(s))
				return;
			if (!s->link) {
				sm_move(&s->sm, SLAVE_DISCONNECTED);
				timer_set(&s->timer, s->m->conf->slave_unreachable);
				return;
			}
			welcome(s);
			return;
		case SLAVE_DISCONNECTED:
		case SLAVE_RECOVERED:
			if (s->link) {
				welcome(s);
				return;
			}
			if (!s->due)
				return;
			s->unreachable_wall_ns = loop_wall_ns(s->m->loop);
			write_and_enter(s, SLAVE_MARKING);
			break;
		case SLAVE_MARKING:
			if (!written(s))
				return;
			sm_move(&s->sm, SLAVE_UNREACHABLE);
			lose(s);
			break;
		case SLAVE_UNREACHABLE:
			if (!s->link)
				return;
			write_and_enter(s, SLAVE_RETURNING);
			break;
		case SLAVE_REMOVING:
			if (written(s))
				end(s);
			return;
		case SLAVE_GONE:
			return;
		}
	}
}

void slaves_replace(struct master *m, const char *ip, int64_t port)
{
	struct slave *s;

	HASH_FOREACH (s, &m->slaves, struct slave, node) {
		const struct fl_slave_info *info = s->info.rec;

		if (sm_state(&s->sm) == SLAVE_DISCONNECTED && str_equal(info->ip, ip) && info->port == port)
			write_and_enter(s, SLAVE_REMOVING);
	}
}

void slaves_trim(struct master *m)
{
	while (m->n_unreachable > (size_t)m->conf->max_unreachable_slaves)
		write_and_enter(CONTAINER_OF(list_first(&m->unreachable), struct slave, absent), SLAVE_REMOVING);
}

void slave_attach(struct slave *s, struct link *k)
{
	struct link *old = link_find(s->m, s->link);

	if (sm_state(&s->sm) == SLAVE_GONE) {
		link_refuse(k, FL_REFUSAL_GONE, "%s", enum_doc(&enum_refusal, FL_REFUSAL_GONE));
		return;
	}
	if (sm_state(&s->sm) == SLAVE_REMOVING) { /* when that is done it may come back as one nobody knows */
		link_finish(k);
		return;
	}
	if (old && old != k)
		link_refuse(old, FL_REFUSAL_DUPLICATE, "%s", enum_doc(&enum_refusal, FL_REFUSAL_DUPLICATE));
	if (sm_state(&s->sm) == SLAVE_REGISTERED)
		disconnect(s);
	set_link(s, k->id);
	if (!k->slave_id)
		k->slave_id = xstrdup(s->id);
	step(s);
}

void slave_on_closed(struct slave *s)
{
	log_info("slave.disconnected slave=%s state=%s", s->id, sm_name(&s->sm));
	set_link(s, NULL);
	if (sm_state(&s->sm) == SLAVE_REGISTERED)
		disconnect(s);
}

void slave_on_written(struct slave *s, uint64_t seq)
{
	s->written_seq = seq;
	if (leader_leading(s->m)) /* else slaves_resume goes on */
		step(s);
}

void slaves_resume(struct master *m)
{
	struct slave *s;

	HASH_FOREACH (s, &m->slaves, struct slave, node)
		step(s);
}

/* ---- looking ---- */

bool slave_connected(const struct slave *s)
{
	return sm_state(&s->sm) == SLAVE_REGISTERED;
}

bool slave_send(struct slave *s, int message_id, const void *rec)
{
	struct link *k = slave_connected(s) ? link_find(s->m, s->link) : NULL;

	if (k)
		link_send(k, message_id, rec);
	return k != NULL;
}

bool slave_recovering(const struct slave *s)
{
	int state = sm_state(&s->sm);

	return !s->back && (state == SLAVE_RECOVERED || state == SLAVE_MARKING || state == SLAVE_RETURNING ||
	                    state == SLAVE_DISCONNECTED);
}

enum fl_slave_state slave_state(const struct slave *s)
{
	static const enum fl_slave_state state_of[] = {
		[SLAVE_ADMITTING] = FL_SLAVE_DISCONNECTED,    [SLAVE_REGISTERED] = FL_SLAVE_REGISTERED,
		[SLAVE_DISCONNECTED] = FL_SLAVE_DISCONNECTED, [SLAVE_MARKING] = FL_SLAVE_DISCONNECTED,
		[SLAVE_UNREACHABLE] = FL_SLAVE_UNREACHABLE,   [SLAVE_RETURNING] = FL_SLAVE_UNREACHABLE,
		[SLAVE_RECOVERED] = FL_SLAVE_RECOVERED,       [SLAVE_GONE] = FL_SLAVE_GONE,
		[SLAVE_REMOVING] = FL_SLAVE_UNREACHABLE,
	};

	return state_of[sm_state(&s->sm)];
}
