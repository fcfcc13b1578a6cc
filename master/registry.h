/* What the master makes durable, and retries until it is: one object a slave, one a framework. Each noun counts its writes;
 * a write that fails for lack of office or of the store is repeated with what is true by then. */
#ifndef FL_MASTER_REGISTRY_H
#define FL_MASTER_REGISTRY_H

struct framework;
struct master;
struct slave;

void registry_init(struct master *m);
void registry_fini(struct master *m);   /* forgets writes in flight; the store must be gone or go next */
void registry_resume(struct master *m); /* office is certain: repeats what failed */
/* What the registry is to have of it by its state: nothing when REMOVING. slave_on_written comes with this write's number when it is durable. */
void registry_put_slave(struct slave *s);
void registry_put_framework(struct framework *f);
void registry_remove_framework(struct master *m, const char *id);

#endif
