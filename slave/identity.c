/* A slot: "FLI1", sequence (u64), size (u32), checksum of sequence, size and payload (u32), payload (msgpack
 * slave_identity), all little-endian. The good slot with the higher sequence counts; the other one is written next. */
#include "slave/identity.h"

#include <assert.h>
#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/disk.h"
#include "base/err.h"
#include "base/log.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/str.h"
#include "msg/codec.h"
#include "slave/checksum.h"

#define FILE_NAME "identity"
#define SLOT_BYTES 4096
#define HEAD 20
#define RETRY_MS 1000

struct identity {
	struct loop *loop;
	struct disk *disk;
	identity_fn fn;
	void *user;
	struct owned current; /* struct fl_slave_identity */
	uint64_t sequence;    /* of what was written last */
	int good;             /* the slot that holds it */
	bool dirty, writing, failing;
	struct timer retry;
};

static void put_le(uint8_t *at, uint64_t v, int bytes)
{
	for (int i = 0; i < bytes; i++)
		at[i] = (uint8_t)(v >> (8 * i));
}

static uint64_t get_le(const uint8_t *at, int bytes)
{
	uint64_t v = 0;

	for (int i = 0; i < bytes; i++)
		v |= (uint64_t)at[i] << (8 * i);
	return v;
}

static uint32_t slot_checksum(const uint8_t *slot, size_t size)
{
	return checksum(checksum(0, slot + 4, 12), slot + HEAD, size);
}

static const struct fl_slave_identity *record(const struct identity *i)
{
	return i->current.rec;
}

/* ---- reading ---- */

/* True when the slot is good; then takes it up if it is newer than what we have. */
static bool read_slot(struct identity *i, const uint8_t *slot, int number)
{
	_cleanup_zone_ struct zone *zone = zone_create();
	uint64_t size = get_le(slot + 12, 4);
	void *rec;

	if (memcmp(slot, "FLI1", 4) != 0 || size > SLOT_BYTES - HEAD ||
	    get_le(slot + 16, 4) != slot_checksum(slot, size))
		return false;
	if (codec_decode(&rec_slave_identity, slot + HEAD, size, zone, &rec, NULL) < 0)
		return false;
	uint64_t sequence = get_le(slot + 4, 8);
	if (sequence > i->sequence) {
		owned_set(&i->current, &rec_slave_identity, rec);
		i->sequence = sequence;
		i->good = number;
	}
	return true;
}

static bool all_zero(const uint8_t *p, size_t n)
{
	for (size_t k = 0; k < n; k++)
		if (p[k])
			return false;
	return true;
}

static void make_new(struct identity *i)
{
	char nonce[37];
	struct fl_slave_identity fresh = {.nonce = nonce};

	str_uuid(loop_random(i->loop), loop_random(i->loop), nonce);
	owned_set(&i->current, &rec_slave_identity, &fresh);
	i->dirty = true;
}

static int read_slots(struct identity *i, struct err *err)
{
	_cleanup_buf_ struct buf data = {0};

	int r = disk_read(i->disk, FILE_NAME, 2 * SLOT_BYTES, &data, err);
	if (r < 0)
		return r;
	if (data.size < 2 * SLOT_BYTES)
		return err_set(err, EUCLEAN, "%s/" FILE_NAME " is too short", disk_root(i->disk));
	bool first = read_slot(i, data.data, 0), second = read_slot(i, data.data + SLOT_BYTES, 1);
	if (first || second) {
		if (!record(i)->nonce)
			return err_set(err, EUCLEAN, "%s/" FILE_NAME " has no nonce", disk_root(i->disk));
		return 0;
	}
	/* The very first write goes to slot 0; torn, it had promised nothing to anybody. */
	if (!all_zero(data.data + SLOT_BYTES, SLOT_BYTES))
		return err_set(err, EUCLEAN,
		               "%s/" FILE_NAME
		               " is damaged in both slots: this slave does not know who it is. Restore the "
		               "file, or remove it to register as a new slave",
		               disk_root(i->disk));
	make_new(i);
	return 0;
}

/* ---- writing ---- */

static void write_slot(struct identity *i);

static void on_written(void *user, int status)
{
	struct identity *i = user;

	i->writing = false;
	if (status < 0) {
		if (!i->failing)
			log_error("identity.write_failed reason=%s", strerror(-status));
		i->dirty = i->failing = true;
		timer_set(&i->retry, RETRY_MS);
		return;
	}
	i->failing = false;
	i->good = 1 - i->good;
	i->sequence++;
	if (i->dirty)
		write_slot(i);
	else
		i->fn(i->user);
}

static void write_slot(struct identity *i)
{
	_cleanup_buf_ struct buf payload = {0};
	uint8_t slot[SLOT_BYTES] = {0};

	if (i->writing)
		return;
	int r = codec_encode(&rec_slave_identity, i->current.rec, &payload, NULL);
	assert(r == 0 && payload.size <= SLOT_BYTES - HEAD);
	memcpy(slot, "FLI1", 4);
	put_le(slot + 4, i->sequence + 1, 8);
	put_le(slot + 12, payload.size, 4);
	memcpy(slot + HEAD, payload.data, payload.size);
	put_le(slot + 16, slot_checksum(slot, payload.size), 4);
	i->dirty = false;
	i->writing = true;
	disk_overwrite(i->disk, FILE_NAME, i->good == 0 ? SLOT_BYTES : 0, slot, sizeof(slot), on_written, i);
}

static void on_retry(void *user)
{
	write_slot(user);
}

struct identity *identity_create(struct loop *l, struct disk *d, identity_fn fn, void *user, struct err *err)
{
	struct identity *i = xcalloc(1, sizeof(*i));

	*i = (struct identity){.loop = l, .disk = d, .fn = fn, .user = user, .good = 1};
	timer_init(&i->retry, l, on_retry, i);
	if (disk_allocate(d, FILE_NAME, 2 * SLOT_BYTES, err) < 0 || read_slots(i, err) < 0) {
		identity_destroy(i);
		return NULL;
	}
	if (i->dirty)
		write_slot(i);
	return i;
}

void identity_destroy(struct identity *i)
{
	if (!i)
		return;
	timer_stop(&i->retry);
	owned_fini(&i->current);
	free(i);
}

/* ---- what others see ---- */

const char *identity_slave_id(const struct identity *i)
{
	return record(i)->slave_id;
}

const char *identity_nonce(const struct identity *i)
{
	return record(i)->nonce;
}

const struct fl_epoch *identity_epoch(const struct identity *i)
{
	return record(i)->epoch;
}

bool identity_settled(const struct identity *i)
{
	return !i->dirty && !i->writing;
}

bool identity_failing(const struct identity *i)
{
	return i->failing;
}

static void change(struct identity *i, const struct fl_slave_identity *to)
{
	owned_set(&i->current, &rec_slave_identity, to);
	i->dirty = true;
	if (!timer_armed(&i->retry))
		write_slot(i);
}

void identity_set_slave_id(struct identity *i, const char *slave_id)
{
	struct fl_slave_identity next = *record(i);

	next.slave_id = slave_id;
	change(i, &next);
}

void identity_set_epoch(struct identity *i, const struct fl_epoch *epoch)
{
	struct fl_epoch copy = *epoch;
	struct fl_slave_identity next = *record(i);

	next.epoch = &copy;
	change(i, &next);
}
