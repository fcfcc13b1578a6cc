/* A framework for tests of the scheduler: notes what its callbacks get, and calls back what it is told to. */
#ifndef FL_TESTS_UNIT_SDK_FRAMEWORK_H
#define FL_TESTS_UNIT_SDK_FRAMEWORK_H

#include "tests/unit/framework-sdk/master.h"

#include "framework-sdk/scheduler.h"

struct framework {
	fl_scheduler *s;
	int n_subscribed, n_offers, n_rescinded, n_updates, n_messages, n_failures, n_disconnected, n_errors;
	char id[64], text[512]; /* of the last subscription; of the last thing that has one */
	uint64_t term;
	enum fl_task_state state;
	size_t n_offered;
	int result; /* of what a callback called */
	void (*in_subscribed)(struct framework *f);
	void (*in_offers)(struct framework *f, const struct fl_offer *offers, size_t n);
	void (*in_update)(struct framework *f, const struct fl_task_status *status);
	void (*in_disconnected)(struct framework *f);
	void (*in_error)(struct framework *f);
};

static void framework_on_subscribed(fl_scheduler *s, void *user, const struct fl_event_subscribed *e)
{
	struct framework *f = user;

	assert_true(fl_subscribed(s));
	f->n_subscribed++;
	snprintf(f->id, sizeof(f->id), "%s", e->framework_id);
	f->term = e->epoch ? e->epoch->term : 0;
	if (f->in_subscribed)
		f->in_subscribed(f);
}

static void framework_on_offers(fl_scheduler *s, void *user, const struct fl_offer *offers, size_t n)
{
	struct framework *f = user;

	f->n_offers++;
	f->n_offered = n;
	snprintf(f->text, sizeof(f->text), "%s", offers[0].id);
	if (f->in_offers)
		f->in_offers(f, offers, n);
}

static void framework_on_rescinded(fl_scheduler *s, void *user, const char *offer_id)
{
	struct framework *f = user;

	f->n_rescinded++;
	snprintf(f->text, sizeof(f->text), "%s", offer_id);
}

static void framework_on_update(fl_scheduler *s, void *user, const struct fl_task_status *status)
{
	struct framework *f = user;

	f->n_updates++;
	f->state = status->state;
	snprintf(f->text, sizeof(f->text), "%s", status->task_id);
	if (f->in_update)
		f->in_update(f, status);
}

static void framework_on_message(fl_scheduler *s, void *user, const struct fl_event_message *message)
{
	struct framework *f = user;

	f->n_messages++;
	snprintf(f->text, sizeof(f->text), "%s/%s: %.*s", message->slave_id, message->executor_id,
	         (int)message->data.size, (const char *)message->data.data);
}

static void framework_on_failure(fl_scheduler *s, void *user, const struct fl_event_failure *failure)
{
	struct framework *f = user;

	f->n_failures++;
	snprintf(f->text, sizeof(f->text), "%s", failure->slave_id);
}

static void framework_on_disconnected(fl_scheduler *s, void *user)
{
	struct framework *f = user;

	assert_false(fl_subscribed(s));
	f->n_disconnected++;
	if (f->in_disconnected)
		f->in_disconnected(f);
}

static void framework_on_error(fl_scheduler *s, void *user, const char *message)
{
	struct framework *f = user;

	f->n_errors++;
	snprintf(f->text, sizeof(f->text), "%s", message);
	if (f->in_error)
		f->in_error(f);
}

static inline struct fl_scheduler_callbacks framework_callbacks(void)
{
	return (struct fl_scheduler_callbacks){
		.struct_size = sizeof(struct fl_scheduler_callbacks),
		.subscribed = framework_on_subscribed,
		.offers = framework_on_offers,
		.rescinded = framework_on_rescinded,
		.update = framework_on_update,
		.message = framework_on_message,
		.failure = framework_on_failure,
		.disconnected = framework_on_disconnected,
		.error = framework_on_error,
	};
}

static const struct fl_framework_info usual_info = {.name = "test"};

/* options may be NULL; what is missing in them is put there. */
static inline void framework_open(struct framework *f, struct loop *l, const char *masters,
                                  const struct fl_scheduler_options *options)
{
	struct fl_scheduler_options o = options ? *options : (struct fl_scheduler_options){0};
	struct fl_scheduler_callbacks cb = framework_callbacks();
	struct err err = {0};

	*f = (struct framework){0};
	o.struct_size = sizeof(o);
	o.master = masters;
	if (!o.framework)
		o.framework = &usual_info;
	if (!o.backoff_ns)
		o.backoff_ns = 1000000;
	f->s = scheduler_create_on(l, &o, &cb, f, &err);
	if (!f->s)
		fail_msg("%s", err.text);
}

static inline void framework_close(struct framework *f)
{
	fl_scheduler_destroy(f->s);
	f->s = NULL;
}

/* One master and one framework on one loop; most tests want no more. */
struct world {
	struct loop *l;
	struct master m;
	struct framework f;
};

static inline void world_open(struct world *w)
{
	w->l = loop_create();
	master_open(&w->m, w->l, "a");
}

static inline void world_subscribe(struct world *w, const struct fl_scheduler_options *options)
{
	framework_open(&w->f, w->l, w->m.address, options);
	DRIVE(w->l, w->f.n_subscribed == 1);
}

static inline void world_close(struct world *w)
{
	framework_close(&w->f);
	master_close(&w->m);
	drive_idle(w->l);
	conn_sweep(w->l);
	loop_destroy(w->l);
}

/* ---- what the master says ---- */

static inline void send_offers(struct master *m, size_t n)
{
	struct fl_scalar cpus = {2000}, mem = {512000};
	struct fl_resource resources[] = {{.name = "cpus", .type = FL_SCALAR, .scalar = &cpus},
	                                  {.name = "mem", .type = FL_SCALAR, .scalar = &mem}};
	struct fl_offer offers[] = {
		{.id = "offer-1",
	         .framework_id = "framework-1",
	         .slave_id = "slave-1",
	         .hostname = "one",
	         .resources = resources,
	         .n_resources = 2},
		{.id = "offer-2",
	         .framework_id = "framework-1",
	         .slave_id = "slave-1",
	         .hostname = "one",
	         .resources = resources,
	         .n_resources = 2},
	};
	struct fl_event_offers e = {.offers = offers, .n_offers = n};

	master_send(m, &(struct fl_event){.type = FL_EVENT_OFFERS, .offers = &e});
}

/* uuid NULL: an answer to a question, not to be acknowledged. */
static inline void send_update(struct master *m, const char *task_id, enum fl_task_state state, const char *uuid)
{
	struct fl_task_status status = {.task_id = task_id, .state = state, .slave_id = "slave-1"};
	struct fl_event_update e = {.status = &status};

	if (uuid)
		status.uuid = (struct fl_bytes){.data = (const void *)uuid, .size = strlen(uuid)};
	master_send(m, &(struct fl_event){.type = FL_EVENT_UPDATE, .update = &e});
}

static inline void send_error(struct master *m, const char *message)
{
	struct fl_event_error e = {.message = message};

	master_send(m, &(struct fl_event){.type = FL_EVENT_ERROR, .error = &e});
}

static inline void send_hints(struct master *m)
{
	struct fl_event_rescind rescind = {.offer_id = "offer-9"};
	struct fl_event_message message = {
		.slave_id = "slave-1", .executor_id = "e", .data = {(const void *)"bytes", 5}};
	struct fl_event_failure failure = {.slave_id = "slave-7"};

	master_send(m, &(struct fl_event){.type = FL_EVENT_RESCIND, .rescind = &rescind});
	master_send(m, &(struct fl_event){.type = FL_EVENT_MESSAGE, .message = &message});
	master_send(m, &(struct fl_event){.type = FL_EVENT_FAILURE, .failure = &failure});
	master_send(m, &(struct fl_event){.type = FL_EVENT_HEARTBEAT});
}

#endif
