/* The connection to the leading master: finds it, registers, comes back by itself, follows the leader. */
#ifndef FL_SLAVE_MASTER_LINK_H
#define FL_SLAVE_MASTER_LINK_H

#include <stdbool.h>

struct err;
struct master_link;
struct slave;

/* NULL with a text when conf->master is not a place where masters can be found. */
struct master_link *master_link_create(struct slave *s, struct err *err);
void master_link_destroy(struct master_link *m); /* NULL allowed */

/* Dropped when there is no connection. */
void master_link_send(struct master_link *m, int message_id, const void *rec);
/* The master has admitted us. */
void master_link_admitted(struct master_link *m);
/* An order was refused by its epoch: while registering, this is not the master to register with. */
void master_link_refused_order(struct master_link *m);
/* Something that a leader does not do: closes in a later turn and begins again. */
void master_link_drop(struct master_link *m, const char *why);
/* No registration any more; an open connection is used up to its end. */
void master_link_retire(struct master_link *m);
/* The identity is durable: what waited for it may go on. */
void master_link_on_settled(struct master_link *m);

bool master_link_registered(const struct master_link *m);

#endif
