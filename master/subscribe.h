/* SUBSCRIBE: a new framework, one that resumes by its id, or one that fails over. Rules 43 to 58. */
#ifndef FL_MASTER_SUBSCRIBE_H
#define FL_MASTER_SUBSCRIBE_H

struct fl_call;
struct link;
struct master;

void subscribe_call(struct master *m, struct link *k, const struct fl_call *call); /* may free k */

#endif
