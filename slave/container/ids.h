/* Who a task runs as: its user and groups, the map of a user namespace, capabilities by name. */
#ifndef FL_SLAVE_CONTAINER_IDS_H
#define FL_SLAVE_CONTAINER_IDS_H

#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "slave/container/wire.h"

struct buf;
struct err;

/* The init program's uid and gid on the host: nobody's, and never a task's. */
#define IDS_INIT 2000000000u
/* The owner of its program file: nobody who can be mapped. */
#define IDS_NOBODY 2000000001u

struct ids {
	uid_t uid;
	gid_t gid;
	gid_t groups[WIRE_MAX_GROUPS]; /* besides gid */
	size_t n_groups;
};

/* user: name or number; NULL: the process' own. A number that has no name is its own group. */
int ids_find(const char *user, struct ids *ret, struct err *err);

/* The init program's ids inside: 0, unless the task has that. */
uid_t ids_init_uid(const struct ids *ids);
gid_t ids_init_gid(const struct ids *ids);
/* Lines for /proc/PID/uid_map and gid_map: the task's ids as they are, and init's. */
void ids_uid_map(const struct ids *ids, struct buf *ret);
void ids_gid_map(const struct ids *ids, struct buf *ret);

/* Names without CAP_, NULL-terminated, to bits; NULL: none. */
int ids_capabilities(const char *const *names, uint64_t *ret, struct err *err);

#endif
