#include "slave/container/folder.h"

#include <errno.h>
#include <string.h>
#include <sys/stat.h>

#include "base/err.h"
#include "base/mem.h"

int folder_make(const char *path, mode_t parents, struct err *err)
{
	_cleanup_free_ char *part = xstrdup(path);

	for (char *s = part + 1;; s++) {
		if (*s && *s != '/')
			continue;
		char c = *s;
		*s = 0;
		if (mkdir(part, c ? parents : 0700) < 0 && errno != EEXIST)
			return err_set(err, errno, "making %s: %s", part, strerror(errno));
		*s = c;
		if (!c)
			return 0;
	}
}
