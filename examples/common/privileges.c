// SPDX-License-Identifier: MIT
#include <errno.h>
#include <grp.h>
#include <linux/capability.h>
#include <pwd.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "privileges.h"

static int become(const char *name)
{
	const struct passwd *user;

	errno = 0;
	user = getpwnam(name);
	if (!user) {
		errno = errno ?: ENOENT;
		return -1;
	}
	/* groups first: a user cannot change his own */
	return setgroups(0, NULL) || setresgid(user->pw_gid, user->pw_gid, user->pw_gid) ||
	       setresuid(user->pw_uid, user->pw_uid, user->pw_uid) ? -1 : 0;
}

/* Also where the user stays, or the kernel was told to keep them when he changes */
static int drop_capabilities(void)
{
	struct __user_cap_header_struct header = { .version = _LINUX_CAPABILITY_VERSION_3 };
	const struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

	return prctl(PR_CAP_AMBIENT, PR_CAP_AMBIENT_CLEAR_ALL, 0, 0, 0) ||
	       syscall(SYS_capset, &header, none) ? -1 : 0;
}

int privileges_drop(const char *user)
{
	if ((!user || !become(user)) && !drop_capabilities() &&
	    !prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) && !prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		return 0;
	fprintf(stderr, "%s: %s\n", user ?: "privileges", strerror(errno));
	return -1;
}
