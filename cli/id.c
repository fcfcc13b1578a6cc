#include "cli/id.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"

#define UUID_LENGTH 36
#define SHOWN 8

/* What follows the UUID and its dash, or NULL when the id does not begin with a UUID. */
static const char *after_uuid(const char *id)
{
	static const char form[] = "xxxxxxxx-xxxx-xxxx-xxxx-xxxxxxxxxxxx-";

	for (size_t i = 0; form[i]; i++) {
		bool hex = id[i] && strchr("0123456789abcdef", id[i]);
		if (form[i] == '-' ? id[i] != '-' : !hex)
			return NULL;
	}
	return id + UUID_LENGTH + 1;
}

const char *id_short(const char *id, char out[ID_SHORT_SIZE])
{
	const char *rest = after_uuid(id);

	if (rest)
		snprintf(out, ID_SHORT_SIZE, "%.*s-%s", SHOWN, id, rest);
	else
		snprintf(out, ID_SHORT_SIZE, "%s", id);
	return out;
}

bool id_starts(const char *id, const char *given)
{
	char shorter[ID_SHORT_SIZE];
	const char *rest = after_uuid(id);

	return str_starts_with(id, given) || str_starts_with(id_short(id, shorter), given) || str_equal(rest, given);
}
