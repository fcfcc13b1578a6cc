/* Ids that masters make begin with the master's UUID: <36 characters>-S0, -O17, -0003. For people the short form is shown,
 * the first 8 characters and what follows the UUID: "18b3f969-S0". */
#ifndef FL_CLI_ID_H
#define FL_CLI_ID_H

#include <stdbool.h>

#define ID_SHORT_SIZE 256

/* The short form; ids of another make are copied as they are, cut at the size. Returns out. */
const char *id_short(const char *id, char out[ID_SHORT_SIZE]);
/* What a person gave means this id: a start of it or of its short form, or all that follows the UUID ("S0"). */
bool id_starts(const char *id, const char *given);

#endif
