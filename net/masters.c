/* Who contends for leadership, as ZooKeeper has it.
 *
 * A look reads the children with a watch and then the first one's data; when the path is not there yet, its coming is
 * watched instead. The client keeps watches across reconnections, so that a watch is set only when none is. What changes
 * during a look is seen by one more. */
#include "net/masters.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/log.h"
#include "base/mem.h"
#include "base/str.h"
#include "msg/json.h"
#include "net/zk.h"

#define RETRY_MS 1000

static void on_retry(void *user)
{
	masters_look(user);
}

void masters_init(struct masters *m, struct loop *l, const char *path, loop_fn fn, void *user)
{
	*m = (struct masters){.loop = l, .path = xstrdup(path), .fn = fn, .user = user};
	timer_init(&m->retry, l, on_retry, m);
}

void masters_free_names(char **names, size_t n)
{
	for (size_t i = 0; i < n; i++)
		free(names[i]);
	free(names);
}

void masters_fini(struct masters *m)
{
	if (!m->path)
		return;
	timer_stop(&m->retry);
	masters_free_names(m->names, m->n_names);
	owned_fini(&m->leader);
	free(m->path);
	m->path = NULL;
}

void masters_use(struct masters *m, struct zk *zk)
{
	m->zk = zk;
	m->looking = m->again = m->fresh = false;
	m->watching_children = m->watching_path = false; /* they went with the former handle */
	timer_stop(&m->retry);
}

bool masters_has(const struct masters *m, const char *name)
{
	for (size_t i = 0; i < m->n_names; i++)
		if (strcmp(m->names[i], name) == 0)
			return true;
	return false;
}

/* The sequence, or -1 when this is no master's node. */
static int64_t sequence_of(const char *name)
{
	int64_t sequence;

	if (!str_starts_with(name, MASTERS_PREFIX) ||
	    str_to_int64(name + strlen(MASTERS_PREFIX), 0, INT64_MAX, &sequence, NULL) < 0)
		return -1;
	return sequence;
}

static int compare(const void *a, const void *b)
{
	int64_t x = sequence_of(*(char *const *)a), y = sequence_of(*(char *const *)b);

	return x < y ? -1 : x > y;
}

void masters_sort(const char *const *children, size_t n, char ***ret_names, size_t *ret_n)
{
	char **names = xcalloc(n + 1, sizeof(*names));
	size_t count = 0;

	for (size_t i = 0; i < n; i++)
		if (sequence_of(children[i]) >= 0)
			names[count++] = xstrdup(children[i]);
	qsort(names, count, sizeof(*names), compare);
	*ret_names = names;
	*ret_n = count;
}

/* ---- a look ---- */

static void end_look(struct masters *m, int status)
{
	m->looking = false;
	if (m->again) {
		masters_look(m);
		return;
	}
	if (status == 0) {
		m->fresh = true;
		m->fn(m->user);
	} else if (zk_state(m->zk) == ZK_CONNECTED) {
		log_debug("masters.look path=%s error=\"%s\"", m->path, strerror(-status));
		timer_set(&m->retry, RETRY_MS);
	} /* else the owner looks again when connected */
}

static void on_change(void *user)
{
	struct masters *m = user;

	m->watching_children = false;
	masters_look(m);
}

static void on_path_change(void *user)
{
	struct masters *m = user;

	m->watching_path = false;
	masters_look(m);
}

static void on_path(void *user, int status)
{
	struct masters *m = user;

	if (status == 0)
		m->again = true; /* it came in between */
	end_look(m, status == -ENOENT ? 0 : status);
}

static void on_path_watched(void *user, int status)
{
	struct masters *m = user;

	if (status == 0 || status == -ENOENT)
		m->watching_path = true;
	on_path(m, status);
}

static void on_first(void *user, int status, const void *data, size_t size, int version)
{
	struct masters *m = user;
	_cleanup_zone_ struct zone *zone = zone_create();
	void *info = NULL;
	struct err err;

	if (status == -ENOENT) {
		m->again = true;
		status = 0;
	} else if (status == 0) {
		if (json_decode(&rec_master_info, data, size, zone, &info, &err) < 0)
			log_debug("masters.broken node=%s/%s error=\"%s\"", m->path, m->names[0], err.text);
		owned_set(&m->leader, &rec_master_info, info);
	}
	end_look(m, status);
}

static void on_children(void *user, int status, const char *const *children, size_t n)
{
	struct masters *m = user;

	if (status != 0 && status != -ENOENT) {
		end_look(m, status);
		return;
	}
	masters_free_names(m->names, m->n_names);
	masters_sort(children, n, &m->names, &m->n_names);
	if (m->n_names) { /* read it even when the name is the same: names come again when the path was made anew */
		_cleanup_free_ char *path = xasprintf("%s/%s", m->path, m->names[0]);
		zk_get(m->zk, path, NULL, NULL, on_first, m);
	} else {
		owned_set(&m->leader, &rec_master_info, NULL);
		if (status == -ENOENT)
			zk_exists(m->zk, m->path, m->watching_path ? NULL : on_path_change, m,
			          m->watching_path ? on_path : on_path_watched, m);
		else
			end_look(m, 0);
	}
}

/* Only the answer to a call that carried a watch says that there is one: the former may have fired in between. */
static void on_children_watched(void *user, int status, const char *const *children, size_t n)
{
	struct masters *m = user;

	if (status == 0)
		m->watching_children = true;
	on_children(m, status, children, n);
}

void masters_look(struct masters *m)
{
	m->fresh = false;
	m->again = m->looking;
	if (m->looking || !m->zk)
		return;
	m->looking = true;
	timer_stop(&m->retry);
	zk_children(m->zk, m->path, m->watching_children ? NULL : on_change, m,
	            m->watching_children ? on_children : on_children_watched, m);
}
