/* What http.c (the server and its requests) and http_reply.c (replies) share. */
#ifndef FL_NET_HTTP_IMPL_H
#define FL_NET_HTTP_IMPL_H

#include <event2/keyvalq_struct.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/list.h"
#include "net/http.h"

struct evhttp_request;
struct json_writer;
struct zone;

#define HTTP_SLICE (64u << 10)      /* of a streamed reply; the next one waits until it is written */
#define HTTP_ONE_PIECE (256u << 10) /* smaller replies go out whole, with a Content-Length */
#define HTTP_MAX_REPLY (16u << 20)  /* what may wait to be sent to one client */

/* A request lives from its handler's call until its reply is handed to libevent, or its client and its handler have both
 * lost interest. gone: the client went away; ev is NULL then. */
struct http_request {
	struct http_server *server;
	struct list_node node;
	struct evhttp_request *ev;
	struct evkeyvalq query;
	bool parsed; /* query */
	bool gone;
	char *path; /* decoded, without prefix */
	char *uri;
	http_fn on_gone;
	void *on_gone_user;
	struct json_writer *writer; /* while a reply is streamed */
	struct zone *zone;
};

/* Frees req and gives back what libevent shall end now, NULL when the client is gone. To be called before the reply's
 * last bytes are handed over: libevent may free its request, and its connection, in that very call. */
struct evhttp_request *http_request_end(struct http_request *req);

#endif
