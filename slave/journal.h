/* The slave's journal: one append-only log in segments journal/NNNNNNNN.log, read at start, compacted when most is dead.
 *
 * All records of a turn are made durable together, and one batch is under way at a time, so records become durable in
 * order. When the disk refuses, the journal is unhealthy: droppable records fail at once, all others wait and are tried
 * again every second until they are in. Replaying must allow for a record to come twice (a compaction may be cut short). */
#ifndef FL_SLAVE_JOURNAL_H
#define FL_SLAVE_JOURNAL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"

struct disk;
struct err;
struct fl_journal_record;
struct journal;
struct loop;

struct journal_ops {
	/* At start, for each record in order; borrowed. */
	void (*on_record)(void *user, const struct fl_journal_record *rec);
	/* At start: bytes that are no record. key: the task it costs ("framework/task", escaped), "" when unknown. */
	void (*on_broken)(void *user, const char *segment, uint64_t offset, const char *key, const char *why);
	/* Calls journal_put for the records of the live state, until all are put or journal_part_full. True: there are
	 * more, for another call in a later turn; first: begins anew. What changes between the parts is appended
	 * after the last one, and nothing becomes durable before. */
	bool (*snapshot)(void *user, struct journal *j, bool first);
	/* Whether records can be made durable has changed. */
	void (*on_health)(void *user, bool healthy, const char *why);
};

/* Whoever waits for a record embeds one. fn comes once, from the loop: 0 durable, or -errno (droppable records only). */
struct journal_wait {
	struct journal_entry *entry; /* NULL when not waiting */
	void (*fn)(void *user, int status);
	void *user;
};

/* Reads all segments (callbacks come from inside this call), cuts off a torn tail, sets damaged bytes aside under
 * journal/damaged/, and is ready to append. */
struct journal *journal_create(struct loop *l, struct disk *d, const struct journal_ops *ops, void *user,
                               struct err *err);
void journal_destroy(struct journal *j); /* NULL allowed; what is not durable yet may be lost, waits do not fire */

/* w may be NULL; w->fn and w->user must be set, and w not be waiting. droppable: see above. A record that cannot be
 * encoded is a fault of ours: asserted. */
void journal_append(struct journal *j, const struct fl_journal_record *rec, struct journal_wait *w, bool droppable);
void journal_wait_cancel(struct journal_wait *w); /* the record is still written */
static inline bool journal_waiting(const struct journal_wait *w)
{
	return w->entry != NULL;
}
/* Only from within ops->snapshot. */
void journal_put(struct journal *j, const struct fl_journal_record *rec);
bool journal_part_full(const struct journal *j);

bool journal_healthy(const struct journal *j);
/* For metrics: durable bytes in all segments, and compactions so far. */
uint64_t journal_size(const struct journal *j);
uint64_t journal_compactions(const struct journal *j);

#endif
