// SPDX-License-Identifier: GPL-2.0
/*
 * Users of configfs-tsm, each with an entry of its own, who all ask at the same time,
 * again and again; what came of it as JSON, as cvmctl bench prints it. Those who wait
 * are not told by time but counted: "gap" is how many others have been served between
 * two answers to one user, at most, or before his first.
 *   tsm_users rounds|seconds N USERS
 * A user alone, for seconds, reads a report in hand a second time, which the hardware has
 * no part in: "file_ms" is what that takes, and to write what is asked for.
 */
#include <math.h>
#include <pthread.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>
#include <jansson.h>

#include "tsm_entry.h"

#define MAX_ANSWERS	100000

struct answer {
	double ms, file_ms;
};

struct user {
	pthread_t thread;
	int number, dir;
	int good, bad;
	int last;		/* how many of all had been served then */
	unsigned char *blob;
};

static struct {
	pthread_mutex_t lock;	/* the next three */
	int served, gap;
	struct answer answers[MAX_ANSWERS];
	pthread_barrier_t ready;
	int rounds;
	double until;		/* now_ms(), with rounds 0 */
	bool twice;
} all = { .lock = PTHREAD_MUTEX_INITIALIZER };

static double now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double)now.tv_sec * 1e3 + (double)now.tv_nsec / 1e6;
}

static void served(struct user *u, struct answer answer)
{
	int gap;

	pthread_mutex_lock(&all.lock);
	gap = all.served - u->last;
	if (gap > all.gap)
		all.gap = gap;
	if (all.served < MAX_ANSWERS)
		all.answers[all.served] = answer;
	u->last = ++all.served;
	pthread_mutex_unlock(&all.lock);
}

static void ask(struct user *u, int round)
{
	double start = now_ms(), written, read, again;
	unsigned char data[64];
	long len;
	int err;

	fill(data, u->number);
	memcpy(data, &round, sizeof(round));
	err = put(u->dir, "inblob", data, sizeof(data));
	written = now_ms();
	len = err ? -err : get(u->dir, "outblob", u->blob, BLOB);
	read = now_ms();
	if (!carries(u->blob, len, data)) {
		u->bad++;
		return;
	}
	u->good++;
	served(u, (struct answer){ .ms = read - start });
	/* beside others a second read waits like the first */
	if (!all.twice || u->last > MAX_ANSWERS)
		return;
	get(u->dir, "outblob", u->blob, BLOB);
	again = now_ms();
	pthread_mutex_lock(&all.lock);
	all.answers[u->last - 1].file_ms = written - start + again - read;
	pthread_mutex_unlock(&all.lock);
}

static void *user(void *arg)
{
	struct user *u = arg;
	int round;

	pthread_barrier_wait(&all.ready);
	for (round = 0; all.rounds ? round < all.rounds : now_ms() < all.until; round++)
		ask(u, round);
	return NULL;
}

static void make_entry(struct user *u, int number)
{
	char name[32];

	snprintf(name, sizeof(name), "user%d", number);
	*u = (struct user){ .number = number, .dir = make(name), .blob = malloc(BLOB) };
	if (u->dir < 0 || !u->blob) {
		say("%s: %s", name, outcome(-u->dir));
		exit(1);
	}
}

static void drop_entry(const struct user *u)
{
	char name[32];

	snprintf(name, sizeof(name), "user%d", u->number);
	close(u->dir);
	drop(name);
	free(u->blob);
}

static int by_ms(const void *a, const void *b)
{
	double x = ((const struct answer *)a)->ms, y = ((const struct answer *)b)->ms;

	return (x > y) - (x < y);
}

static int by_file_ms(const void *a, const void *b)
{
	double x = ((const struct answer *)a)->file_ms, y = ((const struct answer *)b)->file_ms;

	return (x > y) - (x < y);
}

static int counted(void)
{
	return all.served < MAX_ANSWERS ? all.served : MAX_ANSWERS;
}

/* of the answers as they are sorted now */
static struct answer *percentile(double percent)
{
	int rank = (int)ceil(percent / 100 * counted());

	return &all.answers[rank ? rank - 1 : 0];
}

static double jain(const struct user *u, int count)
{
	double sum = 0, squares = 0;

	for (int i = 0; i < count; i++) {
		sum += u[i].good;
		squares += (double)u[i].good * u[i].good;
	}
	return squares > 0 ? sum * sum / (count * squares) : 0;
}

static void print(const struct user *u, int count, double ms)
{
	int errors = 0;
	json_t *json;

	for (int i = 0; i < count; i++)
		errors += u[i].bad;
	qsort(all.answers, (size_t)counted(), sizeof(all.answers[0]), by_ms);
	json = json_pack("{s:s, s:i, s:f, s:i, s:i, s:f, s:f, s:f, s:f, s:f, s:f, s:i, s:n}",
			 "mode", "tsm", "clients", count, "seconds", ms / 1e3,
			 "count", all.served, "errors", errors, "rate", all.served / ms * 1e3,
			 "p50_ms", percentile(50)->ms, "p90_ms", percentile(90)->ms,
			 "p99_ms", percentile(99)->ms, "max_ms", percentile(100)->ms,
			 "jain", jain(u, count), "gap", all.gap, "vcpu_ms_per_attestation");
	qsort(all.answers, (size_t)counted(), sizeof(all.answers[0]), by_file_ms);
	json_object_set_new(json, "file_ms", json_real(percentile(50)->file_ms));
	json_dumpf(json, stdout, JSON_INDENT(1));
	printf("\n");
	json_decref(json);
}

int main(int argc, char **argv)
{
	int count = argc == 4 ? atoi(argv[3]) : 0, n = argc == 4 ? atoi(argv[2]) : 0;
	struct user *users = calloc((size_t)count + 1, sizeof(*users));
	double start;

	if (count < 1 || n < 1 || !users) {
		fprintf(stderr, "usage: tsm_users rounds|seconds N USERS\n");
		return 2;
	}
	pthread_barrier_init(&all.ready, NULL, (unsigned int)count + 1);
	for (int i = 0; i < count; i++) {
		make_entry(&users[i], i);
		if (pthread_create(&users[i].thread, NULL, user, &users[i]))
			return 1;
	}
	all.rounds = strcmp(argv[1], "rounds") ? 0 : n;
	all.twice = !all.rounds && count == 1;
	start = now_ms();
	all.until = start + 1e3 * n;
	pthread_barrier_wait(&all.ready);
	for (int i = 0; i < count; i++)
		pthread_join(users[i].thread, NULL);
	print(users, count, now_ms() - start);
	for (int i = 0; i < count; i++)
		drop_entry(&users[i]);
	free(users);
	return 0;
}
