/* Folders of ours on the host. */
#ifndef FL_SLAVE_CONTAINER_FOLDER_H
#define FL_SLAVE_CONTAINER_FOLDER_H

#include <sys/types.h>

struct err;

/* Makes it, with mode 0700, and those above it, with parents; what is there stays as it is. path is absolute. Nothing is
 * synced: what is in it need not survive the machine. */
int folder_make(const char *path, mode_t parents, struct err *err);

#endif
