#include "slave/framework.h"

#include <assert.h>
#include <stdlib.h>

#include "base/mem.h"
#include "slave/internal.h"

struct framework *framework_find(const struct slave *s, const char *id)
{
	return HASH_FIND(&s->frameworks, id, struct framework, node);
}

struct framework *framework_take(struct slave *s, const struct fl_framework_info *info)
{
	struct framework *f = framework_find(s, info->id);

	if (!f) {
		f = xcalloc(1, sizeof(*f));
		f->id = xstrdup(info->id);
		hash_put(&s->frameworks, &f->node, f->id);
	}
	owned_set(&f->info, &rec_framework_info, info);
	f->n_tasks++;
	return f;
}

void framework_give_back(struct slave *s, const char *id)
{
	struct framework *f = framework_find(s, id);

	assert(f && f->n_tasks > 0);
	if (--f->n_tasks > 0)
		return;
	hash_del(&s->frameworks, &f->node);
	owned_fini(&f->info);
	free(f->id);
	free(f);
}

bool framework_has(const struct slave *s, const char *id, enum fl_framework_capability_type capability)
{
	const struct framework *f = framework_find(s, id);
	const struct fl_framework_info *info = f ? f->info.rec : NULL;

	for (size_t i = 0; info && i < info->n_capabilities; i++)
		if (info->capabilities[i].type == capability)
			return true;
	return false;
}
