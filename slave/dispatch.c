/* The rows are those of schema.def: a message addressed TO=SLAVE without on_<name>() here does not compile. */
#include "slave/dispatch.h"

#include <assert.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdlib.h>
#include <string.h>

#include "base/list.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "msg/codec.h"
#include "msg/desc.h"
#include "slave/epoch.h"
#include "slave/identity.h"
#include "slave/internal.h"
#include "slave/master_link.h"
#include "slave/tasks.h"
#include "slave/updates.h"

#define MAX_HELD 65536 /* orders; a master that sends more in one write of a slot is not one of ours */

/* ---- the rows ---- */

#include "msg/schema_undef.h"
#include "msg/schema_rest.h"
#undef MESSAGE

#define ROW_ANY(name, record)
#define ROW_MASTER(name, record)
#define ROW_FRAMEWORK(name, record)
#define ROW_SLAVE(name, record) static void on_##name(struct slave *s, const struct fl_##record *m);
#define MESSAGE(name, id, from, to, record, doc) ROW_##to(name, record)
#include "msg/schema.def"
#undef MESSAGE
#undef ROW_SLAVE

/* The cast says that a record is what its row says; desc->record was checked by who decoded it. */
#define ROW_SLAVE(name, record)                                   \
	static void call_##name(struct slave *s, const void *rec) \
	{                                                         \
		on_##name(s, rec);                                \
	}
#define MESSAGE(name, id, from, to, record, doc) ROW_##to(name, record)
#include "msg/schema.def"
#undef MESSAGE
#undef ROW_SLAVE

struct row {
	int id;
	void (*call)(struct slave *s, const void *rec);
	size_t epoch_offset; /* every order carries one */
};

static const struct row rows[] = {
#define ROW_SLAVE(name, record) {MSG_##name, call_##name, offsetof(struct fl_##record, epoch)},
#define MESSAGE(name, id, from, to, record, doc) ROW_##to(name, record)
#include "msg/schema.def"
#undef MESSAGE
#undef ROW_SLAVE
};
#include "msg/schema_undef.h"

static const struct row *row_find(int id)
{
	for (size_t i = 0; i < ARRAY_SIZE(rows); i++)
		if (rows[i].id == id)
			return &rows[i];
	return NULL;
}

/* ---- orders that wait for their epoch ---- */

struct held {
	struct list_node node;
	const struct message_desc *desc;
	struct owned rec;
};

struct dispatch {
	struct slave *slave;
	struct list held;
	size_t n_held;
	bool admitted; /* the master of this connection has said slave_registered, held or not */
};

static void held_free(struct dispatch *d, struct held *h)
{
	list_remove(&h->node);
	d->n_held--;
	owned_fini(&h->rec);
	free(h);
}

static void hold(struct dispatch *d, const struct message_desc *desc, const void *rec)
{
	if (d->n_held >= MAX_HELD) {
		master_link_drop(d->slave->link, "too many orders before their epoch is durable");
		return;
	}
	struct held *h = xcalloc(1, sizeof(*h));
	h->desc = desc;
	owned_set(&h->rec, desc->record, rec);
	list_push(&d->held, &h->node);
	d->n_held++;
	d->slave->metrics.orders_held++;
}

struct dispatch *dispatch_create(struct slave *s)
{
	struct dispatch *d = xcalloc(1, sizeof(*d));

	d->slave = s;
	list_init(&d->held);
	return d;
}

void dispatch_forget(struct dispatch *d)
{
	struct held *h;

	d->admitted = false;
	LIST_FOREACH (h, &d->held, struct held, node)
		held_free(d, h);
}

void dispatch_destroy(struct dispatch *d)
{
	if (!d)
		return;
	dispatch_forget(d);
	free(d);
}

/* ---- the epoch ---- */

static void refuse(struct slave *s, const struct message_desc *desc, const struct fl_epoch *got, bool foreign)
{
	const struct fl_epoch *seen = identity_epoch(s->identity);
	struct fl_order_refused refused = {.refusal = foreign ? FL_REFUSAL_INCARNATION : FL_REFUSAL_STALE_EPOCH,
	                                   .seen = (struct fl_epoch *)seen,
	                                   .got = (struct fl_epoch *)got};

	if (foreign) {
		s->metrics.orders_foreign++;
		log_error("slave.other_incarnation order=%s ours=%s theirs=%s advice=\"the registry was lost or "
		          "replaced; "
		          "if that is intended, run: fairlead slave adopt\"",
		          desc->name, seen->incarnation, got->incarnation);
	} else {
		s->metrics.orders_stale++;
		log_warn("slave.stale_order order=%s seen=%" PRIu64 " got=%" PRIu64, desc->name, seen->term, got->term);
	}
	master_link_send(s->link, MSG_order_refused, &refused);
	master_link_refused_order(s->link);
}

/* True when the order may be obeyed now. */
static bool admit(struct dispatch *d, const struct message_desc *desc, const struct fl_epoch *got, const void *rec)
{
	struct slave *s = d->slave;

	switch (epoch_judge(identity_epoch(s->identity), got)) {
	case EPOCH_SAME:
		break;
	case EPOCH_NEWER:
		log_info("slave.epoch incarnation=%s term=%" PRIu64, got->incarnation, got->term);
		identity_set_epoch(s->identity, got);
		break;
	case EPOCH_STALE:
		refuse(s, desc, got, false);
		return false;
	case EPOCH_FOREIGN:
		refuse(s, desc, got, true);
		return false;
	case EPOCH_INVALID:
		master_link_drop(s->link, "the epoch of an order is not valid");
		return false;
	}
	if (identity_settled(s->identity) && list_empty(&d->held))
		return true;
	hold(d, desc, rec);
	return false;
}

void dispatch_message(struct dispatch *d, const struct message_desc *desc, const void *rec)
{
	const struct row *row = row_find(desc->id);

	if (!row)
		return; /* not for slaves; net/peer let it pass because it is for anybody */
	d->admitted |= desc->id == MSG_slave_registered;
	if (!d->admitted) { /* until then we do not know its term, and an older one could not be told */
		master_link_drop(d->slave->link, "it gives orders before it has admitted this slave");
		return;
	}
	const struct fl_epoch *epoch = *(struct fl_epoch *const *)((const char *)rec + row->epoch_offset);
	if (admit(d, desc, epoch, rec))
		row->call(d->slave, rec);
}

/* An order obeyed may unsettle the identity again (a new id), or drop the connection and all that is held. */
void dispatch_release(struct dispatch *d)
{
	while (!list_empty(&d->held) && identity_settled(d->slave->identity)) {
		struct held *h = CONTAINER_OF(list_first(&d->held), struct held, node);
		struct owned rec = h->rec;
		const struct row *row = row_find(h->desc->id);

		h->rec = (struct owned){0};
		held_free(d, h);
		row->call(d->slave, rec.rec);
		owned_fini(&rec);
	}
}

/* ---- handlers ---- */

static void on_slave_registered(struct slave *s, const struct fl_slave_registered *m)
{
	const char *own = identity_slave_id(s->identity);

	if (own && strcmp(own, m->slave_id) != 0) {
		log_error("slave.other_id ours=%s theirs=%s", own, m->slave_id);
		master_link_drop(s->link, "the master calls this slave by another id");
		return;
	}
	if (!own && !str_valid_id(m->slave_id)) {
		master_link_drop(s->link, "the id that the master gives is not valid");
		return;
	}
	if (!own)
		identity_set_slave_id(s->identity, m->slave_id);
	master_link_admitted(s->link);
}

static void on_run_task(struct slave *s, const struct fl_run_task *m)
{
	tasks_run(s, m);
}

static void on_kill_task(struct slave *s, const struct fl_kill_task *m)
{
	log_info("slave.kill framework=%s task=%s", m->framework_id, m->task_id);
	tasks_kill(s, m->framework_id, m->task_id, m->kill_policy);
}

static void on_status_ack(struct slave *s, const struct fl_status_ack *m)
{
	if (updates_ack(s->updates, m->framework_id, m->task_id, &m->uuid))
		s->metrics.acks++;
	else
		s->metrics.acks_ignored++;
}

static void on_shutdown_framework(struct slave *s, const struct fl_shutdown_framework *m)
{
	log_info("slave.shutdown_framework framework=%s", m->framework_id);
	tasks_kill_framework(s, m->framework_id);
}

static void on_slave_reconcile(struct slave *s, const struct fl_slave_reconcile *m)
{
	for (size_t i = 0; i < m->n_tasks; i++)
		tasks_reconcile(s, m->tasks[i].framework_id, m->tasks[i].task_id);
}

static void on_slave_shutdown(struct slave *s, const struct fl_slave_shutdown *m)
{
	log_error("slave.shutdown reason=\"%s\" advice=\"all tasks are being ended; start it with a new work folder to "
	          "register anew\"",
	          m->message ? m->message : "");
	s->shut_down = true;
	master_link_retire(s->link);
	tasks_kill_all(s);
}
