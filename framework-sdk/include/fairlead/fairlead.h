/** @file
 * Everything of the Fairlead framework SDK. */
#ifndef FAIRLEAD_FAIRLEAD_H
#define FAIRLEAD_FAIRLEAD_H

#include <fairlead/scheduler.h>
#include <fairlead/types.h>

#endif
