/* Coming back with an id: everything the slave has, in parts that take effect at the last one. */
#ifndef FL_SLAVE_REREGISTER_H
#define FL_SLAVE_REREGISTER_H

struct fl_slave_reregister;
struct slave;

#define REREGISTER_PART_BYTES (256u << 10)

/* Calls send for each part, in order; the record is borrowed. */
void reregister_parts(struct slave *s, void (*send)(void *user, const struct fl_slave_reregister *part), void *user);

#endif
