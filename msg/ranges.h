/* Sets of whole numbers as arrays of ranges: sorted, disjoint, not adjacent. Nothing is allocated here: the caller gives
 * room for n_a + n_b ranges, which is always enough. */
#ifndef FL_MSG_RANGES_H
#define FL_MSG_RANGES_H

#include <stdbool.h>
#include <stddef.h>

#include "msg/resources.h"

/* Sorts and joins adjacent ranges in place; *n becomes their number. -EINVAL when begin > end, -EEXIST when two overlap. */
int ranges_normalize(struct resource_range *r, size_t *n);

bool ranges_equal(const struct resource_range *a, size_t n_a, const struct resource_range *b, size_t n_b);
bool ranges_contain(const struct resource_range *a, size_t n_a, const struct resource_range *b, size_t n_b);
bool ranges_meet(const struct resource_range *a, size_t n_a, const struct resource_range *b, size_t n_b);

/* Each writes to out, which must not be a or b, and returns how many. */
size_t ranges_union(const struct resource_range *a, size_t n_a, const struct resource_range *b, size_t n_b,
                    struct resource_range *out);
size_t ranges_intersect(const struct resource_range *a, size_t n_a, const struct resource_range *b, size_t n_b,
                        struct resource_range *out);
size_t ranges_subtract(const struct resource_range *a, size_t n_a, const struct resource_range *b, size_t n_b,
                       struct resource_range *out);

#endif
