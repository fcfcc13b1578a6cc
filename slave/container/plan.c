#include "slave/container/plan.h"

#include <errno.h>
#include <fcntl.h>
#include <stdarg.h>
#include <stdint.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/mem.h"
#include "base/str.h"

void plan_fini(struct plan *p)
{
	for (size_t i = 0; i < p->n; i++) {
		free(p->ops[i].source);
		free(p->ops[i].target);
		free(p->ops[i].data);
	}
	free(p->ops);
	*p = (struct plan){0};
}

static struct plan_op *add(struct plan *p, enum plan_kind kind, const char *source, const char *target, va_list ap)
{
	struct buf text = {0};

	if ((p->n & (p->n + 1)) == 0) /* 0, 1, 3, 7 …: double */
		p->ops = xrealloc(p->ops, (2 * p->n + 1) * sizeof(*p->ops));
	struct plan_op *op = &p->ops[p->n++];
	buf_vprintf(&text, target, ap);
	*op = (struct plan_op){.kind = kind, .source = xstrdup(source), .target = xstrdup(buf_cstr(&text))};
	buf_fini(&text);
	return op;
}

#define ADD(kind, source)                                      \
	va_list ap;                                            \
	va_start(ap, target);                                  \
	struct plan_op *op = add(p, kind, source, target, ap); \
	va_end(ap)

void plan_dir(struct plan *p, mode_t mode, const char *target, ...)
{
	ADD(PLAN_DIR, NULL);
	op->mode = mode;
}

void plan_file(struct plan *p, const char *target, ...)
{
	ADD(PLAN_FILE, NULL);
	op->mode = 0444;
}

void plan_link(struct plan *p, const char *source, const char *target, ...)
{
	ADD(PLAN_LINK, source);
	(void)op;
}

void plan_device(struct plan *p, dev_t device, const char *target, ...)
{
	ADD(PLAN_DEVICE, NULL);
	op->mode = S_IFCHR | 0666;
	op->device = device;
}

void plan_bind(struct plan *p, const char *source, unsigned long flags, const char *target, ...)
{
	ADD(PLAN_BIND, source);
	op->flags = flags;
}

void plan_mount(struct plan *p, const char *fstype, unsigned long flags, const char *data, const char *target, ...)
{
	ADD(PLAN_MOUNT, NULL);
	op->fstype = fstype;
	op->flags = flags;
	op->data = xstrdup(data);
}

void plan_cover(struct plan *p, const char *source, const char *target, ...)
{
	ADD(PLAN_COVER, source);
	(void)op;
}

void plan_readonly(struct plan *p, const char *target, ...)
{
	ADD(PLAN_READONLY, NULL);
	(void)op;
}

static void add_plain(struct plan *p, enum plan_kind kind, const char *target, ...)
{
	ADD(kind, NULL);
	(void)op;
}

void plan_private(struct plan *p)
{
	add_plain(p, PLAN_PRIVATE, "/");
}

void plan_pivot(struct plan *p, const char *target)
{
	add_plain(p, PLAN_PIVOT, "%s", target);
}

/* ---- carrying out ---- */

static int bind_tree(const struct plan_op *op)
{
	struct mount_attr attr = {.attr_set = op->flags, .propagation = MS_PRIVATE};
	unsigned flags = OPEN_TREE_CLONE | OPEN_TREE_CLOEXEC | AT_RECURSIVE | AT_SYMLINK_NOFOLLOW;
	int tree = open_tree(AT_FDCWD, op->source, flags);
	int status = 0;

	if (tree < 0)
		return -errno;
	if (mount_setattr(tree, "", AT_EMPTY_PATH | AT_RECURSIVE, &attr, sizeof(attr)) < 0 ||
	    move_mount(tree, "", AT_FDCWD, op->target, MOVE_MOUNT_F_EMPTY_PATH) < 0)
		status = -errno;
	close(tree);
	return status;
}

static int make_file(const struct plan_op *op)
{
	int fd = open(op->target, O_WRONLY | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, op->mode);

	if (fd < 0)
		return -1;
	return close(fd);
}

static int make_readonly(const struct plan_op *op)
{
	unsigned long flags = MS_BIND | MS_REMOUNT | MS_RDONLY | MS_NOSUID | MS_NODEV | MS_NOEXEC;

	if (mount(op->target, op->target, NULL, MS_BIND | MS_REC, NULL) < 0)
		return -1;
	return mount(NULL, op->target, NULL, flags, NULL);
}

/* pivot_root onto itself: the old root ends up on top of the new one and is taken away. Then make sure that we are
 * where we think we are. */
static int pivot(const struct plan_op *op)
{
	struct stat root, here;

	if (chdir(op->target) < 0 || syscall(SYS_pivot_root, ".", ".") < 0 || umount2(".", MNT_DETACH) < 0 ||
	    chdir("/") < 0)
		return -1;
	if (stat("/", &root) < 0 || stat(".", &here) < 0)
		return -1;
	if (root.st_dev != here.st_dev || root.st_ino != here.st_ino) {
		errno = EXDEV;
		return -1;
	}
	return 0;
}

static int run(const struct plan_op *op)
{
	int status = 0;

	switch (op->kind) {
	case PLAN_DIR:
		status = mkdir(op->target, op->mode);
		if (status < 0 && errno == EEXIST)
			status = 0;
		break;
	case PLAN_FILE:
		status = make_file(op);
		break;
	case PLAN_LINK:
		status = symlink(op->source, op->target);
		break;
	case PLAN_DEVICE:
		status = mknod(op->target, op->mode, op->device);
		break;
	case PLAN_BIND:
		return bind_tree(op);
	case PLAN_MOUNT:
		status = mount(op->fstype, op->target, op->fstype, op->flags, op->data);
		break;
	case PLAN_COVER:
		status = mount(op->source, op->target, NULL, MS_BIND, NULL);
		break;
	case PLAN_READONLY:
		status = make_readonly(op);
		break;
	case PLAN_PRIVATE:
		status = mount(NULL, op->target, NULL, MS_REC | MS_PRIVATE, NULL);
		break;
	case PLAN_PIVOT:
		status = pivot(op);
		break;
	}
	return status < 0 ? -errno : 0;
}

int plan_run(const struct plan *p, size_t *ret_failed)
{
	for (size_t i = 0; i < p->n; i++) {
		int r = run(&p->ops[i]);
		if (r < 0) {
			*ret_failed = i;
			return r;
		}
	}
	return 0;
}

void plan_describe(const struct plan *p, size_t i, const char *strip, struct buf *ret)
{
	static const char *const verbs[] = {
		[PLAN_DIR] = "make folder",
		[PLAN_FILE] = "make file",
		[PLAN_LINK] = "make link",
		[PLAN_DEVICE] = "make device",
		[PLAN_BIND] = "bind",
		[PLAN_MOUNT] = "mount",
		[PLAN_COVER] = "cover",
		[PLAN_READONLY] = "make read-only",
		[PLAN_PRIVATE] = "make private",
		[PLAN_PIVOT] = "pivot_root",
	};
	const struct plan_op *op = &p->ops[i];
	const char *target = op->target;

	if (strip && str_starts_with(target, strip) && (target[strlen(strip)] == '/' || !target[strlen(strip)]))
		target += strlen(strip);
	buf_printf(ret, "%s ", verbs[op->kind]);
	if (op->kind == PLAN_BIND)
		buf_printf(ret, "%s at ", op->source);
	buf_append_str(ret, *target ? target : "/");
}
