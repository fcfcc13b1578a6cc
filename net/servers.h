/* The servers of a ZooKeeper ensemble: names as given, and their addresses, looked up without blocking. Used by zk. */
#ifndef FL_NET_SERVERS_H
#define FL_NET_SERVERS_H

#include <stdbool.h>

#include "base/loop.h"

struct err;
struct servers;

/* hosts: "h:p,h:p", [h]:p for IPv6 literals. -EINVAL and NULL when malformed. fn: a lookup of all names has ended. */
struct servers *servers_create(struct loop *l, const char *hosts, loop_fn fn, void *user, struct err *err);
void servers_destroy(struct servers *s); /* NULL allowed */
int servers_count(const struct servers *s);
/* Looks all names up, unless that is under way; fn comes from a later turn. */
void servers_look_up(struct servers *s);
bool servers_looking(const struct servers *s);
/* "ip:port,ip:port" of all names that ever had an address; "" when none had. Valid until the next fn. */
const char *servers_addresses(const struct servers *s);

#endif
