/* SEAM 2 of 6. Files that must survive: appended, overwritten in place or replaced whole, never blocking the loop.
 *
 * Everything that must be durable goes through here and calls back from a later turn when it is. The real one uses one
 * helper process (a sync server forked at disk_create, before anything else runs) or io_uring where the kernel allows
 * it; the simulator can tear, delay, fill and lose. Reads happen at start only and are synchronous. */
#ifndef FL_BASE_DISK_H
#define FL_BASE_DISK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct buf;
struct disk;
struct disk_file;
struct err;
struct loop;

/* status: 0 or -errno (ENOSPC, EIO, EROFS, …). */
typedef void (*disk_fn)(void *user, int status);

/* root: the folder all paths are relative to; made (0700) if absent. NULL and err on failure. */
struct disk *disk_create(struct loop *l, const char *root, struct err *err);
void disk_destroy(struct disk *d); /* pending calls are dropped, their callbacks do not run */
const char *disk_root(const struct disk *d);

/* A lock on the root folder, held until disk_destroy. -EAGAIN when another process has it. */
int disk_lock(struct disk *d, struct err *err);

/* Synchronous, for start-up. Missing file: -ENOENT. max_bytes: refuse more with -EFBIG. */
int disk_read(struct disk *d, const char *path, size_t max_bytes, struct buf *ret, struct err *err);
/* Names in a folder, in ascending order, each passed to fn; a missing folder has none. */
int disk_list(struct disk *d, const char *path, void (*fn)(void *user, const char *name), void *user);
int disk_mkdir(struct disk *d, const char *path, struct err *err); /* parents too; existing is fine */
/* Synchronous truncation, for cutting a torn tail at start-up. */
int disk_truncate(struct disk *d, const char *path, uint64_t size, struct err *err);

/* An append-only file. Opens or makes it. Appends are queued in order; fn is called once the bytes are durable
 * (fdatasync), one sync for all appends queued in a turn. data is copied. After a failed append the file is cut back to
 * its last durable length before the next one is tried. */
struct disk_file *disk_open(struct disk *d, const char *path, struct err *err);
void disk_append(struct disk_file *f, const void *data, size_t size, disk_fn fn, void *user);
uint64_t disk_size(const struct disk_file *f); /* durable bytes */
void disk_close(struct disk_file *f); /* NULL allowed; pending appends are still written, their callbacks do not run */

/* Replaces a small file whole: temporary file, fsync, rename, fsync of the folder; then fn. data is copied. */
void disk_replace(struct disk *d, const char *path, const void *data, size_t size, disk_fn fn, void *user);
/* Overwrites `size` bytes at `offset` of an existing, pre-allocated file and syncs it: works on a full disk. */
void disk_overwrite(struct disk *d, const char *path, uint64_t offset, const void *data, size_t size, disk_fn fn,
                    void *user);
/* Makes a zero-filled file of this size with its blocks allocated; synchronous, for start-up. Existing: kept. */
int disk_allocate(struct disk *d, const char *path, size_t size, struct err *err);
/* A file that is not there counts as removed. fn may be NULL. */
void disk_remove(struct disk *d, const char *path, disk_fn fn, void *user);

#endif
