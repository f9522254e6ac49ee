// SPDX-License-Identifier: GPL-2.0
/*
 * 32 threads, 5,000 requests of every kind the platform has, in arrays of
 * every length: each result is for the REPORT_DATA of its own request, and the
 * kernel's memory is what it was.
 */
#include <errno.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "report.h"

#define THREADS		32
#define REQUESTS	5000
#define ARRAY		8
#define EVIDENCE	(16 * 1024)
/* what caches, per-CPU lists and the test's own threads may keep */
#define SLACK_KB	8192

static struct {
	int fd;
	unsigned int nkinds;
	__u32 kinds[4];
	atomic_uint next;
	atomic_uint right;
	atomic_uint wrong;
} storm;

static void *client(void *arg)
{
	unsigned char *evidence = malloc(ARRAY * EVIDENCE);
	unsigned int seed = (unsigned long)arg;
	struct cvm_evidence_req reqs[ARRAY];
	unsigned int i, n, first;
	int ret;

	while (evidence && (first = atomic_fetch_add(&storm.next, ARRAY)) <
			   REQUESTS) {
		n = 1 + rand_r(&seed) % ARRAY;
		for (i = 0; i < ARRAY; i++)
			report_request(&reqs[i],
				       storm.kinds[rand_r(&seed) % storm.nkinds],
				       first + i, evidence + i * EVIDENCE,
				       EVIDENCE);
		/* all eight, in two arrays of any lengths */
		ret = report_issue(storm.fd, reqs, n, 0, NULL);
		if (!ret && n < ARRAY)
			ret = report_issue(storm.fd, reqs + n, ARRAY - n, 0,
					   NULL);
		for (i = 0; i < ARRAY; i++) {
			if (!ret && !reqs[i].result && report_matches(&reqs[i]))
				atomic_fetch_add(&storm.right, 1);
			else if (!atomic_fetch_add(&storm.wrong, 1))
				printf("# first wrong one: ioctl %d, kind %u, result %d, status %#llx\n",
				       ret, reqs[i].kind, reqs[i].result,
				       (unsigned long long)reqs[i].platform_status);
		}
	}
	free(evidence);
	return NULL;
}

static long slab_kb(void)
{
	FILE *file = fopen("/proc/meminfo", "re");
	char line[128];
	long kb = -1;

	while (file && fgets(line, sizeof(line), file))
		if (sscanf(line, "SUnreclaim: %ld kB", &kb) == 1)
			break;
	if (file)
		fclose(file);
	return kb;
}

static void run(void)
{
	pthread_t threads[THREADS];
	unsigned long i;

	atomic_store(&storm.next, 0);
	for (i = 0; i < THREADS; i++)
		if (pthread_create(&threads[i], NULL, client, (void *)i))
			abort();
	for (i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
}

FIXTURE(storm) {
	struct cvm_info info;
};

FIXTURE_SETUP(storm)
{
	storm.fd = report_open();
	if (storm.fd < 0 && errno == ENOENT)
		SKIP(return, "no " REPORT_NODE);
	ASSERT_LE(0, storm.fd);
	ASSERT_EQ(0, report_info(storm.fd, &self->info));
	storm.nkinds = report_kinds(&self->info, storm.kinds);
	ASSERT_LE(1, storm.nkinds);
}

FIXTURE_TEARDOWN(storm)
{
	close(storm.fd);
}

TEST_F_TIMEOUT(storm, each_its_own, 280)
{
	unsigned long long start = report_now_us();
	long before, after;

	/* on a simulated platform the driver is what shall be busy */
	report_sim_ms(&self->info, "1");
	before = slab_kb();
	run();
	after = slab_kb();
	report_sim_ms(&self->info, "4.7");
	TH_LOG("%u requests in %llu ms, slab %ld kB before, %ld kB after",
	       REQUESTS, (report_now_us() - start) / 1000, before, after);
	EXPECT_EQ(REQUESTS, atomic_load(&storm.right));
	EXPECT_EQ(0, atomic_load(&storm.wrong));
	EXPECT_GT(before + SLACK_KB, after);
}

TEST_HARNESS_MAIN
