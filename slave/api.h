/* The slave over HTTP: health, version, metrics, configuration, tasks, and a look into sandboxes. */
#ifndef FL_SLAVE_API_H
#define FL_SLAVE_API_H

struct err;
struct http_server;
struct slave;

struct http_server *api_create(struct slave *s, struct err *err);

#endif
