/* One HTTP request on a connection of its own. See http.h for the contract.
 *
 * States: LOOKUP, ASKING (one address after the other, while they cannot be connected to), ENDED (the result is known, or
 * its address failed; what follows is deferred, because evhttp must not be freed from its own callbacks). */
#include <assert.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/http.h>
#include <event2/util.h>
#include <string.h>

#include "base/buf.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/sm.h"
#include "net/http.h"
#include "net/lookup.h"
#include "net/sock.h"

enum { LOOKUP, ASKING, ENDED };

static const struct sm_state states[] = {
	[LOOKUP] = {"LOOKUP", 1 << ASKING | 1 << ENDED, SM_INITIAL},
	[ASKING] = {"ASKING", 1 << ENDED, 0},
	[ENDED] = {"ENDED", 1 << ASKING, SM_FINAL},
};

struct http_fetch {
	struct sm sm;
	struct loop *loop;
	char *host, *path;
	int port;
	http_fetch_fn fn;
	void *user;
	struct timer timer;
	struct defer defer;
	struct lookup *lookup;
	struct sockaddr_storage addresses[LOOKUP_MAX];
	size_t n_addresses, next_address;
	struct evhttp_connection *evcon;
	int status;
	struct buf body;
};

static void drop_connection(struct http_fetch *f)
{
	if (f->evcon)
		evhttp_connection_free(f->evcon);
	f->evcon = NULL;
}

static void fetch_free(struct http_fetch *f)
{
	lookup_cancel(f->lookup);
	timer_stop(&f->timer);
	defer_cancel(&f->defer);
	drop_connection(f);
	buf_fini(&f->body);
	free(f->host);
	free(f->path);
	free(f);
}

static void tell(struct http_fetch *f)
{
	drop_connection(f);
	timer_stop(&f->timer);
	f->fn(f->user, f->status, buf_cstr(&f->body), f->body.size);
	fetch_free(f);
}

static void ask_next(struct http_fetch *f);

static void on_ended(void *user)
{
	struct http_fetch *f = user;

	if (f->status == -ECONNREFUSED && f->next_address < f->n_addresses)
		ask_next(f);
	else
		tell(f);
}

static void end(struct http_fetch *f, int status)
{
	if (sm_state(&f->sm) == ENDED)
		return;
	f->status = status;
	sm_move(&f->sm, ENDED);
	loop_defer(f->loop, &f->defer, on_ended, f);
}

static void on_error(enum evhttp_request_error error, void *user)
{
	static const int codes[] = {
		[EVREQ_HTTP_TIMEOUT] = -ETIMEDOUT,        [EVREQ_HTTP_EOF] = -ECONNRESET,
		[EVREQ_HTTP_INVALID_HEADER] = -EPROTO,    [EVREQ_HTTP_BUFFER_ERROR] = -EIO,
		[EVREQ_HTTP_REQUEST_CANCEL] = -ECANCELED, [EVREQ_HTTP_DATA_TOO_LONG] = -EMSGSIZE,
	};

	end(user, error < (int)ARRAY_SIZE(codes) ? codes[error] : -EIO);
}

/* ev is NULL or without a status when there was no answer; on_error has then spoken, unless connecting failed. */
static void on_answer(struct evhttp_request *ev, void *user)
{
	struct http_fetch *f = user;

	if (!ev || evhttp_request_get_response_code(ev) == 0) {
		end(f, -ECONNREFUSED);
		return;
	}
	struct evbuffer *in = evhttp_request_get_input_buffer(ev);
	size_t size = evbuffer_get_length(in);
	buf_append(&f->body, evbuffer_pullup(in, -1), size);
	end(f, evhttp_request_get_response_code(ev));
}

static struct evhttp_request *make_request(struct http_fetch *f)
{
	struct evhttp_request *ev = evhttp_request_new(on_answer, f);
	_cleanup_free_ char *host = xasprintf(strchr(f->host, ':') ? "[%s]:%d" : "%s:%d", f->host, f->port);

	assert(ev);
	evhttp_request_set_error_cb(ev, on_error);
	evhttp_add_header(evhttp_request_get_output_headers(ev), "Host", host);
	evhttp_add_header(evhttp_request_get_output_headers(ev), "Connection", "close");
	return ev;
}

static void ask_next(struct http_fetch *f)
{
	char ip[SOCK_TEXT];

	drop_connection(f);
	sock_print(&f->addresses[f->next_address++], ip, NULL);
	f->evcon = evhttp_connection_base_new(loop_event_base(f->loop), NULL, ip, (uint16_t)f->port);
	assert(f->evcon);
	evhttp_connection_set_max_body_size(f->evcon, HTTP_MAX_BODY);
	evhttp_connection_set_max_headers_size(f->evcon, HTTP_MAX_HEADERS);
	sm_move(&f->sm, ASKING);
	if (evhttp_make_request(f->evcon, make_request(f), EVHTTP_REQ_GET, f->path) < 0) {
		end(f, -ECONNREFUSED);
		return;
	}
	int fd = bufferevent_getfd(evhttp_connection_get_bufferevent(f->evcon));
	if (fd >= 0)
		evutil_make_socket_closeonexec(fd);
}

static void on_addresses(void *user, const struct sockaddr_storage *list, size_t n, const char *why)
{
	struct http_fetch *f = user;

	f->lookup = NULL;
	f->n_addresses = n;
	memcpy(f->addresses, list, n * sizeof(*list));
	if (n)
		ask_next(f);
	else
		end(f, -EHOSTUNREACH);
}

static void on_timeout(void *user)
{
	struct http_fetch *f = user;

	if (sm_state(&f->sm) != ENDED || f->status < 0)
		f->status = -ETIMEDOUT;
	tell(f);
}

struct http_fetch *http_get(struct loop *l, const char *host, int port, const char *path, int timeout_ms,
                            http_fetch_fn fn, void *user)
{
	struct http_fetch *f = xcalloc(1, sizeof(*f));

	f->loop = l;
	f->host = xstrdup(host);
	f->port = port;
	f->path = xstrdup(path);
	f->fn = fn;
	f->user = user;
	sm_init(&f->sm, states, ARRAY_SIZE(states), LOOKUP, "fetch", host, NULL, NULL);
	timer_init(&f->timer, l, on_timeout, f);
	timer_set(&f->timer, timeout_ms);
	f->lookup = lookup_start(l, host, port, on_addresses, f);
	return f;
}

void http_fetch_cancel(struct http_fetch *f)
{
	if (f)
		fetch_free(f);
}
