/* Invariants that are watched from outside: what masters order and what slaves do with it. */
#ifndef FL_SIM_CHECK_H
#define FL_SIM_CHECK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct host;
struct loop;

void check_reset(void);
/* world.on_frame: I5, orders and their epochs. */
void check_frame(struct loop *from, struct loop *to, const void *data, size_t size);
/* world.order_term: the term of a master's order, 0 for other frames. */
uint64_t check_order_term(const void *data, size_t size);
/* world.on_container: I3 and I5, a task runs once, and only by a valid order. */
void check_container(struct host *h, const char *task, bool starts);
/* Did a container of this task ever start? */
bool check_started(const char *task);

#endif
