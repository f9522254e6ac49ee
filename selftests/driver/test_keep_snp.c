// SPDX-License-Identifier: GPL-2.0
/*
 * What the driver keeps of certificates, which come with every report of an SNP
 * host.
 */
#include "async.h"

#define GROUP		"cvm-keep"
#define TABLES		200

/* bytes that the records of so many reports keep; -1: a submission failed */
static long long keep(int fd, const struct cvm_info *info, __u32 flags)
{
	long long completed = report_stat("completed");
	long long before = crowd_memory(GROUP, "kernel");
	int i;

	for (i = 0; i < TABLES; i++)
		if (batch_submit(fd, new_cookie(info), flags, 0) ||
		    !batch_await("completed", completed + i + 1))
			return -1;
	return crowd_memory(GROUP, "kernel") - before;
}

/* the certificates of many reports are one table */
TEST_F_TIMEOUT(async, certs_shared, 60)
{
	const struct cvm_record *record = NULL;
	struct batch_reader reader;
	long long with, without;
	int fd, i;

	if (self->info.platform != CVM_PLATFORM_SNP || !crowd_group(GROUP))
		SKIP(return, "no certificates, or no memory controller");
	/* whoever opens it pays */
	ASSERT_TRUE(crowd_enter(GROUP));
	fd = of_batch ? batch_open() : report_open();
	ASSERT_TRUE(batch_reader(&reader, fd));
	without = keep(fd, &self->info, 0);
	with = keep(fd, &self->info, CVM_REQ_CERTS);
	for (i = 0; i < 2 * TABLES; i++) {
		record = batch_next(&reader);
		ASSERT_NE(NULL, record);
		ASSERT_EQ(0, record->result);
		ASSERT_TRUE(crowd_record_verifies(record));
		ASSERT_EQ(i >= TABLES, !!record->certs_len);
	}
	TH_LOG("%lld bytes a record, %lld with a table of %u", without / TABLES,
	       with / TABLES, record->certs_len);
	EXPECT_LE(TABLES * (long long)record->evidence_len, without);
	EXPECT_GT(without + TABLES * (long long)record->certs_len / 2, with);
	batch_reader_end(&reader);
	close(fd);
	crowd_enter("");
}

TEST_HARNESS_MAIN
