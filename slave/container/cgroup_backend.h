/* One mounted hierarchy and how to work it; cgroup.c goes over all of them. */
#ifndef FL_SLAVE_CONTAINER_CGROUP_BACKEND_H
#define FL_SLAVE_CONTAINER_CGROUP_BACKEND_H

#include <stdbool.h>
#include <stdint.h>

#include "slave/container/cgroup.h"

enum controller { CONTROLLER_CPU, CONTROLLER_CPUACCT, CONTROLLER_MEMORY, CONTROLLER_PIDS, CONTROLLER_FREEZER };
#define N_CONTROLLERS 5

struct hierarchy;

struct cgroup_backend {
	int version;
	/* Hands the hierarchy's controllers down to the children of root. */
	int (*prepare)(struct hierarchy *h, const char *root, struct err *err);
	int (*apply)(struct hierarchy *h, const char *path, const struct cgroup_limits *limits, struct err *err);
	void (*usage)(struct hierarchy *h, const char *path, struct cgroup_usage *ret); /* fills what it knows */
	void (*freeze)(struct hierarchy *h, const char *path, bool frozen);
	bool (*kill)(struct hierarchy *h, const char *path); /* false: cannot at one blow */
};

struct hierarchy {
	const struct cgroup_backend *backend;
	int fd; /* of its mount point */
	char *mount;
	bool has[N_CONTROLLERS];
};

extern const struct cgroup_backend cgroup_v1, cgroup_v2;

/* Files of path in h. Values are written in one go, trailing newline not needed; read without it. */
int hierarchy_write(struct hierarchy *h, const char *path, const char *file, const char *value);
int hierarchy_write_int(struct hierarchy *h, const char *path, const char *file, int64_t value);
int hierarchy_read(struct hierarchy *h, const char *path, const char *file, char *ret, size_t size);
/* "max" is INT64_MAX. */
int hierarchy_read_int(struct hierarchy *h, const char *path, const char *file, int64_t *ret);
/* The number after key in a file of "key number" lines. */
int hierarchy_read_key(struct hierarchy *h, const char *path, const char *file, const char *key, int64_t *ret);
bool hierarchy_has_file(struct hierarchy *h, const char *path, const char *file);
/* err: "memory: writing memory.max = 4096: Invalid argument". */
int hierarchy_fail(int status, const char *controller, const char *file, int64_t value, struct err *err);

#define CGROUP_PERIOD_US 100000
/* Processor time in a period, at least what the kernel takes; 0: no cap, also for more than any machine has. */
int64_t cgroup_quota_us(const struct cgroup_limits *l);

#endif
