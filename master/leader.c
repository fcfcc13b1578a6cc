/* Takes and leaves office.
 *
 *   FOLLOWING  nothing is known of the cluster; peers are refused with the leader's address
 *   RECOVERING the registry is being read; peers are welcome, what they say waits in their links
 *   LEADING    orders are given, under the epoch
 *   SUSPENDED  office is uncertain: no orders, no offers; what peers say waits in their links; nothing is forgotten
 *
 * The cluster's tables are empty in FOLLOWING. A term taken after a suspension finds them as they were: our node stood
 * first all the time, so nobody else can have written. */
#include "master/leader.h"

#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "master/core.h"
#include "master/framework.h"
#include "master/link.h"
#include "master/registry.h"
#include "master/slave.h"
#include "master/teardown.h"
#include "net/elect.h"
#include "net/store.h"

#define RETRY_MS 1000
#define TO(state) (1u << OFFICE_##state)

static const struct sm_state states[] = {
	[OFFICE_FOLLOWING] = {"FOLLOWING", TO(RECOVERING), SM_INITIAL},
	[OFFICE_RECOVERING] = {"RECOVERING", TO(LEADING) | TO(SUSPENDED) | TO(FOLLOWING), 0},
	[OFFICE_LEADING] = {"LEADING", TO(SUSPENDED) | TO(FOLLOWING), 0},
	[OFFICE_SUSPENDED] = {"SUSPENDED", TO(LEADING) | TO(RECOVERING) | TO(FOLLOWING), 0},
};

static struct master *master_of(struct sm *sm)
{
	return CONTAINER_OF(sm, struct master, office);
}

static void on_enter(struct sm *sm, int from)
{
	timer_stop(&master_of(sm)->load_retry);
}

bool leader_leading(const struct master *m)
{
	return sm_state(&m->office) == OFFICE_LEADING;
}

bool leader_in_office(const struct master *m)
{
	return sm_state(&m->office) != OFFICE_FOLLOWING;
}

const struct fl_master_info *leader_info(const struct master *m)
{
	return m->elect ? elect_leader(m->elect) : NULL;
}

/* ---- reading the registry ---- */

static void on_slave_object(void *user, const char *key, const void *rec)
{
	slave_recover(user, rec);
}

static void on_framework_object(void *user, const char *key, const void *rec)
{
	framework_recover_registered(user, rec);
}

static void on_broken(void *user, const char *key, const char *why)
{
	log_error("registry.broken key=%s error=\"%s\"", key, why);
}

static void lead(struct master *m)
{
	const struct fl_epoch *epoch = m->epoch.rec;

	sm_move(&m->office, OFFICE_LEADING);
	m->loaded = true;
	m->elected_wall_ns = loop_wall_ns(m->loop);
	log_info("leader.leading term=%llu slaves=%zu frameworks=%zu", (unsigned long long)epoch->term, m->slaves.count,
	         m->frameworks.count);
	registry_resume(m);
	slaves_resume(m);
	links_replay(m);
	loop_again(m->loop);
}

static void load_failed(struct master *m, int status)
{
	log_warn("registry.load_failed error=\"%s\"", strerror(-status));
	if (sm_state(&m->office) == OFFICE_RECOVERING)
		timer_set(&m->load_retry, RETRY_MS);
}

static void on_frameworks_done(void *user, int status)
{
	struct master *m = user;

	if (status < 0)
		load_failed(m, status);
	else if (sm_state(&m->office) == OFFICE_RECOVERING)
		lead(m);
}

static void on_slaves_done(void *user, int status)
{
	struct master *m = user;

	if (status < 0) {
		load_failed(m, status);
		return;
	}
	store_load(m->store, &(struct store_load){
				     .folder = "frameworks",
				     .desc = &rec_registry_framework,
				     .on_object = on_framework_object,
				     .on_broken = on_broken,
				     .on_done = on_frameworks_done,
				     .user = m,
			     });
}

static void load(void *user)
{
	struct master *m = user;

	master_cluster_fini(m); /* also what a load that was cut short had brought */
	master_cluster_init(m);
	store_destroy(m->store); /* so that nothing comes from a load or write of an earlier term */
	m->store = store_create(m->loop, m->elect);
	store_load(m->store, &(struct store_load){
				     .folder = "slaves",
				     .desc = &rec_registry_slave,
				     .on_object = on_slave_object,
				     .on_broken = on_broken,
				     .on_done = on_slaves_done,
				     .user = m,
			     });
}

/* ---- what elect says ---- */

static void on_leading(void *user, const struct fl_epoch *epoch)
{
	struct master *m = user;

	owned_set(&m->epoch, &rec_epoch, epoch);
	m->metrics.elections++;
	log_info("leader.elected incarnation=%s term=%llu", epoch->incarnation, (unsigned long long)epoch->term);
	if (sm_state(&m->office) == OFFICE_LEADING || sm_state(&m->office) == OFFICE_RECOVERING)
		sm_move(&m->office, OFFICE_SUSPENDED);
	if (m->loaded) {
		lead(m);
	} else {
		sm_move(&m->office, OFFICE_RECOVERING);
		load(m);
	}
}

static void on_suspended(void *user)
{
	struct master *m = user;

	if (sm_state(&m->office) != OFFICE_LEADING && sm_state(&m->office) != OFFICE_RECOVERING)
		return;
	m->metrics.suspensions++;
	log_warn("leader.suspended");
	sm_move(&m->office, OFFICE_SUSPENDED);
}

static void on_lost(void *user)
{
	struct master *m = user;

	if (!leader_in_office(m))
		return;
	log_warn("leader.lost");
	sm_move(&m->office, OFFICE_FOLLOWING);
	m->loaded = false;
	links_refuse_all(m);
	teardowns_refuse(m);
	master_cluster_fini(m);
	master_cluster_init(m);
	store_destroy(m->store);
	m->store = store_create(m->loop, m->elect);
	owned_set(&m->epoch, &rec_epoch, NULL);
}

static void on_leader(void *user, const struct fl_master_info *leader)
{
	log_info("leader.is master=%s hostname=%s", leader ? leader->id : "none",
	         leader && leader->hostname ? leader->hostname : "");
}

int leader_init(struct master *m, struct err *err)
{
	static const struct elect_ops ops = {
		.on_leading = on_leading, .on_suspended = on_suspended, .on_lost = on_lost, .on_leader = on_leader};
	struct elect_options options = {.session_ms = (int)m->conf->zk_session};

	sm_init(&m->office, states, ARRAY_SIZE(states), OFFICE_FOLLOWING, "office", m->uuid, NULL, on_enter);
	timer_init(&m->load_retry, m->loop, load, m);
	m->elect = elect_create(m->loop, &m->url, m->self.rec, &options, &ops, m, err);
	if (!m->elect)
		return err_wrap(err, "--registry %s", m->conf->registry);
	m->store = store_create(m->loop, m->elect);
	return 0;
}

void leader_fini(struct master *m)
{
	timer_stop(&m->load_retry);
	store_destroy(m->store);
	m->store = NULL;
	elect_destroy(m->elect);
	m->elect = NULL;
	owned_fini(&m->epoch);
}
