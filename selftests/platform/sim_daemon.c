// SPDX-License-Identifier: GPL-2.0
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "sim_daemon.h"

static int fd = -1, wake[2];
static pthread_t thread;
static struct fw_hello hello;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t asked = PTHREAD_COND_INITIALIZER;
static struct sim_script script;	/* these three under the lock */
static unsigned int violations;
static bool unanswered;

/* an answer is two writes, and nothing may come between them */
static pthread_mutex_t write_lock = PTHREAD_MUTEX_INITIALIZER;

static uint8_t in[FW_MAX_PAYLOAD], out[FW_MAX_PAYLOAD];

static int write_all(const void *data, size_t len, bool one_by_one)
{
	const uint8_t *at = data;

	while (len) {
		ssize_t n = write(fd, at, one_by_one ? 1 : len);

		if (n <= 0)
			return -1;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

static int read_all(void *data, size_t len)
{
	uint8_t *at = data;

	while (len) {
		struct pollfd fds[] = { { .fd = fd, .events = POLLIN },
					{ .fd = wake[0], .events = POLLIN } };
		ssize_t n;

		poll(fds, 2, -1);
		if (fds[1].revents)
			return -1;
		n = read(fd, at, len);
		if (n <= 0)
			return -1;
		at += n;
		len -= (size_t)n;
	}
	return 0;
}

static unsigned int svsm_calls;		/* since the script began */

static uint32_t snp_answer(const struct sim_script *now)
{
	struct fw_snp_answer *answer = (void *)out;

	memset(answer, 0, sizeof(*answer));
	answer->es_result = now->es_result;
	answer->data_npages = now->data_npages;
	answer->deliver = !now->status && !now->es_result;
	answer->certs_len = now->certs_len;
	memset(answer->response, 0x5a, sizeof(answer->response));
	answer->response[0x36] = 0x20;
	answer->response[0x37] = 0;
	memset(answer + 1, 0x77, now->certs_len);
	return sizeof(*answer) + now->certs_len;
}

/* report 0x5a, manifest of 9 bytes, certificates of certs_len */
static uint32_t svsm_answer(const struct sim_script *now)
{
	const struct fw_svsm_attest *ask = (const void *)in;
	struct fw_svsm_answer *answer = (void *)out;
	bool good = now->rax_n && svsm_calls++ >= now->rax_n;

	memset(answer, 0, sizeof(*answer));
	answer->pending = now->pending;
	answer->rax = good ? 0 : now->rax;
	answer->rcx = answer->rax ? ask->rcx : 9;
	answer->rdx = now->certs_len;
	answer->r8 = 16;
	if (answer->rax)
		return sizeof(*answer);
	answer->report_len = 16;
	answer->manifest_len = 9;
	answer->certs_len = now->certs_len;
	memset(answer + 1, 0x5a, 16 + 9 + now->certs_len);
	return sizeof(*answer) + 16 + 9 + now->certs_len;
}

/* the answer's length; false: there is none */
static bool make_answer(const struct fw_frame *frame, const struct sim_script *now, uint32_t *len)
{
	*len = 0;
	switch (frame->type) {
	case FW_HELLO:
		memcpy(out, &hello, sizeof(hello));
		*len = sizeof(hello);
		return true;
	case FW_SNP_REQUEST:
		*len = snp_answer(now);
		return !now->silent;
	case FW_SVSM_ATTEST:
		*len = svsm_answer(now);
		return !now->silent;
	case FW_TDX_REPORT:
		memset(out, 0x81, 1024);
		*len = 1024;
		return !now->silent;
	case FW_TDX_QUOTE:
		*len = now->payload_len ? now->payload_len : 5000;
		memset(out, 0x91, *len);
		return !now->silent;
	case FW_VIOLATION:
		pthread_mutex_lock(&lock);
		violations++;
		pthread_mutex_unlock(&lock);
		return true;
	case FW_CONTROL:
		if (in[0] != '!')
			return true;
		*len = (uint32_t)sprintf((char *)out, "no such key");
		return true;
	case FW_STATUS:
		*len = (uint32_t)sprintf((char *)out, "it=works\n");
		return true;
	}
	return true;
}

static int write_answer(const struct fw_frame *head, bool one_by_one)
{
	int ret;

	pthread_mutex_lock(&write_lock);
	ret = write_all(head, sizeof(*head), one_by_one);
	if (!ret)
		ret = write_all(out, head->len, one_by_one);
	pthread_mutex_unlock(&write_lock);
	return ret;
}

static int serve_one(void)
{
	struct fw_frame frame, head = { .magic = FW_MAGIC };
	struct sim_script now;
	bool answered;

	if (read_all(&frame, sizeof(frame)) || frame.magic != FW_MAGIC ||
	    frame.len > sizeof(in) - 1 || read_all(in, frame.len))
		return -1;
	in[frame.len] = '\0';
	pthread_mutex_lock(&lock);
	now = script;
	pthread_mutex_unlock(&lock);
	head.type = frame.type;
	head.id = frame.id;
	answered = make_answer(&frame, &now, &head.len);
	if ((frame.type >= FW_SNP_REQUEST && frame.type <= FW_TDX_RTMR) ||
	    frame.type == FW_SVSM_ATTEST) {
		head.status = now.status;
		head.delay_ns = now.delay_ns;
		head.flags = now.flags;
	}
	if (answered)
		return write_answer(&head, now.one_by_one);
	pthread_mutex_lock(&lock);
	unanswered = true;
	pthread_cond_signal(&asked);
	pthread_mutex_unlock(&lock);
	return 0;
}

static void *serve(void *unused)
{
	while (!serve_one())
		;
	return NULL;
}

int sim_daemon_open(enum fw_platform platform, uint32_t many)
{
	hello = (struct fw_hello){ .platform = platform };
	*(platform == FW_PLATFORM_TDX ? &hello.max_quotes : &hello.vmpl) = many;
	memset(hello.boot_id, 0x11, sizeof(hello.boot_id));
	memset(hello.secrets, 0x22, sizeof(hello.secrets));
	fd = open("/dev/cvm-fw", O_RDWR | O_CLOEXEC);
	if (fd < 0)
		return -errno;
	if (pipe(wake) || pthread_create(&thread, NULL, serve, NULL))
		return -EAGAIN;
	return 0;
}

void sim_daemon_close(void)
{
	close(wake[1]);
	pthread_join(thread, NULL);
	close(wake[0]);
	close(fd);
	fd = -1;
}

void sim_daemon_script(const struct sim_script *new)
{
	pthread_mutex_lock(&lock);
	script = *new;
	svsm_calls = 0;
	unanswered = false;
	pthread_mutex_unlock(&lock);
}

ssize_t sim_daemon_write(const void *data, size_t len)
{
	ssize_t n;

	pthread_mutex_lock(&write_lock);
	n = write(fd, data, len);
	pthread_mutex_unlock(&write_lock);
	return n;
}

int sim_daemon_fd(void)
{
	return fd;
}

unsigned int sim_daemon_violations(void)
{
	unsigned int count;

	pthread_mutex_lock(&lock);
	count = violations;
	pthread_mutex_unlock(&lock);
	return count;
}

void sim_daemon_await_request(void)
{
	pthread_mutex_lock(&lock);
	while (!unanswered)
		pthread_cond_wait(&asked, &lock);
	pthread_mutex_unlock(&lock);
}
