/** @file
 * The scheduler side of a framework: subscribe, get offers, launch tasks on them, hear how they do.
 *
 * A program fills struct fl_scheduler_options and struct fl_scheduler_callbacks, makes a scheduler and runs it:
 *
 *     fl_scheduler *s = fl_scheduler_create(&options, &callbacks, user, NULL, 0);
 *     int r = fl_run(s);
 *     fl_scheduler_destroy(s);
 *
 * Three callbacks are enough (offers, update, error). The scheduler finds the leading master, reconnects with capped
 * random backoff, subscribes again under the same framework id, and acknowledges status updates.
 *
 * One thread per scheduler; nothing is global, so a process may have several. Callbacks come from fl_run or fl_step only,
 * and may call every function of this file except fl_run, fl_step and fl_scheduler_destroy. What is passed to a callback
 * is borrowed until it returns. Functions that return int return 0 or a negative errno value; fl_scheduler_error has the
 * text. Out of memory aborts the process. All text is UTF-8. Quantities are thousandths (1000 is one CPU or one MiB),
 * times are nanoseconds. */
#ifndef FAIRLEAD_SCHEDULER_H
#define FAIRLEAD_SCHEDULER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include <fairlead/types.h>

#ifdef __cplusplus
extern "C" {
#endif

/** Marks what the library exports. */
#if defined(__GNUC__)
#define FL_API __attribute__((visibility("default")))
#else
#define FL_API
#endif

/** A framework's connection to its cluster. Made by fl_scheduler_create, ended by fl_scheduler_destroy. */
typedef struct fl_scheduler fl_scheduler;

/** What a scheduler is told. Every member may be NULL; the comment says what happens then. */
struct fl_scheduler_callbacks {
	/** sizeof(struct fl_scheduler_callbacks), so that the structure can grow. */
	size_t struct_size;

	/** The master accepted the subscription: the first one, and each one after a reconnection.
	 * e->framework_id is to be kept by programs that want to come back to their tasks after their own restart.
	 * After a reconnection offers from before are void. NULL: nothing happens. */
	void (*subscribed)(fl_scheduler *s, void *user, const struct fl_event_subscribed *e);

	/** Resources to use (fl_launch, fl_accept) or return (fl_decline), now or later, until rescinded or expired.
	 * NULL: all offers are declined. */
	void (*offers)(fl_scheduler *s, void *user, const struct fl_offer *offers, size_t n);

	/** An offer is no longer valid. NULL: nothing happens (using it later yields TASK_LOST or TASK_DROPPED). */
	void (*rescinded)(fl_scheduler *s, void *user, const char *offer_id);

	/** A task's status. At least once, in order for each task: the same status may come twice after failures. Unless
	 * options.explicit_acknowledge is set it is acknowledged when this returns. NULL: it is only acknowledged. */
	void (*update)(fl_scheduler *s, void *user, const struct fl_task_status *status);

	/** Bytes from an executor, best effort. NULL: dropped. */
	void (*message)(fl_scheduler *s, void *user, const struct fl_event_message *message);

	/** A slave was removed or an executor ended. Only a hint: updates tell about the tasks. NULL: nothing happens. */
	void (*failure)(fl_scheduler *s, void *user, const struct fl_event_failure *failure);

	/** The connection to the master is lost; offers are void. Reconnecting goes on by itself. NULL: nothing happens. */
	void (*disconnected)(fl_scheduler *s, void *user);

	/** The subscription is refused or ended for good; fl_run returns after it. NULL: the text goes to stderr. */
	void (*error)(fl_scheduler *s, void *user, const char *message);
};

/** How to make a scheduler. Zero-initialise, set struct_size and framework. */
struct fl_scheduler_options {
	/** sizeof(struct fl_scheduler_options), so that the structure can grow. */
	size_t struct_size;

	/** Where masters are found: "zk://host:port,…/path" or "host:port,…" (HTTP ports).
	 * NULL: the environment's FAIRLEAD_MASTER, or else "127.0.0.1:5050". */
	const char *master;

	/** Name of the cluster that must be met there. NULL: any. */
	const char *cluster;

	/** Who subscribes; copied. name is needed. user "" runs tasks as the slave's user. With id set the framework of
	 * that id is resumed: its tasks become this scheduler's. */
	const struct fl_framework_info *framework;

	/** True: updates are not acknowledged for you; call fl_acknowledge for each that has a uuid. */
	bool explicit_acknowledge;

	/** ZooKeeper session timeout in nanoseconds; 0: 6 s. This and the spans below: at most 10 minutes. */
	int64_t zk_session_ns;

	/** Interval of heartbeats to the master in nanoseconds; 0: 1 s. */
	int64_t heartbeat_ns;

	/** First limit of the random wait before reconnecting, in nanoseconds; 0: 100 ms. It doubles to at most 5 s. */
	int64_t backoff_ns;
};

/** Makes a scheduler; connecting begins with the first fl_step or fl_run. options and callbacks are copied, user is passed
 * to every callback. On failure returns NULL and, when error_size > 0, writes a text for people into error. */
FL_API fl_scheduler *fl_scheduler_create(const struct fl_scheduler_options *options,
                                         const struct fl_scheduler_callbacks *callbacks, void *user, char *error,
                                         size_t error_size);

/** Ends the connection and frees everything. The framework stays, for its failover timeout. NULL is allowed. */
FL_API void fl_scheduler_destroy(fl_scheduler *s);

/** Runs until fl_stop (returns 0), the end of a teardown (0), or an error (negative errno value). */
FL_API int fl_run(fl_scheduler *s);

/** One step: waits at most timeout_ms for something to do (0: does not wait; -1: as long as it takes) and does it.
 * Returns 1 while there is more to come, 0 after fl_stop or a finished teardown, a negative errno value after an error. */
FL_API int fl_step(fl_scheduler *s, int timeout_ms);

/** Makes fl_run return after the current callback, the last one. An update whose callback does this is acknowledged. */
FL_API void fl_stop(fl_scheduler *s);

/** The framework's id, or NULL before the first subscription; valid until fl_scheduler_destroy. */
FL_API const char *fl_framework_id(const fl_scheduler *s);

/** True while subscribed. */
FL_API bool fl_subscribed(const fl_scheduler *s);

/** The text of the last failure of a function of this file, "" when there was none; valid until the next call. */
FL_API const char *fl_scheduler_error(const fl_scheduler *s);

/** Version of the library, "0.1.0". */
FL_API const char *fl_version(void);

/* Calls. All return -ENOTCONN while not subscribed, -EINVAL when something in them cannot be sent (a needed field is missing,
 * a text is not UTF-8) and -EMSGSIZE when they are too large for a message (4 MiB). */

/** Launches tasks on one offer; what they leave of it goes back. slave_id of a task may be NULL: it is the offer's.
 * refuse_ns: for how long not to offer the rest again, nanoseconds; negative: the default of 5 s; 0: 100 ms. */
FL_API int fl_launch(fl_scheduler *s, const struct fl_offer *offer, const struct fl_task_info *tasks, size_t n,
                     int64_t refuse_ns);

/** The general form: offers of one slave, for a list of operations in order. */
FL_API int fl_accept(fl_scheduler *s, const char *const *offer_ids, size_t n_offers,
                     const struct fl_operation *operations, size_t n_operations, int64_t refuse_ns);

/** Returns an offer unused. refuse_ns as in fl_launch. */
FL_API int fl_decline(fl_scheduler *s, const char *offer_id, int64_t refuse_ns);

/** Drops all filters and resumes offers for these roles; n 0: all of the framework's. */
FL_API int fl_revive(fl_scheduler *s, const char *const *roles, size_t n);

/** Stops offers for these roles until fl_revive, also after a reconnection; n 0: all of the framework's. */
FL_API int fl_suppress(fl_scheduler *s, const char *const *roles, size_t n);

/** Kills a task: SIGTERM, and SIGKILL after grace_ns nanoseconds (negative: what the task's kill policy says). slave_id
 * may be NULL. */
FL_API int fl_kill(fl_scheduler *s, const char *task_id, const char *slave_id, int64_t grace_ns);

/** Acknowledges an update; only with options.explicit_acknowledge, and only when status->uuid is set: -EINVAL without. */
FL_API int fl_acknowledge(fl_scheduler *s, const struct fl_task_status *status);

/** Asks for the states of tasks; answers come as updates without uuid. n 0: of all tasks of the framework. */
FL_API int fl_reconcile(fl_scheduler *s, const struct fl_reconcile_task *tasks, size_t n);

/** Sends bytes to an executor, best effort. */
FL_API int fl_message(fl_scheduler *s, const char *slave_id, const char *executor_id, const void *data, size_t size);

/** Removes the framework: its tasks are killed and its id is void. fl_run returns when the master has done it: 0, or a
 * negative errno value when the master refused or did not confirm it within 5 s. No callback follows but error. */
FL_API int fl_teardown(fl_scheduler *s);

/* Small helpers. */

/** Quantity of a scalar resource in an offer, thousandths; 0 when it has none. */
FL_API int64_t fl_offer_scalar(const struct fl_offer *offer, const char *name);

/** True for states after which a task never changes. */
FL_API bool fl_task_state_terminal(enum fl_task_state state);

/** "TASK_RUNNING" and so on; "?" for an unknown number. */
FL_API const char *fl_task_state_name(enum fl_task_state state);

/** "REASON_…"; "" when there is none. */
FL_API const char *fl_reason_name(enum fl_reason reason);

/** Initialiser of a scalar struct fl_resource; milli in thousandths. For C, inside functions. */
#define FL_RESOURCE(name_, milli_)                                                \
	{                                                                         \
		.name = (name_), .type = FL_SCALAR, .scalar = &(struct fl_scalar) \
		{                                                                 \
			.value = (milli_)                                         \
		}                                                                 \
	}
/** CPUs, in thousandths: FL_CPUS(500) is half of one. */
#define FL_CPUS(milli_) FL_RESOURCE("cpus", milli_)
/** Memory in whole MiB. */
#define FL_MEM_MIB(mib_) FL_RESOURCE("mem", (int64_t)(mib_)*1000)
/** Disk in whole MiB. */
#define FL_DISK_MIB(mib_) FL_RESOURCE("disk", (int64_t)(mib_)*1000)

#ifdef __cplusplus
}
#endif

#endif
