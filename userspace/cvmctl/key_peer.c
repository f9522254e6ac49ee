// SPDX-License-Identifier: MIT
/*
 * Who asks for a unit's key. systemd connects from a process that is in the unit's cgroup
 * already, and has yet to give up what systemd may. So who asks must be where his address
 * says, and be as privileged as the driver demands of who derives a key: uid 0 is not
 * enough, which is that of user namespaces, too, and of services and containers that may
 * do nothing else. It is the process that is looked at, as it is now: what it has passed
 * the connection to has no more than it, until it has ended.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/capability.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "common/cleanup.h"
#include "common/util.h"
#include "key.h"
#include "keys/credential.h"

/* of Linux 6.5; Debian 12's libc has no name for it */
#ifndef SO_PEERPIDFD
#define SO_PEERPIDFD	77
#endif

/* Bytes: a cgroup's path, once for each hierarchy there may be */
#define PROC_MAX	(64U << 10)

static int refuse(pid_t pid, const char *why)
{
	return fail(EXIT_FAILED, "process %d has connected, %s: refused", pid, why);
}

/*
 * Whether the process that has connected is there: then /proc/PID, opened before, is its and
 * not of one that has its number now. Kernels before 6.5 do not say.
 */
static bool is_there(int fd)
{
	int pidfd = -1;
	socklen_t len = sizeof(pidfd);
	struct pollfd end = { .events = POLLIN };
	int count;

	if (getsockopt(fd, SOL_SOCKET, SO_PEERPIDFD, &pidfd, &len))
		return errno == ENOPROTOOPT;
	end.fd = pidfd;
	count = poll(&end, 1, 0);
	close(pidfd);
	return !count;
}

static char *read_text(int proc, const char *name)
{
	__cleanup_fd int fd = openat(proc, name, O_RDONLY | O_CLOEXEC);
	void *text = NULL;
	size_t len;

	return fd < 0 || cvm_read_fd(fd, PROC_MAX, &text, &len) ? NULL : text;
}

static bool in_unit(int proc, const char *unit)
{
	__cleanup_free char *text = read_text(proc, "cgroup");

	return text && cvm_credential_in_unit(text, unit);
}

static bool may_all(int proc)
{
	static const char field[] = "\nCapEff:";
	__cleanup_free char *text = read_text(proc, "status");
	const char *at = text ? strstr(text, field) : NULL;

	return at && strtoull(at + strlen(field), NULL, 16) & 1ULL << CAP_SYS_ADMIN;
}

/* By it a process reads and writes others' memory, so none but the one look has it. */
static int set_ptrace(bool effective)
{
	const uint32_t ptrace = 1U << CAP_SYS_PTRACE;
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3];

	if (syscall(SYS_capget, &head, data))
		return -errno;
	data[0].effective &= ~ptrace;
	if (effective)
		data[0].effective |= data[0].permitted & ptrace;
	return syscall(SYS_capset, &head, data) ? -errno : 0;
}

int key_peer_begin(void)
{
	int rc = set_ptrace(false);

	return rc ? fail(EXIT_FAILED, "capabilities: %s", strerror(-rc)) : 0;
}

/*
 * Else its capabilities are for what is its namespace's. The namespace of who is more
 * privileged than this process is shown to who could trace him.
 */
static bool same_users(int proc)
{
	struct stat its, ours;
	bool same = !set_ptrace(true) && !fstatat(proc, "ns/user", &its, 0) &&
		    !stat("/proc/self/ns/user", &ours) &&
		    its.st_dev == ours.st_dev && its.st_ino == ours.st_ino;

	return !set_ptrace(false) && same;
}

int key_check_root(int fd, pid_t *pid)
{
	struct ucred peer;
	socklen_t len = sizeof(peer);

	if (getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &len))
		return fail(EXIT_FAILED, "who has connected is not known: %s", strerror(errno));
	*pid = peer.pid;
	if (peer.uid)
		return fail(EXIT_FAILED, "uid %u has connected, who is not root: refused", peer.uid);
	return 0;
}

int key_check_unit(int fd, pid_t pid, const char *unit)
{
	__cleanup_fd int proc = -1;
	char path[32];

	snprintf(path, sizeof(path), "/proc/%d", pid);
	proc = open(path, O_RDONLY | O_DIRECTORY | O_CLOEXEC);
	/* 0: of a PID namespace that is not below ours */
	if (!pid || proc < 0 || !is_there(fd))
		return refuse(pid, "which is not there any more");
	if (!same_users(proc))
		return refuse(pid, "root of another user namespace");
	if (!may_all(proc))
		return refuse(pid, "root without CAP_SYS_ADMIN");
	if (!in_unit(proc, unit))
		return fail(EXIT_FAILED, "process %d has connected for %s, and is not in its cgroup: refused",
			    pid, unit);
	return 0;
}
