/* What tells a process from another one that has its number now. */
#ifndef FL_SLAVE_CONTAINER_PID_H
#define FL_SLAVE_CONTAINER_PID_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

/* Start time (field 22 of /proc/PID/stat) and state letter; -ESRCH when there is no such process. */
int pid_stat(pid_t pid, uint64_t *ret_start_time, char *ret_state);
int pid_boot_id(char ret[40]);
/* CLOEXEC; -errno. */
int pid_open(pid_t pid);
int pid_signal(int pidfd, int signal);

#endif
