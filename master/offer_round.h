/* Offers are made once a loop turn, when something became free. */
#ifndef FL_MASTER_OFFER_ROUND_H
#define FL_MASTER_OFFER_ROUND_H

struct master;

void offer_round_init(struct master *m);
void offer_round_fini(struct master *m);

#endif
