/* Options of fairlead-master, from conf.def. */
#ifndef FL_MASTER_CONF_H
#define FL_MASTER_CONF_H

#include "base/conf.h"

struct master_conf {
#define OPT(name, type, deflt, min, max, help) CONF_C_##type name;
#include "master/conf.def"
#undef OPT
};

extern const struct conf_table master_conf_table;

#endif
