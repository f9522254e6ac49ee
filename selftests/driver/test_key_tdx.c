// SPDX-License-Identifier: GPL-2.0
/* /dev/cvm/key where the platform derives no keys. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "kselftest_harness.h"
#include "derive.h"
#include "report.h"

FIXTURE(no_key) {
	int fd;
	struct derive one;
};

FIXTURE_SETUP(no_key)
{
	struct cvm_info info;

	self->fd = open(KEY_NODE, O_RDWR | O_CLOEXEC);
	if (self->fd < 0 && errno == ENOENT)
		SKIP(return, "no " KEY_NODE);
	ASSERT_LE(0, self->fd);
	ASSERT_EQ(0, report_info(self->fd, &info));
	if (info.platform == CVM_PLATFORM_SNP)
		SKIP(return, "a platform with derived keys");
	derive_init(&self->one);
}

FIXTURE_TEARDOWN(no_key)
{
	close(self->fd);
}

/* to be told from a kernel without the module, and from a call that is wrong */
TEST_F(no_key, told)
{
	long long issued = report_stat("issued");
	struct cvm_info info;

	ASSERT_EQ(0, report_info(self->fd, &info));
	EXPECT_EQ(0, info.kinds);
	EXPECT_EQ(-EOPNOTSUPP, derive(self->fd, &self->one));
	self->one.call.root = CVM_ROOT_VMRK;
	EXPECT_EQ(-EOPNOTSUPP, derive(self->fd, &self->one));
	self->one.call.root = CVM_ROOT_VMRK + 1;
	EXPECT_EQ(-EINVAL, derive(self->fd, &self->one));
	EXPECT_EQ(issued, report_stat("issued"));
}

TEST_F(no_key, nothing_is_left)
{
	struct derive *one = &self->one;

	one->key.form = CVM_FORM_LOGON;
	one->key.keyring = KEY_SPEC_PROCESS_KEYRING;
	one->name = "never";
	EXPECT_EQ(-EOPNOTSUPP, derive(self->fd, one));
	EXPECT_GT(0, key_find(KEY_SPEC_PROCESS_KEYRING, "logon", "cvm:never"));
}

TEST_HARNESS_MAIN
