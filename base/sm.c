/* Checked state machines. */
#include "base/sm.h"

#include <assert.h>
#include <stdio.h>

#include "base/log.h"

void sm_init(struct sm *sm, const struct sm_state *states, int n_states, int initial, const char *kind, const char *id,
             sm_invariant_fn invariant, sm_enter_fn on_enter)
{
	assert(n_states > 0 && n_states <= 32);
	assert(initial >= 0 && initial < n_states && (states[initial].flags & SM_INITIAL));
	*sm = (struct sm){
		.states = states,
		.n_states = n_states,
		.state = initial,
		.kind = kind,
		.invariant = invariant,
		.on_enter = on_enter,
	};
	snprintf(sm->id, sizeof(sm->id), "%s", id ? id : "");
}

void sm_move(struct sm *sm, int to)
{
	int from = sm->state;

	assert(to >= 0 && to < sm->n_states);
	if (!(sm->states[from].allowed & (1u << to)))
		log_error("sm.forbidden kind=%s id=%s from=%s to=%s", sm->kind, sm->id, sm->states[from].name,
		          sm->states[to].name);
	assert(sm->states[from].allowed & (1u << to));
	sm->state = to;
	log_debug("%s.state id=%s from=%s to=%s", sm->kind, sm->id, sm->states[from].name, sm->states[to].name);
	if (sm->on_enter)
		sm->on_enter(sm, from);
	/* on_enter may have moved on; the invariant speaks about where we are now. */
	assert(!sm->invariant || sm->invariant(sm));
}

const char *sm_name(const struct sm *sm)
{
	return sm->states[sm->state].name;
}

bool sm_is_final(const struct sm *sm)
{
	return sm->states[sm->state].flags & SM_FINAL;
}
