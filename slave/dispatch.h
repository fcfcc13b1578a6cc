/* Messages from the master: judged by their epoch, then handed to their handlers. */
#ifndef FL_SLAVE_DISPATCH_H
#define FL_SLAVE_DISPATCH_H

struct dispatch;
struct message_desc;
struct slave;

struct dispatch *dispatch_create(struct slave *s);
void dispatch_destroy(struct dispatch *d); /* NULL allowed */

/* An order under a newer epoch waits, and all orders behind it, until that epoch is durable. */
void dispatch_message(struct dispatch *d, const struct message_desc *desc, const void *rec);
/* The identity is durable: obey what waited. */
void dispatch_release(struct dispatch *d);
/* The connection they came over is gone: the master will say again what still holds. */
void dispatch_forget(struct dispatch *d);

#endif
