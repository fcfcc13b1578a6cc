/* The master's office: FOLLOWING, RECOVERING (reads the registry), LEADING, SUSPENDED (keeps everything, orders nothing). */
#ifndef FL_MASTER_LEADER_H
#define FL_MASTER_LEADER_H

#include <stdbool.h>

struct err;
struct fl_master_info;
struct master;

enum office_state { OFFICE_FOLLOWING, OFFICE_RECOVERING, OFFICE_LEADING, OFFICE_SUSPENDED };

/* Contends. -errno with a text for people. */
int leader_init(struct master *m, struct err *err);
void leader_fini(struct master *m); /* gives up office */
bool leader_leading(const struct master *m);
bool leader_in_office(const struct master *m); /* recovering, leading or suspended: peers are welcome */
const struct fl_master_info *leader_info(const struct master *m); /* who leads; NULL when unknown */

#endif
