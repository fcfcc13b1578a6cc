/* Scenario: masters that do nothing but contend. One leader an epoch, one leader at a time, and one in the end. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fairlead/types.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "net/detect.h"
#include "net/elect.h"
#include "net/url.h"
#include "scenario.h"
#include "world.h"

#define MAX_TERMS 1000

struct candidate {
	struct host *host;
	struct elect *elect;
	struct detect *detect;
	char id[40], leader[40], detected[40];
};

static struct candidate candidates[5];
static int n_candidates;
static struct {
	char incarnation[40];
	const struct host *taken_by[MAX_TERMS]; /* by term */
	uint64_t highest;
} terms;

static void on_leading(void *user, const struct fl_epoch *epoch)
{
	struct candidate *c = user;

	world_trace("leading term=%llu incarnation=%s", (unsigned long long)epoch->term, epoch->incarnation);
	if (terms.incarnation[0] && strcmp(terms.incarnation, epoch->incarnation) != 0)
		world_fail("I5: the incarnation changed");
	snprintf(terms.incarnation, sizeof(terms.incarnation), "%s", epoch->incarnation);
	if (epoch->term >= MAX_TERMS)
		world_fail("office changes hands without end");
	if (terms.taken_by[epoch->term])
		world_fail("I5: term %llu is taken by %s and %s", (unsigned long long)epoch->term,
		           terms.taken_by[epoch->term]->name, c->host->name);
	if (epoch->term < terms.highest && elect_leading(c->elect))
		world_fail("I5: term %llu leads behind %llu", (unsigned long long)epoch->term,
		           (unsigned long long)terms.highest);
	terms.taken_by[epoch->term] = c->host;
	if (epoch->term > terms.highest)
		terms.highest = epoch->term;
}

static void on_suspended(void *user)
{
	world_trace("suspended");
}

static void on_lost(void *user)
{
	world_trace("lost");
}

static void copy_id(char *out, const struct fl_master_info *leader)
{
	snprintf(out, 40, "%s", leader ? leader->id : "");
}

static void on_leader(void *user, const struct fl_master_info *leader)
{
	struct candidate *c = user;

	world_trace("leader id=%s", leader ? leader->id : "-");
	copy_id(c->leader, leader);
}

static void on_detected(void *user, const struct fl_master_info *leader)
{
	struct candidate *c = user;
	copy_id(c->detected, leader);
}

static void start(struct host *h)
{
	static const struct elect_ops ops = {on_leading, on_suspended, on_lost, on_leader};
	struct candidate *c = h->user;
	struct fl_master_info self = {
		.id = c->id, .ip = 1, .port = 5050, .has_fairlead_port = true, .fairlead_port = 5060};
	struct elect_options options = {.session_ms = 6000};
	struct url url = {0};
	struct err err;

	str_uuid(loop_random(h->process), loop_random(h->process), c->id);
	c->leader[0] = c->detected[0] = 0;
	if (url_parse("zk://zk:2181/a/fairlead", &url, &err) < 0)
		world_fail("%s", err.text);
	c->elect = elect_create(h->process, &url, &self, &options, &ops, c, &err);
	if (!c->elect)
		world_fail("elect_create: %s", err.text);
	c->detect = detect_create(h->process, &url, 6000, on_detected, c, &err);
	if (!c->detect)
		world_fail("detect_create: %s", err.text);
	h->process->object = c;
	url_fini(&url);
}

static int count_leading(void)
{
	int n = 0;

	for (int i = 0; i < n_candidates; i++)
		if (candidates[i].host->process && candidates[i].host->process->object)
			n += elect_leading(candidates[i].elect);
	return n;
}

static void check(struct loop *l)
{
	if (count_leading() > 1)
		world_fail("I5: two lead at a time");
}

static void setup(void)
{
	n_candidates = (int)world_between(1, 5);
	memset(&terms, 0, sizeof(terms));
	for (int i = 0; i < n_candidates; i++) {
		char name[16];
		snprintf(name, sizeof(name), "m%d", i + 1);
		candidates[i] = (struct candidate){0};
		candidates[i].host = sim_host_create(name, start, &candidates[i]);
		sim_boot(candidates[i].host);
	}
	world.after_turn = check;
}

static bool done(void)
{
	if (count_leading() != 1)
		return false;
	for (int i = 0; i < n_candidates; i++) {
		if (!candidates[i].host->process || !candidates[i].host->process->object)
			return false;
		if (!candidates[i].leader[0] || strcmp(candidates[i].leader, candidates[0].leader) != 0)
			return false;
		if (strcmp(candidates[i].leader, candidates[i].detected) != 0)
			return false;
		if (elect_leading(candidates[i].elect) != str_equal(candidates[i].id, candidates[i].leader))
			return false;
	}
	return true;
}

static void explain(void)
{
	for (int i = 0; i < n_candidates; i++)
		world_trace("%s: leading=%d id=%s leader=%s detected=%s", candidates[i].host->name,
		            candidates[i].host->process && elect_leading(candidates[i].elect), candidates[i].id,
		            candidates[i].leader, candidates[i].detected);
}

const struct scenario scenario_elect = {
	.name = "elect",
	.doc = "masters that only contend",
	.setup = setup,
	.done = done,
	.explain = explain,
	.fault_us = 120 * SIM_S,
	.limit_us = 180 * SIM_S,
};
