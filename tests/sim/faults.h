/* Faults by chance: kills, cuts, pauses, a ZooKeeper that goes, disks that fill, frames that get lost. */
#ifndef FL_SIM_FAULTS_H
#define FL_SIM_FAULTS_H

#include <stdint.h>

/* Chooses which kinds of faults this seed has and starts them. */
void faults_start(void);
/* Mends everything and boots what is down. */
void faults_stop(void);

#endif
