/* A master's candidacy: contends for leadership, takes terms of office, and tells who leads. design.md 4.
 *
 * States: FOLLOWING, TAKING (own node is first; the multi that raises the term is in flight), LEADING, SUSPENDED
 * (connection to ZooKeeper lost or the local deadline near: no new orders). Back ends: ZooKeeper, and file:// for a
 * single master (a locked folder). Never exits; an expired session makes a new handle and a new node. */
#ifndef FL_NET_ELECT_H
#define FL_NET_ELECT_H

#include <stdbool.h>
#include <stdint.h>

struct elect;
struct err;
struct fl_epoch;
struct fl_master_info;
struct loop;
struct url;

struct elect_ops {
	/* We took office under this epoch; comes again, with a higher term, after every suspension. Read the registry now. */
	void (*on_leading)(void *user, const struct fl_epoch *epoch);
	/* Not sure any more: give no orders, keep everything. */
	void (*on_suspended)(void *user);
	/* Somebody else leads or may: step down. */
	void (*on_lost)(void *user);
	/* Who leads, as read from the registry; NULL: nobody known. Ourselves included. */
	void (*on_leader)(void *user, const struct fl_master_info *leader);
};

struct elect_options {
	int session_ms; /* ZooKeeper session timeout asked for */
};

/* self is copied and written into our node as JSON. NULL and err for a bad URL or, with file://, a folder that is locked
 * or cannot be made. */
struct elect *elect_create(struct loop *l, const struct url *url, const struct fl_master_info *self,
                           const struct elect_options *options, const struct elect_ops *ops, void *user,
                           struct err *err);
void elect_destroy(struct elect *e); /* gives up office and removes our node; NULL allowed */
bool elect_leading(const struct elect *e);
const struct fl_epoch *elect_epoch(const struct elect *e);        /* while leading or suspended, else NULL */
const struct fl_master_info *elect_leader(const struct elect *e); /* NULL when unknown */

#endif
