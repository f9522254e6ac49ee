/* SPDX-License-Identifier: GPL-2.0 */
/* One stream of frames: bytes in, requests out; answers in, bytes out. */
#ifndef CVM_FWD_CLIENT_H
#define CVM_FWD_CLIENT_H

#include "fwd.h"

#define CLIENT_IN	(sizeof(struct fw_frame) + FW_MAX_PAYLOAD)

struct held;

/**
 * struct client - a peer and its two buffers
 * @fd: non-blocking; -1: unused
 * @in: a frame in the making, in_len bytes of it
 * @out: answers that the peer has not read yet: out_len bytes from out_pos
 * @out_size: allocated for @out
 * @held: answers that are not due yet, the next one first
 */
struct client {
	int fd;
	uint8_t *in, *out;
	size_t in_len, out_pos, out_len, out_size;
	struct held *held;
};

int client_open(struct client *client, int fd);
void client_close(struct client *client);

/* poll() events to wait for */
short client_events(const struct client *client);

/* when the next held answer is due, UINT64_MAX: none */
uint64_t client_due(const struct client *client);

/* 0, or -1: the peer is gone or talks nonsense; close it */
int client_read(struct client *client, struct fwd *fwd);
int client_write(struct client *client, struct fwd *fwd, uint64_t now_ns);

#endif /* CVM_FWD_CLIENT_H */
