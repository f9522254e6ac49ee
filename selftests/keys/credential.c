// SPDX-License-Identifier: GPL-2.0
/*
 * systemd's part of LoadCredential=, for who has none.
 *   credential serve SOCKET COMMAND...   become COMMAND, with the socket as descriptor 3
 *   credential ask SOCKET NAME [UID]     connect from the abstract address NAME ("" for none),
 *                                        as UID, and say what comes: hexadecimal digits,
 *                                        "nothing", "too much", or "error: " and why
 *   credential late SOCKET NAME          the same, but it begins to read after some seconds
 *   credential leave SOCKET NAME         the same, but another process does, when this one,
 *                                        which has connected, has ended
 */
#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

/* of systemd: a credential */
#define LATE_S	8
#define MOST	(1U << 20)

static struct sockaddr_un path_address(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };

	snprintf(address.sun_path, sizeof(address.sun_path), "%s", path);
	return address;
}

static int serve(const char *path, char **command)
{
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);
	struct sockaddr_un address;
	char pid[16], draft[100];

	/* it has its name when it can be connected to */
	snprintf(draft, sizeof(draft), "%s.new", path);
	address = path_address(draft);
	unlink(draft);
	if (bind(fd, (struct sockaddr *)&address, sizeof(address)) || chmod(draft, 0600) ||
	    listen(fd, 64) || rename(draft, path) || (fd != 3 && dup2(fd, 3) != 3)) {
		perror(path);
		return 1;
	}
	snprintf(pid, sizeof(pid), "%d", getpid());
	setenv("LISTEN_PID", pid, 1);
	setenv("LISTEN_FDS", "1", 1);
	execvp(command[0], command);
	perror(command[0]);
	return 1;
}

static int fails(void)
{
	printf("error: %s\n", strerror(errno));
	return 0;
}

static int say(const unsigned char *got, size_t len)
{
	if (!len || len > MOST) {
		puts(len ? "too much" : "nothing");
		return 0;
	}
	for (size_t i = 0; i < len; i++)
		printf("%02x", got[i]);
	putchar('\n');
	return 0;
}

static int hear(int fd)
{
	static unsigned char got[MOST + 1];
	size_t len = 0;
	ssize_t more;

	while ((more = read(fd, got + len, sizeof(got) - len)) > 0)
		len += (size_t)more;
	return more < 0 ? fails() : say(got, len);
}

static int ask(const char *path, const char *name, const char *uid, int leaves, unsigned int late)
{
	struct sockaddr_un from = { .sun_family = AF_UNIX }, to = path_address(path);
	socklen_t from_len = offsetof(struct sockaddr_un, sun_path) + 1;
	int fd = socket(AF_UNIX, SOCK_STREAM, 0);

	memcpy(from.sun_path + 1, name, strnlen(name, sizeof(from.sun_path) - 1));
	from_len += (socklen_t)strlen(name);
	if (*name && bind(fd, (struct sockaddr *)&from, from_len))
		return fails();
	if (uid && setresuid((uid_t)atoi(uid), (uid_t)atoi(uid), (uid_t)atoi(uid)))
		return fails();
	if (connect(fd, (struct sockaddr *)&to, sizeof(to)))
		return fails();
	/* longer than any patience for a reader */
	sleep(late);
	return leaves && fork() ? 0 : hear(fd);
}

int main(int argc, char **argv)
{
	if (argc > 3 && !strcmp(argv[1], "serve"))
		return serve(argv[2], argv + 3);
	if (argc > 3 && !strcmp(argv[1], "ask"))
		return ask(argv[2], argv[3], argv[4], 0, 0);
	if (argc == 4 && !strcmp(argv[1], "late"))
		return ask(argv[2], argv[3], NULL, 0, LATE_S);
	if (argc == 4 && !strcmp(argv[1], "leave"))
		return ask(argv[2], argv[3], NULL, 1, 0);
	fprintf(stderr, "usage: credential serve SOCKET COMMAND... | ask SOCKET NAME [UID] | "
			"late SOCKET NAME | "
			"leave SOCKET NAME\n");
	return 2;
}
