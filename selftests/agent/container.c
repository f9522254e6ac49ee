// SPDX-License-Identifier: GPL-2.0
/*
 * agent_container UID SOCKET COMMAND...: COMMAND as a container has it. A user without
 * privileges makes namespaces of its own and in them a root with /usr, the socket as
 * /run/agent.sock and an empty /dev; then all capabilities are gone, in there too.
 */
#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <linux/capability.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#define ROOT	"/tmp/container"

static void must(int failed, const char *what)
{
	if (!failed)
		return;
	fprintf(stderr, "agent_container: %s: %s\n", what, strerror(errno));
	exit(125);
}

static void write_file(const char *path, const char *text)
{
	int fd = open(path, O_WRONLY | O_CLOEXEC);

	must(fd < 0 || write(fd, text, strlen(text)) < 0, path);
	close(fd);
}

static void enter_namespaces(unsigned int uid)
{
	char map[32];

	must(setgroups(0, NULL) || setresgid(uid, uid, uid) || setresuid(uid, uid, uid), "user");
	/* its own maps are for it to write */
	must(prctl(PR_SET_DUMPABLE, 1, 0, 0, 0), "dumpable");
	must(unshare(CLONE_NEWUSER | CLONE_NEWNS | CLONE_NEWNET | CLONE_NEWIPC), "unshare");
	write_file("/proc/self/setgroups", "deny");
	snprintf(map, sizeof(map), "0 %u 1\n", uid);
	write_file("/proc/self/uid_map", map);
	write_file("/proc/self/gid_map", map);
}

static void bind_to(const char *from, const char *to)
{
	must(mount(from, to, NULL, MS_BIND | MS_REC, NULL), to);
}

static void make_root(const char *socket)
{
	static const char *const dirs[] = { ROOT "/usr", ROOT "/run", ROOT "/dev", ROOT "/tmp" };
	int fd;

	must(mount("none", "/", NULL, MS_REC | MS_PRIVATE, NULL), "private mounts");
	must(mkdir(ROOT, 0755) && errno != EEXIST, ROOT);
	must(mount("tmpfs", ROOT, "tmpfs", 0, NULL), "tmpfs");
	for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++)
		must(mkdir(dirs[i], 0755), dirs[i]);
	must(symlink("usr/bin", ROOT "/bin") || symlink("usr/lib", ROOT "/lib") ||
	     symlink("usr/lib64", ROOT "/lib64"), "links");
	bind_to("/usr", ROOT "/usr");
	fd = open(ROOT "/run/agent.sock", O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
	must(fd < 0, "socket's place");
	close(fd);
	bind_to(socket, ROOT "/run/agent.sock");
	must(chroot(ROOT) || chdir("/"), "chroot");
}

static void drop(void)
{
	struct __user_cap_header_struct head = { .version = _LINUX_CAPABILITY_VERSION_3 };
	struct __user_cap_data_struct none[_LINUX_CAPABILITY_U32S_3] = { 0 };

	for (unsigned long cap = 0; prctl(PR_CAPBSET_READ, cap, 0, 0, 0) >= 0; cap++)
		must(prctl(PR_CAPBSET_DROP, cap, 0, 0, 0), "bounding set");
	must(syscall(SYS_capset, &head, none), "capabilities");
	must(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0), "no new privileges");
}

int main(int argc, char **argv)
{
	if (argc < 4) {
		fprintf(stderr, "usage: agent_container UID SOCKET COMMAND...\n");
		return 2;
	}
	enter_namespaces((unsigned int)strtoul(argv[1], NULL, 10));
	make_root(argv[2]);
	drop();
	execvp(argv[3], argv + 3);
	must(1, argv[3]);
}
