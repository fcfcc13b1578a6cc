/* The leader as ZooKeeper has it. While ZooKeeper is away the last one known stays. */
#include <stdlib.h>

#include "base/err.h"
#include "base/mem.h"
#include "net/detect_impl.h"
#include "net/masters.h"
#include "net/url.h"
#include "net/zk.h"

#define DEFAULT_SESSION_MS 10000

struct detect_zk {
	struct detect d;
	char *hosts;
	int session_ms;
	struct zk *zk;
	struct masters masters;
};

static void on_zk(void *user, enum zk_state state)
{
	struct detect_zk *z = user;

	if (state == ZK_CONNECTED)
		masters_look(&z->masters);
	if (state != ZK_EXPIRED)
		return;
	zk_destroy(z->zk);
	z->zk = zk_create(z->d.loop, z->hosts, z->session_ms, on_zk, z, NULL);
	masters_use(&z->masters, z->zk);
}

static void on_masters(void *user)
{
	struct detect_zk *z = user;

	detect_set(&z->d, z->masters.leader.rec);
}

static void destroy(struct detect *d)
{
	struct detect_zk *z = (struct detect_zk *)d;

	zk_destroy(z->zk);
	masters_fini(&z->masters);
	detect_fini(d);
	free(z->hosts);
	free(z);
}

static void again(struct detect *d)
{
	struct detect_zk *z = (struct detect_zk *)d;

	if (zk_state(z->zk) == ZK_CONNECTED)
		masters_look(&z->masters);
}

static const struct detect_backend backend = {destroy, again};

struct detect *detect_zk_create(struct loop *l, const struct url *url, int session_ms, detect_fn fn, void *user,
                                struct err *err)
{
	struct detect_zk *z = xcalloc(1, sizeof(*z));

	detect_init(&z->d, l, &backend, fn, user);
	z->hosts = xstrdup(url->hosts);
	z->session_ms = session_ms > 0 ? session_ms : DEFAULT_SESSION_MS;
	masters_init(&z->masters, l, url->path, on_masters, z);
	z->zk = zk_create(l, z->hosts, z->session_ms, on_zk, z, err);
	if (!z->zk) {
		destroy(&z->d);
		return NULL;
	}
	masters_use(&z->masters, z->zk);
	return &z->d;
}
