// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>
#include <openssl/evp.h>

#include "fw_client.h"

#define AAD_OFFSET 0x30

static int results, failures;

void ok(bool good, const char *fmt, ...)
{
	va_list args;

	printf("%sok %d ", good ? "" : "not ", ++results);
	va_start(args, fmt);
	vprintf(fmt, args);
	va_end(args);
	printf("\n");
	fflush(stdout);
	failures += !good;
}

void plan(void)
{
	printf("1..%d\n", results);
	exit(failures ? 1 : 0);
}

static void bail(const char *what)
{
	printf("Bail out! %s: %s\n", what, strerror(errno));
	exit(1);
}

static const char *env(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value && *value ? value : otherwise;
}

static void run_fwd(const struct fwd_process *fwd, const char *const *options)
{
	const char *args[64] = { "cvm-fwd", "--state",
				 env("CVM_FW_STATE", "build/cache/fw-state"), "--listen" };
	char path[100];
	size_t n = 4;
	int err;

	snprintf(path, sizeof(path), "%s/stderr", fwd->dir);
	err = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
	dup2(err, STDERR_FILENO);
	snprintf(path, sizeof(path), "%s/s", fwd->dir);
	args[n++] = path;
	while (options && *options && n < 63)
		args[n++] = *options++;
	execv(env("CVM_FWD", "build/bin/cvm-fwd"), (char **)args);
	_exit(127);
}

int fwd_connect(const struct fwd_process *fwd)
{
	struct sockaddr_un addr = { .sun_family = AF_UNIX };
	int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

	snprintf(addr.sun_path, sizeof(addr.sun_path), "%s/s", fwd->dir);
	if (!connect(fd, (struct sockaddr *)&addr, sizeof(addr)))
		return fd;
	close(fd);
	return -1;
}

void fwd_start(struct fwd_process *fwd, const char *const *options)
{
	const struct timespec pause = { .tv_nsec = 5 * 1000 * 1000 };
	struct fw_reply *reply = malloc(sizeof(*reply));
	const struct fw_hello *hello = (const struct fw_hello *)reply->data;
	int tries = 12000;	/* a minute: the first run makes RSA keys */

	memset(fwd, 0, sizeof(*fwd));
	strcpy(fwd->dir, "/tmp/test-fwd-XXXXXX");
	if (!mkdtemp(fwd->dir))
		bail("mkdtemp");
	fwd->pid = fork();
	if (!fwd->pid)
		run_fwd(fwd, options);
	while ((fwd->fd = fwd_connect(fwd)) < 0) {
		if (waitpid(fwd->pid, NULL, WNOHANG) == fwd->pid || !tries--)
			bail("cvm-fwd does not start");
		nanosleep(&pause, NULL);
	}
	fw_call(fwd->fd, FW_HELLO, NULL, 0, reply);
	memcpy(fwd->keys, hello->secrets + 0x20, sizeof(fwd->keys));
	free(reply);
}

static void read_text(const char *path, char *text, size_t size)
{
	FILE *file = fopen(path, "r");

	if (!file)
		return;
	text[fread(text, 1, size - 1, file)] = 0;
	fclose(file);
}

void fwd_forget(const struct fwd_process *fwd)
{
	char path[100];

	snprintf(path, sizeof(path), "%s/stderr", fwd->dir);
	unlink(path);
	rmdir(fwd->dir);
}

int fwd_stop(struct fwd_process *fwd, char *text, size_t size)
{
	char path[100];
	int status;

	close(fwd->fd);
	kill(fwd->pid, SIGTERM);
	if (waitpid(fwd->pid, &status, 0) != fwd->pid)
		bail("waitpid");
	snprintf(path, sizeof(path), "%s/stderr", fwd->dir);
	if (text)
		read_text(path, text, size);
	fwd_forget(fwd);
	return WIFEXITED(status) ? WEXITSTATUS(status) : 128 + WTERMSIG(status);
}

static void write_all(int fd, const void *bytes, size_t len)
{
	if (send(fd, bytes, len, MSG_NOSIGNAL) != (ssize_t)len)
		bail("send");
}

void fw_send(int fd, uint32_t type, uint64_t id, const void *payload, uint32_t len)
{
	struct fw_frame frame = { .magic = FW_MAGIC, .type = type, .id = id, .len = len };

	write_all(fd, &frame, sizeof(frame));
	if (len)
		write_all(fd, payload, len);
}

bool fw_receive(int fd, struct fw_reply *reply)
{
	if (recv(fd, &reply->head, sizeof(reply->head), MSG_WAITALL) != sizeof(reply->head))
		return false;
	if (reply->head.magic != FW_MAGIC || reply->head.len > FW_MAX_PAYLOAD)
		bail("an answer without sense");
	return !reply->head.len ||
	       recv(fd, reply->data, reply->head.len, MSG_WAITALL) == (ssize_t)reply->head.len;
}

void fw_call(int fd, uint32_t type, const void *payload, uint32_t len, struct fw_reply *reply)
{
	static uint64_t id;

	fw_send(fd, type, ++id, payload, len);
	if (!fw_receive(fd, reply) || reply->head.type != type || reply->head.id != id)
		bail("no answer to this request");
}

bool fw_set(int fd, const char *text)
{
	static struct fw_reply reply;

	fw_call(fd, FW_CONTROL, text, (uint32_t)strlen(text), &reply);
	if (reply.head.len)
		printf("# %.*s\n", (int)reply.head.len, (char *)reply.data);
	return !reply.head.status;
}

uint64_t fw_status(int fd, const char *key)
{
	static struct fw_reply reply;
	char *line, *save = NULL;
	size_t len = strlen(key);

	fw_call(fd, FW_STATUS, NULL, 0, &reply);
	reply.data[reply.head.len] = 0;
	for (line = strtok_r((char *)reply.data, "\n", &save); line;
	     line = strtok_r(NULL, "\n", &save))
		if (!strncmp(line, key, len) && line[len] == '=')
			return strtoull(line + len + 1, NULL, 10);
	errno = ENOENT;
	bail(key);
	return 0;
}

void guest_prepare(struct fwd_process *fwd, struct guest_msg *msg, unsigned int vmpck,
		   uint8_t type, uint8_t version, const void *body, uint16_t size)
{
	memset(msg, 0, sizeof(*msg));
	msg->seqno = fwd->seqno[vmpck] + 1;
	msg->algo = 1;
	msg->hdr_version = 1;
	msg->hdr_size = 0x60;
	msg->type = type;
	msg->version = version;
	msg->size = size;
	msg->vmpck = (uint8_t)vmpck;
	memcpy(msg->payload, body, size);
}

static bool gcm(const uint8_t key[32], struct guest_msg *msg, bool encrypt)
{
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	uint8_t iv[12] = { 0 };
	int n, size = msg->size, good;

	memcpy(iv, &msg->seqno, sizeof(msg->seqno));
	if (size > (int)sizeof(msg->payload))
		size = sizeof(msg->payload);
	good = EVP_CipherInit_ex(ctx, EVP_aes_256_gcm(), NULL, key, iv, encrypt) &&
	       EVP_CipherUpdate(ctx, NULL, &n, (uint8_t *)msg + AAD_OFFSET, 0x60 - AAD_OFFSET) &&
	       EVP_CipherUpdate(ctx, msg->payload, &n, msg->payload, size) &&
	       (encrypt || EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_SET_TAG, 16, msg->authtag)) &&
	       EVP_CipherFinal_ex(ctx, msg->payload + n, &n) > 0 &&
	       (!encrypt || EVP_CIPHER_CTX_ctrl(ctx, EVP_CTRL_AEAD_GET_TAG, 16, msg->authtag));
	EVP_CIPHER_CTX_free(ctx);
	return good;
}

void guest_seal(struct fwd_process *fwd, struct guest_msg *msg, const uint8_t *key)
{
	if (!gcm(key ? key : fwd->keys[msg->vmpck & 3], msg, true))
		bail("AES-GCM");
}

bool guest_open(struct fwd_process *fwd, const struct guest_msg *answer, void *body)
{
	struct guest_msg copy = *answer;

	if (copy.vmpck > 3 || copy.size > sizeof(copy.payload) ||
	    !gcm(fwd->keys[copy.vmpck], &copy, false))
		return false;
	memcpy(body, copy.payload, copy.size);
	return true;
}

uint64_t guest_issue(struct fwd_process *fwd, const struct guest_msg *msg, int npages,
		     struct fw_reply *reply)
{
	struct fw_snp_request req = {
		.exit_code = npages < 0 ? 0x80000011 : 0x80000012,
		.data_npages = npages < 0 ? 0 : (uint32_t)npages,
	};

	memcpy(req.request, msg, sizeof(*msg));
	fw_call(fwd->fd, FW_SNP_REQUEST, &req, sizeof(req), reply);
	return reply->head.status;
}

static uint64_t exchange(struct fwd_process *fwd, struct guest_msg *msg, void *body,
			 uint16_t body_len)
{
	static struct fw_reply reply;
	const struct guest_msg *answer = (const struct guest_msg *)snp_answer(&reply)->response;
	uint64_t status;

	guest_seal(fwd, msg, NULL);
	status = guest_issue(fwd, msg, -1, &reply);
	if (status)
		return status;
	if (!snp_answer(&reply)->deliver || answer->seqno != msg->seqno + 1 ||
	    answer->type != msg->type + 1 || answer->version != msg->version ||
	    answer->size != body_len || !guest_open(fwd, answer, body))
		return UINT64_MAX;
	fwd->seqno[msg->vmpck] += 2;
	return 0;
}

uint64_t guest_report(struct fwd_process *fwd, unsigned int vmpck, const struct report_req *req,
		      uint8_t body[1216])
{
	struct guest_msg msg;

	guest_prepare(fwd, &msg, vmpck, 5, 1, req, sizeof(*req));
	return exchange(fwd, &msg, body, 1216);
}

uint64_t guest_key(struct fwd_process *fwd, unsigned int vmpck, const struct key_req *req,
		   uint8_t version, uint8_t body[64])
{
	struct guest_msg msg;

	guest_prepare(fwd, &msg, vmpck, 3, version, req, version == 1 ? 32 : 40);
	return exchange(fwd, &msg, body, 64);
}
