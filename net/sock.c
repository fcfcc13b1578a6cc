/* See sock.h. */
#include "net/sock.h"

#include <arpa/inet.h>
#include <errno.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/err.h"

#define BACKLOG 1024

bool sock_address(const char *text, int port, struct sockaddr_storage *ret)
{
	struct sockaddr_in *in4 = (struct sockaddr_in *)ret;
	struct sockaddr_in6 *in6 = (struct sockaddr_in6 *)ret;

	*ret = (struct sockaddr_storage){0};
	if (inet_pton(AF_INET, text, &in4->sin_addr) == 1) {
		in4->sin_family = AF_INET;
		in4->sin_port = htons((uint16_t)port);
		return true;
	}
	if (inet_pton(AF_INET6, text, &in6->sin6_addr) == 1) {
		in6->sin6_family = AF_INET6;
		in6->sin6_port = htons((uint16_t)port);
		return true;
	}
	return false;
}

size_t sock_length(const struct sockaddr_storage *address)
{
	return address->ss_family == AF_INET6 ? sizeof(struct sockaddr_in6) : sizeof(struct sockaddr_in);
}

static int port_of(const struct sockaddr_storage *address)
{
	return ntohs(address->ss_family == AF_INET6 ? ((const struct sockaddr_in6 *)address)->sin6_port
	                                            : ((const struct sockaddr_in *)address)->sin_port);
}

void sock_print(const struct sockaddr_storage *address, char ip[SOCK_TEXT], char with_port[SOCK_TEXT])
{
	const struct sockaddr_in6 *in6 = (const struct sockaddr_in6 *)address;
	const struct sockaddr_in *in4 = (const struct sockaddr_in *)address;
	bool v6 = address->ss_family == AF_INET6 && !IN6_IS_ADDR_V4MAPPED(&in6->sin6_addr);
	char text[INET6_ADDRSTRLEN] = "?";

	if (v6)
		inet_ntop(AF_INET6, &in6->sin6_addr, text, sizeof(text));
	else if (address->ss_family == AF_INET6)
		inet_ntop(AF_INET, &in6->sin6_addr.s6_addr[12], text, sizeof(text));
	else if (address->ss_family == AF_INET)
		inet_ntop(AF_INET, &in4->sin_addr, text, sizeof(text));
	snprintf(ip, SOCK_TEXT, "%s", text);
	if (with_port)
		snprintf(with_port, SOCK_TEXT, v6 ? "[%s]:%d" : "%s:%d", text, port_of(address));
}

static int bind_and_listen(int fd, const struct sockaddr_storage *at, int *ret_port)
{
	struct sockaddr_storage got;
	socklen_t size = sizeof(got);
	int on = 1;

	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &on, sizeof(on));
	if (bind(fd, (const struct sockaddr *)at, (socklen_t)sock_length(at)) < 0 || listen(fd, BACKLOG) < 0 ||
	    getsockname(fd, (struct sockaddr *)&got, &size) < 0)
		return -errno;
	*ret_port = port_of(&got);
	return 0;
}

int sock_listen(const char *address, int port, int *ret_fd, int *ret_port, struct err *err)
{
	struct sockaddr_storage at;

	if (port < 0 || port > 65535)
		return err_set(err, EINVAL, "cannot listen on port %d: ports are 0 to 65535", port);
	if (!address || !sock_address(address, port, &at))
		return err_set(err, EINVAL, "cannot listen on '%s': not an IPv4 or IPv6 address",
		               address ? address : "");
	int fd = socket(at.ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return err_set(err, errno, "cannot make a socket: %s", strerror(errno));
	int r = bind_and_listen(fd, &at, ret_port);
	if (r < 0) {
		close(fd);
		return err_set(err, -r, "cannot listen on %s port %d: %s", address, port, strerror(-r));
	}
	*ret_fd = fd;
	return 0;
}

void sock_tune(int fd)
{
	int on = 1;

	setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &on, sizeof(on));
	setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &on, sizeof(on));
}

int sock_connect(const struct sockaddr_storage *address, int *ret_fd)
{
	int fd = socket(address->ss_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);

	if (fd < 0)
		return -errno;
	sock_tune(fd);
	if (connect(fd, (const struct sockaddr *)address, (socklen_t)sock_length(address)) < 0 &&
	    errno != EINPROGRESS) {
		int e = errno;
		close(fd);
		return -e;
	}
	*ret_fd = fd;
	return 0;
}

/* A free port among the ephemeral ones may be given to the very socket that connects to it. */
static bool is_own_peer(int fd)
{
	struct sockaddr_storage here = {0}, there = {0};
	socklen_t n = sizeof(here), m = sizeof(there);

	return getsockname(fd, (struct sockaddr *)&here, &n) == 0 &&
	       getpeername(fd, (struct sockaddr *)&there, &m) == 0 && n == m && memcmp(&here, &there, n) == 0;
}

int sock_connected(int fd)
{
	int e = 0;
	socklen_t n = sizeof(e);

	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &e, &n) < 0)
		return -errno;
	if (e == 0 && is_own_peer(fd))
		return -ECONNREFUSED;
	return -e;
}
