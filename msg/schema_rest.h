/* Makes every row macro of schema.def that is not defined expand to nothing: a reader defines the rows it wants, includes
 * this, then schema.def, then schema_undef.h. Includable any number of times. */
#ifndef ENUMERATION
#define ENUMERATION(...)
#endif
#ifndef VALUE
#define VALUE(...)
#endif
#ifndef END_ENUMERATION
#define END_ENUMERATION(...)
#endif
#ifndef RECORD
#define RECORD(...)
#endif
#ifndef STR
#define STR(...)
#endif
#ifndef ID
#define ID(...)
#endif
#ifndef BYTES
#define BYTES(...)
#endif
#ifndef BOOL
#define BOOL(...)
#endif
#ifndef INT
#define INT(...)
#endif
#ifndef UINT
#define UINT(...)
#endif
#ifndef MILLI
#define MILLI(...)
#endif
#ifndef SECONDS
#define SECONDS(...)
#endif
#ifndef NANOS
#define NANOS(...)
#endif
#ifndef ENUM
#define ENUM(...)
#endif
#ifndef REC
#define REC(...)
#endif
#ifndef LIST
#define LIST(...)
#endif
#ifndef STRS
#define STRS(...)
#endif
#ifndef IDS
#define IDS(...)
#endif
#ifndef MAP
#define MAP(...)
#endif
#ifndef END_RECORD
#define END_RECORD(...)
#endif
#ifndef MESSAGE
#define MESSAGE(...)
#endif
