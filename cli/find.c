#include "cli/find.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include "base/mem.h"
#include "base/str.h"
#include "cli/client.h"
#include "cli/id.h"
#include "cli/verb.h"

#define MAX_NAMED 4

/* What an id is compared with, and what was found. Those in `found` are all exact or none is. A task's id is unique in its
 * framework only, so that even an exact one may be ambiguous. */
struct search {
	const char *kind, *list_verb;
	const char *given;          /* as the user wrote it */
	const char *framework, *id; /* its parts; framework NULL when none was given */
	struct {
		const char *framework, *id; /* framework NULL but for tasks */
		const void *item;
	} found[MAX_NAMED];
	size_t n;
	bool exact;
};

/* Newer ones are to come first: a task's id may have been used again. */
static bool is_found(const struct search *s, const char *framework, const char *id)
{
	for (size_t i = 0; i < s->n && i < MAX_NAMED; i++)
		if (str_equal(s->found[i].framework, framework) && str_equal(s->found[i].id, id))
			return true;
	return false;
}

static void consider(struct search *s, const char *framework, const char *id, const void *item)
{
	bool starts = id_starts(id, s->id) && (!s->framework || id_starts(framework, s->framework));
	bool exact = str_equal(id, s->id) && (!s->framework || str_equal(framework, s->framework));

	if (!starts || (s->exact && !exact) || is_found(s, framework, id))
		return;
	if (exact && !s->exact)
		s->n = 0;
	s->exact = exact;
	if (s->n < MAX_NAMED) {
		s->found[s->n].framework = framework;
		s->found[s->n].id = id;
		s->found[s->n].item = item;
	}
	s->n++;
}

/* What ended counts when its id is exact, or when nothing else matches. */
static bool wants_ended(const struct search *s, const char *id)
{
	return !s->exact && (s->n == 0 || str_equal(id, s->id));
}

static const void *conclude(const struct search *s, int *ret_exit)
{
	if (s->n == 1)
		return s->found[0].item;
	if (s->n == 0) {
		*ret_exit = complain(EXIT_NOT_FOUND, "there is no %s '%s': 'fairlead %s' shows them", s->kind, s->given,
		                     s->list_verb);
		return NULL;
	}
	fprintf(stderr, "fairlead: '%s' is the start of %zu %ss:", s->given, s->n, s->kind);
	for (size_t i = 0; i < s->n && i < MAX_NAMED; i++)
		fprintf(stderr, " %s%s%s", s->found[i].framework ? s->found[i].framework : "",
		        s->found[i].framework ? "/" : "", s->found[i].id);
	fprintf(stderr, "%s\nGive more of it.\n", s->n > MAX_NAMED ? " …" : "");
	*ret_exit = EXIT_CONFLICT;
	return NULL;
}

const struct fl_api_slave *find_in_agents(const struct fl_api_get_agents *g, const char *prefix, int *ret_exit)
{
	struct search s = {.kind = "slave", .list_verb = "slave list", .given = prefix, .id = prefix};

	for (size_t i = 0; i < g->n_agents; i++)
		consider(&s, NULL, g->agents[i].slave_info->id, &g->agents[i]);
	return conclude(&s, ret_exit);
}

const struct fl_api_framework *find_in_frameworks(const struct fl_api_get_frameworks *g, const char *prefix,
                                                  int *ret_exit)
{
	struct search s = {.kind = "framework", .list_verb = "framework list --all", .given = prefix, .id = prefix},
		      ended;

	for (size_t i = 0; i < g->n_frameworks; i++)
		consider(&s, NULL, g->frameworks[i].framework_info->id, &g->frameworks[i]);
	ended = s;
	for (size_t i = g->n_completed_frameworks; i > 0; i--) {
		const struct fl_api_framework *f = &g->completed_frameworks[i - 1];
		if (wants_ended(&s, f->framework_info->id))
			consider(&ended, NULL, f->framework_info->id, f);
	}
	return conclude(&ended, ret_exit);
}

static void consider_tasks(struct search *s, const struct fl_task *tasks, size_t n)
{
	for (size_t i = n; i > 0; i--)
		consider(s, tasks[i - 1].framework_id, tasks[i - 1].task_id, &tasks[i - 1]);
}

const struct fl_task *find_in_tasks(const struct fl_api_get_tasks *g, const char *prefix, int *ret_exit)
{
	const char *slash = strchr(prefix, '/');
	_cleanup_free_ char *framework = slash ? xstrndup(prefix, (size_t)(slash - prefix)) : NULL;
	struct search s = {.kind = "task",
	                   .list_verb = "task list --all",
	                   .given = prefix,
	                   .framework = framework,
	                   .id = slash ? slash + 1 : prefix},
		      ended;

	consider_tasks(&s, g->tasks, g->n_tasks);
	consider_tasks(&s, g->unreachable_tasks, g->n_unreachable_tasks);
	ended = s;
	for (size_t i = g->n_completed_tasks; i > 0; i--) {
		const struct fl_task *t = &g->completed_tasks[i - 1];
		if (wants_ended(&s, t->task_id))
			consider(&ended, t->framework_id, t->task_id, t);
	}
	return conclude(&ended, ret_exit);
}

/* ---------------------------------------------------------------------------------------------- asking the leader */

const struct fl_api_slave *find_slave(struct client *c, const char *prefix, int *ret_exit)
{
	const struct fl_api_response *r = client_get(c, FL_API_GET_AGENTS, ret_exit);
	return r ? find_in_agents(r->get_agents, prefix, ret_exit) : NULL;
}

const struct fl_api_framework *find_framework(struct client *c, const char *prefix, int *ret_exit)
{
	const struct fl_api_response *r = client_get(c, FL_API_GET_FRAMEWORKS, ret_exit);
	return r ? find_in_frameworks(r->get_frameworks, prefix, ret_exit) : NULL;
}

const struct fl_task *find_task(struct client *c, const char *prefix, int *ret_exit)
{
	const struct fl_api_response *r = client_get(c, FL_API_GET_TASKS, ret_exit);
	return r ? find_in_tasks(r->get_tasks, prefix, ret_exit) : NULL;
}
