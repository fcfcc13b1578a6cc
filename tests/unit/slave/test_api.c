/* The slave over HTTP. */
#include "tests/unit/slave/slave_fixture.h"

#include <arpa/inet.h>
#include <netinet/in.h>
#include <sys/socket.h>

#include "base/buf.h"
#include "msg/json.h"

/* One request, the whole answer as text. */
static void ask(struct fixture *x, const char *request, struct buf *ret)
{
	struct sockaddr_in to = {.sin_family = AF_INET,
	                         .sin_port = htons((uint16_t)slave_http_port(x->slave)),
	                         .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
	int fd = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	bool closed = false;
	char part[4096];

	assert_int_equal(connect(fd, (struct sockaddr *)&to, sizeof(to)), 0);
	assert_int_equal(send(fd, request, strlen(request), 0), strlen(request));
	while (!closed) {
		loop_step(x->loop, 2);
		for (ssize_t n; (n = recv(fd, part, sizeof(part), MSG_DONTWAIT)) >= 0;) {
			closed = closed || n == 0;
			buf_append(ret, part, (size_t)n);
			if (n == 0)
				break;
		}
	}
	close(fd);
	buf_cstr(ret);
}

static int status_of(struct buf *answer)
{
	return atoi(buf_cstr(answer) + strlen("HTTP/1.1 "));
}

static int get(struct fixture *x, const char *path, struct buf *ret)
{
	_cleanup_free_ char *request = xasprintf("GET %s HTTP/1.1\r\nHost: x\r\nConnection: close\r\n\r\n", path);

	buf_clear(ret);
	ask(x, request, ret);
	return status_of(ret);
}

static int post(struct fixture *x, const char *body, struct buf *ret)
{
	_cleanup_free_ char *request = xasprintf(
		"POST /api/v1 HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Type: application/json\r\n"
		"Content-Length: %zu\r\n\r\n%s",
		strlen(body), body);

	buf_clear(ret);
	ask(x, request, ret);
	return status_of(ret);
}

static bool has(struct buf *answer, const char *text)
{
	return strstr(buf_cstr(answer), text) != NULL;
}

static void test_gets(void **state)
{
	struct fixture *x = *state;
	_cleanup_buf_ struct buf b = {0};

	assert_int_equal(get(x, "/health", &b), 200);
	assert_true(has(&b, "{\"healthy\":true}"));
	assert_int_equal(get(x, "/version", &b), 200);
	assert_true(has(&b, "\"program\":\"fairlead-slave\""));
	assert_int_equal(get(x, "/config", &b), 200);
	assert_true(has(&b, "cluster = test\n"));
	assert_int_equal(get(x, "/nothing", &b), 404);
}

static void test_metrics(void **state)
{
	struct fixture *x = *state;
	_cleanup_buf_ struct buf b = {0};

	fixture_register(x);
	fake_run(&x->master, (struct fake_task){"t", "true"});
	PUMP_UNTIL(x->loop, fixture_saw(x, "t", FL_TASK_FINISHED));
	assert_int_equal(get(x, "/metrics", &b), 200);
	assert_true(has(&b, "fairlead_slave_registered 1\n"));
	assert_true(has(&b, "fairlead_slave_tasks_ended_total{state=\"TASK_FINISHED\"} 1\n"));
	assert_true(has(&b, "# HELP fairlead_slave_tasks "));
}

static void test_calls(void **state)
{
	struct fixture *x = *state;
	_cleanup_buf_ struct buf b = {0};

	assert_int_equal(post(x, "{\"type\":\"GET_HEALTH\"}", &b), 200);
	assert_true(has(&b, "\"get_health\":{\"healthy\":true}"));
	assert_int_equal(post(x, "{\"type\":\"GET_VERSION\"}", &b), 200);
	assert_int_equal(post(x, "{\"type\":\"GET_AGENTS\"}", &b), 501);
	assert_int_equal(post(x, "{\"type\":\"LIST_FILES\"}", &b), 400);
	assert_true(has(&b, "list_files is missing"));
	assert_int_equal(post(x, "{\"type\":\"READ_FILE\"}", &b), 400);
	assert_int_equal(post(x, "{", &b), 400);
	assert_int_equal(post(x, "{\"type\":\"NONSENSE\"}", &b), 400);
}

static void test_tasks_and_files(void **state)
{
	struct fixture *x = *state;
	_cleanup_buf_ struct buf b = {0};

	fixture_register(x);
	fake_run(&x->master, (struct fake_task){"t", "echo hello; sleep 100"});
	PUMP_UNTIL(x->loop, fixture_saw(x, "t", FL_TASK_RUNNING));
	pump_ms(x->loop, 200);
	assert_int_equal(post(x, "{\"type\":\"GET_TASKS\"}", &b), 200);
	assert_true(has(&b, "\"state\":\"TASK_RUNNING\""));
	assert_true(has(&b, "\"task_id\":{\"value\":\"t\"}"));
	assert_true(has(&b, "\"agent_id\":{\"value\":\"slave-1\"}"));

	const char *box = fake_status(&x->master, "t", FL_TASK_RUNNING)->container_status->sandbox;
	_cleanup_free_ char *list = xasprintf("{\"type\":\"LIST_FILES\",\"list_files\":{\"path\":\"%s\"}}", box);
	assert_int_equal(post(x, list, &b), 200);
	assert_true(has(&b, "/stdout\""));
	_cleanup_free_ char *read = xasprintf(
		"{\"type\":\"READ_FILE\",\"read_file\":{\"path\":\"%s/stdout\",\"offset\":0,\"length\":100}}", box);
	assert_int_equal(post(x, read, &b), 200);
	assert_true(has(&b, "\"size\":6"));
	assert_true(has(&b, "aGVsbG8K")); /* hello */
	assert_int_equal(post(x, "{\"type\":\"READ_FILE\",\"read_file\":{\"path\":\"../identity\",\"offset\":0}}", &b),
	                 400);
	assert_int_equal(post(x, "{\"type\":\"LIST_FILES\",\"list_files\":{\"path\":\"fw-1/none\"}}", &b), 404);

	fake_kill(&x->master, "t");
	PUMP_UNTIL(x->loop, fixture_saw(x, "t", FL_TASK_KILLED));
	pump_ms(x->loop, 100);
	assert_int_equal(post(x, "{\"type\":\"GET_TASKS\"}", &b), 200);
	assert_true(has(&b, "\"completed_tasks\""));
	assert_true(has(&b, "TASK_KILLED"));
}

static void test_refusals_at_start(void **state)
{
	static const char *const wrong[][3] = {
		{"work_dir", "relative", "absolute"},
		{"resources", "cpus:many", "--resources"},
		{"attributes", "x", "--attributes"},
		{"master", "", "--master"},
		{"master", "zk://", ""},
		{"ip", "not an address", ""},
	};

	for (size_t i = 0; i < ARRAY_SIZE(wrong); i++) {
		void *each = NULL;
		struct err err = {0};
		fixture_setup_stopped(&each);
		struct fixture *x = each;
		fixture_set(x, wrong[i][0], wrong[i][1]);
		assert_null(slave_create(x->loop, &x->conf, &err));
		assert_true(*err.text);
		assert_non_null(strstr(err.text, wrong[i][2]));
		fixture_teardown(&each);
	}
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, fixture_setup, fixture_teardown)
	const struct CMUnitTest tests[] = {
		TEST(test_gets),
		TEST(test_metrics),
		TEST(test_calls),
		TEST(test_tasks_and_files),
		cmocka_unit_test(test_refusals_at_start),
	};

	if (!fixture_containers_work()) {
		printf("skipped: containers need root\n");
		return 77;
	}
	return cmocka_run_group_tests(tests, NULL, NULL);
}
