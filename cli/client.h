/* Asking the cluster: finds the leading master, posts operator calls, rides over a change of leader. */
#ifndef FL_CLI_CLIENT_H
#define FL_CLI_CLIENT_H

#include "msg/desc.h"

struct args;
struct zone;

struct client;

/* NULL after telling stderr; *ret_exit is then the exit code. */
struct client *client_create(const struct args *args, int *ret_exit);
void client_destroy(struct client *c); /* NULL allowed */

/* Who leads; NULL when nobody does within the timeout: stderr is told and *ret_exit set, unless ret_exit is NULL. Borrowed
 * until the next call. */
const struct fl_master_info *client_leader(struct client *c, int *ret_exit);

/* Posts a call to the leader. The answer lives until the next client_call; NULL when the call failed (stderr is told, and
 * *ret_exit set). Calls without an answer body give an empty record. */
const struct fl_api_response *client_call(struct client *c, const struct fl_api_call *call, int *ret_exit);

/* The same to a slave's HTTP port, without looking for a leader. quiet: failures are not told. */
const struct fl_api_response *client_call_slave(struct client *c, const char *host, int port,
                                                const struct fl_api_call *call, bool quiet, int *ret_exit);

/* Simple reads: the part of the answer that belongs to the type is there. */
const struct fl_api_response *client_get(struct client *c, enum fl_api_type type, int *ret_exit);

#endif
