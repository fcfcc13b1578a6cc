/* What a slave reported when it came back, against what the master knows. */
#ifndef FL_MASTER_REPORT_H
#define FL_MASTER_REPORT_H

#include <stdbool.h>

struct link;
struct slave;

/* s is REGISTERED and has heard so. Its tasks and their frameworks come back; what only the master knows is asked for;
 * kills are said again; tasks of removed frameworks are shut down. returned: it was unreachable or unknown, and frameworks
 * hear what lives. Consumes the link's report. */
void report_apply(struct slave *s, struct link *k, bool returned);

#endif
