#include "slave/container/ids.h"

#include <errno.h>
#include <grp.h>
#include <pwd.h>
#include <string.h>
#include <sys/capability.h>
#include <unistd.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"

#define LARGEST_ID 1999999999 /* above it is init's and what the kernel reserves */

static void find_groups(const char *name, struct ids *ids)
{
	gid_t found[WIRE_MAX_GROUPS];
	int n = WIRE_MAX_GROUPS;

	if (getgrouplist(name, ids->gid, found, &n) < 0)
		n = WIRE_MAX_GROUPS; /* the rest is left out */
	for (int i = 0; i < n; i++) {
		bool known = found[i] == ids->gid;
		for (size_t k = 0; k < ids->n_groups; k++)
			known |= ids->groups[k] == found[i];
		if (!known)
			ids->groups[ids->n_groups++] = found[i];
	}
}

int ids_find(const char *user, struct ids *ret, struct err *err)
{
	struct ids ids = {.uid = geteuid(), .gid = getegid()};
	struct passwd *pw = NULL;
	int64_t number;

	if (!user || !*user) {
		*ret = ids;
		return 0;
	}
	errno = 0;
	pw = getpwnam(user);
	if (!pw && str_to_int64(user, 0, LARGEST_ID, &number, NULL) == 0) {
		ids.uid = (uid_t)number;
		ids.gid = (gid_t)number;
		pw = getpwuid(ids.uid);
	} else if (!pw) {
		return err_set(err, ENOENT, "there is no user %.64s on this host", user);
	}
	if (pw) {
		ids.uid = pw->pw_uid;
		ids.gid = pw->pw_gid;
		if (ids.uid > LARGEST_ID || ids.gid > LARGEST_ID)
			return err_set(err, ERANGE, "the ids of user %.64s are beyond %d", user, LARGEST_ID);
		_cleanup_free_ char *name = xstrdup(pw->pw_name); /* pw is overwritten by looking up groups */
		find_groups(name, &ids);
	}
	*ret = ids;
	return 0;
}

uid_t ids_init_uid(const struct ids *ids)
{
	return ids->uid == 0 ? IDS_INIT : 0;
}

gid_t ids_init_gid(const struct ids *ids)
{
	if (ids->gid == 0)
		return IDS_INIT;
	for (size_t i = 0; i < ids->n_groups; i++)
		if (ids->groups[i] == 0)
			return IDS_INIT;
	return 0;
}

void ids_uid_map(const struct ids *ids, struct buf *ret)
{
	buf_printf(ret, "%u %u 1\n%u %u 1\n", ids->uid, ids->uid, ids_init_uid(ids), IDS_INIT);
}

void ids_gid_map(const struct ids *ids, struct buf *ret)
{
	buf_printf(ret, "%u %u 1\n%u %u 1\n", ids->gid, ids->gid, ids_init_gid(ids), IDS_INIT);
	for (size_t i = 0; i < ids->n_groups; i++)
		buf_printf(ret, "%u %u 1\n", ids->groups[i], ids->groups[i]);
}

int ids_capabilities(const char *const *names, uint64_t *ret, struct err *err)
{
	uint64_t bits = 0;
	char full[64];
	cap_value_t value;

	for (; names && *names; names++) {
		snprintf(full, sizeof(full), "cap_%.48s", *names);
		if (cap_from_name(full, &value) < 0 || value < 0 || value > 63)
			return err_set(err, EINVAL, "there is no capability %.48s", *names);
		bits |= (uint64_t)1 << value;
	}
	*ret = bits;
	return 0;
}
