#include "slave/container/image.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"
#include "slave/container/ids.h"

#ifndef MFD_EXEC
#define MFD_EXEC 0x10u /* Linux 6.3, where memfds may be barred from execution by default */
#endif

/* FL_INIT_PROGRAM: path of the program, from the build. */
__asm__(".pushsection .rodata\n"
        ".balign 16\n"
        "fl_init_program:\n"
        ".incbin \"" FL_INIT_PROGRAM "\"\n"
        "fl_init_program_end:\n"
        ".popsection\n");
extern const char fl_init_program[] __attribute__((visibility("hidden")));
extern const char fl_init_program_end[] __attribute__((visibility("hidden")));

static int fill(int fd, struct err *err)
{
	const char *at = fl_init_program;
	ssize_t n;

	for (; at < fl_init_program_end; at += n)
		if ((n = write(fd, at, (size_t)(fl_init_program_end - at))) <= 0)
			return err_set(err, n < 0 ? errno : ENOSPC, "writing the init program: %s", strerror(errno));
	/* The owner is mapped in no user namespace: the process' memory then belongs to the host's. */
	if (fchmod(fd, 0111) < 0 || fchown(fd, IDS_NOBODY, IDS_NOBODY) < 0)
		return err_set(err, errno, "hiding the init program: %s", strerror(errno));
	if (fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_SEAL) < 0)
		return err_set(err, errno, "sealing the init program: %s", strerror(errno));
	return 0;
}

int image_open(int *ret_fd, struct err *err)
{
	_cleanup_close_ int fd = memfd_create("fairlead-init", MFD_CLOEXEC | MFD_ALLOW_SEALING | MFD_EXEC);

	if (fd < 0 && errno == EINVAL)
		fd = memfd_create("fairlead-init", MFD_CLOEXEC | MFD_ALLOW_SEALING);
	if (fd < 0)
		return err_set(err, errno, "memory for the init program: %s", strerror(errno));
	int r = fill(fd, err);
	if (r < 0)
		return r;
	*ret_fd = fd;
	fd = -1;
	return 0;
}
