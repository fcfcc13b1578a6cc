#include "slave/task_key.h"

#include "base/mem.h"
#include "base/str.h"

char *task_key(const char *framework_id, const char *task_id)
{
	_cleanup_free_ char *framework = str_path_escape(framework_id);
	_cleanup_free_ char *task = str_path_escape(task_id);
	return xasprintf("%s/%s", framework, task);
}

bool task_key_valid(const char *framework_id, const char *task_id)
{
	return str_valid_id(framework_id) && str_valid_id(task_id);
}
