/* How the end of a container becomes the last status of its task. No I/O, no state. */
#ifndef FL_SLAVE_OUTCOME_H
#define FL_SLAVE_OUTCOME_H

#include <stdbool.h>
#include <stdint.h>

#include <fairlead/types.h>

struct proc_exit;

/* Why a task is being ended by us. */
enum kill_cause {
	KILL_NONE,
	KILL_REQUEST,   /* its framework or an operator asked */
	KILL_FRAMEWORK, /* its framework was torn down */
	KILL_SLAVE,     /* this slave was declared gone */
	KILL_TIMEOUT,   /* max_completion_time */
	KILL_DISK,      /* what was started could not be recorded */
};

struct outcome {
	enum fl_task_state state;
	enum fl_reason reason; /* 0: none */
	char message[512];
	bool has_exit_status;
	int exit_status;
};

struct outcome outcome_of_exit(const struct proc_exit *e, enum kill_cause cause);
struct outcome outcome_of(enum fl_task_state state, enum fl_reason reason, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
/* Ended before there was a container. */
struct outcome outcome_before_launch(enum kill_cause cause);

#endif
