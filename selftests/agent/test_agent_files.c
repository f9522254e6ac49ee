// SPDX-License-Identifier: GPL-2.0
/*
 * What an agent may open whose source is a path: as root, whom nothing else than Landlock and
 * the filter keeps from it. "--strict": there must be Landlock.
 */
#include <errno.h>
#include <fcntl.h>
#include <linux/landlock.h>
#include <sched.h>
#include <stdlib.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "tap.h"
#include "userspace/agent/agent.h"

static void opens(const char *path, int flags, int wanted)
{
	int fd = open(path, flags | O_CLOEXEC, 0600), rc = fd < 0 ? -errno : 0;

	check(rc == wanted, "%s, %s%s: %s", path,
	      (flags & O_ACCMODE) == O_RDONLY ? "read" : "written",
	      flags & O_TRUNC ? ", truncated" : "", strerror(-wanted));
	if (fd >= 0)
		close(fd);
}

/* A file to lose, which only this process sees there; false where that is not possible */
static bool cover(const char *path)
{
	char draft[] = "/tmp/cvm-agent-files-XXXXXX";
	int fd = mkstemp(draft);
	bool good = fd >= 0 && write(fd, "127.0.0.1 localhost\n", 20) == 20 &&
		    !unshare(CLONE_NEWNS) && !mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) &&
		    !mount(draft, path, NULL, MS_BIND, NULL);

	if (fd >= 0) {
		close(fd);
		unlink(draft);
	}
	return good;
}

static void by_landlock(void)
{
	opens("/etc/hosts", O_RDONLY, 0);
	opens("/dev/null", O_RDWR, 0);
	opens("/usr/lib", O_RDONLY | O_DIRECTORY, 0);
	opens("/etc/hosts", O_RDWR, -EACCES);
	opens("/etc/passwd", O_RDONLY, -EACCES);
	opens("/proc/self/mem", O_RDWR, -EACCES);
	opens("/dev/zero", O_RDONLY, -EACCES);
	opens("/", O_RDONLY | O_DIRECTORY, -EACCES);
	opens("/tmp/cvm-agent-test", O_RDWR | O_CREAT, -EACCES);
	opens("/usr/lib/cvm-agent-test", O_RDWR | O_CREAT, -EACCES);
	check(mkdir("/tmp/cvm-agent-test", 0700) && errno == EACCES, "no directory is made");
	check(unlink("/etc/hosts") && errno == EACCES, "nothing is removed");
}

/* To read is enough to truncate by, if nothing keeps one from it. */
static void truncation(bool landlock, int hosts)
{
	static const struct agent_options options = { .backend = "vtpm" };
	static const struct agent agent = {
		.options = &options, .ctx = (void *)&options, .status = { .backend = "vtpm" },
	};
	struct stat stat;

	if (landlock)
		opens("/etc/hosts", O_RDONLY | O_TRUNC, -EACCES);
	check_is(agent_sandbox_filter(&agent), 0, "system calls are confined");
	opens("/etc/hosts", O_RDONLY, 0);
	opens("/etc/hosts", O_RDONLY | O_TRUNC, -EPERM);
	opens("/dev/null", O_WRONLY | O_TRUNC, -EPERM);
	check(syscall(SYS_open, "/etc/hosts", O_RDONLY | O_TRUNC) < 0 && errno == EPERM,
	      "nor by the older call");
	check(syscall(SYS_truncate, "/etc/hosts", 0L) < 0 && errno == EPERM, "nor by its own");
	check(!fstat(hosts, &stat) && stat.st_size == 20, "it is as long as before");
}

int main(int argc, char **argv)
{
	long version = syscall(SYS_landlock_create_ruleset, NULL, 0,
			       LANDLOCK_CREATE_RULESET_VERSION);
	int rc, before, hosts;
	bool strict;

	strict = argc > 1 && !strcmp(argv[1], "--strict");
	if (!strict && (version < 1 || !cover("/etc/hosts"))) {
		puts("1..0 # SKIP no Landlock, or not root");
		return 0;
	}
	check(!strict || cover("/etc/hosts"), "a file to lose");
	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	before = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
	hosts = open("/etc/hosts", O_RDONLY | O_CLOEXEC);
	rc = agent_sandbox_files();
	check_is(rc, 0, "files are confined");
	by_landlock();
	check(before >= 0 && !lseek(before, 0, SEEK_SET), "what was open stays so");
	truncation(version >= 3, hosts);
	return tap_end();
}
