/* Durable files through one helper process, so that no fsync is ever waited for in the loop.
 *
 * The daemon writes requests to a socket pair, the helper does them strictly in order and answers each with one int32
 * status, in order. What the helper finds together in the socket is a batch: its appends share one fdatasync a file, and
 * are answered after it. Anything that is not an append first syncs the appends before it, so durability keeps the order
 * of the calls. After a failed append the file is cut back to its durable length, and the appends to it that are still
 * in the batch fail too.
 *
 * The helper holds the root folder's descriptor, and with it the lock: a daemon that is killed and started again waits
 * until the old helper has written what it had been given. It ends at end of file. If it dies, what is pending fails with
 * EIO and the next request starts another, which cuts open files back to the last length we know to be durable. */
#include "base/disk.h"

#include <assert.h>
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/list.h"
#include "base/loop.h"
#include "base/mem.h"

#define LOCK_PATIENCE_MS 500
#define SEND_AT_ONCE (256 * 1024)
#define BATCH_BYTES (4 * 1024 * 1024)
#define HELPER_SOCKET 3
#define HELPER_ROOT 4
#define NEW_SUFFIX "~" /* a replacement in the making; ids are escaped, so no real name ends so */

enum op { OP_OPEN, OP_APPEND, OP_CLOSE, OP_REPLACE, OP_OVERWRITE, OP_REMOVE };

struct request {
	uint32_t op;
	uint32_t file;      /* OPEN, APPEND, CLOSE */
	uint32_t path_size; /* with its NUL; 0 when the operation has no path */
	uint32_t data_size;
	uint64_t offset; /* OVERWRITE: where; OPEN: the durable length */
};

/* ================ the helper ================ */

struct helper_file {
	int fd;
	uint64_t durable, written;
	int failed; /* status for the rest of the batch */
};

struct helper {
	struct helper_file *files;
	uint32_t n_files;
	struct buf in, out;
	struct buf waiting; /* uint32_t file of each append that is written and not yet synced, in order */
};

static int write_all(int fd, const void *data, size_t size, uint64_t offset)
{
	const char *at = data;

	while (size) {
		ssize_t n = pwrite(fd, at, size, (off_t)offset);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return n < 0 ? -errno : -EIO;
		at += n;
		offset += (uint64_t)n;
		size -= (size_t)n;
	}
	return 0;
}

static int sync_parent(int root, const char *path)
{
	_cleanup_free_ char *folder = xstrdup(path);
	char *slash = strrchr(folder, '/');

	if (slash)
		*slash = 0;
	_cleanup_close_ int fd = openat(root, slash ? folder : ".", O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	return fsync(fd) < 0 ? -errno : 0;
}

static void reply(struct helper *h, int32_t status)
{
	buf_append(&h->out, &status, sizeof(status));
}

static void sync_file(struct helper_file *f)
{
	if (f->written == f->durable || f->failed)
		return;
	if (fdatasync(f->fd) == 0) {
		f->durable = f->written;
		return;
	}
	f->failed = -errno;
	f->written = f->durable;
	/* Should this fail too, the next append overwrites what is there. */
	if (ftruncate(f->fd, (off_t)f->durable) < 0)
		return;
}

/* Makes the waiting appends durable and answers them. */
static void settle(struct helper *h)
{
	const uint32_t *waiting = (const uint32_t *)(const void *)h->waiting.data;
	size_t n = h->waiting.size / sizeof(*waiting);

	for (size_t i = 0; i < n; i++)
		sync_file(&h->files[waiting[i]]);
	for (size_t i = 0; i < n; i++)
		reply(h, h->files[waiting[i]].failed);
	buf_clear(&h->waiting);
}

static void do_open(struct helper *h, const struct request *r, const char *path)
{
	if (r->file >= h->n_files) {
		h->files = xrealloc(h->files, (r->file + 1) * sizeof(*h->files));
		for (; h->n_files <= r->file; h->n_files++)
			h->files[h->n_files] = (struct helper_file){.fd = -1};
	}
	struct helper_file *f = &h->files[r->file];
	*f = (struct helper_file){.fd = openat(HELPER_ROOT, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600),
	                          .durable = r->offset,
	                          .written = r->offset};
	if (f->fd < 0 || ftruncate(f->fd, (off_t)r->offset) < 0 || sync_parent(HELPER_ROOT, path) < 0)
		f->failed = errno ? -errno : -EIO;
}

static void do_append(struct helper *h, const struct request *r, const void *data)
{
	struct helper_file *f = &h->files[r->file];

	int status = f->failed ? f->failed : write_all(f->fd, data, r->data_size, f->written);
	if (status == 0) {
		f->written += r->data_size;
		buf_append(&h->waiting, &r->file, sizeof(r->file));
		return;
	}
	settle(h); /* what was written before it counts, and is answered first */
	if (!f->failed && ftruncate(f->fd, (off_t)f->durable) < 0)
		status = -errno;
	f->written = f->durable;
	f->failed = f->failed ? f->failed : status;
	reply(h, status);
}

static int do_replace(const char *path, const void *data, size_t size)
{
	_cleanup_free_ char *fresh = xasprintf("%s" NEW_SUFFIX, path);
	_cleanup_close_ int fd = openat(HELPER_ROOT, fresh, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);

	if (fd < 0)
		return -errno;
	int r = write_all(fd, data, size, 0);
	if (r == 0 && (fsync(fd) < 0 || renameat(HELPER_ROOT, fresh, HELPER_ROOT, path) < 0))
		r = -errno;
	if (r < 0) {
		unlinkat(HELPER_ROOT, fresh, 0);
		return r;
	}
	return sync_parent(HELPER_ROOT, path);
}

static int do_overwrite(const char *path, uint64_t offset, const void *data, size_t size)
{
	_cleanup_close_ int fd = openat(HELPER_ROOT, path, O_WRONLY | O_CLOEXEC);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return -errno;
	if (offset > (uint64_t)st.st_size || size > (uint64_t)st.st_size - offset)
		return -EINVAL;
	int r = write_all(fd, data, size, offset);
	if (r == 0 && fdatasync(fd) < 0)
		r = -errno;
	return r;
}

static int do_remove(const char *path)
{
	if (unlinkat(HELPER_ROOT, path, 0) < 0)
		return errno == ENOENT ? 0 : -errno;
	return sync_parent(HELPER_ROOT, path);
}

static void do_request(struct helper *h, const struct request *r, const char *path, const void *data)
{
	if ((r->op == OP_APPEND || r->op == OP_CLOSE) && r->file >= h->n_files)
		_exit(1);
	if (r->op == OP_APPEND) {
		do_append(h, r, data);
		return;
	}
	settle(h);
	switch (r->op) {
	case OP_OPEN:
		do_open(h, r, path);
		return;
	case OP_CLOSE:
		close(h->files[r->file].fd);
		h->files[r->file].fd = -1;
		return;
	case OP_REPLACE:
		reply(h, do_replace(path, data, r->data_size));
		return;
	case OP_OVERWRITE:
		reply(h, do_overwrite(path, r->offset, data, r->data_size));
		return;
	case OP_REMOVE:
		reply(h, do_remove(path));
		return;
	}
	_exit(1);
}

/* Does every whole request in h->in. */
static void do_batch(struct helper *h)
{
	size_t at = 0;
	struct request r;

	for (uint32_t i = 0; i < h->n_files; i++)
		if (h->files[i].fd >= 0)
			h->files[i].failed = 0;
	while (h->in.size - at >= sizeof(r)) {
		memcpy(&r, h->in.data + at, sizeof(r));
		size_t whole = sizeof(r) + r.path_size + (size_t)r.data_size;
		if (h->in.size - at < whole)
			break;
		const char *path = (const char *)h->in.data + at + sizeof(r);
		do_request(h, &r, path, path + r.path_size);
		at += whole;
	}
	settle(h);
	buf_consume(&h->in, at);
}

/* Waits for bytes, then takes what else is there. False at the end. */
static bool receive(struct helper *h)
{
	int flags = 0;

	while (h->in.size < BATCH_BYTES || flags == 0) {
		buf_reserve(&h->in, SEND_AT_ONCE);
		ssize_t n = recv(HELPER_SOCKET, h->in.data + h->in.size, SEND_AT_ONCE, flags);
		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return flags != 0; /* at end of file the batch is still done; the next call ends */
		h->in.size += (size_t)n;
		flags = MSG_DONTWAIT;
	}
	return true;
}

static void helper_main(int sock, int root)
{
	struct helper h = {0};

	signal(SIGINT, SIG_IGN);
	signal(SIGTERM, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	prctl(PR_SET_NAME, "fairlead-disk");
	/* Out of the way first: either may be 3 or 4. */
	sock = fcntl(sock, F_DUPFD, HELPER_ROOT + 1);
	root = fcntl(root, F_DUPFD, HELPER_ROOT + 1);
	if (dup2(sock, HELPER_SOCKET) < 0 || dup2(root, HELPER_ROOT) < 0 || close_range(HELPER_ROOT + 1, ~0u, 0) < 0)
		_exit(1);
	while (receive(&h)) {
		do_batch(&h);
		for (size_t sent = 0; sent < h.out.size;) {
			ssize_t n = send(HELPER_SOCKET, h.out.data + sent, h.out.size - sent, MSG_NOSIGNAL);
			if (n < 0 && errno != EINTR)
				_exit(0);
			sent += n > 0 ? (size_t)n : 0;
		}
		buf_clear(&h.out);
	}
	_exit(0);
}

/* ================ the daemon's side ================ */

struct call {
	struct list_node node;
	struct disk_file *file; /* of an append; NULL when it was closed since and for other calls */
	size_t size;
	disk_fn fn;
	void *user;
};

struct disk {
	struct loop *loop;
	char *root;
	int root_fd, sock;
	pid_t helper; /* 0: none */
	struct watch watch;
	struct turn_hook flush;
	struct buf out, in;
	size_t sent; /* of out */
	struct list calls;
	size_t n_calls;
	struct list files;
	bool in_callback, destroyed;
};

struct disk_file {
	struct list_node node;
	struct disk *disk;
	char *path;
	uint32_t id;
	uint64_t durable;
};

static void on_socket(void *user, int events);
static void send_requests(void *user);

static void put_request(struct disk *d, struct request r, const char *path, const void *data)
{
	r.path_size = path ? (uint32_t)strlen(path) + 1 : 0;
	if (d->out.size == d->sent)
		loop_again(d->loop);
	buf_append(&d->out, &r, sizeof(r));
	buf_append(&d->out, path, r.path_size);
	buf_append(&d->out, data, r.data_size);
}

static void put_open(struct disk_file *f)
{
	put_request(f->disk, (struct request){.op = OP_OPEN, .file = f->id, .offset = f->durable}, f->path, NULL);
}

static int start_helper(struct disk *d)
{
	int pair[2];

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return -errno;
	pid_t pid = fork();
	if (pid == 0)
		helper_main(pair[1], d->root_fd);
	close(pair[1]);
	if (pid < 0) {
		close(pair[0]);
		return -EAGAIN;
	}
	d->helper = pid;
	d->sock = pair[0];
	fcntl(d->sock, F_SETFL, fcntl(d->sock, F_GETFL) | O_NONBLOCK);
	watch_init(&d->watch, d->loop, d->sock, on_socket, d);
	watch_set(&d->watch, WATCH_READ);
	return 0;
}

static void stop_helper(struct disk *d)
{
	if (!d->helper)
		return;
	watch_stop(&d->watch);
	close(d->sock);
	while (waitpid(d->helper, NULL, 0) < 0 && errno == EINTR)
		;
	d->helper = 0;
}

/* A call to be answered; starts a helper when the last one died. */
static void put_call(struct disk *d, struct disk_file *f, struct request r, const char *path, const void *data,
                     disk_fn fn, void *user)
{
	struct call *c = xcalloc(1, sizeof(*c));
	struct disk_file *other;

	*c = (struct call){.file = f, .size = r.data_size, .fn = fn, .user = user};
	list_push(&d->calls, &c->node);
	d->n_calls++;
	if (!d->helper && d->out.size == 0 && start_helper(d) == 0)
		LIST_FOREACH (other, &d->files, struct disk_file, node)
			put_open(other);
	put_request(d, r, path, data);
}

/* Answers the first pending call. The callback may destroy the disk. */
static void finish_call(struct disk *d, int status)
{
	struct call *c = CONTAINER_OF(list_first(&d->calls), struct call, node);

	list_remove(&c->node);
	d->n_calls--;
	if (status == 0 && c->file)
		c->file->durable += c->size;
	disk_fn fn = c->fn;
	void *user = c->user;
	free(c);
	if (fn)
		fn(user, status);
}

static void free_disk(struct disk *d)
{
	struct call *c;

	stop_helper(d);
	LIST_FOREACH (c, &d->calls, struct call, node)
		free(c);
	if (d->root_fd >= 0)
		close(d->root_fd);
	loop_remove_hook(&d->flush);
	buf_fini(&d->in);
	buf_fini(&d->out);
	free(d->root);
	free(d);
}

/* Answers the first n calls; a disk_destroy inside a callback takes effect at the end. */
static void answer(struct disk *d, size_t n, const int32_t *statuses, int32_t otherwise)
{
	d->in_callback = true;
	for (size_t i = 0; i < n && !d->destroyed; i++)
		finish_call(d, statuses ? statuses[i] : otherwise);
	d->in_callback = false;
	if (d->destroyed)
		free_disk(d);
}

static void helper_died(struct disk *d)
{
	stop_helper(d);
	buf_clear(&d->in);
	buf_clear(&d->out);
	d->sent = 0;
	answer(d, d->n_calls, NULL, -EIO);
}

static void on_socket(void *user, int events)
{
	struct disk *d = user;

	if (events & WATCH_WRITE)
		send_requests(d);
	if (!(events & WATCH_READ))
		return;
	buf_reserve(&d->in, 4096);
	ssize_t got = recv(d->sock, d->in.data + d->in.size, d->in.capacity - d->in.size, 0);
	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return;
	if (got <= 0) {
		helper_died(d);
		return;
	}
	d->in.size += (size_t)got;
	size_t n = d->in.size / sizeof(int32_t);
	struct buf statuses = d->in; /* callbacks may destroy d */
	d->in = (struct buf){0};
	buf_append(&d->in, statuses.data + n * sizeof(int32_t), statuses.size - n * sizeof(int32_t));
	answer(d, n, (const int32_t *)(const void *)statuses.data, 0);
	buf_fini(&statuses);
}

/* Turn hook: hands the turn's requests over in one go. */
static void send_requests(void *user)
{
	struct disk *d = user;

	if (d->out.size == 0)
		return;
	if (!d->helper) { /* it could not be started */
		helper_died(d);
		return;
	}
	while (d->sent < d->out.size) {
		ssize_t n = send(d->sock, d->out.data + d->sent, d->out.size - d->sent, MSG_NOSIGNAL);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0 && errno != EAGAIN)
			break; /* reading will tell that it died */
		if (n < 0) {
			watch_set(&d->watch, WATCH_READ | WATCH_WRITE);
			return;
		}
		d->sent += (size_t)n;
	}
	buf_clear(&d->out);
	d->sent = 0;
	watch_set(&d->watch, WATCH_READ);
}

static int make_folders(int root, const char *path, struct err *err)
{
	_cleanup_free_ char *copy = xstrdup(path);

	for (char *at = copy + 1;; at++) {
		char c = *at;
		if (c != '/' && c != 0)
			continue;
		*at = 0;
		if (mkdirat(root, copy, 0700) == 0) {
			if (sync_parent(root, copy) < 0)
				return err_set(err, errno, "cannot sync the folder of %s: %s", copy, strerror(errno));
		} else if (errno != EEXIST) {
			return err_set(err, errno, "cannot make folder %s: %s", copy, strerror(errno));
		}
		*at = c;
		if (!c)
			return 0;
	}
}

struct disk *disk_create(struct loop *l, const char *root, struct err *err)
{
	struct disk *d = xcalloc(1, sizeof(*d));

	d->loop = l;
	d->root = xstrdup(root);
	d->root_fd = -1;
	list_init(&d->calls);
	list_init(&d->files);
	if (make_folders(AT_FDCWD, root, err) < 0)
		goto fail;
	d->root_fd = open(root, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	if (d->root_fd < 0) {
		err_set(err, errno, "cannot open folder %s: %s", root, strerror(errno));
		goto fail;
	}
	int r = start_helper(d);
	if (r < 0) {
		err_set(err, -r, "cannot start the disk helper: %s", strerror(-r));
		goto fail;
	}
	/* Behind the journals, which append in their own hook. */
	loop_add_hook(l, &d->flush, send_requests, d, TURN_ORDER_DURABLE + 1);
	return d;
fail:
	disk_destroy(d);
	return NULL;
}

void disk_destroy(struct disk *d)
{
	struct disk_file *f;

	if (!d || d->destroyed)
		return;
	LIST_FOREACH (f, &d->files, struct disk_file, node)
		disk_close(f);
	d->destroyed = true;
	if (!d->in_callback)
		free_disk(d);
}

const char *disk_root(const struct disk *d)
{
	return d->root;
}

int disk_lock(struct disk *d, struct err *err)
{
	for (int waited = 0; flock(d->root_fd, LOCK_EX | LOCK_NB) < 0; waited += 10) {
		if (errno != EWOULDBLOCK && errno != EINTR)
			return err_set(err, errno, "cannot lock %s: %s", d->root, strerror(errno));
		if (waited >= LOCK_PATIENCE_MS)
			return err_set(err, EAGAIN, "%s is in use by another process", d->root);
		poll(NULL, 0, 10); /* start-up only: a killed predecessor's helper may still be writing */
	}
	return 0;
}

int disk_read(struct disk *d, const char *path, size_t max_bytes, struct buf *ret, struct err *err)
{
	_cleanup_close_ int fd = openat(d->root_fd, path, O_RDONLY | O_CLOEXEC);
	_cleanup_buf_ struct buf b = {0};

	if (fd < 0)
		return err_set(err, errno, "cannot open %s/%s: %s", d->root, path, strerror(errno));
	for (;;) {
		buf_reserve(&b, 64 * 1024);
		ssize_t n = read(fd, b.data + b.size, b.capacity - b.size);
		if (n < 0 && errno == EINTR)
			continue;
		if (n < 0)
			return err_set(err, errno, "cannot read %s/%s: %s", d->root, path, strerror(errno));
		if (n == 0)
			break;
		b.size += (size_t)n;
		if (b.size > max_bytes)
			return err_set(err, EFBIG, "%s/%s is larger than %zu bytes", d->root, path, max_bytes);
	}
	buf_append(ret, b.data, b.size);
	return 0;
}

static int real_name(const struct dirent *e)
{
	size_t n = strlen(e->d_name);
	return e->d_name[0] != '.' && e->d_name[n - 1] != NEW_SUFFIX[0];
}

static int by_bytes(const struct dirent **a, const struct dirent **b)
{
	return strcmp((*a)->d_name, (*b)->d_name);
}

int disk_list(struct disk *d, const char *path, void (*fn)(void *user, const char *name), void *user)
{
	struct dirent **names;
	int n = scandirat(d->root_fd, *path ? path : ".", &names, real_name, by_bytes);

	if (n < 0)
		return errno == ENOENT ? 0 : -errno;
	for (int i = 0; i < n; i++) {
		fn(user, names[i]->d_name);
		free(names[i]);
	}
	free(names);
	return 0;
}

int disk_mkdir(struct disk *d, const char *path, struct err *err)
{
	return make_folders(d->root_fd, path, err);
}

int disk_truncate(struct disk *d, const char *path, uint64_t size, struct err *err)
{
	_cleanup_close_ int fd = openat(d->root_fd, path, O_WRONLY | O_CLOEXEC);

	if (fd < 0 || ftruncate(fd, (off_t)size) < 0 || fsync(fd) < 0)
		return err_set(err, errno, "cannot cut %s/%s: %s", d->root, path, strerror(errno));
	return 0;
}

static uint32_t free_id(const struct disk *d)
{
	struct disk_file *f;
	uint32_t id = 0;

	/* Ids ascend along the list: the first gap is free. */
	LIST_FOREACH (f, &d->files, struct disk_file, node) {
		if (f->id != id)
			break;
		id++;
	}
	return id;
}

struct disk_file *disk_open(struct disk *d, const char *path, struct err *err)
{
	_cleanup_close_ int fd = openat(d->root_fd, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0) {
		err_set(err, errno, "cannot open %s/%s: %s", d->root, path, strerror(errno));
		return NULL;
	}
	struct disk_file *f = xcalloc(1, sizeof(*f));
	*f = (struct disk_file){.disk = d, .path = xstrdup(path), .id = free_id(d), .durable = (uint64_t)st.st_size};
	struct disk_file *next;
	struct list_node *at = &d->files.head;
	LIST_FOREACH (next, &d->files, struct disk_file, node) {
		if (next->id > f->id) {
			at = &next->node;
			break;
		}
	}
	list_insert_before(at, &f->node);
	if (d->helper)
		put_open(f);
	return f;
}

void disk_append(struct disk_file *f, const void *data, size_t size, disk_fn fn, void *user)
{
	struct request r = {.op = OP_APPEND, .file = f->id, .data_size = (uint32_t)size};

	assert(size <= UINT32_MAX);
	put_call(f->disk, f, r, NULL, data, fn, user);
}

uint64_t disk_size(const struct disk_file *f)
{
	return f->durable;
}

void disk_close(struct disk_file *f)
{
	struct call *c;

	if (!f)
		return;
	LIST_FOREACH (c, &f->disk->calls, struct call, node)
		if (c->file == f) {
			c->file = NULL;
			c->fn = NULL;
		}
	if (f->disk->helper)
		put_request(f->disk, (struct request){.op = OP_CLOSE, .file = f->id}, NULL, NULL);
	list_remove(&f->node);
	free(f->path);
	free(f);
}

void disk_replace(struct disk *d, const char *path, const void *data, size_t size, disk_fn fn, void *user)
{
	struct request r = {.op = OP_REPLACE, .data_size = (uint32_t)size};

	assert(size <= UINT32_MAX);
	put_call(d, NULL, r, path, data, fn, user);
}

void disk_overwrite(struct disk *d, const char *path, uint64_t offset, const void *data, size_t size, disk_fn fn,
                    void *user)
{
	struct request r = {.op = OP_OVERWRITE, .data_size = (uint32_t)size, .offset = offset};

	assert(size <= UINT32_MAX);
	put_call(d, NULL, r, path, data, fn, user);
}

int disk_allocate(struct disk *d, const char *path, size_t size, struct err *err)
{
	_cleanup_close_ int fd = openat(d->root_fd, path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	struct stat st;

	if (fd < 0 || fstat(fd, &st) < 0)
		return err_set(err, errno, "cannot open %s/%s: %s", d->root, path, strerror(errno));
	if ((uint64_t)st.st_size >= size)
		return 0;
	/* Written, not only reserved: an overwrite must never need another block. */
	size_t missing = size - (size_t)st.st_size;
	_cleanup_free_ void *zeros = xcalloc(1, missing);
	int r = write_all(fd, zeros, missing, (uint64_t)st.st_size);
	if (r == 0 && fsync(fd) < 0)
		r = -errno;
	if (r == 0)
		r = sync_parent(d->root_fd, path);
	return r < 0 ? err_set(err, -r, "cannot allocate %s/%s: %s", d->root, path, strerror(-r)) : 0;
}

void disk_remove(struct disk *d, const char *path, disk_fn fn, void *user)
{
	put_call(d, NULL, (struct request){.op = OP_REMOVE}, path, NULL, fn, user);
}
