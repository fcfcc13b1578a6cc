/* Facts about clients: one framework in one role. */
#include <errno.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "drf/ledger.h"

static void set_candidate_bit(struct drf *d, uint32_t place, bool on)
{
	uint64_t bit = (uint64_t)1 << place % 64;

	if (place / 64 >= d->n_candidate_words) {
		uint32_t n = place / 64 + 1;
		d->candidates = xrealloc(d->candidates, n * sizeof(*d->candidates));
		while (d->n_candidate_words < n)
			d->candidates[d->n_candidate_words++] = 0;
	}
	if (on)
		d->candidates[place / 64] |= bit;
	else
		d->candidates[place / 64] &= ~bit;
}

/* Enters or leaves the order as active and suppressed say. A new candidate may want what nobody wanted. */
static void review(struct drf *d, struct client *c)
{
	bool candidate = c->active && !c->suppressed && !c->removed;

	if (candidate == tree_is_candidate(&c->node))
		return;
	set_candidate_bit(d, c->slot.place, candidate);
	if (!candidate) {
		tree_leave(&d->tree, &c->node);
		return;
	}
	tree_enter(&d->tree, &c->node);
	d->epoch++;
	ledger_mark_idle(d);
}

static struct client *client_create(struct drf *d, char *key, struct role *role)
{
	struct client *c = slots_add(&d->clients);

	if (!c)
		return NULL;
	c->key = key;
	c->framework = strrchr(key, '/') + 1;
	c->active = true;
	list_init(&c->filters);
	hash_put(&d->clients_by_key, &c->by_key, c->key);
	tree_attach(&d->tree, &c->node, role, c->slot.place, c->framework);
	return c;
}

int drf_client_add(struct drf *d, const char *framework, const char *role, drf_id *ret, struct err *err)
{
	if (!str_valid_role(role))
		return err_set(err, EINVAL, "'%s' is not a role", role);
	if (!*framework || strchr(framework, '/'))
		return err_set(err, EINVAL, "'%s' is not a framework's id", framework);
	_cleanup_free_ char *key = xasprintf("%s/%s", role, framework);
	if (hash_get(&d->clients_by_key, key))
		return err_set(err, EEXIST, "framework %s is in role %s already", framework, role);
	struct role *r = tree_need_role(&d->tree, role);
	if (!r)
		return err_set(err, EINVAL, "role '%s' is more than %d levels deep", role, TREE_MAX_DEPTH);
	struct client *c = client_create(d, key, r);
	if (!c) {
		tree_drop_role(&d->tree, r);
		return err_set(err, ENOSPC, "the ledger is full of clients");
	}
	key = NULL; /* the client's now */
	review(d, c);
	*ret = slots_id(&d->clients, c);
	return 0;
}

int drf_client_set_active(struct drf *d, drf_id client, bool active)
{
	struct client *c = ledger_client(d, client);

	if (!c)
		return -ENOENT;
	c->active = active;
	if (!active)
		filters_drop_client(d, c); /* rule 37 */
	review(d, c);
	return 0;
}

int drf_client_suppress(struct drf *d, drf_id client)
{
	struct client *c = ledger_client(d, client);

	if (!c)
		return -ENOENT;
	c->suppressed = true;
	review(d, c);
	return 0;
}

int drf_client_revive(struct drf *d, drf_id client)
{
	struct client *c = ledger_client(d, client);

	if (!c)
		return -ENOENT;
	c->suppressed = false;
	filters_drop_client(d, c);
	review(d, c);
	return 0;
}

int drf_client_remove(struct drf *d, drf_id client)
{
	struct client *c = ledger_client(d, client);

	if (!c)
		return -ENOENT;
	c->removed = true;
	filters_drop_client(d, c);
	review(d, c);
	hash_del(&d->clients_by_key, &c->by_key);
	if (!c->n_holdings)
		ledger_client_destroy(d, c);
	return 0;
}
