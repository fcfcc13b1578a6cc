/* cgroups whose containers are over, until the kernel lets them be removed: what was in them may still be ending. */
#ifndef FL_SLAVE_CONTAINER_GRAVES_H
#define FL_SLAVE_CONTAINER_GRAVES_H

#include <stdbool.h>

#include "base/list.h"
#include "base/loop.h"

struct cgroups;

struct graves {
	struct loop *loop;
	struct cgroups *cgroups; /* NULL: none are used, nothing is ever buried */
	struct list list;
	struct timer dig;
};

void graves_init(struct graves *g, struct loop *l, struct cgroups *cgroups);
void graves_fini(struct graves *g); /* those that are left are for the next start to sweep */
/* Removes the cgroup, at once if it can be; kills what is in it as long as it cannot. "": nothing to do. */
void graves_bury(struct graves *g, const char *cgroup);
/* True when the cgroup of this name is waiting. */
bool graves_hold(const struct graves *g, const char *name);

#endif
