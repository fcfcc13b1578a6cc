/* Memory that never fails, and zones: a list of chunks, each handed out from the front. */
#include "base/mem.h"

#include <stdbool.h>
#include <string.h>
#include <unistd.h>

#define ZONE_ALIGN 16
#define ZONE_FIRST 1024
#define ZONE_CHUNK_MAX (64 * 1024)

struct chunk {
	struct chunk *next;
	size_t used, capacity;
	_Alignas(ZONE_ALIGN) unsigned char data[];
};

struct zone {
	struct chunk *chunks; /* the first is the one in use */
	size_t next_capacity;
	size_t size;
};

static void *checked(void *p, size_t size)
{
	if (!p && size) {
		static const char text[] = "out of memory\n";
		if (write(STDERR_FILENO, text, sizeof(text) - 1) < 0)
			abort();
		abort();
	}
	return p;
}

void *xmalloc(size_t size)
{
	return checked(malloc(size ? size : 1), 1);
}

void *xcalloc(size_t n, size_t size)
{
	return checked(calloc(n ? n : 1, size ? size : 1), 1);
}

void *xrealloc(void *p, size_t size)
{
	return checked(realloc(p, size ? size : 1), 1);
}

char *xstrdup(const char *s)
{
	return s ? xmemdup(s, strlen(s) + 1) : NULL;
}

char *xstrndup(const char *s, size_t n)
{
	if (!s)
		return NULL;
	n = strnlen(s, n);
	char *copy = xmalloc(n + 1);
	memcpy(copy, s, n);
	copy[n] = 0;
	return copy;
}

void *xmemdup(const void *p, size_t n)
{
	void *copy = xmalloc(n);
	if (n)
		memcpy(copy, p, n);
	return copy;
}

char *xasprintf(const char *fmt, ...)
{
	va_list ap;
	char *s = NULL;

	va_start(ap, fmt);
	int n = vasprintf(&s, fmt, ap);
	va_end(ap);
	return checked(n < 0 ? NULL : s, 1);
}

struct zone *zone_create(void)
{
	struct zone *z = xcalloc(1, sizeof(*z));
	z->next_capacity = ZONE_FIRST;
	return z;
}

static void free_chunks(struct chunk *c)
{
	while (c) {
		struct chunk *next = c->next;
		free(c);
		c = next;
	}
}

void zone_destroy(struct zone *z)
{
	if (!z)
		return;
	free_chunks(z->chunks);
	free(z);
}

void zone_reset(struct zone *z)
{
	struct chunk *keep = z->chunks;

	z->size = 0;
	if (!keep)
		return;
	free_chunks(keep->next);
	keep->next = NULL;
	memset(keep->data, 0, keep->used);
	keep->used = 0;
}

/* A chunk for at least size bytes. A big block gets a chunk of its own behind the one in use, which stays in use. */
static struct chunk *add_chunk(struct zone *z, size_t size)
{
	bool own = size > z->next_capacity / 2 && size > ZONE_FIRST;
	size_t capacity = own || size > z->next_capacity ? size : z->next_capacity;
	struct chunk *c = xcalloc(1, sizeof(*c) + capacity);

	c->capacity = capacity;
	if (own && z->chunks) {
		c->next = z->chunks->next;
		z->chunks->next = c;
		return c;
	}
	c->next = z->chunks;
	z->chunks = c;
	if (z->next_capacity < ZONE_CHUNK_MAX)
		z->next_capacity *= 2;
	return c;
}

void *zone_alloc(struct zone *z, size_t size)
{
	if (size > SIZE_MAX / 2)
		checked(NULL, size);
	size_t room = size ? (size + ZONE_ALIGN - 1) & ~(size_t)(ZONE_ALIGN - 1) : ZONE_ALIGN;
	struct chunk *c = z->chunks;

	if (!c || c->capacity - c->used < room)
		c = add_chunk(z, room);
	void *p = c->data + c->used;
	c->used += room;
	z->size += size;
	return p;
}

void *zone_memdup(struct zone *z, const void *p, size_t n)
{
	void *copy = zone_alloc(z, n);
	if (n)
		memcpy(copy, p, n);
	return copy;
}

char *zone_strdup(struct zone *z, const char *s)
{
	return s ? zone_memdup(z, s, strlen(s) + 1) : NULL;
}

char *zone_strndup(struct zone *z, const char *s, size_t n)
{
	if (!s)
		return NULL;
	n = strnlen(s, n);
	char *copy = zone_alloc(z, n + 1);
	memcpy(copy, s, n);
	return copy;
}

char *zone_printf(struct zone *z, const char *fmt, ...)
{
	va_list ap, again;

	va_start(ap, fmt);
	va_copy(again, ap);
	int n = vsnprintf(NULL, 0, fmt, ap);
	va_end(ap);
	char *s = zone_alloc(z, n < 0 ? 1 : (size_t)n + 1);
	if (n > 0)
		vsnprintf(s, (size_t)n + 1, fmt, again);
	va_end(again);
	return s;
}

size_t zone_size(const struct zone *z)
{
	return z->size;
}

void mem_freep(void *pp)
{
	free(*(void **)pp);
}

void mem_closep(int *fd)
{
	if (*fd >= 0)
		close(*fd);
}

void mem_fclosep(FILE **f)
{
	if (*f)
		fclose(*f);
}

void mem_zonep(struct zone **z)
{
	zone_destroy(*z);
}
