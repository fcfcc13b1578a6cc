/* Seam 3, simulated: connections between processes, as TCP has them, and worse.
 *
 * As TCP: in order; a cut delays what is under way until it heals (or the owner gives up); a dead process closes its
 * connections. Worse, where world.net says so: a frame is lost (the connection then breaks within two seconds, but what
 * follows the lost frame is delivered until then), comes twice, or comes late, behind its successors. */
#include "net/conn.h"

#include <assert.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/err.h"
#include "base/mem.h"
#include "world.h"

#define RETRANSMIT_US (100 * SIM_MS)

enum packet_kind { PACKET_DATA, PACKET_FIN };

struct packet {
	struct list_node node;
	int64_t due_us;
	enum packet_kind kind;
	struct end *to; /* of a stray: late, but never before what left before it, so that the hello comes first */
	uint64_t number;
	bool replayed;
	size_t size;
	uint8_t data[];
};

/* One side of a connection. Ends are never freed: the network remembers. */
struct end {
	struct list_node node; /* loop.ends */
	struct loop *loop;
	struct conn *conn; /* NULL once its owner let go of it */
	struct end *peer;  /* NULL while connecting */
	struct list way;   /* packets to the peer, in order */
	struct event deliver;
	int64_t last_due_us;
	uint64_t next_number;
	size_t queued;     /* bytes of way */
	struct list inbox; /* arrived, not yet read */
	struct event read;
	bool finished; /* it has sent its FIN, or was reset */
	bool spoke;    /* the hello has left: faults spare it, as nothing but a hello may come first */
};

/* What the owner holds; freed when the owner says so, so that the sanitizer sees a use after that. */
struct conn {
	struct end *end;
	const struct conn_ops *ops;
	void *user;
	bool open;       /* established, as far as this side knows */
	bool closed;     /* on_close was called */
	struct list out; /* queued in this turn */
	size_t out_size;
	char peer_address[32], peer_ip[16];
	struct event connected, failed;
	const char *failure;
	char *host;
	int port, timeout_ms;
};

struct listener {
	struct list_node node;
	struct loop *loop;
	int port;
	conn_accept_fn fn;
	void *user;
};

static int64_t latency_us(void)
{
	if (world_chance(world.net.slow))
		return world_between(20 * SIM_MS, 800 * SIM_MS);
	return world_between(100, 2 * SIM_MS);
}

static bool arrives(const struct end *from, const struct end *to)
{
	return !sim_is_cut(from->loop->host, to->loop->host);
}

/* ---- packets on their way ---- */

static void put_in_inbox(struct end *to, struct packet *p)
{
	if (!to->conn || to->conn->closed || !to->loop->alive) {
		free(p);
		return;
	}
	list_push(&to->inbox, &p->node);
	if (to->conn->open && !event_pending(&to->read))
		event_set(&to->read, 0);
}

static void on_deliver(void *user)
{
	struct end *e = user;
	struct list_node *first = list_first(&e->way);

	if (!first)
		return;
	struct packet *p = CONTAINER_OF(first, struct packet, node);
	if (!arrives(e, e->peer)) {
		event_set(&e->deliver, RETRANSMIT_US);
		return;
	}
	list_remove(&p->node);
	e->queued -= p->size;
	put_in_inbox(e->peer, p);
	first = list_first(&e->way);
	if (first)
		event_set(&e->deliver, CONTAINER_OF(first, struct packet, node)->due_us - world.now_us);
}

static struct packet *packet_create(enum packet_kind kind, const void *data, size_t size)
{
	struct packet *p = xcalloc(1, sizeof(*p) + size);

	p->kind = kind;
	p->size = size;
	if (size)
		memcpy(p->data, data, size);
	return p;
}

static void put_on_way(struct end *e, struct packet *p)
{
	p->number = e->next_number++;
	p->due_us = world.now_us + latency_us();
	if (p->due_us < e->last_due_us)
		p->due_us = e->last_due_us;
	e->last_due_us = p->due_us;
	e->queued += p->size;
	list_push(&e->way, &p->node);
	if (!event_pending(&e->deliver))
		event_set(&e->deliver, p->due_us - world.now_us);
}

static void on_stray(void *user)
{
	struct packet *p = user;
	struct end *from = p->to->peer;
	struct list_node *first = list_first(&from->way);
	bool behind = first && CONTAINER_OF(first, struct packet, node)->number < p->number;

	if (arrives(from, p->to) && !behind) {
		put_in_inbox(p->to, p);
		return;
	}
	if (world.now_us + RETRANSMIT_US > world.last_stray_us)
		world.last_stray_us = world.now_us + RETRANSMIT_US;
	world_after(NULL, RETRANSMIT_US, on_stray, p);
}

static void send_stray(struct end *e, struct packet *p)
{
	int64_t in_us = latency_us() + world_between(0, world_chance(700) ? 300 * SIM_MS : 3 * SIM_S);

	p->to = e->peer;
	p->number = e->next_number++;
	if (world.now_us + in_us > world.last_stray_us)
		world.last_stray_us = world.now_us + in_us;
	world_after(NULL, in_us, on_stray, p);
}

static void finish(struct end *e)
{
	if (e->finished)
		return;
	e->finished = true;
	if (e->peer)
		put_on_way(e, packet_create(PACKET_FIN, NULL, 0));
}

static void on_break(void *user)
{
	struct end *e = user;

	world_trace("net.break from=%s to=%s", e->loop->host->name, e->peer->loop->host->name);
	put_in_inbox(e, packet_create(PACKET_FIN, NULL, 0));
	put_in_inbox(e->peer, packet_create(PACKET_FIN, NULL, 0));
}

/* Orders sent to each machine so far, some of them. */
static struct stash {
	struct {
		struct packet *packet;
		uint64_t term;
	} old[32];
	size_t n;
} stashes[SIM_MAX_HOSTS];

static void replay(struct end *e, const struct packet *p)
{
	uint64_t term = world.order_term ? world.order_term(p->data, p->size) : 0;
	struct stash *s = &stashes[e->peer->loop->host->index];

	if (!term)
		return;
	size_t i = (size_t)world_below(ARRAY_SIZE(s->old));
	if (world_chance(world.net.replay) && s->old[i].term && s->old[i].term < term) {
		struct packet *again = packet_create(PACKET_DATA, s->old[i].packet->data, s->old[i].packet->size);
		again->replayed = true;
		world_trace("net.replay to=%s term=%llu", e->peer->loop->host->name,
		            (unsigned long long)s->old[i].term);
		send_stray(e, again);
	}
	i = s->n++ % ARRAY_SIZE(s->old);
	free(s->old[i].packet);
	s->old[i].packet = packet_create(PACKET_DATA, p->data, p->size);
	s->old[i].term = term;
}

static void transmit(struct end *e, struct packet *p)
{
	if (!e->spoke) {
		e->spoke = true;
		put_on_way(e, p);
		return;
	}
	replay(e, p);
	if (world_chance(world.net.lose)) {
		world_trace("net.lose from=%s to=%s size=%zu", e->loop->host->name, e->peer->loop->host->name, p->size);
		world_after(NULL, world_between(0, 2 * SIM_S), on_break, e);
		free(p);
		return;
	}
	if (world_chance(world.net.duplicate)) {
		world_trace("net.duplicate from=%s to=%s size=%zu", e->loop->host->name, e->peer->loop->host->name,
		            p->size);
		send_stray(e, packet_create(PACKET_DATA, p->data, p->size));
	}
	if (world_chance(world.net.reorder)) {
		world_trace("net.reorder from=%s to=%s size=%zu", e->loop->host->name, e->peer->loop->host->name,
		            p->size);
		send_stray(e, p);
		return;
	}
	put_on_way(e, p);
}

/* ---- in the receiving process ---- */

static void tell_closed(struct conn *c, const char *why)
{
	c->closed = true;
	if (c->ops && c->ops->on_close)
		c->ops->on_close(c->user, c, why);
}

static void on_read(void *user)
{
	struct end *e = user;
	int budget = (int)world_between(1, 8); /* a socket is not always read empty */

	while (e->conn && !e->conn->closed && !list_empty(&e->inbox) && budget-- > 0) {
		struct packet *p = CONTAINER_OF(list_first(&e->inbox), struct packet, node);
		list_remove(&p->node);
		if (p->kind == PACKET_FIN) {
			finish(e);
			tell_closed(e->conn, "closed by the other side");
		} else {
			/* A copy of exactly this size, so that the sanitizer sees a read past its end. */
			_cleanup_free_ void *data = xmemdup(p->data, p->size);
			if (world.on_frame)
				world.on_frame(p->replayed ? NULL : e->peer->loop, e->loop, data, p->size);
			if (e->conn->ops && e->conn->ops->on_frame)
				e->conn->ops->on_frame(e->conn->user, e->conn, data, p->size);
		}
		free(p);
	}
	if (e->conn && !e->conn->closed && !list_empty(&e->inbox))
		event_set(&e->read, 1);
}

static struct conn *conn_create(struct loop *l)
{
	struct conn *c = xcalloc(1, sizeof(*c));
	struct end *e = xcalloc(1, sizeof(*e));

	c->end = e;
	list_init(&c->out);
	e->conn = c;
	e->loop = l;
	list_init(&e->way);
	list_init(&e->inbox);
	event_init(&e->deliver, NULL, on_deliver, e);
	event_init(&e->read, l, on_read, e);
	list_push(&l->ends, &e->node);
	return c;
}

/* ---- connecting ---- */

static void name_peer(struct conn *c, const struct host *h, int port)
{
	snprintf(c->peer_ip, sizeof(c->peer_ip), "%s", h->ip);
	snprintf(c->peer_address, sizeof(c->peer_address), "%s:%d", h->ip, port);
}

static void on_connected(void *user)
{
	struct conn *c = user;

	event_cancel(&c->failed);
	c->open = true;
	if (!list_empty(&c->end->inbox))
		event_set(&c->end->read, 0);
	if (c->ops && c->ops->on_open)
		c->ops->on_open(c->user, c);
}

static void on_failed(void *user)
{
	struct conn *c = user;

	event_cancel(&c->connected);
	c->end->finished = true;
	tell_closed(c, c->failure ? c->failure : "connecting timed out");
}

struct accepting {
	struct listener *listener;
	struct end *end;
};

static void on_accepting(void *user)
{
	struct accepting *a = user;
	struct listener *l;

	/* The listener may be gone since. */
	LIST_FOREACH (l, &a->end->loop->listeners, struct listener, node) {
		if (l == a->listener && a->end->conn) {
			l->fn(l->user, a->end->conn);
			free(a);
			return;
		}
	}
	if (a->end->conn)
		conn_destroy(a->end->conn);
	free(a);
}

static struct listener *find_listener(struct host *h, int port)
{
	struct listener *l;

	if (!h || !h->process)
		return NULL;
	LIST_FOREACH (l, &h->process->listeners, struct listener, node)
		if (l->port == port)
			return l;
	return NULL;
}

/* The connection request is at the other machine. */
static void on_request(void *user)
{
	struct end *e = user;
	struct conn *c = e->conn;

	if (!c || !e->loop->alive || c->closed)
		return;
	struct host *h = sim_host_find(c->host);
	if (h && (sim_is_cut(e->loop->host, h) || sim_is_cut(h, e->loop->host)))
		return; /* it will time out */
	struct listener *l = find_listener(h, c->port);
	if (!l) {
		c->failure = h ? "connection refused" : "no such host";
		event_set(&c->failed, latency_us());
		return;
	}
	struct conn *other = conn_create(l->loop);
	e->peer = other->end;
	other->end->peer = e;
	other->open = true;
	name_peer(c, h, c->port);
	name_peer(other, e->loop->host, (int)world_between(32768, 60999));
	struct accepting *a = xmalloc(sizeof(*a));
	*a = (struct accepting){l, other->end};
	world_after(l->loop, 0, on_accepting, a);
	event_set(&c->connected, latency_us());
}

struct conn *conn_connect(struct loop *l, const char *host, int port, int timeout_ms, const struct conn_ops *ops,
                          void *user)
{
	struct conn *c = conn_create(l);

	c->ops = ops;
	c->user = user;
	c->host = xstrdup(host);
	c->port = port;
	snprintf(c->peer_ip, sizeof(c->peer_ip), "%s", host);
	snprintf(c->peer_address, sizeof(c->peer_address), "%.15s:%d", host, port);
	event_init(&c->connected, l, on_connected, c);
	event_init(&c->failed, l, on_failed, c);
	event_set(&c->failed, (int64_t)timeout_ms * SIM_MS);
	world_after(NULL, latency_us(), on_request, c->end);
	sim_seam(l);
	return c;
}

/* ---- what owners call ---- */

static void on_flush(void *user)
{
	struct loop *l = user;
	struct end *e;

	LIST_FOREACH (e, &l->ends, struct end, node) {
		while (e->conn && e->conn->open && !list_empty(&e->conn->out)) {
			struct packet *p = CONTAINER_OF(list_first(&e->conn->out), struct packet, node);
			list_remove(&p->node);
			e->conn->out_size -= p->size;
			sim_seam(l); /* some of a turn's frames may have left when it dies */
			transmit(e, p);
		}
	}
}

static void ensure_flush(struct loop *l)
{
	if (!list_linked(&l->flush.node))
		loop_add_hook(l, &l->flush, on_flush, l, TURN_ORDER_FLUSH);
}

static void on_too_much(void *user)
{
	struct end *e = user;

	if (!e->conn || e->conn->closed)
		return;
	finish(e);
	tell_closed(e->conn, "too much waits to be sent");
}

void conn_send(struct conn *c, const void *payload, size_t size)
{
	assert(size <= CONN_MAX_FRAME);
	sim_seam(c->end->loop);
	if (c->closed || c->end->finished)
		return;
	struct packet *p = packet_create(PACKET_DATA, payload, size);
	list_push(&c->out, &p->node);
	c->out_size += size;
	ensure_flush(c->end->loop);
	loop_again(c->end->loop);
	if (conn_queued(c) > CONN_MAX_QUEUE)
		world_after(c->end->loop, 0, on_too_much, c->end);
}

void conn_set_ops(struct conn *c, const struct conn_ops *ops, void *user)
{
	c->ops = ops;
	c->user = user;
}

static void let_go(struct conn *c)
{
	struct list_node *n;

	while ((n = list_first(&c->out))) {
		list_remove(n);
		free(CONTAINER_OF(n, struct packet, node));
	}
	event_cancel(&c->connected);
	event_cancel(&c->failed);
	event_cancel(&c->end->read);
	c->end->conn = NULL;
	list_remove(&c->end->node);
	free(c->host);
	free(c);
}

/* What is queued leaves even if the process dies right behind this call: the kernel has it. */
void conn_finish(struct conn *c)
{
	struct end *e = c->end;

	while (c->open && !e->finished && !list_empty(&c->out)) {
		struct packet *p = CONTAINER_OF(list_first(&c->out), struct packet, node);
		list_remove(&p->node);
		transmit(e, p);
	}
	finish(e);
	let_go(c);
}

void conn_destroy(struct conn *c)
{
	if (!c)
		return;
	finish(c->end);
	let_go(c);
}

size_t conn_queued(const struct conn *c)
{
	return c->out_size + c->end->queued;
}

const char *conn_peer_address(const struct conn *c)
{
	return c->peer_address;
}

const char *conn_peer_ip(const struct conn *c)
{
	return c->peer_ip;
}

struct listener *listener_create(struct loop *l, const char *address, int port, conn_accept_fn fn, void *user,
                                 struct err *err)
{
	struct listener *s = xcalloc(1, sizeof(*s));

	if (port == 0)
		for (port = 20000; find_listener(l->host, port);)
			port++;
	if (find_listener(l->host, port)) {
		free(s);
		err_set(err, 98, "port %d is in use", port);
		return NULL;
	}
	*s = (struct listener){.loop = l, .port = port, .fn = fn, .user = user};
	list_push(&l->listeners, &s->node);
	return s;
}

int listener_port(const struct listener *l)
{
	return l->port;
}

void listener_destroy(struct listener *l)
{
	if (!l)
		return;
	list_remove(&l->node);
	free(l);
}

/* Nobody says goodbye in here: conn_finish hands all over at once. */
void conn_sweep(struct loop *l)
{
}

void conn_process_died(struct loop *l)
{
	struct end *e;

	LIST_FOREACH (e, &l->ends, struct end, node) {
		finish(e);
		e->conn = NULL; /* dropped, not freed */
	}
	list_init(&l->listeners);
}
