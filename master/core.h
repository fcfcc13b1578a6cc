/* What a master is made of; for the files of this folder. Every noun lies in one table here and refers to others by id. */
#ifndef FL_MASTER_CORE_H
#define FL_MASTER_CORE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/list.h"
#include "base/loop.h"
#include "base/sm.h"
#include "drf/drf.h"
#include "master/conf.h"
#include "master/master.h"
#include "msg/codec.h"
#include "net/url.h"

struct elect;
struct http_server;
struct listener;
struct store;

/* What others may make us keep or pass on, in bytes of msgpack; all of it fits a frame and a znode. */
#define MASTER_MAX_FRAMEWORK_INFO (64u << 10)
#define MASTER_MAX_SLAVE_INFO (128u << 10)
#define MASTER_MAX_TASK_INFO (1u << 20)
#define MASTER_MAX_STATUS (256u << 10)
#define MASTER_MAX_KEPT_STATUS (16u << 10) /* in a history */
#define MASTER_MAX_KEPT_TASK (64u << 10)   /* of one that is over */
#define MASTER_MAX_PART (256u << 10)       /* of a message that goes in parts */

struct metrics {
#define METRIC(field, kind, name, labels, help) int64_t field;
#include "master/metrics.def"
#undef METRIC
};

struct master {
	struct loop *loop;
	const struct master_conf *conf;
	char uuid[37];     /* of this run; ids begin with it */
	struct owned self; /* fl_master_info */
	int64_t started_wall_ns, elected_wall_ns;

	struct url url;
	struct listener *listener;
	struct http_server *http;
	struct elect *elect;
	struct store *store;

	struct sm office;   /* leader.c */
	struct owned epoch; /* fl_epoch while leading or suspended */
	bool loaded;        /* the registry was read since we took office */
	struct timer load_retry;

	struct hash links; /* link.c */
	uint64_t next_link;
	size_t kept_bytes; /* of what waits in them */

	struct drf *drf;
	struct hash slaves, nonces, frameworks, offers, tasks;
	struct list unreachable; /* slaves in that state, the longest first */
	size_t n_unreachable;
	struct list removed; /* frameworks in state REMOVED, oldest first */
	size_t n_removed;
	uint64_t next_slave, next_framework, next_offer, last_launch;
	int64_t next_mark_ms; /* unreachable_rate: the next slave may be declared unreachable then */

	struct list writes; /* registry.c: in flight */
	struct timer write_retry;
	struct list teardowns; /* teardown.c: requests that wait for a write */

	struct list announce; /* frameworks with fresh offers, offer_round.c */
	struct turn_hook round;
	struct timer filter_timer;

	struct metrics metrics;
};

/* An empty cluster and its end; office comes and goes between them. */
void master_cluster_init(struct master *m);
void master_cluster_fini(struct master *m);

#endif
