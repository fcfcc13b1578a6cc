/* Seam 6, simulated: containers as a state and a moment of ending. They outlive the slave's process, not the machine.
 *
 * A command "sim MS CODE" runs for so many virtual milliseconds and ends with this exit code. */
#include "slave/proc.h"

#include <assert.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <fairlead/types.h>

#include "base/err.h"
#include "base/mem.h"
#include "world.h"

enum container_state { PREPARED, RUNNING, ENDED };

struct container {
	struct list_node node; /* host.containers */
	struct host *host;
	char *id, *name;
	enum container_state state;
	struct proc_identity identity;
	int64_t cpus_milli, mem_bytes, run_ms;
	int exit_code, signal;
	bool started;
	bool away; /* nobody watched when it ended */
	struct event end;
	struct proc *proc; /* NULL: nobody holds it */
};

struct procs {
	struct loop *loop;
};

struct proc {
	struct loop *loop;
	struct container *container; /* NULL: failed to launch, or gone */
	const struct proc_ops *ops;
	void *user;
	struct event tell;
	enum { TELL_READY, TELL_RUNNING, TELL_EXIT } what;
	const char *failed_step;
	bool exited;
};

static void tell(struct proc *p, int what, int64_t in_us)
{
	p->what = what;
	event_set(&p->tell, in_us);
}

static void free_container(struct container *c)
{
	event_cancel(&c->end);
	list_remove(&c->node);
	free(c->id);
	free(c->name);
	free(c);
}

static void tell_exit(struct proc *p)
{
	struct container *c = p->container;
	char message[64];
	struct proc_exit e = {.failed_step = p->failed_step};

	p->exited = true;
	if (p->failed_step) {
		snprintf(message, sizeof(message), "the %s step failed", p->failed_step);
	} else if (!c || !c->started) {
		snprintf(message, sizeof(message), c ? "ended before it ran" : "ended while the slave was away");
		e.away = !c || c->away;
	} else {
		snprintf(message, sizeof(message), "exit code %d, signal %d", c->exit_code, c->signal);
		e.known = true;
		e.exit_code = c->exit_code;
		e.signal = c->signal;
		e.away = c->away;
	}
	e.message = message;
	p->ops->on_exit(p->user, p, &e);
}

static void on_tell(void *user)
{
	struct proc *p = user;

	if (p->what == TELL_READY)
		p->ops->on_ready(p->user, p, &p->container->identity);
	else if (p->what == TELL_RUNNING)
		p->ops->on_running(p->user, p);
	else
		tell_exit(p);
}

static void end_container(struct container *c, int signal)
{
	if (c->state == ENDED)
		return;
	world_trace("container.end task=%s container=%s signal=%d", c->name, c->id, signal);
	if (c->state == RUNNING && world.on_container)
		world.on_container(c->host, c->name, false);
	c->state = ENDED;
	c->signal = signal;
	c->away = !c->proc;
	event_cancel(&c->end);
	if (c->proc)
		tell(c->proc, TELL_EXIT, world_between(10, 500));
}

static void on_end(void *user)
{
	struct container *c = user;
	/* A kill that was asked for has put its signal here. */
	end_container(c, c->signal);
}

/* ---- the interface ---- */

struct procs *procs_create(struct loop *l, const struct procs_conf *conf, struct err *err)
{
	struct procs *ps = xcalloc(1, sizeof(*ps));

	ps->loop = l;
	return ps;
}

void procs_destroy(struct procs *ps)
{
	free(ps);
}

const char *procs_describe(const struct procs *ps)
{
	return "simulated";
}

static struct proc *proc_create(struct procs *ps, const struct proc_ops *ops, void *user)
{
	struct proc *p = xcalloc(1, sizeof(*p));

	*p = (struct proc){.loop = ps->loop, .ops = ops, .user = user};
	event_init(&p->tell, ps->loop, on_tell, p);
	return p;
}

static struct container *find_container(struct host *h, const char *id)
{
	struct container *c;

	LIST_FOREACH (c, &h->containers, struct container, node)
		if (!strcmp(c->id, id))
			return c;
	return NULL;
}

struct proc *proc_launch(struct procs *ps, const struct proc_spec *spec, const struct proc_ops *ops, void *user)
{
	static const char *const steps[] = {"mount", "cgroup memory", "fork", "user namespace"};
	struct proc *p = proc_create(ps, ops, user);
	struct host *h = ps->loop->host;
	long long run_ms = 0;
	int exit_code = 0;

	if (find_container(h, spec->container_id))
		world_fail("container id %s is used twice", spec->container_id);
	if (world_chance(world.launch_failures)) {
		p->failed_step = steps[world_below(ARRAY_SIZE(steps))];
		tell(p, TELL_EXIT, world_between(1, 20) * SIM_MS);
		sim_seam(ps->loop);
		return p;
	}
	if (!spec->command->value || sscanf(spec->command->value, "sim %lld %d", &run_ms, &exit_code) != 2)
		world_fail("task %s: command is not of the form 'sim MS CODE'", spec->name);
	struct container *c = xcalloc(1, sizeof(*c));
	*c = (struct container){.host = h,
	                        .id = xstrdup(spec->container_id),
	                        .name = xstrdup(spec->name),
	                        .cpus_milli = spec->cpus_milli,
	                        .mem_bytes = spec->mem_bytes,
	                        .run_ms = run_ms,
	                        .exit_code = exit_code,
	                        .proc = p};
	c->identity.pid = h->next_pid++;
	c->identity.start_time = (uint64_t)(world.now_us / 10000);
	snprintf(c->identity.boot_id, sizeof(c->identity.boot_id), "boot-%s-%d", h->name, h->boots);
	snprintf(c->identity.cgroup, sizeof(c->identity.cgroup), "/fairlead/%.100s", c->id);
	event_init(&c->end, NULL, on_end, c);
	list_push(&h->containers, &c->node);
	p->container = c;
	tell(p, TELL_READY, world_between(1, 20) * SIM_MS);
	sim_seam(ps->loop);
	return p;
}

/* I1: what runs on a machine fits into it. */
static void check_capacity(struct host *h)
{
	int64_t cpus_milli = 0, mem_bytes = 0;
	struct container *c;

	LIST_FOREACH (c, &h->containers, struct container, node) {
		if (c->state == RUNNING) {
			cpus_milli += c->cpus_milli;
			mem_bytes += c->mem_bytes;
		}
	}
	if (h->capacity_cpus_milli && cpus_milli > h->capacity_cpus_milli)
		world_fail("I1: containers on %s use %lld thousandths of a CPU of %lld", h->name, (long long)cpus_milli,
		           (long long)h->capacity_cpus_milli);
	if (h->capacity_mem_bytes && mem_bytes > h->capacity_mem_bytes)
		world_fail("I1: containers on %s use %lld bytes of %lld", h->name, (long long)mem_bytes,
		           (long long)h->capacity_mem_bytes);
}

void proc_go(struct proc *p)
{
	struct container *c = p->container;

	sim_seam(p->loop); /* it may die with the word unspoken */
	assert(c && c->state == PREPARED);
	c->state = RUNNING;
	c->started = true;
	world_trace("container.start task=%s container=%s ms=%lld", c->name, c->id, (long long)c->run_ms);
	if (world.on_container)
		world.on_container(c->host, c->name, true);
	check_capacity(c->host);
	event_set(&c->end, c->run_ms * SIM_MS);
	tell(p, TELL_RUNNING, world_between(10, 1000));
	sim_seam(p->loop);
}

struct proc *proc_adopt(struct procs *ps, const char *container_id, const struct proc_identity *id,
                        const struct proc_ops *ops, void *user)
{
	struct proc *p = proc_create(ps, ops, user);
	struct container *c = find_container(ps->loop->host, container_id);

	if (c && (c->identity.pid != id->pid || strcmp(c->identity.boot_id, id->boot_id) != 0))
		world_fail("container %s is adopted under another identity", container_id);
	p->container = c;
	if (c)
		c->proc = p;
	tell(p, c && c->state == RUNNING ? TELL_RUNNING : TELL_EXIT, world_between(10, 1000));
	sim_seam(ps->loop);
	return p;
}

void proc_kill(struct proc *p, int64_t grace_ms)
{
	struct container *c = p->container;

	sim_seam(p->loop);
	if (!c || c->state == ENDED || p->exited)
		return;
	if (c->state == PREPARED || grace_ms <= 0) {
		end_container(c, SIGKILL);
		return;
	}
	int64_t in_us = world_between(0, grace_ms) * SIM_MS;
	int sig = world_chance(200) ? SIGKILL : SIGTERM;
	if (sig == SIGKILL)
		in_us = grace_ms * SIM_MS;
	if (c->end.at && c->end.due_us <= world.now_us + in_us)
		return; /* it ends before that anyway */
	c->signal = sig;
	event_set(&c->end, in_us);
}

int proc_set_limits(struct proc *p, int64_t cpus_milli, int64_t cpus_limit_milli, int64_t mem_bytes, struct err *err)
{
	if (!p->container)
		return err_set(err, ESRCH, "the container is gone");
	p->container->cpus_milli = cpus_milli;
	p->container->mem_bytes = mem_bytes;
	return 0;
}

int proc_usage(struct proc *p, struct proc_usage *ret)
{
	if (!p->container)
		return -ESRCH;
	*ret = (struct proc_usage){.pids = 1};
	return 0;
}

void proc_destroy(struct proc *p)
{
	if (!p)
		return;
	event_cancel(&p->tell);
	if (p->container && p->exited)
		free_container(p->container);
	else if (p->container)
		p->container->proc = NULL;
	free(p);
}

int procs_sweep(struct procs *ps, const char *const *known_ids, size_t n)
{
	struct container *c;
	int swept = 0;

	LIST_FOREACH (c, &ps->loop->host->containers, struct container, node) {
		bool known = false;
		for (size_t i = 0; i < n; i++)
			known |= !strcmp(known_ids[i], c->id);
		if (known)
			continue;
		end_container(c, SIGKILL);
		free_container(c);
		swept++;
	}
	return swept;
}

/* ---- faults ---- */

void proc_process_died(struct loop *l)
{
	struct container *c;

	LIST_FOREACH (c, &l->host->containers, struct container, node) {
		c->proc = NULL;
		if (c->state == PREPARED) /* its child saw the end of file; what is left is found by the sweep */
			end_container(c, 0);
	}
}

void proc_host_rebooted(struct host *h)
{
	struct container *c;

	LIST_FOREACH (c, &h->containers, struct container, node) {
		end_container(c, SIGKILL);
		free_container(c);
	}
}
