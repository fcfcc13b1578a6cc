/* Owns the segments, the queue of records that are not durable yet, and the one write under way.
 *
 * Queue: entries in order; the first n_writing of them are in the write under way. A write is a batch of entries appended
 * to the active segment, or a compaction: the whole live state as the first bytes of a fresh segment, a part at a time,
 * after which the older ones are removed, oldest first. A failed write leaves all in the queue, except what may be dropped. */
#include "slave/journal.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/disk.h"
#include "base/err.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/str.h"
#include "slave/journal_format.h"

#define FOLDER "journal"
#define PROBE_PATH "probe"
#define RETRY_MS 1000
#define COMPACT_AT_LEAST (1u << 20) /* bytes; a smaller journal is left alone */
#define COMPACT_FACTOR 4            /* compact when this many times as big as what was live last time */
#define MAX_SEGMENT_BYTES ((size_t)1 << 30)
#define MAX_BATCH (4u << 20)
#define PART_BYTES (256u << 10) /* of a compaction, encoded in one turn */
#define MAX_ASIDE 16            /* pieces of damage kept at one start */

struct journal_entry {
	struct list_node node;
	struct buf bytes;
	struct journal_wait *wait;
	bool droppable;
};

struct journal {
	struct loop *loop;
	struct disk *disk;
	struct journal_ops ops;
	void *user;
	struct list queue;
	size_t n_writing;
	bool writing, compacting;
	bool wanted;  /* compact at the next chance */
	bool more;    /* parts of the live state after the one being written */
	bool discard; /* segment `number` failed as a fresh one and is to be removed */
	struct disk_file *active, *fresh;
	uint64_t number; /* of the newest segment, fresh included */
	uint64_t *old;   /* segments that the next compaction replaces */
	size_t n_old;
	uint64_t old_bytes, live_bytes;
	struct buf snapshot;
	struct turn_hook hook;
	struct timer retry;
	bool healthy;
	int last_status; /* of the last write, for what may be dropped meanwhile */
	uint64_t compactions;
	size_t n_aside;
};

static void segment_path(uint64_t number, char out[40])
{
	snprintf(out, 40, FOLDER "/%08" PRIu64 ".log", number);
}

/* ---- the queue ---- */

static void entry_free(struct journal_entry *e)
{
	if (e->wait)
		e->wait->entry = NULL;
	list_remove(&e->node);
	buf_fini(&e->bytes);
	free(e);
}

/* Tells and frees. The callback may append. */
static void entry_finish(struct journal_entry *e, int status)
{
	struct journal_wait *w = e->wait;

	entry_free(e);
	if (w)
		w->fn(w->user, status);
}

void journal_append(struct journal *j, const struct fl_journal_record *rec, struct journal_wait *w, bool droppable)
{
	struct journal_entry *e = xcalloc(1, sizeof(*e));
	struct err err = {0};

	int r = journal_format_put(rec, &e->bytes, &err);
	if (r < 0)
		log_error("journal.bad_record reason=%s", err.text);
	assert(r == 0);
	e->droppable = droppable;
	if (w) {
		assert(!w->entry && w->fn);
		w->entry = e;
		e->wait = w;
	}
	list_push(&j->queue, &e->node);
	loop_again(j->loop);
}

void journal_wait_cancel(struct journal_wait *w)
{
	if (!w->entry)
		return;
	w->entry->wait = NULL;
	w->entry = NULL;
}

/* ---- writing ---- */

static void set_health(struct journal *j, bool healthy, const char *why)
{
	if (j->healthy == healthy)
		return;
	j->healthy = healthy;
	j->ops.on_health(j->user, healthy, why);
}

/* Takes the first n entries out of the queue, so that callbacks may add to it, and finishes them. */
static void finish_first(struct journal *j, size_t n, int status)
{
	struct journal_entry *e;
	struct list done;

	list_init(&done);
	LIST_FOREACH (e, &j->queue, struct journal_entry, node) {
		if (n-- == 0)
			break;
		list_remove(&e->node);
		list_push(&done, &e->node);
	}
	while (!list_empty(&done))
		entry_finish(CONTAINER_OF(list_first(&done), struct journal_entry, node), status);
}

static void drop_droppable(struct journal *j)
{
	struct journal_entry *e;
	struct list dropped;

	list_init(&dropped);
	LIST_FOREACH (e, &j->queue, struct journal_entry, node) {
		if (!e->droppable)
			continue;
		list_remove(&e->node);
		list_push(&dropped, &e->node);
	}
	while (!list_empty(&dropped))
		entry_finish(CONTAINER_OF(list_first(&dropped), struct journal_entry, node), j->last_status);
}

static void write_failed(struct journal *j, int status)
{
	j->n_writing = 0;
	j->last_status = status;
	timer_set(&j->retry, RETRY_MS);
	set_health(j, false, strerror(-status));
	drop_droppable(j);
}

static void on_written(void *user, int status)
{
	struct journal *j = user;
	size_t n = j->n_writing;

	j->writing = false;
	if (status < 0) {
		write_failed(j, status);
		return;
	}
	j->n_writing = 0;
	set_health(j, true, "");
	finish_first(j, n, 0);
	loop_again(j->loop);
}

static void write_batch(struct journal *j)
{
	struct journal_entry *e;
	_cleanup_buf_ struct buf batch = {0};

	LIST_FOREACH (e, &j->queue, struct journal_entry, node) {
		if (batch.size && batch.size + e->bytes.size > MAX_BATCH)
			break;
		buf_append(&batch, e->bytes.data, e->bytes.size);
		j->n_writing++;
	}
	j->writing = true;
	disk_append(j->active, batch.data, batch.size, on_written, j);
}

/* ---- compaction ---- */

void journal_put(struct journal *j, const struct fl_journal_record *rec)
{
	struct err err = {0};

	assert(j->compacting);
	int r = journal_format_put(rec, &j->snapshot, &err);
	if (r < 0)
		log_error("journal.bad_record reason=%s", err.text);
	assert(r == 0);
}

bool journal_part_full(const struct journal *j)
{
	return j->snapshot.size >= PART_BYTES;
}

static void remove_segment(struct journal *j, uint64_t number, disk_fn fn)
{
	char path[40];

	segment_path(number, path);
	disk_remove(j->disk, path, fn, j);
}

static void on_fresh_removed(void *user, int status)
{
	struct journal *j = user;

	j->writing = false;
	j->discard = status < 0;
	timer_set(&j->retry, RETRY_MS);
	if (status < 0) {
		j->last_status = status;
		set_health(j, false, strerror(-status));
	}
}

/* A fresh segment that failed must be gone before anything else is written: read after newer records in the active one,
 * it would bring dead tasks back. */
static void discard_fresh(struct journal *j)
{
	j->writing = true;
	remove_segment(j, j->number, on_fresh_removed);
}

static void on_compacted(struct journal *j, int status)
{
	j->writing = j->compacting = false;
	if (status < 0) {
		log_warn("journal.compaction_failed reason=%s", strerror(-status));
		disk_close(j->fresh);
		j->fresh = NULL;
		j->live_bytes *= 2; /* not again at once */
		discard_fresh(j);
		return;
	}
	for (size_t i = 0; i < j->n_old; i++)
		remove_segment(j, j->old[i], NULL);
	j->n_old = 0;
	j->old_bytes = 0;
	disk_close(j->active);
	j->active = j->fresh;
	j->fresh = NULL;
	j->live_bytes = disk_size(j->active);
	j->compactions++;
	log_info("journal.compacted segment=%" PRIu64 " bytes=%" PRIu64, j->number, j->live_bytes);
	loop_again(j->loop);
}

static void write_part(struct journal *j, bool first);

static void on_part(void *user, int status)
{
	struct journal *j = user;

	if (status == 0 && j->more)
		write_part(j, false);
	else
		on_compacted(j, status);
}

static void write_part(struct journal *j, bool first)
{
	buf_clear(&j->snapshot);
	j->more = j->ops.snapshot(j->user, j, first);
	disk_append(j->fresh, j->snapshot.data, j->snapshot.size, on_part, j);
	buf_fini(&j->snapshot);
}

static void remember_old(struct journal *j, uint64_t number)
{
	j->old = xrealloc(j->old, (j->n_old + 1) * sizeof(*j->old));
	j->old[j->n_old++] = number;
}

static bool open_fresh(struct journal *j)
{
	struct err err = {0};
	char path[40];

	segment_path(j->number + 1, path);
	j->fresh = disk_open(j->disk, path, &err);
	if (j->fresh)
		return true;
	log_warn("journal.compaction_failed reason=%s", err.text);
	j->live_bytes = journal_size(j);
	return false;
}

static void compact(struct journal *j)
{
	j->wanted = false;
	if (!open_fresh(j))
		return;
	remember_old(j, j->number);
	j->number++;
	j->writing = j->compacting = true;
	write_part(j, true);
}

static bool should_compact(const struct journal *j)
{
	uint64_t size = journal_size(j);
	return j->healthy && (j->wanted || (size >= COMPACT_AT_LEAST && size >= j->live_bytes * COMPACT_FACTOR));
}

/* With nothing left to write only a try can tell that the disk takes writes again. */
static void on_probed(void *user, int status)
{
	struct journal *j = user;

	j->writing = false;
	if (status < 0) {
		write_failed(j, status);
		return;
	}
	disk_remove(j->disk, PROBE_PATH, NULL, NULL);
	set_health(j, true, "");
	loop_again(j->loop);
}

static void probe(struct journal *j)
{
	static const char zeros[4096];

	j->writing = true;
	disk_replace(j->disk, PROBE_PATH, zeros, sizeof(zeros), on_probed, j);
}

static void on_turn(void *user)
{
	struct journal *j = user;

	if (!j->healthy && !j->writing)
		drop_droppable(j);
	if (j->writing || timer_armed(&j->retry))
		return;
	if (j->discard)
		discard_fresh(j);
	else if (should_compact(j))
		compact(j);
	if (!j->writing && !list_empty(&j->queue))
		write_batch(j);
	if (!j->writing && !j->healthy)
		probe(j);
}

static void on_retry(void *user)
{
	struct journal *j = user;
	loop_again(j->loop);
}

/* ---- reading ---- */

struct segments {
	uint64_t *numbers;
	size_t n;
};

static void on_name(void *user, const char *name)
{
	struct segments *s = user;
	char digits[24];
	uint64_t number;
	size_t n = strlen(name);

	if (n < 5 || n >= sizeof(digits) || !str_ends_with(name, ".log"))
		return;
	memcpy(digits, name, n - 4);
	digits[n - 4] = 0;
	if (str_to_uint64(digits, UINT64_MAX - 1, &number, NULL) < 0)
		return;
	s->numbers = xrealloc(s->numbers, (s->n + 1) * sizeof(*s->numbers));
	s->numbers[s->n++] = number;
}

static int by_number(const void *a, const void *b)
{
	uint64_t x = *(const uint64_t *)a, y = *(const uint64_t *)b;
	return x < y ? -1 : x > y;
}

/* Damaged bytes are kept for whoever wants to look; compaction would otherwise take them away. */
static void set_aside(struct journal *j, uint64_t number, const struct journal_item *item, const void *data)
{
	char path[80];

	if (j->n_aside++ >= MAX_ASIDE || item->size > MAX_BATCH)
		return;
	if (disk_mkdir(j->disk, FOLDER "/damaged", NULL) < 0)
		return;
	snprintf(path, sizeof(path), FOLDER "/damaged/%08" PRIu64 "-%zu", number, item->offset);
	disk_replace(j->disk, path, data, item->size, NULL, NULL);
}

static int read_segment(struct journal *j, uint64_t number, bool last, struct err *err)
{
	_cleanup_buf_ struct buf data = {0};
	_cleanup_zone_ struct zone *zone = zone_create();
	_cleanup_free_ struct journal_item *item = xcalloc(1, sizeof(*item));
	enum journal_found found;
	char path[40];

	segment_path(number, path);
	int r = disk_read(j->disk, path, MAX_SEGMENT_BYTES, &data, err);
	if (r < 0)
		return r;
	if (!last)
		j->old_bytes += data.size;
	struct journal_reader reader = {data.data, data.size, 0};
	while ((found = journal_next(&reader, zone, item)) != JOURNAL_FOUND_END) {
		if (found == JOURNAL_FOUND_RECORD) {
			j->ops.on_record(j->user, item->rec);
			zone_reset(zone);
			continue;
		}
		j->ops.on_broken(j->user, path, item->offset, item->key, item->why);
		set_aside(j, number, item, data.data + item->offset);
		if (found == JOURNAL_FOUND_TAIL && last)
			return disk_truncate(j->disk, path, item->offset, err);
		j->wanted = true;
	}
	return 0;
}

static int read_all(struct journal *j, struct err *err)
{
	struct segments s = {0};
	int r = disk_list(j->disk, FOLDER, on_name, &s);

	if (s.n)
		qsort(s.numbers, s.n, sizeof(*s.numbers), by_number);
	for (size_t i = 0; i < s.n && r == 0; i++) {
		r = read_segment(j, s.numbers[i], i + 1 == s.n, err);
		if (i + 1 < s.n)
			remember_old(j, s.numbers[i]);
	}
	j->number = s.n ? s.numbers[s.n - 1] : 1;
	j->wanted = j->wanted || s.n > 1;
	free(s.numbers);
	return r;
}

static int open_active(struct journal *j, struct err *err)
{
	char path[40];

	segment_path(j->number, path);
	j->active = disk_open(j->disk, path, err);
	return j->active ? 0 : -EIO;
}

struct journal *journal_create(struct loop *l, struct disk *d, const struct journal_ops *ops, void *user,
                               struct err *err)
{
	struct journal *j = xcalloc(1, sizeof(*j));

	j->loop = l;
	j->disk = d;
	j->ops = *ops;
	j->user = user;
	j->healthy = true;
	list_init(&j->queue);
	timer_init(&j->retry, l, on_retry, j);
	loop_add_hook(l, &j->hook, on_turn, j, TURN_ORDER_DURABLE);
	if (disk_mkdir(d, FOLDER, err) < 0 || read_all(j, err) < 0 || open_active(j, err) < 0) {
		journal_destroy(j);
		return NULL;
	}
	return j;
}

void journal_destroy(struct journal *j)
{
	if (!j)
		return;
	while (!list_empty(&j->queue))
		entry_free(CONTAINER_OF(list_first(&j->queue), struct journal_entry, node));
	timer_stop(&j->retry);
	loop_remove_hook(&j->hook);
	disk_close(j->active);
	disk_close(j->fresh);
	buf_fini(&j->snapshot);
	free(j->old);
	free(j);
}

bool journal_healthy(const struct journal *j)
{
	return j->healthy;
}

uint64_t journal_size(const struct journal *j)
{
	return j->old_bytes + (j->active ? disk_size(j->active) : 0);
}

uint64_t journal_compactions(const struct journal *j)
{
	return j->compactions;
}
