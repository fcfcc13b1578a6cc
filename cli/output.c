#include "cli/output.h"

#include <errno.h>
#include <libsmartcols/libsmartcols.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/id.h"
#include "cli/verb.h"
#include "msg/json.h"
#include "msg/resources.h"

static int color_wanted = -1; /* -1 auto, 0 never, 1 always; set once at start */

int output_set_color(const char *when)
{
	if (str_equal(when, "auto"))
		color_wanted = -1;
	else if (str_equal(when, "never"))
		color_wanted = 0;
	else if (str_equal(when, "always"))
		color_wanted = 1;
	else
		return -EINVAL;
	return 0;
}

bool output_color(void)
{
	const char *no_color = getenv("NO_COLOR");
	if (color_wanted >= 0)
		return color_wanted;
	return isatty(STDOUT_FILENO) && !(no_color && no_color[0]);
}

bool output_reader_gone(void)
{
	struct pollfd out = {.fd = STDOUT_FILENO};
	struct stat st;

	if (fstat(STDOUT_FILENO, &st) < 0 || !(S_ISFIFO(st.st_mode) || S_ISSOCK(st.st_mode)))
		return false;
	return poll(&out, 1, 0) > 0 && (out.revents & (POLLERR | POLLHUP));
}

int output_format(const struct args *args, enum output_format *ret)
{
	static const char *const names[] = {"table", "json", "ndjson", "name"};
	const char *wanted = args_get(args, "output");

	bool lists = args_all(args, "quiet"); /* what shows one thing has no -q, and fewer formats */

	*ret = args_has(args, "quiet") ? OUTPUT_NAME : OUTPUT_TABLE;
	if (!wanted)
		return 0;
	for (size_t i = 0; i < (lists ? ARRAY_SIZE(names) : 2); i++)
		if (str_equal(wanted, names[i])) {
			*ret = (enum output_format)i;
			return 0;
		}
	return complain(EXIT_USAGE, "-o is %s, not '%s'", lists ? "table, json, ndjson or name" : "table or json",
	                wanted);
}

/* ---------------------------------------------------------------------------------------------- tables */

struct table {
	struct libscols_table *t;
	struct libscols_line *line;
	size_t column;
};

/* $COLUMNS, where somebody exported it; else the terminal's own width counts, and without a terminal nothing is cut. */
static size_t wanted_width(void)
{
	const char *columns = getenv("COLUMNS");
	int64_t width = 0;
	return columns && str_to_int64(columns, 1, 10000, &width, NULL) == 0 ? (size_t)width : 0;
}

struct table *table_create(const struct column *columns, size_t n)
{
	struct table *t = xcalloc(1, sizeof(*t));
	t->t = scols_new_table();
	scols_table_enable_colors(t->t, output_color());
	if (wanted_width() > 0) {
		scols_table_set_termforce(t->t, SCOLS_TERMFORCE_ALWAYS);
		scols_table_set_termwidth(t->t, wanted_width());
	}
	for (size_t i = 0; i < n; i++)
		scols_table_new_column(t->t, columns[i].name, 0,
		                       (columns[i].right ? SCOLS_FL_RIGHT : 0) |
		                               (columns[i].truncate ? SCOLS_FL_TRUNC : 0));
	return t;
}

void table_row(struct table *t)
{
	t->line = scols_table_new_line(t->t, NULL);
	t->column = 0;
}

void table_cell(struct table *t, const char *fmt, ...)
{
	char text[1024];
	va_list ap;
	va_start(ap, fmt);
	vsnprintf(text, sizeof(text), fmt, ap);
	va_end(ap);
	scols_line_set_data(t->line, t->column++, text);
}

void table_cell_id(struct table *t, const char *id)
{
	char shorter[ID_SHORT_SIZE];
	table_cell(t, "%s", id_short(id, shorter));
}

static const char *state_color(const char *state)
{
	static const char *const good[] = {"TASK_RUNNING", "REGISTERED", "CONNECTED", "TASK_FINISHED"};
	static const char *const bad[] = {"TASK_FAILED",      "TASK_LOST",    "TASK_ERROR",
	                                  "TASK_UNREACHABLE", "TASK_DROPPED", "TASK_GONE",
	                                  "UNREACHABLE",      "GONE",         "DISCONNECTED"};
	for (size_t i = 0; i < ARRAY_SIZE(good); i++)
		if (str_equal(state, good[i]))
			return "green";
	for (size_t i = 0; i < ARRAY_SIZE(bad); i++)
		if (str_equal(state, bad[i]))
			return "red";
	return NULL;
}

void table_cell_state(struct table *t, const char *state)
{
	const char *color = state_color(state);
	if (color)
		scols_cell_set_color(scols_line_get_cell(t->line, t->column), color);
	table_cell(t, "%s", text_state(state));
}

void table_print(struct table *t)
{
	scols_print_table(t->t);
	scols_unref_table(t->t);
	free(t);
}

void print_json(const struct record_desc *desc, const void *rec)
{
	_cleanup_buf_ struct buf out = {0};
	json_encode(desc, rec, &out);
	fwrite(out.data, 1, out.size, stdout);
	fputc('\n', stdout);
}

static const void *item_at(const struct listing *l, size_t i)
{
	return (const char *)l->items + i * l->desc->size;
}

static void listing_json(const struct listing *l)
{
	_cleanup_buf_ struct buf out = {0};
	buf_append_byte(&out, '[');
	for (size_t i = 0; i < l->n; i++) {
		buf_append_str(&out, i ? ",\n " : "");
		json_encode(l->desc, item_at(l, i), &out);
	}
	buf_append_str(&out, "]\n");
	fwrite(out.data, 1, out.size, stdout);
}

int listing_print(const struct args *args, const struct listing *l)
{
	enum output_format format;
	struct table *table = NULL;
	int r = output_format(args, &format);

	if (r)
		return r;
	if (format == OUTPUT_JSON) {
		listing_json(l);
		return EXIT_OK;
	}
	if (format == OUTPUT_TABLE) {
		if (l->n == 0) {
			fprintf(stderr, "%s\n", l->empty);
			return EXIT_OK;
		}
		table = table_create(l->columns, l->n_columns);
	}
	for (size_t i = 0; i < l->n; i++) {
		if (format == OUTPUT_NDJSON) {
			print_json(l->desc, item_at(l, i));
		} else if (format == OUTPUT_NAME) {
			puts(l->name(item_at(l, i)));
		} else {
			table_row(table);
			l->row(table, item_at(l, i));
		}
	}
	if (table)
		table_print(table);
	return EXIT_OK;
}

void print_field(const char *name, const char *fmt, ...)
{
	_cleanup_buf_ struct buf text = {0};
	va_list ap;
	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	for (size_t i = 0; i < text.size; i++)
		if (text.data[i] < ' ' || text.data[i] == 0x7f)
			text.data[i] = '?'; /* others wrote it: it must not command the terminal */
	printf("%s%-14s%s %s\n", output_color() ? "\033[1m" : "", name, output_color() ? "\033[0m" : "",
	       buf_cstr(&text));
}

/* ---------------------------------------------------------------------------------------------- text forms */

#define RING_SLOT 512

static char *ring_slot(void)
{
	static char slots[32][RING_SLOT];
	static unsigned next;
	return slots[next++ % ARRAY_SIZE(slots)];
}

const char *text_state(const char *state)
{
	return str_starts_with(state, "TASK_") ? state + strlen("TASK_") : state;
}

const char *text_milli(int64_t milli)
{
	return str_from_milli(milli, ring_slot());
}

const char *text_mib(int64_t milli)
{
	char *slot = ring_slot();
	if (milli >= 1024000) {
		int64_t gib = milli / 1024 / 100 * 100; /* one digit after the point is enough for people */
		snprintf(slot, RING_SLOT, "%sG", text_milli(gib));
	} else {
		snprintf(slot, RING_SLOT, "%lldM", (long long)(milli / 1000));
	}
	return slot;
}

const char *text_resource(const struct fl_resource *list, size_t n, const char *name)
{
	int64_t sum = 0;
	for (size_t i = 0; i < n; i++)
		if (list[i].scalar && str_equal(list[i].name, name))
			sum += list[i].scalar->value;
	return str_equal(name, "mem") || str_equal(name, "disk") ? text_mib(sum) : text_milli(sum);
}

const char *text_resources(const struct fl_resource *list, size_t n)
{
	char *slot = ring_slot();
	struct resources r = {0};
	_cleanup_buf_ struct buf out = {0};

	if (resources_from_wire(list, n, &r, NULL) == 0)
		resources_print(&r, &out);
	snprintf(slot, RING_SLOT, "%s", buf_cstr(&out));
	resources_fini(&r);
	return slot;
}

const char *text_time_ns(int64_t ns)
{
	char *slot = ring_slot();
	time_t seconds = (time_t)(ns / 1000000000);
	struct tm tm;

	if (ns == 0)
		return "-";
	localtime_r(&seconds, &tm);
	strftime(slot, RING_SLOT, "%Y-%m-%d %H:%M:%S", &tm);
	return slot;
}

const char *text_ago_ns(int64_t ns)
{
	static const struct {
		int64_t seconds;
		char unit;
	} steps[] = {{86400, 'd'}, {3600, 'h'}, {60, 'm'}, {1, 's'}};
	char *slot = ring_slot();
	struct timespec now;

	if (ns == 0)
		return "-";
	clock_gettime(CLOCK_REALTIME, &now);
	int64_t age = now.tv_sec - ns / 1000000000;
	for (size_t i = 0; i < ARRAY_SIZE(steps); i++)
		if (age >= steps[i].seconds || i == ARRAY_SIZE(steps) - 1) {
			snprintf(slot, RING_SLOT, "%lld%c", (long long)(age > 0 ? age / steps[i].seconds : 0),
			         steps[i].unit);
			break;
		}
	return slot;
}
