/* --attributes: facts about this slave, passed on in offers. */
#ifndef FL_SLAVE_ATTRIBUTES_H
#define FL_SLAVE_ATTRIBUTES_H

#include <stddef.h>

struct err;
struct fl_attribute;
struct zone;

/* "rack:r1;level:10;ports:[1-5]": a number is a SCALAR, brackets are RANGES, all else is TEXT. Lives in zone. */
int attributes_parse(const char *text, struct zone *zone, struct fl_attribute **ret_list, size_t *ret_n,
                     struct err *err);

#endif
