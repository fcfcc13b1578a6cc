#include "cli/client.h"

#include <curl/curl.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/loop.h"
#include "base/mem.h"
#include "base/str.h"
#include "cli/verb.h"
#include "msg/codec.h"
#include "msg/json.h"
#include "net/detect.h"
#include "net/url.h"

#define MAX_ANSWER (256u << 20)
#define RETRY_MS 200

struct client {
	struct loop *loop;
	struct detect *detect;
	struct owned leader;
	struct zone *zone; /* of the last answer */
	CURL *curl;
	const char *where; /* as the user gave it */
	int timeout_ms;
	int64_t deadline_ms; /* of the call under way */
};

static void on_leader(void *user, const struct fl_master_info *leader)
{
	struct client *c = user;
	owned_set(&c->leader, &rec_master_info, leader);
}

struct client *client_create(const struct args *args, int *ret_exit)
{
	struct err err = {0};
	struct url url;
	struct client *c;

	if (url_parse(args->master, &url, &err) < 0) {
		*ret_exit = complain(EXIT_USAGE, "--master: %s", err.text);
		return NULL;
	}
	if (url.kind == URL_FILE) {
		url_fini(&url);
		*ret_exit = complain(EXIT_USAGE, "--master is zk://host:port/path or host:port, not file://…");
		return NULL;
	}
	c = xcalloc(1, sizeof(*c));
	c->loop = loop_create();
	c->where = args->master;
	c->timeout_ms = args->timeout_ms;
	c->detect = detect_create(c->loop, &url, 6000, on_leader, c, &err);
	url_fini(&url);
	if (!c->detect) {
		*ret_exit = complain(EXIT_FAILED, "%s", err.text);
		client_destroy(c);
		return NULL;
	}
	return c;
}

void client_destroy(struct client *c)
{
	if (!c)
		return;
	detect_destroy(c->detect);
	loop_step(c->loop, 0); /* for questions that were given up */
	loop_destroy(c->loop);
	owned_fini(&c->leader);
	zone_destroy(c->zone);
	if (c->curl)
		curl_easy_cleanup(c->curl);
	free(c);
}

/* ---------------------------------------------------------------------------------------------- one request */

struct answer {
	long status; /* 0: no answer */
	struct buf body;
	char why[CURL_ERROR_SIZE];
};

static size_t on_body(char *data, size_t size, size_t n, void *user)
{
	struct answer *a = user;
	if (a->body.size + size * n > MAX_ANSWER)
		return 0;
	buf_append(&a->body, data, size * n);
	return size * n;
}

static void post(struct client *c, const char *host, int port, const struct fl_api_call *call, int timeout_ms,
                 struct answer *ret)
{
	_cleanup_buf_ struct buf body = {0};
	_cleanup_free_ char *url = xasprintf(strchr(host, ':') ? "http://[%s]:%d/api/v1" : "http://%s:%d/api/v1", host,
	                                     port);
	struct curl_slist *headers = curl_slist_append(NULL, "Content-Type: application/json");

	json_encode(&rec_api_call, call, &body);
	if (!c->curl)
		c->curl = curl_easy_init();
	curl_easy_reset(c->curl);
	curl_easy_setopt(c->curl, CURLOPT_URL, url);
	curl_easy_setopt(c->curl, CURLOPT_NOPROXY, "*");
	curl_easy_setopt(c->curl, CURLOPT_PROTOCOLS_STR, "http,https");
	curl_easy_setopt(c->curl, CURLOPT_HTTPHEADER, headers);
	curl_easy_setopt(c->curl, CURLOPT_POSTFIELDSIZE_LARGE, (curl_off_t)body.size);
	curl_easy_setopt(c->curl, CURLOPT_POSTFIELDS, (const char *)body.data);
	curl_easy_setopt(c->curl, CURLOPT_TIMEOUT_MS, (long)timeout_ms);
	curl_easy_setopt(c->curl, CURLOPT_NOSIGNAL, 1L);
	curl_easy_setopt(c->curl, CURLOPT_WRITEFUNCTION, on_body);
	curl_easy_setopt(c->curl, CURLOPT_WRITEDATA, ret);
	curl_easy_setopt(c->curl, CURLOPT_ERRORBUFFER, ret->why);
	if (curl_easy_perform(c->curl) == CURLE_OK)
		curl_easy_getinfo(c->curl, CURLINFO_RESPONSE_CODE, &ret->status);
	curl_slist_free_all(headers);
}

static const struct fl_api_response *read_answer(struct client *c, struct answer *a, int *ret_exit)
{
	struct err err = {0};
	void *rec = NULL;

	zone_destroy(c->zone);
	c->zone = zone_create();
	if (a->body.size == 0)
		return zone_alloc(c->zone, sizeof(struct fl_api_response));
	if (json_decode(&rec_api_response, (const char *)a->body.data, a->body.size, c->zone, &rec, &err) < 0) {
		*ret_exit = complain(EXIT_FAILED, "the answer is not understood: %s", err.text);
		return NULL;
	}
	return rec;
}

static int exit_of_status(long status)
{
	switch (status) {
	case 401:
	case 403:
		return EXIT_NOT_AUTHORISED;
	case 404:
		return EXIT_NOT_FOUND;
	case 409:
		return EXIT_CONFLICT;
	case 408:
	case 504:
		return EXIT_TIMED_OUT;
	default:
		return EXIT_FAILED;
	}
}

/* Tells stderr what a refusal says. */
static int complain_answer(const struct answer *a)
{
	_cleanup_zone_ struct zone *zone = zone_create();
	void *rec = NULL;
	struct err err;

	if (json_decode(&rec_api_error, (const char *)a->body.data, a->body.size, zone, &rec, &err) == 0)
		return complain(exit_of_status(a->status), "%s", ((struct fl_api_error *)rec)->error);
	return complain(exit_of_status(a->status), "the answer was HTTP status %ld", a->status);
}

/* ---------------------------------------------------------------------------------------------- the leader */

static int64_t left_ms(const struct client *c)
{
	int64_t left = c->deadline_ms - loop_now_us(c->loop) / 1000;
	return left > 0 ? left : 0;
}

static void start_clock(struct client *c)
{
	c->deadline_ms = loop_now_us(c->loop) / 1000 + c->timeout_ms;
}

static int complain_no_leader(const struct client *c)
{
	return complain(
		EXIT_NO_LEADER,
		"no leading master is reachable at %s. Is the cluster up? Give its address with --master, or start one "
		"here with 'fairlead local up'.",
		c->where);
}

static const struct fl_master_info *await_leader(struct client *c)
{
	while (!c->leader.rec && left_ms(c) > 0)
		loop_step(c->loop, (int)left_ms(c));
	return c->leader.rec;
}

const struct fl_master_info *client_leader(struct client *c, int *ret_exit)
{
	start_clock(c);
	const struct fl_master_info *leader = await_leader(c);
	if (!leader && ret_exit)
		*ret_exit = complain_no_leader(c);
	return leader;
}

/* Lets the detector look again, and waits a little: the leader may be the same, and only busy. */
static void look_again(struct client *c)
{
	int64_t until = loop_now_us(c->loop) / 1000 + RETRY_MS;
	detect_again(c->detect);
	while (loop_now_us(c->loop) / 1000 < until && left_ms(c) > 0)
		loop_step(c->loop, 20);
}

static const char *host_of(const struct fl_master_info *m)
{
	if (m->address && m->address->ip)
		return m->address->ip;
	return m->hostname ? m->hostname : "127.0.0.1";
}

const struct fl_api_response *client_call(struct client *c, const struct fl_api_call *call, int *ret_exit)
{
	for (start_clock(c);;) {
		const struct fl_master_info *leader = await_leader(c);
		struct answer a = {0};
		const struct fl_api_response *response = NULL;
		if (!leader) {
			*ret_exit = complain_no_leader(c);
			return NULL;
		}
		post(c, host_of(leader), (int)leader->port, call, (int)left_ms(c) + 1, &a);
		bool no_leader = a.status == 0 || a.status == 307 || a.status == 503;
		bool again = no_leader && left_ms(c) > 0;
		if (a.status == 200 || a.status == 202)
			response = read_answer(c, &a, ret_exit);
		else if (!no_leader)
			*ret_exit = complain_answer(&a);
		else if (!again)
			*ret_exit = complain_no_leader(c);
		buf_fini(&a.body);
		if (!again)
			return response;
		look_again(c);
	}
}

const struct fl_api_response *client_call_slave(struct client *c, const char *host, int port,
                                                const struct fl_api_call *call, bool quiet, int *ret_exit)
{
	struct answer a = {0};
	const struct fl_api_response *response = NULL;

	post(c, host, port, call, c->timeout_ms, &a);
	if (a.status == 200)
		response = read_answer(c, &a, ret_exit);
	else if (quiet)
		*ret_exit = a.status ? exit_of_status(a.status) : EXIT_FAILED;
	else if (a.status)
		*ret_exit = complain_answer(&a);
	else
		*ret_exit = complain(EXIT_FAILED, "the slave at %s:%d does not answer: %s", host, port, a.why);
	buf_fini(&a.body);
	return response;
}

static bool has_part(const struct fl_api_response *r, enum fl_api_type type)
{
	switch (type) {
	case FL_API_GET_MASTER:
		return r->get_master;
	case FL_API_GET_AGENTS:
		return r->get_agents;
	case FL_API_GET_FRAMEWORKS:
		return r->get_frameworks;
	case FL_API_GET_TASKS:
		return r->get_tasks;
	case FL_API_GET_ROLES:
		return r->get_roles;
	case FL_API_GET_OFFERS:
		return r->get_offers;
	default:
		return true;
	}
}

const struct fl_api_response *client_get(struct client *c, enum fl_api_type type, int *ret_exit)
{
	struct fl_api_call call = {.type = type};
	const struct fl_api_response *r = client_call(c, &call, ret_exit);

	if (!r || has_part(r, type))
		return r;
	*ret_exit = complain(EXIT_FAILED, "the answer to %s has nothing in it", enum_name(&enum_api_type, (int)type));
	return NULL;
}
