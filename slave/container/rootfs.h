/* What a task sees as its file system.
 *
 * The skeleton is what all containers have in common: the host's /usr /bin /sbin /lib* and an allow-list of /etc, read
 * only, and /dev. It is mounted once, in the slave's own mount namespace, so that each child has its copy by having a
 * namespace at all; the child adds what is the container's own (/proc /tmp /run /var /dev/shm /dev/pts /sandbox) and
 * makes it its root. A container with a root filesystem of its own has that, laid out in the same way, instead. */
#ifndef FL_SLAVE_CONTAINER_ROOTFS_H
#define FL_SLAVE_CONTAINER_ROOTFS_H

#include <sys/types.h>

struct err;
struct plan;
struct procs_conf;
struct rootfs;

#define ROOTFS_SANDBOX "/sandbox" /* inside */

/* Takes the process into a mount namespace of its own and mounts the skeleton below runtime_dir, which exists. work_dir
 * must not be below anything that tasks see. conf is borrowed. */
struct rootfs *rootfs_create(const struct procs_conf *conf, struct err *err);
void rootfs_destroy(struct rootfs *r); /* NULL allowed; unmounts; containers keep theirs */
/* Where the tree stands before it becomes the root; for messages. */
const char *rootfs_path(const struct rootfs *r);

struct rootfs_spec {
	const char *sandbox;
	const char *image; /* NULL: the host's */
	uid_t uid;         /* who owns /tmp, /run and /var */
	gid_t gid;
};

/* Appends to plan what a child has to do. Brings the skeleton up to date first, when a file of /etc was replaced. */
int rootfs_plan(struct rootfs *r, const struct rootfs_spec *spec, struct plan *plan, struct err *err);

#endif
