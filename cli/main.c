/* fairlead, the operator's tool: finds the verb, gathers where the masters are, calls it. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/conf.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/output.h"
#include "cli/verb.h"

struct cli_conf {
#define OPT(name, type, deflt, min, max, help) CONF_C_##type name;
#include "cli/conf.def"
#undef OPT
};

static const struct conf_opt cli_opts[] = {
#define OPT(name, type, deflt, min, max, help) \
	{#name, CONF_##type, deflt, min, max, help, offsetof(struct cli_conf, name)},
#include "cli/conf.def"
#undef OPT
};

static const struct conf_table cli_conf_table = {
	.program = "fairlead",
	.summary = "Operate a Fairlead cluster",
	.opts = cli_opts,
	.n_opts = ARRAY_SIZE(cli_opts),
	.size = sizeof(struct cli_conf),
};

static char *home_folder(void)
{
	const char *home = getenv("FAIRLEAD_HOME");
	if (home && home[0])
		return xstrdup(home);
	home = getenv("HOME");
	return xasprintf("%s/.fairlead", home && home[0] ? home : "");
}

/* Flag over environment over $FAIRLEAD_HOME/cli.conf over /etc/fairlead/cli.conf over the default. */
static int load_conf(const char *home, struct cli_conf *conf, struct err *err)
{
	_cleanup_free_ char *own = xasprintf("%s/cli.conf", home);
	char *argv[] = {(char *)"fairlead", NULL};
	const char *file = access(own, R_OK) == 0 ? own : "/etc/fairlead/cli.conf";
	return conf_load(&cli_conf_table, file, 1, argv, conf, err);
}

static int run_verb(struct args *args, const struct cli_conf *conf)
{
	struct err err = {0};
	int64_t timeout_ms = 10000;
	const char *timeout = args_get(args, "timeout"), *color = args_get(args, "color");

	if (timeout && str_to_duration_ms(timeout, &timeout_ms, &err) < 0)
		return complain(EXIT_USAGE, "--timeout: %s", err.text);
	if (color && output_set_color(color) < 0)
		return complain(EXIT_USAGE, "--color is auto, always or never, not '%s'", color);
	args->timeout_ms = (int)(timeout_ms < 86400000 ? timeout_ms : 86400000);
	args->master = args_has(args, "master") ? args_get(args, "master") : conf->master;
	if (args_has(args, "help")) {
		char *words[] = {(char *)args->verb->noun, (char *)args->verb->name};
		struct args help = {.operands = words[0] ? words : words + 1, .n_operands = words[0] ? 2 : 1};
		return cmd_help(&help);
	}
	return args->verb->fn(args);
}

/* What was printed must have arrived; a reader that had enough (head) is no failure. */
static int check_output(int exit_code)
{
	int why = fflush(stdout) < 0 ? errno : EIO; /* of an earlier write nothing more is known */

	if (!ferror(stdout) || output_reader_gone())
		return exit_code;
	return complain(exit_code ? exit_code : EXIT_FAILED, "the output cannot be written: %s", strerror(why));
}

int main(int argc, char **argv)
{
	_cleanup_free_ char *home = home_folder();
	struct cli_conf conf = {0};
	struct err err = {0};
	struct args args = {.home = home};

	log_set_level(LOG_ERROR);
	if (argc < 2 || str_equal(argv[1], "--help") || str_equal(argv[1], "-h")) {
		struct args help = {0};
		return argc < 2 ? (cmd_help(&help), EXIT_USAGE) : cmd_help(&help);
	}
	if (str_equal(argv[1], "--version"))
		argv[1] = (char *)"version";
	int r = args_read(&args, argc - 1, argv + 1);
	if (r == 0 && load_conf(home, &conf, &err) < 0)
		r = complain(EXIT_USAGE, "%s", err.text);
	else if (r == 0)
		r = run_verb(&args, &conf);
	args_fini(&args);
	conf_fini(&cli_conf_table, &conf);
	return check_output(r);
}
