/* Who this slave is: its id, the highest epoch it has seen, and the nonce of its registration.
 *
 * Kept in the file "identity": two pre-allocated slots that are overwritten in turn, so that a new epoch can be stored on
 * a full disk, and a torn write costs only itself. Changes show in the getters at once and are durable when settled. */
#ifndef FL_SLAVE_IDENTITY_H
#define FL_SLAVE_IDENTITY_H

#include <stdbool.h>

struct disk;
struct err;
struct fl_epoch;
struct identity;
struct loop;

typedef void (*identity_fn)(void *user);

/* Reads, or makes a new nonce and begins to write it. fn: called from the loop whenever everything is durable again. A
 * damaged file is an error that says what to do. */
struct identity *identity_create(struct loop *l, struct disk *d, identity_fn fn, void *user, struct err *err);
void identity_destroy(struct identity *i); /* NULL allowed */

const char *identity_slave_id(const struct identity *i); /* NULL before the first registration */
const char *identity_nonce(const struct identity *i);
const struct fl_epoch *identity_epoch(
	const struct identity *i);               /* NULL when none was seen; borrowed until it changes */
bool identity_settled(const struct identity *i); /* all of the above is durable */
bool identity_failing(const struct identity *i); /* the last write failed; it is tried again */

void identity_set_slave_id(struct identity *i, const char *slave_id);
void identity_set_epoch(struct identity *i, const struct fl_epoch *epoch);

#endif
