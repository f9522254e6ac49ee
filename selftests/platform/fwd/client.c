// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "client.h"

/* a peer that does not read its answers is not read from either */
#define OUT_FULL	(4 * CLIENT_IN)

/* and one that only asks for the future waits, too */
#define HELD_MAX	1024

struct held {
	struct held *next;
	uint64_t due;
	size_t len;
	uint8_t bytes[];
};

int client_open(struct client *client, int fd)
{
	memset(client, 0, sizeof(*client));
	client->fd = fd;
	client->in = malloc(CLIENT_IN);
	return client->in ? 0 : -1;
}

void client_close(struct client *client)
{
	struct held *held;

	while ((held = client->held)) {
		client->held = held->next;
		free(held);
	}
	free(client->in);
	free(client->out);
	close(client->fd);
	memset(client, 0, sizeof(*client));
	client->fd = -1;
}

static bool full(const struct client *client)
{
	const struct held *held = client->held;
	unsigned int n = 0;

	if (client->out_len >= OUT_FULL)
		return true;
	for (; held; held = held->next)
		n++;
	return n >= HELD_MAX;
}

short client_events(const struct client *client)
{
	return (short)((full(client) ? 0 : POLLIN) | (client->out_len ? POLLOUT : 0));
}

uint64_t client_due(const struct client *client)
{
	return client->held ? client->held->due : UINT64_MAX;
}

static int append(struct client *client, const void *bytes, size_t len)
{
	size_t need = client->out_len + len;

	if (client->out_pos) {
		memmove(client->out, client->out + client->out_pos, client->out_len);
		client->out_pos = 0;
	}
	if (need > client->out_size) {
		uint8_t *bigger = realloc(client->out, need * 2);

		if (!bigger)
			return -1;
		client->out = bigger;
		client->out_size = need * 2;
	}
	memcpy(client->out + client->out_len, bytes, len);
	client->out_len = need;
	return 0;
}

static int hold(struct client *client, uint64_t due, const struct fw_frame *frame,
		const uint8_t *payload)
{
	struct held *held = malloc(sizeof(*held) + sizeof(*frame) + frame->len);
	struct held **at = &client->held;

	if (!held)
		return -1;
	held->due = due;
	held->len = sizeof(*frame) + frame->len;
	memcpy(held->bytes, frame, sizeof(*frame));
	memcpy(held->bytes + sizeof(*frame), payload, frame->len);
	while (*at && (*at)->due <= due)
		at = &(*at)->next;
	held->next = *at;
	*at = held;
	return 0;
}

static int release(struct client *client, uint64_t now)
{
	struct held *held;

	while ((held = client->held) && held->due <= now) {
		int ret = append(client, held->bytes, held->len);

		client->held = held->next;
		free(held);
		if (ret)
			return -1;
	}
	return 0;
}

static int answer(struct client *client, struct fwd *fwd, const struct fw_frame *frame,
		  const uint8_t *payload)
{
	/* modules read and write structs here; in the stream these lie anywhere */
	static _Alignas(16) uint8_t request[FW_MAX_PAYLOAD], data[FW_MAX_PAYLOAD];
	struct answer reply = { .data = data };
	uint64_t now = model_now();
	struct fw_frame head = { .magic = FW_MAGIC, .type = frame->type, .id = frame->id };

	memcpy(request, payload, frame->len);
	request_handle(fwd, frame, request, &reply, now);
	if (reply.never)
		return 0;
	head.len = reply.len;
	head.flags = reply.flags;
	head.status = reply.status;
	head.delay_ns = reply.delay_ns;
	/* the kernel half waits by itself, closer to the guest; a program does not */
	if (frame->type == FW_SIM_REPORT || frame->type == FW_SIM_QUOTE)
		return hold(client, now + reply.delay_ns, &head, data);
	return append(client, &head, sizeof(head)) || append(client, data, reply.len) ? -1 : 0;
}

/*
 * The whole frames in the buffer, as long as there is room for answers; what
 * remains stays at its start.
 */
static int consume(struct client *client, struct fwd *fwd)
{
	size_t pos = 0;

	while (client->in_len - pos >= sizeof(struct fw_frame) && !full(client)) {
		struct fw_frame frame;
		const char *why;

		memcpy(&frame, client->in + pos, sizeof(frame));
		why = request_malformed(&frame);
		if (why) {
			fprintf(stderr, "cvm-fwd: dropped a client: %s (type %u, %u bytes)\n", why,
				frame.type, frame.len);
			return -1;
		}
		if (client->in_len - pos < sizeof(frame) + frame.len)
			break;
		if (answer(client, fwd, &frame, client->in + pos + sizeof(frame)))
			return -1;
		pos += sizeof(frame) + frame.len;
	}
	client->in_len -= pos;
	memmove(client->in, client->in + pos, client->in_len);
	return 0;
}

int client_read(struct client *client, struct fwd *fwd)
{
	size_t room = CLIENT_IN - client->in_len;
	ssize_t n;

	/* no room: whole frames that wait for room for their answers */
	if (!room)
		return 0;
	n = read(client->fd, client->in + client->in_len, room);
	if (n < 0)
		return errno == EAGAIN || errno == EINTR ? 0 : -1;
	if (!n)
		return -1;
	client->in_len += (size_t)n;
	return consume(client, fwd);
}

int client_write(struct client *client, struct fwd *fwd, uint64_t now)
{
	ssize_t n;

	if (release(client, now))
		return -1;
	while (client->out_len) {
		n = write(client->fd, client->out + client->out_pos, client->out_len);
		if (n < 0)
			return errno == EAGAIN || errno == EINTR ? 0 : -1;
		client->out_pos += (size_t)n;
		client->out_len -= (size_t)n;
	}
	client->out_pos = 0;
	/* what had to wait; poll() tells when its answers can be written */
	return consume(client, fwd);
}
