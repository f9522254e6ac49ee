// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>
#include <sys/wait.h>
#include <unistd.h>

#include "calls.h"

/* ---- numbers: xorshift64*, which is the same everywhere ---- */

static uint64_t state;

void random_start(uint64_t seed)
{
	state = seed * 2 + 1;
}

uint64_t random_number(void)
{
	state ^= state >> 12;
	state ^= state << 25;
	state ^= state >> 27;
	return state * 0x2545f4914f6cdd1dULL;
}

uint32_t random_below(uint32_t end)
{
	return (uint32_t)((random_number() >> 32) * end >> 32);
}

bool once_in(uint32_t n)
{
	return !random_below(n);
}

void random_bytes(void *out, size_t len)
{
	uint8_t *byte = out;

	while (len--)
		*byte++ = (uint8_t)(random_number() >> 56);
}

/* ---- memory ---- */

static void *map(size_t size, int prot)
{
	void *pages = mmap(NULL, size, prot, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

	if (pages == MAP_FAILED) {
		perror("mmap");
		exit(1);
	}
	return pages;
}

void arena_make(struct arena *arena, unsigned int pages)
{
	arena->size = (size_t)pages * PAGE;
	arena->pages = map(arena->size + PAGE, PROT_READ | PROT_WRITE);
	arena->fixed = map(arena->size, PROT_READ | PROT_WRITE);
	mprotect(arena->pages + arena->size, PAGE, PROT_NONE);
}

void arena_fill(struct arena *arena, uint8_t fill)
{
	memset(arena->pages, fill, arena->size);
}

static void *write_fixed(struct arena *arena, const void *bytes, size_t len)
{
	mprotect(arena->fixed, arena->size, PROT_READ | PROT_WRITE);
	memset(arena->fixed, 0, arena->size);
	if (bytes)
		memcpy(arena->fixed + 64, bytes, len);
	mprotect(arena->fixed, arena->size, PROT_READ);
	return arena->fixed + 64;
}

void *arena_place(struct arena *arena, enum place place, const void *bytes, size_t len)
{
	uint8_t *end = arena->pages + arena->size, *at;

	switch (place) {
	case VALID:
		at = arena->pages + 64;
		break;
	case EDGE:
		at = end - len;
		break;
	case CROSSING:
		at = end - len / 2;
		break;
	case READ_ONLY:
		return write_fixed(arena, bytes, len);
	case UNMAPPED:
		return end;
	case KERNEL:
		return (void *)0xffff888000000000UL;
	default:
		return NULL;
	}
	if (bytes)
		memcpy(at, bytes, place == CROSSING ? len / 2 : len);
	return at;
}

/* FNV-1a */
uint64_t arena_hash(const struct arena *arena, const void *mask, size_t mask_len)
{
	const uint8_t *byte = arena->pages, *end = byte + arena->size, *from = mask;
	uint64_t hash = 0xcbf29ce484222325ULL;

	for (; byte < end; byte++) {
		bool hidden = from && byte >= from && byte < from + mask_len;

		hash = (hash ^ (hidden ? 0 : *byte)) * 0x100000001b3ULL;
	}
	return hash;
}

const char *place_name(enum place place)
{
	static const char *const names[PLACES] = {
		"valid", "edge", "crossing", "read-only", "unmapped", "null", "kernel",
	};

	return names[place];
}

enum place place_any(void)
{
	return once_in(6) ? random_below(PLACES) : once_in(4) ? EDGE : VALID;
}

bool place_is_void(enum place place)
{
	return place == UNMAPPED || place == NOWHERE || place == KERNEL;
}

/* ---- lines ---- */

const char *result_name(int ret)
{
	static char positive[16];

	if (ret > 0) {
		snprintf(positive, sizeof(positive), "%d", ret);
		return positive;
	}
	return ret ? strerrorname_np(errno) : "ok";
}

unsigned int call_number(void)
{
	static unsigned int number;

	return ++number;
}

static void file_line(const char *what, long ret)
{
	printf("%u file %s => %s\n", call_number(), what,
	       ret < 0 ? strerrorname_np(errno) : "ok");
}

static void open_call(const char *node, const char *what, int flags)
{
	int fd = open(node, flags | O_CLOEXEC);

	file_line(what, fd);
	if (fd >= 0)
		close(fd);
}

static void opens(const char *node)
{
	open_call(node, "open-read", O_RDONLY);
	open_call(node, "open-write", O_WRONLY);
	open_call(node, "open-both", O_RDWR);
	open_call(node, "open-sync", O_RDWR | O_SYNC);
	open_call(node, "open-nonblock", O_RDWR | O_NONBLOCK);
	open_call(node, "open-truncate", O_RDWR | O_TRUNC);
	open_call(node, "open-append", O_WRONLY | O_APPEND);
	open_call(node, "open-direct", O_RDONLY | O_DIRECT);
	open_call(node, "open-exclusive", O_RDONLY | O_CREAT | O_EXCL);
	open_call(node, "open-directory", O_RDONLY | O_DIRECTORY);
	open_call(node, "open-path", O_PATH);
}

static void others(const char *node)
{
	int status = 0;
	pid_t pid;

	fflush(stdout);
	pid = fork();
	if (!pid) {
		if (setgid(65534) || setuid(65534))
			_exit(99);
		_exit(open(node, O_RDONLY) < 0 ? errno : 0);
	}
	waitpid(pid, &status, 0);
	errno = WEXITSTATUS(status);
	file_line("open-as-nobody", errno ? -1 : 0);
}

static void statistics(const char *node)
{
	struct stat st;

	if (stat(node, &st)) {
		file_line("stat", -1);
		return;
	}
	printf("%u file stat => mode %o uid %u gid %u major %u\n", call_number(), st.st_mode,
	       st.st_uid, st.st_gid, major(st.st_rdev));
}

static void polled(int fd)
{
	struct pollfd poll_fd = { .fd = fd, .events = POLLIN | POLLOUT };
	int ret = poll(&poll_fd, 1, 0);

	printf("%u file poll => %d %x\n", call_number(), ret, poll_fd.revents);
}

static void operations(const char *node)
{
	char bytes[64] = { 0 };
	int fd = open(node, O_RDWR | O_CLOEXEC);
	void *pages;
	int count = 0;

	if (fd < 0)
		return;
	file_line("read", read(fd, bytes, sizeof(bytes)));
	file_line("write", write(fd, bytes, sizeof(bytes)));
	file_line("pread", pread(fd, bytes, sizeof(bytes), 0));
	file_line("pwrite", pwrite(fd, bytes, sizeof(bytes), 0));
	file_line("seek", lseek(fd, 16, SEEK_SET));
	file_line("seek-end", lseek(fd, 0, SEEK_END));
	file_line("truncate", ftruncate(fd, 0));
	file_line("sync", fsync(fd));
	file_line("allocate", fallocate(fd, 0, 0, PAGE));
	file_line("how-much", ioctl(fd, FIONREAD, &count));
	file_line("asynchronous", fcntl(fd, F_SETFL, O_ASYNC));
	file_line("direct", fcntl(fd, F_SETFL, O_DIRECT));
	polled(fd);
	pages = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
	file_line("map", pages == MAP_FAILED ? -1 : 0);
	file_line("close", close(fd));
}

void file_calls(const char *node)
{
	statistics(node);
	opens(node);
	others(node);
	operations(node);
}
