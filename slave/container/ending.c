#include "slave/container/ending.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <string.h>
#include <sys/wait.h>

#include "slave/container/cgroup.h"
#include "slave/container/slot.h"
#include "slave/proc.h"

const char *ending_size(int64_t bytes, char out[32])
{
	int shift = bytes >= 1 << 20 ? 20 : 10;
	int64_t tenths = ((bytes & (((int64_t)1 << shift) - 1)) * 10) >> shift;

	snprintf(out, 32, "%" PRId64 ".%" PRId64 " %s", bytes >> shift, tenths, shift == 20 ? "MiB" : "KiB");
	return out;
}

void ending_read_memory(struct cgroups *cgroups, const char *cgroup, struct proc_exit *e)
{
	struct cgroup_usage u;

	if (!*cgroup || !cgroups || cgroup_usage(cgroups, cgroup, &u) < 0)
		return;
	e->mem_limit_bytes = u.mem_limit_bytes < INT64_MAX / 2 ? u.mem_limit_bytes : 0; /* v1: near INT64_MAX is none */
	e->mem_peak_bytes = u.mem_peak_bytes;
	/* Somebody in it was killed for memory, and it did not get over it. */
	e->oom = u.oom_kills > 0 && !(e->known && e->signal == 0 && e->exit_code == 0);
}

static const char *read_slot(const char *path, struct proc_exit *e)
{
	struct slot slot;
	int r = slot_read(path, &slot);

	if (r < 0)
		return r == -EBADMSG ? "its exit record is damaged" : "how is not known";
	e->known = true;
	if (slot.kind == SLOT_SIGNALLED)
		e->signal = slot.value;
	else
		e->exit_code = slot.value;
	return NULL;
}

static const char *signal_name(int signal, char out[24])
{
	const char *name = sigabbrev_np(signal);

	if (name)
		snprintf(out, 24, "SIG%s", name);
	else
		snprintf(out, 24, "signal %d", signal);
	return out;
}

static void describe(const struct proc_exit *e, const char *mystery, char text[ENDING_TEXT])
{
	char used[32], limit[32], name[24];
	const char *away = e->away ? " while the slave was away" : "";

	if (e->oom && e->mem_limit_bytes)
		snprintf(text, ENDING_TEXT, "ran out of memory%s: used %s of %s", away,
		         ending_size(e->mem_peak_bytes, used), ending_size(e->mem_limit_bytes, limit));
	else if (e->oom)
		snprintf(text, ENDING_TEXT, "ran out of memory%s", away);
	else if (!e->known)
		snprintf(text, ENDING_TEXT, "ended%s; %s", away, mystery);
	else if (e->signal)
		snprintf(text, ENDING_TEXT, "killed by %s%s", signal_name(e->signal, name), away);
	else
		snprintf(text, ENDING_TEXT, "exited with status %d%s", e->exit_code, away);
}

/* The slot counts; an init that was killed itself leaves none, and only its parent knows by what. */
void ending_tell(const struct ending *from, char text[ENDING_TEXT], struct proc_exit *ret)
{
	struct proc_exit e = {.away = from->away};
	const char *problem = read_slot(from->slot_path, &e);

	if (!e.known && from->status && from->status->si_code != CLD_EXITED) {
		e.known = true;
		e.signal = from->status->si_status;
	}
	ending_read_memory(from->cgroups, from->cgroup, &e);
	describe(&e, from->mystery ? from->mystery : problem, text);
	e.message = text;
	*ret = e;
}
