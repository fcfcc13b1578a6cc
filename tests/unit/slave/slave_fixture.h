/* A slave on a folder of its own, in a loop of its own, with a fake master. */
#ifndef FL_TESTS_SLAVE_FIXTURE_H
#define FL_TESTS_SLAVE_FIXTURE_H

#include <dirent.h>
#include <ftw.h>

#include "tests/unit/slave/fake_master.h"

struct fixture {
	struct loop *loop;
	struct fake_master master;
	struct slave_conf conf;
	struct slave *slave;
	char dir[64], runtime[80];
};

static void fixture_set(struct fixture *x, const char *name, const char *value)
{
	struct err err = {0};

	if (conf_set(&slave_conf_table, &x->conf, name, value, &err) < 0)
		fail_msg("%s", err.text);
}

static void fixture_start_slave(struct fixture *x)
{
	struct err err = {0};

	x->slave = slave_create(x->loop, &x->conf, &err);
	if (!x->slave)
		fail_msg("%s", err.text);
}

/* As if the process ended: containers run on. */
static inline void fixture_stop_slave(struct fixture *x)
{
	slave_destroy(x->slave);
	x->slave = NULL;
}

static void fixture_swallow(void *user, enum log_level level, const char *line)
{
}

static int fixture_setup_stopped(void **state)
{
	struct fixture *x = xcalloc(1, sizeof(*x));
	char master[64], cgroup[64];

	log_set_level(LOG_DEBUG);
	log_set_sink(getenv("VERBOSE") ? NULL : fixture_swallow, NULL);
	x->loop = loop_create();
	fake_start(&x->master, x->loop);
	snprintf(x->dir, sizeof(x->dir), "/tmp/fl-slave-XXXXXX");
	assert_non_null(mkdtemp(x->dir));
	snprintf(x->runtime, sizeof(x->runtime), "%s-run", x->dir);
	snprintf(cgroup, sizeof(cgroup), "/fl-%s", x->dir + strlen("/tmp/"));
	snprintf(master, sizeof(master), "127.0.0.1:%d", http_server_port(x->master.http));
	conf_defaults(&slave_conf_table, &x->conf);
	fixture_set(x, "master", master);
	fixture_set(x, "cluster", "test");
	fixture_set(x, "work_dir", x->dir);
	fixture_set(x, "runtime_dir", x->runtime);
	fixture_set(x, "cgroup_root", cgroup);
	fixture_set(x, "port", "0");
	fixture_set(x, "resources", "cpus:4;mem:4096;disk:1000;ports:[31000-31999]");
	fixture_set(x, "register_backoff", "5ms");
	fixture_set(x, "update_retry", "50ms");
	*state = x;
	return 0;
}

static inline int fixture_setup(void **state)
{
	fixture_setup_stopped(state);
	fixture_start_slave(*state);
	return 0;
}

static int fixture_remove(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

/* Our own cgroup of each hierarchy, empty by now. */
static void fixture_remove_cgroups(const char *root)
{
	static const char *const mounts[] = {"/sys/fs/cgroup", "/sys/fs/cgroup/unified"};
	char path[512];

	for (size_t i = 0; i < ARRAY_SIZE(mounts); i++) {
		snprintf(path, sizeof(path), "%s%s", mounts[i], root);
		rmdir(path);
	}
	DIR *dir = opendir(mounts[0]);
	for (struct dirent *e; dir && (e = readdir(dir));) {
		snprintf(path, sizeof(path), "%s/%s%s", mounts[0], e->d_name, root);
		rmdir(path);
	}
	if (dir)
		closedir(dir);
}

static int fixture_teardown(void **state)
{
	struct fixture *x = *state;

	slave_destroy(x->slave);
	pump_ms(x->loop, 5); /* connections that were finished close */
	fake_stop(&x->master);
	loop_destroy(x->loop);
	fixture_remove_cgroups(x->conf.cgroup_root);
	conf_fini(&slave_conf_table, &x->conf);
	nftw(x->dir, fixture_remove, 16, FTW_DEPTH | FTW_PHYS);
	nftw(x->runtime, fixture_remove, 16, FTW_DEPTH | FTW_PHYS);
	free(x);
	return 0;
}

static inline bool fixture_saw(struct fixture *x, const char *task_id, enum fl_task_state state)
{
	return fake_status(&x->master, task_id, state) != NULL;
}

/* Registered, and the registration has come to the master. */
static inline void fixture_register(struct fixture *x)
{
	struct fake_master *m = &x->master;
	int before = m->n_register + m->n_reregister;

	PUMP_UNTIL(x->loop, m->n_register + m->n_reregister > before);
	pump_ms(x->loop, 30);
}

static inline void fixture_check(struct fixture *x)
{
	struct err err = {0};

	if (slave_check(x->slave, &err) < 0)
		fail_msg("%s", err.text);
}

/* Can containers be made here at all? Programs that need them skip themselves when not. */
static inline bool fixture_containers_work(void)
{
	return geteuid() == 0;
}

#endif
