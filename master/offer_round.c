#include "master/offer_round.h"

#include "base/log.h"
#include "master/core.h"
#include "master/framework.h"
#include "master/leader.h"
#include "master/offer.h"
#include "master/slave.h"

static void on_grant(void *user, drf_id slave, drf_id client, const struct resources *resources)
{
	struct master *m = user;
	struct slave *s = slave_find(m, drf_slave_name(m->drf, slave));
	struct framework *f = framework_find(m, drf_client_framework(m->drf, client));
	struct offer *o;

	assert(s && f && slave_connected(s) && framework_connected(f));
	o = offer_create(m, s, f, client, resources);
	list_push(&f->fresh, &o->fresh);
	if (!list_linked(&f->announce_node))
		list_push(&m->announce, &f->announce_node);
}

static void send_offers(struct framework *f, struct fl_offer *offers, size_t n)
{
	struct fl_event_offers body = {.offers = offers, .n_offers = n};

	if (n)
		framework_send(f, &(struct fl_event){.type = FL_EVENT_OFFERS, .offers = &body});
}

/* All fresh offers of a framework, in as few events as parts allow. */
static void announce(struct framework *f)
{
	_cleanup_zone_ struct zone *zone = zone_create();
	struct fl_offer *offers = NULL;
	size_t n = 0, capacity = 0, bytes = 0;
	struct offer *o;

	LIST_FOREACH (o, &f->fresh, struct offer, fresh) {
		struct fl_offer one;
		size_t size;

		list_remove(&o->fresh);
		offer_to_wire(o, zone, &one);
		size = codec_size(&rec_offer, &one) + 8;
		if (bytes + size > MASTER_MAX_PART) {
			send_offers(f, offers, n);
			n = bytes = 0;
		}
		if (n == capacity) {
			capacity = capacity ? 2 * capacity : 16;
			offers = xrealloc(offers, capacity * sizeof(*offers));
		}
		offers[n++] = one;
		bytes += size;
	}
	send_offers(f, offers, n);
	free(offers);
}

static void set_filter_timer(struct master *m)
{
	int64_t next_ms = drf_next_expiry(m->drf);
	int64_t now_ms = loop_now_ms(m->loop);

	if (next_ms == INT64_MAX)
		timer_stop(&m->filter_timer);
	else if (m->filter_timer.due_ms != next_ms)
		timer_set(&m->filter_timer, next_ms > now_ms ? next_ms - now_ms : 0);
}

static void on_turn(void *user)
{
	struct master *m = user;
	struct framework *f;
	int64_t now_ms;

	if (!leader_leading(m))
		return;
	now_ms = loop_now_ms(m->loop);
	if (drf_next_expiry(m->drf) <= now_ms)
		drf_expire(m->drf, now_ms);
	if (drf_dirty(m->drf))
		drf_round(m->drf, now_ms, on_grant, m);
	LIST_FOREACH (f, &m->announce, struct framework, announce_node) {
		list_remove(&f->announce_node);
		announce(f);
	}
	set_filter_timer(m);
	frameworks_trim(m);
	slaves_trim(m);
}

static void on_filter_due(void *user)
{
	/* The hook at the end of this turn looks at the ledger. */
}

void offer_round_init(struct master *m)
{
	list_init(&m->announce);
	timer_init(&m->filter_timer, m->loop, on_filter_due, m);
	loop_add_hook(m->loop, &m->round, on_turn, m, TURN_ORDER_WORK);
}

void offer_round_fini(struct master *m)
{
	timer_stop(&m->filter_timer);
	loop_remove_hook(&m->round);
}
