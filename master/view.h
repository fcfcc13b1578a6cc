/* The cluster as records of the operator API: borrowed from the nouns, valid this turn. */
#ifndef FL_MASTER_VIEW_H
#define FL_MASTER_VIEW_H

#include <fairlead/types.h>

struct master;
struct zone;

void view_agents(const struct master *m, struct zone *zone, struct fl_api_get_agents *ret);
void view_frameworks(const struct master *m, struct zone *zone, struct fl_api_get_frameworks *ret);
void view_tasks(const struct master *m, struct zone *zone, struct fl_api_get_tasks *ret);
void view_roles(const struct master *m, struct zone *zone, struct fl_api_get_roles *ret);
void view_offers(const struct master *m, struct zone *zone, struct fl_api_get_offers *ret);
void view_master(const struct master *m, struct zone *zone, struct fl_api_get_master *ret);
void view_version(const struct master *m, struct zone *zone, struct fl_version_info *ret);

#endif
