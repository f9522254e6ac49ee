/* SPDX-License-Identifier: GPL-2.0 */
/*
 * io_uring, by its system calls: one read at a time.
 */
#ifndef RING_H
#define RING_H

#include <stdbool.h>
#include <stddef.h>

struct io_uring_cqe;
struct io_uring_sqe;

struct ring {
	int fd;
	void *sq;
	void *cq;
	struct io_uring_sqe *sqes;
	size_t sq_size;
	size_t cq_size;
	unsigned int *sq_tail;
	unsigned int *sq_array;
	unsigned int *cq_head;
	unsigned int *cq_tail;
	struct io_uring_cqe *cqes;
	unsigned int mask;
};

/* false: this kernel has none, or does not let us */
bool ring_open(struct ring *ring);
void ring_close(struct ring *ring);

/* starts a read; 0 or a negative errno */
int ring_read(struct ring *ring, int fd, void *room, unsigned int size);
/* has it ended? */
bool ring_done(const struct ring *ring);
/* waits for its end: bytes, or a negative errno */
int ring_wait(struct ring *ring);

#endif /* RING_H */
