/* Candidacy without ZooKeeper: one master, a locked folder, a term counter of its own.
 *
 * The folder holds `incarnation`, `term` and the store's folders. The lock is taken at birth and held until the end, so
 * that office, once taken, is never suspended nor lost. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/disk.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "net/elect_impl.h"
#include "net/store_impl.h"
#include "net/url.h"

#define RETRY_MS 1000
#define MAX_TEXT 256

struct elect_file {
	struct elect e;
	struct disk *disk;
	char incarnation[40];
	bool incarnation_written;
	uint64_t term; /* as the file has it */
	struct timer next;
};

static struct elect_file *of(const struct elect *e)
{
	return (struct elect_file *)e;
}

static void on_term_written(void *user, int status)
{
	struct elect_file *f = user;

	if (status != 0) {
		log_debug("elect.take file=term error=\"%s\"", strerror(-status));
		elect_suspend(&f->e);
		timer_set(&f->next, RETRY_MS);
		return;
	}
	f->term++;
	elect_set_leader(&f->e, f->e.self.rec);
	elect_lead(&f->e, f->incarnation, f->term);
}

static void write_term(struct elect_file *f)
{
	char text[24];
	int n = snprintf(text, sizeof(text), "%llu\n", (unsigned long long)f->term + 1);

	disk_replace(f->disk, "term", text, (size_t)n, on_term_written, f);
}

static void on_incarnation_written(void *user, int status)
{
	struct elect_file *f = user;

	if (status != 0) {
		log_debug("elect.take file=incarnation error=\"%s\"", strerror(-status));
		elect_suspend(&f->e);
		timer_set(&f->next, RETRY_MS);
		return;
	}
	f->incarnation_written = true;
	write_term(f);
}

static void on_next(void *user)
{
	struct elect_file *f = user;
	char text[48];

	elect_take(&f->e);
	if (f->incarnation_written) {
		write_term(f);
		return;
	}
	int n = snprintf(text, sizeof(text), "%s\n", f->incarnation);
	disk_replace(f->disk, "incarnation", text, (size_t)n, on_incarnation_written, f);
}

/* The first line of a file; *ret is NULL when it is not there. */
static int read_line(struct disk *d, const char *path, char **ret, struct err *err)
{
	_cleanup_buf_ struct buf text = {0};
	int rc = disk_read(d, path, MAX_TEXT, &text, err);

	*ret = NULL;
	if (rc == -ENOENT)
		return 0;
	if (rc < 0)
		return rc;
	*ret = xstrdup(buf_cstr(&text));
	(*ret)[strcspn(*ret, "\n")] = '\0';
	return 0;
}

static int load(struct elect_file *f, struct err *err)
{
	_cleanup_free_ char *incarnation = NULL, *term = NULL;
	int rc;

	if ((rc = read_line(f->disk, "incarnation", &incarnation, err)) < 0 ||
	    (rc = read_line(f->disk, "term", &term, err)) < 0)
		return rc;
	if (!incarnation || !term) { /* the incarnation is written first: without a term nobody has ever led */
		str_uuid(loop_random(f->e.loop), loop_random(f->e.loop), f->incarnation);
		return 0;
	}
	if (strlen(incarnation) < 8 || strlen(incarnation) >= sizeof(f->incarnation))
		return err_set(err, EINVAL, "%s/incarnation is damaged: restore it, or start with an empty folder",
		               disk_root(f->disk));
	if (str_to_uint64(term, INT64_MAX - 1, &f->term, NULL) < 0)
		return err_set(err, EINVAL, "%s/term is damaged: restore it, or start with an empty folder",
		               disk_root(f->disk));
	snprintf(f->incarnation, sizeof(f->incarnation), "%s", incarnation);
	f->incarnation_written = true;
	return 0;
}

static int open_folder(struct elect_file *f, const char *path, struct err *err)
{
	f->disk = disk_create(f->e.loop, path, err);
	if (!f->disk)
		return -EIO;
	int rc = disk_lock(f->disk, err);
	if (rc == -EAGAIN)
		return err_set(err, EAGAIN, "another master holds the registry in %s", path);
	return rc < 0 ? rc : load(f, err);
}

static void file_destroy(struct elect *e)
{
	struct elect_file *f = of(e);

	timer_stop(&f->next);
	if (f->disk)
		disk_destroy(f->disk);
	elect_fini(e);
	free(f);
}

static int64_t file_valid_until_ms(const struct elect *e)
{
	return INT64_MAX;
}

static const struct elect_backend backend = {
	.destroy = file_destroy,
	.valid_until_ms = file_valid_until_ms,
	.store = &store_file,
};

struct elect *elect_file_create(struct loop *l, const struct url *url, const struct fl_master_info *self,
                                const struct elect_ops *ops, void *user, struct err *err)
{
	struct elect_file *f = xcalloc(1, sizeof(*f));

	elect_init(&f->e, l, &backend, self, ops, user);
	timer_init(&f->next, l, on_next, f);
	if (open_folder(f, url->path, err) < 0) {
		file_destroy(&f->e);
		return NULL;
	}
	timer_set(&f->next, 0);
	return &f->e;
}

struct disk *elect_file_disk(const struct elect *e)
{
	return of(e)->disk;
}
