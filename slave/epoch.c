#include "slave/epoch.h"

#include <string.h>

#include <fairlead/types.h>

enum epoch_verdict epoch_judge(const struct fl_epoch *seen, const struct fl_epoch *got)
{
	size_t n = strlen(got->incarnation);

	if (n == 0 || n > EPOCH_MAX_INCARNATION)
		return EPOCH_INVALID;
	if (!seen)
		return EPOCH_NEWER;
	if (strcmp(seen->incarnation, got->incarnation) != 0)
		return EPOCH_FOREIGN;
	if (got->term < seen->term)
		return EPOCH_STALE;
	return got->term > seen->term ? EPOCH_NEWER : EPOCH_SAME;
}
