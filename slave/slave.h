/* The slave: one object that owns everything a slave is. main.c makes it in production, the simulator in tests. */
#ifndef FL_SLAVE_SLAVE_H
#define FL_SLAVE_SLAVE_H

struct err;
struct loop;
struct slave;
struct slave_conf;

/* Recovers, listens, looks for the leader. conf is borrowed and must outlive it. NULL with a text for people. */
struct slave *slave_create(struct loop *l, const struct slave_conf *conf, struct err *err);
void slave_destroy(struct slave *s); /* NULL allowed; containers run on */
int slave_http_port(const struct slave *s);

/* For the simulator and tests: checks the invariants that this process can see (sum of its live tasks within its
 * resources, streams in order, highest epoch never falls); 0 or -EUCLEAN with what is wrong. */
int slave_check(const struct slave *s, struct err *err);

#endif
