/* Reading a file of a sandbox as it grows, through the slave's READ_FILE. */
#ifndef FL_CLI_TAIL_H
#define FL_CLI_TAIL_H

#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>

struct client;

struct tail {
	char host[128];
	int port;
	char path[512];
	uint64_t offset;
};

void tail_init(struct tail *t, const char *host, int port, const char *sandbox, const char *file);
/* Copies what there is from the offset on to out, a few MiB at most. Returns the bytes copied, or -1 when the slave did not
 * answer (told to stderr unless quiet; *ret_exit set). */
int64_t tail_poll(struct tail *t, struct client *c, FILE *out, bool quiet, int *ret_exit);
/* Puts the offset so that at most the last `bytes` remain. */
int tail_seek_end(struct tail *t, struct client *c, uint64_t bytes, int *ret_exit);

#endif
