/* Messages to their handlers. A message that schema.def addresses to the master without a handler here does not compile. */
#ifndef FL_MASTER_DISPATCH_H
#define FL_MASTER_DISPATCH_H

struct link;
struct master;
struct message_desc;

/* The master leads. rec is borrowed. May free k. */
void dispatch(struct master *m, struct link *k, const struct message_desc *desc, const void *rec);

#endif
