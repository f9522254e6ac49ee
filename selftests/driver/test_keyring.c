// SPDX-License-Identifier: GPL-2.0
/* What may be done with a key that /dev/cvm/key has put into a keyring. */
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>

#include "key.h"

#define RING		KEY_SPEC_PROCESS_KEYRING

static void for_keyring(struct derive *derive, __u32 form, const char *name)
{
	derive_init(derive);
	derive->key.form = form;
	derive->key.length = 64;
	derive->key.keyring = RING;
	derive->name = name;
}

TEST_F(key, logon)
{
	char text[128], read[128];
	long serial;

	for_keyring(&self->one, CVM_FORM_LOGON, "root.disk-1_a");
	ASSERT_EQ(0, derive(self->fd, &self->one));
	serial = key_find(RING, "logon", "cvm:root.disk-1_a");
	ASSERT_LT(0, serial);
	EXPECT_EQ(serial, self->one.key.serial);
	ASSERT_TRUE(key_describe(serial, text, sizeof(text)));
	EXPECT_STREQ("logon;0;0;09000000;cvm:root.disk-1_a", text);
	/* it cannot be read, nor made into one that can */
	EXPECT_GT(0, keyctl(KEYCTL_READ, serial, (unsigned long)read, sizeof(read)));
	EXPECT_EQ(-EACCES, keyctl(KEYCTL_SETPERM, serial, 0x3f3f3f3f, 0));
	EXPECT_EQ(-EACCES, keyctl(KEYCTL_CHOWN, serial, NOBODY, -1));
	EXPECT_EQ(-EACCES, keyctl(KEYCTL_SET_TIMEOUT, serial, 0, 0));
	EXPECT_EQ(-EACCES, keyctl(KEYCTL_REVOKE, serial, 0, 0));
	EXPECT_EQ(-EACCES, keyctl(KEYCTL_UPDATE, serial, (unsigned long)text, 16));
	EXPECT_EQ(-EACCES, keyctl(KEYCTL_LINK, serial, KEY_SPEC_USER_KEYRING, 0));
	EXPECT_EQ(-EEXIST, derive(self->fd, &self->one));
	EXPECT_EQ(serial, key_find(RING, "logon", "cvm:root.disk-1_a"));
	EXPECT_EQ(0, keyctl(KEYCTL_INVALIDATE, serial, 0, 0));
	EXPECT_GT(0, key_find(RING, "logon", "cvm:root.disk-1_a"));
	EXPECT_EQ(0, derive(self->fd, &self->one));
}

/* the bytes are those that memory would have had */
TEST_F(key, user)
{
	unsigned char read[128];
	long serial;

	self->other.key.length = 64;
	ASSERT_EQ(0, derive(self->fd, &self->other));
	for_keyring(&self->one, CVM_FORM_USER, "master");
	ASSERT_EQ(0, derive(self->fd, &self->one));
	serial = key_find(RING, "user", "cvm:master");
	ASSERT_LT(0, serial);
	EXPECT_EQ(64, keyctl(KEYCTL_READ, serial, (unsigned long)read, sizeof(read)));
	EXPECT_EQ(0, memcmp(read, self->other.bytes, 64));
	EXPECT_EQ(-EACCES, keyctl(KEYCTL_SETPERM, serial, 0x3f3f3f3f, 0));
	/* somebody else's process does not have it */
	EXPECT_GT(0, key_find(KEY_SPEC_SESSION_KEYRING, "user", "cvm:master"));
}

TEST_F(key, expires)
{
	unsigned long long end = report_now_us() + 30000000;
	char text[128];

	for_keyring(&self->one, CVM_FORM_LOGON, "short-lived");
	self->one.key.timeout_s = 2;
	for_keyring(&self->other, CVM_FORM_LOGON, "short-lived");
	ASSERT_EQ(0, derive(self->fd, &self->one));
	ASSERT_TRUE(key_describe(self->one.key.serial, text, sizeof(text)));
	while (key_describe(self->one.key.serial, text, sizeof(text)))
		ASSERT_GT(end, report_now_us());
	EXPECT_GT(0, key_find(RING, "logon", "cvm:short-lived"));
	/* it has its name until it is collected, or somebody unlinks it */
	EXPECT_EQ(-EEXIST, derive(self->fd, &self->other));
	EXPECT_EQ(0, keyctl(KEYCTL_UNLINK, self->one.key.serial, RING, 0));
	EXPECT_EQ(0, derive(self->fd, &self->other));
}

/* a key that somebody has put there beforehand never gets our bytes */
TEST_F(key, planted)
{
	long planted = add_key("user", "cvm:planted", "x", 1, RING);
	char text[64];

	ASSERT_LT(0, planted);
	/* whoever made it may read and write it, and nobody may find it */
	ASSERT_EQ(0, keyctl(KEYCTL_SETPERM, planted, 0x07070000, 0));
	for_keyring(&self->one, CVM_FORM_USER, "planted");
	EXPECT_GT(0, derive(self->fd, &self->one));
	EXPECT_EQ(1, keyctl(KEYCTL_READ, planted, (unsigned long)text, sizeof(text)));
	EXPECT_EQ('x', text[0]);
	EXPECT_EQ(0, keyctl(KEYCTL_UNLINK, planted, RING, 0));
	EXPECT_EQ(0, derive(self->fd, &self->one));
}

static const char * const bad_names[] = {
	"", " ", "a b", "a:b", "a/b", "\n", "a\x7f", "\xc3\xa4", "%", "a,b",
};

TEST_F(key, names)
{
	char name[CVM_MAX_KEY_NAME + 2];
	unsigned int i;

	for (i = 0; i < ARRAY_SIZE(bad_names); i++) {
		for_keyring(&self->one, CVM_FORM_LOGON, bad_names[i]);
		EXPECT_EQ(-EINVAL, derive(self->fd, &self->one)) {
			TH_LOG("'%s'", bad_names[i]);
		}
	}
	memset(name, 'n', sizeof(name));
	name[CVM_MAX_KEY_NAME + 1] = 0;
	for_keyring(&self->one, CVM_FORM_LOGON, name);
	EXPECT_EQ(-EINVAL, derive(self->fd, &self->one));
	name[CVM_MAX_KEY_NAME] = 0;
	EXPECT_EQ(0, derive(self->fd, &self->one));
	/* a zero byte in it ends it for some and not for others */
	self->one.key.name_len = CVM_MAX_KEY_NAME;
	name[3] = 0;
	self->one.name = NULL;
	EXPECT_EQ(-EINVAL, derive(self->fd, &self->one));
}

/* before the firmware is asked */
TEST_F(key, no_keyring)
{
	long long requests = report_stat("requests");

	for_keyring(&self->one, CVM_FORM_LOGON, "nowhere");
	self->one.key.keyring = 0x7ffffff0;
	EXPECT_EQ(-ENOKEY, derive(self->fd, &self->one));
	self->one.key.keyring = add_key("user", "no-keyring", "x", 1, RING);
	EXPECT_EQ(-ENOTDIR, derive(self->fd, &self->one));
	self->one.key.keyring = -100;
	EXPECT_EQ(-EINVAL, derive(self->fd, &self->one));
	EXPECT_EQ(requests, report_stat("requests"));
}

/* all or none: the second name is taken, so the first is not there either */
TEST_F(key, all_or_none)
{
	struct cvm_derived keys[3];
	unsigned char bytes[32] = { 0 };
	static const unsigned char zero[32];

	for_keyring(&self->one, CVM_FORM_LOGON, "taken");
	ASSERT_EQ(0, derive(self->fd, &self->one));
	for_keyring(&self->other, CVM_FORM_LOGON, "free");
	keys[0] = self->other.key;
	keys[0].name = (unsigned long)"free";
	keys[0].name_len = 4;
	keys[1] = keys[0];
	keys[1].name = (unsigned long)"taken";
	keys[1].name_len = 5;
	keys[2] = (struct cvm_derived){
		.purpose = CVM_PURPOSE_MAC, .form = CVM_FORM_MEMORY, .length = 32,
		.memory = (unsigned long)bytes,
	};
	self->other.call.size = sizeof(self->other.call);
	self->other.call.derived_size = sizeof(keys[0]);
	self->other.call.count = 3;
	self->other.call.derived = (unsigned long)keys;
	EXPECT_EQ(-1, ioctl(self->fd, CVM_DERIVE, &self->other.call));
	EXPECT_EQ(EEXIST, errno);
	EXPECT_GT(0, key_find(RING, "logon", "cvm:free"));
	EXPECT_EQ(0, memcmp(zero, bytes, sizeof(bytes)));
	/* and where the last one cannot be written, the others are undone */
	keys[1].name = (unsigned long)"tree";
	keys[1].name_len = 4;
	keys[2].memory = 8;
	EXPECT_EQ(-1, ioctl(self->fd, CVM_DERIVE, &self->other.call));
	EXPECT_EQ(EFAULT, errno);
	EXPECT_GT(0, key_find(RING, "logon", "cvm:free"));
	EXPECT_GT(0, key_find(RING, "logon", "cvm:tree"));
	keys[2].memory = (unsigned long)bytes;
	EXPECT_EQ(0, ioctl(self->fd, CVM_DERIVE, &self->other.call));
	EXPECT_LT(0, key_find(RING, "logon", "cvm:free"));
	EXPECT_LT(0, key_find(RING, "logon", "cvm:tree"));
	EXPECT_NE(0, memcmp(zero, bytes, sizeof(bytes)));
}

static bool max_keys(const char *value)
{
	FILE *file = fopen("/proc/sys/kernel/keys/root_maxkeys", "we");
	bool good = file && fputs(value, file) >= 0;

	return file && !fclose(file) && good;
}

/* what a user may have of the kernel's memory for keys is the kernel's to say */
TEST_F(key, quota)
{
	for_keyring(&self->one, CVM_FORM_LOGON, "quota");
	ASSERT_TRUE(max_keys("1"));
	EXPECT_EQ(-EDQUOT, derive(self->fd, &self->one));
	ASSERT_TRUE(max_keys("1000000"));
	EXPECT_GT(0, key_find(RING, "logon", "cvm:quota"));
	EXPECT_EQ(0, derive(self->fd, &self->one));
	EXPECT_LT(0, key_find(RING, "logon", "cvm:quota"));
}

TEST_HARNESS_MAIN
