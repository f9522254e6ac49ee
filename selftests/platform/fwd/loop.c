// SPDX-License-Identifier: GPL-2.0
/* One thread, one poll: clients come and go, answers become due. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <time.h>

#include "azure_front.h"
#include "cleanup.h"
#include "client.h"

#define MAX_CLIENTS 64
#define MAX_FDS (MAX_CLIENTS + 1 + AZURE_FDS)

static volatile sig_atomic_t stop;

static void on_signal(int sig)
{
	stop = 1;
}

/* the signals that end us arrive in ppoll() and nowhere else */
static void block_signals(sigset_t *open_mask)
{
	const struct sigaction action = { .sa_handler = on_signal };
	sigset_t ending;

	sigemptyset(&ending);
	sigaddset(&ending, SIGTERM);
	sigaddset(&ending, SIGINT);
	sigprocmask(SIG_BLOCK, &ending, open_mask);
	sigdelset(open_mask, SIGTERM);
	sigdelset(open_mask, SIGINT);
	sigaction(SIGTERM, &action, NULL);
	sigaction(SIGINT, &action, NULL);
}

static int complain(const char *what, const char *path)
{
	fprintf(stderr, "cvm-fwd: cannot %s %s: %s\n", what, path, strerror(errno));
	return -1;
}

static bool somebody_listens(const struct sockaddr_un *addr)
{
	int fd __clean(fd) = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	return fd >= 0 && !connect(fd, (const struct sockaddr *)addr, sizeof(*addr));
}

/* the socket appears by rename, so whoever sees it can connect at once */
static int listen_on(const char *path)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX }, temp = addr;
	int fd;

	if (snprintf(temp.sun_path, sizeof(temp.sun_path), "%s.new", path) >=
	    (int)sizeof(temp.sun_path)) {
		errno = ENAMETOOLONG;
		return complain("listen on", path);
	}
	strcpy(addr.sun_path, path);
	if (somebody_listens(&addr)) {
		errno = EADDRINUSE;
		return complain("listen on", path);
	}
	fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	unlink(temp.sun_path);
	if (fd >= 0 && !bind(fd, (struct sockaddr *)&temp, sizeof(temp)) && !listen(fd, 16) &&
	    !rename(temp.sun_path, path))
		return fd;
	complain("listen on", path);
	if (fd >= 0)
		close(fd);
	return -1;
}

struct loop {
	struct fwd *fwd;
	struct client clients[MAX_CLIENTS];
	int listener;
	bool has_tpm;
};

static unsigned int live(const struct loop *loop)
{
	unsigned int i, n = 0;

	for (i = 0; i < MAX_CLIENTS; i++)
		n += loop->clients[i].fd >= 0;
	return n;
}

static void add(struct loop *loop, int fd)
{
	unsigned int i;

	for (i = 0; i < MAX_CLIENTS; i++) {
		if (loop->clients[i].fd >= 0)
			continue;
		if (client_open(&loop->clients[i], fd))
			client_close(&loop->clients[i]);
		return;
	}
	fprintf(stderr, "cvm-fwd: refused a client: %d are connected\n", MAX_CLIENTS);
	close(fd);
}

static void accept_client(struct loop *loop)
{
	int fd = accept4(loop->listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);

	if (fd >= 0)
		add(loop, fd);
}

/*
 * Waits for something to do; the clients' results are in pfd[0..MAX_CLIENTS), then
 * that of the listener, then the TPM's
 */
static void wait_events(struct loop *loop, struct pollfd *pfd, const sigset_t *mask)
{
	uint64_t due = front_prepare(pfd + MAX_CLIENTS + 1), now, left;
	struct timespec timeout;
	unsigned int i;

	for (i = 0; i < MAX_CLIENTS; i++) {
		const struct client *client = &loop->clients[i];

		pfd[i].fd = client->fd;
		pfd[i].events = client->fd < 0 ? 0 : client_events(client);
		if (client->fd >= 0 && client_due(client) < due)
			due = client_due(client);
	}
	pfd[i].fd = loop->listener;
	pfd[i].events = POLLIN;
	now = model_now();
	left = due > now ? due - now : 0;
	timeout.tv_sec = (time_t)(left / 1000000000);
	timeout.tv_nsec = (long)(left % 1000000000);
	if (ppoll(pfd, MAX_FDS, due == UINT64_MAX ? NULL : &timeout, mask) < 0)
		memset(pfd, 0, MAX_FDS * sizeof(*pfd));
}

static int serve_client(struct loop *loop, struct client *client, short events)
{
	int ret = 0;

	if (events & (POLLIN | POLLHUP | POLLERR))
		ret = client_read(client, loop->fwd);
	return ret ? ret : client_write(client, loop->fwd, model_now());
}

static int turn(struct loop *loop, const sigset_t *mask)
{
	struct pollfd pfd[MAX_FDS];
	unsigned int i;

	wait_events(loop, pfd, mask);
	for (i = 0; i < MAX_CLIENTS; i++) {
		struct client *client = &loop->clients[i];

		if (client->fd >= 0 && serve_client(loop, client, pfd[i].revents))
			client_close(client);
	}
	if (loop->listener >= 0 && pfd[MAX_CLIENTS].revents)
		accept_client(loop);
	if (!loop->has_tpm || !front_serve(loop->fwd, pfd + MAX_CLIENTS + 1))
		return 0;
	fprintf(stderr, "cvm-fwd: the TPM is gone\n");
	return -1;
}

static int open_tpm(struct loop *loop, const struct azure_sockets *sockets)
{
	loop->has_tpm = sockets;
	return sockets ? front_open(sockets) : 0;
}

int loop_run(struct fwd *fwd, const struct loop_config *config)
{
	static struct loop loop;
	bool seen = config->device;
	sigset_t mask;
	unsigned int i;
	int fd, ret = 0;

	block_signals(&mask);
	loop.fwd = fwd;
	loop.listener = -1;
	for (i = 0; i < MAX_CLIENTS; i++)
		loop.clients[i].fd = -1;
	if (open_tpm(&loop, config->tpm))
		return -1;
	if (config->device) {
		fd = open(config->device, O_RDWR | O_NONBLOCK | O_CLOEXEC);
		if (fd < 0)
			return complain("open", config->device);
		add(&loop, fd);
	} else {
		loop.listener = listen_on(config->socket);
		if (loop.listener < 0)
			return -1;
	}
	while (!stop && !ret && !((config->once || config->device) && seen && !live(&loop))) {
		ret = turn(&loop, &mask);
		seen |= live(&loop) > 0;
	}
	for (i = 0; i < MAX_CLIENTS; i++)
		if (loop.clients[i].fd >= 0)
			client_close(&loop.clients[i]);
	front_close();
	if (config->socket)
		unlink(config->socket);
	return ret;
}
