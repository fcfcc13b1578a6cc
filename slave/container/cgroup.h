/* The cgroups of containers, one of the same path in every hierarchy. Which controller is where (v1, v2, co-mounted) is
 * found once, at the start. Paths are "/fairlead/ID", below each hierarchy's root. */
#ifndef FL_SLAVE_CONTAINER_CGROUP_H
#define FL_SLAVE_CONTAINER_CGROUP_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

struct cgroups;
struct err;

struct cgroup_limits {
	int64_t cpus_milli;        /* weight */
	int64_t cpus_limit_milli;  /* hard cap; 0: none */
	int64_t mem_bytes;         /* hard; 0: none */
	int64_t mem_request_bytes; /* soft; 0: none */
	int64_t pids;              /* 0: none */
};

struct cgroup_usage {
	int64_t cpu_ns, mem_bytes, mem_peak_bytes, mem_limit_bytes, pids; /* mem_*: 0 when unknown */
	int64_t oom_kills;
};

/* NULL with a text that names the controller that is missing. Makes root in every hierarchy; on v2 also moves the
 * process into root/.slave, so that controllers can be handed down. */
struct cgroups *cgroups_create(const char *root, struct err *err);
void cgroups_destroy(struct cgroups *c);              /* NULL allowed; the cgroups stay */
const char *cgroups_version(const struct cgroups *c); /* "v1", "v2" or "mixed" */

/* Makes path everywhere and sets its limits; nothing is left when it fails. err's text begins with the controller. */
int cgroup_create(struct cgroups *c, const char *path, const struct cgroup_limits *limits, struct err *err);
/* For CLONE_INTO_CGROUP: a descriptor of the v2 cgroup, or -1 without one. The caller closes it. */
int cgroup_open(struct cgroups *c, const char *path);
/* Moves the calling process, of one thread, into path in the v1 hierarchies; it was born in the v2 one. For the child: it
 * neither allocates nor logs. -errno. */
int cgroup_enter(struct cgroups *c, const char *path);
/* Sets cpu and memory limits (pids when not 0) and reads them back; -EBUSY when less memory than in use. */
int cgroup_set(struct cgroups *c, const char *path, const struct cgroup_limits *limits, struct err *err);
int cgroup_usage(struct cgroups *c, const char *path, struct cgroup_usage *ret);
bool cgroup_has(struct cgroups *c, const char *path, pid_t pid);
/* Lets frozen processes go on. */
void cgroup_thaw(struct cgroups *c, const char *path);
/* SIGKILL to everything in it, frozen or not; in v1 one by one. */
void cgroup_kill(struct cgroups *c, const char *path);
/* The same where the kernel does it at one blow; false where it does not (v1). */
bool cgroup_kill_at_once(struct cgroups *c, const char *path);
/* -EBUSY while something in it still ends. Gone already is fine. */
int cgroup_remove(struct cgroups *c, const char *path);
/* Names of the cgroups below root, in any hierarchy; a name may come more than once. */
void cgroups_list(struct cgroups *c, void (*fn)(void *user, const char *name), void *user);

#endif
