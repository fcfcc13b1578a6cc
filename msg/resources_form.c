/* Resources from and to text and wire records; declared in resources.h. Everything that comes from outside is checked
 * here, and goes through resources_take. */
#include <errno.h>
#include <fairlead/types.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "msg/ranges.h"
#include "msg/resources.h"
#include "msg/words.h"

#define MAX_TEXT (256 * 1024)
#define MAX_WORD 255

/* ----------------------------------------------------------------------------------------------------- checks */

/* Printable ASCII without what the text form uses. */
static bool valid_word(const char *s, size_t max)
{
	size_t n = strnlen(s, max + 1);

	if (!n || n > max)
		return false;
	for (size_t i = 0; i < n; i++)
		if (s[i] <= ' ' || s[i] > '~' || strchr(":;,()[]{}", s[i]))
			return false;
	return true;
}

static int set_name(struct resource_item *item, const char *name, struct err *err)
{
	if (!valid_word(name, sizeof(item->name) - 1))
		return err_set(err, EINVAL, "'%.64s' is not a resource name", name);
	memcpy(item->name, name, strlen(name));
	return 0;
}

static int set_milli(struct resource_item *item, int64_t milli, struct err *err)
{
	if (milli < 0)
		return err_set(err, EINVAL, "%s is negative", item->name);
	if (milli > RESOURCES_MAX_MILLI)
		return err_set(err, EINVAL, "%s is too large", item->name);
	if (!strcmp(item->name, "gpus") && milli % 1000)
		return err_set(err, EINVAL, "gpus are whole numbers");
	item->milli = milli;
	return 0;
}

static int too_many(const struct resource_item *item, struct err *err)
{
	return err_set(err, EINVAL, "%s has more than %d parts", item->name, RESOURCES_MAX_RANGES);
}

static int normalize(struct resource_item *item, struct err *err)
{
	int r = ranges_normalize(item->ranges, &item->n_ranges);

	if (r == -EEXIST)
		return err_set(err, EINVAL, "%s has ranges that overlap", item->name);
	if (r < 0)
		return err_set(err, EINVAL, "%s has a range that ends before it begins", item->name);
	if (words_normalize(item->words, item->n_words) < 0)
		return err_set(err, EINVAL, "%s has a word twice", item->name);
	return 0;
}

static void add_range(struct resource_item *item, uint64_t begin, uint64_t end)
{
	item->ranges = xrealloc(item->ranges, (item->n_ranges + 1) * sizeof(*item->ranges));
	item->ranges[item->n_ranges++] = (struct resource_range){begin, end};
}

static int add_word(struct resource_item *item, const char *word, struct err *err)
{
	if (!word || !valid_word(word, MAX_WORD))
		return err_set(err, EINVAL, "%s has '%.64s', which is not a word", item->name, word ? word : "");
	item->words = xrealloc(item->words, (item->n_words + 1) * sizeof(*item->words));
	item->words[item->n_words++] = xstrdup(word);
	return 0;
}

/* ------------------------------------------------------------------------------------------------------- text */

/* "31000-32000" */
static int parse_range(struct resource_item *item, char *text, struct err *err)
{
	char *dash = strchr(text, '-');
	uint64_t begin, end;

	if (dash)
		*dash = 0;
	if (!dash || str_to_uint64(text, UINT64_MAX, &begin, NULL) < 0 ||
	    str_to_uint64(dash + 1, UINT64_MAX, &end, NULL) < 0)
		return err_set(err, EINVAL, "%s wants ranges like 31000-32000", item->name);
	add_range(item, begin, end);
	return 0;
}

/* What is between the brackets, split at commas. Nothing is an empty list. */
static int parse_parts(struct resource_item *item, char *text, struct err *err)
{
	int r = 0;

	for (size_t n = 0; r == 0 && text && *text; n++) {
		char *comma = strchr(text, ',');
		if (comma)
			*comma = 0;
		if (n == RESOURCES_MAX_RANGES)
			return too_many(item, err);
		if (comma && !comma[1])
			return err_set(err, EINVAL, "%s ends with a comma", item->name);
		r = item->type == FL_SET ? add_word(item, text, err) : parse_range(item, text, err);
		text = comma ? comma + 1 : NULL;
	}
	return r < 0 ? r : normalize(item, err);
}

static int parse_value(struct resource_item *item, char *value, struct err *err)
{
	size_t n = strlen(value);
	int64_t milli;

	if ((*value == '[' && n > 1 && value[n - 1] == ']') || (*value == '{' && n > 1 && value[n - 1] == '}')) {
		item->type = *value == '[' ? FL_RANGES : FL_SET;
		value[n - 1] = 0;
		return parse_parts(item, value + 1, err);
	}
	item->type = FL_SCALAR;
	int r = str_to_milli(value, &milli, err);
	if (r < 0) {
		err_wrap(err, "%s", item->name);
		return r;
	}
	return set_milli(item, milli, err);
}

/* "name:value" */
static int parse_item(char *text, struct resources *r, struct err *err)
{
	struct resource_item item = {0};
	char *colon = strchr(text, ':');

	if (!colon)
		return err_set(err, EINVAL, "'%.64s' is not name:value", text);
	*colon = 0;
	if (strchr(text, '('))
		return err_set(err, EINVAL, "'%.64s': roles of resources are not supported yet", text);
	int status = set_name(&item, text, err);
	if (status == 0)
		status = parse_value(&item, colon + 1, err);
	if (status == 0)
		status = resources_take(r, &item, err);
	resource_item_fini(&item);
	return status;
}

/* A copy without blanks. */
static char *squeeze(const char *text)
{
	char *copy = xmalloc(strlen(text) + 1), *at = copy;

	for (; *text; text++)
		if (!strchr(" \t\r\n", *text))
			*at++ = *text;
	*at = 0;
	return copy;
}

int resources_parse(const char *text, struct resources *ret, struct err *err)
{
	struct resources r = {0};
	int status = 0;

	if (strnlen(text, MAX_TEXT + 1) > MAX_TEXT)
		return err_set(err, EINVAL, "resources are longer than %d bytes", MAX_TEXT);
	char *copy _cleanup_free_ = squeeze(text);
	for (char *at = copy; status == 0 && at;) {
		char *next = strchr(at, ';');
		if (next)
			*next++ = 0;
		if (*at)
			status = parse_item(at, &r, err);
		at = next;
	}
	if (status < 0) {
		resources_fini(&r);
		return status;
	}
	resources_fini(ret);
	*ret = r;
	return 0;
}

void resources_print(const struct resources *r, struct buf *out)
{
	char number[32];

	for (size_t k = 0; k < r->n_items; k++) {
		const struct resource_item *item = &r->items[k];
		buf_printf(out, "%s%s:", k ? ";" : "", item->name);
		if (item->type == FL_SCALAR) {
			buf_append_str(out, str_from_milli(item->milli, number));
			continue;
		}
		buf_append_byte(out, item->type == FL_SET ? '{' : '[');
		for (size_t i = 0; i < item->n_ranges; i++)
			buf_printf(out, "%s%" PRIu64 "-%" PRIu64, i ? "," : "", item->ranges[i].begin,
			           item->ranges[i].end);
		for (size_t i = 0; i < item->n_words; i++)
			buf_printf(out, "%s%s", i ? "," : "", item->words[i]);
		buf_append_byte(out, item->type == FL_SET ? '}' : ']');
	}
}

/* ------------------------------------------------------------------------------------------------ wire records */

static int refuse_unsupported(const struct fl_resource *w, struct err *err)
{
	if (w->n_reservations || (w->role && strcmp(w->role, "*")))
		return err_set(err, EINVAL, "%s: reservations are not supported yet", w->name);
	if (w->disk)
		return err_set(err, EINVAL, "%s: volumes are not supported yet", w->name);
	if (w->revocable)
		return err_set(err, EINVAL, "%s: revocable resources are not supported yet", w->name);
	if (w->shared)
		return err_set(err, EINVAL, "%s: shared resources are not supported yet", w->name);
	return 0;
}

static int read_ranges(const struct fl_ranges *ranges, struct resource_item *item, struct err *err)
{
	if (ranges->n_range > RESOURCES_MAX_RANGES)
		return too_many(item, err);
	for (size_t i = 0; i < ranges->n_range; i++)
		add_range(item, ranges->range[i].begin, ranges->range[i].end);
	return normalize(item, err);
}

static int read_words(const struct fl_set *set, struct resource_item *item, struct err *err)
{
	int r = 0;

	if (set->n_item > RESOURCES_MAX_RANGES)
		return too_many(item, err);
	for (size_t i = 0; r == 0 && i < set->n_item; i++)
		r = add_word(item, set->item[i], err);
	return r < 0 ? r : normalize(item, err);
}

static int read_resource(const struct fl_resource *w, struct resource_item *item, struct err *err)
{
	int r = set_name(item, w->name ? w->name : "", err);

	if (r == 0)
		r = refuse_unsupported(w, err);
	if (r < 0)
		return r;
	item->type = (int)w->type;
	if (w->type == FL_SCALAR && w->scalar)
		return set_milli(item, w->scalar->value, err);
	if (w->type == FL_RANGES && w->ranges)
		return read_ranges(w->ranges, item, err);
	if (w->type == FL_SET && w->set)
		return read_words(w->set, item, err);
	return err_set(err, EINVAL, "%s has no value of its type", item->name);
}

int resources_from_wire(const struct fl_resource *list, size_t n, struct resources *ret, struct err *err)
{
	struct resources r = {0};
	int status = 0;

	for (size_t i = 0; status == 0 && i < n; i++) {
		struct resource_item item = {0};
		status = read_resource(&list[i], &item, err);
		if (status == 0)
			status = resources_take(&r, &item, err);
		resource_item_fini(&item);
	}
	if (status < 0) {
		resources_fini(&r);
		return status;
	}
	resources_fini(ret);
	*ret = r;
	return 0;
}

static struct fl_ranges *write_ranges(const struct resource_item *item, struct zone *zone)
{
	struct fl_ranges *ranges = zone_alloc(zone, sizeof(*ranges));

	ranges->n_range = item->n_ranges;
	ranges->range = zone_alloc(zone, item->n_ranges * sizeof(*ranges->range));
	for (size_t i = 0; i < item->n_ranges; i++)
		ranges->range[i] = (struct fl_range){.begin = item->ranges[i].begin, .end = item->ranges[i].end};
	return ranges;
}

static struct fl_set *write_words(const struct resource_item *item, struct zone *zone)
{
	struct fl_set *set = zone_alloc(zone, sizeof(*set));

	set->n_item = item->n_words;
	set->item = zone_alloc(zone, item->n_words * sizeof(*set->item));
	for (size_t i = 0; i < item->n_words; i++)
		set->item[i] = zone_strdup(zone, item->words[i]);
	return set;
}

void resources_to_wire(const struct resources *r, struct zone *zone, struct fl_resource **ret_list, size_t *ret_n)
{
	struct fl_resource *list = r->n_items ? zone_alloc(zone, r->n_items * sizeof(*list)) : NULL;

	for (size_t i = 0; i < r->n_items; i++) {
		const struct resource_item *item = &r->items[i];
		list[i].name = zone_strdup(zone, item->name);
		list[i].type = (enum fl_value_type)item->type;
		list[i].role = "*"; /* v1 readers expect it */
		if (item->type == FL_SCALAR) {
			list[i].scalar = zone_alloc(zone, sizeof(*list[i].scalar));
			list[i].scalar->value = item->milli;
		} else if (item->type == FL_RANGES) {
			list[i].ranges = write_ranges(item, zone);
		} else {
			list[i].set = write_words(item, zone);
		}
	}
	*ret_list = list;
	*ret_n = r->n_items;
}
