/* One launch, the slave's side: what it takes to start a container, up to the moment its program runs. The caller
 * (proc.c) owns the order of the steps and the waiting; nothing here waits. */
#ifndef FL_SLAVE_CONTAINER_LAUNCHER_H
#define FL_SLAVE_CONTAINER_LAUNCHER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/err.h"
#include "slave/container/wire.h"
#include "slave/proc.h"

struct cgroups;
struct launcher;

/* What all launches share. cgroups (NULL: none) and conf are borrowed. */
struct launcher *launcher_create(const struct procs_conf *conf, struct cgroups *cgroups, struct err *err);
void launcher_destroy(struct launcher *r); /* NULL allowed */
bool launcher_user_namespaces(const struct launcher *r);

struct birth;

/* Where and why it failed. */
struct birth_failure {
	const char *step; /* static */
	struct err err;
};

/* Copies the spec and checks it. Never NULL: a bad spec fails birth_start. */
struct birth *birth_create(struct launcher *r, const struct proc_spec *spec);
/* Closes the socket, whereupon a child before GO ends; frees. What was made on the host stays: birth_clean. */
void birth_destroy(struct birth *l); /* NULL allowed */
/* PREPARE, FORK and the host's part of ISOLATE. -errno with *ret filled; there may be a child all the same. */
int birth_start(struct birth *l, struct birth_failure *ret);
/* Valid once there is a child. */
int birth_socket(const struct birth *l);
int birth_take_pidfd(struct birth *l); /* the caller's from now on; -1 without a child */
const struct proc_identity *birth_identity(const struct birth *l);
/* The next report: 1 with *ret, 0 at end of file, -EAGAIN when there is none yet. */
int birth_receive(struct birth *l, struct wire_report *ret);
/* Answers WIRE_USERNS. */
int birth_map(struct birth *l, struct birth_failure *ret);
int birth_go(struct birth *l);
/* Puts WIRE_FAILED into words. */
void birth_explain(const struct birth *l, const struct wire_report *report, struct birth_failure *ret);
/* What it made on the host, and is to be removed when it ends. */
const char *birth_cgroup(const struct birth *l); /* "" when none was made */
bool birth_has_runtime(const struct birth *l);

/* "RUNTIME_DIR/ID/exit". Caller frees. */
char *launcher_slot_path(const struct launcher *r, const char *container_id);
void launcher_remove_runtime(const struct launcher *r, const char *container_id);

#endif
