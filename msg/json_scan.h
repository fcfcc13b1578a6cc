/* The scan of JSON text before jansson may see it: depth, and a bound on the memory its tree will take. */
#ifndef FL_MSG_JSON_SCAN_H
#define FL_MSG_JSON_SCAN_H

#include <stddef.h>

struct err;

#define JSON_MAX_DEPTH 16
#define JSON_MAX_TREE \
	((size_t)64 << 20) /* bytes jansson may take while a text is read; freed before the reader returns */

int json_scan(const char *text, size_t size, struct err *err);

#endif
