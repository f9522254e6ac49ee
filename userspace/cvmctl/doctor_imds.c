// SPDX-License-Identifier: MIT
/* Can the host's service be reached? Nothing is asked of it. */
#include <errno.h>
#include <netdb.h>
#include <poll.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>

#include "common/cleanup.h"
#include "common/util.h"
#include "doctor.h"
#include "fetch/imds.h"

/* it is one hop away */
#define PATIENCE_MS	1000

/* 0 or -errno */
static int reach(const struct addrinfo *to)
{
	__cleanup_fd int fd = socket(to->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };
	socklen_t len = sizeof(int);
	int error = 0;

	if (fd < 0)
		return -errno;
	if (!connect(fd, to->ai_addr, to->ai_addrlen))
		return 0;
	if (errno != EINPROGRESS)
		return -errno;
	if (poll(&pfd, 1, PATIENCE_MS) != 1)
		return -ETIMEDOUT;
	if (getsockopt(fd, SOL_SOCKET, SO_ERROR, &error, &len))
		return -errno;
	return -error;
}

/* "http://HOST[:PORT]": false: it is none */
static bool take_apart(const char *url, char host[256], char port[8])
{
	strcpy(port, "80");
	return sscanf(url, "http://%255[^:/]:%7[0-9]", host, port) >= 1;
}

/* By its address alone: no name server has a part in it, nor a proxy. */
bool doctor_imds(const struct doctor *d, char *why, size_t size)
{
	const struct addrinfo hints = { .ai_flags = AI_NUMERICHOST | AI_NUMERICSERV,
					.ai_socktype = SOCK_STREAM };
	char host[256], port[8];
	struct addrinfo *to;
	int rc;

	if (!take_apart(d->imds ? d->imds : CVM_IMDS_URL, host, port) ||
	    getaddrinfo(host, port, &hints, &to)) {
		snprintf(why, size, "no address");
		return false;
	}
	rc = reach(to);
	freeaddrinfo(to);
	if (rc)
		snprintf(why, size, "%s", strerror(-rc));
	return !rc;
}
