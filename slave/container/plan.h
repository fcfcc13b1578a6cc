/* What is to be done to the file system, as a list: made by the slave, which may allocate and log, and carried out
 * either there (the skeleton) or by the child between clone and exec, which may not. */
#ifndef FL_SLAVE_CONTAINER_PLAN_H
#define FL_SLAVE_CONTAINER_PLAN_H

#include <stddef.h>
#include <sys/types.h>

struct buf;

enum plan_kind {
	PLAN_DIR,      /* make target, a folder, with mode */
	PLAN_FILE,     /* make target, an empty file */
	PLAN_LINK,     /* make target, a symbolic link to source */
	PLAN_DEVICE,   /* make target, a character device with mode and device */
	PLAN_BIND,     /* source and all below it at target; flags: MOUNT_ATTR_* for all of it. The last component of
	                  source is not followed when it is a symbolic link */
	PLAN_MOUNT,    /* a new file system: fstype, data, flags: MS_* */
	PLAN_COVER,    /* source, one of our own, over target; both stay as they are */
	PLAN_READONLY, /* target, a folder or file, becomes read-only where it is */
	PLAN_PRIVATE,  /* nothing that is mounted elsewhere shows up here or the reverse */
	PLAN_PIVOT,    /* target becomes the root and the working folder, the old one goes */
};

struct plan_op {
	enum plan_kind kind;
	char *source, *target, *data;
	const char *fstype;
	unsigned long flags;
	mode_t mode;
	dev_t device;
};

struct plan {
	struct plan_op *ops;
	size_t n;
};

void plan_fini(struct plan *p);
void plan_dir(struct plan *p, mode_t mode, const char *target, ...) __attribute__((format(printf, 3, 4)));
void plan_file(struct plan *p, const char *target, ...) __attribute__((format(printf, 2, 3)));
void plan_link(struct plan *p, const char *source, const char *target, ...) __attribute__((format(printf, 3, 4)));
void plan_device(struct plan *p, dev_t device, const char *target, ...) __attribute__((format(printf, 3, 4)));
void plan_bind(struct plan *p, const char *source, unsigned long flags, const char *target, ...)
	__attribute__((format(printf, 4, 5)));
/* data NULL: none. */
void plan_mount(struct plan *p, const char *fstype, unsigned long flags, const char *data, const char *target, ...)
	__attribute__((format(printf, 5, 6)));
void plan_cover(struct plan *p, const char *source, const char *target, ...) __attribute__((format(printf, 3, 4)));
void plan_readonly(struct plan *p, const char *target, ...) __attribute__((format(printf, 2, 3)));
void plan_private(struct plan *p);
void plan_pivot(struct plan *p, const char *target);

/* Carries it out. 0, or -errno and the index of the operation that failed. Allocates nothing, logs nothing. */
int plan_run(const struct plan *p, size_t *ret_failed);
/* What operation i does, for people: "mount /proc". Paths below strip are shown from there. */
void plan_describe(const struct plan *p, size_t i, const char *strip, struct buf *ret);

#endif
