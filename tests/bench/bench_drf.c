/* Mesos' DeclineOffers workload (docs: agents cpus:24;mem:4096;disk:4096;ports:[31000-32000], of which one framework
 * holds cpus:16;mem:2014;disk:1024 and ports in 16 ranges) against drf/, and beside it, in the same run and by turns,
 * against the textbook's allocator. Case names are slaves x frameworks. One JSON object a line.
 *
 * Cycles are measured in the processor's time, so that what else runs on the machine counts only by the caches it takes.
 *
 *   cycle         all slaves are offered; then all offers are declined without a filter (not timed, as in Mesos)
 *   declines      the processing of those declines
 *   incremental   everything is held; one task ends and its part is offered: from the fact to the grant
 *   forever       every offer is declined for ever, until nothing can be offered: an offering cycle at its slowest, and a
 *                 cycle in which all slaves are looked at and nobody may have them */
#include <malloc.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/err.h"
#include "base/mem.h"
#include "drf/drf.h"
#include "msg/resources.h"
#include "textbook.h"

#define ROUNDS 5
#define CYCLES 20 /* of drf a round; the textbook has one */
#define ENDS 400  /* tasks that end a round; the textbook has a tenth */

#define TOTAL "cpus:24;mem:4096;disk:4096;ports:[31000-32000]"
#define USED                                                                                                           \
	"cpus:16;mem:2014;disk:1024;ports:[31000-31000,31002-31002,31004-31004,31006-31006,31008-31008,31010-31010,"   \
	"31012-31012,31014-31014,31016-31016,31018-31018,31020-31020,31022-31022,31024-31024,31026-31026,31028-31028," \
	"31030-32000]"

/* An offer that somebody keeps, copied into one piece so that what is timed is the allocator and not malloc. */
struct offer {
	drf_id slave, client;                 /* drf */
	const char *slave_name, *client_name; /* textbook */
	struct resources what;
	struct resource_item items[4];
	struct resource_range ports[15];
};

struct bed {
	int n_slaves, n_clients;
	struct drf *d;
	struct textbook *t;
	drf_id *slaves, *clients;
	struct offer *offers; /* outstanding */
	size_t n_offers;
};

struct samples {
	double v[4096];
	size_t n;
};

static double read_us(clockid_t clock)
{
	struct timespec ts;

	clock_gettime(clock, &ts);
	return (double)ts.tv_sec * 1e6 + (double)ts.tv_nsec / 1e3;
}

static double cpu_us(void)
{
	return read_us(CLOCK_PROCESS_CPUTIME_ID);
}

/* For what is too short for the other. */
static double wall_us(void)
{
	return read_us(CLOCK_MONOTONIC);
}

static int by_value(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return (x > y) - (x < y);
}

static double percentile(struct samples *s, int percent)
{
	qsort(s->v, s->n, sizeof(s->v[0]), by_value);
	return s->v[(s->n - 1) * (size_t)percent / 100];
}

static struct resources parsed(const char *text)
{
	struct resources r = {0};
	struct err err = {0};

	if (resources_parse(text, &r, &err)) {
		fprintf(stderr, "%s: %s\n", text, err.text);
		exit(1);
	}
	return r;
}

/* --------------------------------------------------------------------------------------------------------- printing */

struct line {
	const char *kind;
	const struct bed *bed;
	const char *metric, *unit;
	double value, worst;
	double peer_value;              /* 0: no peer */
	double at_most, at_least_ratio; /* 0: no such aim */
};

static void print_number_or_null(const char *key, double v, const char *after)
{
	if (v > 0)
		printf("\"%s\":%.3f%s", key, v, after);
	else
		printf("\"%s\":null%s", key, after);
}

static void print(struct line l)
{
	double ratio = l.peer_value > 0 ? l.peer_value / l.value : 0;
	bool aimed = l.at_most > 0 || l.at_least_ratio > 0;
	bool met = (l.at_most <= 0 || l.value <= l.at_most) && (l.at_least_ratio <= 0 || ratio >= l.at_least_ratio);

	printf("{\"bench\":\"drf\",\"case\":\"%s/"
	       "%dx%d\",\"metric\":\"%s\",\"value\":%.3f,\"worst\":%.3f,\"unit\":\"%s\",",
	       l.kind, l.bed->n_slaves, l.bed->n_clients, l.metric, l.value, l.worst, l.unit);
	printf("\"peer\":%s,", l.peer_value > 0 ? "\"textbook\"" : "null");
	print_number_or_null("peer_value", l.peer_value, ",");
	print_number_or_null("ratio", ratio, ",");
	if (l.at_most > 0)
		printf("\"aim\":\"<= %g %s\",", l.at_most, l.unit);
	else if (l.at_least_ratio > 0)
		printf("\"aim\":\"ratio >= %g\",", l.at_least_ratio);
	else
		printf("\"aim\":null,");
	printf("\"met\":%s}\n", !aimed ? "null" : met ? "true" : "false");
	fflush(stdout);
}

/* --------------------------------------------------------------------------------------------------------- workload */

static void keep(struct offer *o, const struct resources *what)
{
	size_t n_ports = 0;

	o->what = (struct resources){o->items, what->n_items};
	for (size_t i = 0; i < what->n_items; i++) {
		o->items[i] = what->items[i];
		if (!what->items[i].n_ranges)
			continue;
		o->items[i].ranges = &o->ports[n_ports];
		memcpy(o->items[i].ranges, what->items[i].ranges, what->items[i].n_ranges * sizeof(o->ports[0]));
		n_ports += what->items[i].n_ranges;
	}
}

static void on_grant(void *user, drf_id slave, drf_id client, const struct resources *what)
{
	struct bed *b = user;
	struct offer *o = &b->offers[b->n_offers++];

	o->slave = slave;
	o->client = client;
	keep(o, what);
}

static void on_textbook_grant(void *user, const char *slave, const char *client, const struct resources *what)
{
	struct bed *b = user;
	struct offer *o = &b->offers[b->n_offers++];

	o->slave_name = slave;
	o->client_name = client;
	keep(o, what);
}

static void bed_init(struct bed *b, int n_slaves, int n_clients)
{
	struct resources total = parsed(TOTAL), used = parsed(USED);
	char name[32];

	*b = (struct bed){.n_slaves = n_slaves, .n_clients = n_clients};
	b->d = drf_create(1);
	b->t = textbook_create();
	b->slaves = xcalloc((size_t)n_slaves, sizeof(drf_id));
	b->clients = xcalloc((size_t)n_clients, sizeof(drf_id));
	b->offers = xcalloc((size_t)n_slaves, sizeof(struct offer));
	for (int i = 0; i < n_clients; i++) {
		snprintf(name, sizeof(name), "framework%d", i + 1);
		drf_client_add(b->d, name, "*", &b->clients[i], NULL);
		textbook_add_client(b->t, name);
	}
	for (int i = 0; i < n_slaves; i++) {
		snprintf(name, sizeof(name), "agent%d", i + 1);
		drf_slave_add(b->d, name, &total, &b->slaves[i], NULL);
		drf_take(b->d, b->slaves[i], b->clients[i % n_clients], &used);
	}
	for (int i = 0; i < n_slaves; i++) {
		char client[32];
		snprintf(name, sizeof(name), "agent%d", i + 1);
		textbook_add_slave(b->t, name, &total);
		snprintf(client, sizeof(client), "framework%d", i % n_clients + 1);
		textbook_allocate(b->t, name, client, &used);
	}
	resources_fini(&total);
	resources_fini(&used);
}

static void bed_fini(struct bed *b)
{
	drf_destroy(b->d);
	textbook_destroy(b->t);
	free(b->slaves);
	free(b->clients);
	free(b->offers);
}

static void decline(struct bed *b, int64_t until_ms)
{
	for (; b->n_offers; b->n_offers--) {
		struct offer *o = &b->offers[b->n_offers - 1];
		drf_release(b->d, o->slave, o->client, &o->what);
		if (until_ms)
			drf_filter(b->d, o->slave, o->client, &o->what, until_ms);
	}
}

static void textbook_decline(struct bed *b, bool for_ever)
{
	for (; b->n_offers; b->n_offers--) {
		struct offer *o = &b->offers[b->n_offers - 1];
		textbook_recover(b->t, o->slave_name, o->client_name, &o->what);
		if (for_ever)
			textbook_filter(b->t, o->slave_name, o->client_name, &o->what);
	}
}

static void expect(size_t is, size_t should, const char *what)
{
	if (is == should)
		return;
	fprintf(stderr, "%s: %zu, not %zu\n", what, is, should);
	exit(1);
}

/* ----------------------------------------------------------------------------------------------------------- cases */

static void bench_cycle(struct bed *b)
{
	static struct samples ours, declines, peer;
	bool is_10k = b->n_slaves == 10000, is_20k = b->n_slaves == 20000;
	double start;

	ours.n = declines.n = peer.n = 0;
	expect(drf_round(b->d, 0, on_grant, b), (size_t)b->n_slaves, "first offers");
	decline(b, 0);
	for (int round = 0; round < ROUNDS; round++) {
		for (int i = 0; i < CYCLES; i++) {
			start = cpu_us();
			drf_round(b->d, 0, on_grant, b);
			ours.v[ours.n++] = (cpu_us() - start) / 1e3;
			expect(b->n_offers, (size_t)b->n_slaves, "offers");
			start = cpu_us();
			decline(b, 0);
			declines.v[declines.n++] = (cpu_us() - start) / 1e3;
		}
		start = cpu_us();
		textbook_cycle(b->t, NULL, on_textbook_grant, b);
		peer.v[peer.n++] = (cpu_us() - start) / 1e3;
		expect(b->n_offers, (size_t)b->n_slaves, "offers of the textbook");
		textbook_decline(b, false);
	}
	double worst = percentile(&ours, 100);
	print((struct line){.kind = "DeclineOffers",
	                    .bed = b,
	                    .metric = "cycle_p50",
	                    .unit = "ms",
	                    .value = percentile(&ours, 50),
	                    .worst = worst,
	                    .peer_value = percentile(&peer, 50),
	                    .at_least_ratio = is_10k ? 100 : 0,
	                    .at_most = is_20k ? 10 : 0});
	print((struct line){.kind = "DeclineOffers",
	                    .bed = b,
	                    .metric = "cycle_p99",
	                    .unit = "ms",
	                    .value = percentile(&ours, 99),
	                    .worst = worst,
	                    .peer_value = percentile(&peer, 99),
	                    .at_least_ratio = is_10k ? 100 : 0,
	                    .at_most = is_20k ? 10 : 0});
	print((struct line){.kind = "DeclineOffers",
	                    .bed = b,
	                    .metric = "declines_p50",
	                    .unit = "ms",
	                    .value = percentile(&declines, 50),
	                    .worst = percentile(&declines, 100)});
}

/* A task of cpus:1;mem:100 ends on a slave that is held whole. */
static void bench_incremental(struct bed *b)
{
	static struct samples ours, peer;
	struct resources task = parsed("cpus:1;mem:100");
	char slave[32], client[32];
	uint32_t random = 1;
	double start;

	ours.n = peer.n = 0;
	drf_round(b->d, 0, on_grant, b);
	b->n_offers = 0;
	textbook_cycle(b->t, NULL, on_textbook_grant, b);
	b->n_offers = 0;
	for (int i = 0; i < ROUNDS * ENDS; i++) {
		random = random * 1664525 + 1013904223;
		int s = (int)((random >> 8) % (uint32_t)b->n_slaves);
		start = wall_us();
		drf_release(b->d, b->slaves[s], b->clients[s % b->n_clients], &task);
		expect(drf_round(b->d, 0, on_grant, b), 1, "offers");
		ours.v[ours.n++] = wall_us() - start;
		struct offer *o = &b->offers[--b->n_offers];
		drf_release(b->d, o->slave, o->client, &o->what);
		drf_take(b->d, b->slaves[s], b->clients[s % b->n_clients], &task);
		drf_round(b->d, 0, on_grant, b);
		if (i % 10)
			continue;
		snprintf(slave, sizeof(slave), "agent%d", s + 1);
		snprintf(client, sizeof(client), "framework%d", s % b->n_clients + 1);
		start = wall_us();
		textbook_recover(b->t, slave, client, &task);
		expect(textbook_cycle(b->t, slave, on_textbook_grant, b), 1, "offers");
		peer.v[peer.n++] = wall_us() - start;
		textbook_decline(b, false);
		textbook_allocate(b->t, slave, client, &task);
	}
	resources_fini(&task);
	double worst = percentile(&ours, 100);
	print((struct line){.kind = "TaskEnds",
	                    .bed = b,
	                    .metric = "incremental_p50",
	                    .unit = "us",
	                    .value = percentile(&ours, 50),
	                    .worst = worst,
	                    .peer_value = percentile(&peer, 50)});
	print((struct line){.kind = "TaskEnds",
	                    .bed = b,
	                    .metric = "incremental_p99",
	                    .unit = "us",
	                    .value = percentile(&ours, 99),
	                    .worst = worst,
	                    .peer_value = percentile(&peer, 99),
	                    .at_most = 20});
}

static void bench_for_ever(struct bed *b)
{
	static struct samples offering, first, again, revive, peer_offering, peer_nothing;
	size_t used_before = mallinfo2().uordblks;
	double start, spent;
	size_t n;

	offering.n = first.n = again.n = revive.n = peer_offering.n = peer_nothing.n = 0;
	for (int i = 0; i <= b->n_clients; i++) {
		start = cpu_us();
		n = drf_round(b->d, 0, on_grant, b);
		spent = (cpu_us() - start) / 1e3;
		struct samples *to = n ? &offering : &first;
		to->v[to->n++] = spent;
		expect(n, i < b->n_clients ? (size_t)b->n_slaves : 0, "offers");
		decline(b, INT64_MAX);
	}
	double per_filter = (double)(mallinfo2().uordblks - used_before) / b->n_slaves / b->n_clients;
	for (int i = 0; i < 5; i++) {
		drf_mark_all_dirty(b->d);
		start = cpu_us();
		expect(drf_round(b->d, 0, on_grant, b), 0, "offers");
		again.v[again.n++] = (cpu_us() - start) / 1e3;
	}
	for (int i = 0; i <= b->n_clients; i++) {
		start = cpu_us();
		n = textbook_cycle(b->t, NULL, on_textbook_grant, b);
		struct samples *to = n ? &peer_offering : &peer_nothing;
		to->v[to->n++] = (cpu_us() - start) / 1e3;
		textbook_decline(b, true);
	}
	/* One framework revives, and declines again. */
	for (int i = 0; i < 5; i++) {
		start = cpu_us();
		drf_client_revive(b->d, b->clients[i]);
		expect(drf_round(b->d, 0, on_grant, b), (size_t)b->n_slaves, "offers after revive");
		revive.v[revive.n++] = (cpu_us() - start) / 1e3;
		decline(b, INT64_MAX);
		drf_round(b->d, 0, on_grant, b);
	}
	double worst = percentile(&offering, 100), peer_nothing_p50 = percentile(&peer_nothing, 50);
	print((struct line){.kind = "DeclineForEver",
	                    .bed = b,
	                    .metric = "offering_p50",
	                    .unit = "ms",
	                    .value = percentile(&offering, 50),
	                    .worst = worst,
	                    .peer_value = percentile(&peer_offering, 50)});
	print((struct line){.kind = "DeclineForEver",
	                    .bed = b,
	                    .metric = "offering_p99",
	                    .unit = "ms",
	                    .value = percentile(&offering, 99),
	                    .worst = worst,
	                    .peer_value = percentile(&peer_offering, 99)});
	print((struct line){.kind = "DeclineForEver",
	                    .bed = b,
	                    .metric = "all_declined_first",
	                    .unit = "ms",
	                    .value = percentile(&first, 50),
	                    .worst = percentile(&first, 100),
	                    .peer_value = peer_nothing_p50});
	print((struct line){.kind = "DeclineForEver",
	                    .bed = b,
	                    .metric = "all_declined_again",
	                    .unit = "ms",
	                    .value = percentile(&again, 50),
	                    .worst = percentile(&again, 100),
	                    .peer_value = peer_nothing_p50});
	print((struct line){.kind = "DeclineForEver",
	                    .bed = b,
	                    .metric = "one_revives",
	                    .unit = "ms",
	                    .value = percentile(&revive, 50),
	                    .worst = percentile(&revive, 100)});
	print((struct line){.kind = "DeclineForEver",
	                    .bed = b,
	                    .metric = "filter_size",
	                    .unit = "bytes",
	                    .value = per_filter,
	                    .worst = per_filter,
	                    .at_most = 150});
}

int main(int argc, char **argv)
{
	static const int sizes[][2] = {{1000, 100}, {5000, 500}, {10000, 1000}, {20000, 2000}};
	int n_sizes = argc > 1 ? atoi(argv[1]) : 4; /* fewer for a quick look */
	struct bed b;

	for (int i = 0; i < n_sizes && i < 4; i++) {
		bed_init(&b, sizes[i][0], sizes[i][1]);
		bench_cycle(&b);
		bench_incremental(&b);
		bed_fini(&b);
	}
	bed_init(&b, 1000, 200);
	bench_for_ever(&b);
	bed_fini(&b);
	return 0;
}
