// SPDX-License-Identifier: MIT
/*
 * What the agent may do once it reads what others write. Its nodes are open, its label is
 * set; from there on it is a user with nothing, and makes the few system calls that
 * serving takes. With the driver that is all, but on Azure. Any other source is a path that is
 * for root and is opened for each request (configfs-tsm, /dev/sev-guest, the TPM): there it
 * keeps the one capability that opens it, and may open files, those alone that it needs where
 * the kernel has Landlock (sandbox_files.c).
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <linux/cvm_guest.h>
#include <pwd.h>
#include <seccomp.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "agent.h"
#include "common/util.h"

/* type byte of the driver's ioctls: linux/cvm_guest.h */
#define DRIVER_IOCTLS	0xC7

/* of a socket's type, beside its flags */
#define SOCKET_TYPE	0xf

static int refuse(int rc, const char *what)
{
	agent_log("error", "sandbox", "ss ss", "step", what, "message", strerror(-rc));
	return rc;
}

/* Azure's reports, whoever gives them, are completed by the TPM, which is opened each time. */
static bool by_path(const struct agent *agent)
{
	return agent->ctx && (strcmp(agent->status.backend, "cvm") || agent->azure);
}

/* Where the source is another program: a simulated platform, a TPM by --backend vtpm:TCTI */
static bool by_socket(const struct agent *agent)
{
	const char *name = agent->options->backend;

	return !strcmp(agent->status.backend, "sim") || (name && !strncmp(name, "vtpm:", 5));
}

/* ---- privileges */

static int become(const struct passwd *user)
{
	if (setgroups(0, NULL) || setresgid(user->pw_gid, user->pw_gid, user->pw_gid) ||
	    setresuid(user->pw_uid, user->pw_uid, user->pw_uid))
		return -errno;
	/* what cannot fail is not worth much as a check: there must be no way back */
	return setresuid(-1, 0, -1) ? 0 : -EPERM;
}

/* Of what it has; ambient and inheritable ones, which a unit may give to a user, go, too. */
static int keep_only(uint32_t capabilities)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct data[_LINUX_CAPABILITY_U32S_3] = { 0 };

	if (syscall(SYS_capget, &head, data))
		return -errno;
	capabilities &= data[0].permitted;
	memset(data, 0, sizeof(data));
	data[0].effective = data[0].permitted = capabilities;
	return syscall(SYS_capset, &head, data) ? -errno : 0;
}

static int become_user(const struct agent *agent, bool keeps)
{
	const struct passwd *user;

	errno = 0;
	user = getpwnam(agent->options->user);
	if (!user || !user->pw_uid)
		return refuse(errno ? -errno : -EINVAL, "the user (--user), who is not root");
	if (keeps && prctl(PR_SET_KEEPCAPS, 1, 0, 0, 0))
		return refuse(-errno, "capabilities");
	if (become(user))
		return refuse(-EPERM, "another user");
	return 0;
}

/* As the source sees this process now: no caller's proof may speak for the VM. */
static int check_scope(const struct agent *agent)
{
	struct cvm_status status = { .size = sizeof(status) };
	struct cvm_error error;
	int rc = agent->ctx ? cvm_status(agent->ctx, &status, &error) : 0;

	if (rc)
		return refuse(rc, "the source's status");
	return status.scope == CVM_SCOPE_PRIVILEGED ?
	       refuse(-EPERM, "proofs would speak for the VM") : 0;
}

/* Without Landlock it goes on, as a kernel does that has not got it: the unit is there, too. */
static int restrict_files(void)
{
	int rc = agent_sandbox_files();

	if (rc != -ENOSYS && rc != -EOPNOTSUPP)
		return rc ? refuse(rc, "files") : 0;
	agent_log("warning", "sandbox", "ss ss", "step", "files", "message",
		  "this kernel has no Landlock: the agent may open what root can");
	return 0;
}

int agent_sandbox_drop(const struct agent *agent)
{
	uint32_t keep = by_path(agent) ? 1U << CAP_DAC_OVERRIDE : 0;
	int rc;

	if (prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0))
		return refuse(-errno, "no new privileges");
	/* whoever has started it as a user has chosen which */
	rc = geteuid() ? 0 : become_user(agent, keep);
	if (rc)
		return rc;
	rc = keep_only(keep);
	if (rc)
		return refuse(rc, "capabilities");
	/* what comes by a socket of its name is a simulation's, wherever that is */
	if (keep && !by_socket(agent))
		rc = restrict_files();
	return rc ? rc : check_scope(agent);
}

/* ---- system calls */

/* Sockets, waiting, memory, threads that are there, the end */
static const int serving[] = {
	SCMP_SYS(read), SCMP_SYS(write), SCMP_SYS(readv), SCMP_SYS(writev), SCMP_SYS(preadv2),
	SCMP_SYS(recvfrom), SCMP_SYS(recvmsg), SCMP_SYS(sendto), SCMP_SYS(sendmsg),
	SCMP_SYS(accept4), SCMP_SYS(shutdown), SCMP_SYS(close), SCMP_SYS(getsockopt),
	SCMP_SYS(setsockopt), SCMP_SYS(getsockname), SCMP_SYS(getpeername),
	SCMP_SYS(epoll_wait), SCMP_SYS(epoll_pwait), SCMP_SYS(epoll_ctl), SCMP_SYS(poll),
	SCMP_SYS(ppoll), SCMP_SYS(futex), SCMP_SYS(mmap), SCMP_SYS(munmap), SCMP_SYS(mremap),
	SCMP_SYS(mprotect), SCMP_SYS(madvise), SCMP_SYS(brk), SCMP_SYS(clock_gettime),
	SCMP_SYS(gettimeofday), SCMP_SYS(clock_nanosleep), SCMP_SYS(getrandom), SCMP_SYS(getpid),
	SCMP_SYS(gettid), SCMP_SYS(tgkill), SCMP_SYS(rt_sigprocmask), SCMP_SYS(rt_sigaction),
	SCMP_SYS(rt_sigreturn), SCMP_SYS(sigaltstack), SCMP_SYS(sched_yield),
	SCMP_SYS(restart_syscall), SCMP_SYS(exit), SCMP_SYS(exit_group), SCMP_SYS(fcntl),
	SCMP_SYS(fstat), SCMP_SYS(newfstatat), SCMP_SYS(lseek),
};

/* Files by their names (but for open()), the host's service, and a thread that looks up a host */
static const int by_name[] = {
	SCMP_SYS(stat), SCMP_SYS(lstat), SCMP_SYS(statx), SCMP_SYS(access),
	SCMP_SYS(faccessat), SCMP_SYS(faccessat2), SCMP_SYS(readlink),
	SCMP_SYS(readlinkat), SCMP_SYS(mkdir), SCMP_SYS(mkdirat), SCMP_SYS(rmdir),
	SCMP_SYS(unlinkat), SCMP_SYS(getdents64), SCMP_SYS(flock), SCMP_SYS(capget),
	SCMP_SYS(ioctl), SCMP_SYS(connect), SCMP_SYS(bind), SCMP_SYS(pipe2), SCMP_SYS(eventfd2),
	SCMP_SYS(clone), SCMP_SYS(clone3), SCMP_SYS(set_robust_list), SCMP_SYS(rseq),
	SCMP_SYS(uname), SCMP_SYS(getuid), SCMP_SYS(geteuid), SCMP_SYS(nanosleep),
	SCMP_SYS(sendmmsg), SCMP_SYS(pread64), SCMP_SYS(pwrite64), SCMP_SYS(prlimit64),
	SCMP_SYS(select), SCMP_SYS(pselect6),
};

static int allow(scmp_filter_ctx filter, const int *calls, size_t count)
{
	int rc = 0;

	for (size_t i = 0; !rc && i < count; i++)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, calls[i], 0);
	return rc;
}

/* To read is enough to truncate by; the kernel takes 32 bits. */
static int allow_open(scmp_filter_ctx filter)
{
	int rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(openat), 1,
				  SCMP_A2(SCMP_CMP_MASKED_EQ, O_TRUNC, 0));

	if (rc)
		return rc;
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(open), 1,
				SCMP_A1(SCMP_CMP_MASKED_EQ, O_TRUNC, 0));
}

/*
 * With the capability that opens the source it could connect to any service of root's, and
 * some of them do what they are told. What it listens on it has already. Pairs are of
 * streams: no connect() takes one of them elsewhere.
 */
static int allow_sockets(scmp_filter_ctx filter, const struct agent *agent)
{
	int rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socketpair), 1,
				  SCMP_A1(SCMP_CMP_MASKED_EQ, SOCKET_TYPE, SOCK_STREAM));

	if (rc)
		return rc;
	if (by_socket(agent))
		return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 0);
	/* all 64 bits: that it is not AF_UNIX would let those pass of which the kernel takes 32 */
	rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
			      SCMP_A0(SCMP_CMP_EQ, AF_INET));
	if (rc)
		return rc;
	return seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(socket), 1,
				SCMP_A0(SCMP_CMP_EQ, AF_INET6));
}

static int fill(scmp_filter_ctx filter, const struct agent *agent)
{
	/* the source's thread too */
	int rc = seccomp_attr_set(filter, SCMP_FLTATR_CTL_TSYNC, 1);

	if (!rc)
		rc = allow(filter, serving, ARRAY_SIZE(serving));
	if (!rc && by_path(agent))
		rc = allow(filter, by_name, ARRAY_SIZE(by_name));
	if (!rc && by_path(agent))
		rc = allow_open(filter);
	if (!rc && by_path(agent))
		return allow_sockets(filter, agent);
	if (!rc)
		rc = seccomp_rule_add(filter, SCMP_ACT_ALLOW, SCMP_SYS(ioctl), 1,
				      SCMP_A1(SCMP_CMP_MASKED_EQ, 0xff00, DRIVER_IOCTLS << 8));
	return rc;
}

int agent_sandbox_filter(const struct agent *agent)
{
	/* what another libc would do instead of these fails, and kills nobody's request */
	scmp_filter_ctx filter = agent->options->no_seccomp ? NULL :
				 seccomp_init(SCMP_ACT_ERRNO(EPERM));
	int rc;

	if (agent->options->no_seccomp)
		return 0;
	rc = filter ? fill(filter, agent) : -ENOMEM;
	if (!rc)
		rc = seccomp_load(filter);
	seccomp_release(filter);
	return rc ? refuse(rc, "system calls") : 0;
}
