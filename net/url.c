/* Where a cluster is found. */
#include "net/url.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/buf.h"
#include "base/err.h"
#include "base/mem.h"
#include "base/str.h"

#define FORMS "write zk://host:2181,host:2181/path, file:///folder or host:5050,host:5050"

/* "host", "host:port", "1.2.3.4:port", "[::1]:port". */
static int add_host(struct url *u, const char *text, int default_port, struct err *err)
{
	_cleanup_free_ char *copy = xstrdup(text);
	char *host = copy, *port_text = NULL, *colon = strrchr(copy, ':');
	int64_t port = default_port;

	if (u->n_hosts == URL_MAX_HOSTS)
		return err_set(err, EINVAL, "more than %d hosts given", URL_MAX_HOSTS);
	if (*copy == '[') {
		char *end = strchr(copy, ']');
		if (!end || (end[1] && end[1] != ':'))
			return err_set(err, EINVAL, "'%s' is not [address]:port", text);
		host = copy + 1;
		*end = '\0';
		port_text = end[1] ? end + 2 : NULL;
	} else if (colon) {
		*colon = '\0';
		port_text = colon + 1;
	}
	if (!*host)
		return err_set(err, EINVAL, "a host is missing before '%s'; %s", text, FORMS);
	if (strpbrk(host, " \t/@?#[]") || (*copy != '[' && strchr(host, ':')))
		return err_set(err, EINVAL, "'%s' is not a host name; %s", text, FORMS);
	if (port_text && str_to_int64(port_text, 1, 65535, &port, NULL) < 0)
		return err_set(err, EINVAL, "'%s' is not a port (of '%s'); %s", port_text, text, FORMS);
	u->host[u->n_hosts].host = xstrdup(host);
	u->host[u->n_hosts++].port = (int)port;
	return 0;
}

static int add_hosts(struct url *u, char *list, int default_port, struct err *err)
{
	char *parts[URL_MAX_HOSTS + 1];
	_cleanup_buf_ struct buf hosts = {0};
	int rc;

	if (strchr(list, '@'))
		return err_set(err, EINVAL, "user:password@ is not supported yet; %s", FORMS);
	int n = str_split(list, ',', parts, ARRAY_SIZE(parts));
	if (n < 0)
		return err_set(err, EINVAL, "more than %d hosts given", URL_MAX_HOSTS);
	for (int i = 0; i < n; i++)
		if ((rc = add_host(u, parts[i], default_port, err)) < 0)
			return rc;
	for (size_t i = 0; i < u->n_hosts; i++) {
		if (strchr(u->host[i].host, ':'))
			buf_printf(&hosts, "%s[%s]:%d", i ? "," : "", u->host[i].host, u->host[i].port);
		else
			buf_printf(&hosts, "%s%s:%d", i ? "," : "", u->host[i].host, u->host[i].port);
	}
	u->hosts = xstrdup(buf_cstr(&hosts));
	return 0;
}

/* ZooKeeper's rules: components that are neither empty nor dots, no control characters; and no %-escapes here. */
static int set_zk_path(struct url *u, const char *path, struct err *err)
{
	_cleanup_free_ char *copy = xstrdup(path);
	size_t n = strlen(copy);
	char *save = NULL;

	while (n > 1 && copy[n - 1] == '/')
		copy[--n] = '\0';
	if (n < 2)
		return err_set(err, EINVAL, "a path is missing: write zk://host:2181/fairlead");
	if (strstr(copy, "//") || strpbrk(copy, "?#"))
		return err_set(err, EINVAL, "'%s' is not a path; write zk://host:2181/fairlead", path);
	for (const char *c = copy; *c; c++)
		if ((unsigned char)*c <= ' ' || *c == 0x7f)
			return err_set(err, EINVAL, "the path after the hosts has blanks or control characters");
	u->path = xstrdup(copy);
	for (char *part = strtok_r(copy, "/", &save); part; part = strtok_r(NULL, "/", &save))
		if (strcmp(part, ".") == 0 || strcmp(part, "..") == 0)
			return err_set(err, EINVAL, "'%s' may not contain . or ..", path);
	if (strcmp(u->path, "/zookeeper") == 0 || str_starts_with(u->path, "/zookeeper/"))
		return err_set(err, EINVAL, "/zookeeper is ZooKeeper's own; choose another path");
	return 0;
}

static int parse_zk(struct url *u, const char *rest, struct err *err)
{
	const char *slash = strchr(rest, '/');
	_cleanup_free_ char *list = slash ? xstrndup(rest, (size_t)(slash - rest)) : xstrdup(rest);

	u->kind = URL_ZK;
	int rc = add_hosts(u, list, 2181, err);
	return rc < 0 ? rc : set_zk_path(u, slash ? slash : "", err);
}

static int parse_file(struct url *u, const char *path, struct err *err)
{
	size_t n = strlen(path);

	u->kind = URL_FILE;
	if (*path != '/')
		return err_set(err, EINVAL, "file: needs an absolute folder: write file:///var/lib/fairlead/registry");
	while (n > 1 && path[n - 1] == '/')
		n--;
	if (n < 2)
		return err_set(err, EINVAL,
		               "the registry cannot be the root folder: write file:///var/lib/fairlead/registry");
	u->path = xstrndup(path, n);
	return 0;
}

static int parse_hosts(struct url *u, const char *text, struct err *err)
{
	_cleanup_free_ char *list = xstrdup(text);

	u->kind = URL_HOSTS;
	if (strstr(text, "://"))
		return err_set(err, EINVAL, "'%s' has an unknown scheme; %s", text, FORMS);
	return add_hosts(u, list, 5050, err);
}

int url_parse(const char *text, struct url *ret, struct err *err)
{
	struct url u = {0};
	int rc;

	if (!text || !*text)
		return err_set(err, EINVAL, "no cluster given; %s", FORMS);
	if (str_starts_with(text, "zk://"))
		rc = parse_zk(&u, text + 5, err);
	else if (str_starts_with(text, "file://"))
		rc = parse_file(&u, text + 7, err);
	else
		rc = parse_hosts(&u, text, err);
	if (rc < 0) {
		url_fini(&u);
		return rc;
	}
	*ret = u;
	return 0;
}

void url_fini(struct url *u)
{
	for (size_t i = 0; i < u->n_hosts; i++)
		free(u->host[i].host);
	free(u->hosts);
	free(u->path);
	*u = (struct url){0};
}
