// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "http.h"

int http_connect(struct http *http, const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	int rc;

	http->fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);
	if (http->fd < 0)
		return -errno;
	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	if (connect(http->fd, (struct sockaddr *)&address, sizeof(address)) ||
	    fcntl(http->fd, F_SETFL, O_NONBLOCK)) {
		rc = -errno;
		http_close(http);
		return rc;
	}
	if (!http->in)
		http->in = malloc(HTTP_ROOM + 1);
	return http->in ? 0 : -ENOMEM;
}

void http_close(struct http *http)
{
	if (http->fd >= 0)
		close(http->fd);
	http->fd = -1;
}

void http_get(struct http *http, const char *path)
{
	char text[2048];
	int len = snprintf(text, sizeof(text), "GET %s HTTP/1.1\r\nHost: agent\r\n\r\n", path);

	http->in_len = 0;
	http->status = 0;
	/* there is room for it; who is refused is answered, whatever was read of it */
	http->unsent = send(http->fd, text, (size_t)len, MSG_NOSIGNAL) != len;
}

/* 1: it is whole */
static int parse(struct http *http)
{
	char *end, *line;
	size_t length = 0;

	http->in[http->in_len] = '\0';
	end = strstr(http->in, "\r\n\r\n");
	if (!end)
		return 0;
	line = strcasestr(http->in, "\r\nContent-Length:");
	if (line && line < end)
		length = strtoul(line + strlen("\r\nContent-Length:"), NULL, 10);
	http->body = end + 4;
	http->body_len = length;
	if (http->in_len < (size_t)(http->body - http->in) + length)
		return 0;
	line = strcasestr(http->in, "\r\nConnection: close");
	http->close = line && line < end;
	return sscanf(http->in, "HTTP/1.1 %u", &http->status) == 1 ? 1 : -EBADMSG;
}

int http_go_on(struct http *http)
{
	for (;;) {
		ssize_t got = recv(http->fd, http->in + http->in_len, HTTP_ROOM - http->in_len, 0);

		if (got < 0 && errno == EAGAIN)
			return 0;
		if (got <= 0)
			return got < 0 ? -errno : -ECONNRESET;
		http->in_len += (size_t)got;
		if (parse(http))
			return http->status ? 1 : -EBADMSG;
		if (http->in_len == HTTP_ROOM)
			return -EMSGSIZE;
	}
}
