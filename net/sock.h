/* Sockets as this house wants them: close-on-exec and non-blocking from birth, without delay, kept alive. */
#ifndef FL_NET_SOCK_H
#define FL_NET_SOCK_H

#include <stdbool.h>
#include <stddef.h>

struct err;
struct sockaddr;
struct sockaddr_storage;

#define SOCK_TEXT 80 /* "[IPv6 address%scope]:port" and a NUL */

/* Parses an IPv4 or IPv6 address as text; false when it is neither. */
bool sock_address(const char *text, int port, struct sockaddr_storage *ret);
size_t sock_length(const struct sockaddr_storage *address);
/* Texts of an address, IPv4-mapped ones as IPv4; with_port may be NULL. */
void sock_print(const struct sockaddr_storage *address, char ip[SOCK_TEXT], char with_port[SOCK_TEXT]);
/* A listening descriptor; port 0 picks a free one, ret_port tells which. -errno with a text. */
int sock_listen(const char *address, int port, int *ret_fd, int *ret_port, struct err *err);
/* Starts to connect; 0 also while under way, -errno with ret_fd untouched. */
int sock_connect(const struct sockaddr_storage *address, int *ret_fd);
/* How connecting ended, once writable: 0 or -errno. A socket connected to itself counts as refused. */
int sock_connected(int fd);
void sock_tune(int fd); /* no delay, keep-alive */

#endif
