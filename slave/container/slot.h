/* The exit slot: how a container ended, one record in a file of its own, outside the sandbox. Made before the start,
 * written once, by the container's init, which includes this header without a C library. */
#ifndef FL_SLAVE_CONTAINER_SLOT_H
#define FL_SLAVE_CONTAINER_SLOT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

#define SLOT_MAGIC 0x746f6c73

enum slot_kind {
	SLOT_EXITED = 1, /* value: the exit code; 127 also when the program could not be executed */
	SLOT_SIGNALLED,  /* value: the signal */
};

struct slot {
	uint32_t magic;
	uint32_t kind;
	int32_t value;
	uint32_t reserved;
	int64_t wall_ns; /* when, nanoseconds since 1970 */
	uint64_t checksum;
};

/* FNV-1a over all that stands before the checksum. */
static inline uint64_t slot_checksum(const struct slot *s)
{
	const uint8_t *bytes = (const uint8_t *)s;
	uint64_t h = 0xcbf29ce484222325u;

	for (size_t i = 0; i < offsetof(struct slot, checksum); i++)
		h = (h ^ bytes[i]) * 0x100000001b3u;
	return h;
}

/* Makes the file, empty but with its block allocated. The descriptor is the caller's, writable, CLOEXEC. */
int slot_create(const char *path, int *ret_fd, struct err *err);
/* -ENODATA when nothing was written, -EBADMSG when what was written is not whole. */
int slot_read(const char *path, struct slot *ret);

#endif
