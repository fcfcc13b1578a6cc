/* Asking the cluster, against a master in a process of its own: the calls block. What the verbs print of it, and what they
 * exit with. */
#include "tests/unit/cli/capture.h"

#include <errno.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

#include "base/loop.h"
#include "base/str.h"
#include "cli/client.h"
#include "cli/tail.h"
#include "net/http.h"

/* What the master is to do, shared with its process. */
struct script {
	int port;
	bool hidden;     /* nobody leads */
	int status;      /* of answers; 0: 200 */
	int n_redirects; /* so many answers are redirections first */
	bool empty;      /* answers without a body */
	bool garbled;
	int n_calls;
	enum fl_api_type last_type;
	char last_framework[64], last_task[64];
	char file[256]; /* what a READ_FILE reads of, at most file_part bytes at a time */
	size_t file_size, file_part;
};

static struct script *script;
static pid_t master;
static char address[32];
static struct capture c;

/* ---- the master's process ---- */

static void on_version(void *user, struct http_request *req)
{
	struct fl_address where = {.ip = "127.0.0.1", .port = script->port};
	struct fl_master_info info = {.id = "m",
	                              .ip = 16777343,
	                              .port = script->port,
	                              .hostname = "localhost",
	                              .address = &where,
	                              .version = "0.1.0",
	                              .cluster = "blue"};
	struct fl_epoch epoch = {.incarnation = "registry-1", .term = 7};
	struct fl_version_info v = {.version = "0.1.0",
	                            .leader = script->hidden ? NULL : &info,
	                            .has_leading = true,
	                            .leading = !script->hidden,
	                            .epoch = &epoch};

	http_reply_record(req, 200, &rec_version_info, &v, NULL);
}

static void answer(struct http_request *req, enum fl_api_type type)
{
	struct fl_scalar total = {4000}, used = {1000};
	struct fl_resource has = {.name = "cpus", .type = FL_SCALAR, .scalar = &total},
			   holds = {.name = "cpus", .type = FL_SCALAR, .scalar = &used};
	struct fl_slave_info info = {
		.id = "slave-1", .hostname = "one", .ip = "10.0.0.1", .has_port = true, .port = 5051};
	struct fl_api_slave slave = {.slave_info = &info,
	                             .active = true,
	                             .state = FL_SLAVE_REGISTERED,
	                             .total_resources = &has,
	                             .n_total_resources = 1,
	                             .allocated_resources = &holds,
	                             .n_allocated_resources = 1};
	struct fl_framework_info f_info = {.name = "web", .user = "", .id = "f-1"};
	struct fl_api_framework framework = {.framework_info = &f_info, .active = true, .connected = true};
	struct fl_task_status status = {.task_id = "t-1", .state = FL_TASK_RUNNING, .message = "well\033[2J"};
	struct fl_task task = {.name = "web",
	                       .task_id = "t-1",
	                       .framework_id = "f-1",
	                       .slave_id = "slave-1",
	                       .state = FL_TASK_RUNNING,
	                       .statuses = &status,
	                       .n_statuses = 1};
	struct fl_master_info m = {.id = "m", .ip = 16777343, .port = 5050, .hostname = "localhost", .cluster = "blue"};
	struct fl_epoch epoch = {.incarnation = "registry-1", .term = 7};
	struct fl_api_get_master get_master = {.master_info = &m, .epoch = &epoch};
	struct fl_api_get_agents agents = {.agents = &slave, .n_agents = 1};
	struct fl_api_get_frameworks frameworks = {.frameworks = &framework, .n_frameworks = 1};
	struct fl_api_get_tasks tasks = {.tasks = &task, .n_tasks = 1};
	struct fl_api_get_roles roles = {0};
	struct fl_api_response r = {
		.type = type,
		.get_master = type == FL_API_GET_MASTER ? &get_master : NULL,
		.get_agents = type == FL_API_GET_AGENTS ? &agents : NULL,
		.get_frameworks = type == FL_API_GET_FRAMEWORKS ? &frameworks : NULL,
		.get_tasks = type == FL_API_GET_TASKS ? &tasks : NULL,
		.get_roles = type == FL_API_GET_ROLES ? &roles : NULL,
	};

	http_reply_record(req, 200, &rec_api_response, &r, NULL);
}

static void answer_read(struct http_request *req, const struct fl_api_read_file *read)
{
	size_t left = script->file_size > read->offset ? script->file_size - read->offset : 0;
	size_t n = left < script->file_part ? left : script->file_part;
	struct fl_api_file_data data = {.size = script->file_size};
	struct fl_api_response r = {.type = FL_API_READ_FILE, .read_file = &data};

	if (n > read->length)
		n = read->length;
	data.data = (struct fl_bytes){.data = (const uint8_t *)script->file + (n ? read->offset : 0), .size = n};
	http_reply_record(req, 200, &rec_api_response, &r, NULL);
}

static void on_call(void *user, struct http_request *req)
{
	_cleanup_zone_ struct zone *zone = zone_create();
	void *rec;

	if (http_body_record(req, &rec_api_call, zone, &rec) < 0)
		return;
	const struct fl_api_call *call = rec;
	script->n_calls++;
	script->last_type = call->type;
	if (call->kill_task) {
		snprintf(script->last_framework, sizeof(script->last_framework), "%s", call->kill_task->framework_id);
		snprintf(script->last_task, sizeof(script->last_task), "%s", call->kill_task->task_id);
	}
	if (script->n_redirects > 0) {
		script->n_redirects--;
		http_reply_redirect(req, "127.0.0.1", 1);
	} else if (script->status) {
		http_reply_error(req, script->status, "test", "the reason is %d", script->status);
	} else if (script->garbled) {
		http_reply_text(req, 200, "application/json", "{\"type\":7", 9);
	} else if (script->empty || call->type == FL_API_KILL_TASK || call->type == FL_API_TEARDOWN) {
		http_reply_text(req, 202, "text/plain", "", 0);
	} else if (call->read_file) {
		answer_read(req, call->read_file);
	} else {
		answer(req, call->type);
	}
}

static const struct http_route routes[] = {
	{"GET", "/version", "viewer", on_version, "Who leads."},
	{"POST", "/api/v1", "operator", on_call, "Calls."},
};

static void be_master(int report)
{
	struct loop *l = loop_create();
	struct http_server *s = http_server_create(l, "127.0.0.1", 0, routes, 2, NULL, NULL);

	script->port = s ? http_server_port(s) : 0;
	if (write(report, "!", 1) != 1)
		_exit(1);
	for (;;)
		loop_step(l, -1);
}

static int begin(void **state)
{
	int report[2];
	char done;

	script = mmap(NULL, sizeof(*script), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	if (script == MAP_FAILED || pipe(report) < 0)
		return -1;
	master = fork();
	if (master == 0)
		be_master(report[1]);
	if (read(report[0], &done, 1) != 1 || !script->port)
		return -1;
	close(report[0]);
	close(report[1]);
	snprintf(address, sizeof(address), "127.0.0.1:%d", script->port);
	setenv("TZ", "UTC", 1);
	return 0;
}

static int end(void **state)
{
	kill(master, SIGKILL);
	waitpid(master, NULL, 0);
	capture_fini(&c);
	return munmap(script, sizeof(*script));
}

static int reset(void **state)
{
	int port = script->port;

	*script = (struct script){.port = port};
	return 0;
}

/* ---- verbs ---- */

/* Runs a verb as main does; its exit code. */
static int run(int timeout_ms, char **words)
{
	struct args a;
	int r;

	assert_int_equal(read_words(&a, words), 0);
	a.master = args_has(&a, "master") ? args_get(&a, "master") : address;
	a.timeout_ms = timeout_ms;
	a.home = "/nowhere";
	CAPTURE(&c, r = a.verb->fn(&a));
	args_fini(&a);
	return r;
}

static void test_status(void **state)
{
	assert_int_equal(run(10000, WORDS("status")), EXIT_OK);
	assert_has(c.out, "leader         localhost:5050 (m)\n");
	assert_has(c.out, "cluster        blue\n");
	assert_has(c.out, "epoch          term 7 of registry-1\n");
	assert_has(c.out, "slaves         1 registered, 0 disconnected, 0 unreachable, 0 awaited\n");
	assert_has(c.out, "cpus           1 of 4 allocated, 0 offered\n");
	assert_has(c.out, "frameworks     1 connected, 0 away, 0 ended\n");
	assert_has(c.out, "tasks          1 running, 0 starting or ending, 0 unreachable, 0 ended\n");
	assert_string_equal(c.err, "");
}

static void test_status_is_one_object(void **state)
{
	assert_int_equal(run(10000, WORDS("status", "-o", "json")), EXIT_OK);
	assert_true(strncmp(c.out, "{\"master\":{", 11) == 0);
	assert_has(c.out, ",\"slaves\":{\"agents\":[{");
	assert_has(c.out, ",\"frameworks\":{\"frameworks\":[{");
	assert_has(c.out, ",\"tasks\":{\"tasks\":[{");
	assert_ptr_equal(strchr(c.out, '\n'), c.out + strlen(c.out) - 1);
}

static void test_lists(void **state)
{
	assert_int_equal(run(10000, WORDS("slave", "list")), EXIT_OK);
	assert_has(c.out, "slave-1 one      REGISTERED");
	assert_has(c.out, " 1/4 ");
	assert_has(c.out, "10.0.0.1:5051");
	assert_int_equal(run(10000, WORDS("framework", "list", "-q")), EXIT_OK);
	assert_string_equal(c.out, "f-1\n");
	assert_int_equal(run(10000, WORDS("ps", "--framework", "f-2")), EXIT_OK);
	assert_string_equal(c.out, "");
	assert_has(c.err, "No tasks.");
	assert_int_equal(run(10000, WORDS("ps", "-o", "name", "-f", "f", "-s", "slave")), EXIT_OK);
	assert_string_equal(c.out, "t-1\n");
	assert_int_equal(run(10000, WORDS("role", "list", "-o", "json")), EXIT_OK);
	assert_string_equal(c.out, "[]\n");
	assert_int_equal(run(10000, WORDS("ps", "-o", "yaml")), EXIT_USAGE);
}

static void test_shows(void **state)
{
	assert_int_equal(run(10000, WORDS("slave", "show", "sl")), EXIT_OK);
	assert_has(c.out, "hostname       one\n");
	assert_int_equal(run(10000, WORDS("framework", "show", "f")), EXIT_OK);
	assert_has(c.out, "state          CONNECTED\n");
	assert_int_equal(run(10000, WORDS("task", "show", "f-1/t")), EXIT_OK);
	assert_has(c.out, "history        -  RUNNING       well?[2J\n");
	assert_int_equal(run(10000, WORDS("task", "show", "t", "-o", "json")), EXIT_OK);
	assert_has(c.out, "\"state\":\"TASK_RUNNING\"");
	assert_int_equal(run(10000, WORDS("task", "show", "nothing")), EXIT_NOT_FOUND);
	assert_int_equal(run(10000, WORDS("logs", "t")), EXIT_CONFLICT);
	assert_has(c.err, "has no sandbox yet");
}

static void test_orders(void **state)
{
	assert_int_equal(run(10000, WORDS("task", "kill", "t")), EXIT_OK);
	assert_string_equal(c.out, "t-1\n");
	assert_int_equal(script->last_type, FL_API_KILL_TASK);
	assert_string_equal(script->last_framework, "f-1");
	assert_string_equal(script->last_task, "t-1");
	assert_int_equal(run(10000, WORDS("framework", "teardown", "f-1")), EXIT_OK);
	assert_string_equal(c.out, "f-1\n");
	assert_int_equal(script->last_type, FL_API_TEARDOWN);
}

static void test_version(void **state)
{
	assert_int_equal(run(10000, WORDS("version", "-m", address)), EXIT_OK);
	assert_has(c.out, "fairlead " FAIRLEAD_VERSION "\nmaster   0.1.0 at localhost:");
	script->hidden = true;
	assert_int_equal(run(50, WORDS("version", "--timeout", "50ms")), EXIT_OK); /* a look in passing */
	assert_string_equal(c.out, "fairlead " FAIRLEAD_VERSION "\n");
	assert_int_equal(run(50, WORDS("version", "-m", address)), EXIT_NO_LEADER);
}

/* ---- when it goes wrong ---- */

static void test_refusals(void **state)
{
	static const struct {
		int status, exit_code;
	} cases[] = {
		{400, EXIT_FAILED},   {401, EXIT_NOT_AUTHORISED}, {403, EXIT_NOT_AUTHORISED}, {404, EXIT_NOT_FOUND},
		{409, EXIT_CONFLICT}, {408, EXIT_TIMED_OUT},      {504, EXIT_TIMED_OUT},      {500, EXIT_FAILED},
	};

	for (size_t i = 0; i < ARRAY_SIZE(cases); i++) {
		char want[64];
		script->status = cases[i].status;
		script->n_calls = 0;
		snprintf(want, sizeof(want), "fairlead: the reason is %d\n", cases[i].status);
		assert_int_equal(run(10000, WORDS("slave", "list")), cases[i].exit_code);
		assert_string_equal(c.err, want);
		assert_string_equal(c.out, "");
		assert_int_equal(script->n_calls, 1);
	}
}

/* A master that does not lead (any more) is not the end: there will be another. */
static void test_rides_over_a_change(void **state)
{
	script->n_redirects = 2;
	assert_int_equal(run(20000, WORDS("slave", "list", "-q")), EXIT_OK);
	assert_string_equal(c.out, "slave-1\n");
	assert_int_equal(script->n_calls, 3);
	script->status = 503;
	assert_int_equal(run(300, WORDS("slave", "list")), EXIT_NO_LEADER);
	assert_has(c.err, "no leading master is reachable at 127.0.0.1:");
}

static void test_nobody_leads(void **state)
{
	script->hidden = true;
	assert_int_equal(run(200, WORDS("status")), EXIT_NO_LEADER);
	assert_int_equal(run(200, WORDS("task", "show", "t")), EXIT_NO_LEADER);
	assert_int_equal(run(0, WORDS("ps")), EXIT_NO_LEADER);
	assert_int_equal(script->n_calls, 0);
	assert_int_equal(run(200, WORDS("ps", "-m", "127.0.0.1:1")), EXIT_NO_LEADER);
	assert_has(c.err, "'fairlead local up'");
}

static void test_strange_answers(void **state)
{
	script->garbled = true;
	assert_int_equal(run(10000, WORDS("ps")), EXIT_FAILED);
	assert_has(c.err, "the answer is not understood: ");
	script->garbled = false;
	script->empty = true;
	assert_int_equal(run(10000, WORDS("ps")), EXIT_FAILED);
	assert_has(c.err, "the answer to GET_TASKS has nothing in it");
	assert_int_equal(run(10000, WORDS("status")), EXIT_FAILED);
	assert_int_equal(run(10000, WORDS("slave", "show", "s")), EXIT_FAILED);
}

static void test_where_masters_are(void **state)
{
	assert_int_equal(run(200, WORDS("ps", "-m", "zk://nowhere")), EXIT_USAGE);
	assert_has(c.err, "--master: ");
	assert_int_equal(run(200, WORDS("ps", "-m", "file:///tmp/x")), EXIT_USAGE);
	assert_int_equal(run(200, WORDS("ps", "-m", "")), EXIT_USAGE);
}

static void test_a_slave_is_asked_directly(void **state)
{
	struct fl_api_call call = {.type = FL_API_GET_TASKS};
	struct args a = {.master = address, .timeout_ms = 2000};
	int exit_code = EXIT_OK;
	struct client *client = client_create(&a, &exit_code);
	const struct fl_api_response *r = client_call_slave(client, "127.0.0.1", script->port, &call, false,
	                                                    &exit_code);

	assert_non_null(r);
	assert_int_equal(r->get_tasks->n_tasks, 1);
	CAPTURE(&c, r = client_call_slave(client, "127.0.0.1", 1, &call, false, &exit_code));
	assert_null(r);
	assert_int_equal(exit_code, EXIT_FAILED);
	assert_has(c.err, "the slave at 127.0.0.1:1 does not answer");
	script->status = 404;
	CAPTURE(&c, r = client_call_slave(client, "127.0.0.1", script->port, &call, true, &exit_code));
	assert_null(r);
	assert_int_equal(exit_code, EXIT_NOT_FOUND);
	assert_string_equal(c.err, "");
	client_destroy(client);
	client_destroy(NULL);
}

/* ---- a file that grows ---- */

static void write_file(const char *text, size_t part)
{
	snprintf(script->file, sizeof(script->file), "%s", text);
	script->file_size = strlen(script->file);
	script->file_part = part;
}

static int64_t poll_tail(struct tail *t, struct client *client)
{
	int exit_code = EXIT_OK;
	int64_t n;

	CAPTURE(&c, n = tail_poll(t, client, stdout, true, &exit_code));
	return n;
}

static void test_tail(void **state)
{
	struct args a = {.master = address, .timeout_ms = 5000};
	int exit_code = EXIT_OK;
	struct client *client = client_create(&a, &exit_code);
	struct tail t;

	tail_init(&t, "127.0.0.1", script->port, "/sandbox", "stdout");
	write_file("", 3);
	assert_int_equal(poll_tail(&t, client), 0);
	write_file("0123456789", 3); /* in parts */
	assert_int_equal(poll_tail(&t, client), 10);
	assert_string_equal(c.out, "0123456789");
	write_file("0123456789abc", 100);
	assert_int_equal(poll_tail(&t, client), 3);
	assert_string_equal(c.out, "abc");
	assert_int_equal(poll_tail(&t, client), 0);
	write_file("new", 100); /* cut, and begun anew */
	assert_int_equal(poll_tail(&t, client), 3);
	assert_string_equal(c.out, "new");
	write_file("0123456789", 100);
	assert_int_equal(tail_seek_end(&t, client, 4, &exit_code), 0);
	assert_int_equal(poll_tail(&t, client), 4);
	assert_string_equal(c.out, "6789");
	assert_int_equal(tail_seek_end(&t, client, 400, &exit_code), 0);
	assert_int_equal(t.offset, 0);
	script->status = 500;
	assert_int_equal(poll_tail(&t, client), -1);
	assert_string_equal(c.err, "");
	client_destroy(client);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test_setup(test_status, reset),
		cmocka_unit_test_setup(test_status_is_one_object, reset),
		cmocka_unit_test_setup(test_lists, reset),
		cmocka_unit_test_setup(test_shows, reset),
		cmocka_unit_test_setup(test_orders, reset),
		cmocka_unit_test_setup(test_version, reset),
		cmocka_unit_test_setup(test_refusals, reset),
		cmocka_unit_test_setup(test_rides_over_a_change, reset),
		cmocka_unit_test_setup(test_nobody_leads, reset),
		cmocka_unit_test_setup(test_strange_answers, reset),
		cmocka_unit_test_setup(test_where_masters_are, reset),
		cmocka_unit_test_setup(test_a_slave_is_asked_directly, reset),
		cmocka_unit_test_setup(test_tail, reset),
	};
	return cmocka_run_group_tests(tests, begin, end);
}
