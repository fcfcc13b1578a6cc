/* Names of scalar resources as small dense numbers, so that no string is compared where it is hot. A name keeps its
 * number until the table is full and nobody uses it any more (see ledger.c, reclaim_names). */
#ifndef FL_DRF_NAMES_H
#define FL_DRF_NAMES_H

#include <stdbool.h>
#include <stdint.h>

#include "msg/resources.h"

#define NAMES_MAX RESOURCES_MAX_NAMES
#define NAMES_NONE UINT32_MAX

struct names {
	struct resource_item item[NAMES_MAX]; /* its name and type, to be copied; "" when vacant */
	uint32_t n;                           /* numbers below n have been given out */
	uint32_t sorted[NAMES_MAX];
	uint32_t n_sorted;
	bool pinned[NAMES_MAX]; /* used by something that lasts: never reclaimed */
};

uint32_t names_find(const struct names *t, const char *name); /* NAMES_NONE when it has no number */
uint32_t names_intern(struct names *t, const char *name);     /* NAMES_NONE when the table is full */
void names_forget(struct names *t, uint32_t number);

#endif
