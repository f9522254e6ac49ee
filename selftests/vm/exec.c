// SPDX-License-Identifier: GPL-2.0
/*
 * exec OUT ERR COMMAND [ARG...]: runs COMMAND in the VM with its stdout and
 * stderr going to the ports OUT and ERR, and exits with its status.
 *
 * COMMAND gets pipes, not the ports: a port has one opener, so that opening
 * /dev/stdout again would fail. When COMMAND has exited, what is in the pipes
 * is copied and what it left running is killed: a daemon that holds a pipe
 * open neither blocks the run nor keeps the driver busy.
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#define die(what)						\
	do {							\
		perror("vm-exec: " what);			\
		exit(126);					\
	} while (0)

struct channel {
	int from;
	int to;
};

static void write_all(int fd, const char *p, size_t n)
{
	while (n > 0) {
		ssize_t done = write(fd, p, n);

		if (done < 0 && errno != EINTR)
			die("port");
		if (done > 0) {
			p += done;
			n -= done;
		}
	}
}

/* copies what is there; false when nobody can write to the pipe any more */
static int drain(struct channel *c)
{
	char buf[65536];
	ssize_t n;

	while ((n = read(c->from, buf, sizeof(buf))) > 0)
		write_all(c->to, buf, n);
	return n < 0 && (errno == EAGAIN || errno == EINTR);
}

static void channel_open(struct channel *c, const char *port, int *to_child)
{
	int p[2];

	c->to = open(port, O_WRONLY | O_CLOEXEC);
	if (c->to < 0)
		die("port");
	if (pipe2(p, O_CLOEXEC))
		die("pipe");
	c->from = p[0];
	*to_child = p[1];
	/* our end only: COMMAND must see ordinary blocking writes */
	if (fcntl(c->from, F_SETFL, O_NONBLOCK))
		die("fcntl");
}

static void child(char **argv, int out, int err)
{
	sigset_t none;
	int null = open("/dev/null", O_RDONLY);

	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	setsid();
	if (null < 0 || dup2(null, 0) < 0 || dup2(out, 1) < 0 || dup2(err, 2) < 0)
		_exit(126);
	if (null > 2)
		close(null);
	execvp(argv[0], argv);
	dprintf(2, "%s: %s\n", argv[0], strerror(errno));
	_exit(errno == ENOENT ? 127 : 126);
}

/* reaps; true with the status when the child itself was among them */
static int reap(pid_t pid, int *status)
{
	int s, found = 0;
	pid_t p;

	while ((p = waitpid(-1, &s, WNOHANG)) > 0) {
		if (p == pid) {
			*status = s;
			found = 1;
		}
	}
	return found;
}

/* orphans are ours (subreaper), so killing children until there are none
 * reaches every descendant, however it was daemonised
 */
static void kill_leftovers(pid_t session)
{
	kill(-session, SIGKILL);
	for (;;) {
		FILE *f = fopen("/proc/thread-self/children", "r");
		int pid, any = 0;

		while (f && fscanf(f, "%d", &pid) == 1) {
			kill(pid, SIGKILL);
			any = 1;
		}
		if (f)
			fclose(f);
		if (!any || waitpid(-1, NULL, 0) < 0)
			return;
	}
}

int main(int argc, char **argv)
{
	struct channel ch[2];
	struct pollfd fds[3];
	int out, err, status = 0, i;
	sigset_t set;
	pid_t pid;

	if (argc < 4)
		return 2;
	prctl(PR_SET_CHILD_SUBREAPER, 1);
	sigemptyset(&set);
	sigaddset(&set, SIGCHLD);
	sigprocmask(SIG_BLOCK, &set, NULL);
	channel_open(&ch[0], argv[1], &out);
	channel_open(&ch[1], argv[2], &err);
	pid = fork();
	if (pid < 0)
		die("fork");
	if (!pid)
		child(argv + 3, out, err);
	close(out);
	close(err);

	for (i = 0; i < 2; i++)
		fds[i] = (struct pollfd){ .fd = ch[i].from, .events = POLLIN };
	fds[2] = (struct pollfd){
		.fd = signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK),
		.events = POLLIN,
	};
	for (;;) {
		struct signalfd_siginfo si;

		if (poll(fds, 3, -1) < 0 && errno != EINTR)
			die("poll");
		for (i = 0; i < 2; i++)
			if (fds[i].revents && !drain(&ch[i]))
				fds[i].fd = -1;
		if (read(fds[2].fd, &si, sizeof(si)) > 0 && reap(pid, &status))
			break;
	}
	kill_leftovers(pid);
	drain(&ch[0]);
	drain(&ch[1]);
	return WIFSIGNALED(status) ? 128 + WTERMSIG(status) : WEXITSTATUS(status);
}
