/* A few names, looked up one after the other: a cluster has three to ten. */
#include "drf/names.h"

#include <assert.h>
#include <fairlead/types.h>
#include <string.h>

uint32_t names_find(const struct names *t, const char *name)
{
	for (uint32_t i = 0; i < t->n; i++)
		if (t->item[i].name[0] == name[0] && !strcmp(t->item[i].name, name))
			return i;
	return NAMES_NONE;
}

static uint32_t vacant(const struct names *t)
{
	uint32_t i = 0;

	while (i < t->n && t->item[i].name[0])
		i++;
	return i;
}

uint32_t names_intern(struct names *t, const char *name)
{
	uint32_t number = names_find(t, name);

	if (number != NAMES_NONE)
		return number;
	number = vacant(t);
	if (number == NAMES_MAX)
		return NAMES_NONE;
	if (number == t->n)
		t->n++;
	assert(name[0] && strlen(name) < sizeof(t->item[0].name));
	t->item[number].type = FL_SCALAR;
	memcpy(t->item[number].name, name, strlen(name) + 1);

	uint32_t at = t->n_sorted++;
	for (; at && strcmp(t->item[t->sorted[at - 1]].name, name) > 0; at--)
		t->sorted[at] = t->sorted[at - 1];
	t->sorted[at] = number;
	return number;
}

void names_forget(struct names *t, uint32_t number)
{
	uint32_t at = 0;

	while (t->sorted[at] != number)
		at++;
	t->n_sorted--;
	memmove(&t->sorted[at], &t->sorted[at + 1], (t->n_sorted - at) * sizeof(t->sorted[0]));
	t->item[number].name[0] = '\0';
}
