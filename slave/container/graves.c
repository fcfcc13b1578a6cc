#include "slave/container/graves.h"

#include <string.h>

#include "base/log.h"
#include "base/mem.h"
#include "slave/container/cgroup.h"

#define RETRY_MS 20
#define SLICE_US 2000 /* of a turn: a thousand may be waiting */
#define PATIENCE 500  /* retries before it is worth a warning */

struct grave {
	struct list_node node;
	char *cgroup;
	int tries;
};

static void free_grave(struct grave *one)
{
	list_remove(&one->node);
	free(one->cgroup);
	free(one);
}

static void dig(void *user)
{
	struct graves *g = user;
	struct grave *one;
	int64_t until_us = loop_now_us(g->loop) + SLICE_US;
	struct list later;

	list_init(&later);
	while (!list_empty(&g->list) && loop_now_us(g->loop) < until_us) {
		one = CONTAINER_OF(list_first(&g->list), struct grave, node);
		list_remove(&one->node);
		list_push(&later, &one->node);
		cgroup_kill(g->cgroups, one->cgroup);
		int r = cgroup_remove(g->cgroups, one->cgroup);
		if (r == 0)
			free_grave(one);
		else if (++one->tries == PATIENCE)
			log_warn("proc.cgroup_stays cgroup=%s reason=\"%s\"", one->cgroup, strerror(-r));
	}
	bool all = list_empty(&g->list);
	while (!list_empty(&later)) {
		one = CONTAINER_OF(list_first(&later), struct grave, node);
		list_remove(&one->node);
		list_push(&g->list, &one->node);
	}
	if (!list_empty(&g->list))
		timer_set(&g->dig, all ? RETRY_MS : 0);
}

void graves_init(struct graves *g, struct loop *l, struct cgroups *cgroups)
{
	g->loop = l;
	g->cgroups = cgroups;
	list_init(&g->list);
	timer_init(&g->dig, l, dig, g);
}

void graves_fini(struct graves *g)
{
	struct grave *one;

	LIST_FOREACH (one, &g->list, struct grave, node)
		free_grave(one);
	timer_stop(&g->dig);
}

void graves_bury(struct graves *g, const char *cgroup)
{
	if (!*cgroup || !g->cgroups || cgroup_remove(g->cgroups, cgroup) == 0)
		return;
	struct grave *one = xcalloc(1, sizeof(*one));
	one->cgroup = xstrdup(cgroup);
	list_push(&g->list, &one->node);
	if (!timer_armed(&g->dig))
		timer_set(&g->dig, RETRY_MS);
}

bool graves_hold(const struct graves *g, const char *name)
{
	struct grave *one;

	LIST_FOREACH (one, &g->list, struct grave, node)
		if (strcmp(strrchr(one->cgroup, '/') + 1, name) == 0)
			return true;
	return false;
}
