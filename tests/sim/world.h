/* The simulated world: virtual time, machines, processes, faults, and the event log whose hash names a run.
 *
 * A machine (struct host) has a name, an address, a disk and containers, and outlives its processes. A process is a
 * struct loop: what master, slave and SDK code gets as its loop, and the key by which the seams find their machine.
 * Nothing of a killed process is ever cleaned up: it is dropped where it stands, as after kill -9; a seed runs in a
 * program of its own, whose end frees everything.
 *
 * Whatever happens to a process is an event with that process set: when it is due it is put into the ready list, and the
 * process takes a turn a moment later. Events without a process belong to the world and run at once. */
#ifndef FL_SIM_WORLD_H
#define FL_SIM_WORLD_H

#include <setjmp.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/buf.h"
#include "base/hash.h"
#include "base/list.h"
#include "base/loop.h"

#define SIM_MS 1000ll /* microseconds */
#define SIM_S (1000 * SIM_MS)
#define SIM_MAX_HOSTS 32

struct event {
	int64_t due_us;
	uint64_t seq;
	size_t at; /* place in the heap plus one; 0: not there */
	struct list_node ready;
	struct loop *loop; /* NULL: the world's */
	loop_fn fn;
	void *user;
	bool owned; /* by the world: freed when it has run or its process died */
};

struct host {
	char name[16], ip[16];
	int index;
	struct loop *process;          /* NULL: down */
	void (*start)(struct host *h); /* runs inside the new process's first turn */
	void *user;
	int64_t clock_us; /* its boot-time clock is the world's plus this */
	int64_t skew_us;  /* its wall clock is off by this */
	int boots;
	struct list files; /* disk.c */
	bool disk_full;
	int64_t disk_slow_us;
	struct list containers; /* proc.c */
	int next_pid;
	int64_t capacity_cpus_milli, capacity_mem_bytes; /* what its containers may use together; 0: not checked */
};

/* A process. */
struct loop {
	struct host *host;
	struct list_node node; /* world.processes */
	bool alive, again, stop, in_turn;
	struct list ready, defers, hooks;
	struct event turn;
	int64_t paused_until_us;
	uint64_t random;
	uint64_t seam_calls, die_at_call; /* killed inside its die_at_call-th seam call; 0: never */
	struct list ends, listeners;      /* conn.c */
	struct turn_hook flush;           /* conn.c */
	struct list sessions;             /* zk.c */
	struct list disks;                /* disk.c */
	void *object;                     /* what start made: struct master * … */
};

/* Chances are per thousand frames. */
struct net_faults {
	int lose, duplicate, reorder, slow;
	int replay; /* an order of an earlier term comes again, as from a deposed master */
};

struct world {
	uint64_t seed, random;
	int64_t now_us;
	struct event **heap;
	size_t n_events, heap_capacity;
	uint64_t next_seq, n_run, hash;
	struct host hosts[SIM_MAX_HOSTS];
	int n_hosts;
	bool cut[SIM_MAX_HOSTS][SIM_MAX_HOSTS]; /* [from][to] */
	struct net_faults net;
	int64_t last_stray_us; /* until then frames may come twice or behind their successors */
	int launch_failures;   /* per thousand container launches */
	struct list processes;
	struct loop *current; /* whose turn it is */
	jmp_buf died;
	bool calm; /* the faults are over */
	bool verbose;
	void (*after_turn)(struct loop *l);
	/* What arrives; from is NULL when it is replayed. */
	void (*on_frame)(struct loop *from, struct loop *to, const void *data, size_t size);
	uint64_t (*order_term)(const void *data, size_t size); /* 0: no order */
	void (*on_container)(struct host *h, const char *task, bool starts);
	const char *replay; /* command that runs this seed again */
};

extern struct world world;

void world_init(uint64_t seed);
/* Runs events until the clock says until_us or done() is true. False when time is up. */
bool world_run(int64_t until_us, bool (*done)(void));
/* One line of the event log: into the hash, the ring shown at failure, and stdout when verbose. */
void world_trace(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* The last lines of it, to stderr, unless they were printed already. */
void world_show(void);
/* An invariant does not hold: says so with the way to replay it, and ends the program. */
void world_fail(const char *fmt, ...) __attribute__((format(printf, 1, 2), noreturn));

uint64_t world_random(void);
uint64_t world_below(uint64_t bound);
int64_t world_between(int64_t low, int64_t high); /* both included */
bool world_chance(int per_thousand);

void event_init(struct event *e, struct loop *l, loop_fn fn, void *user);
void event_set(struct event *e, int64_t in_us);
void event_cancel(struct event *e);
bool event_pending(const struct event *e);
/* Fire and forget. */
void world_after(struct loop *l, int64_t in_us, loop_fn fn, void *user);

struct host *sim_host_create(const char *name, void (*start)(struct host *h), void *user);
struct host *sim_host_find(const char *name_or_ip); /* NULL: unknown */
void sim_boot(struct host *h);                      /* starts its process, if it has none */
void sim_kill(struct host *h);                      /* kill -9 of its process, if it has one */
void sim_reboot(struct host *h); /* power loss: process and containers go; sim_boot starts it again */
void sim_pause(struct host *h, int64_t us);
void sim_cut(struct host *a, struct host *b, bool cut); /* both ways */
bool sim_is_cut(const struct host *from, const struct host *to);
/* Every entry of a seam passes here: the process may die in it. */
void sim_seam(struct loop *l);

/* Told by world.c when a process dies. */
void conn_process_died(struct loop *l);
void zk_process_died(struct loop *l);
void disk_process_died(struct loop *l);
void proc_process_died(struct loop *l);
void proc_host_rebooted(struct host *h);

/* The ZooKeeper that all share; a host of its own, so that it can be cut off. */
struct host *zk_server(void);
void zk_server_create(void);
void zk_server_set_down(bool down); /* no quorum: connections break, sessions are not counted down */
void zk_drop_connection(struct host *h);

#endif
