#include "master/link.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "master/core.h"
#include "master/dispatch.h"
#include "master/framework.h"
#include "master/leader.h"
#include "master/slave.h"
#include "net/peer.h"

#define HELLO_TIMEOUT_MS 10000

struct held {
	struct list_node node;
	struct buf bytes; /* one message */
};

static void link_destroy(struct link *k)
{
	struct held *h;

	link_drop_report(k);
	k->m->kept_bytes -= k->held_bytes;
	LIST_FOREACH (h, &k->held, struct held, node) {
		list_remove(&h->node);
		buf_fini(&h->bytes);
		free(h);
	}
	hash_del(&k->m->links, &k->node);
	free(k->slave_id);
	free(k->framework_id);
	free(k);
}

void link_drop_report(struct link *k)
{
	struct link_part *p;

	LIST_FOREACH (p, &k->report, struct link_part, node) {
		list_remove(&p->node);
		owned_fini(&p->msg);
		free(p);
	}
	k->m->kept_bytes -= k->report_bytes;
	k->report_bytes = 0;
	k->reported = false;
}

struct link *link_find(const struct master *m, const char *id)
{
	return id ? HASH_FIND(&m->links, id, struct link, node) : NULL;
}

void link_send(struct link *k, int message_id, const void *rec)
{
	peer_send(k->peer, message_id, rec);
}

void link_refuse(struct link *k, enum fl_refusal refusal, const char *fmt, ...)
{
	char text[256];
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	log_warn("link.refused peer=%s refusal=%s error=\"%s\"", peer_address(k->peer),
	         enum_name(&enum_refusal, refusal), text);
	peer_refuse(k->peer, refusal, leader_info(k->m), "%s", text);
	link_destroy(k);
}

void link_error(struct link *k, const char *message)
{
	struct fl_event_error error = {.message = message};
	struct fl_event event = {.type = FL_EVENT_ERROR, .error = &error};

	log_warn("link.error peer=%s error=\"%s\"", peer_address(k->peer), message);
	link_send(k, MSG_event, &event);
	link_finish(k);
}

void link_finish(struct link *k)
{
	peer_finish(k->peer);
	link_destroy(k);
}

/* ---- what the connection says ---- */

static void refuse_not_leading(struct link *k)
{
	link_refuse(k, FL_REFUSAL_NOT_LEADER, "this master does not lead%s",
	            leader_info(k->m) ? "" : ", and nobody is known to");
}

static void on_ready(void *user, struct peer *p, const struct fl_hello *hello)
{
	struct link *k = user;

	log_debug("link.ready peer=%s kind=%s software=%s", peer_address(p), enum_name(&enum_peer_kind, hello->kind),
	          hello->software ? hello->software : "");
	if (!leader_in_office(k->m))
		refuse_not_leading(k);
}

/* Its peer is gone: tells whose it was. */
static void gone(struct link *k)
{
	struct master *m = k->m;
	struct slave *s = k->slave_id ? slave_find(m, k->slave_id) : NULL;
	struct framework *f = k->framework_id ? framework_find(m, k->framework_id) : NULL;

	if (s && str_equal(s->link, k->id))
		slave_on_closed(s);
	if (f && str_equal(f->link, k->id))
		framework_on_closed(f);
	link_destroy(k);
}

/* It says more than there is room for; it may come back. */
static void drop_flooded(struct link *k)
{
	log_warn("link.flooded peer=%s bytes=%zu of_all=%zu", peer_address(k->peer), k->held_bytes + k->report_bytes,
	         k->m->kept_bytes);
	peer_destroy(k->peer);
	gone(k);
}

static void hold(struct link *k, int id, const void *rec)
{
	struct held *h = xcalloc(1, sizeof(*h));

	if (message_encode(id, rec, &h->bytes, NULL) < 0) {
		free(h);
		return;
	}
	list_push(&k->held, &h->node);
	k->held_bytes += h->bytes.size;
	k->m->kept_bytes += h->bytes.size;
	if (k->held_bytes > LINK_MAX_HELD || k->m->kept_bytes > LINKS_MAX_KEPT)
		drop_flooded(k);
}

bool link_keep_part(struct link *k, const struct fl_slave_reregister *msg)
{
	struct link_part *p = xcalloc(1, sizeof(*p));
	size_t size = codec_size(&rec_slave_reregister, msg);

	owned_set(&p->msg, &rec_slave_reregister, msg);
	list_push(&k->report, &p->node);
	k->report_bytes += size;
	k->m->kept_bytes += size;
	if (k->report_bytes <= LINK_MAX_REPORT && k->m->kept_bytes <= LINKS_MAX_KEPT)
		return true;
	drop_flooded(k);
	return false;
}

static void on_message(void *user, struct peer *p, const struct message_desc *desc, const void *rec)
{
	struct link *k = user;

	if (!leader_in_office(k->m))
		refuse_not_leading(k);
	else if (!leader_leading(k->m) || !list_empty(&k->held))
		hold(k, desc->id, rec);
	else
		dispatch(k->m, k, desc, rec);
}

static void on_close(void *user, struct peer *p, const struct fl_refused *refused, const char *why)
{
	struct link *k = user;

	if (!peer_kind(p)) /* it never spoke our protocol: a stranger, or somebody on the wrong port */
		log_warn("link.dropped peer=%s why=\"%s\"", peer_address(p), why);
	else
		log_debug("link.closed peer=%s why=\"%s\"", peer_address(p), why);
	peer_destroy(p);
	gone(k);
}

static const struct peer_ops ops = {.on_ready = on_ready, .on_message = on_message, .on_close = on_close};

void link_accept(void *user, struct conn *c)
{
	struct master *m = user;
	struct link *k = xcalloc(1, sizeof(*k));
	struct peer_self self = {
		.kind = FL_PEER_MASTER,
		.cluster = m->conf->cluster,
		.id = m->uuid,
		.expect = PEER_SLAVE | PEER_FRAMEWORK,
		.heartbeat_ms = m->conf->heartbeat,
		.timeout_ms = HELLO_TIMEOUT_MS,
	};

	k->m = m;
	snprintf(k->id, sizeof(k->id), "%llu", (unsigned long long)++m->next_link);
	list_init(&k->report);
	list_init(&k->held);
	hash_put(&m->links, &k->node, k->id);
	k->peer = peer_accept(m->loop, &self, c, &ops, k);
}

/* ---- all of them ---- */

/* One held message; false when the link has none left, or is gone. */
static bool replay_one(struct master *m, const char *link_id)
{
	struct link *k = link_find(m, link_id);
	_cleanup_zone_ struct zone *zone = NULL;
	const struct message_desc *desc;
	struct held *h;
	void *rec;

	if (!k || list_empty(&k->held))
		return false;
	h = CONTAINER_OF(list_first(&k->held), struct held, node);
	list_remove(&h->node);
	k->held_bytes -= h->bytes.size;
	m->kept_bytes -= h->bytes.size;
	zone = zone_create();
	if (message_decode(h->bytes.data, h->bytes.size, zone, &desc, &rec, NULL) == 0)
		dispatch(m, k, desc, rec);
	buf_fini(&h->bytes);
	free(h);
	return true;
}

void links_replay(struct master *m)
{
	size_t n = 0;
	char(*ids)[24] = xcalloc(m->links.count + 1, sizeof(*ids));
	struct link *k;

	HASH_FOREACH (k, &m->links, struct link, node)
		memcpy(ids[n++], k->id, sizeof(k->id));
	for (size_t i = 0; i < n; i++)
		while (leader_leading(m) && replay_one(m, ids[i]))
			;
	free(ids);
}

void links_refuse_all(struct master *m)
{
	struct link *k;

	while (m->links.count) {
		k = CONTAINER_OF(list_first(&m->links.order), struct link, node.order);
		refuse_not_leading(k);
	}
}

void links_destroy(struct master *m)
{
	struct link *k;

	while (m->links.count) {
		k = CONTAINER_OF(list_first(&m->links.order), struct link, node.order);
		peer_destroy(k->peer);
		link_destroy(k);
	}
}
