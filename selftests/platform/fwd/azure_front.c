// SPDX-License-Identifier: GPL-2.0
/*
 * Who speaks to the TPM: programs, each over a connection of its own, with their
 * commands in turn; or QEMU, whose control channel goes on to swtpm's, but for the
 * descriptor that its commands come through, which stays here.
 */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "azure.h"
#include "azure_front.h"

enum role {
	NOBODY, LISTEN_DATA, LISTEN_CONTROL, LISTEN_QEMU,
	DATA, CONTROL, QEMU_CONTROL, SWTPM_CONTROL,
};

struct peer {
	enum role role;
	int fd;
	uint8_t in[TPM_MAX];
	size_t len;
};

static struct peer peers[AZURE_FDS];

/* one command at a time is in the TPM: the next waits for this one's answer */
static struct {
	struct peer *to;
	uint8_t bytes[TPM_MAX];
	size_t len;
	uint64_t due;
} answer;

static const char *paths[4];

static void drop(struct peer *peer)
{
	if (answer.to == peer)
		answer.to = NULL;
	/* swtpm's own stays open with swtpm */
	if (peer->role != SWTPM_CONTROL)
		close(peer->fd);
	memset(peer, 0, sizeof(*peer));
}

static struct peer *add(enum role role, int fd)
{
	unsigned int i;

	for (i = 0; fd >= 0 && i < AZURE_FDS; i++) {
		if (peers[i].role != NOBODY)
			continue;
		peers[i] = (struct peer){ .role = role, .fd = fd };
		return &peers[i];
	}
	if (fd >= 0)
		close(fd);
	return NULL;
}

static int listen_at(enum role role, const char *path, const char *suffix)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s%s", path, suffix);
	unlink(addr.sun_path);
	if (fd >= 0 && !bind(fd, (struct sockaddr *)&addr, sizeof(addr)) && !listen(fd, 16) &&
	    add(role, fd))
		return 0;
	fprintf(stderr, "cvm-fwd: cannot listen on %s: %s\n", addr.sun_path, strerror(errno));
	return -1;
}

int front_open(const struct azure_sockets *sockets)
{
	paths[0] = sockets->plain;
	paths[1] = sockets->qemu;
	/* the control socket first: who sees the other may use both */
	if (sockets->plain && (listen_at(LISTEN_CONTROL, sockets->plain, ".ctrl") ||
			       listen_at(LISTEN_DATA, sockets->plain, "")))
		return -1;
	if (!sockets->qemu)
		return 0;
	return listen_at(LISTEN_QEMU, sockets->qemu, "") ||
	       !add(SWTPM_CONTROL, azure_swtpm_control()) ? -1 : 0;
}

bool front_has_firmware(void)
{
	return paths[1];
}

void front_close(void)
{
	char control[200];
	unsigned int i;

	for (i = 0; i < AZURE_FDS; i++)
		if (peers[i].role != NOBODY)
			drop(&peers[i]);
	if (paths[0]) {
		snprintf(control, sizeof(control), "%s.ctrl", paths[0]);
		unlink(control);
		unlink(paths[0]);
	}
	if (paths[1])
		unlink(paths[1]);
}

uint64_t front_prepare(struct pollfd *pfd)
{
	unsigned int i;

	for (i = 0; i < AZURE_FDS; i++) {
		bool waits = peers[i].role == DATA && answer.to;

		pfd[i].fd = peers[i].role == NOBODY || waits ? -1 : peers[i].fd;
		pfd[i].events = POLLIN;
		pfd[i].revents = 0;
	}
	return answer.to ? answer.due : UINT64_MAX;
}

static void deliver(void)
{
	if (!answer.to || model_now() < answer.due)
		return;
	if (send(answer.to->fd, answer.bytes, answer.len, MSG_NOSIGNAL) != (ssize_t)answer.len)
		drop(answer.to);
	answer.to = NULL;
}

/* ---- commands ---- */

static int run_command(struct fwd *fwd, struct peer *peer)
{
	size_t size;

	if (peer->len < TPM_HEADER || answer.to)
		return 0;
	size = get_be(peer->in + 2, 4);
	if (size < TPM_HEADER || size > sizeof(peer->in)) {
		drop(peer);
		return 0;
	}
	if (peer->len < size)
		return 0;
	answer.due = 0;
	answer.len = azure_command(fwd, peer->in, size, answer.bytes, &answer.due);
	if (!answer.len)
		return -1;
	answer.to = peer;
	peer->len -= size;
	memmove(peer->in, peer->in + size, peer->len);
	deliver();
	return 0;
}

static int serve_data(struct fwd *fwd, struct peer *peer)
{
	ssize_t n;

	if (answer.to)
		return 0;
	n = recv(peer->fd, peer->in + peer->len, sizeof(peer->in) - peer->len, MSG_DONTWAIT);
	if (n <= 0) {
		if (n == 0 || errno != EAGAIN)
			drop(peer);
		return 0;
	}
	peer->len += (size_t)n;
	return run_command(fwd, peer);
}

/* ---- control channels ---- */

static const uint8_t done[4];

/* a program's: localities and power are not simulated, so all is well */
static void serve_control(struct peer *peer)
{
	uint8_t bytes[64];

	if (recv(peer->fd, bytes, sizeof(bytes), 0) <= 0 ||
	    send(peer->fd, done, sizeof(done), MSG_NOSIGNAL) != sizeof(done))
		drop(peer);
}

static int passed_descriptor(struct msghdr *msg)
{
	struct cmsghdr *head = CMSG_FIRSTHDR(msg);
	int fd;

	if (!head || head->cmsg_level != SOL_SOCKET || head->cmsg_type != SCM_RIGHTS)
		return -1;
	memcpy(&fd, CMSG_DATA(head), sizeof(fd));
	return fd;
}

static void forward(enum role role, const uint8_t *bytes, size_t len)
{
	unsigned int i;

	for (i = 0; i < AZURE_FDS; i++)
		if (peers[i].role == role &&
		    send(peers[i].fd, bytes, len, MSG_NOSIGNAL) != (ssize_t)len)
			drop(&peers[i]);
}

static void serve_qemu(struct peer *peer)
{
	uint8_t bytes[TPM_MAX];
	union {
		struct cmsghdr head;
		uint8_t room[CMSG_SPACE(sizeof(int))];
	} rights;
	struct iovec iov = { .iov_base = bytes, .iov_len = sizeof(bytes) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &rights,
			      .msg_controllen = sizeof(rights) };
	ssize_t n = recvmsg(peer->fd, &msg, MSG_CMSG_CLOEXEC);
	int fd;

	if (n <= 0) {
		drop(peer);
		return;
	}
	fd = passed_descriptor(&msg);
	if (fd < 0)
		forward(SWTPM_CONTROL, bytes, (size_t)n);
	else if (!add(DATA, fd) || send(peer->fd, done, sizeof(done), MSG_NOSIGNAL) < 0)
		drop(peer);
}

/* it ends when QEMU does, which says so */
static void serve_swtpm(struct peer *peer)
{
	uint8_t bytes[TPM_MAX];
	ssize_t n = recv(peer->fd, bytes, sizeof(bytes), 0);

	if (n > 0)
		forward(QEMU_CONTROL, bytes, (size_t)n);
	else
		drop(peer);
}

static int serve(struct fwd *fwd, struct peer *peer)
{
	switch (peer->role) {
	case LISTEN_DATA:
		add(DATA, accept4(peer->fd, NULL, NULL, SOCK_CLOEXEC));
		return 0;
	case LISTEN_CONTROL:
		add(CONTROL, accept4(peer->fd, NULL, NULL, SOCK_CLOEXEC));
		return 0;
	case LISTEN_QEMU:
		add(QEMU_CONTROL, accept4(peer->fd, NULL, NULL, SOCK_CLOEXEC));
		return 0;
	case DATA:
		return serve_data(fwd, peer);
	case CONTROL:
		serve_control(peer);
		return 0;
	case QEMU_CONTROL:
		serve_qemu(peer);
		return 0;
	case SWTPM_CONTROL:
		serve_swtpm(peer);
		return 0;
	case NOBODY:
		return 0;
	}
	return 0;
}

int front_serve(struct fwd *fwd, const struct pollfd *pfd)
{
	unsigned int i;

	deliver();
	for (i = 0; i < AZURE_FDS; i++)
		if (pfd[i].revents && peers[i].fd == pfd[i].fd && serve(fwd, &peers[i]))
			return -1;
	/* commands that came in one piece with the one before */
	for (i = 0; i < AZURE_FDS; i++)
		if (peers[i].role == DATA && run_command(fwd, &peers[i]))
			return -1;
	return 0;
}

/* ---- power ---- */

int azure_start(struct fwd *fwd)
{
	uint8_t command[TPM_HEADER + 2] = { 0 }, said[TPM_MAX];

	put_be(command, TPM2_ST_NO_SESSIONS, 2);
	put_be(command + 2, sizeof(command), 4);
	put_be(command + 6, TPM2_CC_Startup, 4);
	return azure_swtpm_ask(command, sizeof(command), said) && !get_be(said + 6, 4) ?
	       azure_booted(fwd) : -1;
}

int azure_reset(struct fwd *fwd)
{
	return azure_swtpm_reset() || azure_start(fwd) ? -1 : 0;
}
