/* The codec against raw msgpack-c: the same message, made and read by the one and the other, by turns in the same run.
 * Ours checks, fills structs and copies text; msgpack-c only makes its objects. One JSON object a line.
 *
 *   small   an order of 58 bytes or so, as kill_task is
 *   offer   an offer with cpus, mem, disk and ports
 *   offers  an event with 100 of them */
#include <msgpack.h>
#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "msg/codec.h"
#include "msg/resources.h"

#define ROUNDS 7
#define ROUND_NS 100000000

struct bench {
	const char *name;
	const struct record_desc *desc;
	const void *rec;
	struct buf bytes;
	msgpack_object object; /* msgpack-c's form of the bytes, for packing */
	msgpack_sbuffer sbuffer;
};

static double now_ns(void)
{
	struct timespec t;

	clock_gettime(CLOCK_MONOTONIC, &t);
	return (double)t.tv_sec * 1e9 + (double)t.tv_nsec;
}

static void check(bool good, const char *what)
{
	if (good)
		return;
	fprintf(stderr, "%s failed\n", what);
	exit(1);
}

/* ------------------------------------------------------------------------------------------- what is measured */

static void ours_pack(struct bench *b, struct buf *out, struct zone *zone)
{
	buf_clear(out);
	check(codec_encode(b->desc, b->rec, out, NULL) == 0, "codec_encode");
}

static void ours_unpack(struct bench *b, struct buf *out, struct zone *zone)
{
	void *rec;

	zone_reset(zone);
	check(codec_decode(b->desc, b->bytes.data, b->bytes.size, zone, &rec, NULL) == 0, "codec_decode");
}

static void ours_both(struct bench *b, struct buf *out, struct zone *zone)
{
	ours_pack(b, out, zone);
	ours_unpack(b, out, zone);
}

static void peer_pack(struct bench *b, struct buf *out, struct zone *zone)
{
	msgpack_packer pk;

	msgpack_sbuffer_clear(&b->sbuffer);
	msgpack_packer_init(&pk, &b->sbuffer, msgpack_sbuffer_write);
	check(msgpack_pack_object(&pk, b->object) == 0, "msgpack_pack_object");
}

static void peer_unpack(struct bench *b, struct buf *out, struct zone *zone)
{
	msgpack_unpacked unpacked;
	size_t offset = 0;

	msgpack_unpacked_init(&unpacked);
	check(msgpack_unpack_next(&unpacked, (const char *)b->bytes.data, b->bytes.size, &offset) ==
	              MSGPACK_UNPACK_SUCCESS,
	      "msgpack_unpack_next");
	msgpack_unpacked_destroy(&unpacked);
}

static void peer_both(struct bench *b, struct buf *out, struct zone *zone)
{
	peer_pack(b, out, zone);
	peer_unpack(b, out, zone);
}

/* -------------------------------------------------------------------------------------------------- measuring */

typedef void (*measured_fn)(struct bench *b, struct buf *out, struct zone *zone);

/* Nanoseconds a call, over one round. */
static double measure(measured_fn fn, struct bench *b, struct buf *out, struct zone *zone)
{
	double begin = now_ns(), end;
	size_t calls = 0;

	do {
		for (int i = 0; i < 16; i++)
			fn(b, out, zone);
		calls += 16;
		end = now_ns();
	} while (end - begin < ROUND_NS);
	return (end - begin) / (double)calls;
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;
	return x < y ? -1 : x > y;
}

static void run(struct bench *b, const char *metric, measured_fn ours, measured_fn peer, double aim_ns)
{
	struct zone *zone _cleanup_zone_ = zone_create();
	struct buf out _cleanup_buf_ = {0};
	double mine[ROUNDS], theirs[ROUNDS];

	for (int i = 0; i < ROUNDS; i++) {
		mine[i] = measure(ours, b, &out, zone);
		theirs[i] = measure(peer, b, &out, zone);
	}
	qsort(mine, ROUNDS, sizeof(*mine), compare);
	qsort(theirs, ROUNDS, sizeof(*theirs), compare);
	double value = mine[ROUNDS / 2], peer_value = theirs[ROUNDS / 2];
	printf("{\"bench\":\"codec\",\"case\":\"%s/"
	       "%zu\",\"metric\":\"%s\",\"value\":%.1f,\"worst\":%.1f,\"unit\":\"ns\",",
	       b->name, b->bytes.size, metric, value, mine[ROUNDS - 1]);
	printf("\"peer\":\"msgpack-c\",\"peer_value\":%.1f,\"ratio\":%.3f,", peer_value, peer_value / value);
	if (aim_ns > 0)
		printf("\"aim\":\"<= %g ns\",\"met\":%s}\n", aim_ns, value <= aim_ns ? "true" : "false");
	else
		printf("\"aim\":null,\"met\":null}\n");
	fflush(stdout);
}

static void run_case(const char *name, const struct record_desc *desc, const void *rec, double aim_ns)
{
	struct bench b = {.name = name, .desc = desc, .rec = rec};
	msgpack_unpacked unpacked;
	size_t offset = 0;

	check(codec_encode(desc, rec, &b.bytes, NULL) == 0, "codec_encode");
	msgpack_unpacked_init(&unpacked);
	check(msgpack_unpack_next(&unpacked, (const char *)b.bytes.data, b.bytes.size, &offset) ==
	              MSGPACK_UNPACK_SUCCESS,
	      "msgpack_unpack_next");
	b.object = unpacked.data;
	run(&b, "pack", ours_pack, peer_pack, 0);
	run(&b, "unpack", ours_unpack, peer_unpack, 0);
	run(&b, "round_trip", ours_both, peer_both, aim_ns);
	msgpack_unpacked_destroy(&unpacked);
	msgpack_sbuffer_destroy(&b.sbuffer);
	buf_fini(&b.bytes);
}

int main(void)
{
	struct zone *zone _cleanup_zone_ = zone_create();
	struct resources r = {0};
	struct fl_epoch epoch = {"9f2c", 12};
	struct fl_kill_task kill = {
		.epoch = &epoch, .framework_id = "c0ffee-0000-0001", .task_id = "web.17.3c1f0a9e-77"};
	struct fl_address address = {.hostname = "node-0042", .ip = "10.0.4.2", .port = 5051};
	struct fl_url url = {.scheme = "http", .address = &address};
	struct fl_offer offer = {.id = "c0ffee-o-184467",
	                         .framework_id = "c0ffee-0000-0001",
	                         .slave_id = "c0ffee-s-42",
	                         .hostname = "node-0042",
	                         .url = &url};
	struct fl_offer hundred[100];
	struct fl_event_offers offers = {hundred, 100};
	struct fl_event event = {.type = FL_EVENT_OFFERS, .offers = &offers};

	check(resources_parse("cpus:23.5;mem:64000;disk:900000;ports:[31000-32000,33000-33001]", &r, NULL) == 0,
	      "resources_parse");
	resources_to_wire(&r, zone, &offer.resources, &offer.n_resources);
	for (int i = 0; i < 100; i++)
		hundred[i] = offer;
	run_case("small", &rec_kill_task, &kill, 100);
	run_case("offer", &rec_offer, &offer, 0);
	run_case("offers", &rec_event, &event, 0);
	resources_fini(&r);
	return 0;
}
