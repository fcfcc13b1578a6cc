#include "master/api.h"

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "master/core.h"
#include "master/framework.h"
#include "master/kill.h"
#include "master/leader.h"
#include "master/metrics.h"
#include "master/task.h"
#include "master/teardown.h"
#include "master/view.h"

/* rec borrows from the nouns: the server copies what it cannot send at once. */
static void reply(struct http_request *req, const struct record_desc *desc, const void *rec)
{
	http_reply_record(req, 200, desc, rec, NULL);
}

static const char *host_of(const struct fl_master_info *leader)
{
	if (leader->address && leader->address->ip)
		return leader->address->ip;
	return leader->hostname ? leader->hostname : "";
}

static void on_health(void *user, struct http_request *req)
{
	struct fl_api_health health = {.healthy = true};

	reply(req, &rec_api_health, &health);
}

static void on_metrics(void *user, struct http_request *req)
{
	_cleanup_buf_ struct buf out = {0};

	metrics_collect(user, &out);
	http_reply_text(req, 200, "text/plain; version=0.0.4", out.data, out.size);
}

static void on_version(void *user, struct http_request *req)
{
	_cleanup_zone_ struct zone *zone = zone_create();
	struct fl_version_info version;

	view_version(user, zone, &version);
	reply(req, &rec_version_info, &version);
}

static void on_redirect(void *user, struct http_request *req)
{
	const struct fl_master_info *leader = leader_info(user);

	if (leader)
		http_reply_redirect_base(req, host_of(leader), (int)leader->port);
	else
		http_reply_error(req, 503, "no_leader", "nobody is known to lead; try again soon");
}

/* ---- POST /api/v1 ---- */

static void kill_a_task(struct master *m, struct http_request *req, const struct fl_api_call *call,
                        struct fl_api_response *response)
{
	const struct fl_api_task_ref *ref = call->kill_task;
	struct task *t = ref ? task_find(m, ref->framework_id, ref->task_id) : NULL;

	if (!ref) {
		http_reply_error(req, 400, "invalid", "KILL_TASK needs kill_task.framework_id and kill_task.task_id");
	} else if (!t) {
		http_reply_error(req, 404, "not_found", "no task %s of framework %s; GET_TASKS tells which there are",
		                 ref->task_id, ref->framework_id);
	} else {
		if (sm_state(&t->sm) != TASK_ENDED)
			kill_task(t, NULL);
		reply(req, &rec_api_response, response);
	}
}

static void answer(struct master *m, struct http_request *req, const struct fl_api_call *call)
{
	_cleanup_zone_ struct zone *zone = zone_create();
	struct fl_api_response response = {.type = call->type};
	struct fl_api_health health = {.healthy = true};
	struct fl_version_info version_info;
	struct fl_api_version version = {.version_info = &version_info};
	struct fl_api_get_master master;
	struct fl_api_get_agents agents = {0};
	struct fl_api_get_frameworks frameworks = {0};
	struct fl_api_get_tasks tasks = {0};
	struct fl_api_get_roles roles = {0};
	struct fl_api_get_offers offers = {0};

	switch (call->type) {
	case FL_API_GET_HEALTH:
		response.get_health = &health;
		break;
	case FL_API_GET_VERSION:
		view_version(m, zone, &version_info);
		response.get_version = &version;
		break;
	case FL_API_GET_MASTER:
		view_master(m, zone, &master);
		response.get_master = &master;
		break;
	case FL_API_GET_AGENTS:
		view_agents(m, zone, &agents);
		response.get_agents = &agents;
		break;
	case FL_API_GET_FRAMEWORKS:
		view_frameworks(m, zone, &frameworks);
		response.get_frameworks = &frameworks;
		break;
	case FL_API_GET_TASKS:
		view_tasks(m, zone, &tasks);
		response.get_tasks = &tasks;
		break;
	case FL_API_GET_ROLES:
		view_roles(m, zone, &roles);
		response.get_roles = &roles;
		break;
	case FL_API_GET_OFFERS:
		view_offers(m, zone, &offers);
		response.get_offers = &offers;
		break;
	case FL_API_TEARDOWN:
		teardown_call(m, req, call);
		return;
	case FL_API_KILL_TASK:
		kill_a_task(m, req, call, &response);
		return;
	case FL_API_TYPE_UNSET:
		http_reply_error(req, 400, "invalid", "type is not known");
		return;
	case FL_API_LIST_FILES:
	case FL_API_READ_FILE:
		http_reply_error(req, 404, "not_supported", "the master has no sandboxes: ask the slave");
		return;
	}
	reply(req, &rec_api_response, &response);
}

static void on_api(void *user, struct http_request *req)
{
	struct master *m = user;
	const struct fl_master_info *leader = leader_info(m);
	_cleanup_zone_ struct zone *zone = zone_create();
	void *call;

	if (!leader_in_office(m)) {
		if (leader && !str_equal(leader->id, m->uuid))
			http_reply_redirect(req, host_of(leader), (int)leader->port);
		else
			http_reply_error(req, 503, "no_leader", "nobody is known to lead; try again soon");
	} else if (!leader_leading(m)) {
		http_reply_error(req, 503, "no_leader",
		                 "this master is taking office or not certain of it; try again soon");
	} else if (http_body_record(req, &rec_api_call, zone, &call) == 0) {
		answer(m, req, call);
	}
}

const struct http_route api_routes[] = {
	{"GET", "/health", "viewer", on_health, "200 while the process lives"},
	{"GET", "/metrics", "viewer", on_metrics, "Counters, in Prometheus' text form"},
	{"GET", "/version", "viewer", on_version, "Version, and who leads"},
	{"GET", "/redirect", "viewer", on_redirect, "To the leading master"},
	{"POST", "/api/v1", "operator", on_api, "Operator calls, see docs/protocol.md"},
};
const size_t api_n_routes = ARRAY_SIZE(api_routes);
