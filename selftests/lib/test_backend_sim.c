// SPDX-License-Identifier: GPL-2.0
/* The backend sim against a peer that answers what it should not. */
#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "../platform/fw_proto.h"
#include "cvmguest.h"
#include "tap.h"

enum behaviour {
	HONEST, DRIBBLE, CUT, WRONG_MAGIC, WRONG_TYPE, TOO_LONG, SHORT, SILENT, HANG_UP, REFUSE,
	FOREIGN,
};

static enum behaviour behaviour;
static int listener;

static void send_slowly(int fd, const uint8_t *data, size_t len)
{
	for (size_t i = 0; i < len; i++)
		if (send(fd, data + i, 1, MSG_NOSIGNAL) != 1)
			return;
}

static void respond(int fd, const struct fw_frame *asked, const uint8_t *payload)
{
	struct {
		struct fw_frame head;
		uint8_t data[1184 + 16];
	} answer = {
		.head = { FW_MAGIC, asked->type, .id = asked->id, .len = sizeof(answer.data) },
	};
	size_t len = sizeof(answer);

	answer.data[0] = 2;
	memcpy(answer.data + 0x50, payload, 64);
	answer.data[0x50] ^= behaviour == FOREIGN;
	if (behaviour == WRONG_MAGIC)
		answer.head.magic++;
	if (behaviour == WRONG_TYPE)
		answer.head.type++;
	if (behaviour == TOO_LONG)
		answer.head.len = 0xffffffff;
	if (behaviour == SHORT)
		len -= answer.head.len - 100, answer.head.len = 100;
	if (behaviour == CUT)
		len /= 2;
	if (behaviour == REFUSE)
		len = sizeof(answer.head), answer.head.len = 0, answer.head.status = 0x16;
	if (behaviour == DRIBBLE)
		send_slowly(fd, (uint8_t *)&answer, len);
	else
		send(fd, &answer, len, MSG_NOSIGNAL);
}

static void serve_one(int fd)
{
	static const char lines[] = "platform=snp\n";
	struct fw_frame head;
	uint8_t payload[4096];

	if (recv(fd, &head, sizeof(head), MSG_WAITALL) != sizeof(head) ||
	    (head.len && recv(fd, payload, head.len, MSG_WAITALL) != (ssize_t)head.len))
		return;
	if (head.type == FW_STATUS) {
		head.len = sizeof(lines) - 1;
		send(fd, &head, sizeof(head), MSG_NOSIGNAL);
		send(fd, lines, head.len, MSG_NOSIGNAL);
	} else if (behaviour == SILENT) {
		/* until the client has had enough */
		recv(fd, payload, 1, 0);
	} else if (behaviour != HANG_UP) {
		respond(fd, &head, payload);
	}
}

static void *serve(void *unused)
{
	int fd;

	while ((fd = accept(listener, NULL, NULL)) >= 0) {
		serve_one(fd);
		close(fd);
	}
	return NULL;
}

static void start_server(const char *path)
{
	struct sockaddr_un address = { .sun_family = AF_UNIX };
	pthread_t thread;

	strcpy(address.sun_path, path);
	listener = socket(AF_UNIX, SOCK_STREAM, 0);
	if (bind(listener, (struct sockaddr *)&address, sizeof(address)) || listen(listener, 8) ||
	    pthread_create(&thread, NULL, serve, NULL)) {
		printf("Bail out! no socket\n");
		exit(1);
	}
	pthread_detach(thread);
}

static struct cvm_error error;

static int open_sim(struct cvm_ctx **ctx, const char *path)
{
	struct cvm_open_opts opts = { .size = sizeof(opts), .backend = "sim", .sim_socket = path };

	return cvm_open(ctx, &opts, &error);
}

static int ask(struct cvm_ctx *ctx, enum behaviour how)
{
	struct cvm_report_opts opts = { .size = sizeof(opts), .timeout_ms = how == SILENT ? 50 : 0,
					.flags = CVM_REQUEST_CERTS };
	uint8_t data[CVM_REPORT_DATA_LEN] = "a nonce";
	struct cvm_evidence *evidence;
	size_t len = 0;
	int rc;

	behaviour = how;
	rc = cvm_report(ctx, data, &opts, &evidence, &error);
	if (!rc && (!cvm_evidence_certs(evidence, &len) || len != 16))
		rc = -ENODATA;
	cvm_evidence_free(evidence);
	return rc;
}

int main(void)
{
	static const struct {
		enum behaviour how;
		int rc;
		const char *what;
	} cases[] = {
		{ HONEST, 0, "an honest answer" },
		{ DRIBBLE, 0, "an answer in single bytes" },
		{ CUT, -EIO, "an answer cut short" },
		{ WRONG_MAGIC, -EBADMSG, "an answer with a wrong magic" },
		{ WRONG_TYPE, -EBADMSG, "an answer to another question" },
		{ TOO_LONG, -EBADMSG, "an answer of 4 GiB" },
		{ SHORT, -EBADMSG, "less than a report" },
		{ SILENT, -ETIMEDOUT, "no answer before the deadline" },
		{ HANG_UP, -EIO, "no answer at all" },
		{ REFUSE, -EIO, "a firmware error" },
		{ FOREIGN, -EBADMSG, "other REPORT_DATA" },
		{ HONEST, 0, "and none of it lasts" },
	};
	struct cvm_ctx *ctx;

	tap_make_dir();
	unsetenv("CVM_SIM");
	check_is(open_sim(&ctx, NULL), -ENODEV, "no socket is named");
	check_is(open_sim(&ctx, tap_path("/none")), -ENODEV, "nobody listens");
	check_says(error.text, "cvm-fwd --listen", "says what to start");
	start_server(tap_path("/socket"));
	if (open_sim(&ctx, tap_path("/socket"))) {
		printf("Bail out! %s\n", error.text);
		return 1;
	}
	for (size_t i = 0; i < sizeof(cases) / sizeof(cases[0]); i++)
		check_is(ask(ctx, cases[i].how), cases[i].rc, cases[i].what);
	cvm_close(ctx);
	setenv("CVM_SIM", tap_path("/socket"), 1);
	check_is(open_sim(&ctx, NULL), 0, "the socket from the environment");
	cvm_close(ctx);
	return tap_end();
}
