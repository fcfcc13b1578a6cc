/* What a slave is made of. For the files of this folder only; everybody else has slave.h. */
#ifndef FL_SLAVE_INTERNAL_H
#define FL_SLAVE_INTERNAL_H

#include <stdbool.h>

#include <fairlead/types.h>

#include "base/hash.h"
#include "base/list.h"
#include "msg/resources.h"
#include "slave/slave_metrics.h"

struct slave {
	struct loop *loop;
	const struct slave_conf *conf;
	struct disk *disk;
	struct identity *identity;
	struct journal *journal;
	struct procs *procs;
	struct updates *updates;
	struct master_link *link;
	struct dispatch *dispatch;
	struct gc *gc; /* NULL in the simulator */
	struct http_server *http;
	struct zone *zone;         /* info lives here */
	struct fl_slave_info info; /* without id */
	struct resources total;    /* what we have */
	struct resources used;     /* what live tasks hold; never more than total */
	struct hash tasks;         /* struct task by key */
	struct hash frameworks;    /* struct framework by id; those with tasks */
	struct list reaped;        /* struct task: done, freed in a later turn */
	struct list completed;     /* struct completed, newest last */
	size_t n_completed;
	struct launch_seen {
		uint64_t term, number;
	} launches[1024]; /* a ring of the newest orders to run a task, to know repetitions by */
	size_t n_launches;
	struct hash damaged; /* struct damage by key: tasks that lost a record; only while starting */
	uint64_t snapshot;   /* compactions of the journal begun */
	bool shut_down;      /* a master declared us gone: no new tasks, no registration */
	struct slave_metrics metrics;
};

/* Can it promise anything at the moment? False while the disk refuses the journal or the identity. */
bool slave_healthy(const struct slave *s);
/* Is there room for this beside what live tasks hold? */
bool slave_fits(const struct slave *s, const struct resources *wanted);
/* 16 random bytes. */
void slave_uuid(struct slave *s, uint8_t out[16]);

#endif
