#include "slave/container/pid.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/mem.h"

static int read_text(const char *path, char *ret, size_t size)
{
	_cleanup_close_ int fd = open(path, O_RDONLY | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	ssize_t n = read(fd, ret, size - 1);
	if (n < 0)
		return -errno;
	ret[n] = 0;
	return 0;
}

int pid_stat(pid_t pid, uint64_t *ret_start_time, char *ret_state)
{
	char path[64], text[1024];

	snprintf(path, sizeof(path), "/proc/%d/stat", (int)pid);
	if (read_text(path, text, sizeof(text)) < 0)
		return -ESRCH;
	char *at = strrchr(text, ')'); /* the name before it may hold anything */
	if (!at || strlen(at) < 3)
		return -EBADMSG;
	at += 2; /* field 3 */
	char state = *at;
	for (int field = 3; field < 22; field++) {
		at = strchr(at, ' ');
		if (!at)
			return -EBADMSG;
		at++;
	}
	*ret_start_time = strtoull(at, NULL, 10);
	*ret_state = state;
	return 0;
}

int pid_boot_id(char ret[40])
{
	int r = read_text("/proc/sys/kernel/random/boot_id", ret, 40);

	if (r == 0)
		ret[strcspn(ret, "\n")] = 0;
	return r;
}

int pid_open(pid_t pid)
{
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	return fd < 0 ? -errno : fd;
}

int pid_signal(int pidfd, int signal)
{
	return syscall(SYS_pidfd_send_signal, pidfd, signal, NULL, 0) < 0 ? -errno : 0;
}
