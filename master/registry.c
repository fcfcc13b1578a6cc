#include "master/registry.h"

#include <errno.h>
#include <string.h>

#include "base/log.h"
#include "master/core.h"
#include "master/framework.h"
#include "master/leader.h"
#include "master/slave.h"
#include "master/teardown.h"
#include "net/store.h"

#define RETRY_MS 1000

struct write {
	struct list_node node;
	struct master *m;
	bool slave; /* or framework */
	uint64_t seq;
	char id[];
};

static struct write *write_create(struct master *m, bool slave, const char *id, uint64_t seq)
{
	size_t size = strlen(id) + 1;
	struct write *w = xcalloc(1, sizeof(*w) + size);

	*w = (struct write){.m = m, .slave = slave, .seq = seq};
	memcpy(w->id, id, size);
	list_push(&m->writes, &w->node);
	return w;
}

static void write_destroy(struct write *w)
{
	list_remove(&w->node);
	free(w);
}

static void failed(struct write *w, int status)
{
	struct slave *s = w->slave ? slave_find(w->m, w->id) : NULL;
	struct framework *f = w->slave ? NULL : framework_find(w->m, w->id);

	w->m->metrics.registry_failures++;
	log_warn("registry.write_failed %s=%s error=\"%s\"", w->slave ? "slave" : "framework", w->id,
	         strerror(-status));
	if (status == -EMSGSIZE) /* repeating it would not help; what we keep is bounded far below */
		return;
	if (s && s->write_seq == w->seq)
		s->unwritten = true;
	if (f && f->write_seq == w->seq)
		f->unwritten = true;
	if (!timer_armed(&w->m->write_retry))
		timer_set(&w->m->write_retry, RETRY_MS);
}

static void framework_written(struct master *m, const char *id, uint64_t seq)
{
	struct framework *f = framework_find(m, id);

	if (f)
		f->written_seq = seq;
	teardowns_on_written(m, id, seq);
}

static void on_write(void *user, int status)
{
	struct write *w = user;
	struct slave *s = w->slave ? slave_find(w->m, w->id) : NULL;

	if (status < 0) {
		failed(w, status);
	} else {
		w->m->metrics.registry_writes++;
		if (s)
			slave_on_written(s, w->seq);
		if (!w->slave)
			framework_written(w->m, w->id, w->seq);
	}
	write_destroy(w);
}

void registry_put_slave(struct slave *s)
{
	struct master *m = s->m;
	struct fl_time_info since = {.nanoseconds = s->unreachable_wall_ns};
	struct fl_registry_slave rec = {.slave = s->info.rec, .state = FL_SLAVE_REGISTERED, .nonce = s->nonce};

	if (sm_state(&s->sm) == SLAVE_MARKING || sm_state(&s->sm) == SLAVE_UNREACHABLE) {
		rec.state = FL_SLAVE_UNREACHABLE;
		rec.unreachable_time = &since;
	} else if (sm_state(&s->sm) == SLAVE_GONE) {
		rec.state = FL_SLAVE_GONE;
	}
	s->write_seq++;
	s->unwritten = !leader_leading(m);
	if (s->unwritten)
		return;
	if (sm_state(&s->sm) == SLAVE_REMOVING)
		store_remove(m->store, "slaves", s->id, on_write, write_create(m, true, s->id, s->write_seq));
	else
		store_put(m->store, "slaves", s->id, &rec_registry_slave, &rec, on_write,
		          write_create(m, true, s->id, s->write_seq));
}

void registry_put_framework(struct framework *f)
{
	struct master *m = f->m;
	struct fl_registry_framework rec = {.framework = f->info.rec};

	if (sm_state(&f->sm) != FRAMEWORK_CONNECTED) {
		rec.has_remaining_ns = true;
		rec.remaining_ns = framework_left_ms(f) * 1000000;
	}
	rec.has_removed = rec.removed = sm_state(&f->sm) == FRAMEWORK_REMOVED;
	f->write_seq++;
	f->unwritten = !leader_leading(m);
	if (f->unwritten)
		return;
	store_put(m->store, "frameworks", f->id, &rec_registry_framework, &rec, on_write,
	          write_create(m, false, f->id, f->write_seq));
}

static void on_removed(void *user, int status)
{
	struct write *w = user;

	if (status < 0)
		log_warn("registry.remove_failed framework=%s error=\"%s\"", w->id, strerror(-status));
	write_destroy(w);
}

void registry_remove_framework(struct master *m, const char *id)
{
	store_remove(m->store, "frameworks", id, on_removed, write_create(m, false, id, 0));
}

void registry_resume(struct master *m)
{
	struct slave *s;
	struct framework *f;

	HASH_FOREACH (s, &m->slaves, struct slave, node)
		if (s->unwritten)
			registry_put_slave(s);
	HASH_FOREACH (f, &m->frameworks, struct framework, node)
		if (f->unwritten)
			registry_put_framework(f);
}

static void on_retry(void *user)
{
	struct master *m = user;

	if (leader_leading(m)) /* else lead() resumes */
		registry_resume(m);
}

void registry_init(struct master *m)
{
	list_init(&m->writes);
	timer_init(&m->write_retry, m->loop, on_retry, m);
}

void registry_fini(struct master *m)
{
	struct write *w;

	timer_stop(&m->write_retry);
	LIST_FOREACH (w, &m->writes, struct write, node)
		write_destroy(w);
}
