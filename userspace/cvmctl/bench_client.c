// SPDX-License-Identifier: MIT
/* What every client of cvmctl bench does, however it asks. */
#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include "bench.h"
#include "common/cleanup.h"
#include "common/util.h"

#define BATCH_NODE	"/dev/cvm/batch"
#define MAX_FAILURES	100

/*
 * With the driver a client of a batch has that node open and no other, as a
 * workload would. Where it is not there, the library has the last word.
 */
int bench_open(const struct bench *bench, struct cvm_ctx **ctx)
{
	bool driver = !bench->backend || !strcmp(bench->backend, "cvm");
	__cleanup_fd int fd = bench->batch && driver ? open(BATCH_NODE, O_RDWR | O_CLOEXEC) : -1;
	struct cvm_open_opts opts = { .size = sizeof(opts), .batch_fd = fd };
	struct cvm_error error;
	int rc;

	if (fd <= 0)
		return open_source(bench->backend, ctx);
	rc = cvm_open(ctx, &opts, &error);
	return rc ? fail_library(rc, &error) : 0;
}

double bench_now_ms(void)
{
	struct timespec ts;

	clock_gettime(CLOCK_MONOTONIC, &ts);
	return (double)ts.tv_sec * 1e3 + (double)ts.tv_nsec / 1e6;
}

int bench_first_nonce(uint8_t nonce[NONCE_LEN])
{
	if (getrandom(nonce, NONCE_LEN, 0) != NONCE_LEN)
		return fail(EXIT_FAILED, "no random numbers: %s", strerror(errno));
	/* never the reserved tag, which begins with a letter */
	nonce[0] |= 0x80;
	return 0;
}

void bench_next_nonce(uint8_t nonce[NONCE_LEN])
{
	uint64_t number;

	memcpy(&number, nonce + NONCE_LEN - sizeof(number), sizeof(number));
	number++;
	memcpy(nonce + NONCE_LEN - sizeof(number), &number, sizeof(number));
}

/* FNV-1a by words: signatures tell reports apart, so any hash does */
static uint64_t hash(const uint8_t *data, size_t len)
{
	uint64_t sum = 0xcbf29ce484222325;

	for (; len >= sizeof(sum); data += sizeof(sum), len -= sizeof(sum))
		sum = (sum ^ cvm_le64(data)) * 0x100000001b3;
	while (len--)
		sum = (sum ^ *data++) * 0x100000001b3;
	return sum;
}

static int keep(struct client *client, double ms, const struct cvm_evidence *evidence)
{
	const void *data;
	uint64_t number;
	size_t len;

	if (client->count == client->room) {
		size_t room = client->room ? 2 * client->room : 64;
		struct sample *more = realloc(client->sample, room * sizeof(*more));

		if (!more)
			return -ENOMEM;
		client->sample = more;
		client->room = room;
	}
	/* a key is no evidence, and nobody shares it */
	number = ((uint64_t)(uintptr_t)client << 20) + client->count;
	data = evidence ? cvm_evidence_data(evidence, &len) : NULL;
	client->sample[client->count++] = (struct sample) { ms, data ? hash(data, len) : number };
	return 0;
}

void bench_record(struct client *client, double ms, int rc, struct cvm_evidence *evidence,
		  const struct cvm_error *error)
{
	/* the library has compared REPORT_DATA, or walked the proof, with this nonce */
	if (!rc)
		rc = keep(client, ms, evidence);
	cvm_evidence_free(evidence);
	if (rc && !client->errors++) {
		client->rc = rc;
		client->error = *error;
	}
}

bool bench_hopeless(const struct client *client)
{
	return !client->count && client->errors >= MAX_FAILURES;
}
