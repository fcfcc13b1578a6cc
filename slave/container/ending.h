/* How a container ended, put together from its exit slot, its parent's knowledge and its cgroup, and said in words. */
#ifndef FL_SLAVE_CONTAINER_ENDING_H
#define FL_SLAVE_CONTAINER_ENDING_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

struct cgroups;
struct proc_exit;

#define ENDING_TEXT 320

/* Bytes as "63.9 MiB", or as "512.0 KiB" below one. */
const char *ending_size(int64_t bytes, char out[32]);
/* Limit, peak and whether it died for want of memory; cgroups NULL or cgroup "": not known. After known, code, signal. */
void ending_read_memory(struct cgroups *cgroups, const char *cgroup, struct proc_exit *e);

struct ending {
	struct cgroups *cgroups; /* NULL: none are used */
	const char *cgroup;
	const char *slot_path;
	const siginfo_t *status; /* of waitid; NULL when the process was not ours */
	bool away;
	const char *mystery; /* what to say when it is not known how; NULL: the slot tells */
};

/* Fills *ret, whose message is then text. */
void ending_tell(const struct ending *from, char text[ENDING_TEXT], struct proc_exit *ret);

#endif
