#include "master/subscribe.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"
#include "master/core.h"
#include "master/framework.h"
#include "master/link.h"
#include "master/validate.h"

/* An empty id is none (rule 4). */
static const char *given(const char *id)
{
	return id && *id ? id : NULL;
}

static int check_id(const struct fl_call *call, const struct link *k, struct err *err)
{
	const char *id = given(call->subscribe->framework_info->id);
	const char *outer = given(call->framework_id);

	if (outer && !str_equal(outer, id))
		return err_set(err, EINVAL, "framework_id and framework_info.id differ");
	if (k->framework_id && !str_equal(k->framework_id, id))
		return err_set(err, EINVAL, "this connection belongs to framework %.100s", k->framework_id);
	return 0;
}

static int check_known(const struct framework *f, const struct fl_framework_info *info, struct err *err)
{
	const struct fl_framework_info *known = f->info.rec;

	if (sm_state(&f->sm) == FRAMEWORK_REMOVED)
		return err_set(err, EINVAL,
		               "framework %.100s has been removed: its id cannot be used again, subscribe without one",
		               f->id);
	if (*known->name && !str_equal(known->principal, info->principal))
		return err_set(err, EINVAL, "the principal of framework %.100s must not change", f->id);
	return 0;
}

/* A connection that its scheduler has given up for a newer one may still deliver what was sent over it. */
static bool overtaken(const struct framework *f, const struct link *k, const struct fl_call_subscribe *subscribe)
{
	if (!f->run || !subscribe->run || strcmp(f->run, subscribe->run) != 0)
		return false;
	return subscribe->attempt < f->attempt || (subscribe->attempt == f->attempt && !str_equal(f->link, k->id));
}

static void note_run(struct framework *f, const struct fl_call_subscribe *subscribe)
{
	free(f->run);
	f->run = xstrdup(subscribe->run);
	f->attempt = subscribe->attempt;
}

void subscribe_call(struct master *m, struct link *k, const struct fl_call *call)
{
	const struct fl_call_subscribe *subscribe = call->subscribe;
	struct fl_framework_info info = *subscribe->framework_info;
	const char *id = given(info.id);
	struct framework *f = framework_find(m, id);
	struct err err = {0};
	char fresh[64];

	if (check_id(call, k, &err) < 0 || validate_subscribe(subscribe, &err) < 0 ||
	    (f && check_known(f, &info, &err) < 0)) {
		link_error(k, err.text);
		return;
	}
	if (f && overtaken(f, k, subscribe)) {
		link_refuse(k, FL_REFUSAL_DUPLICATE, "the framework has subscribed over a newer connection");
		return;
	}
	if (!id)
		snprintf(fresh, sizeof(fresh), "%s-%04llu", m->uuid, (unsigned long long)m->next_framework++);
	info.id = id ? id : fresh;
	if (!f)
		f = framework_create(m, &info);
	else if (*((const struct fl_framework_info *)f->info.rec)->name)
		info.user = ((const struct fl_framework_info *)f->info.rec)->user; /* rule 49 */
	note_run(f, subscribe);
	framework_connect(f, k, &info, subscribe->suppressed_roles, subscribe->n_suppressed_roles);
}
