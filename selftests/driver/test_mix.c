// SPDX-License-Identifier: GPL-2.0
/*
 * 64 clients, root and others, do everything that files of the driver can do, in
 * any order, and sixteen of them are killed in the middle of it, again and again. Every answer
 * is about what was asked, every accepted request has one record, no memory
 * stays behind.
 *   CVM_SECONDS (10), CVM_SEED (the clock)
 */
#include <errno.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "mix.h"

#define CLIENTS		64
#define KILLED		16
#define GROUP		"cvm-mix"
/* what caches and per-CPU lists may keep */
#define SLACK_KB	8192
#define GROUP_SLACK	(512 * 1024)

struct mix mix;
struct mix_tally *tally;

static void *client_main(void *arg)
{
	struct mix_client client;

	if (mix_start(&client, mix.seed + (unsigned long)arg,
		      (unsigned long)arg % 2)) {
		mix_live(&client);
		mix_finish(&client);
	}
	return NULL;
}

/* a client in a process of its own, which ends at no time of its choice */
static void *victim_main(void *arg)
{
	unsigned int seed = mix.seed + (unsigned long)arg;
	struct mix_client client;
	pid_t pid;

	while (report_now_us() < mix.end) {
		unsigned int us = rand_r(&seed) % 200000;

		pid = fork();
		if (!pid) {
			prctl(PR_SET_PDEATHSIG, SIGKILL);
			if (mix_start(&client, seed, seed % 2))
				mix_live(&client);
			_exit(0);
		}
		if (pid < 0) {
			mix_wrong("fork", -errno);
			break;
		}
		usleep(us);
		kill(pid, SIGKILL);
		waitpid(pid, NULL, 0);
		atomic_fetch_add(&tally->killed, 1);
	}
	return NULL;
}

static void on_signal(int number)
{
}

/* the clients, and signals for them; in a process of its own */
static int arena(void)
{
	struct sigaction action = { .sa_handler = on_signal };
	pthread_t threads[CLIENTS];
	unsigned int seed = mix.seed;
	unsigned long i;

	sigaction(SIGUSR1, &action, NULL);
	for (i = 0; i < 2; i++)
		mix.shared[i] = crowd_open(i);
	for (i = 0; i < CLIENTS; i++)
		if (pthread_create(&threads[i], NULL,
				   i < KILLED ? victim_main : client_main,
				   (void *)i))
			return 1;
	while (report_now_us() < mix.end) {
		usleep(5000);
		pthread_kill(threads[KILLED + rand_r(&seed) % (CLIENTS - KILLED)],
			     SIGUSR1);
	}
	for (i = 0; i < CLIENTS; i++)
		pthread_join(threads[i], NULL);
	return 0;
}

static unsigned int setting(const char *name, unsigned int otherwise)
{
	const char *value = getenv(name);

	return value && *value ? strtoul(value, NULL, 10) : otherwise;
}

static long long kernel_kb(void)
{
	FILE *file = fopen("/proc/meminfo", "re");
	long long kb = -1;
	char line[128];

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "SUnreclaim: %lld kB", &kb) == 1)
			break;
	if (file)
		fclose(file);
	return kb;
}

/* the arena in a group of its own, so that what stays behind can be seen */
static int run(bool grouped)
{
	pid_t pid = fork();
	int status = -1;

	if (!pid) {
		if (grouped && !crowd_enter(GROUP))
			_exit(1);
		_exit(arena());
	}
	waitpid(pid, &status, 0);
	return status;
}

FIXTURE(mix) {
	bool grouped;
};

FIXTURE_SETUP(mix)
{
	struct cvm_info batch;
	int fd = report_open();

	if (fd < 0 || !crowd_info(&batch))
		SKIP(return, "no " REPORT_NODE " or " CROWD_NODE);
	ASSERT_EQ(0, report_info(fd, &mix.info));
	close(fd);
	if (batch.max_record > mix.info.max_record)
		mix.info.max_record = batch.max_record;
	mix.nkinds = report_kinds(&mix.info, mix.kinds);
	ASSERT_LE(1, mix.nkinds);
	mix.seed = setting("CVM_SEED", report_now_us());
	tally = mmap(NULL, sizeof(*tally), PROT_READ | PROT_WRITE,
		     MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	ASSERT_NE(MAP_FAILED, (void *)tally);
	/* half of the clients are root, the others anybody */
	ASSERT_EQ(0, chmod(REPORT_NODE, 0666));
	ASSERT_EQ(0, chmod(CROWD_NODE, 0666));
	self->grouped = crowd_group(GROUP);
	report_sim_ms(&mix.info, "1");
}

FIXTURE_TEARDOWN(mix)
{
	report_sim_ms(&mix.info, "4.7");
}

TEST_F_TIMEOUT(mix, everything_at_once, 900)
{
	unsigned int seconds = setting("CVM_SECONDS", 10);
	long long before, after;

	TH_LOG("seed %u, %u s", mix.seed, seconds);
	/* caches that fill once are full after this */
	mix.end = report_now_us() + 2000000;
	ASSERT_EQ(0, run(self->grouped));
	before = kernel_kb();
	mix.end = report_now_us() + seconds * 1000000ULL;
	ASSERT_EQ(0, run(self->grouped));
	after = kernel_kb();
	TH_LOG("%llu right, %llu late or cancelled, %llu records, %llu refused, %llu killed",
	       tally->right, tally->late, tally->records, tally->refused,
	       tally->killed);
	TH_LOG("slab %lld kB before, %lld kB after; of the group %lld bytes",
	       before, after, crowd_memory(GROUP, "slab_unreclaimable"));
	EXPECT_EQ(0, tally->wrong);
	EXPECT_LT(10 * seconds, tally->right);
	EXPECT_LT(0, tally->killed);
	EXPECT_GT(before + SLACK_KB, after);
	if (self->grouped)
		EXPECT_GT(GROUP_SLACK, crowd_memory(GROUP, "slab_unreclaimable"));
}

/* and what is left of the driver serves as if nothing had been */
TEST_F(mix, afterwards)
{
	unsigned char evidence[MIX_EVIDENCE], proof[MIX_PROOF];
	__u64 cookie = crowd_cookie(CVM_KIND_BATCH);
	struct cvm_evidence_req req;
	int fd = crowd_open(true);

	ASSERT_LE(0, fd);
	crowd_request(&req, cookie);
	req.cookie = 0;
	req.evidence = (unsigned long)evidence;
	req.evidence_len = sizeof(evidence);
	req.proof = (unsigned long)proof;
	req.proof_len = sizeof(proof);
	EXPECT_EQ(0, report_issue(fd, &req, 1, 0, NULL));
	EXPECT_EQ(0, req.result);
	tally->right = 0;
	mix_judge(&req, cookie, false, false);
	EXPECT_EQ(1, tally->right);
	close(fd);
}

TEST_HARNESS_MAIN
