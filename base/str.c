/* Small text helpers. Numbers are parsed digit by digit with their limits at hand: no floats, no locale. */
#include "base/str.h"

#include <errno.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"

__extension__ typedef unsigned __int128 u128;

#define MAX_SHOWN 64 /* bytes of a bad value that are repeated in an error text */

static int bad(struct err *err, const char *s, const char *what)
{
	return err_set(err, EINVAL, "'%.*s' is not %s", MAX_SHOWN, s ? s : "", what);
}

static bool is_digit(char c)
{
	return c >= '0' && c <= '9';
}

/* Reads digits at *s, leaves *s behind them. False when there is none or the value is above max. */
static bool read_digits(const char **s, uint64_t max, uint64_t *ret)
{
	uint64_t v = 0;

	if (!is_digit(**s))
		return false;
	for (; is_digit(**s); (*s)++) {
		unsigned digit = (unsigned)(**s - '0');
		if (v > (max - digit) / 10 || digit > max)
			return false;
		v = v * 10 + digit;
	}
	*ret = v;
	return true;
}

int str_to_uint64(const char *s, uint64_t max, uint64_t *ret, struct err *err)
{
	const char *at = s;
	uint64_t v;

	if (!s || !is_digit(*s))
		return bad(err, s, "a number");
	if (!read_digits(&at, max, &v))
		return err_set(err, ERANGE, "%.*s is above %" PRIu64, MAX_SHOWN, s, max);
	if (*at)
		return bad(err, s, "a number");
	*ret = v;
	return 0;
}

int str_to_int64(const char *s, int64_t min, int64_t max, int64_t *ret, struct err *err)
{
	bool negative = s && *s == '-';
	const char *at = s ? s + negative : "";
	uint64_t magnitude;

	if (!is_digit(*at))
		return bad(err, s, "a number");
	bool fits = read_digits(&at, negative ? (uint64_t)INT64_MAX + 1 : INT64_MAX, &magnitude);
	if (fits && *at)
		return bad(err, s, "a number");
	int64_t v = fits ? (int64_t)(negative ? 0 - magnitude : magnitude) : 0;
	if (!fits || v < min || v > max)
		return err_set(err, ERANGE, "%.*s is not in %" PRId64 "..%" PRId64, MAX_SHOWN, s, min, max);
	*ret = v;
	return 0;
}

/* mantissa × 10^scale, rounded half up, or false when it does not fit. */
static bool scale_decimal(u128 mantissa, int scale, int64_t *ret)
{
	for (; scale > 0 && mantissa; scale--) {
		mantissa *= 10;
		if (mantissa > INT64_MAX)
			return false;
	}
	unsigned last = 0;
	for (; scale < 0 && (mantissa || last); scale++) {
		last = (unsigned)(mantissa % 10);
		mantissa /= 10;
	}
	mantissa += last >= 5;
	if (mantissa > INT64_MAX)
		return false;
	*ret = (int64_t)mantissa;
	return true;
}

int str_to_milli(const char *s, int64_t *ret, struct err *err)
{
	const char *at = s ? s : "";
	bool negative = *at == '-';
	u128 mantissa = 0;
	int scale = 3, digits = 0;

	at += negative;
	for (bool fraction = false; is_digit(*at) || (*at == '.' && !fraction); at++) {
		if (*at == '.') {
			fraction = true;
			continue;
		}
		digits++;
		/* Beyond 30 significant digits only the position counts. */
		bool keep = mantissa < (u128)1000000000000000ull * 1000000000000000ull;
		if (keep)
			mantissa = mantissa * 10 + (unsigned)(*at - '0');
		scale += (keep ? 0 : 1) - (fraction ? 1 : 0);
	}
	if (digits && (*at == 'e' || *at == 'E')) { /* as some JSON writers print numbers */
		int64_t exponent;
		at += at[1] == '+' ? 2 : 1;
		if (str_to_int64(at, -400, 400, &exponent, NULL) < 0)
			return bad(err, s, "a decimal number");
		scale += (int)exponent;
		at = "";
	}
	if (!digits || *at)
		return bad(err, s, "a decimal number");
	int64_t v;
	if (!scale_decimal(mantissa, scale, &v))
		return err_set(err, ERANGE, "%.*s is too large", MAX_SHOWN, s);
	*ret = negative ? -v : v;
	return 0;
}

struct unit {
	const char *name;
	int64_t factor;
};

static int parse_with_unit(const char *s, const struct unit *units, size_t n, const char *what, int64_t *ret,
                           struct err *err)
{
	const char *at = s ? s : "";
	uint64_t v;

	if (!is_digit(*at))
		return bad(err, s, what);
	if (!read_digits(&at, INT64_MAX, &v))
		return err_set(err, ERANGE, "%.*s is too large", MAX_SHOWN, s);
	for (size_t i = 0; i < n; i++) {
		if (strcmp(at, units[i].name))
			continue;
		if (v > (uint64_t)(INT64_MAX / units[i].factor))
			return err_set(err, ERANGE, "%.*s is too large", MAX_SHOWN, s);
		*ret = (int64_t)v * units[i].factor;
		return 0;
	}
	return bad(err, s, what);
}

int str_to_duration_ms(const char *s, int64_t *ret, struct err *err)
{
	static const struct unit units[] = {{"", 1000},   {"ms", 1},      {"s", 1000},
	                                    {"m", 60000}, {"h", 3600000}, {"d", 86400000}};
	return parse_with_unit(s, units, ARRAY_SIZE(units), "a duration such as 250ms, 5s, 2m, 1h or 7d", ret, err);
}

int str_to_bytes(const char *s, int64_t *ret, struct err *err)
{
	static const struct unit units[] = {
		{"", 1}, {"K", 1ll << 10}, {"M", 1ll << 20}, {"G", 1ll << 30}, {"T", 1ll << 40}};
	return parse_with_unit(s, units, ARRAY_SIZE(units), "a size such as 64K, 512M or 8G", ret, err);
}

const char *str_from_milli(int64_t milli, char out[32])
{
	uint64_t magnitude = milli < 0 ? 0 - (uint64_t)milli : (uint64_t)milli;
	int n = snprintf(out, 32, "%s%" PRIu64, milli < 0 ? "-" : "", magnitude / 1000);

	if (magnitude % 1000) {
		n += snprintf(out + n, 32 - (size_t)n, ".%03d", (int)(magnitude % 1000));
		while (out[n - 1] == '0')
			out[--n] = 0;
	}
	return out;
}

bool str_starts_with(const char *s, const char *prefix)
{
	return !strncmp(s, prefix, strlen(prefix));
}

bool str_ends_with(const char *s, const char *suffix)
{
	size_t n = strlen(s), m = strlen(suffix);
	return n >= m && !memcmp(s + n - m, suffix, m);
}

bool str_equal(const char *a, const char *b)
{
	return a == b || (a && b && !strcmp(a, b));
}

int str_split(char *s, char sep, char **parts, size_t max)
{
	size_t n = 0;

	for (char *end;; s = end + 1) {
		if (n == max)
			return -E2BIG;
		parts[n++] = s;
		end = strchr(s, sep);
		if (!end)
			return (int)n;
		*end = 0;
	}
}

static bool is_control(char c)
{
	return (unsigned char)c < 0x20 || c == 0x7f;
}

bool str_valid_id(const char *s)
{
	if (!s || !*s || !strcmp(s, ".") || !strcmp(s, ".."))
		return false;
	size_t n = 0;
	for (; s[n]; n++)
		if (n >= 255 || is_control(s[n]) || s[n] == '/' || s[n] == '\\')
			return false;
	return true;
}

static bool valid_role_component(const char *s, size_t n)
{
	if (!n || *s == '-' || (n == 1 && (*s == '.' || *s == '*')) || (n == 2 && !memcmp(s, "..", 2)))
		return false;
	for (size_t i = 0; i < n; i++)
		if (s[i] == ' ' || is_control(s[i]))
			return false;
	return true;
}

bool str_valid_role(const char *s)
{
	if (!s || strnlen(s, 256) > 255)
		return false;
	if (!strcmp(s, "*"))
		return true;
	for (;;) {
		size_t n = strcspn(s, "/");
		if (!valid_role_component(s, n))
			return false;
		if (!s[n])
			return true;
		s += n + 1;
	}
}

/* Length of the sequence that starts with c, 0 when none does; lowest gets the smallest code point it may encode. */
static size_t utf8_length(unsigned char c, uint32_t *lowest)
{
	if ((c & 0xe0) == 0xc0)
		return *lowest = 0x80, 2;
	if ((c & 0xf0) == 0xe0)
		return *lowest = 0x800, 3;
	if ((c & 0xf8) == 0xf0)
		return *lowest = 0x10000, 4;
	return 0;
}

bool str_valid_utf8(const char *s, size_t n)
{
	const unsigned char *p = (const unsigned char *)s;

	for (size_t i = 0; i < n;) {
		if (p[i] < 0x80) {
			i++;
			continue;
		}
		uint32_t lowest = 0;
		size_t length = utf8_length(p[i], &lowest);
		if (!length || length > n - i)
			return false;
		uint32_t code = p[i] & (0x7fu >> length);
		for (size_t k = 1; k < length; k++) {
			if ((p[i + k] & 0xc0) != 0x80)
				return false;
			code = code << 6 | (p[i + k] & 0x3f);
		}
		if (code < lowest || code > 0x10ffff || (code >= 0xd800 && code <= 0xdfff))
			return false;
		i += length;
	}
	return true;
}

static int min3(int a, int b, int c)
{
	int ab = a < b ? a : b;
	return ab < c ? ab : c;
}

int str_distance(const char *a, const char *b)
{
	enum { MAX = 64 };
	int n = (int)strnlen(a, MAX), m = (int)strnlen(b, MAX);
	int row[MAX + 1];

	for (int j = 0; j <= m; j++)
		row[j] = j;
	for (int i = 1; i <= n; i++) {
		int diagonal = row[0];
		row[0] = i;
		for (int j = 1; j <= m; j++) {
			int above = row[j];
			row[j] = min3(above + 1, row[j - 1] + 1, diagonal + (a[i - 1] != b[j - 1]));
			diagonal = above;
		}
	}
	return row[m];
}

void str_uuid(uint64_t hi, uint64_t lo, char out[37])
{
	hi = (hi & ~0xf000ull) | 0x4000ull;
	lo = (lo & ~(3ull << 62)) | (2ull << 62);
	snprintf(out, 37, "%08x-%04x-%04x-%04x-%012llx", (unsigned)(hi >> 32), (unsigned)(hi >> 16 & 0xffff),
	         (unsigned)(hi & 0xffff), (unsigned)(lo >> 48), (unsigned long long)(lo & 0xffffffffffffull));
}

char *str_path_escape(const char *id)
{
	static const char plain[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789._-";
	static const char hex[] = "0123456789ABCDEF";
	/* "." and ".." are made of plain bytes but are not names. */
	bool dots = !strcmp(id, ".") || !strcmp(id, "..");
	char *out = xmalloc(3 * strlen(id) + 1), *at = out;

	for (; *id; id++) {
		unsigned char c = (unsigned char)*id;
		if (strchr(plain, c) && !dots) {
			*at++ = (char)c;
			continue;
		}
		*at++ = '%';
		*at++ = hex[c >> 4];
		*at++ = hex[c & 15];
	}
	*at = 0;
	return out;
}
