#include "slave/api.h"

#include <errno.h>
#include <string.h>

#include "base/buf.h"
#include "base/disk.h"
#include "base/err.h"
#include "base/mem.h"
#include "msg/codec.h"
#include "net/http.h"
#include "slave/conf.h"
#include "slave/files.h"
#include "slave/internal.h"
#include "slave/sandbox.h"
#include "slave/task.h"
#include "slave/task_wire.h"
#include "slave/tasks.h"

static void fill_version(const struct slave *s, struct fl_version_info *ret)
{
	*ret = (struct fl_version_info){
		.version = FAIRLEAD_VERSION, .program = slave_conf_table.program, .cluster = s->conf->cluster};
}

static void on_get_health(void *user, struct http_request *req)
{
	struct fl_api_health health = {.healthy = slave_healthy(user)};
	http_reply_record(req, health.healthy ? 200 : 503, &rec_api_health, &health, NULL);
}

static void on_get_version(void *user, struct http_request *req)
{
	struct fl_version_info version;

	fill_version(user, &version);
	http_reply_record(req, 200, &rec_version_info, &version, NULL);
}

static void on_get_metrics(void *user, struct http_request *req)
{
	_cleanup_buf_ struct buf out = {0};

	slave_metrics_print(user, &out);
	http_reply_text(req, 200, "text/plain; version=0.0.4", out.data, out.size);
}

static void on_get_config(void *user, struct http_request *req)
{
	const struct slave *s = user;
	_cleanup_buf_ struct buf out = {0};

	for (size_t i = 0; i < slave_conf_table.n_opts; i++) {
		buf_printf(&out, "%s = ", slave_conf_table.opts[i].name);
		conf_print(&slave_conf_table, s->conf, i, &out);
		buf_append_byte(&out, '\n');
	}
	http_reply_text(req, 200, "text/plain", out.data, out.size);
}

/* ---- POST /api/v1 ---- */

/* A call being answered: the handler fills response, in zone. -errno with a text for people otherwise. */
struct call {
	struct slave *slave;
	const struct fl_api_call *call;
	struct zone *zone;
	struct fl_api_response *response;
};

static int get_health(struct call *c, struct err *err)
{
	c->response->get_health = zone_alloc(c->zone, sizeof(*c->response->get_health));
	c->response->get_health->healthy = slave_healthy(c->slave);
	return 0;
}

static int get_version(struct call *c, struct err *err)
{
	struct fl_version_info *version = zone_alloc(c->zone, sizeof(*version));

	fill_version(c->slave, version);
	c->response->get_version = zone_alloc(c->zone, sizeof(*c->response->get_version));
	c->response->get_version->version_info = version;
	return 0;
}

/* The answer is sent in slices while tasks change: so it is a deep copy. */
static int get_tasks(struct call *c, struct err *err)
{
	const struct slave *s = c->slave;
	struct fl_api_get_tasks all = {0};
	_cleanup_zone_ struct zone *z = zone_create();
	struct completed *done;
	struct task *t;

	all.tasks = zone_alloc(z, (s->tasks.count + 1) * sizeof(*all.tasks));
	all.completed_tasks = zone_alloc(z, (s->n_completed + 1) * sizeof(*all.completed_tasks));
	HASH_FOREACH (t, &s->tasks, struct task, node)
		task_to_wire(t, z, &all.tasks[all.n_tasks++]);
	LIST_FOREACH (done, &s->completed, struct completed, node)
		all.completed_tasks[all.n_completed_tasks++] = *(const struct fl_task *)done->task.rec;
	c->response->get_tasks = codec_copy(&rec_api_get_tasks, &all, c->zone);
	return 0;
}

static char *sandboxes(const struct slave *s)
{
	return xasprintf("%s/" SANDBOX_FOLDER, disk_root(s->disk));
}

static int list_files(struct call *c, struct err *err)
{
	_cleanup_free_ char *root = sandboxes(c->slave);

	if (!c->call->list_files)
		return err_set(err, EINVAL, "list_files is missing");
	c->response->list_files = zone_alloc(c->zone, sizeof(*c->response->list_files));
	return files_list(root, c->call->list_files->path, c->zone, c->response->list_files, err);
}

static int read_file(struct call *c, struct err *err)
{
	const struct fl_api_read_file *what = c->call->read_file;
	_cleanup_free_ char *root = sandboxes(c->slave);

	if (!what)
		return err_set(err, EINVAL, "read_file is missing");
	c->response->read_file = zone_alloc(c->zone, sizeof(*c->response->read_file));
	return files_read(root, what->path, what->offset, what->length, c->zone, c->response->read_file, err);
}

static const struct {
	enum fl_api_type type;
	int (*fn)(struct call *c, struct err *err);
} calls[] = {
	{FL_API_GET_HEALTH, get_health}, {FL_API_GET_VERSION, get_version}, {FL_API_GET_TASKS, get_tasks},
	{FL_API_LIST_FILES, list_files}, {FL_API_READ_FILE, read_file},
};

static void reply_failure(struct http_request *req, const struct err *err)
{
	switch (err->code) {
	case ENOENT:
		http_reply_error(req, 404, "not_found", "%s", err->text);
		break;
	case EINVAL:
	case E2BIG:
		http_reply_error(req, 400, "invalid", "%s", err->text);
		break;
	default:
		http_reply_error(req, 500, "failed", "%s", err->text);
	}
}

static void on_post_api(void *user, struct http_request *req)
{
	struct call c = {.slave = user, .zone = zone_create()};
	struct err err = {0};
	void *rec;

	if (http_body_record(req, &rec_api_call, c.zone, &rec) < 0) {
		zone_destroy(c.zone);
		return;
	}
	c.call = rec;
	c.response = zone_alloc(c.zone, sizeof(*c.response));
	c.response->type = c.call->type;
	for (size_t i = 0; i < ARRAY_SIZE(calls); i++) {
		if (calls[i].type != c.call->type)
			continue;
		if (calls[i].fn(&c, &err) == 0) {
			http_reply_record(req, 200, &rec_api_response, c.response, c.zone);
			return;
		}
		reply_failure(req, &err);
		zone_destroy(c.zone);
		return;
	}
	http_reply_error(req, 501, "not_supported", "a slave does not answer %s; ask the master",
	                 enum_name(&enum_api_type, c.call->type));
	zone_destroy(c.zone);
}

static const struct http_route routes[] = {
	{"GET", "/health", "viewer", on_get_health, "Health: 200, or 503 while the disk refuses the journal."},
	{"GET", "/metrics", "viewer", on_get_metrics, "Counters and gauges, Prometheus text."},
	{"GET", "/version", "viewer", on_get_version, "Version and cluster."},
	{"GET", "/config", "viewer", on_get_config, "The options in force."},
	{"POST", "/api/v1", "viewer", on_post_api, "GET_HEALTH, GET_VERSION, GET_TASKS, LIST_FILES, READ_FILE."},
};

struct http_server *api_create(struct slave *s, struct err *err)
{
	return http_server_create(s->loop, s->conf->ip, (int)s->conf->port, routes, ARRAY_SIZE(routes), s, err);
}
