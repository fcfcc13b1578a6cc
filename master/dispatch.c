#include "master/dispatch.h"

#include "base/log.h"
#include "base/str.h"
#include "master/accept.h"
#include "master/admission.h"
#include "master/core.h"
#include "master/framework.h"
#include "master/kill.h"
#include "master/link.h"
#include "master/offer.h"
#include "master/reconcile.h"
#include "master/slave.h"
#include "master/subscribe.h"
#include "master/update.h"

/* ---- rows of schema.def: messages to the master ---- */

#include "msg/schema_undef.h"
#include "msg/schema_rest.h"
#undef MESSAGE

#define TO_MASTER(name, record) static void on_##name(struct master *m, struct link *k, const struct fl_##record *msg);
#define TO_SLAVE(name, record)
#define TO_FRAMEWORK(name, record)
#define TO_ANY(name, record)
#define MESSAGE(name, id, from, to, record, doc) TO_##to(name, record)
#include "msg/schema.def"
#undef MESSAGE
#undef TO_MASTER

#define TO_MASTER(name, record)       \
	case MSG_##name:              \
		on_##name(m, k, rec); \
		break;
void dispatch(struct master *m, struct link *k, const struct message_desc *desc, const void *rec)
{
	switch (desc->id) {
#define MESSAGE(name, id, from, to, record, doc) TO_##to(name, record)
#include "msg/schema.def"
	default: /* hello, heartbeat and refused are net/peer's */
		break;
	}
}
#include "msg/schema_undef.h"

/* ---- from slaves ---- */

static void on_slave_register(struct master *m, struct link *k, const struct fl_slave_register *msg)
{
	admission_register(m, k, msg);
}

static void on_slave_reregister(struct master *m, struct link *k, const struct fl_slave_reregister *msg)
{
	admission_reregister(m, k, msg);
}

static void on_status_update(struct master *m, struct link *k, const struct fl_status_update *msg)
{
	struct slave *s = slave_find(m, k->slave_id);

	if (s && slave_connected(s) && str_equal(s->link, k->id))
		update_from_slave(s, msg);
	else
		log_debug("dispatch.early_update task=%s slave=%s", msg->status->task_id,
		          k->slave_id ? k->slave_id : "");
}

static void on_order_refused(struct master *m, struct link *k, const struct fl_order_refused *msg)
{
	struct slave *s = slave_find(m, k->slave_id);

	m->metrics.orders_refused++;
	log_error("dispatch.order_refused slave=%s refusal=%s seen=%s/%llu got=%s/%llu", k->slave_id ? k->slave_id : "",
	          enum_name(&enum_refusal, msg->refusal), msg->seen->incarnation, (unsigned long long)msg->seen->term,
	          msg->got->incarnation, (unsigned long long)msg->got->term);
	if (!s || !str_equal(s->link, k->id))
		return;
	/* What we ordered is not done, and we do not know what it was: its next report tells. */
	link_refuse(k, FL_REFUSAL_STALE_EPOCH, "an order was refused by its epoch: register again");
	slave_on_closed(s);
}

/* ---- from frameworks ---- */

static void decline(struct framework *f, const struct fl_call_decline *call)
{
	offers_return(f, call->offer_ids, call->n_offer_ids, FL_OFFER_DECLINED, offer_filter_ms(f, call->filters));
}

static void set_suppressed(struct framework *f, const struct fl_call_roles *call, bool suppressed)
{
	static const struct fl_call_roles all;

	if (!call)
		call = &all;
	if (framework_set_suppressed(f, call->roles, call->n_roles, suppressed) < 0) {
		log_warn("dispatch.unknown_role framework=%s", f->id);
		f->m->metrics.calls_ignored++;
	}
}

/* The call's body is missing, or nobody can do it yet. */
static void ignore(struct framework *f, const struct fl_call *call, const char *why)
{
	log_warn("dispatch.ignored framework=%s call=%s why=\"%s\"", f->id, enum_name(&enum_call_type, call->type),
	         why);
	f->m->metrics.calls_ignored++;
}

static const void *body_of(const struct fl_call *call)
{
	static const char none[] = "";

	switch (call->type) {
	case FL_CALL_SUBSCRIBE:
		return call->subscribe;
	case FL_CALL_ACCEPT:
		return call->accept;
	case FL_CALL_DECLINE:
		return call->decline;
	case FL_CALL_KILL:
		return call->kill;
	case FL_CALL_ACKNOWLEDGE:
		return call->acknowledge;
	case FL_CALL_RECONCILE:
		return call->reconcile;
	case FL_CALL_MESSAGE:
		return call->message;
	case FL_CALL_TEARDOWN:
	case FL_CALL_REVIVE:
	case FL_CALL_SUPPRESS:
		return none; /* needs no body */
	case FL_CALL_TYPE_UNSET:
		break;
	}
	return NULL;
}

static void on_call_of(struct framework *f, const struct fl_call *call)
{
	switch (call->type) {
	case FL_CALL_TYPE_UNSET: /* has no body */
	case FL_CALL_SUBSCRIBE:  /* handled before */
		break;
	case FL_CALL_TEARDOWN:
		framework_remove(f, "TEARDOWN");
		break;
	case FL_CALL_ACCEPT:
		accept_call(f, call->accept);
		break;
	case FL_CALL_DECLINE:
		decline(f, call->decline);
		break;
	case FL_CALL_REVIVE:
		set_suppressed(f, call->revive, false);
		break;
	case FL_CALL_SUPPRESS:
		set_suppressed(f, call->suppress, true);
		break;
	case FL_CALL_KILL:
		kill_call(f, call->kill);
		break;
	case FL_CALL_ACKNOWLEDGE:
		update_on_ack(f, call->acknowledge);
		break;
	case FL_CALL_RECONCILE:
		reconcile_call(f, call->reconcile);
		break;
	case FL_CALL_MESSAGE:
		ignore(f, call, "executors are not supported yet");
		break;
	}
}

static void on_call(struct master *m, struct link *k, const struct fl_call *msg)
{
	struct framework *f = framework_find(m, k->framework_id);

	m->metrics.calls++;
	if (msg->type == FL_CALL_SUBSCRIBE) {
		if (msg->subscribe)
			subscribe_call(m, k, msg);
		else
			link_error(k, "SUBSCRIBE without subscribe");
		return;
	}
	if (!f || !str_equal(f->link, k->id) || !str_equal(f->id, msg->framework_id)) {
		log_warn("dispatch.not_subscribed framework=%s call=%s", msg->framework_id ? msg->framework_id : "",
		         enum_name(&enum_call_type, msg->type));
		m->metrics.calls_ignored++;
		return;
	}
	if (body_of(msg))
		on_call_of(f, msg);
	else
		ignore(f, msg, "its body is missing");
}
