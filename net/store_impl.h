/* What the back ends of store share. Internal to net/store*.c and net/elect*.c. */
#ifndef FL_NET_STORE_IMPL_H
#define FL_NET_STORE_IMPL_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/list.h"
#include "base/loop.h"
#include "net/store.h"

/* What fits into a request of ZooKeeper's default 1 MiB together with the checks and paths. */
#define STORE_MAX_OBJECT ((1u << 20) - (32u << 10))

struct store_write {
	struct list_node node; /* in queue, batch or done */
	struct store *store;
	char *folder, *key; /* key escaped; NULL when it was refused at once */
	void *data;
	size_t size;
	bool remove;
	int attempts; /* how often its fate was unknown */
	int status;   /* in done */
	store_fn fn;
	void *user;
};

/* One read of a folder. An ended one stays in the list until no answer for it can come any more. */
struct store_read {
	struct list_node node;
	struct store *store;
	struct store_load load;
	char *folder;
	char **keys; /* escaped */
	size_t n_keys, next, answered;
	bool started, listed, ended;
	struct store_get *gets; /* one a key */
};

struct store_get {
	struct store_read *read;
	const char *key;
};

struct store_backend {
	struct store *(*create)(void);    /* zeroed, struct store first */
	void (*fini)(struct store *s);    /* what is the back end's own */
	void (*step)(struct store *s);    /* once a turn while leading: start what can be started */
	void (*on_term)(struct store *s); /* a new term: calls made under former ones are answered or never will be */
};

struct store {
	struct loop *loop;
	struct elect *elect;
	const struct store_backend *backend;
	struct turn_hook hook;
	struct list queue; /* writes to be started, in order */
	struct list batch; /* under way */
	struct list done;  /* to be told */
	struct list reads;
	uint64_t term;            /* of the last step */
	bool dead;                /* destroyed; waits for elect to go, because answers may still come */
	struct list_node remains; /* in elect */
};

extern const struct store_backend store_zk, store_file;

void store_end_write(struct store_write *w, int status); /* told at the end of the turn */
void store_requeue_batch(struct store *s);
void store_read_object(struct store_read *r, const char *key, const void *data, size_t size);
void store_end_read(struct store_read *r, int status);
/* Called by elect. */
void store_on_office(void *store);
void store_free(struct store *s);

#endif
