/* What the launcher, its child and the init program say to each other. Included by the init program, which has no C
 * library: no functions of one here.
 *
 * One SOCK_SEQPACKET pair a launch. Slave to child: one byte an order. Child to slave: struct wire_report. After GO the
 * child becomes the init program, whose task holds the last descriptor of the pair, CLOEXEC: end of file without a
 * report says that the task's program runs. End of file on the child's side, before GO, says that the slave is gone. */
#ifndef FL_SLAVE_CONTAINER_WIRE_H
#define FL_SLAVE_CONTAINER_WIRE_H

#include <stdint.h>

#define WIRE_ORDER_ISOLATE 'I' /* you are in your cgroups: build the tree */
#define WIRE_ORDER_MAPPED 'M'  /* your ids are mapped */
#define WIRE_ORDER_GO 'G'

enum wire_kind {
	WIRE_USERNS = 1, /* I have a user namespace: map my ids */
	WIRE_READY,
	WIRE_FAILED,
};

/* Steps of the child, in order. WIRE_STEP_TREE: detail is the index of the operation in the plan. */
#define WIRE_STEPS(X)                   \
	X(CGROUP, "cgroup")             \
	X(NAMESPACES, "namespaces")     \
	X(HOSTNAME, "hostname")         \
	X(TREE, "mount")                \
	X(OOM_SCORE, "oom score")       \
	X(OUTPUT, "output")             \
	X(USERNS, "user namespace")     \
	X(LOOPBACK, "loopback")         \
	X(IDS, "ids")                   \
	X(CAPABILITIES, "capabilities") \
	X(DESCRIPTORS, "descriptors")   \
	X(SECCOMP, "seccomp")           \
	X(INIT, "init")                 \
	X(FORK, "fork")                 \
	X(USER, "user")                 \
	X(EXEC, "exec")

enum wire_step {
#define X(name, text) WIRE_STEP_##name,
	WIRE_STEPS(X)
#undef X
};

struct wire_report {
	uint32_t kind;
	uint32_t step; /* WIRE_FAILED only, as the rest */
	int32_t error; /* positive errno value */
	uint32_t detail;
};

/* Descriptors of the init program besides 0, 1, 2, which are the task's. */
#define WIRE_FD_SOCKET 3
#define WIRE_FD_SLOT 4
#define WIRE_FD_INIT 5 /* the program itself, CLOEXEC */
#define WIRE_FD_FIRST_OTHER 6

/* argv of the init program: its name, the task's uid, "gid,group,…", kept capabilities in hexadecimal, the file to
 * execute, argv of the task. Its environment is the task's. */
enum wire_arg { WIRE_ARG_NAME, WIRE_ARG_UID, WIRE_ARG_GIDS, WIRE_ARG_CAPS, WIRE_ARG_FILE, WIRE_ARG_ARGV };

#define WIRE_MAX_GROUPS 64

#endif
