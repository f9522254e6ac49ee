// SPDX-License-Identifier: GPL-2.0
/*
 * Programs that ask cvm-agent, as containers have them: without a device node.
 *   agent_client SOCKET get PATH     the body on stdout, and 0 where the status is 200;
 *                                    else 1, and the status on stderr
 *   agent_client SOCKET load CONNECTIONS REQUESTS [SCOPE]
 *                                    batch evidence, each answer's proof walked; one line
 *                                    of JSON. What was refused for now or could not be sent
 *                                    (again), or whose connection ended without an answer
 *                                    (broken), is asked again
 */
#include <errno.h>
#include <poll.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/random.h>
#include <time.h>
#include <unistd.h>

#include "cvmguest.h"
#include "http.h"
#include "userspace/common/util.h"
#include "userspace/verify/evidence_file.h"

/* how long a restarted agent may take, and how often one request is asked again */
#define CONNECT_MS	20000
#define MAX_TRIES	200
#define RETRY_MS	20

/**
 * struct answer - what came, for when there is time to look at it
 * @user_data: what was asked for
 * @body: @len bytes
 */
struct answer {
	uint8_t user_data[CVM_USER_DATA_LEN];
	char *body;
	size_t len;
};

/**
 * struct client - one of many
 * @http: its connection
 * @user_data: what it asks for
 * @began: when, in nanoseconds
 * @tries: how often it has asked for that
 */
struct client {
	struct http http;
	uint8_t user_data[CVM_USER_DATA_LEN];
	uint64_t began;
	unsigned int tries;
};

static struct load {
	const char *socket, *scope;
	struct client *clients;
	int epoll;
	unsigned long wanted, begun, done, wrong, again, broken;
	double *ms;
	struct answer *answers;
} load;

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void give_up(const char *what, int rc)
{
	fprintf(stderr, "agent_client: %s: %s\n", what, strerror(-rc));
	exit(1);
}

/* until there is somebody */
static void open_connection(struct http *http, const char *path)
{
	uint64_t end = now_ns() + CONNECT_MS * 1000000ULL;
	int rc;

	while ((rc = http_connect(http, path))) {
		if (rc == -EACCES || now_ns() > end)
			give_up(path, rc);
		poll(NULL, 0, RETRY_MS);
	}
}

/* ---- one */

static int get(const char *socket, const char *path)
{
	struct http http = { .fd = -1 };
	int rc;

	open_connection(&http, socket);
	http_get(&http, path);
	while (!(rc = http_go_on(&http))) {
		struct pollfd ready = { .fd = http.fd, .events = POLLIN };

		poll(&ready, 1, -1);
	}
	if (rc < 0)
		give_up(socket, rc);
	fwrite(http.body, 1, http.body_len, stdout);
	if (http.status != 200)
		fprintf(stderr, "status %u\n", http.status);
	return http.status == 200 ? 0 : 1;
}

/* ---- many */

/* The answer is about what was asked for, and the evidence commits to it. */
static bool verifies(const struct answer *answer)
{
	struct cvm_evidence_file file;
	uint8_t expected[CVM_REPORT_DATA_LEN];
	size_t offset;
	bool good;

	if (!answer->body || cvm_evidence_file_parse(&file, answer->body, answer->len, NULL))
		return false;
	/* where REPORT_DATA is in the two */
	offset = file.type == CVM_EVIDENCE_SNP_REPORT ? 80 : 568;
	good = file.proof.data && file.report.len >= offset + sizeof(expected) &&
	       !cvm_batch_expected(answer->user_data, file.proof.data, file.proof.len, load.scope,
				   expected, NULL) &&
	       !memcmp(file.report.data + offset, expected, sizeof(expected));
	cvm_evidence_file_free(&file);
	return good;
}

static void ask(struct client *client)
{
	char hex[2 * CVM_USER_DATA_LEN + 1], path[512];
	struct epoll_event event = { .events = EPOLLIN | EPOLLRDHUP, .data.ptr = client };

	if (client->http.fd < 0) {
		open_connection(&client->http, load.socket);
		epoll_ctl(load.epoll, EPOLL_CTL_ADD, client->http.fd, &event);
	}
	client->tries++;
	client->began = now_ns();
	cvm_hex_encode(client->user_data, sizeof(client->user_data), hex);
	snprintf(path, sizeof(path), "/v1/evidence?user_data=%s", hex);
	http_get(&client->http, path);
}

static void ask_next(struct client *client)
{
	if (load.begun == load.wanted) {
		http_close(&client->http);
		return;
	}
	load.begun++;
	client->tries = 0;
	if (getrandom(client->user_data, sizeof(client->user_data), 0) < 0)
		give_up("getrandom", -errno);
	ask(client);
}

static void ask_again(struct client *client, const char *why)
{
	if (client->tries == MAX_TRIES) {
		fprintf(stderr, "agent_client: %u times no answer: %s\n", MAX_TRIES, why);
		load.wrong++;
		load.done++;
		ask_next(client);
		return;
	}
	ask(client);
}

/* To verify is another's work, and takes more time than to ask. */
static void keep(const struct client *client, struct answer *answer)
{
	if (client->http.status != 200)
		return;
	memcpy(answer->user_data, client->user_data, sizeof(answer->user_data));
	answer->len = client->http.body_len;
	answer->body = malloc(answer->len + 1);
	if (!answer->body)
		give_up("answers", -ENOMEM);
	memcpy(answer->body, client->http.body, answer->len);
}

static unsigned long count_right(void)
{
	unsigned long right = 0;

	for (unsigned long i = 0; i < load.done; i++) {
		right += verifies(&load.answers[i]);
		free(load.answers[i].body);
	}
	return right;
}

static void judge(struct client *client)
{
	struct http *http = &client->http;

	if (http->status == 503 && strcasestr(http->in, "\r\nRetry-After:")) {
		if (http->close)
			http_close(http);
		load.again++;
		ask_again(client, http->body);
		return;
	}
	load.ms[load.done] = (double)(now_ns() - client->began) / 1e6;
	keep(client, &load.answers[load.done++]);
	if (http->status != 200 && !load.wrong++)
		fprintf(stderr, "agent_client: status %u: %.300s\n", http->status, http->body);
	if (http->close)
		http_close(http);
	ask_next(client);
}

static void handle(struct client *client)
{
	int rc = http_go_on(&client->http);

	if (rc > 0) {
		judge(client);
	} else if (rc < 0) {
		http_close(&client->http);
		*(client->http.unsent ? &load.again : &load.broken) += 1;
		ask_again(client, strerror(-rc));
	}
}

static int compare(const void *a, const void *b)
{
	double x = *(const double *)a, y = *(const double *)b;

	return x < y ? -1 : x > y;
}

static int run_load(unsigned int connections)
{
	struct epoll_event events[64];
	uint64_t began = now_ns();
	double seconds;

	for (unsigned int i = 0; i < connections; i++) {
		load.clients[i].http.fd = -1;
		ask_next(&load.clients[i]);
	}
	while (load.done < load.wanted) {
		int count = epoll_wait(load.epoll, events, 64, 30000);

		if (count <= 0)
			give_up("no answer for 30 s", -ETIMEDOUT);
		for (int i = 0; i < count; i++)
			handle(events[i].data.ptr);
	}
	seconds = (double)(now_ns() - began) / 1e9;
	load.wrong = load.done - count_right();
	qsort(load.ms, load.done, sizeof(*load.ms), compare);
	printf("{\"requests\": %lu, \"wrong\": %lu, \"again\": %lu, \"broken\": %lu, \"seconds\": %.2f, \"rate\": %.0f, \"p50_ms\": %.2f, \"p99_ms\": %.2f, \"max_ms\": %.2f}\n",
	       load.done, load.wrong, load.again, load.broken, seconds, (double)load.done / seconds,
	       load.ms[load.done / 2], load.ms[load.done * 99 / 100], load.ms[load.done - 1]);
	return load.wrong ? 1 : 0;
}

int main(int argc, char **argv)
{
	if (argc == 4 && !strcmp(argv[2], "get"))
		return get(argv[1], argv[3]);
	if (argc < 5 || strcmp(argv[2], "load")) {
		fprintf(stderr, "usage: agent_client SOCKET get PATH | load CONNECTIONS REQUESTS [SCOPE]\n");
		return 2;
	}
	load.socket = argv[1];
	load.wanted = strtoul(argv[4], NULL, 10);
	load.scope = argc > 5 ? argv[5] : "any";
	load.clients = calloc(strtoul(argv[3], NULL, 10), sizeof(*load.clients));
	load.ms = calloc(load.wanted, sizeof(*load.ms));
	load.epoll = epoll_create1(EPOLL_CLOEXEC);
	load.answers = calloc(load.wanted, sizeof(*load.answers));
	if (!load.clients || !load.ms || !load.answers || load.epoll < 0)
		give_up("start", -ENOMEM);
	return run_load((unsigned int)strtoul(argv[3], NULL, 10));
}
