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

static int refuse(const char *what, const char *why)
{
	fprintf(stderr, "%s: %s\n", what, why);
	return -1;
}

static int become(const char *name)
{
	const struct passwd *user;

	errno = 0;
	user = getpwnam(name);
	if (!user)
		return refuse(name, strerror(errno ?: ENOENT));
	/* root without capabilities still has all files that are root's */
	if (!user->pw_uid)
		return refuse(name, "is root: another user is wanted");
	/* groups first: a user cannot change his own */
	if (setgroups(0, NULL) || setresgid(user->pw_gid, user->pw_gid, user->pw_gid) ||
	    setresuid(user->pw_uid, user->pw_uid, user->pw_uid))
		return refuse(name, strerror(errno));
	return 0;
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
	if (user && become(user))
		return -1;
	if (drop_capabilities() || prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) ||
	    prctl(PR_SET_DUMPABLE, 0, 0, 0, 0))
		return refuse("privileges", strerror(errno));
	/* who is root, or was and can be again: what cannot fail is no check */
	return setresuid(-1, 0, -1) ? 0 : refuse("privileges", "this is still root");
}
