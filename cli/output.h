/* Data to stdout: tables for people, JSON for programs. */
#ifndef FL_CLI_OUTPUT_H
#define FL_CLI_OUTPUT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct args;
struct fl_resource;
struct record_desc;

enum output_format { OUTPUT_TABLE, OUTPUT_JSON, OUTPUT_NDJSON, OUTPUT_NAME };

/* "auto", "always", "never"; -EINVAL. NO_COLOR counts for auto. */
int output_set_color(const char *when);
bool output_color(void);

/* Whether whoever read stdout through a pipe is gone (head): more will not be read. */
bool output_reader_gone(void);

/* From -o and -q. Returns 0, or an exit code after telling stderr. */
int output_format(const struct args *args, enum output_format *ret);

/* A table. Cells are copied. It is cut to $COLUMNS, else to the terminal's width; without either not at all. */
struct table;
struct column {
	const char *name;
	bool right;    /* numbers */
	bool truncate; /* may be cut to fit the terminal */
};
struct table *table_create(const struct column *columns, size_t n);
void table_row(struct table *t);
void table_cell(struct table *t, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void table_cell_id(struct table *t, const char *id);       /* in its short form, see id.h */
void table_cell_state(struct table *t, const char *state); /* coloured by what it means */
void table_print(struct table *t);                         /* to stdout, and destroys */

/* A list in any format: row fills the cells of item i; name gives what -q prints. */
struct listing {
	const struct record_desc *desc;
	const void *items;
	size_t n;
	const struct column *columns;
	size_t n_columns;
	void (*row)(struct table *t, const void *item);
	const char *(*name)(const void *item);
	const char *empty; /* what to tell stderr when there is nothing and a table was wanted */
};
int listing_print(const struct args *args, const struct listing *l);

/* One record as JSON with a newline. */
void print_json(const struct record_desc *desc, const void *rec);
/* "key value" lines of show verbs, aligned; control characters become '?'. */
void print_field(const char *name, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Text forms; the result lives in a small ring of static buffers. */
const char *text_state(const char *state); /* "RUNNING" for "TASK_RUNNING" */
const char *text_milli(int64_t milli);     /* "1.5" */
const char *text_mib(int64_t milli);       /* "512M", "1.5G" */
const char *text_resource(const struct fl_resource *list, size_t n,
                          const char *name);                          /* scalar by name, via the above */
const char *text_resources(const struct fl_resource *list, size_t n); /* "cpus:1;mem:64" */
const char *text_time_ns(int64_t ns);                                 /* "2026-01-31 12:00:00", "-" for 0 */
const char *text_ago_ns(int64_t ns);                                  /* "5s", "3m", "2h", "4d" ago */

#endif
