/* The registry: one object a znode (or file), written only by the leader under its term. design.md 4 and 5.
 *
 * Every write is a multi that checks our leader node and the term, so a deposed leader cannot write; writes of a turn go
 * together. Objects are msgpack records below <path>/registry/<folder>/<key>; keys are path-escaped. */
#ifndef FL_NET_STORE_H
#define FL_NET_STORE_H

#include <stddef.h>

struct elect;
struct err;
struct loop;
struct record_desc;
struct store;

/* Works through elect's handle; lives no longer than it. */
struct store *store_create(struct loop *l, struct elect *elect);
void store_destroy(struct store *s); /* callbacks of writes in flight do not run; NULL allowed */

/* Reads all objects of a folder: on_object for each (rec decoded as desc, borrowed), then on_done once. A broken object is
 * reported to on_broken (text) and skipped. status of on_done: 0, or -errno when leadership went (ask again under the
 * next term). */
struct store_load {
	const char *folder; /* "slaves", "frameworks" */
	const struct record_desc *desc;
	void (*on_object)(void *user, const char *key, const void *rec);
	void (*on_broken)(void *user, const char *key, const char *why);
	void (*on_done)(void *user, int status);
	void *user;
};
void store_load(struct store *s, const struct store_load *load);

/* status: 0 durable; -EPERM not (any more) the leader; -EMSGSIZE over 992 KiB (a znode with its request holds 1 MiB); others. */
typedef void (*store_fn)(void *user, int status);
void store_put(struct store *s, const char *folder, const char *key, const struct record_desc *desc, const void *rec,
               store_fn fn, void *user);
void store_remove(struct store *s, const char *folder, const char *key, store_fn fn, void *user);

#endif
