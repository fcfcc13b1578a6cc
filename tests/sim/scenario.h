/* A scenario: which machines there are, what is done to them, and when it is over. */
#ifndef FL_SIM_SCENARIO_H
#define FL_SIM_SCENARIO_H

#include <stdbool.h>
#include <stdint.h>

struct host;

struct scenario {
	const char *name, *doc;
	void (*setup)(void);        /* makes machines and boots them */
	bool (*done)(void);         /* after the faults have stopped: is everything as it should end? */
	void (*explain)(void);      /* traces what is missing */
	int64_t fault_us, limit_us; /* faults stop; the end must be reached */
};

extern const struct scenario scenario_elect, scenario_cluster;

#endif
