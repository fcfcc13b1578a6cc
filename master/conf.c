#include "master/conf.h"

#include <stddef.h>

#include "base/mem.h"

static const struct conf_opt opts[] = {
#define OPT(name, type, deflt, min, max, help) \
	{#name, CONF_##type, deflt, min, max, help, offsetof(struct master_conf, name)},
#include "master/conf.def"
#undef OPT
};

const struct conf_table master_conf_table = {
	.program = "fairlead-master",
	.summary = "Gathers the resources of slaves and offers them to frameworks.",
	.opts = opts,
	.n_opts = ARRAY_SIZE(opts),
	.size = sizeof(struct master_conf),
};
