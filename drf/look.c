/* Looking at the ledger. Nothing here changes it. */
#include <string.h>

#include "base/mem.h"
#include "drf/ledger.h"

static void copy_out(const struct drf *d, const struct parcel *p, struct resources *ret)
{
	struct parcel_scratch scratch = {0};
	struct resources view;

	parcel_to_resources(&d->names, p, &scratch, &view);
	resources_copy(ret, &view);
	parcel_scratch_fini(&scratch);
}

const char *drf_slave_name(const struct drf *d, drf_id slave)
{
	const struct slave *s = ledger_slave(d, slave);

	return s ? s->name : NULL;
}

const char *drf_client_framework(const struct drf *d, drf_id client)
{
	const struct client *c = ledger_client(d, client);

	return c ? c->framework : NULL;
}

const char *drf_client_role(const struct drf *d, drf_id client)
{
	const struct client *c = ledger_client(d, client);

	return c ? tree_role_of(&c->node)->path : NULL;
}

bool drf_slave_held(const struct drf *d, drf_id slave, struct resources *ret)
{
	const struct slave *s = ledger_slave(d, slave);
	struct resources others = {0};

	if (!s)
		return false;
	for (uint32_t i = 0; i < s->holdings.n; i++)
		others_add(&others, &holdings_at(&s->holdings, i)->what.others);
	copy_out(d, &(struct parcel){s->held, others}, ret);
	resources_fini(&others);
	return true;
}

bool drf_slave_free(const struct drf *d, drf_id slave, struct resources *ret)
{
	const struct slave *s = ledger_slave(d, slave);
	struct parcel_scratch scratch = {0};
	struct parcel p;

	if (!s)
		return false;
	ledger_free(s, &scratch, &p);
	copy_out(d, &p, ret);
	return true;
}

bool drf_client_held(const struct drf *d, drf_id client, struct resources *ret)
{
	const struct client *c = ledger_client_or_ghost(d, client);

	if (!c)
		return false;
	copy_out(d, &(struct parcel){.scalars = c->node.held}, ret);
	return true;
}

bool drf_client_share(const struct drf *d, drf_id client, int64_t *ret_num, int64_t *ret_den)
{
	const struct client *c = ledger_client_or_ghost(d, client);

	if (!c)
		return false;
	share_weighted(tree_share(&d->tree, &c->node), SHARE_WEIGHT_ONE, ret_num, ret_den);
	if (amounts_zero(&d->tree.total))
		*ret_den = 0;
	return true;
}

/* ------------------------------------------------------------------------------------------------------------ roles */

static int by_path(const void *a, const void *b)
{
	return strcmp((*(struct role *const *)a)->path, (*(struct role *const *)b)->path);
}

static void show_role(const struct drf *d, const struct role *r, void (*fn)(void *, const struct drf_role_info *),
                      void *user)
{
	struct resources held = {0};
	struct drf_role_info info = {.name = r->path, .weight_milli = r->node.rank.weight, .held = &held};

	copy_out(d, &(struct parcel){.scalars = r->node.held}, &held);
	share_weighted(tree_share(&d->tree, &r->node), r->node.rank.weight, &info.share_num, &info.share_den);
	if (amounts_zero(&d->tree.total))
		info.share_den = 0;
	fn(user, &info);
	resources_fini(&held);
}

void drf_roles(const struct drf *d, void (*fn)(void *user, const struct drf_role_info *role), void *user)
{
	struct role **roles = xcalloc(d->tree.roles.count, sizeof(struct role *));
	struct role *r;
	size_t n = 0;

	HASH_FOREACH (r, &d->tree.roles, struct role, by_path)
		if (r->weighted || !list_empty(&r->own.children))
			roles[n++] = r;
	qsort(roles, n, sizeof(struct role *), by_path);
	for (size_t i = 0; i < n; i++)
		show_role(d, roles[i], fn, user);
	free(roles);
}

/* -------------------------------------------------------------------------------------------------------------- why */

static bool is_first(const struct drf *d, const struct slave *s, const struct client *c, const struct parcel *p,
                     int64_t now_ms)
{
	const struct client *other;

	SLOTS_FOREACH(other, &d->clients)
	if (other != c && tree_is_candidate(&other->node) && !filters_match(d, s, other->slot.place, p, now_ms) &&
	    tree_before(&d->tree, &other->node, &c->node))
		return false;
	return true;
}

enum drf_why drf_why(const struct drf *d, drf_id slave, drf_id client, int64_t now_ms)
{
	const struct slave *s = ledger_slave(d, slave);
	const struct client *c = ledger_client(d, client);
	struct parcel_scratch scratch = {0};
	struct parcel p;

	if (!s || !c)
		return DRF_WHY_UNKNOWN;
	if (!s->active)
		return DRF_WHY_SLAVE_INACTIVE;
	if (!c->active)
		return DRF_WHY_CLIENT_INACTIVE;
	if (c->suppressed)
		return DRF_WHY_SUPPRESSED;
	ledger_free(s, &scratch, &p);
	if (!ledger_allocatable(d, &p))
		return DRF_WHY_TOO_SMALL;
	if (filters_match(d, s, c->slot.place, &p, now_ms))
		return DRF_WHY_FILTERED;
	return is_first(d, s, c, &p, now_ms) ? DRF_WHY_ELIGIBLE : DRF_WHY_NOT_ITS_TURN;
}

const char *drf_why_text(enum drf_why why)
{
	static const char *const texts[] = {
		[DRF_WHY_ELIGIBLE] = "it may be the next to be offered this slave",
		[DRF_WHY_UNKNOWN] = "the slave or the framework is not known",
		[DRF_WHY_SLAVE_INACTIVE] = "the slave is not active",
		[DRF_WHY_CLIENT_INACTIVE] = "the framework is not active",
		[DRF_WHY_SUPPRESSED] = "the framework has suppressed offers for this role",
		[DRF_WHY_FILTERED] = "the framework has declined what is free and its filter still lasts",
		[DRF_WHY_TOO_SMALL] = "less is free than may be offered",
		[DRF_WHY_NOT_ITS_TURN] = "another framework has a lower share and is offered it first",
	};

	return (size_t)why < ARRAY_SIZE(texts) ? texts[why] : "unknown";
}
