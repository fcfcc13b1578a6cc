/* ACCEPT: offers of one slave are used for tasks; the rest goes back. */
#ifndef FL_MASTER_ACCEPT_H
#define FL_MASTER_ACCEPT_H

struct fl_call_accept;
struct framework;

void accept_call(struct framework *f, const struct fl_call_accept *call);

#endif
