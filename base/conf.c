/* Options from one table. Every source ends in set_option, so that a value is checked and explained the same way
 * wherever it came from. */
#include "base/conf.h"

#include <assert.h>
#include <ctype.h>
#include <errno.h>
#include <ini.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"

#define NAME_MAX_BYTES 64
#define HELP_COLUMN_MAX 34

static void *field(const void *conf, const struct conf_opt *o)
{
	return (char *)conf + o->offset;
}

/* Dashes and underscores are the same in names. */
static bool same_name(const char *a, const char *b)
{
	for (; *a && *b; a++, b++)
		if (*a != *b && !(*a == '-' && *b == '_'))
			return false;
	return *a == *b;
}

static const struct conf_opt *find_option(const struct conf_table *t, const char *name)
{
	for (size_t i = 0; i < t->n_opts; i++)
		if (same_name(name, t->opts[i].name))
			return &t->opts[i];
	return NULL;
}

static int unknown_option(const struct conf_table *t, const char *name, struct err *err)
{
	const char *best = NULL;
	int distance = 4; /* further apart is no suggestion */

	for (size_t i = 0; i < t->n_opts; i++) {
		int d = str_distance(name, t->opts[i].name);
		if (d < distance) {
			distance = d;
			best = t->opts[i].name;
		}
	}
	if (best)
		return err_set(err, EINVAL, "unknown option '%.*s', did you mean '%s'?", NAME_MAX_BYTES, name, best);
	return err_set(err, EINVAL, "unknown option '%.*s'", NAME_MAX_BYTES, name);
}

static int to_bool(const char *value, bool *ret, struct err *err)
{
	static const char *const yes[] = {"true", "yes", "on", "1"};
	static const char *const no[] = {"false", "no", "off", "0"};

	for (size_t i = 0; i < ARRAY_SIZE(yes); i++) {
		if (!strcmp(value, yes[i]) || !strcmp(value, no[i])) {
			*ret = !strcmp(value, yes[i]);
			return 0;
		}
	}
	return err_set(err, EINVAL, "'%.64s' is not true or false", value);
}

static void print_number(enum conf_type type, int64_t v, struct buf *out)
{
	static const struct {
		const char *name;
		int64_t factor;
	} durations[] = {{"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}},
	  sizes[] = {{"T", 1ll << 40}, {"G", 1ll << 30}, {"M", 1ll << 20}, {"K", 1ll << 10}};

	for (size_t i = 0; i < 4 && v > 0 && type != CONF_INT; i++) {
		int64_t factor = type == CONF_DURATION ? durations[i].factor : sizes[i].factor;
		if (v % factor == 0) {
			const char *name = type == CONF_DURATION ? durations[i].name : sizes[i].name;
			buf_printf(out, "%" PRId64 "%s", v / factor, name);
			return;
		}
	}
	buf_printf(out, "%" PRId64 "%s", v, type == CONF_DURATION ? "ms" : "");
}

static int to_number(const struct conf_opt *o, const char *value, int64_t *ret, struct err *err)
{
	int64_t v;
	int r = o->type == CONF_DURATION ? str_to_duration_ms(value, &v, err)
	        : o->type == CONF_BYTES  ? str_to_bytes(value, &v, err)
	                                 : str_to_int64(value, INT64_MIN, INT64_MAX, &v, err);
	if (r < 0)
		return r;
	if (v < o->min || v > o->max) {
		_cleanup_buf_ struct buf min = {0}, max = {0};
		print_number(o->type, o->min, &min);
		print_number(o->type, o->max, &max);
		return err_set(err, EINVAL, "%.64s is not between %s and %s", value, buf_cstr(&min), buf_cstr(&max));
	}
	*ret = v;
	return 0;
}

static int set_option(void *conf, const struct conf_opt *o, const char *value, struct err *err)
{
	int r = 0;

	switch (o->type) {
	case CONF_BOOL:
		r = to_bool(value, field(conf, o), err);
		break;
	case CONF_INT:
	case CONF_DURATION:
	case CONF_BYTES:
		r = to_number(o, value, field(conf, o), err);
		break;
	case CONF_STRING: {
		char **s = field(conf, o);
		char *copy = xstrdup(value); /* value may be the old string */
		free(*s);
		*s = copy;
		break;
	}
	}
	return r < 0 ? err_wrap(err, "%s", o->name) : 0;
}

int conf_set(const struct conf_table *table, void *conf, const char *name, const char *value, struct err *err)
{
	const struct conf_opt *o = find_option(table, name);
	return o ? set_option(conf, o, value, err) : unknown_option(table, name, err);
}

void conf_defaults(const struct conf_table *table, void *ret)
{
	memset(ret, 0, table->size);
	for (size_t i = 0; i < table->n_opts; i++) {
		struct err err = {0};
		int r = set_option(ret, &table->opts[i], table->opts[i].deflt, &err);
		if (r < 0)
			fprintf(stderr, "%s: default of %s\n", table->program, err.text);
		assert(r == 0);
	}
}

void conf_fini(const struct conf_table *table, void *conf)
{
	for (size_t i = 0; i < table->n_opts; i++) {
		if (table->opts[i].type != CONF_STRING)
			continue;
		char **s = field(conf, &table->opts[i]);
		free(*s);
		*s = NULL;
	}
}

void conf_print(const struct conf_table *table, const void *conf, size_t i, struct buf *out)
{
	const struct conf_opt *o = &table->opts[i];

	if (o->type == CONF_BOOL)
		buf_append_str(out, *(bool *)field(conf, o) ? "true" : "false");
	else if (o->type == CONF_STRING)
		buf_append_str(out, *(char **)field(conf, o));
	else
		print_number(o->type, *(int64_t *)field(conf, o), out);
}

/* ---- the file ---- */

struct file_reader {
	const struct conf_table *table;
	void *conf;
	struct err *err;
	bool failed;
};

static int on_ini(void *user, const char *section, const char *name, const char *value)
{
	struct file_reader *f = user;
	int r;

	if (f->failed)
		return 0;
	if (*section && strcmp(section, f->table->program) != 0)
		r = err_set(f->err, EINVAL, "section [%.64s] is not [%s]", section, f->table->program);
	else
		r = conf_set(f->table, f->conf, name, value, f->err);
	f->failed = r < 0;
	return r == 0;
}

static int load_file(const struct conf_table *t, const char *path, void *conf, struct err *err)
{
	struct err why = {0};
	struct file_reader reader = {.table = t, .conf = conf, .err = &why};

	errno = 0;
	int line = ini_parse(path, on_ini, &reader);
	if (line == 0)
		return 0;
	if (line < 0)
		return err_set(err, errno ? errno : EIO, "cannot read %s: %s", path, strerror(errno ? errno : EIO));
	return err_set(err, EINVAL, "%s:%d: %s", path, line, why.code ? why.text : "not of the form 'name = value'");
}

/* ---- the environment ---- */

static int load_environment(const struct conf_table *t, void *conf, struct err *err)
{
	for (size_t i = 0; i < t->n_opts; i++) {
		char name[NAME_MAX_BYTES + 16];
		int n = snprintf(name, sizeof(name), "FAIRLEAD_%s", t->opts[i].name);
		for (int k = 0; k < n; k++)
			name[k] = (char)toupper((unsigned char)name[k]);
		const char *value = getenv(name);
		if (value && set_option(conf, &t->opts[i], value, err) < 0)
			return err_wrap(err, "environment variable %s", name);
	}
	return 0;
}

/* ---- the flags ---- */

struct flag {
	const struct conf_opt *opt; /* NULL: --config */
	const char *value;
};

/* Reads the flag at argv[*i], and the value behind it when it is there. */
static int read_flag(const struct conf_table *t, int argc, char **argv, int *i, struct flag *ret, struct err *err)
{
	const char *arg = argv[*i];
	char name[NAME_MAX_BYTES + 1];

	if (!str_starts_with(arg, "--"))
		return err_set(err, EINVAL, "'%.64s' is not an option (see --help)", arg);
	size_t n = strcspn(arg + 2, "=");
	snprintf(name, sizeof(name), "%.*s", (int)(n < NAME_MAX_BYTES ? n : NAME_MAX_BYTES), arg + 2);
	const char *value = arg[2 + n] ? arg + 2 + n + 1 : NULL;
	const struct conf_opt *o = find_option(t, name);
	if (!o && !value && (str_starts_with(name, "no-") || str_starts_with(name, "no_"))) {
		o = find_option(t, name + 3);
		if (o && o->type == CONF_BOOL)
			value = "false";
		else
			o = NULL;
	}
	if (!o && strcmp(name, "config") != 0)
		return unknown_option(t, name, err);
	if (!value && o && o->type == CONF_BOOL)
		value = "true";
	if (!value && *i + 1 < argc)
		value = argv[++*i];
	if (!value)
		return err_set(err, EINVAL, "--%s needs a value", name);
	*ret = (struct flag){o, value};
	return 0;
}

static void print_flag(const struct conf_opt *o, char *out, size_t size)
{
	static const char *const values[] = {"", " N", " TIME", " SIZE", " TEXT"};
	snprintf(out, size, "--%s%s%s", o->type == CONF_BOOL ? "[no-]" : "", o->name, values[o->type]);
}

static void print_help(const struct conf_table *t, void *defaults)
{
	char flag[NAME_MAX_BYTES + 16];
	int column = (int)strlen("--config FILE");

	for (size_t i = 0; i < t->n_opts; i++) {
		print_flag(&t->opts[i], flag, sizeof(flag));
		int n = (int)strlen(flag);
		if (n > column && n <= HELP_COLUMN_MAX)
			column = n;
	}
	printf("usage: %s [OPTION]...\n%s\n\n", t->program, t->summary);
	for (size_t i = 0; i < t->n_opts; i++) {
		_cleanup_buf_ struct buf value = {0};
		conf_print(t, defaults, i, &value);
		print_flag(&t->opts[i], flag, sizeof(flag));
		printf("  %-*s  %s%s%s%s\n", column, flag, t->opts[i].help, value.size ? " (default: " : "",
		       buf_cstr(&value), value.size ? ")" : "");
	}
	printf("  %-*s  %s\n", column, "--config FILE", "an INI file with lines 'name = value'");
	printf("  %-*s  %s\n", column, "--help", "print this and exit");
	printf("  %-*s  %s\n", column, "--version", "print the version and exit");
	printf("\nEvery option can also be set as FAIRLEAD_NAME in the environment. A flag goes before the "
	       "environment,\n"
	       "the environment before the file.\n");
}

static bool asks_for(int argc, char **argv, const char *flag)
{
	for (int i = 1; i < argc; i++)
		if (!strcmp(argv[i], flag))
			return true;
	return false;
}

static int load_flags(const struct conf_table *t, int argc, char **argv, void *conf, const char **config,
                      struct err *err)
{
	for (int i = 1; i < argc; i++) {
		struct flag flag = {0};
		int r = read_flag(t, argc, argv, &i, &flag, err);
		if (r == 0 && flag.opt && conf && set_option(conf, flag.opt, flag.value, err) < 0)
			r = err_wrap(err, "option");
		if (r < 0)
			return r;
		if (!flag.opt)
			*config = flag.value;
	}
	return 0;
}

int conf_load(const struct conf_table *table, const char *default_file, int argc, char **argv, void *ret,
              struct err *err)
{
	const char *config = NULL;

	conf_defaults(table, ret);
	if (asks_for(argc, argv, "--help") || asks_for(argc, argv, "--version")) {
		if (asks_for(argc, argv, "--help"))
			print_help(table, ret);
		else
			printf("%s %s\n", table->program, FAIRLEAD_VERSION);
		conf_fini(table, ret);
		return 1;
	}
	int r = load_flags(table, argc, argv, NULL, &config, err); /* only for --config: the file goes first */
	if (r == 0 && !config && default_file && access(default_file, F_OK) == 0)
		config = default_file;
	if (r == 0 && config)
		r = load_file(table, config, ret, err);
	if (r == 0)
		r = load_environment(table, ret, err);
	if (r == 0)
		r = load_flags(table, argc, argv, ret, &config, err);
	if (r < 0)
		conf_fini(table, ret);
	return r;
}
