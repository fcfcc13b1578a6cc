/* SEAM 6 of 6. Containers as processes: prepare, fork, isolate, go, kill, adopt, limits, usage. The launchers lie below
 * (slave/container/, later slave/vm/); the simulator has a model. design.md 7.
 *
 * The life of a struct proc: PREPARING (isolators, fork; the child waits on a socketpair, end of file means exit) →
 * READY (on_ready: the caller makes pid, start time and cgroup durable) → proc_go → RUNNING (on_running) → on_exit →
 * the caller calls proc_destroy, which cleans up. Failure on the way: on_exit with failed_step set, nothing left behind.
 * Callbacks come from the loop, never from inside a call. */
#ifndef FL_SLAVE_PROC_H
#define FL_SLAVE_PROC_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;
struct fl_command_info;
struct loop;
struct proc;
struct procs;

struct procs_conf {
	const char *runtime_dir; /* "/run/fairlead/<slave>": exit slots, private mounts; never inside a sandbox */
	const char *cgroup_root; /* "/fairlead" below each hierarchy's root */
	const char *work_dir;    /* never visible to a task */
	const char *image_dir;   /* where root filesystems of tasks may lie; NULL: nowhere */
	bool allow_privileged;
	bool user_namespaces; /* on by default */
	bool cpu_cap;         /* cpus are a hard cap too */
	bool use_cgroups;     /* off only for unprivileged trials: limits are then not enforced, with a warning */
	int64_t default_pids;
};

/* Checks what the host can do (cgroup v1, v2 or hybrid, decided per controller; namespaces), finds the static init.
 * NULL with a text that names the missing thing and the option that does without it. */
struct procs *procs_create(struct loop *l, const struct procs_conf *conf, struct err *err);
void procs_destroy(struct procs *p); /* running containers run on */
/* What it found, one word each, for attributes and the log: "cgroup:v1", "userns:yes", … */
const char *procs_describe(const struct procs *p);

struct proc_spec {
	const char *container_id; /* unique, valid as one path component and cgroup name */
	const char *name;         /* for the log: task id */
	const char *sandbox; /* host path; made if absent; becomes the working folder (/sandbox inside), the user's */
	const struct fl_command_info *command;
	const char *user;       /* name or number; NULL: the slave's own */
	const char *hostname;   /* NULL: the host's */
	const char *const *env; /* "NAME=value", NULL-terminated; nothing else is inherited */
	const char *rootfs;     /* below image_dir; NULL: the host's /usr … read-only */
	bool privileged;
	bool network_namespace;
	const char *const *capabilities; /* names without CAP_, NULL-terminated; NULL: none kept */
	int64_t cpus_milli;              /* weight */
	int64_t cpus_limit_milli;        /* hard cap; 0: none */
	int64_t mem_bytes;               /* hard limit */
	int64_t mem_request_bytes;       /* soft limit; at most mem_bytes */
	int64_t pids;                    /* 0: default */
};

/* What identifies a container over a slave's restart. */
struct proc_identity {
	int64_t pid;
	uint64_t start_time; /* field 22 of /proc/PID/stat */
	char boot_id[40];
	char cgroup[128]; /* below each hierarchy's root */
};

struct proc_exit {
	const char *failed_step;                 /* NULL, or where the launch failed: "mount", "cgroup memory", … */
	const char *message;                     /* in words, always set; borrowed */
	bool known;                              /* exit code or signal are known */
	int exit_code;                           /* 0…255, when not signalled */
	int signal;                              /* 0 when not signalled */
	bool oom;                                /* killed for memory */
	int64_t mem_limit_bytes, mem_peak_bytes; /* 0 when unknown */
	bool away;                               /* it ended while the slave was away */
	bool rebooted; /* … because the machine was restarted: its identity has another boot id */
};

struct proc_ops {
	void (*on_ready)(void *user, struct proc *p, const struct proc_identity *id);
	void (*on_running)(void *user, struct proc *p);
	void (*on_exit)(void *user, struct proc *p, const struct proc_exit *e);
};

/* Begins a launch; spec is copied as needed. Never fails at once: failure is on_exit. */
struct proc *proc_launch(struct procs *ps, const struct proc_spec *spec, const struct proc_ops *ops, void *user);
void proc_go(struct proc *p); /* only after on_ready */
/* Takes up a container of an earlier run: on_running when it lives, on_exit (from its exit slot and cgroup) when not. */
struct proc *proc_adopt(struct procs *ps, const char *container_id, const struct proc_identity *id,
                        const struct proc_ops *ops, void *user);
/* SIGTERM to the task, grace_ms later everything in it is killed. Again with a shorter grace: shortens. Before GO: ends
 * the launch. on_exit follows. */
void proc_kill(struct proc *p, int64_t grace_ms);
/* New limits, read back from the kernel. */
int proc_set_limits(struct proc *p, int64_t cpus_milli, int64_t cpus_limit_milli, int64_t mem_bytes, struct err *err);
struct proc_usage {
	int64_t cpu_ns, mem_bytes, mem_peak_bytes, pids;
};
int proc_usage(struct proc *p, struct proc_usage *ret);
/* After on_exit: removes cgroup, mounts, runtime folder. Before: lets go of it, the container runs on. */
void proc_destroy(struct proc *p);
/* Removes what belongs to no known container id: kills and cleans left-over cgroups, mounts, runtime folders. Returns how
 * many. For start-up, after all adoptions. */
int procs_sweep(struct procs *ps, const char *const *known_ids, size_t n);

#endif
