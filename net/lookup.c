/* See lookup.h. Each lookup has its own evdns_base, so that a changed resolv.conf is seen. evdns answers from inside the
 * call when it knows the name, therefore the answer is recorded first and given in a deferred call. A cancelled question
 * is still answered by evdns (EAI_CANCEL), and the lookup lives until then, with fn NULL. */
#include "net/lookup.h"

#include <event2/dns.h>
#include <event2/util.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "base/loop.h"
#include "base/mem.h"
#include "net/sock.h"

struct lookup {
	struct loop *loop;
	lookup_fn fn;
	void *user;
	struct evdns_base *dns;
	struct evdns_getaddrinfo_request *request; /* while the question is out */
	struct defer defer;
	struct sockaddr_storage list[LOOKUP_MAX];
	size_t n;
	char why[160];
};

static void lookup_free(struct lookup *k)
{
	defer_cancel(&k->defer);
	if (k->dns)
		evdns_base_free(k->dns, 0);
	free(k);
}

static void on_answered(void *user)
{
	struct lookup *k = user;

	if (k->fn)
		k->fn(k->user, k->list, k->n, k->why);
	lookup_free(k);
}

static void on_answer(int status, struct evutil_addrinfo *result, void *user)
{
	struct lookup *k = user;

	k->request = NULL;
	if (status)
		snprintf(k->why, sizeof(k->why), "%s", evutil_gai_strerror(status));
	for (struct evutil_addrinfo *a = result; a && k->n < LOOKUP_MAX; a = a->ai_next)
		if (a->ai_addrlen <= sizeof(k->list[0]))
			memcpy(&k->list[k->n++], a->ai_addr, a->ai_addrlen);
	if (result)
		evutil_freeaddrinfo(result);
	loop_defer(k->loop, &k->defer, on_answered, k);
}

static void ask(struct lookup *k, const char *host, int port)
{
	struct evutil_addrinfo hints = {.ai_family = AF_UNSPEC,
	                                .ai_socktype = SOCK_STREAM,
	                                .ai_protocol = IPPROTO_TCP,
	                                .ai_flags = EVUTIL_AI_ADDRCONFIG};
	char service[8];

	k->dns = evdns_base_new(loop_event_base(k->loop), 0);
	if (!k->dns) {
		snprintf(k->why, sizeof(k->why), "no resolver");
		loop_defer(k->loop, &k->defer, on_answered, k);
		return;
	}
	/* Its failures leave defaults: localhost, and a name server at 127.0.0.1. */
	evdns_base_resolv_conf_parse(k->dns, DNS_OPTIONS_ALL, "/etc/resolv.conf");
	snprintf(service, sizeof(service), "%u", (unsigned)(uint16_t)port);
	struct evdns_getaddrinfo_request *r = evdns_getaddrinfo(k->dns, host, service, &hints, on_answer, k);
	if (r && !list_linked(&k->defer.node))
		k->request = r;
}

struct lookup *lookup_start(struct loop *l, const char *host, int port, lookup_fn fn, void *user)
{
	struct lookup *k = xcalloc(1, sizeof(*k));

	k->loop = l;
	k->fn = fn;
	k->user = user;
	if (sock_address(host, port, &k->list[0])) {
		k->n = 1;
		loop_defer(l, &k->defer, on_answered, k);
	} else {
		ask(k, host, port);
	}
	return k;
}

void lookup_cancel(struct lookup *k)
{
	if (!k)
		return;
	k->fn = NULL;
	if (k->request)
		evdns_getaddrinfo_cancel(k->request);
	else
		lookup_free(k);
}
