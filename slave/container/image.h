/* The init program's file: in memory, sealed, executable by all and readable by nobody. */
#ifndef FL_SLAVE_CONTAINER_IMAGE_H
#define FL_SLAVE_CONTAINER_IMAGE_H

struct err;

/* A descriptor, CLOEXEC, the caller's; one serves all containers. */
int image_open(int *ret_fd, struct err *err);

#endif
