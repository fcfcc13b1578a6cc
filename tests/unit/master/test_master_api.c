/* The HTTP API over a real socket. */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "fixture.h"
#include "master/core.h"
#include "master/framework.h"
#include "master/teardown.h"

/* ---- a client ---- */

struct reply {
	int status;
	struct buf text;
	const char *body;
};

static int dial(int port)
{
	struct sockaddr_in to = {
		.sin_family = AF_INET, .sin_port = htons((uint16_t)port), .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);

	assert_true(fd >= 0);
	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	fcntl(fd, F_SETFL, O_NONBLOCK);
	return fd;
}

static bool drained(int fd, struct buf *into)
{
	char chunk[65536];
	ssize_t n;

	while ((n = read(fd, chunk, sizeof(chunk))) > 0)
		buf_append(into, chunk, (size_t)n);
	return n == 0;
}

static int send_request(struct cluster *c, const char *method, const char *path, const char *body)
{
	int fd = dial(master_http_port(c->master));
	_cleanup_free_ char *text = xasprintf("%s %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n"
	                                      "Content-Type: application/json\r\nContent-Length: %zu\r\n\r\n%s",
	                                      method, path, strlen(body), body);

	assert_int_equal(write(fd, text, strlen(text)), (ssize_t)strlen(text));
	return fd;
}

static void await_reply(struct cluster *c, int fd, struct reply *r)
{
	const char *head_end;

	buf_clear(&r->text);
	AWAIT(c, drained(fd, &r->text));
	close(fd);
	assert_int_equal(sscanf(buf_cstr(&r->text), "HTTP/1.1 %d", &r->status), 1);
	head_end = strstr(buf_cstr(&r->text), "\r\n\r\n");
	assert_non_null(head_end);
	r->body = head_end + 4;
}

static void ask(struct cluster *c, const char *method, const char *path, const char *body, struct reply *r)
{
	await_reply(c, send_request(c, method, path, body), r);
}

static void says(const struct reply *r, const char *words)
{
	if (!strstr(buf_cstr((struct buf *)&r->text), words))
		fail_msg("no \"%s\" in: %s", words, buf_cstr((struct buf *)&r->text));
}

static void call(struct cluster *c, const char *type, struct reply *r)
{
	_cleanup_free_ char *body = xasprintf("{\"type\":\"%s\"}", type);

	ask(c, "POST", "/api/v1", body, r);
}

/* ---- tests ---- */

static void test_small_routes(void **state)
{
	struct cluster *c = *state;
	struct reply r = {0};

	ask(c, "GET", "/health", "", &r);
	assert_int_equal(r.status, 200);
	ask(c, "GET", "/version", "", &r);
	assert_int_equal(r.status, 200);
	says(&r, "\"program\":\"fairlead-master\"");
	says(&r, "\"leading\":true");
	says(&r, "\"fairlead_port\":");
	says(&r, "\"epoch\":{\"incarnation\":");
	ask(c, "GET", "/master/redirect", "", &r);
	assert_int_equal(r.status, 307);
	says(&r, zone_printf(c->zone, "Location: //127.0.0.1:%d\r\n", master_http_port(c->master)));
	ask(c, "GET", "/nothing", "", &r);
	assert_int_equal(r.status, 404);
	buf_fini(&r.text);
}

static void test_metrics(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c);
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "n");
	struct reply r = {0};

	launch_running(c, &f, &s, "t", "cpus:1;mem:100");
	framework_await_offer(&f);
	ask(c, "GET", "/metrics", "", &r);
	assert_int_equal(r.status, 200);
	says(&r, "fairlead_master_is_leader 1\n");
	says(&r, "fairlead_elections_total 1\n");
	says(&r, "fairlead_slaves{state=\"registered\"} 1\n");
	says(&r, "fairlead_tasks{state=\"running\"} 1\n");
	says(&r, "fairlead_frameworks{state=\"connected\"} 1\n");
	says(&r, "fairlead_offers_total{outcome=\"accepted\"} 1\n");
	says(&r, "fairlead_offers 1\n");
	says(&r, "fairlead_status_acks_total 1\n");
	buf_fini(&r.text);
}

static void test_views(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c);
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024;ports:[31000-31009]", "n");
	struct reply r = {0};

	launch_running(c, &f, &s, "t", "cpus:1;mem:100");
	framework_await_offer(&f);
	call(c, "GET_HEALTH", &r);
	says(&r, "{\"type\":\"GET_HEALTH\",\"get_health\":{\"healthy\":true}}");
	call(c, "GET_VERSION", &r);
	says(&r, "\"get_version\":{\"version_info\":{");
	call(c, "GET_MASTER", &r);
	says(&r, "\"master_info\":{\"id\":");
	says(&r, "\"elected_time\":");
	call(c, "GET_AGENTS", &r);
	says(&r, "\"agents\":[{\"agent_info\":{\"hostname\":\"host.example\"");
	says(&r, "\"pid\":\"slave(1)@127.0.0.1:5051\"");
	says(&r, "\"allocated_resources\":[{\"name\":\"cpus\",\"type\":\"SCALAR\",\"scalar\":{\"value\":1}");
	says(&r, "\"offered_resources\":[{\"name\":\"cpus\",\"type\":\"SCALAR\",\"scalar\":{\"value\":3}");
	says(&r, "\"state\":\"REGISTERED\"");
	call(c, "GET_FRAMEWORKS", &r);
	says(&r, f.id);
	says(&r, "\"active\":true,\"connected\":true,\"recovered\":false");
	call(c, "GET_TASKS", &r);
	says(&r, "\"task_id\":{\"value\":\"t\"}");
	says(&r, "\"state\":\"TASK_RUNNING\"");
	says(&r, "\"statuses\":[{");
	call(c, "GET_ROLES", &r);
	says(&r, "{\"name\":\"*\",\"weight\":1");
	says(&r, "\"dominant_share\":1");
	call(c, "GET_OFFERS", &r);
	says(&r, "\"offers\":[{\"offer\":{\"id\":{\"value\":");
	buf_fini(&r.text);
}

static void test_completed_views(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c);
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "n");
	struct reply r = {0};

	launch_running(c, &f, &s, "t", "cpus:1;mem:100");
	slave_update(&s, f.id, "t", FL_TASK_FINISHED, FL_TASK_FINISHED, 2);
	framework_await_update(&f, "t");
	framework_ack(&f, s.id, "t", 2);
	fake_await(s.link, MSG_status_ack, NULL, NULL);
	call(c, "GET_TASKS", &r);
	says(&r, "\"completed_tasks\":[{");
	framework_call(&f, &(struct fl_call){.type = FL_CALL_TEARDOWN});
	AWAIT(c, f.link->closed);
	call(c, "GET_FRAMEWORKS", &r);
	says(&r, "\"completed_frameworks\":[{");
	says(&r, "\"unregistered_time\":{\"nanoseconds\":");
	stop_master(c);
	start_master(c);
	call(c, "GET_AGENTS", &r);
	says(&r, "\"recovered_agents\":[{");
	buf_fini(&r.text);
}

static void test_kill_task(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c);
	struct fake_slave s = new_slave(c, "cpus:4;mem:1024", "n");
	struct reply r = {0};
	char body[256];

	launch_running(c, &f, &s, "t", "cpus:1;mem:100");
	snprintf(body, sizeof(body),
	         "{\"type\":\"KILL_TASK\",\"kill_task\":{\"framework_id\":{\"value\":\"%s\"},\"task_id\":{\"value\":"
	         "\"t\"}}}",
	         f.id);
	ask(c, "POST", "/api/v1", body, &r);
	assert_int_equal(r.status, 200);
	fake_await(s.link, MSG_kill_task, NULL, NULL);
	ask(c, "POST", "/api/v1",
	    "{\"type\":\"KILL_TASK\",\"kill_task\":{\"framework_id\":{\"value\":\"x\"},\"task_id\":{\"value\":\"t\"}}}",
	    &r);
	assert_int_equal(r.status, 404);
	says(&r, "\"reason\":\"not_found\"");
	call(c, "KILL_TASK", &r);
	assert_int_equal(r.status, 400);
	buf_fini(&r.text);
}

static void test_teardown(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c);
	struct reply r = {0};
	char body[256];

	snprintf(body, sizeof(body), "{\"type\":\"TEARDOWN\",\"teardown\":{\"framework_id\":{\"value\":\"%s\"}}}",
	         f.id);
	ask(c, "POST", "/api/v1", body, &r);
	assert_int_equal(r.status, 200);
	assert_true(framework_removed_for_good(framework_find(c->master, f.id))); /* before the answer */
	AWAIT(c, f.link->closed);
	ask(c, "POST", "/api/v1", body, &r);
	assert_int_equal(r.status, 404);
	call(c, "TEARDOWN", &r);
	assert_int_equal(r.status, 400);
	buf_fini(&r.text);
}

static const char *teardown_of(struct cluster *c, const struct fake_framework *f)
{
	return zone_printf(c->zone, "{\"type\":\"TEARDOWN\",\"teardown\":{\"framework_id\":{\"value\":\"%s\"}}}",
	                   f->id);
}

/* Nobody can tell whether it became durable: the next leader is to be asked. And who does not wait is not answered. */
static void test_teardown_and_office_lost(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c), g = new_framework(c);
	struct reply r = {0};
	int fd = send_request(c, "POST", "/api/v1", teardown_of(c, &f));

	AWAIT(c, !list_empty(&c->master->teardowns));
	teardowns_refuse(c->master);
	await_reply(c, fd, &r);
	assert_int_equal(r.status, 503);
	says(&r, "no_leader");
	fd = send_request(c, "POST", "/api/v1", teardown_of(c, &g));
	AWAIT(c, !list_empty(&c->master->teardowns));
	close(fd);
	AWAIT(c, list_empty(&c->master->teardowns));
	buf_fini(&r.text);
}

static void test_bad_calls(void **state)
{
	struct cluster *c = *state;
	struct reply r = {0};

	ask(c, "POST", "/api/v1", "{", &r);
	assert_int_equal(r.status, 400);
	ask(c, "POST", "/api/v1", "{\"type\":\"DANCE\"}", &r);
	assert_int_equal(r.status, 400);
	ask(c, "POST", "/api/v1", "{}", &r);
	assert_int_equal(r.status, 400);
	ask(c, "POST", "/api/v1", "{\"type\":\"LIST_FILES\",\"list_files\":{\"path\":\"/\"}}", &r);
	assert_int_equal(r.status, 404);
	says(&r, "not_supported");
	ask(c, "GET", "/api/v1", "", &r);
	assert_int_equal(r.status, 405);
	buf_fini(&r.text);
}

static void test_without_office(void **state)
{
	static const char *const types[] = {"GET_TASKS", "TEARDOWN", "KILL_TASK"};
	struct cluster *c = *state;
	struct reply r = {0};

	sm_move(&c->master->office, OFFICE_SUSPENDED);
	for (size_t i = 0; i < ARRAY_SIZE(types); i++) {
		call(c, types[i], &r);
		assert_int_equal(r.status, 503);
		says(&r, "no_leader");
	}
	ask(c, "GET", "/health", "", &r);
	assert_int_equal(r.status, 200);
	ask(c, "GET", "/version", "", &r);
	says(&r, "\"leading\":false");
	buf_fini(&r.text);
}

/* An answer of many slices, while the cluster changes under it. */
static void test_big_answer(void **state)
{
	struct cluster *c = *state;
	struct fake_framework f = new_framework(c);
	struct fake_slave s = new_slave(c, "cpus:400;mem:1024", "n");
	const char *offer = framework_await_offer(&f)->id;
	struct fl_task_info tasks[200];
	struct reply r = {0};
	size_t n = 0;

	for (size_t i = 0; i < ARRAY_SIZE(tasks); i++)
		tasks[i] = task_info(c, zone_printf(c->zone, "task-%03zu", i), s.id, "cpus:1");
	framework_accept(&f, &offer, 1, tasks, ARRAY_SIZE(tasks), 0);
	for (size_t i = 0; i < ARRAY_SIZE(tasks); i++)
		fake_await(s.link, MSG_run_task, NULL, NULL);
	framework_call(&f, &(struct fl_call){.type = FL_CALL_TEARDOWN});
	call(c, "GET_TASKS", &r);
	assert_int_equal(r.status, 200);
	for (const char *p = r.body; (p = strstr(p, "\"task_id\":{\"value\":\"task-")); p++)
		n++;
	assert_int_equal(n, ARRAY_SIZE(tasks));
	buf_fini(&r.text);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
#define T(name) cmocka_unit_test_setup_teardown(name, started_setup, cluster_teardown)
		T(test_small_routes),
		T(test_metrics),
		T(test_views),
		T(test_completed_views),
		T(test_kill_task),
		T(test_teardown),
		T(test_teardown_and_office_lost),
		T(test_bad_calls),
		T(test_without_office),
		T(test_big_answer),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
