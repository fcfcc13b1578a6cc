/* fairlead-slave: options, signals, loop. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>

#include "base/conf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "slave/conf.h"
#include "slave/slave.h"

#define CONF_FILE "/etc/fairlead/slave.conf"

static void on_stop(void *user)
{
	log_info("slave.stop advice=\"containers run on; start it again to take them up\"");
	loop_stop(user);
}

static bool loopback(const char *ip)
{
	return !strncmp(ip, "127.", 4) || !strcmp(ip, "::1");
}

static int write_port_file(const char *path, int port)
{
	_cleanup_free_ char *fresh = xasprintf("%s~", path);
	FILE *f = fopen(fresh, "we");
	bool good = f && fprintf(f, "%d\n", port) > 0;

	good = f && fclose(f) == 0 && good;
	return good && rename(fresh, path) == 0 ? 0 : -errno;
}

static int run(struct loop *l, const struct slave_conf *conf)
{
	struct err err = {0};

	if (!loopback(conf->ip))
		log_warn("slave.open_to_all ip=%s advice=\"there is no access control yet: WHOEVER REACHES THE "
		         "MASTERS' PORTS OR THIS ONE RUNS COMMANDS ON THIS MACHINE. Keep them behind a firewall.\"",
		         conf->ip);
	struct slave *s = slave_create(l, conf, &err);
	if (!s) {
		log_error("slave.no_start reason=\"%s\"", err.text);
		return 1;
	}
	int r = *conf->port_file ? write_port_file(conf->port_file, slave_http_port(s)) : 0;
	if (r < 0)
		log_error("slave.no_port_file path=%s reason=\"%s\"", conf->port_file, strerror(-r));
	else
		loop_run(l);
	slave_destroy(s);
	return r < 0;
}

int main(int argc, char **argv)
{
	struct slave_conf conf;
	struct err err = {0};
	enum log_level level;

	int r = conf_load(&slave_conf_table, CONF_FILE, argc, argv, &conf, &err);
	if (r > 0)
		return 0;
	if (r < 0 || log_level_parse(conf.log_level, &level) < 0) {
		fprintf(stderr, "fairlead-slave: %s\n", r < 0 ? err.text : "log_level is error, warn, info or debug");
		if (r == 0)
			conf_fini(&slave_conf_table, &conf);
		return 2;
	}
	log_set_level(level);
	struct loop *l = loop_create();
	loop_on_signal(l, SIGTERM, on_stop, l);
	loop_on_signal(l, SIGINT, on_stop, l);
	r = run(l, &conf);
	loop_destroy(l);
	conf_fini(&slave_conf_table, &conf);
	return r;
}
