/* local up, local down: a whole cluster on this machine, on the embedded registry. All its files lie under FAIRLEAD_HOME. */
#include <errno.h>
#include <ftw.h>
#include <glob.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/hash.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/client.h"
#include "cli/daemon.h"
#include "cli/leftovers.h"
#include "cli/verb.h"

#define MAX_SLAVES 32
#define READY_MS 15000
#define STOP_MS 5000
#define POLL_MS 20

static void wait_a_little(void)
{
	struct timespec t = {.tv_nsec = POLL_MS * 1000000L};
	nanosleep(&t, NULL);
}

static int make_folder(const char *path)
{
	if (mkdir(path, 0700) < 0 && errno != EEXIST)
		return complain(EXIT_FAILED, "%s: %s. FAIRLEAD_HOME chooses another folder.", path, strerror(errno));
	return 0;
}

/* The port that a daemon wrote into HOME/NAME.port; 0 when it ended or did not say in time. */
static int await_port(const char *home, const char *name)
{
	_cleanup_free_ char *path = xasprintf("%s/%s.port", home, name);
	for (int waited = 0; waited < READY_MS; waited += POLL_MS) {
		_cleanup_fclose_ FILE *f = fopen(path, "re");
		int port = 0;
		if (f && fscanf(f, "%d", &port) == 1 && port > 0)
			return port;
		if (!daemon_alive(home, name))
			return 0;
		wait_a_little();
	}
	return 0;
}

static int start_daemon(const char *home, const char *name, char **argv)
{
	_cleanup_free_ char *port_file = xasprintf("%s/%s.port", home, name);
	struct err err;

	unlink(port_file);
	if (daemon_start(home, name, argv, &err) < 0)
		return complain(EXIT_FAILED, "%s", err.text);
	return 0;
}

static int start_master(const char *home, int *ret_port)
{
	_cleanup_free_ char *registry = xasprintf("--registry=file://%s/registry", home);
	_cleanup_free_ char *port_file = xasprintf("--port_file=%s/master.port", home);
	char *argv[] = {(char *)"fairlead-master", registry, port_file, (char *)"--port=0", (char *)"--fairlead_port=0",
	                (char *)"--cluster=local", NULL};
	int r = start_daemon(home, "master", argv);

	if (r)
		return r;
	*ret_port = await_port(home, "master");
	if (*ret_port)
		return 0;
	daemon_show_log(home, "master");
	return complain(EXIT_FAILED, "the master did not start");
}

/* What each of n slaves offers, unless told: an equal part of the machine, a GiB kept back. */
static char *slave_resources(const struct args *args, int n)
{
	long cpus = sysconf(_SC_NPROCESSORS_ONLN);
	long long mib = (long long)sysconf(_SC_PHYS_PAGES) * sysconf(_SC_PAGESIZE) >> 20;
	const char *cpus_given = args_get(args, "cpus"), *mem_given = args_get(args, "mem");
	char cpus_part[32];

	str_from_milli(cpus * 1000 / n, cpus_part);
	mib = mib >= 2048 ? mib - 1024 : mib / 2;
	if (mem_given)
		return xasprintf("--resources=cpus:%s;mem:%s", cpus_given ? cpus_given : cpus_part, mem_given);
	return xasprintf("--resources=cpus:%s;mem:%lld", cpus_given ? cpus_given : cpus_part, mib / n);
}

/* Several clusters side by side must not share a cgroup: its name has the home folder's hash. */
static char *cgroup_prefix(const char *home)
{
	uint64_t id = hash_bytes(home, strlen(home), 0);
	return xasprintf("fairlead-%08llx-", (unsigned long long)(id & 0xffffffff));
}

static int start_slave(const struct args *args, int i, int n, int master_port)
{
	_cleanup_free_ char *prefix = cgroup_prefix(args->home);
	_cleanup_free_ char *name = xasprintf("slave%d", i);
	_cleanup_free_ char *master = xasprintf("--master=127.0.0.1:%d", master_port);
	_cleanup_free_ char *work_dir = xasprintf("--work_dir=%s/slave%d", args->home, i);
	_cleanup_free_ char *port_file = xasprintf("--port_file=%s/slave%d.port", args->home, i);
	_cleanup_free_ char *cgroup = xasprintf("--cgroup_root=/%s%d", prefix, i);
	_cleanup_free_ char *hostname = xasprintf("--hostname=slave%d", i);
	_cleanup_free_ char *resources = slave_resources(args, n);
	char *argv[] = {
		(char *)"fairlead-slave",  master, work_dir, port_file, cgroup, hostname, resources, (char *)"--port=0",
		(char *)"--cluster=local", NULL};
	return start_daemon(args->home, name, argv);
}

static int await_slaves(struct args *args, int n)
{
	int exit_code = EXIT_OK;
	struct client *c = client_create(args, &exit_code);

	for (int waited = 0; c && waited < READY_MS; waited += POLL_MS) {
		int registered = 0;
		const struct fl_api_response *r = client_get(c, FL_API_GET_AGENTS, &exit_code);
		if (!r)
			break;
		for (size_t i = 0; r->get_agents && i < r->get_agents->n_agents; i++)
			registered += r->get_agents->agents[i].state == FL_SLAVE_REGISTERED;
		if (registered >= n) {
			client_destroy(c);
			return EXIT_OK;
		}
		for (int i = 1; i <= n; i++) {
			_cleanup_free_ char *name = xasprintf("slave%d", i);
			if (!daemon_alive(args->home, name)) {
				daemon_show_log(args->home, name);
				client_destroy(c);
				return complain(EXIT_FAILED, "%s did not start%s", name,
				                geteuid() ? "; containers need root: try with sudo" : "");
			}
		}
		wait_a_little();
	}
	client_destroy(c);
	return exit_code ? exit_code
	                 : complain(EXIT_TIMED_OUT, "the slaves did not register; see %s/slave*.log", args->home);
}

static int write_conf(const char *home, int port)
{
	_cleanup_free_ char *path = xasprintf("%s/cli.conf", home);
	_cleanup_fclose_ FILE *f = fopen(path, "we");
	if (!f)
		return complain(EXIT_FAILED, "%s: %s", path, strerror(errno));
	fprintf(f, "# Written by 'fairlead local up'.\nmaster = 127.0.0.1:%d\n", port);
	return 0;
}

/* Tells whether anything was up. */
static bool stop_daemons(const char *home)
{
	_cleanup_free_ char *prefix = cgroup_prefix(home);
	bool up = false;

	for (int i = 1; i <= MAX_SLAVES; i++) {
		_cleanup_free_ char *name = xasprintf("slave%d", i);
		up |= daemon_stop(home, name, STOP_MS);
	}
	up |= daemon_stop(home, "master", STOP_MS);
	return leftovers_end(prefix, STOP_MS) > 0 || up;
}

int cmd_local_up(struct args *args)
{
	const char *slaves = args_get(args, "slaves");
	int64_t n = 1;
	struct err err;
	char master[32];
	int port = 0, r;

	if (slaves && str_to_int64(slaves, 1, MAX_SLAVES, &n, &err) < 0)
		return complain(EXIT_USAGE, "--slaves: %s", err.text);
	if (daemon_alive(args->home, "master"))
		return complain(EXIT_CONFLICT, "a cluster is up in %s; end it with 'fairlead local down'", args->home);
	if ((r = make_folder(args->home)) || (r = start_master(args->home, &port)))
		return r;
	for (int i = 1; i <= n && !r; i++)
		r = start_slave(args, i, (int)n, port);
	snprintf(master, sizeof(master), "127.0.0.1:%d", port);
	args->master = master;
	if (r || (r = await_slaves(args, (int)n)) || (r = write_conf(args->home, port))) {
		stop_daemons(args->home);
		return r;
	}
	printf("A cluster of one master and %lld slave%s is up at %s; its files are in %s.\n", (long long)n,
	       n == 1 ? "" : "s", master, args->home);
	printf("Try:  fairlead run -- echo hi\nEnd:  fairlead local down\n");
	return EXIT_OK;
}

/* ---------------------------------------------------------------------------------------------- down */

static size_t teardown_all(struct client *c)
{
	int ignored;
	const struct fl_api_response *r = client_get(c, FL_API_GET_FRAMEWORKS, &ignored);
	size_t n = r && r->get_frameworks ? r->get_frameworks->n_frameworks : 0;
	char **ids = xcalloc(n + 1, sizeof(*ids));

	for (size_t i = 0; i < n; i++)
		ids[i] = xstrdup(r->get_frameworks->frameworks[i].framework_info->id);
	for (size_t i = 0; i < n; i++) {
		struct fl_api_framework_ref ref = {.framework_id = ids[i]};
		struct fl_api_call call = {.type = FL_API_TEARDOWN, .teardown = &ref};
		client_call(c, &call, &ignored);
		free(ids[i]);
	}
	free(ids);
	return n;
}

/* Tasks still running on the slave at this port; 0 when it does not answer. */
static size_t tasks_of_slave(struct client *c, int port)
{
	struct fl_api_call call = {.type = FL_API_GET_TASKS};
	int ignored;
	const struct fl_api_response *r = client_call_slave(c, "127.0.0.1", port, &call, true, &ignored);
	return r && r->get_tasks ? r->get_tasks->n_tasks : 0;
}

/* Containers outlive a slave, as they must in production; here they are to end with it. */
static void end_tasks(struct args *args)
{
	int exit_code = EXIT_OK;
	_cleanup_free_ char *path = xasprintf("%s/master.port", args->home);
	_cleanup_fclose_ FILE *f = fopen(path, "re");
	int port = 0;
	char master[32];

	if (!f || fscanf(f, "%d", &port) != 1)
		return;
	snprintf(master, sizeof(master), "127.0.0.1:%d", port);
	args->master = master;
	args->timeout_ms = 3000;
	struct client *c = client_create(args, &exit_code);
	if (c && teardown_all(c) > 0) {
		for (int i = 1; i <= MAX_SLAVES; i++) {
			_cleanup_free_ char *name = xasprintf("slave%d", i);
			int slave_port = daemon_alive(args->home, name) ? await_port(args->home, name) : 0;
			for (int waited = 0; slave_port && waited < STOP_MS && tasks_of_slave(c, slave_port);
			     waited += POLL_MS)
				wait_a_little();
		}
	}
	client_destroy(c);
	args->master = NULL;
}

static int remove_entry(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	(void)st;
	(void)type;
	(void)ftw;
	return remove(path);
}

/* Only what a local cluster makes: the folder may hold other things. */
static void remove_data(const char *home)
{
	static const char *const patterns[] = {"registry", "master.*", "slave*"};
	glob_t found = {0};

	for (size_t i = 0; i < ARRAY_SIZE(patterns); i++) {
		_cleanup_free_ char *pattern = xasprintf("%s/%s", home, patterns[i]);
		if (glob(pattern, 0, NULL, &found) == 0)
			for (size_t k = 0; k < found.gl_pathc; k++)
				nftw(found.gl_pathv[k], remove_entry, 16, FTW_DEPTH | FTW_PHYS);
		globfree(&found);
	}
	rmdir(home);
}

int cmd_local_down(struct args *args)
{
	_cleanup_free_ char *conf = xasprintf("%s/cli.conf", args->home);

	if (daemon_alive(args->home, "master"))
		end_tasks(args);
	bool up = stop_daemons(args->home);
	unlink(conf);
	if (args_has(args, "clean"))
		remove_data(args->home);
	printf(up ? "The cluster in %s is down.\n" : "No cluster was up in %s.\n", args->home);
	return EXIT_OK;
}
