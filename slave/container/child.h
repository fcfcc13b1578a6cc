/* The child between clone and the init program. It shares the slave's memory as of the fork: it allocates nothing, logs
 * nothing, and tells of a failure through the socket only. */
#ifndef FL_SLAVE_CONTAINER_CHILD_H
#define FL_SLAVE_CONTAINER_CHILD_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct cgroups;
struct plan;
struct seccomp_program;

/* Everything is borrowed and was made before the fork. */
struct child {
	int socket, slot, image; /* descriptors */
	struct cgroups *cgroups; /* NULL: none */
	const char *cgroup;
	const struct plan *plan; /* ends with the pivot */
	const char *hostname;    /* NULL: the host's */
	bool user_namespace, network_namespace;
	uid_t uid; /* the task's; owner of its output */
	gid_t gid;
	uid_t init_uid; /* as seen inside */
	gid_t init_gid;
	uint64_t caps; /* what the task keeps */
	const struct seccomp_program *seccomp;
	char **argv, **envp; /* of the init program, see wire.h */
};

/* All signals are blocked when it is called. */
_Noreturn void child_run(const struct child *c);

#endif
