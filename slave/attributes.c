#include "slave/attributes.h"

#include <ctype.h>
#include <errno.h>
#include <string.h>

#include <fairlead/types.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "msg/resources.h"

#define MAX_ATTRIBUTES 256

static char *trim(char *s)
{
	while (isspace((unsigned char)*s))
		s++;
	for (size_t n = strlen(s); n > 0 && isspace((unsigned char)s[n - 1]); n--)
		s[n - 1] = 0;
	return s;
}

/* Ranges are written as in --resources, so that is who reads them. */
static int parse_ranges(const char *value, struct zone *zone, struct fl_attribute *ret, struct err *err)
{
	_cleanup_free_ char *text = xasprintf("x:%s", value);
	struct resources r = {0};
	struct fl_resource *list;
	size_t n;

	if (resources_parse(text, &r, err) < 0)
		return -err->code;
	resources_to_wire(&r, zone, &list, &n);
	resources_fini(&r);
	if (n != 1 || list[0].type != FL_RANGES)
		return err_set(err, EINVAL, "'%.64s' is no list of ranges", value);
	ret->type = FL_RANGES;
	ret->ranges = list[0].ranges;
	return 0;
}

static int parse_one(char *item, struct zone *zone, struct fl_attribute *ret, struct err *err)
{
	char *colon = strchr(item, ':');
	int64_t milli;

	if (!colon)
		return err_set(err, EINVAL, "'%.64s' is not of the form name:value", item);
	*colon = 0;
	const char *name = trim(item), *value = trim(colon + 1);
	if (!*name || !*value)
		return err_set(err, EINVAL, "an attribute needs a name and a value: '%.64s:%.64s'", name, value);
	if (!str_valid_utf8(value, strlen(value)) || !str_valid_utf8(name, strlen(name)))
		return err_set(err, EINVAL, "an attribute is not UTF-8");
	ret->name = zone_strdup(zone, name);
	if (*value == '[')
		return parse_ranges(value, zone, ret, err);
	if (str_to_milli(value, &milli, NULL) == 0) {
		ret->type = FL_SCALAR;
		ret->scalar = zone_alloc(zone, sizeof(*ret->scalar));
		ret->scalar->value = milli;
		return 0;
	}
	ret->type = FL_TEXT;
	ret->text = zone_alloc(zone, sizeof(*ret->text));
	ret->text->value = zone_strdup(zone, value);
	return 0;
}

int attributes_parse(const char *text, struct zone *zone, struct fl_attribute **ret_list, size_t *ret_n,
                     struct err *err)
{
	_cleanup_free_ char *copy = xstrdup(text);
	char *parts[MAX_ATTRIBUTES];
	struct fl_attribute *list = zone_alloc(zone, MAX_ATTRIBUTES * sizeof(*list));
	struct err why = {0};
	size_t n = 0;

	int n_parts = str_split(copy, ';', parts, MAX_ATTRIBUTES);
	if (n_parts < 0)
		return err_set(err, E2BIG, "--attributes: more than %d", MAX_ATTRIBUTES);
	for (int i = 0; i < n_parts; i++) {
		char *item = trim(parts[i]);
		if (!*item)
			continue;
		if (parse_one(item, zone, &list[n++], &why) < 0)
			return err_set(err, why.code, "--attributes: %s", why.text);
	}
	*ret_list = list;
	*ret_n = n;
	return 0;
}
