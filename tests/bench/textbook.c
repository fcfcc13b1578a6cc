/* Sort, give to the first that has no filter, sort again. */
#include "textbook.h"

#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/mem.h"
#include "msg/resources.h"

struct allocation { /* what a client has on a slave, or refused there */
	struct hash_node by_slave;
	char *slave;
	struct resources what;
	struct allocation *more; /* further refusals of the same slave */
};

struct client {
	struct hash_node by_name;
	char *name;
	struct resources held;
	struct hash allocations, filters;
	size_t n_grants;
	double share;
};

struct slave {
	struct hash_node by_name;
	char *name;
	struct resources total, held;
};

struct textbook {
	struct hash clients, slaves;
	struct resources total;
	struct client **order;
	size_t n_clients;
	struct slave **visits;
	size_t n_slaves;
	uint32_t random;
};

struct textbook *textbook_create(void)
{
	struct textbook *t = xcalloc(1, sizeof(*t));

	hash_init(&t->clients);
	hash_init(&t->slaves);
	t->random = 1;
	return t;
}

static void destroy_allocations(struct hash *h)
{
	struct allocation *a;

	HASH_FOREACH (a, h, struct allocation, by_slave) {
		while (a) {
			struct allocation *more = a->more;
			resources_fini(&a->what);
			free(a->slave);
			free(a);
			a = more;
		}
	}
	hash_fini(h);
}

void textbook_destroy(struct textbook *t)
{
	for (size_t i = 0; i < t->n_clients; i++) {
		destroy_allocations(&t->order[i]->allocations);
		destroy_allocations(&t->order[i]->filters);
		resources_fini(&t->order[i]->held);
		free(t->order[i]->name);
		free(t->order[i]);
	}
	for (size_t i = 0; i < t->n_slaves; i++) {
		resources_fini(&t->visits[i]->total);
		resources_fini(&t->visits[i]->held);
		free(t->visits[i]->name);
		free(t->visits[i]);
	}
	hash_fini(&t->clients);
	hash_fini(&t->slaves);
	resources_fini(&t->total);
	free(t->order);
	free(t->visits);
	free(t);
}

void textbook_add_client(struct textbook *t, const char *name)
{
	struct client *c = xcalloc(1, sizeof(*c));

	c->name = xstrdup(name);
	hash_init(&c->allocations);
	hash_init(&c->filters);
	hash_put(&t->clients, &c->by_name, c->name);
	t->order = xrealloc(t->order, (t->n_clients + 1) * sizeof(struct client *));
	t->order[t->n_clients++] = c;
}

void textbook_add_slave(struct textbook *t, const char *name, const struct resources *total)
{
	struct slave *s = xcalloc(1, sizeof(*s));

	s->name = xstrdup(name);
	resources_copy(&s->total, total);
	resources_add(&t->total, total);
	hash_put(&t->slaves, &s->by_name, s->name);
	t->visits = xrealloc(t->visits, (t->n_slaves + 1) * sizeof(struct slave *));
	t->visits[t->n_slaves++] = s;
}

static struct allocation *new_allocation(const char *slave, const struct resources *what)
{
	struct allocation *a = xcalloc(1, sizeof(*a));

	a->slave = xstrdup(slave);
	resources_copy(&a->what, what);
	return a;
}

/* A client's sum is of quantities only: that is all its share needs. */
static void add_quantities(struct client *c, const struct resources *r, int sign)
{
	for (size_t i = 0; i < r->n_items; i++)
		if (r->items[i].milli)
			resources_set_scalar(&c->held, r->items[i].name,
			                     resources_scalar(&c->held, r->items[i].name) + sign * r->items[i].milli);
}

static void allocate(struct slave *s, struct client *c, const struct resources *r)
{
	struct allocation *a = HASH_FIND(&c->allocations, s->name, struct allocation, by_slave);

	if (a) {
		resources_add(&a->what, r);
	} else {
		a = new_allocation(s->name, r);
		hash_put(&c->allocations, &a->by_slave, a->slave);
	}
	add_quantities(c, r, 1);
	resources_add(&s->held, r);
}

void textbook_allocate(struct textbook *t, const char *slave, const char *client, const struct resources *r)
{
	allocate(HASH_FIND(&t->slaves, slave, struct slave, by_name),
	         HASH_FIND(&t->clients, client, struct client, by_name), r);
}

void textbook_recover(struct textbook *t, const char *slave, const char *client, const struct resources *r)
{
	struct slave *s = HASH_FIND(&t->slaves, slave, struct slave, by_name);
	struct client *c = HASH_FIND(&t->clients, client, struct client, by_name);
	struct allocation *a = HASH_FIND(&c->allocations, slave, struct allocation, by_slave);

	resources_sub(&a->what, r);
	if (resources_empty(&a->what)) {
		hash_del(&c->allocations, &a->by_slave);
		free(a->slave);
		free(a);
	}
	add_quantities(c, r, -1);
	resources_sub(&s->held, r);
}

void textbook_filter(struct textbook *t, const char *slave, const char *client, const struct resources *refused)
{
	struct client *c = HASH_FIND(&t->clients, client, struct client, by_name);
	struct allocation *first = HASH_FIND(&c->filters, slave, struct allocation, by_slave);
	struct allocation *a = new_allocation(slave, refused);

	if (first) {
		a->more = first->more;
		first->more = a;
	} else {
		hash_put(&c->filters, &a->by_slave, a->slave);
	}
}

static int by_share(const void *x, const void *y)
{
	const struct client *a = *(struct client *const *)x, *b = *(struct client *const *)y;

	if (a->share != b->share)
		return a->share < b->share ? -1 : 1;
	if (a->n_grants != b->n_grants)
		return a->n_grants < b->n_grants ? -1 : 1;
	return strcmp(a->name, b->name);
}

static void sort(struct textbook *t)
{
	for (size_t i = 0; i < t->n_clients; i++) {
		struct client *c = t->order[i];
		c->share = 0;
		for (size_t k = 0; k < c->held.n_items; k++) {
			int64_t total = resources_scalar(&t->total, c->held.items[k].name);
			double share = total ? (double)c->held.items[k].milli / (double)total : 0;
			c->share = share > c->share ? share : c->share;
		}
	}
	qsort(t->order, t->n_clients, sizeof(struct client *), by_share);
}

static int filtered(const struct client *c, const struct slave *s, const struct resources *left)
{
	const struct allocation *a = HASH_FIND(&c->filters, s->name, struct allocation, by_slave);

	while (a && !resources_contains(&a->what, left))
		a = a->more;
	return a != NULL;
}

static int visit(struct textbook *t, struct slave *s, textbook_grant_fn fn, void *user)
{
	struct resources left = {0};
	size_t i = 0;

	resources_copy(&left, &s->total);
	resources_sub(&left, &s->held);
	if (resources_scalar(&left, "cpus") < 10 && resources_scalar(&left, "mem") < 32000) {
		resources_fini(&left);
		return 0;
	}
	sort(t);
	while (i < t->n_clients && filtered(t->order[i], s, &left))
		i++;
	if (i < t->n_clients) {
		allocate(s, t->order[i], &left);
		t->order[i]->n_grants++;
		fn(user, s->name, t->order[i]->name, &left);
	}
	resources_fini(&left);
	return i < t->n_clients;
}

size_t textbook_cycle(struct textbook *t, const char *only, textbook_grant_fn fn, void *user)
{
	size_t n = 0;

	if (only)
		return (size_t)visit(t, HASH_FIND(&t->slaves, only, struct slave, by_name), fn, user);
	for (size_t i = t->n_slaves; i > 1; i--) {
		t->random = t->random * 1664525 + 1013904223;
		size_t other = (t->random >> 8) % i;
		struct slave *swap = t->visits[i - 1];
		t->visits[i - 1] = t->visits[other];
		t->visits[other] = swap;
	}
	for (size_t i = 0; i < t->n_slaves; i++)
		n += (size_t)visit(t, t->visits[i], fn, user);
	return n;
}
