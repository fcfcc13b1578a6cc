/* Memory that never fails (out of memory aborts, as in GLib), zones freed in one go, and the _cleanup_ helpers. */
#ifndef FL_BASE_MEM_H
#define FL_BASE_MEM_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>

void *xmalloc(size_t size);
void *xcalloc(size_t n, size_t size);
void *xrealloc(void *p, size_t size);
char *xstrdup(const char *s); /* NULL gives NULL */
char *xstrndup(const char *s, size_t n);
void *xmemdup(const void *p, size_t n);
char *xasprintf(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

/* A zone: bump allocation, freed all at once. Memory is zeroed and aligned to 16 bytes. */
struct zone;
struct zone *zone_create(void);
void zone_destroy(struct zone *z); /* NULL allowed */
void zone_reset(struct zone *z);   /* frees everything in it but keeps the zone usable */
void *zone_alloc(struct zone *z, size_t size);
void *zone_memdup(struct zone *z, const void *p, size_t n);
char *zone_strdup(struct zone *z, const char *s); /* NULL gives NULL */
char *zone_strndup(struct zone *z, const char *s, size_t n);
char *zone_printf(struct zone *z, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
size_t zone_size(const struct zone *z); /* bytes handed out */

#define _cleanup_(fn) __attribute__((cleanup(fn)))
void mem_freep(void *pp); /* for char *, void * … */
void mem_closep(int *fd); /* closes fd >= 0 */
void mem_fclosep(FILE **f);
void mem_zonep(struct zone **z);
#define _cleanup_free_ _cleanup_(mem_freep)
#define _cleanup_close_ _cleanup_(mem_closep)
#define _cleanup_fclose_ _cleanup_(mem_fclosep)
#define _cleanup_zone_ _cleanup_(mem_zonep)

#define ARRAY_SIZE(a) (sizeof(a) / sizeof((a)[0]))
#define CONTAINER_OF(ptr, type, member) ((type *)((char *)(ptr)-offsetof(type, member)))

#endif
