/* SEAM 4 of 6. HTTP: a server from a table of routes, and a small client.
 *
 * A handler fills a schema record and replies with it; this file does JSON (streamed in slices), limits (body 4 MiB,
 * headers 64 KiB), methods and errors. Every reply that is not a success carries an ApiError, except where the request is
 * not HTTP that can be answered (malformed, unknown method, over a limit): those get libevent's short page. A route also
 * answers under /master/… and /slave(N)/…, as Mesos has them. */
#ifndef FL_NET_HTTP_H
#define FL_NET_HTTP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct http_request;
struct http_server;
struct loop;
struct record_desc;
struct zone;

#define HTTP_MAX_BODY (4u << 20)
#define HTTP_MAX_HEADERS (64u << 10)

typedef void (*http_fn)(void *user, struct http_request *req);

struct http_route {
	const char *method; /* "GET" or "POST" */
	const char *path;   /* exact */
	const char *role;   /* who may call it, once access control comes: "viewer", "operator" */
	http_fn fn;
	const char *doc;
};

/* routes is borrowed and must outlive the server. GET /help lists it. address as in net/conn.h. */
struct http_server *http_server_create(struct loop *l, const char *address, int port, const struct http_route *routes,
                                       size_t n_routes, void *user, struct err *err);
int http_server_port(const struct http_server *s);
/* NULL allowed. Open requests are dropped, without on_gone. Safe from any callback. */
void http_server_destroy(struct http_server *s);

/* A request must be answered exactly once, at once or later; on_gone (may be NULL) tells that the client went away
 * before (the request is then not to be touched any more; without on_gone the answer is still due, and thrown away). */
void http_on_gone(struct http_request *req, http_fn fn, void *user);
const char *http_body(const struct http_request *req, size_t *ret_size);
const char *http_query(const struct http_request *req, const char *name); /* decoded, NULL when absent; borrowed */
const char *http_header(const struct http_request *req, const char *name);
const char *http_uri(const struct http_request *req); /* path and query as received */
/* Decodes the JSON body into zone; on failure has answered 400 (or 415) and returns -errno. */
int http_body_record(struct http_request *req, const struct record_desc *desc, struct zone *zone, void **ret);

/* zone: ownership passes to the server, which frees it when rec (living in it) has been sent; may be NULL for records
 * that were fully written by the time the call returns (it then copies). */
void http_reply_record(struct http_request *req, int status, const struct record_desc *desc, const void *rec,
                       struct zone *zone);
void http_reply_text(struct http_request *req, int status, const char *content_type, const void *data, size_t size);
/* reason: "invalid", "not_found", "conflict", "no_leader", "not_supported", … */
void http_reply_error(struct http_request *req, int status, const char *reason, const char *fmt, ...)
	__attribute__((format(printf, 4, 5)));
/* 307 with Location //host:port plus the request's path and query (reference/mesos.md 4.2). */
void http_reply_redirect(struct http_request *req, const char *host, int port);
/* The same to the bare address: what was asked for is not there. */
void http_reply_redirect_base(struct http_request *req, const char *host, int port);

/* Client: one request on its own connection; timeout_ms covers everything. fn comes once, from the loop. status: HTTP
 * status, or -errno (-ECONNREFUSED for every failure to connect). Body at most HTTP_MAX_BODY, borrowed. */
struct http_fetch;
typedef void (*http_fetch_fn)(void *user, int status, const char *body, size_t size);
struct http_fetch *http_get(struct loop *l, const char *host, int port, const char *path, int timeout_ms,
                            http_fetch_fn fn, void *user);
void http_fetch_cancel(struct http_fetch *f); /* NULL allowed; before its callback only */

#endif
