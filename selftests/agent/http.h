/* SPDX-License-Identifier: GPL-2.0 */
/* A client of cvm-agent: one connection, one request at a time, never waiting. */
#ifndef AGENT_HTTP_H
#define AGENT_HTTP_H

#include <stdbool.h>
#include <stddef.h>

/* longer than any answer with evidence */
#define HTTP_ROOM	(256U << 10)

/**
 * struct http - a connection
 * @fd: or -1
 * @in: what has come, @in_len bytes; HTTP_ROOM of them, kept from one answer to the next
 * @status: of the answer, once it is whole
 * @body: of the answer, in @in, with a zero byte behind its @body_len bytes
 * @close: the server closes the connection
 * @unsent: it took no request any more
 */
struct http {
	int fd;
	char *in;
	size_t in_len;
	unsigned int status;
	char *body;
	size_t body_len;
	bool close, unsent;
};

/* 0 or -errno */
int http_connect(struct http *http, const char *path);
void http_close(struct http *http);

/* Ask for @path. */
void http_get(struct http *http, const char *path);

/* 1: the answer is whole; 0: not yet; -errno: the connection has ended */
int http_go_on(struct http *http);

#endif /* AGENT_HTTP_H */
