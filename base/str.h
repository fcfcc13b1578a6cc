/* Small text helpers: parsing with limits, ids, durations, paths. */
#ifndef FL_BASE_STR_H
#define FL_BASE_STR_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct err;

/* Whole-string parsers: no blanks, no sign for unsigned, range checked; 0 or -errno with a text. */
int str_to_int64(const char *s, int64_t min, int64_t max, int64_t *ret, struct err *err);
int str_to_uint64(const char *s, uint64_t max, uint64_t *ret, struct err *err);
/* Decimal number to thousandths, rounding half up on the fourth digit: "0.5" gives 500. No float on the way. */
int str_to_milli(const char *s, int64_t *ret, struct err *err);
/* "250ms", "5s", "2m", "1h", "7d" or a bare number of seconds; to milliseconds. */
int str_to_duration_ms(const char *s, int64_t *ret, struct err *err);
/* "10", "64K", "512M", "8G", "1T" to bytes (powers of 1024). */
int str_to_bytes(const char *s, int64_t *ret, struct err *err);
/* Prints thousandths shortest: 1500 -> "1.5", 2000 -> "2". Returns out. */
const char *str_from_milli(int64_t milli, char out[32]);

bool str_starts_with(const char *s, const char *prefix);
bool str_ends_with(const char *s, const char *suffix);
bool str_equal(const char *a, const char *b); /* both NULL is equal */
/* Splits in place at sep; fills parts (at most max) and returns their number, or -E2BIG. Empty parts are kept. */
int str_split(char *s, char sep, char **parts, size_t max);
/* True for 1..255 bytes without control characters, '/', '\\', and not "." or ".." (task ids, reference rule 171). */
bool str_valid_id(const char *s);
/* Role syntax, reference rule 170. */
bool str_valid_role(const char *s);
/* True when s is well-formed UTF-8. */
bool str_valid_utf8(const char *s, size_t n);
/* The edit distance, for "did you mean". */
int str_distance(const char *a, const char *b);
/* 32 lower-case hex digits from 128 random bits, with dashes as a UUID version 4. out holds 37 bytes. */
void str_uuid(uint64_t hi, uint64_t lo, char out[37]);
/* Escapes every byte outside [A-Za-z0-9._-] as %XX so that any id is one path component. Caller frees. */
char *str_path_escape(const char *id);

#endif
