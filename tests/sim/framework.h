/* A framework on the SDK that runs its jobs to completion, whatever happens to it or to others. */
#ifndef FL_SIM_FRAMEWORK_H
#define FL_SIM_FRAMEWORK_H

#include <stdbool.h>

struct host;

/* Makes the machine and boots it. */
struct host *framework_create(const char *name, const char *role, int n_jobs);
/* Every job is done. */
bool framework_done(const struct host *h);
void framework_explain(const struct host *h);

#endif
