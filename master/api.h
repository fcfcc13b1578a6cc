/* What operators and tools ask over HTTP. */
#ifndef FL_MASTER_API_H
#define FL_MASTER_API_H

#include <stddef.h>

#include "net/http.h"

extern const struct http_route api_routes[]; /* user: the master */
extern const size_t api_n_routes;

#endif
