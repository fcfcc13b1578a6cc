/* Where a container's sandbox lies: <work_dir>/sandboxes/<framework>/<task>/<container id>. */
#ifndef FL_SLAVE_SANDBOX_H
#define FL_SLAVE_SANDBOX_H

struct disk;

#define SANDBOX_FOLDER "sandboxes" /* below work_dir */
#define SANDBOX_INSIDE "/sandbox"  /* where the task sees it */

/* "<framework>/<task>/<container id>": the path that LIST_FILES and READ_FILE take. task_key as in task_key.h. Caller
 * frees. */
char *sandbox_path(const char *key, const char *container_id);
/* The same as a path on the host; proc makes the folder. Caller frees. */
char *sandbox_host_path(const struct disk *d, const char *key, const char *container_id);

#endif
