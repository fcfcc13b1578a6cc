#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/str.h"
#include "master/conf.h"
#include "master/master.h"

#define DEFAULT_FILE "/etc/fairlead/master.conf"

static void on_stop(void *user)
{
	log_info("master.stopping");
	loop_stop(user);
}

static int set_hostname(struct master_conf *conf, struct err *err)
{
	char name[256] = "";

	if (*conf->hostname || gethostname(name, sizeof(name) - 1) < 0)
		return 0;
	return conf_set(&master_conf_table, conf, "hostname", name, err);
}

static int set_log_level(const struct master_conf *conf, struct err *err)
{
	enum log_level level;

	if (log_level_parse(conf->log_level, &level) < 0)
		return err_set(err, EINVAL, "--log_level must be error, warn, info or debug");
	log_set_level(level);
	return 0;
}

/* Whole or not at all: who waits for it reads it as soon as it is there. */
static int write_port_file(const char *path, int port, struct err *err)
{
	_cleanup_free_ char *temporary = xasprintf("%s.new", path);
	FILE *f = fopen(temporary, "we");

	if (!f)
		return err_set(err, errno, "--port_file %s: %s", temporary, strerror(errno));
	fprintf(f, "%d\n", port);
	if (fclose(f) != 0 || rename(temporary, path) < 0)
		return err_set(err, errno, "--port_file %s: %s", path, strerror(errno));
	return 0;
}

static void warn_if_open(const char *ip)
{
	if (!str_starts_with(ip, "127.") && strcmp(ip, "::1") != 0)
		log_warn("master.open ip=%s warning=\"there is no access control yet: WHOEVER REACHES THIS MASTER'S "
		         "PORTS RUNS "
		         "COMMANDS ON EVERY SLAVE. Keep them behind a firewall.\"",
		         ip);
}

static int run(struct loop *l, struct master_conf *conf, struct err *err)
{
	struct master *m;
	int r;

	if (set_log_level(conf, err) < 0 || set_hostname(conf, err) < 0)
		return -err->code;
	warn_if_open(conf->ip);
	m = master_create(l, conf, err);
	if (!m)
		return -err->code;
	r = *conf->port_file ? write_port_file(conf->port_file, master_http_port(m), err) : 0;
	if (r == 0)
		loop_run(l);
	master_destroy(m);
	return r;
}

int main(int argc, char **argv)
{
	struct master_conf conf = {0};
	struct err err = {0};
	struct loop *l;
	int r = conf_load(&master_conf_table, DEFAULT_FILE, argc, argv, &conf, &err);

	if (r > 0)
		return 0;
	if (r == 0) {
		l = loop_create();
		loop_on_signal(l, SIGTERM, on_stop, l);
		loop_on_signal(l, SIGINT, on_stop, l);
		r = run(l, &conf, &err);
		loop_destroy(l);
		conf_fini(&master_conf_table, &conf);
	}
	if (r < 0)
		fprintf(stderr, "fairlead-master: %s\n", err.text);
	return r < 0 ? 1 : 0;
}
