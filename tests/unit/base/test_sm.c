#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <signal.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/log.h"
#include "base/sm.h"

enum { IDLE, BUSY, DONE };

static const struct sm_state states[] = {
	[IDLE] = {"idle", 1u << BUSY | 1u << DONE, SM_INITIAL},
	[BUSY] = {"busy", 1u << IDLE | 1u << DONE, 0},
	[DONE] = {"done", 0, SM_FINAL},
};

struct job {
	struct sm sm;
	int entered, from;
	bool broken;
};

static void on_enter(struct sm *sm, int from)
{
	struct job *j = (struct job *)sm;

	j->entered++;
	j->from = from;
}

static bool invariant(const struct sm *sm)
{
	return !((const struct job *)sm)->broken;
}

static void init(struct job *j)
{
	*j = (struct job){0};
	sm_init(&j->sm, states, 3, IDLE, "job", "j-1", invariant, on_enter);
}

static void moves_and_tells(void **state)
{
	struct job j;

	init(&j);
	assert_int_equal(sm_state(&j.sm), IDLE);
	assert_string_equal(sm_name(&j.sm), "idle");
	assert_false(sm_is_final(&j.sm));
	sm_move(&j.sm, BUSY);
	assert_int_equal(j.entered, 1);
	assert_int_equal(j.from, IDLE);
	sm_move(&j.sm, DONE);
	assert_true(sm_is_final(&j.sm));
	assert_int_equal(j.from, BUSY);
}

static void hooks_are_optional(void **state)
{
	struct sm sm;

	sm_init(&sm, states, 3, IDLE, "job", NULL, NULL, NULL);
	sm_move(&sm, DONE);
	assert_int_equal(sm_state(&sm), DONE);
	assert_string_equal(sm.id, "");
}

static void long_ids_are_cut(void **state)
{
	struct sm sm;

	sm_init(&sm, states, 3, IDLE, "job", "0123456789012345678901234567890123456789-too-long", NULL, NULL);
	assert_int_equal(strlen(sm.id), sizeof(sm.id) - 1);
}

static void count_line(void *user, enum log_level level, const char *line)
{
	int *n = user;

	assert_int_equal(level, LOG_DEBUG);
	assert_string_equal(line, "job.state id=j-1 from=idle to=busy");
	++*n;
}

static void a_move_logs_one_debug_line(void **state)
{
	struct job j;
	int n = 0;

	init(&j);
	log_set_level(LOG_DEBUG);
	log_set_sink(count_line, &n);
	sm_move(&j.sm, BUSY);
	log_set_sink(NULL, NULL);
	log_set_level(LOG_INFO);
	assert_int_equal(n, 1);
}

static void ignore_line(void *user, enum log_level level, const char *line)
{
}

/* True when fn(j) aborts. */
static bool aborts(void (*fn)(struct job *j))
{
	pid_t pid = fork();
	int status;

	if (pid == 0) {
		struct job j;
		setrlimit(RLIMIT_CORE, &(struct rlimit){0});
		signal(SIGABRT, SIG_DFL);
		close(STDERR_FILENO);
		log_set_sink(ignore_line, NULL);
		init(&j);
		fn(&j);
		_exit(0);
	}
	assert_int_equal(waitpid(pid, &status, 0), pid);
	return WIFSIGNALED(status) && WTERMSIG(status) == SIGABRT;
}

static void leave_final(struct job *j)
{
	sm_move(&j->sm, DONE);
	sm_move(&j->sm, IDLE);
}

static void move_to_self(struct job *j)
{
	sm_move(&j->sm, IDLE);
}

static void break_invariant(struct job *j)
{
	j->broken = true;
	sm_move(&j->sm, BUSY);
}

static void start_in_the_middle(struct job *j)
{
	sm_init(&j->sm, states, 3, BUSY, "job", "x", NULL, NULL);
}

static void well_behaved(struct job *j)
{
	sm_move(&j->sm, BUSY);
	sm_move(&j->sm, IDLE);
}

static void forbidden_moves_abort(void **state)
{
	assert_true(aborts(leave_final));
	assert_true(aborts(move_to_self));
	assert_true(aborts(break_invariant));
	assert_true(aborts(start_in_the_middle));
	assert_false(aborts(well_behaved));
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(moves_and_tells),       cmocka_unit_test(hooks_are_optional),
		cmocka_unit_test(long_ids_are_cut),      cmocka_unit_test(a_move_logs_one_debug_line),
		cmocka_unit_test(forbidden_moves_abort),
	};
	return cmocka_run_group_tests(tests, NULL, NULL);
}
