/* What the back ends of elect share with each other and with store. Internal to net/elect*.c and net/store*.c. */
#ifndef FL_NET_ELECT_IMPL_H
#define FL_NET_ELECT_IMPL_H

#include <fairlead/types.h>

#include "base/loop.h"
#include "base/sm.h"
#include "msg/codec.h"
#include "net/elect.h"

struct disk;
struct store_backend;
struct zk;

enum elect_state { ELECT_FOLLOWING, ELECT_TAKING, ELECT_LEADING, ELECT_SUSPENDED };

struct elect_backend {
	void (*destroy)(struct elect *e);                 /* frees e, after elect_fini */
	int64_t (*valid_until_ms)(const struct elect *e); /* until when office is ours for sure */
	const struct store_backend *store;
};

/* The part that all back ends have; first member of each. */
struct elect {
	struct loop *loop;
	const struct elect_backend *backend;
	struct sm sm;
	struct elect_ops ops;
	void *user;
	struct owned self;
	char incarnation[40];
	struct fl_epoch epoch; /* term 0: we hold no office, not even suspended */
	struct owned leader;
	loop_fn on_office; /* the store: office came, rests or went */
	void *on_office_user;
	struct list remains; /* destroyed stores that may still get answers */
};

void elect_init(struct elect *e, struct loop *l, const struct elect_backend *backend, const struct fl_master_info *self,
                const struct elect_ops *ops, void *user);
void elect_fini(struct elect *e);
void elect_free_remains(struct elect *e); /* no answer for them can come any more */
static inline enum elect_state elect_state(const struct elect *e)
{
	return (enum elect_state)sm_state(&e->sm);
}
static inline bool elect_held(const struct elect *e)
{
	return e->epoch.term != 0;
}
/* What a back end found out. */
void elect_take(struct elect *e); /* -> TAKING */
void elect_lead(struct elect *e, const char *incarnation, uint64_t term);
void elect_suspend(struct elect *e); /* LEADING or TAKING -> SUSPENDED, or FOLLOWING when there was no office */
void elect_lose(struct elect *e);    /* -> FOLLOWING, from any state */
void elect_set_leader(struct elect *e, const struct fl_master_info *leader);

struct elect *elect_zk_create(struct loop *l, const struct url *url, const struct fl_master_info *self,
                              const struct elect_options *options, const struct elect_ops *ops, void *user,
                              struct err *err);
/* What every write must check. All borrowed; valid while leading. */
struct elect_zk_office {
	struct zk *zk;
	const char *path;     /* of the cluster */
	const char *own_node; /* whole paths */
	const char *term_node;
	int term_version;
};
void elect_zk_office(const struct elect *e, struct elect_zk_office *ret);
/* A write found that the office is not ours any more. */
void elect_zk_deposed(struct elect *e);

struct elect *elect_file_create(struct loop *l, const struct url *url, const struct fl_master_info *self,
                                const struct elect_ops *ops, void *user, struct err *err);
struct disk *elect_file_disk(const struct elect *e);

#endif
