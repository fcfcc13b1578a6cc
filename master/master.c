#include "master/master.h"

#include <arpa/inet.h>
#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/str.h"
#include "master/api.h"
#include "master/core.h"
#include "master/framework.h"
#include "master/leader.h"
#include "master/link.h"
#include "master/offer.h"
#include "master/offer_round.h"
#include "master/registry.h"
#include "master/slave.h"
#include "master/task.h"
#include "master/teardown.h"
#include "msg/resources.h"
#include "net/conn.h"

#define MAX_SETS 16
#define MAX_WEIGHTS 1024

/* ---- what the options say of the ledger ---- */

/* "cpus:0.01|mem:32" */
static int set_min_allocatable(struct drf *d, const char *text, struct err *err)
{
	struct resources sets[MAX_SETS] = {0};
	char *parts[MAX_SETS];
	_cleanup_free_ char *copy = xstrdup(text);
	int n = *text ? str_split(copy, '|', parts, MAX_SETS) : 0;
	int r = n < 0 ? err_set(err, E2BIG, "more than %d sets", MAX_SETS) : 0;

	for (int i = 0; r == 0 && i < n; i++)
		r = resources_parse(parts[i], &sets[i], err);
	if (r == 0)
		drf_set_min_allocatable(d, sets, (size_t)n);
	for (int i = 0; i < MAX_SETS; i++)
		resources_fini(&sets[i]);
	return r < 0 ? err_wrap(err, "--min_allocatable") : 0;
}

static int set_weight(struct drf *d, char *row, struct err *err)
{
	char *value = strchr(row, '=');
	int64_t milli;

	if (!value)
		return err_set(err, EINVAL, "\"%s\" is not ROLE=WEIGHT", row);
	*value++ = '\0';
	if (!str_valid_role(row))
		return err_set(err, EINVAL, "\"%s\" is not a role", row);
	if (str_to_milli(value, &milli, err) < 0)
		return err_wrap(err, "%s", row);
	if (drf_set_weight(d, row, milli) < 0)
		return err_set(err, ERANGE, "the weight of %s must be 0.001 to 1048.576", row);
	return 0;
}

/* "prod=2,batch/low=0.5" */
static int set_weights(struct drf *d, const char *text, struct err *err)
{
	_cleanup_free_ char **rows = xcalloc(MAX_WEIGHTS, sizeof(*rows));
	_cleanup_free_ char *copy = xstrdup(text);
	int n = *text ? str_split(copy, ',', rows, MAX_WEIGHTS) : 0;
	int r = n < 0 ? err_set(err, E2BIG, "more than %d weights", MAX_WEIGHTS) : 0;

	for (int i = 0; r == 0 && i < n; i++)
		r = set_weight(d, rows[i], err);
	return r < 0 ? err_wrap(err, "--weights") : 0;
}

static int set_up_ledger(struct master *m, struct err *err)
{
	int r;

	m->drf = drf_create(loop_random(m->loop));
	r = set_min_allocatable(m->drf, m->conf->min_allocatable, err);
	return r < 0 ? r : set_weights(m->drf, m->conf->weights, err);
}

/* ---- the cluster's tables ---- */

static void init_tables(struct master *m)
{
	hash_init_seeded(&m->slaves, loop_random(m->loop));
	hash_init_seeded(&m->nonces, loop_random(m->loop));
	hash_init_seeded(&m->frameworks, loop_random(m->loop));
	hash_init_seeded(&m->offers, loop_random(m->loop));
	hash_init_seeded(&m->tasks, loop_random(m->loop));
	list_init(&m->unreachable);
	list_init(&m->removed);
	list_init(&m->teardowns);
	registry_init(m);
	offer_round_init(m);
}

void master_cluster_init(struct master *m)
{
	struct err err = {0};

	init_tables(m);
	if (set_up_ledger(m, &err) < 0) /* master_create has tried it */
		log_error("master.options error=\"%s\"", err.text);
}

void master_cluster_fini(struct master *m)
{
	struct framework *f;
	struct offer *o;
	struct slave *s;
	struct task *t;

	teardowns_forget(m);
	offer_round_fini(m);
	HASH_FOREACH (o, &m->offers, struct offer, node)
		offer_end(o, FL_OFFER_DISCARDED, NULL);
	HASH_FOREACH (t, &m->tasks, struct task, node)
		task_destroy(t);
	HASH_FOREACH (f, &m->frameworks, struct framework, node)
		framework_destroy(f);
	HASH_FOREACH (s, &m->slaves, struct slave, node)
		slave_destroy(s);
	registry_fini(m);
	hash_fini(&m->slaves);
	hash_fini(&m->nonces);
	hash_fini(&m->frameworks);
	hash_fini(&m->offers);
	hash_fini(&m->tasks);
	drf_destroy(m->drf);
	m->drf = NULL;
	m->n_removed = 0;
	m->next_mark_ms = 0;
}

/* ---- birth ---- */

static void make_self(struct master *m)
{
	const struct master_conf *conf = m->conf;
	const char *hostname = *conf->hostname ? conf->hostname : conf->ip;
	_cleanup_free_ char *pid = xasprintf("master@%s:%d", conf->ip, master_http_port(m));
	struct fl_address address = {.hostname = hostname, .ip = conf->ip, .port = master_http_port(m)};
	struct in_addr in = {0};
	struct fl_master_info info = {
		.id = m->uuid,
		.port = master_http_port(m),
		.pid = pid,
		.hostname = hostname,
		.version = FAIRLEAD_VERSION,
		.address = &address,
		.has_fairlead_port = true,
		.fairlead_port = master_fairlead_port(m),
		.cluster = conf->cluster,
	};

	if (inet_pton(AF_INET, conf->ip, &in) == 1)
		info.ip = le32toh(in.s_addr);
	owned_set(&m->self, &rec_master_info, &info);
}

static int check_conf(const struct master_conf *conf, struct url *url, struct err *err)
{
	unsigned char address[sizeof(struct in6_addr)];

	if (!*conf->registry)
		return err_set(err, EINVAL,
		               "--registry is needed: zk://host:port,…/path, or file:///folder for a single master");
	if (url_parse(conf->registry, url, err) < 0)
		return err_wrap(err, "--registry");
	if (url->kind == URL_HOSTS)
		return err_set(err, EINVAL, "--registry must be zk://host:port,…/path or file:///folder");
	if (inet_pton(AF_INET, conf->ip, address) != 1 && inet_pton(AF_INET6, conf->ip, address) != 1)
		return err_set(err, EINVAL, "--ip %s is not an address", conf->ip);
	if (strcmp(conf->ip, "0.0.0.0") == 0 || strcmp(conf->ip, "::") == 0)
		return err_set(err, EINVAL,
		               "--ip is also told to others: give the address at which they reach this machine");
	return 0;
}

static int open_doors(struct master *m, struct err *err)
{
	const struct master_conf *conf = m->conf;

	m->http = http_server_create(m->loop, conf->ip, (int)conf->port, api_routes, api_n_routes, m, err);
	if (!m->http)
		return err_wrap(err, "HTTP port");
	m->listener = listener_create(m->loop, conf->ip, (int)conf->fairlead_port, link_accept, m, err);
	if (!m->listener)
		return err_wrap(err, "framed port");
	make_self(m);
	return leader_init(m, err);
}

struct master *master_create(struct loop *l, const struct master_conf *conf, struct err *err)
{
	struct master *m = xcalloc(1, sizeof(*m));

	m->loop = l;
	m->conf = conf;
	str_uuid(loop_random(l), loop_random(l), m->uuid);
	m->started_wall_ns = loop_wall_ns(l);
	hash_init(&m->links);
	init_tables(m);
	if (set_up_ledger(m, err) < 0 || check_conf(conf, &m->url, err) < 0 || open_doors(m, err) < 0) {
		master_destroy(m);
		return NULL;
	}
	log_info("master.started id=%s http=%s:%d fairlead=%s:%d", m->uuid, conf->ip, master_http_port(m), conf->ip,
	         master_fairlead_port(m));
	return m;
}

void master_destroy(struct master *m)
{
	if (!m)
		return;
	listener_destroy(m->listener);
	http_server_destroy(m->http);
	links_destroy(m);
	master_cluster_fini(m);
	leader_fini(m);
	hash_fini(&m->links);
	owned_fini(&m->self);
	url_fini(&m->url);
	free(m);
}

int master_http_port(const struct master *m)
{
	return http_server_port(m->http);
}

int master_fairlead_port(const struct master *m)
{
	return listener_port(m->listener);
}
