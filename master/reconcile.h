/* RECONCILE: the table of reference rules 2.8. */
#ifndef FL_MASTER_RECONCILE_H
#define FL_MASTER_RECONCILE_H

struct fl_call_reconcile;
struct framework;

/* No tasks: all of the framework's that are known and reachable. */
void reconcile_call(struct framework *f, const struct fl_call_reconcile *call);
/* Answers for one task; slave_id may be NULL. Silent while its slave may still come back with it. */
void reconcile_one(struct framework *f, const char *task_id, const char *slave_id);

#endif
