#include "slave/reregister.h"

#include <string.h>

#include "base/mem.h"
#include "msg/codec.h"
#include "slave/framework.h"
#include "slave/identity.h"
#include "slave/internal.h"
#include "slave/task.h"
#include "slave/task_wire.h"

#define PART_OVERHEAD 1024 /* what frames a part, lists' heads included */

struct parts {
	struct fl_slave_reregister part;
	size_t size; /* of what is in it */
	void (*send)(void *user, const struct fl_slave_reregister *part);
	void *user;
};

static void flush(struct parts *p, bool last)
{
	p->part.has_last = p->part.last = last;
	p->send(p->user, &p->part);
	/* The lists' memory is used again: whoever sends has encoded them. */
	p->part = (struct fl_slave_reregister){.tasks = p->part.tasks, .frameworks = p->part.frameworks};
	p->size = PART_OVERHEAD;
}

static void make_room(struct parts *p, size_t bytes)
{
	if (p->size > PART_OVERHEAD && p->size + bytes > REREGISTER_PART_BYTES)
		flush(p, false);
	p->size += bytes;
}

static void put_frameworks(struct slave *s, struct parts *p)
{
	struct framework *f;

	HASH_FOREACH (f, &s->frameworks, struct framework, node) {
		make_room(p, codec_size(&rec_framework_info, f->info.rec));
		p->part.frameworks[p->part.n_frameworks++] = *(const struct fl_framework_info *)f->info.rec;
	}
}

static void put_tasks(struct slave *s, struct parts *p, struct zone *z)
{
	struct task *t;

	HASH_FOREACH (t, &s->tasks, struct task, node) {
		struct fl_task wire;
		task_to_wire(t, z, &wire);
		make_room(p, codec_size(&rec_task, &wire));
		p->part.tasks[p->part.n_tasks++] = wire;
	}
}

void reregister_parts(struct slave *s, void (*send)(void *user, const struct fl_slave_reregister *part), void *user)
{
	_cleanup_zone_ struct zone *z = zone_create();
	struct fl_slave_info info = s->info;
	struct parts p = {.send = send, .user = user, .size = PART_OVERHEAD};

	info.id = identity_slave_id(s->identity);
	p.part.slave = &info;
	p.part.version = FAIRLEAD_VERSION;
	p.part.epoch = (struct fl_epoch *)identity_epoch(s->identity);
	p.part.frameworks = zone_alloc(z, (s->frameworks.count + 1) * sizeof(*p.part.frameworks));
	p.part.tasks = zone_alloc(z, (s->tasks.count + 1) * sizeof(*p.part.tasks));
	p.size += codec_size(&rec_slave_info, &info);
	put_frameworks(s, &p);
	put_tasks(s, &p, z);
	flush(&p, true);
}
