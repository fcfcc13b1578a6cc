/* A real master on a registry in a temporary folder, with slaves and frameworks that are no more than a connection and
 * what came over it. All in one loop; every step of it checks the master's invariants. */
#ifndef FL_TESTS_UNIT_MASTER_FIXTURE_H
#define FL_TESTS_UNIT_MASTER_FIXTURE_H

#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/str.h"
#include "master/conf.h"
#include "master/leader.h"
#include "master/master.h"
#include "msg/codec.h"
#include "msg/json.h"
#include "msg/resources.h"
#include "net/http.h"
#include "net/peer.h"

#define DEADLINE_MS 10000
#define UNUSED __attribute__((unused))

struct cluster {
	struct loop *loop;
	struct master_conf conf;
	struct master *master;
	char dir[64];
	struct zone *zone; /* for what a test builds */
	struct list fakes; /* freed at the end */
};

/* ---- stepping ---- */

static UNUSED void step_once(struct cluster *c)
{
	struct err err = {0};

	loop_step(c->loop, 10);
	if (c->master && master_check(c->master, &err) < 0)
		fail_msg("%s", err.text);
}

#define AWAIT(c, condition)                                                     \
	do {                                                                    \
		int64_t end_ms_ = loop_now_ms((c)->loop) + DEADLINE_MS;         \
		while (!(condition)) {                                          \
			if (loop_now_ms((c)->loop) > end_ms_)                   \
				fail_msg("waited in vain for: %s", #condition); \
			step_once(c);                                           \
		}                                                               \
	} while (0)

/* ---- the master ---- */

static UNUSED void start_master(struct cluster *c)
{
	struct err err = {0};

	c->master = master_create(c->loop, &c->conf, &err);
	if (!c->master)
		fail_msg("%s", err.text);
	AWAIT(c, leader_leading(c->master));
}

static UNUSED void stop_master(struct cluster *c)
{
	master_destroy(c->master);
	c->master = NULL;
}

static UNUSED void set_option(struct cluster *c, const char *name, const char *value)
{
	struct err err = {0};

	if (conf_set(&master_conf_table, &c->conf, name, value, &err) < 0)
		fail_msg("%s", err.text);
}

static void drop_line(void *user, enum log_level level, const char *line)
{
}

/* Not started, so that the test may still set options. */
static UNUSED int cluster_setup(void **state)
{
	struct cluster *c = xcalloc(1, sizeof(*c));
	char registry[128];

	if (!getenv("TEST_LOG"))
		log_set_sink(drop_line, NULL);
	else
		log_set_level(LOG_DEBUG);
	c->loop = loop_create();
	c->zone = zone_create();
	list_init(&c->fakes);
	conf_defaults(&master_conf_table, &c->conf);
	snprintf(c->dir, sizeof(c->dir), "/tmp/fairlead-master-XXXXXX");
	assert_non_null(mkdtemp(c->dir));
	snprintf(registry, sizeof(registry), "file://%s/registry", c->dir);
	set_option(c, "registry", registry);
	set_option(c, "port", "0");
	set_option(c, "fairlead_port", "0");
	*state = c;
	return 0;
}

static UNUSED int started_setup(void **state)
{
	cluster_setup(state);
	start_master(*state);
	return 0;
}

/* ---- a connection and what came over it ---- */

#define INBOX 512

struct fake {
	struct list_node node;
	struct cluster *c;
	struct peer *peer;
	bool ready, closed;
	int refusal;
	struct {
		int id;
		struct owned rec;
	} inbox[INBOX];
	size_t n, next; /* received; looked at */
};

static void fake_on_ready(void *user, struct peer *p, const struct fl_hello *hello)
{
	((struct fake *)user)->ready = true;
}

static void fake_on_message(void *user, struct peer *p, const struct message_desc *desc, const void *rec)
{
	struct fake *f = user;

	assert_true(f->n < INBOX);
	f->inbox[f->n].id = desc->id;
	owned_set(&f->inbox[f->n++].rec, desc->record, rec);
}

static void fake_on_close(void *user, struct peer *p, const struct fl_refused *refused, const char *why)
{
	struct fake *f = user;

	f->closed = true;
	f->refusal = refused ? (int)refused->refusal : 0;
	peer_destroy(p);
	f->peer = NULL;
}

/* Ready, or refused: see closed and refusal. */
static UNUSED struct fake *fake_connect(struct cluster *c, enum fl_peer_kind kind)
{
	static const struct peer_ops ops = {
		.on_ready = fake_on_ready, .on_message = fake_on_message, .on_close = fake_on_close};
	struct peer_self self = {
		.kind = kind, .cluster = "fairlead", .expect = PEER_MASTER, .heartbeat_ms = 1000, .timeout_ms = 5000};
	struct fake *f = xcalloc(1, sizeof(*f));

	f->c = c;
	list_push(&c->fakes, &f->node);
	f->peer = peer_connect(c->loop, &self, "127.0.0.1", master_fairlead_port(c->master), &ops, f);
	AWAIT(c, f->ready || f->closed);
	return f;
}

static UNUSED void fake_hang_up(struct fake *f)
{
	peer_destroy(f->peer);
	f->peer = NULL;
	f->closed = true;
}

static UNUSED void fake_free(struct fake *f)
{
	list_remove(&f->node);
	peer_destroy(f->peer);
	for (size_t i = 0; i < f->n; i++)
		owned_fini(&f->inbox[i].rec);
	free(f);
}

static UNUSED int cluster_teardown(void **state)
{
	struct cluster *c = *state;
	struct fake *f;
	char command[128];

	LIST_FOREACH (f, &c->fakes, struct fake, node)
		fake_free(f);
	master_destroy(c->master);
	conf_fini(&master_conf_table, &c->conf);
	zone_destroy(c->zone);
	loop_destroy(c->loop);
	snprintf(command, sizeof(command), "rm -rf '%s'", c->dir);
	assert_int_equal(system(command), 0);
	free(c);
	return 0;
}

typedef bool (*match_fn)(const void *rec, const void *what);

/* The next message of this id (and match) that was not looked at yet; passes over others. */
static UNUSED const void *fake_look(struct fake *f, int id, match_fn match, const void *what)
{
	for (size_t i = f->next; i < f->n; i++) {
		if (f->inbox[i].id != id || (match && !match(f->inbox[i].rec.rec, what)))
			continue;
		f->next = i + 1;
		return f->inbox[i].rec.rec;
	}
	return NULL;
}

static UNUSED const void *fake_await(struct fake *f, int id, match_fn match, const void *what)
{
	const void *rec = NULL;

	AWAIT(f->c, (rec = fake_look(f, id, match, what)) != NULL || f->closed);
	assert_non_null(rec);
	return rec;
}

/* ---- slaves ---- */

static UNUSED struct fl_slave_info *slave_info(struct cluster *c, const char *resources)
{
	struct fl_slave_info *info = zone_alloc(c->zone, sizeof(*info));
	struct resources r = {0};

	assert_int_equal(resources_parse(resources, &r, NULL), 0);
	info->hostname = "host.example";
	info->has_port = true;
	info->port = 5051;
	info->ip = "127.0.0.1";
	resources_to_wire(&r, c->zone, &info->resources, &info->n_resources);
	resources_fini(&r);
	return info;
}

struct fake_slave {
	struct fake *link;
	const char *id; /* in the cluster's zone */
	struct fl_slave_info *info;
	struct fl_epoch *epoch;
};

static UNUSED void slave_connect(struct cluster *c, struct fake_slave *s)
{
	s->link = fake_connect(c, FL_PEER_SLAVE);
}

static UNUSED void slave_await_registered(struct cluster *c, struct fake_slave *s)
{
	const struct fl_slave_registered *r = fake_await(s->link, MSG_slave_registered, NULL, NULL);

	s->id = zone_strdup(c->zone, r->slave_id);
	s->info->id = s->id;
	s->epoch = codec_copy(&rec_epoch, r->epoch, c->zone);
}

static UNUSED void slave_register_again(struct cluster *c, struct fake_slave *s, const char *nonce)
{
	struct fl_slave_register msg = {.slave = s->info, .nonce = nonce, .version = "0.1.0"};

	s->info->id = NULL;
	peer_send(s->link->peer, MSG_slave_register, &msg);
}

static UNUSED struct fake_slave new_slave(struct cluster *c, const char *resources, const char *nonce)
{
	struct fake_slave s = {.info = slave_info(c, resources)};

	slave_connect(c, &s);
	slave_register_again(c, &s, nonce);
	slave_await_registered(c, &s);
	return s;
}

static UNUSED void slave_report(struct fake_slave *s, struct fl_task *tasks, size_t n_tasks,
                                struct fl_framework_info *frameworks, size_t n_frameworks)
{
	struct fl_slave_reregister msg = {
		.slave = s->info,
		.version = "0.1.0",
		.epoch = s->epoch,
		.tasks = tasks,
		.n_tasks = n_tasks,
		.frameworks = frameworks,
		.n_frameworks = n_frameworks,
		.has_last = true,
		.last = true,
	};

	peer_send(s->link->peer, MSG_slave_reregister, &msg);
}

/* Drops its connection and comes back on another one with these tasks. */
static UNUSED void slave_come_back(struct cluster *c, struct fake_slave *s, struct fl_task *tasks, size_t n_tasks,
                                   struct fl_framework_info *frameworks, size_t n_frameworks)
{
	fake_free(s->link);
	slave_connect(c, s);
	slave_report(s, tasks, n_tasks, frameworks, n_frameworks);
	slave_await_registered(c, s);
}

/* A status update; seed makes its uuid, 0: none. */
static UNUSED void slave_update(struct fake_slave *s, const char *framework_id, const char *task_id,
                                enum fl_task_state state, enum fl_task_state latest, uint8_t seed)
{
	uint8_t uuid[16];
	struct fl_task_status status = {.task_id = task_id,
	                                .state = state,
	                                .source = FL_SOURCE_SLAVE,
	                                .slave_id = s->id,
	                                .message = "by itself"};
	struct fl_status_update msg = {.framework_id = framework_id, .status = &status, .latest_state = latest};

	memset(uuid, seed, sizeof(uuid));
	if (seed)
		status.uuid = (struct fl_bytes){.data = uuid, .size = sizeof(uuid)};
	peer_send(s->link->peer, MSG_status_update, &msg);
}

/* ---- frameworks ---- */

struct fake_framework {
	struct fake *link;
	const char *id; /* in the cluster's zone */
	struct fl_framework_info info;
	const char *suppressed[4];
	size_t n_suppressed;
};

static struct fl_framework_capability partition_aware[] = {{.type = FL_CAPABILITY_PARTITION_AWARE},
                                                           {.type = FL_CAPABILITY_TASK_KILLING_STATE}};

static UNUSED struct fl_framework_info framework_info(void)
{
	return (struct fl_framework_info){
		.user = "",
		.name = "test",
		.has_failover_timeout_ns = true,
		.failover_timeout_ns = INT64_C(60) * 1000000000,
		.capabilities = partition_aware,
		.n_capabilities = 2,
	};
}

static UNUSED void framework_call(struct fake_framework *f, struct fl_call *call)
{
	call->framework_id = f->id;
	peer_send(f->link->peer, MSG_call, call);
}

static UNUSED void framework_send_subscribe(struct fake_framework *f)
{
	struct fl_call_subscribe subscribe = {
		.framework_info = &f->info, .suppressed_roles = f->suppressed, .n_suppressed_roles = f->n_suppressed};
	struct fl_call call = {.type = FL_CALL_SUBSCRIBE, .subscribe = &subscribe};

	f->info.id = f->id;
	framework_call(f, &call);
}

static bool is_event(const void *rec, const void *what)
{
	return ((const struct fl_event *)rec)->type == *(const enum fl_event_type *)what;
}

static UNUSED const struct fl_event *framework_await(struct fake_framework *f, enum fl_event_type type)
{
	return fake_await(f->link, MSG_event, is_event, &type);
}

static UNUSED const struct fl_event *framework_look(struct fake_framework *f, enum fl_event_type type)
{
	return fake_look(f->link, MSG_event, is_event, &type);
}

static UNUSED void framework_subscribe(struct cluster *c, struct fake_framework *f)
{
	const struct fl_event *e;

	f->link = fake_connect(c, FL_PEER_FRAMEWORK);
	framework_send_subscribe(f);
	e = framework_await(f, FL_EVENT_SUBSCRIBED);
	f->id = zone_strdup(c->zone, e->subscribed->framework_id);
	assert_non_null(e->subscribed->epoch);
}

static UNUSED struct fake_framework new_framework(struct cluster *c)
{
	struct fake_framework f = {.info = framework_info()};

	framework_subscribe(c, &f);
	return f;
}

static UNUSED void framework_come_back(struct cluster *c, struct fake_framework *f)
{
	fake_free(f->link);
	framework_subscribe(c, f);
}

/* One offer, the first of the next OFFERS event. */
static UNUSED const struct fl_offer *framework_await_offer(struct fake_framework *f)
{
	return &framework_await(f, FL_EVENT_OFFERS)->offers->offers[0];
}

static bool is_update_of(const void *rec, const void *what)
{
	const struct fl_event *e = rec;

	return e->type == FL_EVENT_UPDATE && strcmp(e->update->status->task_id, what) == 0;
}

static UNUSED const struct fl_task_status *framework_await_update(struct fake_framework *f, const char *task_id)
{
	return ((const struct fl_event *)fake_await(f->link, MSG_event, is_update_of, task_id))->update->status;
}

/* Everything said before has been handled by the master when this returns: an answer that did not come will not. */
static UNUSED void fence(struct fake_framework *f)
{
	struct fl_reconcile_task task = {.task_id = "fence", .slave_id = "nowhere"};
	struct fl_call_reconcile reconcile = {.tasks = &task, .n_tasks = 1};
	struct fl_call call = {.type = FL_CALL_RECONCILE, .reconcile = &reconcile};
	size_t at = f->link->n;
	bool come = false;

	framework_call(f, &call);
	while (!come) {
		step_once(f->link->c);
		for (; !come && at < f->link->n; at++)
			come = f->link->inbox[at].id == MSG_event && is_update_of(f->link->inbox[at].rec.rec, "fence");
	}
}

static UNUSED struct fl_task_info task_info(struct cluster *c, const char *id, const char *slave_id,
                                            const char *resources)
{
	static struct fl_command_info command = {.value = "sleep 1000"};
	struct fl_task_info info = {.name = "a task", .task_id = id, .slave_id = slave_id, .command = &command};
	struct resources r = {0};

	assert_int_equal(resources_parse(resources, &r, NULL), 0);
	resources_to_wire(&r, c->zone, &info.resources, &info.n_resources);
	resources_fini(&r);
	return info;
}

static UNUSED void framework_accept(struct fake_framework *f, const char **offers, size_t n_offers,
                                    struct fl_task_info *tasks, size_t n_tasks, int64_t refuse_ms)
{
	struct fl_filters filters = {.has_refuse_ns = true, .refuse_ns = refuse_ms * 1000000};
	struct fl_launch launch = {.task_infos = tasks, .n_task_infos = n_tasks};
	struct fl_operation op = {.type = FL_OPERATION_LAUNCH, .launch = &launch};
	struct fl_call_accept accept = {.offer_ids = offers,
	                                .n_offer_ids = n_offers,
	                                .operations = &op,
	                                .n_operations = n_tasks ? 1 : 0,
	                                .filters = &filters};

	framework_call(f, &(struct fl_call){.type = FL_CALL_ACCEPT, .accept = &accept});
}

static UNUSED void framework_decline(struct fake_framework *f, const char *offer, int64_t refuse_ms)
{
	struct fl_filters filters = {.has_refuse_ns = true, .refuse_ns = refuse_ms * 1000000};
	struct fl_call_decline decline = {.offer_ids = &offer, .n_offer_ids = 1, .filters = &filters};

	framework_call(f, &(struct fl_call){.type = FL_CALL_DECLINE, .decline = &decline});
}

static UNUSED void framework_ack(struct fake_framework *f, const char *slave_id, const char *task_id, uint8_t seed)
{
	uint8_t uuid[16];
	struct fl_call_acknowledge ack = {.slave_id = slave_id, .task_id = task_id, .uuid = {uuid, sizeof(uuid)}};

	memset(uuid, seed, sizeof(uuid));
	framework_call(f, &(struct fl_call){.type = FL_CALL_ACKNOWLEDGE, .acknowledge = &ack});
}

/* Takes the next offer for one task and waits until the slave is told to run it. */
static UNUSED void launch(struct cluster *c, struct fake_framework *f, struct fake_slave *s, const char *task_id,
                          const char *resources)
{
	const struct fl_offer *offer = framework_await_offer(f);
	const char *id = offer->id;
	struct fl_task_info task = task_info(c, task_id, s->id, resources);
	const struct fl_run_task *run;

	framework_accept(f, &id, 1, &task, 1, 0);
	run = fake_await(s->link, MSG_run_task, NULL, NULL);
	assert_string_equal(run->task->task_id, task_id);
}

/* The same, until it runs and the framework has said that it knows. */
static UNUSED void launch_running(struct cluster *c, struct fake_framework *f, struct fake_slave *s,
                                  const char *task_id, const char *resources)
{
	launch(c, f, s, task_id, resources);
	slave_update(s, f->id, task_id, FL_TASK_RUNNING, FL_TASK_RUNNING, 1);
	assert_int_equal(framework_await_update(f, task_id)->state, FL_TASK_RUNNING);
	framework_ack(f, s->id, task_id, 1);
	fake_await(s->link, MSG_status_ack, NULL, NULL);
}

/* The task as a slave reports it. */
static UNUSED struct fl_task report_of(struct cluster *c, const char *framework_id, const char *task_id,
                                       const char *slave_id, enum fl_task_state state, const char *resources)
{
	struct fl_task_info info = task_info(c, task_id, slave_id, resources);

	return (struct fl_task){.name = "a task",
	                        .task_id = task_id,
	                        .framework_id = framework_id,
	                        .slave_id = slave_id,
	                        .state = state,
	                        .resources = info.resources,
	                        .n_resources = info.n_resources,
	                        .role = "*"};
}

#endif
