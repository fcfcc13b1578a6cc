/* The way of a status: slave → master → framework, and its acknowledgement back. */
#ifndef FL_MASTER_UPDATE_H
#define FL_MASTER_UPDATE_H

#include <stddef.h>
#include <stdint.h>

#include <fairlead/types.h>

struct framework;
struct master;
struct slave;
struct task;

/* A status that the master makes: no uuid, never acknowledged. */
struct master_status {
	const char *task_id, *slave_id;
	enum fl_task_state state;
	enum fl_reason reason;
	const char *message;               /* may be NULL */
	int64_t unreachable_wall_ns;       /* 0: absent */
	const struct fl_task_status *like; /* healthy, container_status and labels as there; may be NULL */
};

/* t: gets it into its history; NULL: nothing is kept. What the framework does not understand it hears as LOST. */
void update_from_master(struct framework *f, struct task *t, const struct master_status *status);
void update_from_slave(struct slave *s, const struct fl_status_update *msg);
/* The framework came back: what it has not acknowledged is said again. */
void update_resend(struct task *t);
/* The framework has it. */
void update_on_ack(struct framework *f, const struct fl_call_acknowledge *ack);
/* Acknowledges in the name of a framework that is removed. */
void update_ack_pending(struct task *t);
/* Without its long parts when it is longer than that; borrows from status. */
struct fl_task_status update_bounded(const struct fl_task_status *status, size_t max_bytes);
/* How this framework hears of the state. */
enum fl_task_state update_state_for(const struct framework *f, enum fl_task_state state);

#endif
