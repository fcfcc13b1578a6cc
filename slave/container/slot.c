#include "slave/container/slot.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <unistd.h>

#include "base/err.h"
#include "base/mem.h"

int slot_create(const char *path, int *ret_fd, struct err *err)
{
	static const struct slot empty;
	_cleanup_close_ int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);

	if (fd < 0)
		return err_set(err, errno, "making %s: %s", path, strerror(errno));
	/* Zeros are written, not just promised: the write at the end must not need space. */
	ssize_t n = pwrite(fd, &empty, sizeof(empty), 0);
	if (n != sizeof(empty)) {
		int code = n < 0 ? errno : ENOSPC;
		unlink(path);
		return err_set(err, code, "allocating %s: %s", path, strerror(code));
	}
	*ret_fd = fd;
	fd = -1;
	return 0;
}

int slot_read(const char *path, struct slot *ret)
{
	static const struct slot empty;
	struct slot s;
	_cleanup_close_ int fd = open(path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0)
		return -errno;
	ssize_t n = pread(fd, &s, sizeof(s), 0);
	if (n < 0)
		return -errno;
	if (n != sizeof(s))
		return -EBADMSG;
	if (memcmp(&s, &empty, sizeof(s)) == 0)
		return -ENODATA;
	if (s.magic != SLOT_MAGIC || s.checksum != slot_checksum(&s))
		return -EBADMSG;
	*ret = s;
	return 0;
}
