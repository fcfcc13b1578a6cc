/* A slave at the door: it registers, or comes back in parts. */
#ifndef FL_MASTER_ADMISSION_H
#define FL_MASTER_ADMISSION_H

struct fl_slave_register;
struct fl_slave_reregister;
struct link;
struct master;

/* Both may free k. */
void admission_register(struct master *m, struct link *k, const struct fl_slave_register *msg);
void admission_reregister(struct master *m, struct link *k, const struct fl_slave_reregister *msg);

#endif
