/* Seam 4, simulated: a server that nobody calls, and a client that nobody answers. */
#include "net/http.h"

#include <errno.h>
#include <stdlib.h>

#include "base/mem.h"
#include "world.h"

struct http_server {
	int port;
};

struct http_fetch {
	struct event answer;
	http_fetch_fn fn;
	void *user;
};

struct http_server *http_server_create(struct loop *l, const char *address, int port, const struct http_route *routes,
                                       size_t n_routes, void *user, struct err *err)
{
	struct http_server *s = xcalloc(1, sizeof(*s));
	s->port = port ? port : 8080;
	return s;
}

int http_server_port(const struct http_server *s)
{
	return s->port;
}

void http_server_destroy(struct http_server *s)
{
	free(s);
}

static void on_answer(void *user)
{
	struct http_fetch *f = user;
	http_fetch_fn fn = f->fn;
	void *fn_user = f->user;

	free(f);
	fn(fn_user, -ECONNREFUSED, NULL, 0);
}

struct http_fetch *http_get(struct loop *l, const char *host, int port, const char *path, int timeout_ms,
                            http_fetch_fn fn, void *user)
{
	struct http_fetch *f = xcalloc(1, sizeof(*f));

	f->fn = fn;
	f->user = user;
	event_init(&f->answer, l, on_answer, f);
	event_set(&f->answer, world_between(1, 5) * SIM_MS);
	return f;
}

void http_fetch_cancel(struct http_fetch *f)
{
	if (!f)
		return;
	event_cancel(&f->answer);
	free(f);
}

/* No request ever comes, so nothing below is ever called. */
void http_on_gone(struct http_request *req, http_fn fn, void *user)
{
	abort();
}

const char *http_body(const struct http_request *req, size_t *ret_size)
{
	abort();
}

const char *http_query(const struct http_request *req, const char *name)
{
	abort();
}

const char *http_header(const struct http_request *req, const char *name)
{
	abort();
}

const char *http_uri(const struct http_request *req)
{
	abort();
}

int http_body_record(struct http_request *req, const struct record_desc *desc, struct zone *zone, void **ret)
{
	abort();
}

void http_reply_record(struct http_request *req, int status, const struct record_desc *desc, const void *rec,
                       struct zone *zone)
{
	abort();
}

void http_reply_text(struct http_request *req, int status, const char *content_type, const void *data, size_t size)
{
	abort();
}

void http_reply_error(struct http_request *req, int status, const char *reason, const char *fmt, ...)
{
	abort();
}

void http_reply_redirect(struct http_request *req, const char *host, int port)
{
	abort();
}

void http_reply_redirect_base(struct http_request *req, const char *host, int port)
{
	abort();
}
