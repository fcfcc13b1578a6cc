/* Names to addresses, without blocking the loop: literal addresses, /etc/hosts, then the name servers of
 * /etc/resolv.conf, read afresh for each lookup. Internal to the seams of net/. */
#ifndef FL_NET_LOOKUP_H
#define FL_NET_LOOKUP_H

#include <stddef.h>

struct lookup;
struct loop;
struct sockaddr_storage;

#define LOOKUP_MAX 8

/* n 0: why says what went wrong. Everything is borrowed; the lookup is gone when fn returns. */
typedef void (*lookup_fn)(void *user, const struct sockaddr_storage *list, size_t n, const char *why);

/* Calls fn once, from the loop, never from inside this call. */
struct lookup *lookup_start(struct loop *l, const char *host, int port, lookup_fn fn, void *user);
/* Before fn only; NULL allowed. A question still out to a name server is given up in the loop's next turn. */
void lookup_cancel(struct lookup *k);

#endif
