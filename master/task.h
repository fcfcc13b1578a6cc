/* A task as the master knows it. */
#ifndef FL_MASTER_TASK_H
#define FL_MASTER_TASK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/sm.h"
#include "drf/drf.h"
#include "msg/codec.h"
#include "msg/resources.h"

struct framework;
struct master;
struct slave;

#define TASK_HISTORY 16

enum task_sm { TASK_LIVE, TASK_UNREACHABLE, TASK_ENDED, TASK_COMPLETED };

struct task {
	struct hash_node node;
	struct list_node absent;                 /* in its framework's list of unreachable ones while it is */
	struct list_node by_slave, by_framework; /* by_framework: also in the ring of completed ones */
	struct master *m;
	struct sm sm;
	char *key;                                       /* framework/task */
	const char *id, *framework_id, *slave_id, *role; /* of rec */
	struct owned rec;                                /* fl_task without states and statuses */
	struct resources resources;
	drf_id client;
	enum fl_task_state latest_state;        /* newest its slave has told */
	enum fl_task_state status_update_state; /* what its framework was last sent; 0: nothing yet */
	struct owned pending;                   /* fl_task_status with a uuid, passed on and not acknowledged */
	struct owned history[TASK_HISTORY];     /* fl_task_status without data, oldest first */
	size_t n_history;
	uint64_t accept;  /* of the ACCEPT that launched it under this master, by its offers; else 0 */
	bool kill_wanted; /* ordered to be killed: said again when its slave comes back */
	struct owned kill_policy;
	int64_t unreachable_wall_ns;
};

/* rec is copied; its role and state count. Live and terminal states only. A live one is taken in the ledger when
 * `reported` (tasks of a returning slave), else it takes over what an offer held. */
struct task *task_create(struct framework *f, struct slave *s, const struct fl_task *rec, bool reported);
void task_destroy(struct task *t);
struct task *task_find(const struct master *m, const char *framework_id, const char *task_id);
bool task_terminal(enum fl_task_state state);

/* Facts from its slave. A terminal one gives its resources back at once; terminal tasks do not change any more. */
void task_set_latest(struct task *t, enum fl_task_state state);
void task_lose(struct task *t, int64_t since_wall_ns); /* its slave is unreachable */
void task_return(struct task *t);                      /* its slave is back and has it */
void task_add_status(struct task *t, const struct fl_task_status *status);
/* Nothing is owed any more: into the ring of its framework. t may be freed. */
void task_complete(struct task *t);
/* The registry has forgotten its slave: a live one is LOST, one unreachable stays so in the ring. t may be freed. */
void task_on_slave_removed(struct task *t);
void task_on_framework_removed(struct task *t); /* t may be freed */

/* Its newest status, NULL when there is none yet. */
const struct fl_task_status *task_status(const struct task *t);
/* A borrowed view, valid this turn. */
void task_to_wire(const struct task *t, struct zone *zone, struct fl_task *ret);

#endif
