/* The masters' nodes of a cluster in ZooKeeper: who contends, who is first, what the first one's node says. Used by elect
 * and detect. Embedded in its owner. */
#ifndef FL_NET_MASTERS_H
#define FL_NET_MASTERS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/loop.h"
#include "msg/codec.h"

struct zk;

#define MASTERS_PREFIX "json.info_"

struct masters {
	struct loop *loop;
	struct zk *zk;
	char *path;
	loop_fn fn;
	void *user;
	char **names; /* json.info_ children, smallest sequence first */
	size_t n_names;
	struct owned leader; /* MasterInfo of the first; rec NULL: none, or its node cannot be read as one */
	bool looking, again, fresh;
	bool watching_children, watching_path;
	struct timer retry;
};

/* fn: a look has ended (fresh is true): names and leader are as ZooKeeper has them. */
void masters_init(struct masters *m, struct loop *l, const char *path, loop_fn fn, void *user);
void masters_fini(struct masters *m);
/* From now on through this handle; the former one must be destroyed already. Keeps the leader. */
void masters_use(struct masters *m, struct zk *zk);
/* Reads again and keeps watching. To be called when the handle is connected (again). */
void masters_look(struct masters *m);
bool masters_has(const struct masters *m, const char *name);
/* Splits a list of children: those that are masters' nodes, in order of sequence; caller frees with masters_free_names. */
void masters_sort(const char *const *children, size_t n, char ***ret_names, size_t *ret_n);
void masters_free_names(char **names, size_t n);

#endif
