/* Looking things up in the field tables; the tables themselves are printed by msg/gen. */
#include "msg/desc.h"

#include <string.h>

const struct message_desc *message_find(int id)
{
	for (size_t i = 0; i < n_messages; i++)
		if (messages[i].id == id)
			return &messages[i];
	return NULL;
}

static const struct enum_value *find_value(const struct enum_desc *e, int number)
{
	for (size_t i = 0; i < e->n_values; i++)
		if (e->values[i].number == number)
			return &e->values[i];
	return NULL;
}

const char *enum_name(const struct enum_desc *e, int number)
{
	const struct enum_value *v = find_value(e, number);
	return v ? v->name : "?";
}

int enum_number(const struct enum_desc *e, const char *name)
{
	for (size_t i = 0; i < e->n_values; i++)
		if (!strcmp(e->values[i].name, name))
			return e->values[i].number;
	return 0;
}

const char *enum_doc(const struct enum_desc *e, int number)
{
	const struct enum_value *v = find_value(e, number);
	return v ? v->doc : "";
}
