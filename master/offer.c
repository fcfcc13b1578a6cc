/* States of an offer: OUT, and one for each way to end. It ends exactly once and does not outlive that turn. Leaving OUT
 * is the only place that gives unused resources of an offer back to the ledger.
 *
 * Invariant: OUT: its slave is connected, its framework subscribed, the ledger says that its client holds it. */
#include "master/offer.h"

#include <stdio.h>
#include <string.h>

#include "base/log.h"
#include "master/core.h"
#include "master/framework.h"
#include "master/slave.h"

#define DEFAULT_FILTER_MS 5000
#define MAX_PATIENCE_MS (5 * 60000)
#define MIN_FILTER_MS 100
#define MAX_FILTER_MS (INT64_C(365) * 24 * 3600 * 1000)

#define END(name)                  \
	{                          \
#name, 0, SM_FINAL \
	}

static const struct sm_state states[] = {
	[OFFER_OUT] = {"OUT",
                       1u << OFFER_ACCEPTED | 1u << OFFER_DECLINED | 1u << OFFER_RESCINDED | 1u << OFFER_EXPIRED |
                               1u << OFFER_DISCARDED,
                       SM_INITIAL},
	[OFFER_ACCEPTED] = END(ACCEPTED),
	[OFFER_DECLINED] = END(DECLINED),
	[OFFER_RESCINDED] = END(RESCINDED),
	[OFFER_EXPIRED] = END(EXPIRED),
	[OFFER_DISCARDED] = END(DISCARDED),
};

/* The default filter doubles while the framework uses nothing; answers of one period count once. */
static int64_t patience_ms(struct framework *f)
{
	int64_t now_ms = loop_now_ms(f->m->loop);

	if (f->patience_ms == 0)
		f->patience_ms = DEFAULT_FILTER_MS;
	else if (now_ms < f->patience_until_ms)
		return f->patience_ms;
	else if (f->patience_ms < MAX_PATIENCE_MS / 2)
		f->patience_ms *= 2;
	else
		f->patience_ms = MAX_PATIENCE_MS;
	f->patience_until_ms = now_ms + f->patience_ms;
	return f->patience_ms;
}

int64_t offer_filter_ms(struct framework *f, const struct fl_filters *filters)
{
	int64_t ms;

	if (!filters || !filters->has_refuse_ns)
		return patience_ms(f);
	if (filters->refuse_ns < 0)
		return DEFAULT_FILTER_MS;
	ms = filters->refuse_ns / 1000000;
	return ms < MIN_FILTER_MS ? MIN_FILTER_MS : ms > MAX_FILTER_MS ? MAX_FILTER_MS : ms;
}

static void on_expired(void *user)
{
	struct offer *o = user;
	struct framework *f = framework_find(o->m, o->framework_id);
	const char *ids[] = {o->id};

	log_info("offer.expired offer=%s framework=%s slave=%s", o->id, o->framework_id, o->slave_id);
	offers_return(f, ids, 1, FL_OFFER_EXPIRED, patience_ms(f));
}

struct offer *offer_create(struct master *m, struct slave *s, struct framework *f, drf_id client,
                           const struct resources *resources)
{
	struct offer *o = xcalloc(1, sizeof(*o));

	o->m = m;
	o->id = xasprintf("%s-O%llu", m->uuid, (unsigned long long)m->next_offer++);
	o->framework_id = xstrdup(f->id);
	o->slave_id = xstrdup(s->id);
	o->role = xstrdup(drf_client_role(m->drf, client));
	o->client = client;
	o->made_ms = loop_now_ms(m->loop);
	resources_copy(&o->resources, resources);
	sm_init(&o->sm, states, ARRAY_SIZE(states), OFFER_OUT, "offer", o->id, NULL, NULL);
	timer_init(&o->timer, m->loop, on_expired, o);
	timer_set(&o->timer, m->conf->offer_timeout);
	hash_put(&m->offers, &o->node, o->id);
	list_push(&s->offers, &o->by_slave);
	list_push(&f->offers, &o->by_framework);
	m->metrics.offers_made++;
	return o;
}

struct offer *offer_find(const struct master *m, const char *id)
{
	return HASH_FIND(&m->offers, id, struct offer, node);
}

static void destroy(struct offer *o)
{
	timer_stop(&o->timer);
	hash_del(&o->m->offers, &o->node);
	list_remove(&o->by_slave);
	list_remove(&o->by_framework);
	list_remove(&o->fresh);
	resources_fini(&o->resources);
	free(o->id);
	free(o->framework_id);
	free(o->slave_id);
	free(o->role);
	free(o);
}

static void count(struct metrics *metrics, enum fl_offer_outcome outcome)
{
	switch (outcome) {
	case FL_OFFER_ACCEPTED:
		metrics->offers_accepted++;
		break;
	case FL_OFFER_DECLINED:
		metrics->offers_declined++;
		break;
	case FL_OFFER_RESCINDED:
		metrics->offers_rescinded++;
		break;
	case FL_OFFER_EXPIRED:
		metrics->offers_expired++;
		break;
	case FL_OFFER_DISCARDED:
	case FL_OFFER_OUTCOME_UNSET:
		metrics->offers_discarded++;
		break;
	}
}

static int state_of(enum fl_offer_outcome outcome)
{
	switch (outcome) {
	case FL_OFFER_ACCEPTED:
		return OFFER_ACCEPTED;
	case FL_OFFER_DECLINED:
		return OFFER_DECLINED;
	case FL_OFFER_RESCINDED:
		return OFFER_RESCINDED;
	case FL_OFFER_EXPIRED:
		return OFFER_EXPIRED;
	case FL_OFFER_DISCARDED:
	case FL_OFFER_OUTCOME_UNSET:
		break;
	}
	return OFFER_DISCARDED;
}

void offer_end(struct offer *o, enum fl_offer_outcome outcome, struct resources *used)
{
	struct framework *f = framework_find(o->m, o->framework_id);
	struct slave *s = slave_find(o->m, o->slave_id);
	struct fl_event_rescind rescind = {.offer_id = o->id};
	struct resources kept = {0};

	sm_move(&o->sm, state_of(outcome));
	if (used) {
		resources_copy(&kept, used);
		resources_intersect(&kept, &o->resources);
		resources_sub(used, &kept);
		resources_sub(&o->resources, &kept);
		resources_fini(&kept);
	}
	if (!resources_empty(&o->resources))
		drf_release(o->m->drf, s->drf, o->client, &o->resources);
	count(&o->m->metrics, outcome);
	if (outcome == FL_OFFER_RESCINDED || outcome == FL_OFFER_EXPIRED)
		framework_send(f, &(struct fl_event){.type = FL_EVENT_RESCIND, .rescind = &rescind});
	destroy(o);
}

/* Ends the marked offers that lie on the same slave for the same client as `first`, with one filter over all of them. */
static size_t return_group(struct offer *first, enum fl_offer_outcome outcome, int64_t filter_ms)
{
	struct master *m = first->m;
	struct slave *s = slave_find(m, first->slave_id);
	drf_id client = first->client;
	struct resources refused = {0};
	struct offer *o;
	size_t n = 0;

	LIST_FOREACH (o, &s->offers, struct offer, by_slave) {
		if (!o->named || o->client != client)
			continue;
		resources_add(&refused, &o->resources);
		offer_end(o, outcome, NULL);
		n++;
	}
	if (filter_ms > 0)
		drf_filter(m->drf, s->drf, client, &refused, loop_now_ms(m->loop) + filter_ms);
	resources_fini(&refused);
	return n;
}

size_t offers_return(struct framework *f, const char *const *ids, size_t n, enum fl_offer_outcome outcome,
                     int64_t filter_ms)
{
	struct offer *o;
	size_t ended = 0;

	for (size_t i = 0; i < n; i++) {
		o = offer_find(f->m, ids[i]);
		if (o && strcmp(o->framework_id, f->id) == 0)
			o->named = true;
	}
	for (size_t i = 0; i < n; i++) {
		o = offer_find(f->m, ids[i]);
		if (o && o->named)
			ended += return_group(o, outcome, filter_ms);
	}
	return ended;
}

void offer_to_wire(const struct offer *o, struct zone *zone, struct fl_offer *ret)
{
	const struct framework *f = framework_find(o->m, o->framework_id);
	const struct slave *s = slave_find(o->m, o->slave_id);
	const struct fl_slave_info *info = s->info.rec;
	struct fl_address *address = zone_alloc(zone, sizeof(*address));
	struct fl_url *url = zone_alloc(zone, sizeof(*url));

	*address = (struct fl_address){.hostname = info->hostname, .ip = info->ip, .port = info->port};
	*url = (struct fl_url){.scheme = "http", .address = address, .path = "/api/v1"};
	*ret = (struct fl_offer){
		.id = o->id,
		.framework_id = o->framework_id,
		.slave_id = o->slave_id,
		.hostname = info->hostname,
		.url = url,
		.attributes = info->attributes,
		.n_attributes = info->n_attributes,
	};
	resources_to_wire(&o->resources, zone, &ret->resources, &ret->n_resources);
	if (!f->multi_role)
		return;
	ret->allocation_info = zone_alloc(zone, sizeof(*ret->allocation_info));
	ret->allocation_info->role = o->role;
	for (size_t i = 0; i < ret->n_resources; i++)
		ret->resources[i].allocation_info = ret->allocation_info;
}
