/* Bytes into the HTTP server, over a loopback socket, whose client then goes away; the first byte chooses how the input is
 * cut in two and whether the second half comes after some turns of the loop. The server must be there afterwards. */
#include <arpa/inet.h>
#include <assert.h>
#include <errno.h>
#include <netinet/in.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"
#include "base/loop.h"
#include "base/mem.h"
#include "msg/desc.h"
#include "net/http.h"

struct world {
	struct loop *l;
	struct http_server *s;
	struct http_request *pending;
};

static void on_gone(void *user, struct http_request *req)
{
	struct world *w = user;

	if (w->pending == req)
		w->pending = NULL;
}

static void on_record(void *user, struct http_request *req)
{
	struct zone *zone = zone_create();
	void *rec;

	http_query(req, "a");
	if (http_body_record(req, &rec_api_call, zone, &rec) < 0)
		zone_destroy(zone);
	else
		http_reply_record(req, 200, &rec_api_call, rec, zone);
}

static void on_later(void *user, struct http_request *req)
{
	struct world *w = user;

	if (w->pending) {
		http_reply_redirect(req, "leader", 5050);
		return;
	}
	w->pending = req;
	http_on_gone(req, on_gone, w);
}

static const struct http_route routes[] = {
	{"POST", "/api/v1", "operator", on_record, "A call."},
	{"GET", "/later", "viewer", on_later, "Later."},
};

static struct world *world_create(void)
{
	struct world *w = xcalloc(1, sizeof(*w));

	w->l = loop_create();
	w->s = http_server_create(w->l, "127.0.0.1", 0, routes, ARRAY_SIZE(routes), w, NULL);
	assert(w->s);
	return w;
}

static void turn(struct world *w, int n)
{
	while (n-- > 0)
		loop_step(w->l, 0);
}

static int dial(struct world *w)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
	                         .sin_port = htons((uint16_t)http_server_port(w->s)),
	                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	struct linger now = {.l_onoff = 1}; /* no ports left waiting */
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert(fd >= 0);
	int r = connect(fd, (struct sockaddr *)&to, sizeof(to));
	assert(r == 0 || errno == EINTR); /* libFuzzer's alarm; connecting goes on */
	setsockopt(fd, SOL_SOCKET, SO_LINGER, &now, sizeof(now));
	return fd;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
	static struct world *w; /* one server for all inputs */

	if (size < 1 || size > 60000) /* what a socket's buffer holds */
		return 0;
	if (!w)
		w = world_create();
	size_t first = (size - 1) * (data[0] & 15) / 15;
	int fd = dial(w);
	turn(w, 1);
	send(fd, data + 1, first, MSG_DONTWAIT | MSG_NOSIGNAL);
	turn(w, data[0] & 16 ? 3 : 0);
	send(fd, data + 1 + first, size - 1 - first, MSG_DONTWAIT | MSG_NOSIGNAL);
	turn(w, 3);
	if (w->pending && data[0] & 32) {
		struct http_request *req = w->pending;
		w->pending = NULL;
		http_reply_error(req, 404, "not_found", "not there");
		turn(w, 2);
	}
	close(fd);
	turn(w, 2);
	return 0;
}
