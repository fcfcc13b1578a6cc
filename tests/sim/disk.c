/* Seam 2, simulated: files of a machine, in memory, that lose what was not durable when a process dies.
 *
 * Requests are done strictly in order, those that came together as one batch, as the real helper does. When the process
 * dies, a random number of the requests still waiting are done, and the next one is torn: an append or overwrite leaves a
 * part of its bytes, sometimes with zeros where the rest should be. */
#include "base/disk.h"

#include <assert.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "world.h"

struct file {
	struct list_node node; /* host.files */
	char *path;            /* root and path */
	bool folder;
	struct buf data;
};

enum op { OP_APPEND, OP_REPLACE, OP_OVERWRITE, OP_REMOVE };
static const char *const op_names[] = {"append", "replace", "overwrite", "remove"};

struct request {
	struct list_node node;
	enum op op;
	struct disk_file *handle; /* of an append, until it is closed */
	char *path;
	uint64_t offset;
	struct buf data;
	int status;
	disk_fn fn;
	void *user;
};

struct disk {
	struct list_node node; /* loop.disks */
	struct loop *loop;
	char *root;
	struct list waiting, done; /* requests */
	struct event work, answer;
	struct list handles;
	bool locked;
};

struct disk_file {
	struct list_node node;
	struct disk *disk;
	char *path;
	uint64_t durable;
};

static char *full_path(struct disk *d, const char *path)
{
	return *path ? xasprintf("%s/%s", d->root, path) : xstrdup(d->root);
}

static struct file *find_file(struct host *h, const char *path)
{
	struct file *f;

	LIST_FOREACH (f, &h->files, struct file, node)
		if (!strcmp(f->path, path))
			return f;
	return NULL;
}

static struct file *make_file(struct host *h, const char *path, bool folder)
{
	struct file *f = xcalloc(1, sizeof(*f));

	f->path = xstrdup(path);
	f->folder = folder;
	list_push(&h->files, &f->node);
	return f;
}

static void remove_file(struct file *f)
{
	if (!f)
		return;
	list_remove(&f->node);
	buf_fini(&f->data);
	free(f->path);
	free(f);
}

static bool has_folder(struct host *h, const char *path)
{
	_cleanup_free_ char *parent = xstrdup(path);
	char *slash = strrchr(parent, '/');

	*slash = 0;
	struct file *f = find_file(h, parent);
	return f && f->folder;
}

/* ---- the helper's side ---- */

/* part: how many of the bytes make it; SIZE_MAX: all. */
static int apply(struct host *h, struct request *r, size_t part)
{
	struct file *f = find_file(h, r->path);
	size_t size = part < r->data.size ? part : r->data.size;

	switch (r->op) {
	case OP_APPEND:
		if (!f)
			f = make_file(h, r->path, false);
		buf_append(&f->data, r->data.data, size);
		if (part < r->data.size && world_chance(300))
			for (size_t i = size; i < r->data.size; i++)
				buf_append_byte(&f->data, 0);
		return 0;
	case OP_REPLACE:
		if (!has_folder(h, r->path))
			return -ENOENT;
		if (part < r->data.size)
			return 0; /* the new file was not yet renamed */
		if (!f)
			f = make_file(h, r->path, false);
		buf_clear(&f->data);
		buf_append(&f->data, r->data.data, size);
		return 0;
	case OP_OVERWRITE:
		if (!f)
			return -ENOENT;
		if (r->offset > f->data.size || r->data.size > f->data.size - r->offset)
			return -EINVAL;
		if (size)
			memcpy(f->data.data + r->offset, r->data.data, size);
		return 0;
	case OP_REMOVE:
		remove_file(f);
		return 0;
	}
	return -EINVAL;
}

static int refuse(struct host *h, const struct request *r)
{
	return h->disk_full && (r->op == OP_APPEND || r->op == OP_REPLACE) ? -ENOSPC : 0;
}

static int64_t latency_us(struct host *h)
{
	return world_between(50, 3 * SIM_MS) + h->disk_slow_us;
}

/* Everything that came together is done together; an append that fails takes those behind it along. */
static void on_work(void *user)
{
	struct disk *d = user;
	struct host *h = d->loop->host;
	struct request *r, *earlier;

	LIST_FOREACH (r, &d->waiting, struct request, node) {
		r->status = refuse(h, r);
		LIST_FOREACH (earlier, &d->waiting, struct request, node) {
			if (earlier == r)
				break;
			if (r->op == OP_APPEND && earlier->op == OP_APPEND && earlier->status < 0 &&
			    !strcmp(r->path, earlier->path))
				r->status = earlier->status;
		}
		if (r->status == 0)
			r->status = apply(h, r, SIZE_MAX);
	}
	struct list_node *n;
	while ((n = list_first(&d->waiting))) {
		list_remove(n);
		list_push(&d->done, n);
	}
	if (d->loop->alive && !event_pending(&d->answer))
		event_set(&d->answer, world_between(10, 200));
}

static void free_request(struct request *r)
{
	buf_fini(&r->data);
	free(r->path);
	free(r);
}

static void on_answer(void *user)
{
	struct disk *d = user;
	struct list_node *n;

	while ((n = list_first(&d->done))) {
		struct request *r = CONTAINER_OF(n, struct request, node);
		list_remove(n);
		if (r->status == 0 && r->handle)
			r->handle->durable += r->data.size;
		world_trace("disk.%s path=%s size=%zu status=%d", op_names[r->op], r->path, r->data.size, r->status);
		disk_fn fn = r->fn;
		void *fn_user = r->user;
		int status = r->status;
		free_request(r);
		if (fn)
			fn(fn_user, status);
		if (!list_linked(&d->node)) /* destroyed by the callback; kept, as processes keep everything */
			return;
	}
}

static void put_request(struct disk *d, enum op op, const char *path, uint64_t offset, const void *data, size_t size,
                        struct disk_file *handle, disk_fn fn, void *user)
{
	struct request *r = xcalloc(1, sizeof(*r));

	*r = (struct request){
		.op = op, .handle = handle, .path = full_path(d, path), .offset = offset, .fn = fn, .user = user};
	buf_append(&r->data, data, size);
	list_push(&d->waiting, &r->node);
	if (!event_pending(&d->work))
		event_set(&d->work, latency_us(d->loop->host));
	sim_seam(d->loop);
}

void disk_process_died(struct loop *l)
{
	struct disk *d;

	LIST_FOREACH (d, &l->disks, struct disk, node) {
		struct list_node *n;
		event_cancel(&d->work);
		while ((n = list_first(&d->waiting))) {
			struct request *r = CONTAINER_OF(n, struct request, node);
			list_remove(n);
			if (refuse(l->host, r) < 0)
				continue;
			if (world_chance(600)) {
				apply(l->host, r, SIZE_MAX);
				continue;
			}
			size_t part = (size_t)world_below(r->data.size + 1);
			world_trace("disk.torn %s path=%s size=%zu part=%zu", op_names[r->op], r->path, r->data.size,
			            part);
			if (r->op != OP_REMOVE)
				apply(l->host, r, part);
			break;
		}
	}
}

/* ---- the process's side ---- */

struct disk *disk_create(struct loop *l, const char *root, struct err *err)
{
	struct disk *d = xcalloc(1, sizeof(*d));

	d->loop = l;
	d->root = xstrdup(root);
	list_init(&d->waiting);
	list_init(&d->done);
	list_init(&d->handles);
	event_init(&d->work, NULL, on_work, d);
	event_init(&d->answer, l, on_answer, d);
	list_push(&l->disks, &d->node);
	if (!find_file(l->host, root))
		make_file(l->host, root, true);
	return d;
}

void disk_destroy(struct disk *d)
{
	struct disk_file *f;

	if (!d)
		return;
	LIST_FOREACH (f, &d->handles, struct disk_file, node)
		disk_close(f);
	event_cancel(&d->answer);
	list_remove(&d->node);
	on_work(d);
	event_cancel(&d->work);
	event_cancel(&d->answer);
}

const char *disk_root(const struct disk *d)
{
	return d->root;
}

int disk_lock(struct disk *d, struct err *err)
{
	struct disk *other;

	LIST_FOREACH (other, &d->loop->disks, struct disk, node)
		if (other != d && other->locked && !strcmp(other->root, d->root))
			return err_set(err, EAGAIN, "%s is in use by another process", d->root);
	d->locked = true;
	return 0;
}

int disk_read(struct disk *d, const char *path, size_t max_bytes, struct buf *ret, struct err *err)
{
	_cleanup_free_ char *full = full_path(d, path);
	struct file *f = find_file(d->loop->host, full);

	if (!f || f->folder)
		return err_set(err, f ? EISDIR : ENOENT, "cannot open %s", full);
	if (f->data.size > max_bytes)
		return err_set(err, EFBIG, "%s is larger than %zu bytes", full, max_bytes);
	buf_append(ret, f->data.data, f->data.size);
	return 0;
}

static int by_bytes(const void *a, const void *b)
{
	return strcmp(*(char *const *)a, *(char *const *)b);
}

int disk_list(struct disk *d, const char *path, void (*fn)(void *user, const char *name), void *user)
{
	_cleanup_free_ char *folder = full_path(d, path);
	size_t length = strlen(folder), n = 0;
	_cleanup_free_ char **names = NULL;
	struct file *f;

	LIST_FOREACH (f, &d->loop->host->files, struct file, node) {
		if (strncmp(f->path, folder, length) != 0 || f->path[length] != '/' ||
		    strchr(f->path + length + 1, '/'))
			continue;
		names = xrealloc(names, (n + 1) * sizeof(*names));
		names[n++] = xstrdup(f->path + length + 1);
	}
	if (n)
		qsort(names, n, sizeof(*names), by_bytes);
	for (size_t i = 0; i < n; i++) {
		fn(user, names[i]);
		free(names[i]);
	}
	return 0;
}

int disk_mkdir(struct disk *d, const char *path, struct err *err)
{
	_cleanup_free_ char *full = full_path(d, path);

	for (char *at = full + strlen(d->root) + 1;; at++) {
		char c = *at;
		if (c != '/' && c != 0)
			continue;
		*at = 0;
		struct file *f = find_file(d->loop->host, full);
		if (f && !f->folder)
			return err_set(err, ENOTDIR, "cannot make folder %s", full);
		if (!f)
			make_file(d->loop->host, full, true);
		*at = c;
		if (!c)
			return 0;
	}
}

int disk_truncate(struct disk *d, const char *path, uint64_t size, struct err *err)
{
	_cleanup_free_ char *full = full_path(d, path);
	struct file *f = find_file(d->loop->host, full);

	if (!f)
		return err_set(err, ENOENT, "cannot cut %s", full);
	while (f->data.size < size)
		buf_append_byte(&f->data, 0);
	f->data.size = size;
	return 0;
}

struct disk_file *disk_open(struct disk *d, const char *path, struct err *err)
{
	_cleanup_free_ char *full = full_path(d, path);
	struct file *f = find_file(d->loop->host, full);

	if (!f && !has_folder(d->loop->host, full)) {
		err_set(err, ENOENT, "cannot open %s", full);
		return NULL;
	}
	if (!f)
		f = make_file(d->loop->host, full, false);
	struct disk_file *handle = xcalloc(1, sizeof(*handle));
	*handle = (struct disk_file){.disk = d, .path = xstrdup(path), .durable = f->data.size};
	list_push(&d->handles, &handle->node);
	sim_seam(d->loop);
	return handle;
}

void disk_append(struct disk_file *f, const void *data, size_t size, disk_fn fn, void *user)
{
	put_request(f->disk, OP_APPEND, f->path, 0, data, size, f, fn, user);
}

uint64_t disk_size(const struct disk_file *f)
{
	return f->durable;
}

static void forget_handle(struct list *requests, struct disk_file *f)
{
	struct request *r;

	LIST_FOREACH (r, requests, struct request, node) {
		if (r->handle == f) {
			r->handle = NULL;
			r->fn = NULL;
		}
	}
}

void disk_close(struct disk_file *f)
{
	if (!f)
		return;
	forget_handle(&f->disk->waiting, f);
	forget_handle(&f->disk->done, f);
	list_remove(&f->node);
	free(f->path);
	free(f);
}

void disk_replace(struct disk *d, const char *path, const void *data, size_t size, disk_fn fn, void *user)
{
	put_request(d, OP_REPLACE, path, 0, data, size, NULL, fn, user);
}

void disk_overwrite(struct disk *d, const char *path, uint64_t offset, const void *data, size_t size, disk_fn fn,
                    void *user)
{
	put_request(d, OP_OVERWRITE, path, offset, data, size, NULL, fn, user);
}

int disk_allocate(struct disk *d, const char *path, size_t size, struct err *err)
{
	_cleanup_free_ char *full = full_path(d, path);
	struct file *f = find_file(d->loop->host, full);

	if (!f && !has_folder(d->loop->host, full))
		return err_set(err, ENOENT, "cannot allocate %s", full);
	if (!f)
		f = make_file(d->loop->host, full, false);
	while (f->data.size < size)
		buf_append_byte(&f->data, 0);
	return 0;
}

void disk_remove(struct disk *d, const char *path, disk_fn fn, void *user)
{
	put_request(d, OP_REMOVE, path, 0, NULL, 0, NULL, fn, user);
}
