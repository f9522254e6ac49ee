// SPDX-License-Identifier: MIT
/*
 * Sockets: systemd's, by its protocol (sd_listen_fds(3): a count and a process in the
 * environment, descriptors from 3 on), or our own. TCP is for loopback alone: whoever
 * reaches the agent is answered, and evidence of this VM is for who is in it.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "agent.h"
#include "common/util.h"

#define FIRST_FD	3

static int refuse(int rc, const char *what, const char *text)
{
	agent_log("error", "listen", "ss ss", "socket", what, "message", text);
	return rc;
}

static bool is_loopback(const struct sockaddr_storage *address)
{
	const struct sockaddr_in *v4 = (const void *)address;
	const struct sockaddr_in6 *v6 = (const void *)address;

	if (address->ss_family == AF_INET)
		return ntohl(v4->sin_addr.s_addr) >> 24 == IN_LOOPBACKNET;
	return address->ss_family == AF_INET6 && IN6_IS_ADDR_LOOPBACK(&v6->sin6_addr);
}

static int add(struct agent *agent, int fd, const char *what)
{
	struct sockaddr_storage address = { 0 };
	socklen_t len = sizeof(address), flag_len = sizeof(int);
	int listening = 0;

	if (agent->listener_count == AGENT_MAX_LISTENERS)
		return refuse(-E2BIG, what, "more sockets than there may be");
	if (getsockopt(fd, SOL_SOCKET, SO_ACCEPTCONN, &listening, &flag_len) || !listening ||
	    getsockname(fd, (struct sockaddr *)&address, &len))
		return refuse(-EINVAL, what, "no socket that listens (a unit with Accept=yes?)");
	if (address.ss_family != AF_UNIX && !is_loopback(&address))
		return refuse(-EINVAL, what, "neither a UNIX socket nor one of loopback");
	/* by TCP nobody is told from another, and a label is for one workload alone */
	if (address.ss_family != AF_UNIX && agent->options->label)
		return refuse(-EINVAL, what, "no label by TCP, which is for everybody");
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) || fcntl(fd, F_SETFL, O_NONBLOCK))
		return refuse(-errno, what, strerror(errno));
	agent->listener[agent->listener_count++] = fd;
	return 0;
}

static int inherit(struct agent *agent)
{
	const char *pid = getenv("LISTEN_PID"), *count = getenv("LISTEN_FDS");
	long fds = pid && count && strtol(pid, NULL, 10) == getpid() ? strtol(count, NULL, 10) : 0;
	int rc = 0;

	for (int i = 0; !rc && i < fds; i++)
		rc = add(agent, FIRST_FD + i, "of systemd");
	unsetenv("LISTEN_PID");
	unsetenv("LISTEN_FDS");
	unsetenv("LISTEN_FDNAMES");
	return rc;
}

/* Who may connect is who may write to it: for its group, and nobody else. */
static int open_unix(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	mode_t mask;
	int rc;

	if (fd < 0)
		return -errno;
	if (strlen(path) >= sizeof(address.sun_path)) {
		close(fd);
		return -ENAMETOOLONG;
	}
	strcpy(address.sun_path, path);
	/* of one that has ended; what is no socket is not removed */
	if (connect(fd, (struct sockaddr *)&address, sizeof(address)) && errno == ECONNREFUSED)
		unlink(path);
	mask = umask(0117);
	rc = bind(fd, (struct sockaddr *)&address, sizeof(address)) ? -errno : 0;
	umask(mask);
	if (rc)
		close(fd);
	return rc ? rc : fd;
}

/* "127.0.0.1:PORT", "[::1]:PORT" */
static bool parse_address(const char *text, struct sockaddr_storage *address, socklen_t *len)
{
	struct sockaddr_in *v4 = (void *)address;
	struct sockaddr_in6 *v6 = (void *)address;
	char host[64], end;
	unsigned int port;

	memset(address, 0, sizeof(*address));
	if (sscanf(text, "[%63[0-9a-fA-F:]]:%u%c", host, &port, &end) == 2) {
		*v6 = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons(port) };
		*len = sizeof(*v6);
		return port <= UINT16_MAX && inet_pton(AF_INET6, host, &v6->sin6_addr) == 1;
	}
	if (sscanf(text, "%63[0-9.]:%u%c", host, &port, &end) != 2)
		return false;
	*v4 = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons(port) };
	*len = sizeof(*v4);
	return port <= UINT16_MAX && inet_pton(AF_INET, host, &v4->sin_addr) == 1;
}

static int open_tcp(const char *text)
{
	struct sockaddr_storage address;
	socklen_t len;
	int fd, one = 1;

	if (!parse_address(text, &address, &len))
		return -EINVAL;
	fd = socket(address.ss_family, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (fd < 0)
		return -errno;
	setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof(one));
	if (bind(fd, (struct sockaddr *)&address, len)) {
		int rc = -errno;

		close(fd);
		return rc;
	}
	return fd;
}

static int make(struct agent *agent, const char *name)
{
	int fd = *name == '/' ? open_unix(name) : open_tcp(name);

	if (fd < 0)
		return refuse(fd, name, fd == -EINVAL ? "neither a path nor ADDRESS:PORT" :
			      strerror(-fd));
	if (listen(fd, SOMAXCONN)) {
		close(fd);
		return refuse(-EADDRINUSE, name, "cannot be listened on");
	}
	return add(agent, fd, name);
}

int agent_listen(struct agent *agent)
{
	const struct agent_options *options = agent->options;
	int rc = inherit(agent);

	for (size_t i = 0; !rc && i < options->listen_count; i++)
		rc = make(agent, options->listen[i]);
	if (!rc && !agent->listener_count)
		return refuse(-EINVAL, "none", "none was handed over and none is named by --listen");
	return rc;
}
