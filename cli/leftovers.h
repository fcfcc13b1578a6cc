/* Containers that a local cluster's slaves left: a slave that was killed cannot end them any more. */
#ifndef FL_CLI_LEFTOVERS_H
#define FL_CLI_LEFTOVERS_H

#include <stddef.h>

/* Kills every process in the cgroups whose name below a hierarchy's root begins with prefix ("fairlead-0123abcd-") and
 * removes the cgroups, waiting for both up to patience_ms. Only when no slave of these runs. Returns how many processes. */
size_t leftovers_end(const char *prefix, int patience_ms);

#endif
