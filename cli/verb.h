/* What a verb of the command line is: one row of the table in verbs.c, from which dispatch, option parsing and help come. */
#ifndef FL_CLI_VERB_H
#define FL_CLI_VERB_H

#include <stdbool.h>
#include <stddef.h>

#include "base/err.h"

/* Exit codes; docs and help name them. */
enum exit_code {
	EXIT_OK = 0,
	EXIT_FAILED = 1,
	EXIT_USAGE = 2,
	EXIT_NOT_FOUND = 3,
	EXIT_CONFLICT = 4,
	EXIT_NOT_AUTHORISED = 5,
	EXIT_NO_LEADER = 6,
	EXIT_TIMED_OUT = 7,
	EXIT_NOT_PLACED = 8,
	EXIT_FAIRLEAD_FAILED = 125, /* run only: Fairlead failed, not the command */
};

struct opt {
	const char *name;    /* long name, without dashes */
	char letter;         /* or 0 */
	const char *metavar; /* NULL: a flag without a value */
	bool repeated;
	const char *help;
};

#define MAX_OPT_VALUES 64

struct opt_value {
	const struct opt *opt;
	const char *values[MAX_OPT_VALUES];
	size_t n;
};

/* The command line, taken apart. Everything in it is borrowed from argv. */
struct args {
	const struct verb *verb;
	struct opt_value *options; /* one per option of the verb, then one per global option */
	size_t n_options;
	char **words; /* what is not the verb */
	char **operands;
	int n_operands;
	const char *master; /* where masters are found, after all sources; owned by main */
	const char *home;   /* FAIRLEAD_HOME */
	int timeout_ms;
};

struct verb {
	const char *noun; /* NULL: a daily verb */
	const char *name;
	int (*fn)(struct args *args);   /* returns an exit code */
	const char *operands;           /* "TASK [stdout|stderr]" */
	int min_operands, max_operands; /* max -1: any number */
	const char *help;
	const struct opt *opts; /* ends with name NULL */
};

extern const struct verb verbs[];
extern const size_t n_verbs;
extern const struct opt global_opts[];
extern const struct opt list_opts[];

/* First value of an option or NULL. */
const char *args_get(const struct args *a, const char *name);
bool args_has(const struct args *a, const char *name);
const struct opt_value *args_all(const struct args *a, const char *name);

/* Takes a command line (without the program's name) apart: options for every verb may stand before the verb, too. Returns
 * 0, or an exit code after telling stderr what is wrong. */
int args_read(struct args *a, int argc, char **argv);
void args_fini(struct args *a); /* safe on a zeroed one, and after a failure */

/* Prints to stderr "fairlead: …". */
int complain(int exit_code, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

#define VERB(fn) int fn(struct args *args);
VERB(cmd_slave_list)
VERB(cmd_slave_show)
VERB(cmd_framework_list)
VERB(cmd_framework_show)
VERB(cmd_framework_teardown)
VERB(cmd_role_list)
VERB(cmd_task_list)
VERB(cmd_task_show)
VERB(cmd_task_kill)
VERB(cmd_offer_list)
VERB(cmd_status)
VERB(cmd_run)
VERB(cmd_logs)
VERB(cmd_local_up)
VERB(cmd_local_down)
VERB(cmd_version)
VERB(cmd_help)
#undef VERB

/* A bash script that completes verbs and options, to stdout. */
void print_completion(void);

#endif
