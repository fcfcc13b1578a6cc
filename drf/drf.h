/* The ledger: who holds what, whose turn it is, who is offered what. Weighted hierarchical Dominant Resource Fairness
 * (Ghodsi et al., NSDI'11), coarse offers: a slave's whole free part goes to one client.
 *
 * Driven by hand: facts in, grants out; no I/O, no log, no clock, no globals; time comes in as a number. A client is one
 * framework in one role. Offered counts as held until released. The law at every grant: no grant goes to a client while
 * an eligible one (active, not suppressed, not filtered, fitting) has a lower weighted share; roles are ordered among
 * siblings first, then clients inside the role; ties by number of grants ever made, then by name.
 *
 * Ids are handles with a generation: an id of something removed is never valid again, and functions given one do
 * nothing and say so (-ENOENT). */
#ifndef FL_DRF_DRF_H
#define FL_DRF_DRF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct drf;
struct err;
struct resources;

typedef uint64_t drf_id; /* 0 is never an id */

#define DRF_WEIGHT_MIN 1 /* thousandths */
#define DRF_WEIGHT_MAX ((int64_t)1 << 20)
#define DRF_TOTAL_MAX ((int64_t)1 << 50) /* cluster total of one resource, thousandths */

struct drf *drf_create(uint64_t seed); /* seed: order in which slaves are visited */
void drf_destroy(struct drf *d);

/* min allocatable: a grant must hold at least one of these sets (default "cpus:0.01" and "mem:32"). n 0: anything goes. */
void drf_set_min_allocatable(struct drf *d, const struct resources *sets, size_t n);
/* Weight of a role path ("a/b"), also of one that has no client yet. -ERANGE outside DRF_WEIGHT_MIN…MAX. */
int drf_set_weight(struct drf *d, const char *role, int64_t weight_milli);

/* Slaves. name: the slave's id, copied. -EEXIST, -ERANGE when a cluster total would pass DRF_TOTAL_MAX. A new slave is
 * active, free and dirty. */
int drf_slave_add(struct drf *d, const char *name, const struct resources *total, drf_id *ret, struct err *err);
/* New total; what is held stays held even when it no longer fits (free is then empty for what is short). */
int drf_slave_set_total(struct drf *d, drf_id slave, const struct resources *total, struct err *err);
int drf_slave_set_active(struct drf *d, drf_id slave, bool active); /* inactive: never granted */
/* Everything held there is released with it; its filters go. */
int drf_slave_remove(struct drf *d, drf_id slave);

/* Clients. framework: its id, copied. role: validated by str_valid_role. A new client is active and not suppressed. */
int drf_client_add(struct drf *d, const char *framework, const char *role, drf_id *ret, struct err *err);
int drf_client_set_active(struct drf *d, drf_id client, bool active); /* inactive: never granted; drops its filters */
int drf_client_suppress(struct drf *d, drf_id client);
int drf_client_revive(struct drf *d, drf_id client); /* drops its filters, ends suppression, marks slaves dirty */
/* Releases nothing by itself when it still holds something: it then stays, inactive and nameless, until the last
 * release (a framework's tasks may outlive it). Its id is good for drf_release, drf_client_held and drf_client_share
 * until then; the same framework may be added again at once. */
int drf_client_remove(struct drf *d, drf_id client);

/* What a client holds on a slave. take: facts from elsewhere (tasks of a returning slave): never refused for lack of
 * room, free simply becomes empty; -EEXIST when the client already holds one of these ports or words there, -ERANGE when
 * all that is held of a name would pass DRF_TOTAL_MAX, -E2BIG when the cluster would know more than 64 names of scalars.
 * release: must be held (asserted); marks the slave dirty. */
int drf_take(struct drf *d, drf_id slave, drf_id client, const struct resources *r);
int drf_release(struct drf *d, drf_id slave, drf_id client, const struct resources *r);

/* Hides from the client, until until_ms, offers of the slave that `refused` contains (rule 33). */
int drf_filter(struct drf *d, drf_id slave, drf_id client, const struct resources *refused, int64_t until_ms);
/* Drops filters that are due and marks their slaves dirty. */
void drf_expire(struct drf *d, int64_t now_ms);
int64_t drf_next_expiry(const struct drf *d); /* ms, INT64_MAX when none */

/* Grants. resources is borrowed, valid during the call. The callback may call drf_release / drf_filter / drf_take. */
typedef void (*drf_grant_fn)(void *user, drf_id slave, drf_id client, const struct resources *resources);
/* Visits the dirty slaves, in random order, and grants what it may; slaves left with something free that nobody may have
 * become clean until a fact makes them dirty. Returns the number of grants. */
size_t drf_round(struct drf *d, int64_t now_ms, drf_grant_fn fn, void *user);
bool drf_dirty(const struct drf *d);
void drf_mark_all_dirty(struct drf *d);

/* Looking. Strings and resources are borrowed until the next fact. NULL / false for unknown ids. */
const char *drf_slave_name(const struct drf *d, drf_id slave);
const char *drf_client_framework(const struct drf *d, drf_id client);
const char *drf_client_role(const struct drf *d, drf_id client);
bool drf_slave_held(const struct drf *d, drf_id slave, struct resources *ret); /* sum over clients; copied into *ret */
bool drf_slave_free(const struct drf *d, drf_id slave, struct resources *ret);
bool drf_client_held(const struct drf *d, drf_id client, struct resources *ret); /* scalars: ports do not add up */
/* Dominant share as numerator/denominator (exact; denominator 0 when the cluster is empty). A client's own weight is 1;
 * those of roles are in drf_roles. */
bool drf_client_share(const struct drf *d, drf_id client, int64_t *ret_num, int64_t *ret_den);
struct drf_role_info {
	const char *name;
	int64_t weight_milli;
	int64_t share_num, share_den; /* dominant share over weight */
	const struct resources *held; /* scalars, with all roles below */
};
/* Every role that has a client or a weight, in order of name. */
void drf_roles(const struct drf *d, void (*fn)(void *user, const struct drf_role_info *role), void *user);

/* Why a slave's free part does not go to a client now. */
enum drf_why {
	DRF_WHY_ELIGIBLE, /* it may be next */
	DRF_WHY_UNKNOWN,
	DRF_WHY_SLAVE_INACTIVE,
	DRF_WHY_CLIENT_INACTIVE,
	DRF_WHY_SUPPRESSED,
	DRF_WHY_FILTERED,
	DRF_WHY_TOO_SMALL,    /* less than min allocatable is free */
	DRF_WHY_NOT_ITS_TURN, /* an eligible client has a lower share */
};
enum drf_why drf_why(const struct drf *d, drf_id slave, drf_id client, int64_t now_ms);
const char *drf_why_text(enum drf_why why);

/* Checks every sum from the ground up and the order; for tests and the simulator. 0, or -EUCLEAN with what is wrong. */
int drf_check(const struct drf *d, struct err *err);
/* When set, called before each grant with the client granted and every client that was considered eligible for that
 * slave; for tests and the simulator, to hold the grant law against an independent computation. */
typedef void (*drf_audit_fn)(void *user, drf_id slave, drf_id granted, const drf_id *eligible, size_t n);
void drf_set_audit(struct drf *d, drf_audit_fn fn, void *user);

#endif
