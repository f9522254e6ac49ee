// SPDX-License-Identifier: GPL-2.0
/* The stream of frames: many clients, odd clients, control, and the bridge. */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include "fw_client.h"

static struct fw_reply reply;

static bool alive(int fd)
{
	fw_call(fd, FW_STATUS, NULL, 0, &reply);
	return reply.head.len > 0;
}

static void malformed(void)
{
	static const struct {
		const char *name;
		struct fw_frame frame;
	} cases[] = {
		{ "wrong magic", { .magic = 1, .type = FW_HELLO } },
		{ "type 0", { .magic = FW_MAGIC, .type = 0 } },
		{ "type 11", { .magic = FW_MAGIC, .type = 11 } },
		{ "payload too long",
		  { .magic = FW_MAGIC, .type = FW_CONTROL, .len = FW_MAX_PAYLOAD + 1 } },
		{ "length 0xffffffff",
		  { .magic = FW_MAGIC, .type = FW_CONTROL, .len = UINT32_MAX } },
		{ "hello with a payload", { .magic = FW_MAGIC, .type = FW_HELLO, .len = 1 } },
		{ "a short request", { .magic = FW_MAGIC, .type = FW_SNP_REQUEST, .len = 100 } },
	};
	struct fwd_process fwd;
	size_t i;

	fwd_start(&fwd, NULL);
	for (i = 0; i < sizeof(cases) / sizeof(cases[0]); i++) {
		int fd = fwd_connect(&fwd);

		send(fd, &cases[i].frame, sizeof(cases[i].frame), MSG_NOSIGNAL);
		ok(!fw_receive(fd, &reply) && alive(fwd.fd),
		   "dropped alone, without an answer: %s", cases[i].name);
		close(fd);
	}
	ok(!fwd_stop(&fwd, NULL, 0), "and that is no violation");
}

static void pieces(struct fwd_process *fwd)
{
	struct fw_frame frame = { .magic = FW_MAGIC, .type = FW_HELLO, .id = 7 };
	struct fw_frame two[2] = { frame, frame };
	bool good;
	size_t i;

	for (i = 0; i < sizeof(frame); i++)
		send(fwd->fd, (char *)&frame + i, 1, 0);
	ok(fw_receive(fwd->fd, &reply) && reply.head.id == 7 &&
	   reply.head.len == sizeof(struct fw_hello), "a frame in single bytes");
	two[1].id = 8;
	send(fwd->fd, two, sizeof(two), 0);
	good = fw_receive(fwd->fd, &reply) && reply.head.id == 7;
	ok(good && fw_receive(fwd->fd, &reply) && reply.head.id == 8, "two frames at once");
}

static void many(struct fwd_process *fwd)
{
	int fds[64], extra;
	unsigned int i, good = 0;

	for (i = 0; i < 63; i++)
		fds[i] = fwd_connect(fwd);
	for (i = 0; i < 63; i++)
		fw_send(fds[i], FW_STATUS, i, NULL, 0);
	for (i = 63; i--;)
		good += fw_receive(fds[i], &reply) && reply.head.id == i;
	ok(good == 63, "64 clients, answered in any order of reading");
	extra = fwd_connect(fwd);
	ok(!fw_receive(extra, &reply) && alive(fwd->fd), "the 65th is refused");
	close(extra);
	for (i = 0; i < 63; i++)
		close(fds[i]);
	ok(alive(fwd->fd), "and they leave");
}

/* 16 MB of answers for one who does not read: he waits, nobody else does */
static void slow_reader(struct fwd_process *fwd)
{
	int fd = fwd_connect(fwd), n = 4000, i, status;
	pid_t sender = fork();
	bool good = true;

	if (!sender) {
		for (i = 0; i < n; i++)
			fw_send(fd, FW_HELLO, (uint64_t)i, NULL, 0);
		_exit(0);
	}
	usleep(200 * 1000);
	ok(alive(fwd->fd), "others are served meanwhile");
	for (i = 0; i < n && good; i++)
		good = fw_receive(fd, &reply) && reply.head.id == (uint64_t)i;
	ok(good, "a slow reader gets every answer, in order");
	waitpid(sender, &status, 0);
	close(fd);
}

static void control(struct fwd_process *fwd)
{
	static const char *const bad[] = {
		"report_ms", "=1", "nonsense=1", "report_ms=-1", "report_ms=1x", "report_ms=nan",
		"report_ms=", "vmpl=4", "vmpl=-1", "vmpl= 1", "policy=0x", "policy=xyz",
		"policy=10000000000000000", "measurement=0", "measurement=gg", "certs=2", "certs=",
		"product=rome", "product=", "rate=2", "rate=/2s", "rate=2/0s", "rate=2/2",
		"parallel=0", "parallel=17", "certs_pages=33", "current_version=1.2",
		"current_version=1.2.256", "platform=tdx", "seed=00", "busy_n=4294967296",
		"chip_id=000000000000000000000000000000000000000000000000000000000000000000"
		"00000000000000000000000000000000000000000000000000000000000000000000",
	};
	size_t i, refused = 0;

	for (i = 0; i < sizeof(bad) / sizeof(bad[0]); i++)
		if (!fw_set(fwd->fd, bad[i]))
			refused++;
		else
			printf("# taken: %s\n", bad[i]);
	ok(refused == sizeof(bad) / sizeof(bad[0]), "%zu bad settings are refused", refused);
	fw_call(fwd->fd, FW_CONTROL, "busy_n=5\nvmpl=9\n", 16, &reply);
	ok(reply.head.status == EINVAL && strstr((char *)reply.data, "vmpl: 9 is not between 0 and 3"),
	   "the error names key and range");
	ok(fw_set(fwd->fd, "busy_n=0\nreport_ms=0.5 certs=1\n"), "several settings at once");
	fw_call(fwd->fd, FW_CONTROL, "\0\0", 2, &reply);
	ok(!reply.head.status, "no setting at all is fine");
	fw_call(fwd->fd, FW_TDX_REPORT, (uint8_t[64]){ 0 }, 64, &reply);
	ok(reply.head.status == ENODEV && !reply.head.len, "no TDREPORT on an SNP machine");
}

static void violations(void)
{
	struct fwd_process fwd;
	char text[1000] = "";

	fwd_start(&fwd, NULL);
	fw_call(fwd.fd, FW_VIOLATION, "page 5 was private", 18, &reply);
	ok(fwd_stop(&fwd, text, sizeof(text)) == 3 &&
	   strstr(text, "cvm-fwd: VIOLATION: page 5 was private\n"),
	   "a broken page rule fails the run");
	fwd_start(&fwd, (const char *[]){ "strict=0", NULL });
	fw_call(fwd.fd, FW_VIOLATION, "page 5 was private", 18, &reply);
	ok(fw_status(fwd.fd, "logged_violations") == 1 && !fwd_stop(&fwd, text, sizeof(text)) &&
	   strstr(text, "logged"), "with strict=0 it is logged");
}

static void once(void)
{
	struct fwd_process fwd;
	int status;

	fwd_start(&fwd, (const char *[]){ "--once", NULL });
	/* fwd_start's first tries are clients that left; this one was there */
	close(fwd.fd);
	ok(waitpid(fwd.pid, &status, 0) == fwd.pid && WIFEXITED(status) && !WEXITSTATUS(status) &&
	   fwd_connect(&fwd) < 0, "--once ends with its last client");
	fwd_forget(&fwd);
}

static int raw_pty(char *name, size_t size)
{
	struct termios raw;
	int fd = posix_openpt(O_RDWR | O_NOCTTY), slave;

	grantpt(fd);
	unlockpt(fd);
	ptsname_r(fd, name, size);
	slave = open(name, O_RDWR | O_NOCTTY);
	tcgetattr(slave, &raw);
	cfmakeraw(&raw);
	tcsetattr(slave, TCSANOW, &raw);
	/* stays open, so that the settings stay, too */
	return fd;
}

static bool read_all(int fd, void *to, size_t len)
{
	struct pollfd pfd = { .fd = fd, .events = POLLIN };
	ssize_t n;

	for (; len; to = (char *)to + n, len -= (size_t)n) {
		if (poll(&pfd, 1, 5000) != 1)
			return false;
		n = read(fd, to, len);
		if (n <= 0)
			return false;
	}
	return true;
}

/* a frame of len bytes goes in at one end in odd pieces and comes out whole */
static bool cross(int from, int to, uint32_t len)
{
	size_t size = sizeof(struct fw_frame) + len, done = 0, i;
	struct fw_frame head = { .magic = FW_MAGIC, .type = FW_CONTROL, .len = len };
	uint8_t *in = malloc(size), *out = calloc(1, size);
	pid_t writer;
	bool good;

	memcpy(in, &head, sizeof(head));
	for (i = sizeof(head); i < size; i++)
		in[i] = (uint8_t)(i * 7 + i / 256);
	writer = fork();
	if (!writer) {
		while (done < size) {
			size_t piece = size - done < 1001 ? size - done : 1001;
			ssize_t n = write(from, in + done, piece);

			if (n < 0)
				_exit(1);
			done += (size_t)n;
		}
		_exit(0);
	}
	good = read_all(to, out, size) && !memcmp(in, out, size);
	kill(writer, SIGKILL);
	waitpid(writer, NULL, 0);
	free(in);
	free(out);
	return good;
}

static void bridge(void)
{
	char device[64], port[64];
	int dev = raw_pty(device, sizeof(device)), far = raw_pty(port, sizeof(port)), status;
	const char *path = getenv("CVM_FWD");
	pid_t pid = fork();

	if (!pid) {
		execl(path ? path : "build/bin/cvm-fwd", "cvm-fwd", "--bridge", device, port, NULL);
		_exit(127);
	}
	ok(cross(dev, far, 64) && cross(far, dev, 0), "the bridge carries frames both ways");
	ok(cross(far, dev, FW_MAX_PAYLOAD) && cross(dev, far, 100000), "long ones, too");
	write(far, "this is not a frame, is it? It has no magic number.", 51);
	ok(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && WEXITSTATUS(status) == 1,
	   "and ends on nonsense");
	close(dev);
	close(far);
}

/* inside the VM: a device that is there already, and ends with it */
static void device(void)
{
	struct fw_frame frame = { .magic = FW_MAGIC, .type = FW_HELLO, .id = 3 };
	const char *path = getenv("CVM_FWD"), *state = getenv("CVM_FW_STATE");
	char name[64];
	int fd = raw_pty(name, sizeof(name)), status;
	pid_t pid = fork();

	if (!pid) {
		execl(path ? path : "build/bin/cvm-fwd", "cvm-fwd", "--state",
		      state ? state : "build/cache/fw-state", "--device", name, NULL);
		_exit(127);
	}
	write(fd, &frame, sizeof(frame));
	ok(read_all(fd, &reply.head, sizeof(reply.head)) && reply.head.id == 3 &&
	   reply.head.len == sizeof(struct fw_hello) &&
	   read_all(fd, reply.data, reply.head.len), "--device serves");
	kill(pid, SIGTERM);
	ok(waitpid(pid, &status, 0) == pid && WIFEXITED(status) && !WEXITSTATUS(status),
	   "and ends cleanly");
	close(fd);
}

int main(void)
{
	struct fwd_process fwd;

	printf("TAP version 13\n");
	alarm(120);
	malformed();
	fwd_start(&fwd, NULL);
	pieces(&fwd);
	many(&fwd);
	slow_reader(&fwd);
	control(&fwd);
	ok(!fwd_stop(&fwd, NULL, 0), "no violation");
	violations();
	once();
	bridge();
	device();
	plan();
}
