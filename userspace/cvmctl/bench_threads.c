// SPDX-License-Identifier: MIT
/* cvmctl bench, as clients are: a thread each, with an open file of its own. */
#include <pthread.h>
#include <string.h>
#include <sys/resource.h>

#include "bench.h"
#include "evidence.h"

/* as little as the library's paths leave room for: there may be thousands */
#define STACK_SIZE	(128U << 10)

/* besides those of the clients: the standard three, what libraries keep open */
#define SPARE_FILES	64
#define FILES_EACH	3

/**
 * struct crowd - all of them
 * @bench: what they are to do
 * @gate: nobody asks before everybody can
 * @opened: the gate
 * @give_up: they are not all there: ask for nothing
 * @lock: of @opened and @give_up
 * @end: when to stop, ms
 */
struct crowd {
	const struct bench *bench;
	pthread_mutex_t lock;
	pthread_cond_t gate;
	bool opened, give_up;
	double end;
};

/**
 * struct runner - the thread of a client
 * @thread: which
 * @crowd: all of them
 * @client: whose
 * @ctx: its own, or
 * @door: where it asks for keys
 * @nonce: the next one
 */
struct runner {
	pthread_t thread;
	struct crowd *crowd;
	struct client *client;
	struct cvm_ctx *ctx;
	struct bench_door *door;
	uint8_t nonce[NONCE_LEN];
};

static int ask(struct runner *runner, struct cvm_evidence **evidence, struct cvm_error *error)
{
	const struct bench *bench = runner->crowd->bench;

	if (bench->key)
		return bench_derive(runner->door, runner->nonce, sizeof(runner->nonce), error);
	if (bench->batch)
		return cvm_batch_one(runner->ctx, runner->nonce, NULL, evidence, error);
	return cvm_attest(runner->ctx, runner->nonce, NULL, evidence, error);
}

static bool wait_for_gate(struct crowd *crowd)
{
	bool go;

	pthread_mutex_lock(&crowd->lock);
	while (!crowd->opened)
		pthread_cond_wait(&crowd->gate, &crowd->lock);
	go = !crowd->give_up;
	pthread_mutex_unlock(&crowd->lock);
	return go;
}

static void *runner_main(void *arg)
{
	struct runner *runner = arg;
	struct client *client = runner->client;
	struct cvm_error error = { 0 };
	double start, end;

	if (!wait_for_gate(runner->crowd))
		return NULL;
	/* the clock is read once a request: in a VM that can cost as much as a request */
	for (start = bench_now_ms(); ; start = end) {
		struct cvm_evidence *evidence = NULL;
		int rc = ask(runner, &evidence, &error);

		end = bench_now_ms();
		bench_record(client, end - start, rc, evidence, &error);
		if (bench_hopeless(client) || end >= runner->crowd->end)
			return NULL;
		bench_next_nonce(runner->nonce);
	}
}

/* The usual limit of 1,024 open files is below what many clients need. */
static void allow_files(size_t clients)
{
	struct rlimit limit;
	rlim_t need = clients * FILES_EACH + SPARE_FILES;

	if (getrlimit(RLIMIT_NOFILE, &limit) || limit.rlim_cur >= need)
		return;
	limit.rlim_cur = limit.rlim_max < need ? limit.rlim_max : need;
	/* if it does not suffice, the open that fails says so */
	setrlimit(RLIMIT_NOFILE, &limit);
}

static int prepare(const struct bench *bench, struct crowd *crowd, struct runner *runners)
{
	allow_files(bench->clients);
	for (size_t i = 0; i < bench->clients; i++) {
		struct runner *runner = &runners[i];
		int rc = bench_first_nonce(runner->nonce);

		if (!rc)
			rc = bench->key ? bench_open_door(bench, &runner->door) :
					  bench_open(bench, &runner->ctx);
		if (rc)
			return rc;
		runner->crowd = crowd;
		runner->client = &bench->client[i];
	}
	return 0;
}

static int start(const struct bench *bench, struct runner *runners, size_t *started)
{
	pthread_attr_t attr;
	int rc = 0;

	pthread_attr_init(&attr);
	pthread_attr_setstacksize(&attr, STACK_SIZE);
	for (*started = 0; !rc && *started < bench->clients; *started += !rc)
		rc = pthread_create(&runners[*started].thread, &attr, runner_main,
				    &runners[*started]);
	pthread_attr_destroy(&attr);
	return rc ? fail(EXIT_FAILED, "only %zu of %zu threads could be started: %s", *started,
			 bench->clients, strerror(rc)) : 0;
}

static int run_all(struct bench *bench, struct crowd *crowd, struct runner *runners)
{
	size_t started;
	int rc = start(bench, runners, &started);
	double begin;

	pthread_mutex_lock(&crowd->lock);
	begin = bench_now_ms();
	crowd->end = begin + bench->seconds * 1e3;
	crowd->give_up = rc;
	crowd->opened = true;
	pthread_cond_broadcast(&crowd->gate);
	pthread_mutex_unlock(&crowd->lock);
	while (started--)
		pthread_join(runners[started].thread, NULL);
	bench->took = (bench_now_ms() - begin) / 1e3;
	return rc;
}

int bench_threads(struct bench *bench)
{
	struct crowd crowd = {
		.bench = bench,
		.lock = PTHREAD_MUTEX_INITIALIZER,
		.gate = PTHREAD_COND_INITIALIZER,
	};
	__cleanup_free struct runner *runners = calloc(bench->clients, sizeof(*runners));
	int rc;

	if (!runners)
		return fail(EXIT_FAILED, "out of memory");
	rc = prepare(bench, &crowd, runners);
	if (!rc)
		rc = run_all(bench, &crowd, runners);
	for (size_t i = 0; i < bench->clients; i++) {
		cvm_close(runners[i].ctx);
		bench_close_door(runners[i].door);
	}
	return rc;
}
