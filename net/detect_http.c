/* The leader as the masters themselves tell: GET /version of each, all at once, in rounds.
 *
 * A master that says it leads is believed at once; of several the one with the highest term. When nobody says so at the
 * end of a round, what the followers think counts; when nobody answered at all, nothing has been learnt. */
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"
#include "base/loop.h"
#include "msg/json.h"
#include "net/detect_impl.h"
#include "net/http.h"
#include "net/url.h"

#define FAST_MS 1000
#define SLOW_MS 5000
#define AGAIN_MS 100 /* between rounds at most so often */
#define TIMEOUT_MS 3000

struct detect_http;

struct question {
	struct detect_http *detect;
	char *host;
	int port;
	struct http_fetch *fetch;
};

struct detect_http {
	struct detect d;
	struct question question[URL_MAX_HOSTS];
	size_t n_questions, open, answered;
	struct owned claim, hearsay; /* VersionInfo: of one who leads, of one who knows who leads */
	bool again;
	struct timer next;
};

static uint64_t term_of(const struct owned *o)
{
	const struct fl_version_info *v = o->rec;

	return v && v->epoch ? v->epoch->term : 0;
}

static void consider(struct owned *best, const struct fl_version_info *v)
{
	uint64_t term = v->epoch ? v->epoch->term : 0;

	if (!best->rec || term > term_of(best))
		owned_set(best, &rec_version_info, v);
}

static void end_round(struct detect_http *h)
{
	const struct fl_version_info *v = h->claim.rec ? h->claim.rec : h->hearsay.rec;

	if (v || h->answered > 0 || !h->d.told)
		detect_set(&h->d, v ? v->leader : NULL);
	timer_set(&h->next, h->again ? AGAIN_MS : h->claim.rec ? SLOW_MS : FAST_MS);
	h->again = false;
}

static void on_version(void *user, int status, const char *body, size_t size)
{
	struct question *q = user;
	struct detect_http *h = q->detect;
	_cleanup_zone_ struct zone *zone = zone_create();
	void *rec;

	q->fetch = NULL;
	h->open--;
	if (status == 200 && json_decode(&rec_version_info, body, size, zone, &rec, NULL) == 0) {
		const struct fl_version_info *v = rec;
		h->answered++;
		if (v->leader)
			consider(v->leading ? &h->claim : &h->hearsay, v);
		if (h->claim.rec)
			detect_set(&h->d, ((const struct fl_version_info *)h->claim.rec)->leader);
	}
	if (h->open == 0)
		end_round(h);
}

static void on_next(void *user)
{
	struct detect_http *h = user;

	owned_set(&h->claim, &rec_version_info, NULL);
	owned_set(&h->hearsay, &rec_version_info, NULL);
	h->answered = 0;
	h->open = h->n_questions;
	for (size_t i = 0; i < h->n_questions; i++) {
		struct question *q = &h->question[i];
		q->fetch = http_get(h->d.loop, q->host, q->port, "/version", TIMEOUT_MS, on_version, q);
	}
}

static void destroy(struct detect *d)
{
	struct detect_http *h = (struct detect_http *)d;

	timer_stop(&h->next);
	for (size_t i = 0; i < h->n_questions; i++) {
		http_fetch_cancel(h->question[i].fetch);
		free(h->question[i].host);
	}
	owned_fini(&h->claim);
	owned_fini(&h->hearsay);
	detect_fini(d);
	free(h);
}

static void again(struct detect *d)
{
	struct detect_http *h = (struct detect_http *)d;

	if (h->open > 0)
		h->again = true;
	else if (h->next.due_ms - loop_now_ms(d->loop) > AGAIN_MS)
		timer_set(&h->next, 0);
}

static const struct detect_backend backend = {destroy, again};

struct detect *detect_http_create(struct loop *l, const struct url *url, detect_fn fn, void *user)
{
	struct detect_http *h = xcalloc(1, sizeof(*h));

	detect_init(&h->d, l, &backend, fn, user);
	for (size_t i = 0; i < url->n_hosts; i++)
		h->question[h->n_questions++] = (struct question){
			.detect = h, .host = xstrdup(url->host[i].host), .port = url->host[i].port};
	timer_init(&h->next, l, on_next, h);
	timer_set(&h->next, 0);
	return &h->d;
}
