/* What the two ways of finding the leader share. Internal to net/detect*.c. */
#ifndef FL_NET_DETECT_IMPL_H
#define FL_NET_DETECT_IMPL_H

#include <stdbool.h>

#include <fairlead/types.h>

#include "msg/codec.h"
#include "net/detect.h"

struct detect_backend {
	void (*destroy)(struct detect *d);
	void (*again)(struct detect *d);
};

struct detect {
	struct loop *loop;
	const struct detect_backend *backend;
	detect_fn fn;
	void *user;
	bool told;
	struct owned leader;
};

void detect_init(struct detect *d, struct loop *l, const struct detect_backend *backend, detect_fn fn, void *user);
void detect_fini(struct detect *d);
void detect_set(struct detect *d, const struct fl_master_info *leader); /* tells when it is news */

struct detect *detect_zk_create(struct loop *l, const struct url *url, int session_ms, detect_fn fn, void *user,
                                struct err *err);
struct detect *detect_http_create(struct loop *l, const struct url *url, detect_fn fn, void *user);

#endif
