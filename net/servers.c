/* The servers of an ensemble. The C client of ZooKeeper would look names up itself, and block the loop meanwhile. */
#include "net/servers.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "net/lookup.h"
#include "net/sock.h"

#define MAX_SERVERS 16

struct server {
	struct servers *all;
	char *name;
	int port;
	struct lookup *lookup; /* under way */
	struct buf addresses;  /* "ip:port," for each; the last ones found */
};

struct servers {
	struct loop *loop;
	loop_fn fn;
	void *user;
	struct server server[MAX_SERVERS];
	int n, looking;
	struct buf addresses;
};

static int add_server(struct servers *s, const char *text, struct err *err)
{
	const char *colon = strrchr(text, ':');
	int64_t port;

	if (!colon || colon == text || str_to_int64(colon + 1, 1, 65535, &port, NULL) < 0)
		return err_set(err, EINVAL, "ZooKeeper servers are written host:port,host:port; '%s' is not host:port",
		               text);
	if (s->n == MAX_SERVERS)
		return err_set(err, EINVAL, "more than %d ZooKeeper servers given", MAX_SERVERS);
	size_t n = (size_t)(colon - text);
	bool bracketed = n > 2 && text[0] == '[' && text[n - 1] == ']';
	s->server[s->n++] = (struct server){
		.all = s,
		.name = bracketed ? xstrndup(text + 1, n - 2) : xstrndup(text, n),
		.port = (int)port,
	};
	return 0;
}

struct servers *servers_create(struct loop *l, const char *hosts, loop_fn fn, void *user, struct err *err)
{
	struct servers *s = xcalloc(1, sizeof(*s));
	_cleanup_free_ char *copy = xstrdup(hosts);
	char *save = NULL;

	s->loop = l;
	s->fn = fn;
	s->user = user;
	for (char *h = strtok_r(copy, ",", &save); h; h = strtok_r(NULL, ",", &save))
		if (add_server(s, h, err) < 0)
			goto fail;
	if (s->n > 0)
		return s;
	err_set(err, EINVAL, "no ZooKeeper server given: write host:port,host:port");
fail:
	servers_destroy(s);
	return NULL;
}

void servers_destroy(struct servers *s)
{
	if (!s)
		return;
	for (int i = 0; i < s->n; i++) {
		lookup_cancel(s->server[i].lookup);
		buf_fini(&s->server[i].addresses);
		free(s->server[i].name);
	}
	buf_fini(&s->addresses);
	free(s);
}

int servers_count(const struct servers *s)
{
	return s->n;
}

bool servers_looking(const struct servers *s)
{
	return s->looking > 0;
}

const char *servers_addresses(const struct servers *s)
{
	return s->addresses.size ? (const char *)s->addresses.data : "";
}

static void end_lookup(struct servers *s)
{
	buf_clear(&s->addresses);
	for (int i = 0; i < s->n; i++)
		buf_append(&s->addresses, s->server[i].addresses.data, s->server[i].addresses.size);
	if (s->addresses.size)
		s->addresses.size--; /* the last comma */
	buf_cstr(&s->addresses);
	s->fn(s->user);
}

static void on_lookup(void *user, const struct sockaddr_storage *list, size_t n, const char *why)
{
	struct server *server = user;
	char ip[SOCK_TEXT];

	server->lookup = NULL;
	if (n > 0)
		buf_clear(&server->addresses);
	else
		log_debug("servers.lookup host=%s error=\"%s\"", server->name, why);
	for (size_t i = 0; i < n; i++) {
		sock_print(&list[i], ip, NULL);
		buf_printf(&server->addresses, "%s:%d,", ip, server->port); /* the client splits at the last colon */
	}
	if (--server->all->looking == 0)
		end_lookup(server->all);
}

void servers_look_up(struct servers *s)
{
	if (s->looking > 0)
		return;
	for (int i = 0; i < s->n; i++, s->looking++)
		s->server[i].lookup = lookup_start(s->loop, s->server[i].name, s->server[i].port, on_lookup,
		                                   &s->server[i]);
}
