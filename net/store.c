/* The registry: what the back ends share. Writes wait in `queue`, are under way in `batch`, and are told from `done` at
 * the end of a turn. While suspended everything waits; when the office goes, writes end with -EPERM and reads too. */
#include "net/store.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "msg/codec.h"
#include "net/elect_impl.h"
#include "net/store_impl.h"

static void write_free(struct store_write *w)
{
	list_remove(&w->node);
	free(w->folder);
	free(w->key);
	free(w->data);
	free(w);
}

static void read_free(struct store_read *r)
{
	list_remove(&r->node);
	for (size_t i = 0; i < r->n_keys; i++)
		free(r->keys[i]);
	free(r->keys);
	free(r->gets);
	free(r->folder);
	free(r);
}

/* ---- what back ends report ---- */

void store_end_write(struct store_write *w, int status)
{
	struct store *s = w->store;

	w->status = status;
	list_remove(&w->node);
	list_push(&s->done, &w->node);
	loop_again(s->loop);
}

void store_requeue_batch(struct store *s)
{
	while (!list_empty(&s->batch)) {
		struct list_node *last = s->batch.head.prev;
		list_remove(last);
		list_push_front(&s->queue, last);
	}
}

/* "%2F" back to "/". */
static char *unescape(const char *name)
{
	char *out = xstrdup(name), *to = out;

	for (const char *c = name; *c; c++) {
		char hex[3] = {0};
		if (*c == '%' && c[1] && c[2]) {
			memcpy(hex, c + 1, 2);
			*to++ = (char)strtol(hex, NULL, 16);
			c += 2;
		} else {
			*to++ = *c;
		}
	}
	*to = '\0';
	return out;
}

void store_read_object(struct store_read *r, const char *name, const void *data, size_t size)
{
	_cleanup_zone_ struct zone *zone = zone_create();
	_cleanup_free_ char *key = unescape(name);
	struct err err;
	void *rec;

	if (codec_decode(r->load.desc, data, size, zone, &rec, &err) == 0)
		r->load.on_object(r->load.user, key, rec);
	else if (r->load.on_broken)
		r->load.on_broken(r->load.user, key, err.text);
}

void store_end_read(struct store_read *r, int status)
{
	if (r->ended)
		return;
	r->ended = true;
	r->load.on_done(r->load.user, status);
}

/* ---- office ---- */

static void end_all(struct store *s, struct list *writes, int status)
{
	struct store_write *w;

	LIST_FOREACH (w, writes, struct store_write, node)
		store_end_write(w, status);
}

static void end_reads(struct store *s, int status)
{
	struct store_read *r;

	LIST_FOREACH (r, &s->reads, struct store_read, node)
		store_end_read(r, status);
}

void store_on_office(void *user)
{
	struct store *s = user;
	struct store_read *r;

	switch (elect_state(s->elect)) {
	case ELECT_FOLLOWING:
		end_all(s, &s->batch, -EPERM);
		end_all(s, &s->queue, -EPERM);
		end_reads(s, -EPERM);
		break;
	case ELECT_SUSPENDED:
		end_reads(s, -EAGAIN);
		break;
	case ELECT_LEADING:
		store_requeue_batch(s);
		LIST_FOREACH (r, &s->reads, struct store_read, node)
			if (r->ended)
				read_free(r);
		s->backend->on_term(s);
		break;
	case ELECT_TAKING:
		break;
	}
	loop_again(s->loop);
}

static void tell(struct store *s)
{
	struct list done;

	list_init(&done);
	while (!list_empty(&s->done)) {
		struct list_node *n = list_first(&s->done);
		list_remove(n);
		list_push(&done, n);
	}
	while (!list_empty(&done)) {
		struct store_write *w = CONTAINER_OF(list_first(&done), struct store_write, node);
		store_fn fn = s->dead ? NULL : w->fn;
		void *user = w->user;
		int status = w->status;
		write_free(w);
		if (fn)
			fn(user, status);
	}
}

/* A read asked for without office is told here, never inside the asking. */
static void refuse_reads(struct store *s)
{
	struct store_read *r;

	LIST_FOREACH (r, &s->reads, struct store_read, node)
		if (!r->started)
			store_end_read(r, elect_held(s->elect) ? -EAGAIN : -EPERM);
}

static void free_reads(struct store *s)
{
	struct store_read *r;

	LIST_FOREACH (r, &s->reads, struct store_read, node)
		if (r->ended && (!r->started || (r->listed && r->answered == r->next)))
			read_free(r);
}

static void on_turn(void *user)
{
	struct store *s = user;

	tell(s);
	free_reads(s);
	if (elect_state(s->elect) == ELECT_LEADING)
		s->backend->step(s);
	else
		refuse_reads(s);
	if (!list_empty(&s->done))
		loop_again(s->loop);
}

/* ---- the interface ---- */

struct store *store_create(struct loop *l, struct elect *elect)
{
	struct store *s = elect->backend->store->create();

	s->loop = l;
	s->elect = elect;
	s->backend = elect->backend->store;
	list_init(&s->queue);
	list_init(&s->batch);
	list_init(&s->done);
	list_init(&s->reads);
	loop_add_hook(l, &s->hook, on_turn, s, TURN_ORDER_DURABLE);
	assert(!elect->on_office); /* one store an elect */
	elect->on_office = store_on_office;
	elect->on_office_user = s;
	return s;
}

void store_free(struct store *s)
{
	struct list *lists[] = {&s->queue, &s->batch, &s->done};
	struct store_write *w;
	struct store_read *r;

	for (size_t i = 0; i < ARRAY_SIZE(lists); i++)
		LIST_FOREACH (w, lists[i], struct store_write, node)
			write_free(w);
	LIST_FOREACH (r, &s->reads, struct store_read, node)
		read_free(r);
	s->backend->fini(s);
	list_remove(&s->remains);
	free(s);
}

/* Answers may still come through elect's handle; it frees us when that is gone. */
void store_destroy(struct store *s)
{
	if (!s)
		return;
	s->dead = true;
	loop_remove_hook(&s->hook);
	s->elect->on_office = NULL;
	list_push(&s->elect->remains, &s->remains);
}

void store_load(struct store *s, const struct store_load *load)
{
	struct store_read *r = xcalloc(1, sizeof(*r));

	r->store = s;
	r->load = *load;
	r->folder = xstrdup(load->folder);
	r->load.folder = r->folder;
	list_push(&s->reads, &r->node);
	loop_again(s->loop);
}

static struct store_write *write_create(struct store *s, const char *folder, const char *key, store_fn fn, void *user)
{
	struct store_write *w = xcalloc(1, sizeof(*w));

	w->store = s;
	w->folder = xstrdup(folder);
	w->key = str_path_escape(key);
	w->fn = fn;
	w->user = user;
	list_push(&s->queue, &w->node);
	loop_again(s->loop);
	if (!elect_held(s->elect))
		store_end_write(w, -EPERM);
	else if (!*w->key || strcmp(w->key, ".") == 0 || strcmp(w->key, "..") == 0)
		store_end_write(w, -EINVAL);
	else
		return w;
	return NULL;
}

void store_put(struct store *s, const char *folder, const char *key, const struct record_desc *desc, const void *rec,
               store_fn fn, void *user)
{
	_cleanup_buf_ struct buf out = {0};
	struct store_write *w = write_create(s, folder, key, fn, user);

	if (!w)
		return;
	int rc = codec_encode(desc, rec, &out, NULL);
	if (rc < 0 || out.size > STORE_MAX_OBJECT) {
		store_end_write(w, rc < 0 ? rc : -EMSGSIZE);
		return;
	}
	w->data = xmemdup(out.size ? (const void *)out.data : "", out.size ? out.size : 1);
	w->size = out.size;
}

void store_remove(struct store *s, const char *folder, const char *key, store_fn fn, void *user)
{
	struct store_write *w = write_create(s, folder, key, fn, user);

	if (w)
		w->remove = true;
}
