/* Looking into sandboxes: nothing outside of them can be reached, whatever a task put there. */
#ifndef FL_SLAVE_FILES_H
#define FL_SLAVE_FILES_H

#include <stddef.h>
#include <stdint.h>

struct err;
struct fl_api_file_data;
struct fl_api_files;
struct zone;

#define FILES_MAX_ENTRIES 10000
#define FILES_MAX_READ (1u << 20)

/* root: the folder of all sandboxes on the host. path: below it, "<framework>/<task>/<container>[/...]"; a leading slash
 * counts for nothing. Links are not followed. -ENOENT, -EINVAL (not a folder, not a plain file, a link), -E2BIG. Results
 * live in zone. */
int files_list(const char *root, const char *path, struct zone *zone, struct fl_api_files *ret, struct err *err);
/* length 0: only the size. At most FILES_MAX_READ are read. */
int files_read(const char *root, const char *path, uint64_t offset, uint64_t length, struct zone *zone,
               struct fl_api_file_data *ret, struct err *err);

#endif
