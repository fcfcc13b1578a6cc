/* One pass over the bytes that only knows strings from the rest; whether it is JSON is jansson's to say. */
#include "msg/json_scan.h"

#include <errno.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"

/* What jansson 2.14 allocates, malloc's own bytes included, rounded up. A value comes with a comma or a bracket. */
#define COST_OBJECT 288
#define COST_ARRAY 160
#define COST_VALUE 192
#define COST_BYTE 2

int json_scan(const char *text, size_t size, struct err *err)
{
	size_t cost = size > JSON_MAX_TREE ? JSON_MAX_TREE : size * COST_BYTE;
	unsigned depth = 0;
	bool in_string = false;

	for (const char *p = text; p < text + size && cost <= JSON_MAX_TREE; p++) {
		if (in_string && *p == '\\') {
			p++;
			continue;
		}
		if (*p == '"')
			in_string = !in_string;
		if (in_string)
			continue;
		switch (*p) {
		case '{':
		case '[':
			if (depth == JSON_MAX_DEPTH)
				return err_set(err, EBADMSG, "nested deeper than %d", JSON_MAX_DEPTH);
			depth++;
			cost += COST_VALUE + (*p == '{' ? COST_OBJECT : COST_ARRAY);
			break;
		case '}':
		case ']':
			depth -= depth > 0;
			break;
		case ',':
			cost += COST_VALUE;
			break;
		}
	}
	if (cost > JSON_MAX_TREE)
		return err_set(err, EBADMSG, "takes too much memory");
	return 0;
}
