/* Is what a framework or slave says acceptable? Pure: looks at its arguments only. The first thing wrong is told, in words
 * that help whoever wrote it. */
#ifndef FL_MASTER_VALIDATE_H
#define FL_MASTER_VALIDATE_H

#include <stdbool.h>
#include <stddef.h>

struct err;
struct fl_call_subscribe;
struct fl_slave_info;
struct fl_task_info;
struct resources;

#define VALIDATE_MAX_ROLES 256
#define VALIDATE_MAX_LEVELS 32 /* of a role; what the ledger takes */
#define VALIDATE_MAX_RUN 128   /* bytes */

struct validate_task {
	const char *slave_id;              /* of the offers */
	const char *role;                  /* of the offers */
	const struct resources *available; /* what is left of them */
	bool in_use;                       /* the framework has a task of this id */
};

/* Rules 171 to 181, in their order. ret: what it takes; untouched on failure. */
int validate_task(const struct fl_task_info *task, const struct validate_task *where, struct resources *ret,
                  struct err *err);
/* Rules 43, 44, 54 and 56. */
int validate_subscribe(const struct fl_call_subscribe *subscribe, struct err *err);
int validate_slave(const struct fl_slave_info *slave, struct err *err);

#endif
