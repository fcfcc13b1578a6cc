#include "slave/conf.h"

#include "base/mem.h"

static const struct conf_opt opts[] = {
#define OPT(name, type, deflt, min, max, help) \
	{#name, CONF_##type, deflt, min, max, help, offsetof(struct slave_conf, name)},
#include "slave/conf.def"
#undef OPT
};

const struct conf_table slave_conf_table = {
	.program = "fairlead-slave",
	.summary = "Runs tasks in containers for the leading master of a cluster.",
	.opts = opts,
	.n_opts = ARRAY_SIZE(opts),
	.size = sizeof(struct slave_conf),
};
