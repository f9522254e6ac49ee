// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <openssl/err.h>
#include <poll.h>
#include <stdbool.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "pump.h"

/**
 * struct lane - one direction
 * @data: what is on its way: from @done to @len
 * @ended: nothing more comes
 * @closed: and the other side knows
 */
struct lane {
	char data[16384];
	size_t len, done;
	bool ended, closed;
};

struct pump {
	SSL *ssl;
	int in, out, idle_ms;
	struct lane to_tls, from_tls;
};

static bool can_take(const struct lane *lane)
{
	return !lane->len && !lane->ended;
}

static void took(struct lane *lane, size_t len)
{
	lane->len = len;
	lane->done = 0;
}

static void gave(struct lane *lane, size_t len)
{
	lane->done += len;
	if (lane->done == lane->len)
		took(lane, 0);
}

/* Each step: 0, also where there is nothing to do; -1 where the connection is broken. */

/* It looks at OpenSSL's list of errors too, in which what has verified evidence leaves its own. */
static int tls_result(SSL *ssl, int n)
{
	switch (SSL_get_error(ssl, n)) {
	case SSL_ERROR_WANT_READ:
	case SSL_ERROR_WANT_WRITE:
		return 0;
	default:
		return -1;
	}
}

static int read_tls(struct pump *p)
{
	int n;

	if (!can_take(&p->from_tls))
		return 0;
	ERR_clear_error();
	n = SSL_read(p->ssl, p->from_tls.data, sizeof(p->from_tls.data));
	if (n > 0)
		took(&p->from_tls, (size_t)n);
	else if (SSL_get_error(p->ssl, n) == SSL_ERROR_ZERO_RETURN)
		p->from_tls.ended = true;
	else
		return tls_result(p->ssl, n);
	return 0;
}

static int write_tls(struct pump *p)
{
	struct lane *lane = &p->to_tls;
	int n;

	ERR_clear_error();
	if (lane->len) {
		n = SSL_write(p->ssl, lane->data + lane->done, (int)(lane->len - lane->done));
		if (n <= 0)
			return tls_result(p->ssl, n);
		gave(lane, (size_t)n);
	}
	if (lane->ended && !lane->len && !lane->closed) {
		n = SSL_shutdown(p->ssl);
		lane->closed = n >= 0;
		return n >= 0 ? 0 : tls_result(p->ssl, n);
	}
	return 0;
}

static int read_plain(struct pump *p)
{
	ssize_t n = read(p->in, p->to_tls.data, sizeof(p->to_tls.data));

	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -1;
	took(&p->to_tls, (size_t)n);
	p->to_tls.ended = !n;
	return 0;
}

/* No more at a time than poll() has promised to take, of a pipe too */
static int write_plain(struct pump *p)
{
	struct lane *lane = &p->from_tls;
	size_t len = lane->len - lane->done;
	ssize_t n = write(p->out, lane->data + lane->done, len < PIPE_BUF ? len : PIPE_BUF);

	if (n < 0)
		return errno == EINTR || errno == EAGAIN ? 0 : -1;
	gave(lane, (size_t)n);
	return 0;
}

static void end_plain(struct pump *p)
{
	if (!p->from_tls.ended || p->from_tls.len || p->from_tls.closed)
		return;
	/* of a pipe, or a terminal, there is no half to close */
	shutdown(p->out, SHUT_WR);
	p->from_tls.closed = true;
}

/*
 * Waits for something to do, and does it. A descriptor of which nothing is wanted is left
 * out: that its other side is gone would end each wait, and there is nothing to do about it.
 */
static int step(struct pump *p)
{
	bool sending = p->to_tls.len || (p->to_tls.ended && !p->to_tls.closed);
	int events = (can_take(&p->from_tls) ? POLLIN : 0) | (sending ? POLLOUT : 0);
	struct pollfd fds[] = {
		{ .fd = events ? SSL_get_fd(p->ssl) : -1, .events = (short)events },
		{ .fd = can_take(&p->to_tls) ? p->in : -1, .events = POLLIN },
		{ .fd = p->from_tls.len ? p->out : -1, .events = POLLOUT },
	};
	bool pending = can_take(&p->from_tls) && SSL_pending(p->ssl);
	int ready = poll(fds, 3, pending ? 0 : p->idle_ms);

	if (ready < 0)
		return errno == EINTR ? 0 : -1;
	if (!ready && !pending)
		return -1;
	if ((fds[0].revents || pending) && read_tls(p))
		return -1;
	if (fds[1].revents && read_plain(p))
		return -1;
	if (fds[2].revents && write_plain(p))
		return -1;
	end_plain(p);
	return write_tls(p);
}

int pump(SSL *ssl, int in, int out, int idle)
{
	struct pump p = { .ssl = ssl, .in = in, .out = out, .idle_ms = idle * 1000 };
	int fd = SSL_get_fd(ssl);

	if (fcntl(fd, F_SETFL, fcntl(fd, F_GETFL) | O_NONBLOCK))
		return -1;
	SSL_set_mode(ssl, SSL_MODE_ENABLE_PARTIAL_WRITE | SSL_MODE_ACCEPT_MOVING_WRITE_BUFFER);
	while (!p.to_tls.closed || !p.from_tls.closed)
		if (step(&p))
			return -1;
	return 0;
}
