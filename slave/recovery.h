/* The start after a stop, a crash or a reboot: tasks out of the journal, containers taken up again, left-overs swept. */
#ifndef FL_SLAVE_RECOVERY_H
#define FL_SLAVE_RECOVERY_H

#include <stdbool.h>
#include <stdint.h>

struct fl_journal_record;
struct journal;
struct slave;

/* The journal's callbacks (journal_ops); user is the slave. */
void recovery_on_record(void *user, const struct fl_journal_record *rec);
void recovery_on_broken(void *user, const char *segment, uint64_t offset, const char *key, const char *why);
bool recovery_snapshot(void *user, struct journal *j, bool first);

/* After the last record: adopts, ends what cannot be, sweeps what nobody knows. */
void recovery_finish(struct slave *s);

#endif
