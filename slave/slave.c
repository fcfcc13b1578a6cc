/* Owns everything a slave is. Start-up order: lock the work folder, identity, journal, adopt, sweep, listen, look for the
 * leader. Destroying stops nothing but this process's part: containers run on. */
#include "slave/slave.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/disk.h"
#include "base/err.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "net/http.h"
#include "slave/api.h"
#include "slave/attributes.h"
#include "slave/conf.h"
#include "slave/detect_resources.h"
#include "slave/dispatch.h"
#include "slave/gc.h"
#include "slave/identity.h"
#include "slave/internal.h"
#include "slave/journal.h"
#include "slave/master_link.h"
#include "slave/proc.h"
#include "slave/recovery.h"
#include "slave/task.h"
#include "slave/tasks.h"
#include "slave/updates.h"

/* ---- what the parts tell ---- */

static void on_identity(void *user)
{
	struct slave *s = user;

	dispatch_release(s->dispatch);
	master_link_on_settled(s->link);
}

static void on_journal_health(void *user, bool healthy, const char *why)
{
	if (healthy)
		log_info("journal.healthy");
	else
		log_error("journal.failing reason=\"%s\" advice=\"no task is started until %s\"", why,
		          "the work folder can be written again");
}

static void on_send(void *user, const struct fl_status_update *update)
{
	struct slave *s = user;

	s->metrics.updates_sent++;
	master_link_send(s->link, MSG_status_update, update);
}

static void on_terminal_durable(void *user, const char *framework_id, const char *task_id)
{
	struct task *t = tasks_find(user, framework_id, task_id);
	if (t)
		task_on_terminal_durable(t);
}

static void on_finished(void *user, const char *framework_id, const char *task_id)
{
	struct task *t = tasks_find(user, framework_id, task_id);
	if (t)
		task_on_finished(t);
}

static const struct journal_ops journal_ops = {.on_record = recovery_on_record,
                                               .on_broken = recovery_on_broken,
                                               .snapshot = recovery_snapshot,
                                               .on_health = on_journal_health};
static const struct updates_ops updates_ops = {
	.send = on_send, .on_terminal_durable = on_terminal_durable, .on_finished = on_finished};

/* ---- who and what we are ---- */

static const char *host_name(struct slave *s)
{
	char name[256] = "";

	if (*s->conf->hostname)
		return s->conf->hostname;
	gethostname(name, sizeof(name) - 1);
	return zone_strdup(s->zone, *name ? name : s->conf->ip);
}

static int describe(struct slave *s, struct err *err)
{
	struct host_facts facts;

	if (strcmp(s->conf->ip, "0.0.0.0") == 0 || strcmp(s->conf->ip, "::") == 0)
		return err_set(err, EINVAL,
		               "--ip is also told to the master: give the address at which others reach this machine");
	host_facts_read(s->conf->work_dir, &facts);
	if (resources_of_host(s->conf->resources, &facts, &s->total, err) < 0)
		return -err->code;
	resources_to_wire(&s->total, s->zone, &s->info.resources, &s->info.n_resources);
	s->info.hostname = host_name(s);
	s->info.ip = s->conf->ip;
	return attributes_parse(s->conf->attributes, s->zone, &s->info.attributes, &s->info.n_attributes, err);
}

bool slave_healthy(const struct slave *s)
{
	return journal_healthy(s->journal) && !identity_failing(s->identity);
}

bool slave_fits(const struct slave *s, const struct resources *wanted)
{
	struct resources left = {0};

	if (!resources_contains(&s->total, &s->used))
		return false; /* --resources were made smaller than what still runs */
	resources_copy(&left, &s->total);
	resources_sub(&left, &s->used);
	bool fits = resources_contains(&left, wanted);
	resources_fini(&left);
	return fits;
}

void slave_uuid(struct slave *s, uint8_t out[16])
{
	uint64_t random[2] = {loop_random(s->loop), loop_random(s->loop)};
	memcpy(out, random, sizeof(random));
}

/* ---- start ---- */

static int open_procs(struct slave *s, struct err *err)
{
	const struct slave_conf *conf = s->conf;
	/* Slaves of one machine must not take each other's containers for leftovers. */
	uint64_t own = hash_bytes(conf->work_dir, strlen(conf->work_dir), 0);
	_cleanup_free_ char *dir = *conf->runtime_dir ? xstrdup(conf->runtime_dir)
	                                              : xasprintf("/run/fairlead/%016" PRIx64, own);
	_cleanup_free_ char *root = *conf->cgroup_root ? xstrdup(conf->cgroup_root)
	                                               : xasprintf("/fairlead-%016" PRIx64, own);
	struct procs_conf pc = {.runtime_dir = dir,
	                        .cgroup_root = root,
	                        .work_dir = conf->work_dir,
	                        .image_dir = conf->image_dir,
	                        .allow_privileged = conf->allow_privileged,
	                        .user_namespaces = conf->user_namespaces,
	                        .cpu_cap = conf->cpu_cap,
	                        .use_cgroups = !conf->no_cgroups,
	                        .default_pids = conf->default_pids};

	s->procs = procs_create(s->loop, &pc, err);
	if (!s->procs)
		return -EIO;
	log_info("slave.host %s", procs_describe(s->procs));
	return 0;
}

static int open_disk(struct slave *s, struct err *err)
{
	if (s->conf->work_dir[0] != '/')
		return err_set(err, EINVAL, "--work_dir must be an absolute path");
	s->disk = disk_create(s->loop, s->conf->work_dir, err);
	return s->disk ? disk_lock(s->disk, err) : -EIO;
}

static int open_identity(struct slave *s, struct err *err)
{
	s->identity = identity_create(s->loop, s->disk, on_identity, s, err);
	return s->identity ? 0 : -EIO;
}

/* Updates first: the journal's records are for them too. Their journal is told once there is one. */
static int recover(struct slave *s, struct err *err)
{
	s->updates = updates_create(s->loop, s->conf->update_retry, &updates_ops, s);
	s->journal = journal_create(s->loop, s->disk, &journal_ops, s, err);
	if (!s->journal)
		return -EIO;
	updates_set_journal(s->updates, s->journal);
	recovery_finish(s);
	s->gc = gc_create(s);
	return 0;
}

static int open_doors(struct slave *s, struct err *err)
{
	s->http = api_create(s, err);
	if (!s->http)
		return -EIO;
	s->info.has_port = true;
	s->info.port = http_server_port(s->http);
	s->link = master_link_create(s, err);
	return s->link ? 0 : -EIO;
}

struct slave *slave_create(struct loop *l, const struct slave_conf *conf, struct err *err)
{
	struct slave *s = xcalloc(1, sizeof(*s));

	s->loop = l;
	s->conf = conf;
	s->zone = zone_create();
	hash_init_seeded(&s->damaged, loop_random(l));
	tasks_init(s);
	s->dispatch = dispatch_create(s);
	if (open_disk(s, err) < 0 || describe(s, err) < 0 || open_identity(s, err) < 0 || open_procs(s, err) < 0 ||
	    recover(s, err) < 0 || open_doors(s, err) < 0) {
		slave_destroy(s);
		return NULL;
	}
	log_info("slave.up id=%s port=%d work_dir=%s",
	         identity_slave_id(s->identity) ? identity_slave_id(s->identity) : "-", slave_http_port(s),
	         conf->work_dir);
	return s;
}

void slave_destroy(struct slave *s)
{
	if (!s)
		return;
	master_link_destroy(s->link);
	http_server_destroy(s->http);
	dispatch_destroy(s->dispatch);
	gc_destroy(s->gc);
	tasks_fini(s);
	updates_destroy(s->updates);
	journal_destroy(s->journal);
	procs_destroy(s->procs);
	identity_destroy(s->identity);
	disk_destroy(s->disk);
	resources_fini(&s->total);
	hash_fini(&s->damaged);
	zone_destroy(s->zone);
	free(s);
}

int slave_http_port(const struct slave *s)
{
	return http_server_port(s->http);
}

int slave_check(const struct slave *s, struct err *err)
{
	int r = tasks_check(s, err);
	return r < 0 ? r : updates_check(s->updates, err);
}
