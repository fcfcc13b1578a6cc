/* A growing byte buffer: capacity doubles, so that n appends cost O(n). */
#include "base/buf.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/mem.h"

#define FIRST_CAPACITY 64

void buf_fini(struct buf *b)
{
	free(b->data);
	*b = (struct buf){0};
}

void buf_finip(struct buf *b)
{
	buf_fini(b);
}

void buf_clear(struct buf *b)
{
	b->size = 0;
}

void buf_reserve(struct buf *b, size_t extra)
{
	size_t capacity = b->capacity ? b->capacity : FIRST_CAPACITY;

	if (extra <= b->capacity - b->size)
		return;
	if (extra > SIZE_MAX / 4 || b->size > SIZE_MAX / 4)
		abort();
	while (capacity < b->size + extra)
		capacity *= 2;
	b->data = xrealloc(b->data, capacity);
	b->capacity = capacity;
}

void buf_append(struct buf *b, const void *p, size_t n)
{
	if (!n)
		return;
	buf_reserve(b, n);
	memcpy(b->data + b->size, p, n);
	b->size += n;
}

void buf_append_str(struct buf *b, const char *s)
{
	buf_append(b, s, strlen(s));
}

void buf_append_byte(struct buf *b, uint8_t c)
{
	if (b->size == b->capacity)
		buf_reserve(b, 1);
	b->data[b->size++] = c;
}

void buf_vprintf(struct buf *b, const char *fmt, va_list ap)
{
	va_list again;

	va_copy(again, ap);
	buf_reserve(b, FIRST_CAPACITY);
	size_t room = b->capacity - b->size;
	int n = vsnprintf((char *)b->data + b->size, room, fmt, ap);
	if (n > 0 && (size_t)n >= room) {
		buf_reserve(b, (size_t)n + 1);
		vsnprintf((char *)b->data + b->size, (size_t)n + 1, fmt, again);
	}
	if (n > 0)
		b->size += (size_t)n;
	va_end(again);
}

void buf_printf(struct buf *b, const char *fmt, ...)
{
	va_list ap;

	va_start(ap, fmt);
	buf_vprintf(b, fmt, ap);
	va_end(ap);
}

const char *buf_cstr(struct buf *b)
{
	buf_reserve(b, 1);
	b->data[b->size] = 0;
	return (const char *)b->data;
}

void buf_consume(struct buf *b, size_t n)
{
	if (n >= b->size) {
		b->size = 0;
		return;
	}
	memmove(b->data, b->data + n, b->size - n);
	b->size -= n;
}
