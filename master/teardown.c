#include "master/teardown.h"

#include <stdlib.h>
#include <string.h>

#include "master/core.h"
#include "master/framework.h"
#include "net/http.h"

/* One request that waits; owned by master.teardowns. */
struct teardown {
	struct list_node node;
	struct http_request *req;
	uint64_t seq; /* the write it waits for */
	char *framework_id;
};

static void destroy(struct teardown *w)
{
	list_remove(&w->node);
	free(w->framework_id);
	free(w);
}

static void on_gone(void *user, struct http_request *req)
{
	destroy(user);
}

static void answer_when_written(struct framework *f, struct http_request *req)
{
	struct teardown *w = xcalloc(1, sizeof(*w));

	w->req = req;
	w->seq = f->write_seq;
	w->framework_id = xstrdup(f->id);
	list_push(&f->m->teardowns, &w->node);
	http_on_gone(req, on_gone, w);
}

void teardown_call(struct master *m, struct http_request *req, const struct fl_api_call *call)
{
	const char *id = call->teardown ? call->teardown->framework_id : NULL;
	struct framework *f = framework_find(m, id);

	if (!id) {
		http_reply_error(req, 400, "invalid", "TEARDOWN needs teardown.framework_id");
	} else if (!f || framework_removed_for_good(f)) {
		http_reply_error(req, 404, "not_found", "no framework %s; GET_FRAMEWORKS tells which there are", id);
	} else {
		framework_remove(f, "an operator tore it down");
		answer_when_written(f, req);
	}
}

void teardowns_on_written(struct master *m, const char *framework_id, uint64_t seq)
{
	static const struct fl_api_response done = {.type = FL_API_TEARDOWN};
	struct teardown *w;

	LIST_FOREACH (w, &m->teardowns, struct teardown, node) {
		if (w->seq > seq || strcmp(w->framework_id, framework_id) != 0)
			continue;
		http_reply_record(w->req, 200, &rec_api_response, &done, NULL);
		destroy(w);
	}
}

void teardowns_refuse(struct master *m)
{
	struct teardown *w;

	LIST_FOREACH (w, &m->teardowns, struct teardown, node) {
		http_reply_error(
			w->req, 503, "no_leader",
			"this master lost office before it was durable that framework %s is torn down; ask the next "
			"leader again",
			w->framework_id);
		destroy(w);
	}
}

void teardowns_forget(struct master *m)
{
	struct teardown *w;

	LIST_FOREACH (w, &m->teardowns, struct teardown, node)
		destroy(w);
}
