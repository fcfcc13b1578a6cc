/* The HTTP server, on evhttp. See http.h for the contract; http_reply.c has the replies.
 *
 * What evhttp leaves to us: limits (its defaults are none), a pause when descriptors run out, a bound on what a client may
 * send while its answer is under way, and the bookkeeping of requests whose client goes away before the answer. evhttp
 * takes such a request off its connection and leaves it to us, but frees it itself when the connection is freed for
 * another reason: whether a connection is still there tells which.
 * Invariant: every request is in server->requests; ev is NULL exactly when gone. */
#include "net/http.h"

#include <assert.h>
#include <errno.h>
#include <event2/buffer.h>
#include <event2/bufferevent.h>
#include <event2/event.h>
#include <event2/http.h>
#include <event2/listener.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <sys/queue.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/str.h"
#include "msg/json.h"
#include "net/http_impl.h"
#include "net/sock.h"

#define IDLE_S 60
#define ACCEPT_PAUSE_MS 100
#define MAX_UNREAD (HTTP_MAX_BODY + 4 * HTTP_MAX_HEADERS)

struct http_server {
	struct loop *loop;
	struct evhttp *evhttp;
	struct evconnlistener *listener;
	struct timer pause;
	int port;
	const struct http_route *routes;
	size_t n_routes;
	void *user;
	struct list requests;
	struct http_request *current; /* whose handler runs, until it is answered */
	int depth;                    /* callbacks under way */
	bool destroyed;
	struct defer finish; /* freeing, after the callbacks */
};

/* ---- requests ---- */

static void request_free(struct http_request *req)
{
	if (req->server->current == req)
		req->server->current = NULL;
	list_remove(&req->node);
	if (req->parsed)
		evhttp_clear_headers(&req->query);
	json_writer_destroy(req->writer);
	zone_destroy(req->zone);
	free(req->path);
	free(req->uri);
	free(req);
}

struct evhttp_request *http_request_end(struct http_request *req)
{
	struct evhttp_request *ev = req->ev;

	if (ev) {
		struct evhttp_connection *c = evhttp_request_get_connection(ev);
		struct timeval idle = {.tv_sec = IDLE_S};
		evhttp_connection_set_closecb(c, NULL, NULL);
		bufferevent_set_timeouts(evhttp_connection_get_bufferevent(c), &idle, &idle);
	}
	request_free(req);
	return ev;
}

/* While an answer is due evhttp does not read, and so would not see the client go. We read, into the buffer and up to
 * its limit, without a callback (evhttp's would end the process) and without the timeout for idle clients. */
static void watch_client(struct http_request *req)
{
	struct bufferevent *b = evhttp_connection_get_bufferevent(evhttp_request_get_connection(req->ev));
	struct timeval idle = {.tv_sec = IDLE_S};
	bufferevent_data_cb on_read, on_write;
	bufferevent_event_cb on_event;
	void *user;

	bufferevent_getcb(b, &on_read, &on_write, &on_event, &user);
	bufferevent_setcb(b, NULL, on_write, on_event, user);
	bufferevent_set_timeouts(b, NULL, &idle);
	bufferevent_enable(b, EV_READ);
}

static void tell_gone(struct http_request *req)
{
	struct http_server *s = req->server;
	http_fn fn = req->on_gone;
	void *user = req->on_gone_user;

	if (!fn)
		return; /* the reply will free it */
	s->depth++;
	fn(user, req);
	s->depth--;
	request_free(req);
}

static void on_closed(struct evhttp_connection *c, void *user)
{
	struct http_request *req = user;
	bool streaming = req->writer != NULL;

	if (!evhttp_request_get_connection(req->ev))
		evhttp_request_free(req->ev);
	req->ev = NULL;
	req->gone = true;
	if (streaming || req->server->destroyed)
		request_free(req);
	else
		tell_gone(req);
}

static const char *skip_prefix(const char *path)
{
	const char *rest = path;

	if (str_starts_with(path, "/master/"))
		rest = path + strlen("/master");
	else if (str_starts_with(path, "/slave(")) {
		const char *end = strchr(path, ')');
		size_t digits = strspn(path + strlen("/slave("), "0123456789");
		if (end && digits > 0 && end == path + strlen("/slave(") + digits && end[1] == '/')
			rest = end + 1;
	}
	return rest;
}

/* NULL when the path has a NUL in it. */
static char *decode_path(const char *path)
{
	size_t size;
	char *decoded = evhttp_uridecode(path, 0, &size);

	if (!decoded || strlen(decoded) != size) {
		free(decoded);
		return NULL;
	}
	char *kept = xstrdup(*decoded ? skip_prefix(decoded) : "/");
	free(decoded);
	return kept;
}

static struct http_request *request_create(struct http_server *s, struct evhttp_request *ev)
{
	struct http_request *req = xcalloc(1, sizeof(*req));
	const struct evhttp_uri *uri = evhttp_request_get_evhttp_uri(ev);
	const char *path = evhttp_uri_get_path(uri), *query = evhttp_uri_get_query(uri);

	req->server = s;
	req->ev = ev;
	path = path && *path ? path : "/";
	req->path = decode_path(path);
	req->uri = xasprintf("%s%s%s", path, query ? "?" : "", query ? query : "");
	list_push(&s->requests, &req->node);
	evhttp_connection_set_closecb(evhttp_request_get_connection(ev), on_closed, req);
	return req;
}

/* ---- routes ---- */

static const char *method_name(const struct evhttp_request *ev)
{
	switch (evhttp_request_get_command(ev)) {
	case EVHTTP_REQ_GET:
		return "GET";
	case EVHTTP_REQ_POST:
		return "POST";
	default:
		return "";
	}
}

static void reply_help(struct http_server *s, struct http_request *req)
{
	_cleanup_buf_ struct buf out = {0};

	for (size_t i = 0; i < s->n_routes; i++) {
		const struct http_route *r = &s->routes[i];
		buf_printf(&out, "%-5s %-32s %-9s %s\n", r->method, r->path, r->role, r->doc);
	}
	buf_printf(&out, "%-5s %-32s %-9s %s\n", "GET", "/help", "viewer", "This list.");
	http_reply_text(req, 200, "text/plain; charset=utf-8", out.data, out.size);
}

static void reply_no_route(struct http_request *req, const struct buf *allowed)
{
	if (allowed->size == 0) {
		http_reply_error(req, 404, "not_found", "there is no %s here; GET /help lists what there is", req->uri);
		return;
	}
	evhttp_add_header(evhttp_request_get_output_headers(req->ev), "Allow", (const char *)allowed->data);
	http_reply_error(req, 405, "method_not_allowed", "%s takes %s only", req->path, (const char *)allowed->data);
}

static void allow(struct buf *allowed, const char *method)
{
	buf_printf(allowed, "%s%s", allowed->size ? ", " : "", method);
	buf_cstr(allowed);
}

static void dispatch(struct http_server *s, struct http_request *req)
{
	_cleanup_buf_ struct buf allowed = {0};
	const char *path = req->path ? req->path : "", *method = method_name(req->ev);

	for (size_t i = 0; i < s->n_routes; i++) {
		if (strcmp(s->routes[i].path, path) != 0)
			continue;
		if (strcmp(s->routes[i].method, method) == 0) {
			s->routes[i].fn(s->user, req);
			return;
		}
		allow(&allowed, s->routes[i].method);
	}
	if (allowed.size == 0 && strcmp(path, "/help") == 0) {
		if (strcmp(method, "GET") == 0) {
			reply_help(s, req);
			return;
		}
		allow(&allowed, "GET");
	}
	reply_no_route(req, &allowed);
}

static void on_request(struct evhttp_request *ev, void *user)
{
	struct http_server *s = user;

	s->depth++;
	s->current = request_create(s, ev);
	dispatch(s, s->current);
	if (s->current)
		watch_client(s->current);
	s->current = NULL;
	s->depth--;
}

/* ---- server ---- */

static struct bufferevent *make_bufferevent(struct event_base *base, void *user)
{
	struct bufferevent *b = bufferevent_socket_new(base, -1, 0);

	assert(b);
	bufferevent_setwatermark(b, EV_READ, 0, MAX_UNREAD);
	return b;
}

static void on_accept_error(struct evconnlistener *listener, void *user)
{
	struct http_server *s = user;

	evconnlistener_disable(listener);
	timer_set(&s->pause, ACCEPT_PAUSE_MS);
}

static void on_pause_over(void *user)
{
	struct http_server *s = user;

	evconnlistener_enable(s->listener);
}

static void set_limits(struct http_server *s)
{
	struct evhttp *h = s->evhttp;

	evhttp_set_gencb(h, on_request, s);
	evhttp_set_bevcb(h, make_bufferevent, s);
	evhttp_set_max_body_size(h, HTTP_MAX_BODY);
	evhttp_set_max_headers_size(h, HTTP_MAX_HEADERS);
	evhttp_set_timeout(h, IDLE_S);
	evhttp_set_default_content_type(h, NULL);
	/* What a table does not name is answered 405 by us, instead of 501 by evhttp. */
	evhttp_set_allowed_methods(h, EVHTTP_REQ_GET | EVHTTP_REQ_POST | EVHTTP_REQ_HEAD | EVHTTP_REQ_PUT |
	                                      EVHTTP_REQ_DELETE | EVHTTP_REQ_OPTIONS | EVHTTP_REQ_PATCH |
	                                      EVHTTP_REQ_TRACE | EVHTTP_REQ_CONNECT);
}

static void listen_on(struct http_server *s, int fd)
{
	sock_tune(fd); /* accepted sockets inherit it */
	s->listener = evconnlistener_new(loop_event_base(s->loop), NULL, NULL,
	                                 LEV_OPT_CLOSE_ON_FREE | LEV_OPT_CLOSE_ON_EXEC, 0, fd);
	assert(s->listener);
	struct evhttp_bound_socket *bound = evhttp_bind_listener(s->evhttp, s->listener);
	assert(bound);
	evconnlistener_set_error_cb(s->listener, on_accept_error);
}

struct http_server *http_server_create(struct loop *l, const char *address, int port, const struct http_route *routes,
                                       size_t n_routes, void *user, struct err *err)
{
	int fd, got_port;

	if (sock_listen(address, port, &fd, &got_port, err) < 0)
		return NULL;
	struct http_server *s = xcalloc(1, sizeof(*s));
	s->loop = l;
	s->port = got_port;
	s->routes = routes;
	s->n_routes = n_routes;
	s->user = user;
	list_init(&s->requests);
	timer_init(&s->pause, l, on_pause_over, s);
	s->evhttp = evhttp_new(loop_event_base(l));
	assert(s->evhttp);
	set_limits(s);
	listen_on(s, fd);
	return s;
}

int http_server_port(const struct http_server *s)
{
	return s->port;
}

static void server_free(void *user)
{
	struct http_server *s = user;
	struct http_request *req;

	evhttp_free(s->evhttp); /* calls on_closed for requests under way */
	LIST_FOREACH (req, &s->requests, struct http_request, node)
		request_free(req);
	free(s);
}

void http_server_destroy(struct http_server *s)
{
	if (!s || s->destroyed)
		return;
	s->destroyed = true;
	timer_stop(&s->pause);
	if (s->depth)
		loop_defer(s->loop, &s->finish, server_free, s);
	else
		server_free(s);
}

/* ---- what a handler sees ---- */

void http_on_gone(struct http_request *req, http_fn fn, void *user)
{
	req->on_gone = fn;
	req->on_gone_user = user;
}

const char *http_body(const struct http_request *req, size_t *ret_size)
{
	struct evbuffer *in = req->gone ? NULL : evhttp_request_get_input_buffer(req->ev);

	*ret_size = in ? evbuffer_get_length(in) : 0;
	return *ret_size ? (const char *)evbuffer_pullup(in, -1) : "";
}

const char *http_query(const struct http_request *req, const char *name)
{
	struct http_request *r = (struct http_request *)req; /* parsed when first asked for */
	const char *query = strchr(req->uri, '?');

	if (!r->parsed) {
		TAILQ_INIT(&r->query);
		r->parsed = true;
		if (query)
			evhttp_parse_query_str(query + 1, &r->query);
	}
	return evhttp_find_header(&r->query, name);
}

const char *http_header(const struct http_request *req, const char *name)
{
	return req->gone ? NULL : evhttp_find_header(evhttp_request_get_input_headers(req->ev), name);
}

const char *http_uri(const struct http_request *req)
{
	return req->uri;
}

static bool is_json(const char *content_type)
{
	static const char json[] = "application/json";

	content_type += strspn(content_type, " \t");
	if (strncasecmp(content_type, json, strlen(json)) != 0)
		return false;
	content_type += strlen(json);
	content_type += strspn(content_type, " \t");
	return *content_type == '\0' || *content_type == ';';
}

int http_body_record(struct http_request *req, const struct record_desc *desc, struct zone *zone, void **ret)
{
	const char *type = http_header(req, "Content-Type");
	struct err err = {0};
	size_t size;

	if (!type) {
		http_reply_error(req, 400, "invalid", "no Content-Type header; send application/json");
		return -EINVAL;
	}
	if (!is_json(type)) {
		http_reply_error(req, 415, "unsupported_media_type",
		                 "Content-Type %s is not understood; send application/json", type);
		return -ENOTSUP;
	}
	const char *body = http_body(req, &size);
	int r = json_decode(desc, body, size, zone, ret, &err);
	if (r < 0)
		http_reply_error(req, 400, "invalid", "%s", err.text);
	return r;
}
