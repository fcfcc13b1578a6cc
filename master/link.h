/* A framed connection that was accepted, whoever is at its other end. Slaves and frameworks know theirs by its id.
 *
 * While this master recovers or is suspended, what comes in is kept here and handled when it leads. */
#ifndef FL_MASTER_LINK_H
#define FL_MASTER_LINK_H

#include <stdbool.h>
#include <stddef.h>

#include "base/hash.h"
#include "base/list.h"
#include "msg/codec.h"

struct conn;
struct fl_slave_reregister;
struct master;
struct peer;

#define LINK_MAX_HELD (16u << 20)    /* bytes of messages kept while not leading */
#define LINK_MAX_REPORT (256u << 20) /* bytes of one re-registration, all parts */
#define LINKS_MAX_KEPT (512u << 20)  /* bytes of both, over all links */

struct link {
	struct hash_node node;
	char id[24];
	struct master *m;
	struct peer *peer;
	char *slave_id, *framework_id; /* whose it is, NULL before it said so */
	struct list report;            /* of link_part: a re-registration, as far as it has come */
	size_t report_bytes;
	bool reported; /* its last part has come and has not taken effect yet */
	struct list held;
	size_t held_bytes;
};

struct link_part {
	struct list_node node;
	struct owned msg; /* fl_slave_reregister */
};

void link_accept(void *user, struct conn *c);                   /* conn_accept_fn; user is the master */
struct link *link_find(const struct master *m, const char *id); /* id may be NULL */
void link_send(struct link *k, int message_id, const void *rec);
/* Each of these ends the link without telling its slave or framework; k is freed. */
void link_refuse(struct link *k, enum fl_refusal refusal, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
void link_error(struct link *k, const char *message); /* an ERROR event, then the end */
void link_finish(struct link *k);
/* Keeps a copy of this part of its report. False: that is too much, and k is freed. */
bool link_keep_part(struct link *k, const struct fl_slave_reregister *msg);
void link_drop_report(struct link *k);

void links_replay(struct master *m);     /* handles what was held; called when it begins to lead */
void links_refuse_all(struct master *m); /* office lost */
void links_destroy(struct master *m);

#endif
