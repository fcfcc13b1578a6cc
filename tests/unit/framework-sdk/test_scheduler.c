/* The life of a subscription, against a master of the test's own. */
#include "tests/unit/framework-sdk/framework.h"

#include <errno.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/str.h"

/* ---- subscribing ---- */

static void subscribes(void **state)
{
	struct world w;

	world_open(&w);
	framework_open(&w.f, w.l, w.m.address, NULL);
	assert_null(fl_framework_id(w.f.s));
	assert_false(fl_subscribed(w.f.s));
	DRIVE(w.l, w.f.n_subscribed == 1);
	const struct fl_call *call = master_call(&w.m, FL_CALL_SUBSCRIBE);
	assert_null(call->framework_id);
	assert_string_equal(call->subscribe->framework_info->name, "test");
	assert_string_equal(call->subscribe->framework_info->user, "");
	assert_null(call->subscribe->framework_info->id);
	assert_int_equal(call->subscribe->n_suppressed_roles, 0);
	assert_int_equal(call->subscribe->attempt, 1);
	assert_int_equal(strlen(call->subscribe->run), 36);
	assert_string_equal(w.m.hello_id, "");
	assert_string_equal(w.m.hello_cluster_got, "");
	assert_string_equal(w.f.id, "framework-1");
	assert_int_equal(w.f.term, 7);
	assert_string_equal(fl_framework_id(w.f.s), "framework-1");
	assert_true(fl_subscribed(w.f.s));
	assert_string_equal(fl_scheduler_error(w.f.s), "");
	assert_int_equal(fl_step(w.f.s, 0), 1);
	world_close(&w);
}

/* A second SUBSCRIBED, and whatever comes before the first one, changes nothing. */
static void what_is_out_of_turn_is_ignored(void **state)
{
	struct world w;
	struct fl_event_subscribed again = {.framework_id = "framework-2"};

	world_open(&w);
	w.m.mute = true;
	framework_open(&w.f, w.l, w.m.address, NULL);
	DRIVE(w.l, w.m.n[FL_CALL_SUBSCRIBE] == 1);
	send_offers(&w.m, 1);
	send_update(&w.m, "t", FL_TASK_RUNNING, "uuid-of-16-bytes");
	again.framework_id = "framework-1";
	master_send(&w.m, &(struct fl_event){.type = FL_EVENT_SUBSCRIBED, .subscribed = &again});
	DRIVE(w.l, w.f.n_subscribed == 1);
	assert_int_equal(w.f.n_offers + w.f.n_updates, 0);
	again.framework_id = "framework-2";
	master_send(&w.m, &(struct fl_event){.type = FL_EVENT_SUBSCRIBED, .subscribed = &again});
	master_send(&w.m, &(struct fl_event){.type = FL_EVENT_OFFERS}); /* without offers */
	send_offers(&w.m, 2);
	DRIVE(w.l, w.f.n_offers == 1);
	assert_int_equal(w.f.n_subscribed, 1);
	assert_string_equal(fl_framework_id(w.f.s), "framework-1");
	world_close(&w);
}

static void resumes_by_id(void **state)
{
	struct world w;
	struct fl_framework_info info = {.name = "test", .id = "framework-1", .user = "nobody"};
	struct fl_scheduler_options options = {.framework = &info, .cluster = "blue"};

	world_open(&w);
	world_subscribe(&w, &options);
	assert_string_equal(w.m.hello_id, "framework-1");
	assert_string_equal(w.m.hello_cluster_got, "blue");
	const struct fl_call *call = master_call(&w.m, FL_CALL_SUBSCRIBE);
	assert_string_equal(call->framework_id, "framework-1");
	assert_string_equal(call->subscribe->framework_info->id, "framework-1");
	assert_string_equal(call->subscribe->framework_info->user, "nobody");
	world_close(&w);
}

/* ---- what the master tells ---- */

static void passes_events_on(void **state)
{
	struct world w;

	world_open(&w);
	world_subscribe(&w, NULL);
	send_offers(&w.m, 2);
	DRIVE(w.l, w.f.n_offers == 1);
	assert_int_equal(w.f.n_offered, 2);
	assert_string_equal(w.f.text, "offer-1");
	send_hints(&w.m);
	DRIVE(w.l, w.f.n_failures == 1);
	assert_string_equal(w.f.text, "slave-7");
	assert_int_equal(w.f.n_rescinded, 1);
	assert_int_equal(w.f.n_messages, 1);
	assert_int_equal(w.m.n[FL_CALL_DECLINE] + w.m.n[FL_CALL_ACKNOWLEDGE], 0);
	world_close(&w);
}

/* Runs fn with stderr in a file; returns what was written, to be freed. */
static char *stderr_of(void (*fn)(struct world *w), struct world *w)
{
	_cleanup_fclose_ FILE *f = tmpfile();
	int saved = dup(STDERR_FILENO);
	char text[1024] = "";

	fflush(stderr);
	dup2(fileno(f), STDERR_FILENO);
	fn(w);
	fflush(stderr);
	dup2(saved, STDERR_FILENO);
	close(saved);
	rewind(f);
	text[fread(text, 1, sizeof(text) - 1, f)] = '\0';
	return xstrdup(text);
}

static void drive_to_the_end(struct world *w)
{
	DRIVE(w->l, fl_step(w->f.s, 0) != 1);
}

static void without_callbacks(void **state)
{
	struct world w;
	struct fl_scheduler_callbacks none = {.struct_size = sizeof(none)};
	struct fl_scheduler_options options = {
		.struct_size = sizeof(options), .framework = &usual_info, .backoff_ns = 1};

	world_open(&w);
	options.master = w.m.address;
	w.f = (struct framework){.s = scheduler_create_on(w.l, &options, &none, NULL, NULL)};
	DRIVE(w.l, fl_subscribed(w.f.s));
	send_offers(&w.m, 2);
	send_hints(&w.m);
	DRIVE(w.l, w.m.n[FL_CALL_DECLINE] == 2);
	assert_string_equal(master_call(&w.m, FL_CALL_DECLINE)->decline->offer_ids[0], "offer-2");
	assert_null(master_call(&w.m, FL_CALL_DECLINE)->decline->filters);
	send_update(&w.m, "t", FL_TASK_RUNNING, "uuid-of-16-bytes");
	DRIVE(w.l, w.m.n[FL_CALL_ACKNOWLEDGE] == 1);
	master_hang_up(&w.m);
	DRIVE(w.l, w.m.n[FL_CALL_SUBSCRIBE] == 2 && fl_subscribed(w.f.s));
	send_error(&w.m, "enough");
	_cleanup_free_ char *told = stderr_of(drive_to_the_end, &w);
	assert_string_equal(told, "fairlead: enough\n");
	assert_int_equal(fl_step(w.f.s, 0), -EPROTO);
	world_close(&w);
}

static void acknowledges_by_itself(void **state)
{
	struct world w;

	world_open(&w);
	world_subscribe(&w, NULL);
	send_update(&w.m, "t", FL_TASK_UNKNOWN, NULL);
	send_update(&w.m, "t", FL_TASK_RUNNING, "uuid-of-16-bytes");
	DRIVE(w.l, w.m.n[FL_CALL_ACKNOWLEDGE] == 1);
	assert_int_equal(w.f.n_updates, 2);
	assert_int_equal(w.f.state, FL_TASK_RUNNING);
	const struct fl_call *call = master_call(&w.m, FL_CALL_ACKNOWLEDGE);
	assert_string_equal(call->framework_id, "framework-1");
	assert_string_equal(call->acknowledge->slave_id, "slave-1");
	assert_string_equal(call->acknowledge->task_id, "t");
	assert_memory_equal(call->acknowledge->uuid.data, "uuid-of-16-bytes", 16);
	/* A repetition is passed on and acknowledged, too: the first answer may be lost. */
	send_update(&w.m, "t", FL_TASK_RUNNING, "uuid-of-16-bytes");
	DRIVE(w.l, w.m.n[FL_CALL_ACKNOWLEDGE] == 2);
	assert_int_equal(w.f.n_updates, 3);
	world_close(&w);
}

static void acknowledge_now(struct framework *f, const struct fl_task_status *status)
{
	f->result = fl_acknowledge(f->s, status);
}

static void acknowledges_when_told(void **state)
{
	struct world w;
	struct fl_scheduler_options options = {.explicit_acknowledge = true};

	world_open(&w);
	world_subscribe(&w, &options);
	send_update(&w.m, "t", FL_TASK_RUNNING, "uuid-of-16-bytes");
	DRIVE(w.l, w.f.n_updates == 1);
	w.f.in_update = acknowledge_now;
	send_update(&w.m, "t", FL_TASK_FINISHED, NULL);
	DRIVE(w.l, w.f.n_updates == 2);
	assert_int_equal(w.f.result, -EINVAL); /* nothing to acknowledge */
	assert_non_null(strstr(fl_scheduler_error(w.f.s), "uuid"));
	send_update(&w.m, "u", FL_TASK_FINISHED, "uuid-of-16-bytes");
	DRIVE(w.l, w.m.n[FL_CALL_ACKNOWLEDGE] == 1);
	assert_int_equal(w.f.result, 0);
	assert_string_equal(master_call(&w.m, FL_CALL_ACKNOWLEDGE)->acknowledge->task_id, "u");
	world_close(&w);
}

/* ---- the end ---- */

static void kill_something(struct framework *f)
{
	assert_false(fl_subscribed(f->s));
	f->result = fl_kill(f->s, "t", NULL, -1);
	fl_stop(f->s); /* comes late, changes nothing */
}

static void an_error_ends_it(void **state)
{
	struct world w;

	world_open(&w);
	world_subscribe(&w, NULL);
	w.f.in_error = kill_something;
	send_error(&w.m, "the framework was removed");
	send_update(&w.m, "t", FL_TASK_RUNNING, "uuid-of-16-bytes");
	DRIVE(w.l, w.f.n_errors == 1);
	assert_string_equal(w.f.text, "the framework was removed");
	assert_int_equal(w.f.result, -ENOTCONN);
	assert_int_equal(fl_step(w.f.s, -1), -EPROTO);
	assert_int_equal(fl_run(w.f.s), -EPROTO);
	DRIVE(w.l, w.m.n_closed == 1);
	drive_idle(w.l);
	assert_int_equal(w.f.n_updates + w.f.n_disconnected, 0);
	assert_int_equal(w.m.n_accepted, 1);
	world_close(&w);
}

static void stop_on_update(struct framework *f, const struct fl_task_status *status)
{
	fl_stop(f->s);
	fl_stop(f->s);
}

/* What a callback did before it stopped is done; nothing follows. */
static void stops_in_a_callback(void **state)
{
	struct world w;

	world_open(&w);
	world_subscribe(&w, NULL);
	w.f.in_update = stop_on_update;
	send_update(&w.m, "t", FL_TASK_FINISHED, "uuid-of-16-bytes");
	send_update(&w.m, "u", FL_TASK_FINISHED, "uuid-of-16-bytes");
	DRIVE(w.l, fl_step(w.f.s, 20) == 0);
	DRIVE(w.l, w.m.n_closed == 1);
	assert_int_equal(w.f.n_updates, 1);
	assert_int_equal(w.m.n[FL_CALL_ACKNOWLEDGE], 1);
	assert_string_equal(master_call(&w.m, FL_CALL_ACKNOWLEDGE)->acknowledge->task_id, "t");
	assert_int_equal(w.m.n[FL_CALL_TEARDOWN], 0);
	assert_int_equal(w.f.n_errors + w.f.n_disconnected, 0);
	assert_int_equal(fl_run(w.f.s), 0);
	world_close(&w);
}

static void stop_here(struct framework *f)
{
	fl_stop(f->s);
}

static void stops_in_any_other(void **state)
{
	struct world w;

	world_open(&w);
	framework_open(&w.f, w.l, w.m.address, NULL);
	w.f.in_subscribed = stop_here;
	DRIVE(w.l, fl_step(w.f.s, 20) == 0);
	framework_close(&w.f);
	world_subscribe(&w, NULL);
	w.f.in_disconnected = stop_here;
	master_hang_up(&w.m);
	DRIVE(w.l, fl_step(w.f.s, 20) == 0);
	framework_close(&w.f);
	framework_open(&w.f, w.l, w.m.address, NULL); /* and before anything happened */
	fl_stop(w.f.s);
	assert_int_equal(fl_step(w.f.s, -1), 0);
	world_close(&w);
}

static void tears_down(void **state)
{
	struct world w;

	world_open(&w);
	world_subscribe(&w, NULL);
	assert_int_equal(fl_teardown(w.f.s), 0);
	assert_false(fl_subscribed(w.f.s));
	assert_int_equal(fl_teardown(w.f.s), -ENOTCONN);
	send_update(&w.m, "t", FL_TASK_KILLED, "uuid-of-16-bytes"); /* on its way already */
	DRIVE(w.l, w.m.n[FL_CALL_TEARDOWN] == 1);
	assert_string_equal(master_call(&w.m, FL_CALL_TEARDOWN)->framework_id, "framework-1");
	drive_idle(w.l);
	assert_int_equal(fl_step(w.f.s, 0), 1);
	peer_finish(w.m.peer);
	w.m.peer = NULL;
	DRIVE(w.l, fl_step(w.f.s, 20) == 0);
	assert_int_equal(w.f.n_updates + w.f.n_disconnected + w.f.n_errors, 0);
	assert_int_equal(w.m.n_accepted, 1);
	world_close(&w);
}

static void a_teardown_may_be_refused(void **state)
{
	struct world w;

	world_open(&w);
	world_subscribe(&w, NULL);
	assert_int_equal(fl_teardown(w.f.s), 0);
	DRIVE(w.l, w.m.n[FL_CALL_TEARDOWN] == 1);
	peer_refuse(w.m.peer, FL_REFUSAL_NOT_LEADER, NULL, "not any more");
	w.m.peer = NULL;
	DRIVE(w.l, fl_step(w.f.s, 20) != 1);
	assert_int_equal(fl_step(w.f.s, 0), -ECONNREFUSED);
	assert_non_null(strstr(fl_scheduler_error(w.f.s), "not any more"));
	world_close(&w);
}

/* ---- refusals ---- */

static void expect_fatal(enum fl_refusal refusal, const char *text, const char *want)
{
	struct world w;

	world_open(&w);
	w.m.refusal = refusal;
	w.m.refusal_text = text;
	framework_open(&w.f, w.l, w.m.address, NULL);
	w.f.in_error = kill_something;
	DRIVE(w.l, fl_step(w.f.s, 20) != 1);
	assert_int_equal(fl_step(w.f.s, 0), -EPROTO);
	assert_int_equal(w.f.n_errors, 1);
	assert_string_equal(w.f.text, want);
	assert_int_equal(w.f.result, -ENOTCONN);
	assert_int_equal(w.f.n_disconnected, 0);
	world_close(&w);
}

static void some_refusals_are_final(void **state)
{
	expect_fatal(FL_REFUSAL_CLUSTER, "this is green", "this is green");
	expect_fatal(FL_REFUSAL_PROTOCOL, "too old", "too old");
	expect_fatal(FL_REFUSAL_INVALID, "", "");
}

/* In the middle of a subscription, too. */
static void a_late_refusal_is_final(void **state)
{
	struct world w;

	world_open(&w);
	world_subscribe(&w, NULL);
	w.f.in_error = kill_something;
	peer_refuse(w.m.peer, FL_REFUSAL_INVALID, NULL, "a strange call");
	w.m.peer = NULL;
	DRIVE(w.l, w.f.n_errors == 1);
	assert_string_equal(w.f.text, "a strange call");
	assert_int_equal(w.f.result, -ENOTCONN);
	assert_int_equal(fl_step(w.f.s, 0), -EPROTO);
	world_close(&w);
}

static void another_cluster_is_final(void **state)
{
	struct world w;
	struct fl_scheduler_options options = {.cluster = "green"};

	world_open(&w);
	framework_open(&w.f, w.l, w.m.address, &options);
	DRIVE(w.l, fl_step(w.f.s, 20) != 1);
	assert_int_equal(w.f.n_errors, 1);
	assert_non_null(strstr(w.f.text, "'green'"));
	assert_non_null(strstr(w.f.text, "'blue'"));
	assert_string_equal(fl_scheduler_error(w.f.s), w.f.text);
	assert_int_equal(w.m.n_accepted, 0);
	world_close(&w);
}

static void a_master_that_does_not_lead_is_asked_again(void **state)
{
	struct world w;

	world_open(&w);
	w.m.refusal = FL_REFUSAL_NOT_LEADER;
	framework_open(&w.f, w.l, w.m.address, NULL);
	DRIVE(w.l, w.m.n_accepted == 3);
	w.m.refusal = 0;
	DRIVE(w.l, w.f.n_subscribed == 1);
	assert_int_equal(w.f.n_errors + w.f.n_disconnected, 0);
	world_close(&w);
}

/* ---- coming back ---- */

static void call_while_away(struct framework *f)
{
	f->result = fl_decline(f->s, "offer-1", -1);
}

static void comes_back(void **state)
{
	struct world w;
	char run[64];

	world_open(&w);
	world_subscribe(&w, NULL);
	snprintf(run, sizeof(run), "%s", master_call(&w.m, FL_CALL_SUBSCRIBE)->subscribe->run);
	w.f.in_disconnected = call_while_away;
	master_hang_up(&w.m);
	DRIVE(w.l, w.f.n_subscribed == 2);
	assert_int_equal(w.f.n_disconnected, 1);
	assert_int_equal(w.f.result, -ENOTCONN);
	assert_string_equal(fl_scheduler_error(w.f.s), "not subscribed to a master");
	assert_string_equal(w.m.hello_id, "framework-1");
	const struct fl_call *call = master_call(&w.m, FL_CALL_SUBSCRIBE);
	assert_string_equal(call->framework_id, "framework-1");
	assert_string_equal(call->subscribe->framework_info->id, "framework-1");
	assert_string_equal(call->subscribe->run, run);
	assert_int_equal(call->subscribe->attempt, 2);
	send_offers(&w.m, 1);
	DRIVE(w.l, w.f.n_offers == 1);
	world_close(&w);
}

/* The limits of the random waits double: did they not, nine tries would take at most 45 ms. */
static void backs_off(void **state)
{
	struct world w;
	struct fl_scheduler_options options = {.backoff_ns = 5000000};

	world_open(&w);
	w.m.rude = true;
	framework_open(&w.f, w.l, w.m.address, &options);
	int64_t begun_ms = loop_now_ms(w.l);
	DRIVE(w.l, w.m.n_accepted == 9);
	assert_true(loop_now_ms(w.l) - begun_ms > 50);
	assert_int_equal(w.f.n_disconnected, 0); /* it never was connected */
	w.m.rude = false;
	DRIVE(w.l, w.f.n_subscribed == 1);
	world_close(&w);
}

static void nobody_there_yet(void **state)
{
	struct world w;
	char address[64];

	world_open(&w);
	w.m.hidden = true;
	snprintf(address, sizeof(address), "127.0.0.1:1,%s", w.m.address);
	framework_open(&w.f, w.l, address, NULL);
	drive_idle(w.l);
	assert_int_equal(w.m.n_accepted, 0);
	w.m.hidden = false;
	DRIVE(w.l, w.f.n_subscribed == 1);
	world_close(&w);
}

/* The leader's death is noticed by the connection; its successor leads under a higher term. */
static void another_master_leads(void **state)
{
	struct world w;
	struct master b;
	char both[80];

	world_open(&w);
	master_open(&b, w.l, "b");
	b.hidden = true;
	b.epoch.term = 8;
	snprintf(both, sizeof(both), "%s,%s", w.m.address, b.address);
	framework_open(&w.f, w.l, both, NULL);
	DRIVE(w.l, w.f.n_subscribed == 1);
	w.m.hidden = true;
	b.hidden = false;
	master_hang_up(&w.m);
	DRIVE(w.l, w.f.n_subscribed == 2);
	assert_int_equal(b.n[FL_CALL_SUBSCRIBE], 1);
	assert_string_equal(b.hello_id, "framework-1");
	assert_int_equal(w.f.term, 8);
	assert_int_equal(w.f.n_disconnected, 1);
	master_close(&b);
	world_close(&w);
}

/* ---- what takes its time: all at once ---- */

static void patience_has_an_end(void **state)
{
	struct world w;
	struct master mute, leaving, deposed, heir;
	struct framework unheard, unconfirmed, moved;
	char both[80];

	world_open(&w);
	master_open(&mute, w.l, "mute");
	master_open(&leaving, w.l, "leaving");
	master_open(&deposed, w.l, "deposed");
	master_open(&heir, w.l, "heir");
	/* A leader that is out of sight for a while is not left. */
	world_subscribe(&w, NULL);
	w.m.hidden = true;
	/* One that does not answer is. */
	mute.mute = true;
	framework_open(&unheard, w.l, mute.address, NULL);
	/* A teardown that nobody confirms. */
	framework_open(&unconfirmed, w.l, leaving.address, NULL);
	DRIVE(w.l, unconfirmed.n_subscribed == 1);
	assert_int_equal(fl_teardown(unconfirmed.s), 0);
	/* Another leader ends the connection to the former one, which did not notice yet. */
	heir.hidden = true;
	heir.epoch.term = 8;
	snprintf(both, sizeof(both), "%s,%s", deposed.address, heir.address);
	framework_open(&moved, w.l, both, NULL);
	DRIVE(w.l, moved.n_subscribed == 1);
	heir.hidden = false;

	DRIVE(w.l, moved.n_subscribed == 2);
	assert_int_equal(heir.n[FL_CALL_SUBSCRIBE], 1);
	assert_int_equal(moved.n_disconnected, 1);
	DRIVE(w.l, mute.n[FL_CALL_SUBSCRIBE] == 2);
	mute.mute = false;
	assert_int_equal(mute.n_closed, 1);
	DRIVE(w.l, fl_step(unconfirmed.s, 20) != 1);
	assert_int_equal(fl_step(unconfirmed.s, 0), -ETIMEDOUT);
	w.m.hidden = false;
	int64_t end_ms = loop_now_ms(w.l) + 1500; /* two rounds of questions */
	DRIVE(w.l, loop_now_ms(w.l) > end_ms);
	assert_int_equal(w.m.n_accepted, 1);
	assert_int_equal(w.f.n_disconnected, 0);
	assert_true(fl_subscribed(w.f.s));

	framework_close(&unheard);
	framework_close(&unconfirmed);
	framework_close(&moved);
	master_close(&mute);
	master_close(&leaving);
	master_close(&deposed);
	master_close(&heir);
	world_close(&w);
}

/* ---- a loop of its own ---- */

/* A master in a process of its own, for fl_run blocks. */
static pid_t start_master(char *ret_address, size_t size)
{
	int report[2];

	assert_int_equal(pipe(report), 0);
	pid_t pid = fork();
	if (pid == 0) {
		struct loop *l = loop_create();
		struct master m;
		master_open(&m, l, "a");
		if (write(report[1], m.address, strlen(m.address)) < 0)
			_exit(1);
		for (;;)
			loop_step(l, -1);
	}
	ssize_t n = read(report[0], ret_address, size - 1);
	assert_true(pid > 0 && n > 0);
	ret_address[n] = '\0';
	close(report[0]);
	close(report[1]);
	return pid;
}

static void runs(void **state)
{
	struct framework f = {.in_subscribed = stop_here};
	struct fl_scheduler_options options = {.struct_size = sizeof(options), .framework = &usual_info};
	struct fl_scheduler_callbacks cb = framework_callbacks();
	char address[32], error[64] = "";
	pid_t pid = start_master(address, sizeof(address));

	setenv("FAIRLEAD_MASTER", address, 1);
	f.s = fl_scheduler_create(&options, &cb, &f, error, sizeof(error));
	unsetenv("FAIRLEAD_MASTER");
	assert_non_null(f.s);
	assert_int_equal(fl_run(f.s), 0);
	assert_int_equal(f.n_subscribed, 1);
	assert_string_equal(error, "");
	fl_scheduler_destroy(f.s);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

/* In any state, with questions, names to look up or a connection under way. */
static void is_destroyed_at_any_time(void **state)
{
	struct fl_scheduler_options options = {.struct_size = sizeof(options), .framework = &usual_info};
	struct fl_scheduler_callbacks cb = framework_callbacks();
	char address[32];
	pid_t pid = start_master(address, sizeof(address));
	const char *const masters[] = {"127.0.0.1:1", "no.such.host.invalid:5050", address};

	for (size_t i = 0; i < ARRAY_SIZE(masters); i++) {
		for (int turns = 0; turns < 12; turns++) {
			struct framework f = {0};
			options.master = masters[i];
			options.backoff_ns = 1;
			f.s = fl_scheduler_create(&options, &cb, &f, NULL, 0);
			assert_non_null(f.s);
			for (int k = 0; k < turns; k++)
				fl_step(f.s, k % 3);
			fl_scheduler_destroy(f.s);
		}
	}
	fl_scheduler_destroy(NULL);
	kill(pid, SIGKILL);
	waitpid(pid, NULL, 0);
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(subscribes),
		cmocka_unit_test(what_is_out_of_turn_is_ignored),
		cmocka_unit_test(resumes_by_id),
		cmocka_unit_test(passes_events_on),
		cmocka_unit_test(without_callbacks),
		cmocka_unit_test(acknowledges_by_itself),
		cmocka_unit_test(acknowledges_when_told),
		cmocka_unit_test(an_error_ends_it),
		cmocka_unit_test(stops_in_a_callback),
		cmocka_unit_test(stops_in_any_other),
		cmocka_unit_test(tears_down),
		cmocka_unit_test(a_teardown_may_be_refused),
		cmocka_unit_test(some_refusals_are_final),
		cmocka_unit_test(a_late_refusal_is_final),
		cmocka_unit_test(another_cluster_is_final),
		cmocka_unit_test(a_master_that_does_not_lead_is_asked_again),
		cmocka_unit_test(comes_back),
		cmocka_unit_test(backs_off),
		cmocka_unit_test(nobody_there_yet),
		cmocka_unit_test(another_master_leads),
		cmocka_unit_test(patience_has_an_end),
		cmocka_unit_test(runs),
		cmocka_unit_test(is_destroyed_at_any_time),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
