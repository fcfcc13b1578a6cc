/* Who leads? For slaves, frameworks and tools. From zk://… by watching the masters' nodes (the smallest sequence leads), or
 * from host:port,… by asking GET /version of each in turn (every second while there is no leader, every five otherwise,
 * and at once on detect_again). Keeps the last leader while ZooKeeper is away. */
#ifndef FL_NET_DETECT_H
#define FL_NET_DETECT_H

struct detect;
struct err;
struct fl_master_info;
struct loop;
struct url;

/* leader: borrowed; NULL: nobody leads. Called on every change, and first when known. */
typedef void (*detect_fn)(void *user, const struct fl_master_info *leader);

struct detect *detect_create(struct loop *l, const struct url *url, int session_ms, detect_fn fn, void *user,
                             struct err *err);
void detect_destroy(struct detect *d); /* NULL allowed */
/* The leader did not behave as one: look again soon. */
void detect_again(struct detect *d);

#endif
