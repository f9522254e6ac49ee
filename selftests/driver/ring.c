// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <linux/io_uring.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "ring.h"

#define ENTRIES	4

static void *map(const struct ring *ring, size_t size, off_t offset)
{
	return mmap(NULL, size, PROT_READ | PROT_WRITE,
		    MAP_SHARED | MAP_POPULATE, ring->fd, offset);
}

static unsigned int *at(void *base, unsigned int offset)
{
	return (unsigned int *)((char *)base + offset);
}

bool ring_open(struct ring *ring)
{
	struct io_uring_params p = {};

	ring->fd = syscall(SYS_io_uring_setup, ENTRIES, &p);
	if (ring->fd < 0)
		return false;
	ring->sq_size = p.sq_off.array + p.sq_entries * sizeof(unsigned int);
	ring->cq_size = p.cq_off.cqes +
			p.cq_entries * sizeof(struct io_uring_cqe);
	ring->sq = map(ring, ring->sq_size, IORING_OFF_SQ_RING);
	ring->cq = map(ring, ring->cq_size, IORING_OFF_CQ_RING);
	ring->sqes = map(ring, ENTRIES * sizeof(*ring->sqes), IORING_OFF_SQES);
	if (ring->sq == MAP_FAILED || ring->cq == MAP_FAILED ||
	    ring->sqes == MAP_FAILED)
		return false;
	ring->sq_tail = at(ring->sq, p.sq_off.tail);
	ring->sq_array = at(ring->sq, p.sq_off.array);
	ring->cq_head = at(ring->cq, p.cq_off.head);
	ring->cq_tail = at(ring->cq, p.cq_off.tail);
	ring->cqes = (void *)at(ring->cq, p.cq_off.cqes);
	ring->mask = p.cq_entries - 1;
	return true;
}

void ring_close(struct ring *ring)
{
	munmap(ring->sqes, ENTRIES * sizeof(*ring->sqes));
	munmap(ring->cq, ring->cq_size);
	munmap(ring->sq, ring->sq_size);
	close(ring->fd);
}

static int enter(struct ring *ring, unsigned int submit, unsigned int wait)
{
	long ret = syscall(SYS_io_uring_enter, ring->fd, submit, wait,
			   wait ? IORING_ENTER_GETEVENTS : 0, NULL, 0);

	return ret < 0 ? -errno : (int)ret;
}

int ring_read(struct ring *ring, int fd, void *room, unsigned int size)
{
	unsigned int tail = *ring->sq_tail, slot = tail % ENTRIES;
	struct io_uring_sqe *sqe = &ring->sqes[slot];
	int ret;

	memset(sqe, 0, sizeof(*sqe));
	sqe->opcode = IORING_OP_READ;
	sqe->fd = fd;
	sqe->addr = (unsigned long)room;
	sqe->len = size;
	sqe->off = -1ULL;
	ring->sq_array[slot] = slot;
	__atomic_store_n(ring->sq_tail, tail + 1, __ATOMIC_RELEASE);
	ret = enter(ring, 1, 0);
	return ret == 1 ? 0 : ret < 0 ? ret : -EAGAIN;
}

bool ring_done(const struct ring *ring)
{
	return __atomic_load_n(ring->cq_tail, __ATOMIC_ACQUIRE) !=
	       *ring->cq_head;
}

int ring_wait(struct ring *ring)
{
	int ret = 0;

	while (!ring_done(ring) && (ret >= 0 || ret == -EINTR))
		ret = enter(ring, 0, 1);
	if (!ring_done(ring))
		return ret;
	ret = ring->cqes[*ring->cq_head & ring->mask].res;
	__atomic_store_n(ring->cq_head, *ring->cq_head + 1, __ATOMIC_RELEASE);
	return ret;
}
