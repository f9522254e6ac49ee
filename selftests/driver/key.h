/* SPDX-License-Identifier: GPL-2.0 */
/* The fixture of the tests of /dev/cvm/key: one file, and two derivations. */
#ifndef KEY_H
#define KEY_H

#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "batch.h"
#include "derive.h"

#define NOBODY		65534
#define FAST_MS		"4.7"

FIXTURE(key) {
	int fd;
	struct cvm_info info;
	struct derive one, other;
	bool simulated;
};

FIXTURE_SETUP(key)
{
	self->fd = open(KEY_NODE, O_RDWR | O_CLOEXEC);
	if (self->fd < 0 && errno == ENOENT)
		SKIP(return, "no " KEY_NODE);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, report_info(self->fd, &self->info));
	if (self->info.platform != CVM_PLATFORM_SNP)
		SKIP(return, "a platform without derived keys");
	self->simulated = report_sim_ms(&self->info, FAST_MS);
	derive_init(&self->one);
	derive_init(&self->other);
}

FIXTURE_TEARDOWN(key)
{
	report_sim_ms(&self->info, FAST_MS);
	close(self->fd);
}

#endif /* KEY_H */
