// SPDX-License-Identifier: MIT
/*
 * cvmctl key credential: those who get no key. What ends short of more than systemd takes
 * would be taken for a key, and its text is known to everybody; so a refusal ends when its
 * reader has had all of it, or is gone, and not because he is slow: the host can make him so.
 * Nobody else waits meanwhile.
 */
#include <errno.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>

#include "common/util.h"
#include "key.h"

/* Bytes: more than systemd takes of credentials, 1 MiB */
#define TOO_MUCH	(2U << 20)

/* Milliseconds between two tries of what there was no memory for */
#define AGAIN_MS	10

/* Whether there is more to come. Out of memory is no end: it is tried again. */
static bool send_more(struct key_refusal *refusal)
{
	static const char line[] = "no key: the journal of cvm-credential.service says why\n";
	char text[(sizeof(line) - 1) * 256];
	ssize_t sent;

	for (size_t i = 0; i < sizeof(text); i++)
		text[i] = line[i % (sizeof(line) - 1)];
	sent = send(refusal->fd, text, sizeof(text), MSG_NOSIGNAL | MSG_DONTWAIT);
	if (sent < 0 && (errno == ENOMEM || errno == ENOBUFS))
		nanosleep(&(struct timespec){ 0, AGAIN_MS * 1000000 }, NULL);
	if (sent < 0)
		return errno != EPIPE && errno != ECONNRESET;
	refusal->sent += (size_t)sent;
	return refusal->sent < TOO_MUCH;
}

void key_refuse(struct key_refusals *all, int fd)
{
	all->one[all->count++] = (struct key_refusal){ .fd = fd };
}

void key_refuse_more(struct key_refusals *all)
{
	for (size_t i = all->count; i--; ) {
		if (send_more(&all->one[i]))
			continue;
		close(all->one[i].fd);
		all->one[i] = all->one[--all->count];
	}
}
