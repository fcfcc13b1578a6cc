/* What this machine has to offer, where the operator does not say. */
#ifndef FL_SLAVE_DETECT_RESOURCES_H
#define FL_SLAVE_DETECT_RESOURCES_H

#include <stdint.h>

struct err;
struct resources;

/* 0: not known, and then not offered. */
struct host_facts {
	int64_t cpus;
	int64_t mem_bytes;
	int64_t disk_bytes; /* of the file system that folder is on */
};

/* Asks the machine. Never fails. */
void host_facts_read(const char *folder, struct host_facts *ret);

/* text (--resources) where it names a resource, facts for cpus, mem and disk where not (less what the machine itself
 * needs), and ports 31000-32000. */
int resources_of_host(const char *text, const struct host_facts *facts, struct resources *ret, struct err *err);

#endif
