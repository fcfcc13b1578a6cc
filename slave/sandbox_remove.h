/* Removing sandboxes that nobody needs any more, oldest first. Takes as long as it takes: for a process of its own. */
#ifndef FL_SLAVE_SANDBOX_REMOVE_H
#define FL_SLAVE_SANDBOX_REMOVE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct sandbox_rules {
	int64_t now_ns;   /* wall clock; what changed after it, or just before, stays */
	int64_t delay_ns; /* unused for so long: goes */
	bool (*in_use)(void *user, const char *container_id);
	bool (*need_room)(void *user); /* asked before each that is not old enough */
	void *user;
};

struct sandbox_removal {
	size_t removed, failed;
};

/* root: descriptor of the folder of all sandboxes. A sandbox is as old as the last change of its folder's inode, which no
 * task can date back or forward. Never follows a link, whatever is in there. */
void sandboxes_remove(int root, const struct sandbox_rules *rules, struct sandbox_removal *ret);
/* The folder name in the folder that parent is a descriptor of, however deep. */
int sandbox_remove_tree(int parent, const char *name);

#endif
