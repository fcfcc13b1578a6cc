/* The allocator as a textbook would have it, for comparison: strings for keys, resources as named quantities, shares as
 * doubles, the clients sorted again for each slave. Straightforward and not slowed down: shares are computed once a sort,
 * lookups are hashed, nothing is copied that need not be. */
#ifndef FL_TESTS_TEXTBOOK_H
#define FL_TESTS_TEXTBOOK_H

#include <stddef.h>

struct resources;
struct textbook;

struct textbook *textbook_create(void);
void textbook_destroy(struct textbook *t);
void textbook_add_client(struct textbook *t, const char *name);
void textbook_add_slave(struct textbook *t, const char *name, const struct resources *total);
void textbook_allocate(struct textbook *t, const char *slave, const char *client, const struct resources *r);
void textbook_recover(struct textbook *t, const char *slave, const char *client, const struct resources *r);
void textbook_filter(struct textbook *t, const char *slave, const char *client, const struct resources *refused);

typedef void (*textbook_grant_fn)(void *user, const char *slave, const char *client, const struct resources *r);
/* All slaves, or the one named. */
size_t textbook_cycle(struct textbook *t, const char *only, textbook_grant_fn fn, void *user);

#endif
