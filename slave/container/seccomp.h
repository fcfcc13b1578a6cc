/* The system calls that a task may not make: a deny-list, as a program for the kernel. Made once for all containers. */
#ifndef FL_SLAVE_CONTAINER_SECCOMP_H
#define FL_SLAVE_CONTAINER_SECCOMP_H

#include <stdbool.h>
#include <stddef.h>

struct err;
struct sock_filter;

struct seccomp_program {
	struct sock_filter *filter; /* owned */
	size_t n;
};

/* privileged: mounts and namespaces are allowed, what acts on the kernel itself is not. */
int seccomp_program_make(bool privileged, struct seccomp_program *ret, struct err *err);
void seccomp_program_fini(struct seccomp_program *p);

#endif
