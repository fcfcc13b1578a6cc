/* A framework as the master knows it, and its clients in the ledger: one for each role that it is in or has tasks in. */
#ifndef FL_MASTER_FRAMEWORK_H
#define FL_MASTER_FRAMEWORK_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/loop.h"
#include "base/sm.h"
#include "drf/drf.h"
#include "msg/codec.h"

struct link;
struct master;

enum framework_sm {
	FRAMEWORK_RECOVERED,
	FRAMEWORK_CONNECTED,
	FRAMEWORK_DISCONNECTED,
	FRAMEWORK_REMOVED,
};

struct client {
	struct list_node node;
	char *role;
	drf_id drf;
	bool subscribed; /* the framework is in this role now */
};

struct framework {
	struct hash_node node;
	struct list_node removed_node, announce_node;
	struct master *m;
	struct sm sm;
	char *id;
	char *link; /* id of its link while CONNECTED */
	char *run;  /* of the scheduler that subscribed last, where it says so, and its attempt */
	uint64_t attempt;
	struct owned info; /* fl_framework_info with id filled in */
	bool multi_role, partition_aware, killing_state;
	struct list clients;
	struct list tasks, completed, offers; /* of task.by_framework, offer.by_framework */
	size_t n_completed;
	struct list unreachable; /* of task.absent, the longest first */
	size_t n_unreachable;
	struct list fresh;                      /* offers not yet announced, of offer.fresh */
	struct timer timer;                     /* RECOVERED, DISCONNECTED: of its failover time, a slice at a time */
	int64_t left_ms;                        /* what remains of it after that slice */
	int64_t patience_ms, patience_until_ms; /* offer.c: back-off while it uses nothing */
	uint64_t write_seq, written_seq;
	bool unwritten;
	int64_t registered_wall_ns, reregistered_wall_ns, unregistered_wall_ns;
};

/* A new one, CONNECTED is for framework_connect to make. info is copied and must have its id. */
struct framework *framework_create(struct master *m, const struct fl_framework_info *info);
void framework_destroy(struct framework *f);                              /* its tasks and offers must be gone */
struct framework *framework_find(const struct master *m, const char *id); /* id may be NULL */
void framework_recover_registered(struct master *m, const struct fl_registry_framework *rec);
/* From a slave's report; nothing happens when it is known. */
struct framework *framework_recover_reported(struct master *m, const struct fl_framework_info *info);
/* Subscribed over k, which becomes its link; an older link hears ERROR. info is valid (validate_framework). */
void framework_connect(struct framework *f, struct link *k, const struct fl_framework_info *info,
                       const char *const *suppressed, size_t n_suppressed);
void framework_on_closed(struct framework *f);
/* TEARDOWN, or its failover time is over: its tasks are killed wherever they are or appear. */
void framework_remove(struct framework *f, const char *why);
/* One of its tasks has left it: a removed framework without tasks leaves the ledger and enters the ring. */
void framework_on_task_gone(struct framework *f);
void frameworks_trim_unreachable(struct master *m); /* ends the longest unreachable tasks of those with too many */
void frameworks_trim(struct master *m);             /* cuts the ring; once a turn, outside of handlers */

/* REVIVE and SUPPRESS; no roles: all. -EINVAL when one is not the framework's: nothing is done then. */
int framework_set_suppressed(struct framework *f, const char *const *roles, size_t n, bool suppressed);
/* The client for a role, made (not subscribed) when there is none. */
struct client *framework_client(struct framework *f, const char *role);

void framework_send(struct framework *f, const struct fl_event *event); /* dropped unless connected */
bool framework_connected(const struct framework *f);
bool framework_removed_for_good(const struct framework *f); /* and the registry knows */
int64_t framework_left_ms(const struct framework *f);
void frameworks_tell_failure(struct master *m, const char *slave_id);

#endif
