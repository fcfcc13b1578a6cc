/* Options of fairlead-slave, from conf.def. */
#ifndef FL_SLAVE_CONF_H
#define FL_SLAVE_CONF_H

#include "base/conf.h"

struct slave_conf {
#define OPT(name, type, deflt, min, max, help) CONF_C_##type name;
#include "slave/conf.def"
#undef OPT
};

extern const struct conf_table slave_conf_table;

#endif
