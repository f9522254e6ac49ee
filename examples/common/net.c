// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "net.h"

typedef int (*net_use)(int fd, const struct sockaddr *addr, socklen_t len);

static int listen_at(int fd, const struct sockaddr *addr, socklen_t len)
{
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &(int){ 1 }, sizeof(int));
	return fcntl(fd, F_SETFL, O_NONBLOCK) || bind(fd, addr, len) || listen(fd, SOMAXCONN);
}

static int use(int family, const struct sockaddr *addr, socklen_t len, net_use how)
{
	int fd = socket(family, SOCK_STREAM | SOCK_CLOEXEC, 0);

	if (fd >= 0 && how(fd, addr, len)) {
		int reason = errno;

		close(fd);
		errno = reason;
		fd = -1;
	}
	return fd;
}

static int use_path(const char *path, net_use how)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };

	if (strlen(path) >= sizeof(addr.sun_path)) {
		errno = ENAMETOOLONG;
		return -1;
	}
	strcpy(addr.sun_path, path);
	return use(AF_UNIX, (struct sockaddr *)&addr, sizeof(addr), how);
}

static int use_host(const char *name, net_use how)
{
	const struct addrinfo hints = { .ai_socktype = SOCK_STREAM };
	const char *colon = strrchr(name, ':');
	struct addrinfo *list, *one;
	char host[256];
	int fd = -1;

	errno = EINVAL;
	if (!colon || colon - name >= (long)sizeof(host))
		return -1;
	snprintf(host, sizeof(host), "%.*s", (int)(colon - name), name);
	errno = EHOSTUNREACH;
	if (getaddrinfo(host, colon + 1, &hints, &list))
		return -1;
	for (one = list; one && fd < 0; one = one->ai_next)
		fd = use(one->ai_family, one->ai_addr, one->ai_addrlen, how);
	freeaddrinfo(list);
	return fd;
}

static int use_name(const char *name, net_use how)
{
	int fd = strchr(name, '/') ? use_path(name, how) : use_host(name, how);

	if (fd < 0)
		fprintf(stderr, "%s: %s\n", name, strerror(errno));
	return fd;
}

int net_connect(const char *name)
{
	return use_name(name, connect);
}

int net_listen(const char *name)
{
	return use_name(name, listen_at);
}

void net_patience(int fd, int seconds)
{
	const struct timeval limit = { .tv_sec = seconds };

	setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
	setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
}
