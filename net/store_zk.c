/* The registry in ZooKeeper.
 *
 * One multi is in flight at a time: check our leader node, check the term, then the writes that have gathered. A put is a
 * MAKE or a SET, so it must be known what exists: on its first use under a term a folder is listed, and from then on
 * `keys` says what will exist when the writes sent so far have happened. When the fate of a multi is unknown, its writes
 * go first under the next term, for which all folders are listed again: doing them twice does no harm. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/hash.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "net/elect_impl.h"
#include "net/store_impl.h"
#include "net/zk.h"

#define MAX_OPS 1000
#define MAX_BYTES (512u << 10) /* a larger object goes alone */
#define MAX_GETS 256
#define ALONE_AFTER 2 /* a write whose fate stayed unknown so often may be what breaks the connection */
#define MAX_ATTEMPTS 8

struct key {
	struct hash_node node;
	char name[];
};

struct folder {
	struct list_node node;
	struct store_zk *store;
	char *name;
	bool listing, known, there;
	struct hash keys;
};

struct store_zk {
	struct store s;
	bool in_flight;
	struct list folders;
};

static struct store_zk *of(struct store *s)
{
	return (struct store_zk *)s;
}

/* ---- what exists ---- */

static void forget_keys(struct folder *f)
{
	struct key *k;

	HASH_FOREACH (k, &f->keys, struct key, node) {
		hash_del(&f->keys, &k->node);
		free(k);
	}
	f->known = f->there = false;
}

static void add_key(struct folder *f, const char *name)
{
	size_t n = strlen(name) + 1;
	struct key *k = xcalloc(1, sizeof(*k) + n);

	memcpy(k->name, name, n);
	hash_put(&f->keys, &k->node, k->name);
}

static struct folder *folder_get(struct store_zk *z, const char *name)
{
	struct folder *f;

	LIST_FOREACH (f, &z->folders, struct folder, node)
		if (strcmp(f->name, name) == 0)
			return f;
	f = xcalloc(1, sizeof(*f));
	f->store = z;
	f->name = xstrdup(name);
	hash_init(&f->keys);
	list_push(&z->folders, &f->node);
	return f;
}

static char *path_of(struct store_zk *z, const char *folder, const char *key)
{
	struct elect_zk_office office;

	elect_zk_office(z->s.elect, &office);
	return xasprintf("%s/registry/%s%s%s", office.path, folder, key ? "/" : "", key ? key : "");
}

static struct zk *handle(struct store_zk *z)
{
	struct elect_zk_office office;

	elect_zk_office(z->s.elect, &office);
	return office.zk;
}

static void learn(struct folder *f, int status, const char *const *names, size_t n)
{
	if (f->known)
		return; /* what we have sent since counts more */
	forget_keys(f);
	f->known = true;
	f->there = status == 0;
	for (size_t i = 0; i < n; i++)
		add_key(f, names[i]);
}

static void on_listed(void *user, int status, const char *const *names, size_t n)
{
	struct folder *f = user;

	f->listing = false;
	if (f->store->s.dead)
		return;
	if (status == 0 || status == -ENOENT)
		learn(f, status, names, n);
	else
		log_debug("store.list folder=%s error=\"%s\"", f->name, strerror(-status));
	loop_again(f->store->s.loop);
}

static void list_folder(struct store_zk *z, struct folder *f)
{
	_cleanup_free_ char *path = path_of(z, f->name, NULL);

	if (f->listing)
		return;
	f->listing = true;
	zk_children(handle(z), path, NULL, NULL, on_listed, f);
}

static void forget_all(struct store_zk *z)
{
	struct folder *f;

	LIST_FOREACH (f, &z->folders, struct folder, node)
		forget_keys(f);
}

/* ---- writes ---- */

struct multi {
	struct zk_op *ops;
	size_t n, bytes;
};

static void add_op(struct multi *m, enum zk_op_kind kind, char *path, const void *data, size_t size)
{
	m->ops[m->n++] = (struct zk_op){kind, path, data, size, ZK_ANY_VERSION};
	m->bytes += strlen(path) + size + 64;
}

static void add_write(struct store_zk *z, struct multi *m, struct folder *f, const struct store_write *w)
{
	struct key *k = HASH_FIND(&f->keys, w->key, struct key, node);

	if (!f->there && !w->remove) {
		add_op(m, ZK_OP_MAKE, path_of(z, f->name, NULL), NULL, 0);
		f->there = true;
	}
	if (!w->remove) {
		add_op(m, k ? ZK_OP_SET : ZK_OP_MAKE, path_of(z, w->folder, w->key), w->data, w->size);
		if (!k)
			add_key(f, w->key);
	} else if (k) {
		add_op(m, ZK_OP_REMOVE, path_of(z, w->folder, w->key), NULL, 0);
		hash_del(&f->keys, &k->node);
		free(k);
	}
}

static void fail_batch(struct store *s, int status)
{
	struct store_write *w;

	LIST_FOREACH (w, &s->batch, struct store_write, node)
		store_end_write(w, status);
}

static void try_again(struct store *s, int status)
{
	struct store_write *w;

	LIST_FOREACH (w, &s->batch, struct store_write, node)
		if (++w->attempts >= MAX_ATTEMPTS)
			store_end_write(w, status);
	store_requeue_batch(s);
}

static void on_multi(void *user, int status, int failed)
{
	struct store_zk *z = user;
	struct store *s = &z->s;

	z->in_flight = false;
	if (s->dead || list_empty(&s->batch))
		return;
	if (status != 0)
		log_debug("store.multi op=%d error=\"%s\"", failed, strerror(-status));
	if (status != 0)
		forget_all(z);
	if (failed == 0 || failed == 1)
		elect_zk_deposed(s->elect); /* ends the writes too */
	else if (status == -EAGAIN || status == -ECANCELED)
		try_again(s, -EIO);
	else if (status == -EEXIST || status == -ENOENT || status == -ENOTEMPTY)
		try_again(s, status); /* somebody else changed the registry: list it again */
	else
		fail_batch(s, status);
	loop_again(s->loop);
}

/* May w go into the multi that m is already? */
static bool fits(const struct multi *m, const struct store_write *w)
{
	if (m->n <= 2)
		return true;
	return w->attempts < ALONE_AFTER && m->n + 2 <= MAX_OPS && m->bytes + w->size <= MAX_BYTES;
}

static void send_batch(struct store_zk *z)
{
	struct store *s = &z->s;
	struct elect_zk_office office;
	struct multi m = {.ops = xcalloc(MAX_OPS + 2, sizeof(*m.ops))};
	struct store_write *w;
	size_t taken = 0;

	elect_zk_office(s->elect, &office);
	add_op(&m, ZK_OP_CHECK, xstrdup(office.own_node), NULL, 0);
	add_op(&m, ZK_OP_CHECK, xstrdup(office.term_node), NULL, 0);
	m.ops[1].version = office.term_version;
	LIST_FOREACH (w, &s->queue, struct store_write, node) {
		struct folder *f = folder_get(z, w->folder);
		if (!f->known)
			list_folder(z, f);
		if (!f->known || !fits(&m, w) || taken == MAX_OPS)
			break;
		add_write(z, &m, f, w);
		list_remove(&w->node);
		list_push(&s->batch, &w->node);
		taken++;
		if (w->attempts >= ALONE_AFTER)
			break;
	}
	if (taken) {
		z->in_flight = true;
		zk_multi(office.zk, m.ops, m.n, on_multi, z);
	}
	for (size_t i = 0; i < m.n; i++)
		free((char *)m.ops[i].path);
	free(m.ops);
}

/* ---- reads ---- */

static void read_more(struct store_read *r);

static void on_got(void *user, int status, const void *data, size_t size, int version)
{
	struct store_get *g = user;
	struct store_read *r = g->read;

	r->answered++;
	if (r->store->dead || r->ended)
		return;
	if (status == 0)
		store_read_object(r, g->key, data, size);
	else if (status != -ENOENT) /* else it was removed in between */
		store_end_read(r, status);
	if (!r->ended)
		read_more(r);
}

static void read_more(struct store_read *r)
{
	struct store_zk *z = of(r->store);

	while (r->next < r->n_keys && r->next - r->answered < MAX_GETS) {
		struct store_get *g = &r->gets[r->next];
		_cleanup_free_ char *path = path_of(z, r->folder, r->keys[r->next]);
		*g = (struct store_get){r, r->keys[r->next++]};
		zk_get(handle(z), path, NULL, NULL, on_got, g);
	}
	if (r->answered == r->n_keys)
		store_end_read(r, 0);
}

static void on_keys(void *user, int status, const char *const *names, size_t n)
{
	struct store_read *r = user;

	r->listed = true;
	if (r->store->dead || r->ended)
		return;
	if (status != 0 && status != -ENOENT) {
		store_end_read(r, status);
		return;
	}
	learn(folder_get(of(r->store), r->folder), status, names, n);
	r->keys = xcalloc(n + 1, sizeof(*r->keys));
	r->gets = xcalloc(n + 1, sizeof(*r->gets));
	for (; r->n_keys < n; r->n_keys++)
		r->keys[r->n_keys] = xstrdup(names[r->n_keys]);
	read_more(r);
}

static void start_read(struct store_zk *z, struct store_read *r)
{
	_cleanup_free_ char *path = path_of(z, r->folder, NULL);

	r->started = true;
	zk_children(handle(z), path, NULL, NULL, on_keys, r);
}

/* ---- the back end ---- */

static struct store *create(void)
{
	struct store_zk *z = xcalloc(1, sizeof(*z));

	list_init(&z->folders);
	return &z->s;
}

static void fini(struct store *s)
{
	struct folder *f;

	LIST_FOREACH (f, &of(s)->folders, struct folder, node) {
		forget_keys(f);
		hash_fini(&f->keys);
		list_remove(&f->node);
		free(f->name);
		free(f);
	}
}

static void step(struct store *s)
{
	struct store_zk *z = of(s);
	struct store_read *r;

	LIST_FOREACH (r, &s->reads, struct store_read, node)
		if (!r->started)
			start_read(z, r);
	if (!z->in_flight && !list_empty(&s->queue))
		send_batch(z);
}

static void on_term(struct store *s)
{
	struct store_zk *z = of(s);
	struct folder *f;

	z->in_flight = false;
	LIST_FOREACH (f, &z->folders, struct folder, node)
		f->listing = false;
	forget_all(z);
}

const struct store_backend store_zk = {create, fini, step, on_term};
