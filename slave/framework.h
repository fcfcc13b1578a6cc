/* Frameworks of the tasks on this slave: what is known of them, as long as one of their tasks is here. */
#ifndef FL_SLAVE_FRAMEWORK_H
#define FL_SLAVE_FRAMEWORK_H

#include <stdbool.h>
#include <stddef.h>

#include <fairlead/types.h>

#include "base/hash.h"
#include "msg/codec.h"

struct slave;

struct framework {
	struct hash_node node; /* by id */
	char *id;
	struct owned info; /* struct fl_framework_info */
	size_t n_tasks;
};

struct framework *framework_find(const struct slave *s, const char *id);
/* One more task of this framework; makes it, or takes over what is new in info (whose id must be set). */
struct framework *framework_take(struct slave *s, const struct fl_framework_info *info);
/* One task less; the last one takes the framework along. */
void framework_give_back(struct slave *s, const char *id);
/* False for frameworks that are not known. */
bool framework_has(const struct slave *s, const char *id, enum fl_framework_capability_type capability);

#endif
