/* Whether an order may be obeyed, by who gave it. design.md 4. */
#ifndef FL_SLAVE_EPOCH_H
#define FL_SLAVE_EPOCH_H

struct fl_epoch;

enum epoch_verdict {
	EPOCH_SAME,    /* obey */
	EPOCH_NEWER,   /* make it durable, then obey */
	EPOCH_STALE,   /* a deposed master: refuse */
	EPOCH_FOREIGN, /* another registry: refuse, and tell people */
	EPOCH_INVALID, /* not an epoch at all: refuse */
};

#define EPOCH_MAX_INCARNATION 255 /* bytes */

/* seen: the highest epoch this slave knows, or NULL. */
enum epoch_verdict epoch_judge(const struct fl_epoch *seen, const struct fl_epoch *got);

#endif
