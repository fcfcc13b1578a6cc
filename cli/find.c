#include "cli/find.h"

#include <stdio.h>
#include <string.h>

#include "base/str.h"
#include "cli/client.h"
#include "cli/verb.h"

#define MAX_NAMED 4

/* Gathers matches: an exact id wins over all others. */
struct search {
	const char *kind, *list_verb, *prefix;
	const void *found;
	const char *names[MAX_NAMED];
	size_t n;
	bool exact;
};

static void consider(struct search *s, const char *id, const char *name, const void *item)
{
	bool exact = str_equal(id, s->prefix);
	if (s->exact || !str_starts_with(id, s->prefix))
		return;
	if (exact) {
		s->exact = true;
		s->n = 0;
	}
	s->found = item;
	if (s->n < MAX_NAMED)
		s->names[s->n] = name;
	s->n++;
}

static const void *conclude(const struct search *s, int *ret_exit)
{
	if (s->n == 1)
		return s->found;
	if (s->n == 0) {
		*ret_exit = complain(EXIT_NOT_FOUND, "there is no %s '%s': 'fairlead %s' shows them", s->kind, s->prefix,
		                     s->list_verb);
		return NULL;
	}
	fprintf(stderr, "fairlead: '%s' is the start of %zu %ss:", s->prefix, s->n, s->kind);
	for (size_t i = 0; i < s->n && i < MAX_NAMED; i++)
		fprintf(stderr, " %s", s->names[i]);
	fprintf(stderr, "%s\nGive more of it.\n", s->n > MAX_NAMED ? " …" : "");
	*ret_exit = EXIT_CONFLICT;
	return NULL;
}

const struct fl_api_slave *find_slave(struct client *c, const char *prefix, int *ret_exit)
{
	struct search s = {.kind = "slave", .list_verb = "slave list", .prefix = prefix};
	const struct fl_api_response *r = client_get(c, FL_API_GET_AGENTS, ret_exit);

	if (!r || !r->get_agents)
		return NULL;
	for (size_t i = 0; i < r->get_agents->n_agents; i++) {
		const struct fl_api_slave *slave = &r->get_agents->agents[i];
		consider(&s, slave->slave_info->id, slave->slave_info->id, slave);
	}
	return conclude(&s, ret_exit);
}

const struct fl_api_framework *find_framework(struct client *c, const char *prefix, int *ret_exit)
{
	struct search s = {.kind = "framework", .list_verb = "framework list --all", .prefix = prefix};
	const struct fl_api_response *r = client_get(c, FL_API_GET_FRAMEWORKS, ret_exit);

	if (!r || !r->get_frameworks)
		return NULL;
	for (size_t i = 0; i < r->get_frameworks->n_frameworks; i++) {
		const struct fl_api_framework *f = &r->get_frameworks->frameworks[i];
		consider(&s, f->framework_info->id, f->framework_info->id, f);
	}
	for (size_t i = 0; s.n == 0 && i < r->get_frameworks->n_completed_frameworks; i++) {
		const struct fl_api_framework *f = &r->get_frameworks->completed_frameworks[i];
		consider(&s, f->framework_info->id, f->framework_info->id, f);
	}
	return conclude(&s, ret_exit);
}

static void consider_tasks(struct search *s, const struct fl_task *tasks, size_t n, const char *framework)
{
	for (size_t i = 0; i < n; i++)
		if (!framework || str_starts_with(tasks[i].framework_id, framework))
			consider(s, tasks[i].task_id, tasks[i].task_id, &tasks[i]);
}

const struct fl_task *find_task(struct client *c, const char *prefix, int *ret_exit)
{
	const char *slash = strchr(prefix, '/');
	char framework[256] = "";
	struct search s = {.kind = "task", .list_verb = "task list --all", .prefix = slash ? slash + 1 : prefix};
	const struct fl_api_response *r = client_get(c, FL_API_GET_TASKS, ret_exit);

	if (!r || !r->get_tasks)
		return NULL;
	if (slash)
		snprintf(framework, sizeof(framework), "%.*s", (int)(slash - prefix), prefix);
	consider_tasks(&s, r->get_tasks->tasks, r->get_tasks->n_tasks, slash ? framework : NULL);
	consider_tasks(&s, r->get_tasks->unreachable_tasks, r->get_tasks->n_unreachable_tasks, slash ? framework : NULL);
	if (s.n == 0)
		consider_tasks(&s, r->get_tasks->completed_tasks, r->get_tasks->n_completed_tasks, slash ? framework : NULL);
	return conclude(&s, ret_exit);
}
