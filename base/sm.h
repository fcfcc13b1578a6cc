/* Checked state machines. A state table opens the file that owns the object; sm_move is the only writer of a state. */
#ifndef FL_BASE_SM_H
#define FL_BASE_SM_H

#include <stdbool.h>
#include <stdint.h>

#define SM_INITIAL 1
#define SM_FINAL 2

struct sm_state {
	const char *name;
	uint32_t allowed; /* bit i: may move to state i */
	uint32_t flags;   /* SM_INITIAL, SM_FINAL */
};

struct sm;
typedef bool (*sm_invariant_fn)(const struct sm *sm);
typedef void (*sm_enter_fn)(struct sm *sm, int from); /* drops timers and watches that the new state does not own */

struct sm {
	const struct sm_state *states;
	int n_states;
	int state;
	const char *kind;          /* "task", "elect", … for the log */
	char id[40];               /* start of the object's id, for the log */
	sm_invariant_fn invariant; /* may be NULL */
	sm_enter_fn on_enter;      /* may be NULL */
};

/* Starts in state `initial`, which must carry SM_INITIAL. */
void sm_init(struct sm *sm, const struct sm_state *states, int n_states, int initial, const char *kind, const char *id,
             sm_invariant_fn invariant, sm_enter_fn on_enter);
/* Asserts that the move is allowed, moves, calls on_enter, asserts the invariant, logs one debug line. */
void sm_move(struct sm *sm, int to);
static inline int sm_state(const struct sm *sm)
{
	return sm->state;
}
const char *sm_name(const struct sm *sm);
bool sm_is_final(const struct sm *sm);

#endif
