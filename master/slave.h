/* A slave as the master knows it. */
#ifndef FL_MASTER_SLAVE_H
#define FL_MASTER_SLAVE_H

#include <stdbool.h>
#include <stdint.h>

#include "base/hash.h"
#include "base/loop.h"
#include "base/sm.h"
#include "drf/drf.h"
#include "msg/codec.h"
#include "msg/resources.h"

struct link;
struct master;

enum slave_sm {
	SLAVE_ADMITTING,
	SLAVE_REGISTERED,
	SLAVE_DISCONNECTED,
	SLAVE_MARKING,
	SLAVE_UNREACHABLE,
	SLAVE_RETURNING,
	SLAVE_RECOVERED,
	SLAVE_GONE,
	SLAVE_REMOVING,
};

struct slave {
	struct hash_node node, nonce_node;
	struct master *m;
	struct sm sm;
	char *id, *nonce, *version;
	char *link;        /* id of its link, NULL when none */
	struct owned info; /* fl_slave_info with id and ip filled in */
	struct resources total;
	drf_id drf;                /* 0 while it is not in the ledger */
	struct list_node absent;   /* in master.unreachable while it is */
	struct list tasks, offers; /* of task.by_slave, offer.by_slave */
	struct timer timer;        /* DISCONNECTED, RECOVERED: until it is unreachable */
	bool slot;                 /* the timer runs for its turn in unreachable_rate */
	bool due;                  /* it is to be marked unreachable */
	bool back;                 /* it registered under this leader */
	bool shrunk;               /* its tasks hold more than it has */
	bool told;                 /* marked while an order is given once a slave; false between handlers */
	uint64_t write_seq, written_seq;
	bool unwritten;
	int64_t registered_wall_ns, reregistered_wall_ns, unreachable_wall_ns;
};

/* info is copied and must have its id; state: ADMITTING, RETURNING, RECOVERED, UNREACHABLE or GONE. nonce may be NULL. */
struct slave *slave_create(struct master *m, const struct fl_slave_info *info, const char *nonce, enum slave_sm state);
void slave_destroy(struct slave *s);                              /* its tasks and offers must be gone */
struct slave *slave_find(const struct master *m, const char *id); /* id may be NULL */
struct slave *slave_find_nonce(const struct master *m, const char *nonce);
void slave_recover(struct master *m, const struct fl_registry_slave *rec);
/* Takes over what it now says of itself; true when something durable changed. */
bool slave_set_info(struct slave *s, const struct fl_slave_info *info);

/* The link speaks for this slave and has reported all it has; an older link is refused as a duplicate. */
void slave_attach(struct slave *s, struct link *k);
void slave_on_closed(struct slave *s);
void slave_on_written(struct slave *s, uint64_t seq);
void slaves_resume(struct master *m); /* office is certain again */
/* A new slave has this address: one that was disconnected there is not coming back. Its tasks are LOST. */
void slaves_replace(struct master *m, const char *ip, int64_t port);
void slaves_trim(struct master *m); /* forgets the longest unreachable ones; once a turn, outside of handlers */

void slave_rescind(struct slave *s); /* all offers of it */
void slave_weigh(struct slave *s);   /* tasks took something that no offer held: is it too much? */

/* Sends an order or an answer; false when it is not connected. */
bool slave_send(struct slave *s, int message_id, const void *rec);
bool slave_connected(const struct slave *s);
bool slave_recovering(const struct slave *s); /* known from the registry, may still come back with its tasks */
enum fl_slave_state slave_state(const struct slave *s);

#endif
