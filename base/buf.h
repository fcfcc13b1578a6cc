/* A growing byte buffer. Zero-initialised is empty and valid. */
#ifndef FL_BASE_BUF_H
#define FL_BASE_BUF_H

#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>

struct buf {
	uint8_t *data;
	size_t size; /* bytes in use */
	size_t capacity;
};

void buf_fini(struct buf *b);  /* frees, leaves it empty and usable */
void buf_clear(struct buf *b); /* size 0, keeps the memory */
void buf_reserve(struct buf *b, size_t extra);
void buf_append(struct buf *b, const void *p, size_t n);
void buf_append_str(struct buf *b, const char *s);
void buf_append_byte(struct buf *b, uint8_t c);
void buf_printf(struct buf *b, const char *fmt, ...) __attribute__((format(printf, 2, 3)));
void buf_vprintf(struct buf *b, const char *fmt, va_list ap);
/* NUL-terminates (not counted in size) and returns the text, owned by b. */
const char *buf_cstr(struct buf *b);
/* Drops the first n bytes. */
void buf_consume(struct buf *b, size_t n);
void buf_finip(struct buf *b);
#define _cleanup_buf_ __attribute__((cleanup(buf_finip)))

#endif
