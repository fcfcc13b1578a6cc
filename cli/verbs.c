/* The one table of verbs and options. */
#include "cli/verb.h"

#include "base/mem.h"

#define OUTPUT_OPT                                                            \
	{                                                                     \
		"output", 'o', "FORMAT", false, "table, json, ndjson or name" \
	}
#define QUIET_OPT                                                 \
	{                                                         \
		"quiet", 'q', NULL, false, "Only ids, one a line" \
	}

const struct opt global_opts[] = {
	{"master", 'm', "URL", false, "Masters: zk://host:port,…/path or host:port,…"},
	{"timeout", 0, "DURATION", false, "How long to wait for an answer; default 10s"},
	{"color", 0, "WHEN", false, "auto, always or never"},
	{"help", 'h', NULL, false, "Show help"},
	{NULL, 0, NULL, false, NULL},
};

const struct opt list_opts[] = {OUTPUT_OPT, QUIET_OPT, {NULL, 0, NULL, false, NULL}};

static const struct opt show_opts[] = {
	{"output", 'o', "FORMAT", false, "table or json"},
	{NULL, 0, NULL, false, NULL},
};

static const struct opt task_list_opts[] = {
	OUTPUT_OPT,
	QUIET_OPT,
	{"all", 'a', NULL, false, "Ended tasks too"},
	{"framework", 'f', "ID", false, "Only tasks of this framework"},
	{"slave", 's', "ID", false, "Only tasks of this slave"},
	{NULL, 0, NULL, false, NULL},
};

static const struct opt framework_list_opts[] = {
	OUTPUT_OPT,
	QUIET_OPT,
	{"all", 'a', NULL, false, "Ended frameworks too"},
	{NULL, 0, NULL, false, NULL},
};

static const struct opt run_opts[] = {
	{"name", 'n', "NAME", false, "Name of the task; default: the command's"},
	{"cpus", 'c', "CPUS", false, "CPUs it takes; default 0.1"},
	{"mem", 0, "MIB", false, "Memory it takes, in MiB; default 32"},
	{"disk", 0, "MIB", false, "Disk it takes, in MiB; default none"},
	{"role", 'r', "ROLE", false, "Role to ask under; default *"},
	{"env", 'e', "NAME=VALUE", true, "Environment variable"},
	{"user", 'u', "USER", false, "User to run as; default: the slave's own"},
	{"place-within", 0, "DURATION", false, "Give up (exit 8) when no slave took it by then"},
	{NULL, 0, NULL, false, NULL},
};

static const struct opt logs_opts[] = {
	{"follow", 'f', NULL, false, "Go on until the task ends"},
	{"tail", 'c', "BYTES", false, "Only the last BYTES (64K, 1M)"},
	{NULL, 0, NULL, false, NULL},
};

static const struct opt local_up_opts[] = {
	{"slaves", 's', "N", false, "How many slaves; default 1"},
	{"cpus", 'c', "CPUS", false, "Of each slave; default: the machine's, shared"},
	{"mem", 0, "MIB", false, "MiB of each slave; default: the machine's, shared"},
	{NULL, 0, NULL, false, NULL},
};

static const struct opt local_down_opts[] = {
	{"clean", 0, NULL, false, "Remove its data too"},
	{NULL, 0, NULL, false, NULL},
};

static const struct opt help_opts[] = {
	{"completion", 0, NULL, false, "Print a bash script that completes verbs and options"},
	{NULL, 0, NULL, false, NULL},
};

static const struct opt no_opts[] = {{NULL, 0, NULL, false, NULL}};

const struct verb verbs[] = {
	{NULL, "run", cmd_run, "-- CMD [ARG…]", 1, -1, "Run a task, show its output, exit as it does", run_opts},
	{NULL, "ps", cmd_task_list, "", 0, 0, "List tasks (task list)", task_list_opts},
	{NULL, "logs", cmd_logs, "TASK [stdout|stderr]", 1, 2, "Print what a task wrote", logs_opts},
	{NULL, "status", cmd_status, "", 0, 0, "The cluster on one page (cluster status)", show_opts},
	{"cluster", "status", cmd_status, "", 0, 0, "The cluster on one page", show_opts},
	{"slave", "list", cmd_slave_list, "", 0, 0, "List slaves", list_opts},
	{"slave", "show", cmd_slave_show, "SLAVE", 1, 1, "Everything about a slave", show_opts},
	{"framework", "list", cmd_framework_list, "", 0, 0, "List frameworks", framework_list_opts},
	{"framework", "show", cmd_framework_show, "FRAMEWORK", 1, 1, "Everything about a framework", show_opts},
	{"framework", "teardown", cmd_framework_teardown, "FRAMEWORK", 1, 1, "Remove a framework and kill its tasks",
         no_opts},
	{"role", "list", cmd_role_list, "", 0, 0, "List roles with weights and shares", list_opts},
	{"task", "list", cmd_task_list, "", 0, 0, "List tasks", task_list_opts},
	{"task", "show", cmd_task_show, "TASK", 1, 1, "Everything about a task, with its history", show_opts},
	{"task", "kill", cmd_task_kill, "TASK", 1, 1, "Kill a task", no_opts},
	{"offer", "list", cmd_offer_list, "", 0, 0, "List outstanding offers", list_opts},
	{"local", "up", cmd_local_up, "", 0, 0, "Start a cluster here, without ZooKeeper", local_up_opts},
	{"local", "down", cmd_local_down, "", 0, 0, "End the cluster that 'local up' started", local_down_opts},
	{NULL, "version", cmd_version, "", 0, 0, "Versions of this tool and of the leader", no_opts},
	{NULL, "help", cmd_help, "[VERB…]", 0, 2, "Show help", help_opts},
};

const size_t n_verbs = ARRAY_SIZE(verbs);
