/* Replies. A record small enough goes out in one piece; a bigger one as chunks, each made when the one before has been
 * written to the socket: neither the loop nor the memory is held by a big state or a slow reader. */
#include <event2/buffer.h>
#include <event2/http.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/buf.h"
#include "base/mem.h"
#include "msg/codec.h"
#include "msg/json.h"
#include "net/http_impl.h"

#define JSON "application/json"

static void set_header(struct http_request *req, const char *name, const char *value)
{
	struct evkeyvalq *headers = evhttp_request_get_output_headers(req->ev);

	evhttp_remove_header(headers, name);
	evhttp_add_header(headers, name, value);
}

/* Ends the request; for one whose client is gone there is nothing to send. */
static void send_whole(struct http_request *req, int status, const void *data, size_t size)
{
	if (!req->gone)
		evbuffer_add(evhttp_request_get_output_buffer(req->ev), data, size);
	struct evhttp_request *ev = http_request_end(req);
	if (ev)
		evhttp_send_reply(ev, status, NULL, NULL);
}

static void on_written(struct evhttp_connection *c, void *user);

static void send_slice(struct http_request *req, struct buf *slice)
{
	struct evbuffer *out = evbuffer_new();

	evbuffer_add(out, slice->data, slice->size);
	evhttp_send_reply_chunk_with_cb(req->ev, out, on_written, req);
	evbuffer_free(out);
}

static void on_written(struct evhttp_connection *c, void *user)
{
	struct http_request *req = user;
	_cleanup_buf_ struct buf slice = {0};

	if (req->writer && !json_writer_more(req->writer, &slice, HTTP_SLICE)) {
		json_writer_destroy(req->writer);
		req->writer = NULL;
	}
	if (slice.size)
		send_slice(req, &slice);
	else
		evhttp_send_reply_end(http_request_end(req));
}

static void start_stream(struct http_request *req, int status, struct buf *first)
{
	evhttp_send_reply_start(req->ev, status, NULL);
	send_slice(req, first);
}

void http_reply_record(struct http_request *req, int status, const struct record_desc *desc, const void *rec,
                       struct zone *zone)
{
	_cleanup_buf_ struct buf first = {0};

	req->zone = zone;
	if (req->gone) {
		http_request_end(req);
		return;
	}
	set_header(req, "Content-Type", JSON);
	struct json_writer *w = json_writer_create(desc, rec);
	bool more = true;
	while (more && first.size < HTTP_ONE_PIECE)
		more = json_writer_more(w, &first, HTTP_SLICE);
	if (!more || zone) {
		req->writer = w;
	} else { /* the rest is made from a copy, from its beginning on */
		json_writer_destroy(w);
		req->zone = zone_create();
		req->writer = json_writer_create(desc, codec_copy(desc, rec, req->zone));
		buf_clear(&first);
		json_writer_more(req->writer, &first, HTTP_SLICE);
	}
	if (more)
		start_stream(req, status, &first);
	else
		send_whole(req, status, first.data, first.size);
}

void http_reply_text(struct http_request *req, int status, const char *content_type, const void *data, size_t size)
{
	if (size > HTTP_MAX_REPLY) {
		http_reply_error(req, 500, "too_large", "the answer has %zu bytes, at most %u", size, HTTP_MAX_REPLY);
		return;
	}
	if (!req->gone && content_type)
		set_header(req, "Content-Type", content_type);
	send_whole(req, status, data, size);
}

void http_reply_error(struct http_request *req, int status, const char *reason, const char *fmt, ...)
{
	struct fl_api_error error = {.reason = reason};
	_cleanup_buf_ struct buf text = {0};
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(&text, fmt, ap);
	va_end(ap);
	error.error = buf_cstr(&text);
	http_reply_record(req, status, &rec_api_error, &error, NULL);
}

static void redirect(struct http_request *req, const char *host, int port, const char *uri)
{
	_cleanup_free_ char *to = xasprintf(strchr(host, ':') ? "//[%s]:%d%s" : "//%s:%d%s", host, port, uri);

	if (!req->gone)
		set_header(req, "Location", to);
	http_reply_error(req, 307, "not_leader", "the leading master is at %s:%d", host, port);
}

void http_reply_redirect(struct http_request *req, const char *host, int port)
{
	redirect(req, host, port, http_uri(req));
}

void http_reply_redirect_base(struct http_request *req, const char *host, int port)
{
	redirect(req, host, port, "");
}
