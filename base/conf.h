/* Options of a program, from one table: flags, FAIRLEAD_* environment, an INI file, --help, and what GET /config shows.
 *
 * A program has an X-macro file of rows OPT(name, TYPE, default, min, max, "help") and declares
 *
 *   struct master_conf { CONF_FIELDS... };            (see master/conf.def and master/conf.h)
 *
 * Precedence: flag over environment over file over default. Unknown keys are an error with a suggestion. A name with
 * underscores is a flag --with_underscores (dashes are accepted too) and FAIRLEAD_WITH_UNDERSCORES in the environment. */
#ifndef FL_BASE_CONF_H
#define FL_BASE_CONF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct err;

enum conf_type {
	CONF_BOOL,     /* bool */
	CONF_INT,      /* int64_t */
	CONF_DURATION, /* int64_t milliseconds */
	CONF_BYTES,    /* int64_t bytes */
	CONF_STRING,   /* char *, owned by the struct; never NULL ("" when unset) */
};

struct conf_opt {
	const char *name;
	enum conf_type type;
	const char *deflt; /* as text */
	int64_t min, max;  /* of the numeric types */
	const char *help;
	size_t offset;
};

#define CONF_C_BOOL bool
#define CONF_C_INT int64_t
#define CONF_C_DURATION int64_t
#define CONF_C_BYTES int64_t
#define CONF_C_STRING char *

struct conf_table {
	const char *program; /* "fairlead-master" */
	const char *summary; /* one line for --help */
	const struct conf_opt *opts;
	size_t n_opts;
	size_t size; /* of the struct */
};

/* Fills *ret (a struct of table->size bytes) from defaults, --config FILE (or default_file when it exists), environment
 * and argv. Prints help and version itself when asked and returns 1 then; 0 when ready; -errno with a text for people. */
int conf_load(const struct conf_table *table, const char *default_file, int argc, char **argv, void *ret,
              struct err *err);
void conf_fini(const struct conf_table *table, void *conf);
/* Defaults only; for tests and the simulator. */
void conf_defaults(const struct conf_table *table, void *ret);
/* Sets one option by name from text; -EINVAL with a text. Strings are replaced. */
int conf_set(const struct conf_table *table, void *conf, const char *name, const char *value, struct err *err);
/* Value of option i as text into out. */
void conf_print(const struct conf_table *table, const void *conf, size_t i, struct buf *out);

#endif
