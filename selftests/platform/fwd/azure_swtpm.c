// SPDX-License-Identifier: GPL-2.0
/* swtpm as a child, reached by two descriptors: its control channel and its TPM. */
#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "azure.h"
#include "cleanup.h"

/* of swtpm's control channel */
#define CMD_INIT	2
#define CMD_SET_DATAFD	16

ESYS_CONTEXT *azure_esys;

static pid_t child;
static int control = -1, data = -1;

static int complain(const char *what)
{
	fprintf(stderr, "cvm-fwd: %s\n", what);
	return -1;
}

/* ---- bytes ---- */

static bool write_all(int fd, const uint8_t *bytes, size_t len)
{
	while (len) {
		ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);

		if (n < 0 && errno == EINTR)
			continue;
		if (n <= 0)
			return false;
		bytes += n;
		len -= (size_t)n;
	}
	return true;
}

static bool read_all(int fd, uint8_t *bytes, size_t len)
{
	/* to ask for nothing would wait for something */
	return !len || recv(fd, bytes, len, MSG_WAITALL) == (ssize_t)len;
}

size_t azure_swtpm_ask(const uint8_t *command, size_t len, uint8_t answer[TPM_MAX])
{
	size_t size;

	if (!write_all(data, command, len) || !read_all(data, answer, TPM_HEADER))
		return 0;
	size = get_be(answer + 2, 4);
	if (size < TPM_HEADER || size > TPM_MAX ||
	    !read_all(data, answer + TPM_HEADER, size - TPM_HEADER))
		return 0;
	return size;
}

/* ---- ESYS over it ---- */

struct wire {
	TSS2_TCTI_CONTEXT_COMMON_V1 common;
	uint8_t answer[TPM_MAX];
	size_t len;
};

static TSS2_RC transmit(TSS2_TCTI_CONTEXT *tcti, size_t len, const uint8_t *bytes)
{
	struct wire *wire = (struct wire *)tcti;

	wire->len = azure_swtpm_ask(bytes, len, wire->answer);
	return wire->len ? TSS2_RC_SUCCESS : TSS2_TCTI_RC_IO_ERROR;
}

static TSS2_RC receive(TSS2_TCTI_CONTEXT *tcti, size_t *len, uint8_t *bytes, int32_t timeout)
{
	struct wire *wire = (struct wire *)tcti;

	if (bytes && *len < wire->len)
		return TSS2_TCTI_RC_INSUFFICIENT_BUFFER;
	*len = wire->len;
	if (bytes)
		memcpy(bytes, wire->answer, wire->len);
	return TSS2_RC_SUCCESS;
}

static struct wire wire = {
	.common = { .magic = 0x63766d66, .version = 1, .transmit = transmit, .receive = receive },
};

/* ---- the child ---- */

static int exchange(const uint8_t *command, size_t len)
{
	uint8_t result[4];

	if (!write_all(control, command, len) || !read_all(control, result, sizeof(result)) ||
	    get_be(result, 4))
		return complain("swtpm does not do as it is told");
	return 0;
}

static int give_data(int fd)
{
	uint8_t command[4], result[4];
	union {
		struct cmsghdr head;
		uint8_t bytes[CMSG_SPACE(sizeof(int))];
	} rights = { .head = { .cmsg_len = CMSG_LEN(sizeof(int)), .cmsg_level = SOL_SOCKET,
			       .cmsg_type = SCM_RIGHTS } };
	struct iovec iov = { .iov_base = command, .iov_len = sizeof(command) };
	struct msghdr msg = { .msg_iov = &iov, .msg_iovlen = 1, .msg_control = &rights,
			      .msg_controllen = sizeof(rights) };

	put_be(command, CMD_SET_DATAFD, 4);
	memcpy(CMSG_DATA(&rights.head), &fd, sizeof(fd));
	if (sendmsg(control, &msg, MSG_NOSIGNAL) != sizeof(command) ||
	    !read_all(control, result, sizeof(result)) || get_be(result, 4))
		return complain("swtpm does not start: is the package installed?");
	return 0;
}

__attribute__((noreturn))
static void run(const char *state, int fd)
{
	char dir[4200], client[64];
	sigset_t none;

	snprintf(dir, sizeof(dir), "dir=%s", state);
	snprintf(client, sizeof(client), "type=unixio,clientfd=%d", dup(fd));
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
	execlp("swtpm", "swtpm", "socket", "--tpm2", "--tpmstate", dir, "--ctrl", client,
	       "--flags", "startup-none", NULL);
	_exit(127);
}

int azure_swtpm_control(void)
{
	return control;
}

int azure_swtpm_reset(void)
{
	uint8_t command[8] = { 0 };

	put_be(command, CMD_INIT, 4);
	return exchange(command, sizeof(command));
}

static int make_child(const char *state, int ours[2])
{
	int ctrl[2], tpm[2], ret;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, ctrl) ||
	    socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, tpm))
		return complain("no sockets for swtpm");
	child = fork();
	if (!child)
		run(state, ctrl[1]);
	close(ctrl[1]);
	control = ours[0] = ctrl[0];
	data = ours[1] = tpm[0];
	ret = give_data(tpm[1]);
	close(tpm[1]);
	return ret;
}

int azure_swtpm_start(const char *state)
{
	int ours[2];

	/* what ESYS has to say is said by who calls it */
	setenv("TSS2_LOG", "all+none", 0);
	if (make_child(state, ours) || azure_swtpm_reset())
		return -1;
	if (Esys_Initialize(&azure_esys, (TSS2_TCTI_CONTEXT *)&wire, NULL))
		return complain("ESYS cannot be used");
	return 0;
}

void azure_swtpm_stop(void)
{
	if (azure_esys)
		Esys_Finalize(&azure_esys);
	if (child <= 0)
		return;
	kill(child, SIGTERM);
	close(control);
	close(data);
	waitpid(child, NULL, 0);
	child = 0;
}
