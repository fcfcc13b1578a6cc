/* Who leads: what both ways of finding out share, and the choice of one. */
#include "net/detect.h"

#include <errno.h>

#include "base/err.h"
#include "base/mem.h"
#include "net/detect_impl.h"
#include "net/url.h"

void detect_init(struct detect *d, struct loop *l, const struct detect_backend *backend, detect_fn fn, void *user)
{
	d->loop = l;
	d->backend = backend;
	d->fn = fn;
	d->user = user;
}

void detect_fini(struct detect *d)
{
	owned_fini(&d->leader);
}

void detect_set(struct detect *d, const struct fl_master_info *leader)
{
	const struct fl_master_info *old = d->leader.rec;

	if (d->told && !old && !leader)
		return;
	if (d->told && old && leader && codec_equal(&rec_master_info, old, leader))
		return;
	d->told = true;
	owned_set(&d->leader, &rec_master_info, leader);
	d->fn(d->user, d->leader.rec);
}

struct detect *detect_create(struct loop *l, const struct url *url, int session_ms, detect_fn fn, void *user,
                             struct err *err)
{
	switch (url->kind) {
	case URL_ZK:
		return detect_zk_create(l, url, session_ms, fn, user, err);
	case URL_HOSTS:
		return detect_http_create(l, url, fn, user);
	default:
		err_set(err, EINVAL, "with file:// there is nothing to watch: give the master as host:port");
		return NULL;
	}
}

void detect_destroy(struct detect *d)
{
	if (d)
		d->backend->destroy(d);
}

void detect_again(struct detect *d)
{
	d->backend->again(d);
}
