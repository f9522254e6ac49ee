// SPDX-License-Identifier: GPL-2.0
/* What an agent may open whose source is a path, whoever it is: Landlock, no capability. */
#include <errno.h>
#include <fcntl.h>
#include <sys/prctl.h>
#include <unistd.h>

#include "tap.h"
#include "userspace/agent/agent.h"

static void opens(const char *path, int flags, int wanted)
{
	int fd = open(path, flags | O_CLOEXEC, 0600), rc = fd < 0 ? -errno : 0;

	check(rc == wanted, "%s, %s: %s", path, (flags & O_ACCMODE) == O_RDONLY ? "read" : "written",
	      strerror(-wanted));
	if (fd >= 0)
		close(fd);
}

int main(void)
{
	int rc, before;

	prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0);
	before = open("/etc/passwd", O_RDONLY | O_CLOEXEC);
	rc = agent_sandbox_files();
	if (rc == -ENOSYS || rc == -EOPNOTSUPP) {
		puts("1..0 # SKIP no Landlock");
		return 0;
	}
	check_is(rc, 0, "files are confined");
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
	check(before >= 0 && !lseek(before, 0, SEEK_SET), "what was open stays so");
	return tap_end();
}
