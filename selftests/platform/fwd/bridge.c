// SPDX-License-Identifier: GPL-2.0
/*
 * Inside the VM, between the simulator's device and the virtio-serial port
 * whose other end is a cvm-fwd beside the VM: one blocking thread for each
 * direction, so a frame waits for nothing but itself.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <string.h>
#include <time.h>

#include "cleanup.h"
#include "fwd.h"

struct direction {
	const char *from_name, *to_name;
	int from, to;
};

static int complain(const char *what, const char *path)
{
	fprintf(stderr, "cvm-fwd: bridge: cannot %s %s: %s\n", what, path, strerror(errno));
	return -1;
}

/* the port may appear a moment after us */
static int open_patiently(const char *path)
{
	const struct timespec pause = { .tv_nsec = 20 * 1000 * 1000 };
	int fd, tries = 500;

	while ((fd = open(path, O_RDWR | O_CLOEXEC)) < 0 && tries--) {
		if (errno != ENOENT && errno != EBUSY && errno != ENXIO && errno != ENODEV)
			break;
		nanosleep(&pause, NULL);
	}
	return fd < 0 ? complain("open", path) : fd;
}

/* a port whose other end is not connected reads as empty: wait for it */
static ssize_t read_some(int fd, void *buf, size_t len)
{
	const struct timespec pause = { .tv_nsec = 20 * 1000 * 1000 };
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	ssize_t n;

	for (;;) {
		n = read(fd, buf, len);
		if (n > 0)
			return n;
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return -1;
		if (poll(&pfd, 1, -1) < 0 && errno != EINTR)
			return -1;
		if (pfd.revents & POLLERR)
			return -1;
		if (!n)
			nanosleep(&pause, NULL);
	}
}

static int write_all(int fd, const uint8_t *buf, size_t len)
{
	struct pollfd pfd = { .fd = fd, .events = POLLOUT };
	ssize_t n;

	while (len) {
		n = write(fd, buf, len);
		if (n < 0 && errno != EINTR && errno != EAGAIN)
			return -1;
		if (n <= 0) {
			poll(&pfd, 1, 100);
			continue;
		}
		buf += n;
		len -= (size_t)n;
	}
	return 0;
}

/*
 * Whole frames only: the port cuts a frame into pieces, and the device should
 * not have to put them together.
 */
static int copy_frames(const struct direction *dir)
{
	static __thread uint8_t buf[sizeof(struct fw_frame) + FW_MAX_PAYLOAD];
	size_t have = 0, whole;
	struct fw_frame frame;
	ssize_t n;

	for (;;) {
		n = read_some(dir->from, buf + have, sizeof(buf) - have);
		if (n < 0)
			return complain("read", dir->from_name);
		have += (size_t)n;
		while (have >= sizeof(frame)) {
			memcpy(&frame, buf, sizeof(frame));
			if (frame.magic != FW_MAGIC || frame.len > FW_MAX_PAYLOAD) {
				errno = EPROTO;
				return complain("make sense of what comes from", dir->from_name);
			}
			whole = sizeof(frame) + frame.len;
			if (have < whole)
				break;
			if (write_all(dir->to, buf, whole))
				return complain("write", dir->to_name);
			have -= whole;
			memmove(buf, buf + whole, have);
		}
	}
}

static void *copy_thread(void *dir)
{
	copy_frames(dir);
	/* half a bridge would hang the guest's requests: end both directions */
	_exit(1);
}

int bridge_run(const char *device, const char *port)
{
	int dev __clean(fd) = open_patiently(device);
	int to __clean(fd) = dev < 0 ? -1 : open_patiently(port);
	struct direction down = { device, port, dev, to }, up = { port, device, to, dev };
	pthread_t thread;

	if (dev < 0 || to < 0)
		return -1;
	errno = pthread_create(&thread, NULL, copy_thread, &up);
	if (errno)
		return complain("start a thread for", port);
	return copy_frames(&down);
}
