/* The master: one object that owns everything a master is. main.c makes it in production, the simulator in tests. */
#ifndef FL_MASTER_MASTER_H
#define FL_MASTER_MASTER_H

struct err;
struct loop;
struct master;
struct master_conf;

/* Listens, contends. conf is borrowed and must outlive it. NULL with a text for people. */
struct master *master_create(struct loop *l, const struct master_conf *conf, struct err *err);
void master_destroy(struct master *m); /* NULL allowed; gives up office */
int master_http_port(const struct master *m);
int master_fairlead_port(const struct master *m);

/* For the simulator and tests: checks the invariants that this process can see (ledger sums, offers against the ledger,
 * tasks against slaves, states); 0 or -EUCLEAN with what is wrong. */
int master_check(const struct master *m, struct err *err);

#endif
