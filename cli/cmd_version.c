/* version: this tool's, and the leader's when one is reachable. */
#include <stdio.h>

#include "cli/client.h"
#include "cli/verb.h"

int cmd_version(struct args *args)
{
	int exit_code = EXIT_OK;

	printf("fairlead %s\n", FAIRLEAD_VERSION);
	if (!args_has(args, "master") && !args_has(args, "timeout"))
		args->timeout_ms = 500; /* a look in passing */
	struct client *c = client_create(args, &exit_code);
	const struct fl_master_info *leader = c ? client_leader(c, args_has(args, "master") ? &exit_code : NULL) : NULL;
	if (leader)
		printf("master   %s at %s:%lld\n", leader->version ? leader->version : "?",
		       leader->hostname ? leader->hostname : "?", (long long)leader->port);
	client_destroy(c);
	return exit_code;
}
