#include "slave/outcome.h"

#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "slave/proc.h"

struct outcome outcome_of(enum fl_task_state state, enum fl_reason reason, const char *fmt, ...)
{
	struct outcome o = {.state = state, .reason = reason};
	va_list ap;

	va_start(ap, fmt);
	vsnprintf(o.message, sizeof(o.message), fmt, ap);
	va_end(ap);
	return o;
}

static void describe_exit(const struct proc_exit *e, char *out, size_t size)
{
	const char *name = e->signal ? sigabbrev_np(e->signal) : NULL;

	if (!e->known)
		snprintf(out, size, "%s", e->message);
	else if (name)
		snprintf(out, size, "killed by signal %d (SIG%s)", e->signal, name);
	else if (e->signal)
		snprintf(out, size, "killed by signal %d", e->signal);
	else
		snprintf(out, size, "exited with status %d", e->exit_code);
}

static struct outcome out_of_memory(const struct proc_exit *e)
{
	const int64_t mib = 1 << 20;
	char peak[64] = "";

	if (e->mem_peak_bytes > 0)
		snprintf(peak, sizeof(peak), ", peak %" PRId64 " MiB", (e->mem_peak_bytes + mib / 2) / mib);
	return outcome_of(FL_TASK_FAILED, FL_REASON_CONTAINER_LIMITATION_MEMORY,
	                  "out of memory: limit %" PRId64 " MiB%s", e->mem_limit_bytes / mib, peak);
}

static struct outcome of_kill(enum kill_cause cause, const char *how)
{
	switch (cause) {
	case KILL_FRAMEWORK:
		return outcome_of(FL_TASK_KILLED, FL_REASON_FRAMEWORK_REMOVED, "its framework was removed; %s", how);
	case KILL_SLAVE:
		return outcome_of(FL_TASK_KILLED, FL_REASON_SLAVE_REMOVED, "the slave was declared gone; %s", how);
	case KILL_TIMEOUT:
		return outcome_of(FL_TASK_FAILED, FL_REASON_MAX_COMPLETION_TIME_REACHED,
		                  "ran longer than its max_completion_time; %s", how);
	case KILL_DISK:
		return outcome_of(FL_TASK_DROPPED, FL_REASON_SLAVE_DISK_FULL, "the slave could not write its journal");
	default:
		return outcome_of(FL_TASK_KILLED, 0, "killed on request; %s", how);
	}
}

struct outcome outcome_before_launch(enum kill_cause cause)
{
	struct outcome o = of_kill(cause, "it had not been started");

	if (cause == KILL_REQUEST)
		o.reason = FL_REASON_TASK_KILLED_DURING_LAUNCH;
	return o;
}

static struct outcome of_own_end(const struct proc_exit *e, const char *how)
{
	if (e->oom)
		return out_of_memory(e);
	if (e->rebooted)
		return outcome_of(FL_TASK_FAILED, FL_REASON_SLAVE_REBOOTED, "the machine was restarted");
	if (!e->known)
		return outcome_of(FL_TASK_FAILED, FL_REASON_EXECUTOR_TERMINATED, "%s", how);
	if (!e->signal && e->exit_code == 0)
		return outcome_of(FL_TASK_FINISHED, 0, "%s", how);
	return outcome_of(FL_TASK_FAILED, FL_REASON_COMMAND_EXECUTOR_FAILED, "%s", how);
}

struct outcome outcome_of_exit(const struct proc_exit *e, enum kill_cause cause)
{
	char how[256];

	if (e->failed_step && cause != KILL_NONE)
		return outcome_before_launch(cause);
	if (e->failed_step)
		return outcome_of(FL_TASK_FAILED, FL_REASON_CONTAINER_LAUNCH_FAILED, "launch failed at %s: %s",
		                  e->failed_step, e->message);
	describe_exit(e, how, sizeof(how));
	struct outcome o = cause != KILL_NONE ? of_kill(cause, how) : of_own_end(e, how);
	if (e->known) {
		o.has_exit_status = true;
		o.exit_status = e->signal ? 128 + e->signal : e->exit_code;
	}
	return o;
}
