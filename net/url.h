/* Where a cluster is found: zk://host:port,host:port/path, file:///folder, or host:port,host:port (HTTP ports of masters). */
#ifndef FL_NET_URL_H
#define FL_NET_URL_H

#include <stddef.h>

struct err;

enum url_kind { URL_ZK, URL_FILE, URL_HOSTS };

#define URL_MAX_HOSTS 16

struct url {
	enum url_kind kind;
	char *hosts; /* "h:p,h:p" as ZooKeeper takes it; NULL for URL_FILE */
	char *path;  /* "/fairlead" (no slash at the end, at least one component), or the folder; NULL for URL_HOSTS */
	struct {
		char *host;
		int port;
	} host[URL_MAX_HOSTS];
	size_t n_hosts;
};

/* Default ports: 2181 for zk, 5050 for hosts. user:pass@ is refused (not supported yet). Errors show the right form. */
int url_parse(const char *text, struct url *ret, struct err *err);
void url_fini(struct url *u);

#endif
