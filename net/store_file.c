/* The registry in a folder: one file an object, replaced whole and durably, read in slices at start.
 *
 * The writes of a turn are given to the disk together; the next ones wait until these are durable, which keeps the
 * order of two writes of one object. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/disk.h"
#include "base/err.h"
#include "base/mem.h"
#include "net/elect_impl.h"
#include "net/store_impl.h"

#define MAX_BATCH 256
#define READS_PER_TURN 32

static void on_written(void *user, int status)
{
	store_end_write(user, status);
}

static int make_folder(struct disk *d, const char *folder)
{
	return disk_mkdir(d, folder, NULL);
}

static bool in_batch(const struct store *s, const struct store_write *w)
{
	struct store_write *other;

	LIST_FOREACH (other, &s->batch, struct store_write, node)
		if (strcmp(other->key, w->key) == 0 && strcmp(other->folder, w->folder) == 0)
			return true;
	return false;
}

static void send_batch(struct store *s, struct disk *d)
{
	struct store_write *w;
	size_t taken = 0;

	LIST_FOREACH (w, &s->queue, struct store_write, node) {
		_cleanup_free_ char *path = xasprintf("%s/%s", w->folder, w->key);
		int rc;
		if (taken == MAX_BATCH || in_batch(s, w))
			break;
		list_remove(&w->node);
		list_push(&s->batch, &w->node);
		taken++;
		if (w->remove)
			disk_remove(d, path, on_written, w);
		else if ((rc = make_folder(d, w->folder)) < 0)
			store_end_write(w, rc);
		else
			disk_replace(d, path, w->data, w->size, on_written, w);
	}
}

static void on_name(void *user, const char *name)
{
	struct store_read *r = user;

	r->keys = xrealloc(r->keys, (r->n_keys + 1) * sizeof(*r->keys));
	r->keys[r->n_keys++] = xstrdup(name);
}

static void read_one(struct store_read *r, struct disk *d, const char *key)
{
	_cleanup_free_ char *path = xasprintf("%s/%s", r->folder, key);
	_cleanup_buf_ struct buf data = {0};
	struct err err = {0};
	int rc = disk_read(d, path, STORE_MAX_OBJECT, &data, &err);

	if (rc == 0)
		store_read_object(r, key, data.data, data.size);
	else if (rc != -ENOENT && r->load.on_broken)
		r->load.on_broken(r->load.user, key, err.text);
}

static void read_slice(struct store_read *r, struct disk *d)
{
	int rc = 0;

	if (!r->started)
		rc = disk_list(d, r->folder, on_name, r);
	r->started = r->listed = true;
	if (rc < 0 && rc != -ENOENT) {
		store_end_read(r, rc);
		return;
	}
	for (int i = 0; i < READS_PER_TURN && r->next < r->n_keys; i++, r->answered++)
		read_one(r, d, r->keys[r->next++]);
	if (r->next == r->n_keys)
		store_end_read(r, 0);
	loop_again(r->store->loop);
}

static struct store *create(void)
{
	return xcalloc(1, sizeof(struct store));
}

static void fini(struct store *s)
{
}

static void step(struct store *s)
{
	struct disk *d = elect_file_disk(s->elect);
	struct store_read *r;

	LIST_FOREACH (r, &s->reads, struct store_read, node)
		if (!r->ended)
			read_slice(r, d);
	if (list_empty(&s->batch))
		send_batch(s, d);
}

static void on_term(struct store *s)
{
}

const struct store_backend store_file = {create, fini, step, on_term};
