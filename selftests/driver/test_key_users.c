// SPDX-License-Identifier: GPL-2.0
/*
 * Who can use a logon key, which nobody can read: whoever may search for it has AF_ALG
 * encrypt and make MACs with it, from Linux 6.2 on. And who cannot.
 */
#include <linux/if_alg.h>
#include <openssl/evp.h>
#include <openssl/hmac.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/utsname.h>
#include <sys/wait.h>

#include "key.h"

/* of Linux 6.2, newer than the headers here */
#define SET_KEY_BY_KEY_SERIAL	7

#define KEY_LEN		64
#define TEXT_LEN	64

/* 1: this kernel has keys of keyrings in AF_ALG; 0: it has not */
static int has_af_alg_keys(void)
{
	unsigned int major, minor;
	struct utsname name;

	return !uname(&name) && sscanf(name.release, "%u.%u", &major, &minor) == 2 &&
	       (major > 6 || (major == 6 && minor >= 2));
}

static int open_algorithm(const char *type, const char *name)
{
	struct sockaddr_alg address = { .salg_family = AF_ALG };
	int fd = socket(AF_ALG, SOCK_SEQPACKET, 0);

	strncpy((char *)address.salg_type, type, sizeof(address.salg_type) - 1);
	strncpy((char *)address.salg_name, name, sizeof(address.salg_name) - 1);
	if (fd < 0 || !bind(fd, (const struct sockaddr *)&address, sizeof(address)))
		return fd;
	close(fd);
	return -1;
}

/* an algorithm with the key of that number: its descriptor, or a negative errno */
static int algorithm_of(const char *type, const char *name, long serial)
{
	int fd = open_algorithm(type, name), number = (int)serial, ret;

	if (fd < 0)
		return -ENOENT;
	ret = setsockopt(fd, SOL_ALG, SET_KEY_BY_KEY_SERIAL, &number, sizeof(number)) ? -errno : fd;
	if (ret < 0)
		close(fd);
	return ret;
}

static int cipher_of(long serial)
{
	return algorithm_of("skcipher", "xts(aes)", serial);
}

/* 0 or a negative errno, in a process of its own; @alone: and in a session of its own */
static int other_process(long serial, bool alone)
{
	int status, fd;
	pid_t pid = fork();

	if (!pid) {
		if (alone && keyctl(KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0) < 0)
			_exit(255);
		fd = cipher_of(serial);
		_exit(fd < 0 ? -fd : 0);
	}
	return pid > 0 && waitpid(pid, &status, 0) == pid && WIFEXITED(status) ?
	       -WEXITSTATUS(status) : -ECHILD;
}

static bool encrypt(int cipher, const unsigned char *text, unsigned char *out)
{
	char control[CMSG_SPACE(sizeof(__u32)) + CMSG_SPACE(sizeof(struct af_alg_iv) + 16)] = { 0 };
	struct iovec part = { (void *)(uintptr_t)text, TEXT_LEN };
	struct msghdr message = {
		.msg_iov = &part, .msg_iovlen = 1,
		.msg_control = control, .msg_controllen = sizeof(control),
	};
	struct cmsghdr *header = CMSG_FIRSTHDR(&message);
	int fd = accept(cipher, NULL, NULL);
	bool good;

	header->cmsg_level = SOL_ALG;
	header->cmsg_type = ALG_SET_OP;
	header->cmsg_len = CMSG_LEN(sizeof(__u32));
	memcpy(CMSG_DATA(header), &(__u32){ ALG_OP_ENCRYPT }, sizeof(__u32));
	header = CMSG_NXTHDR(&message, header);
	header->cmsg_level = SOL_ALG;
	header->cmsg_type = ALG_SET_IV;
	header->cmsg_len = CMSG_LEN(sizeof(struct af_alg_iv) + 16);
	memcpy(CMSG_DATA(header), &(__u32){ 16 }, sizeof(__u32));
	good = fd >= 0 && sendmsg(fd, &message, 0) == TEXT_LEN &&
	       read(fd, out, TEXT_LEN) == TEXT_LEN;
	if (fd >= 0)
		close(fd);
	return good;
}

static bool encrypt_here(const unsigned char *key, const unsigned char *text, unsigned char *out)
{
	static const unsigned char iv[16];
	EVP_CIPHER_CTX *ctx = EVP_CIPHER_CTX_new();
	int len = 0;
	bool good = EVP_EncryptInit_ex(ctx, EVP_aes_256_xts(), NULL, key, iv) == 1 &&
		    EVP_EncryptUpdate(ctx, out, &len, text, TEXT_LEN) == 1 && len == TEXT_LEN;

	EVP_CIPHER_CTX_free(ctx);
	return good;
}

static void logon_in(struct derive *derive, int ring, const char *name)
{
	derive_init(derive);
	derive->key.form = CVM_FORM_LOGON;
	derive->key.length = KEY_LEN;
	derive->key.keyring = ring;
	derive->name = name;
}

/* without reading it, what it encrypts is that of the key */
TEST_F(key, used_by_possessor)
{
	unsigned char text[TEXT_LEN] = "nobody has read it", out[TEXT_LEN], want[TEXT_LEN];
	int cipher;

	self->other.key.length = KEY_LEN;
	ASSERT_EQ(0, derive(self->fd, &self->other));
	logon_in(&self->one, KEY_SPEC_PROCESS_KEYRING, "used");
	ASSERT_EQ(0, derive(self->fd, &self->one));
	cipher = cipher_of(self->one.key.serial);
	if (!has_af_alg_keys()) {
		/* before Linux 6.2 nobody can, and this is how it says so */
		EXPECT_EQ(-ENOPROTOOPT, cipher);
		return;
	}
	ASSERT_LE(0, cipher);
	ASSERT_TRUE(encrypt(cipher, text, out));
	ASSERT_TRUE(encrypt_here(self->other.bytes, text, want));
	EXPECT_EQ(0, memcmp(want, out, sizeof(out)));
	/* with the key gone, a cipher that has it goes on */
	EXPECT_EQ(0, keyctl(KEYCTL_INVALIDATE, self->one.key.serial, 0, 0));
	memset(out, 0, sizeof(out));
	EXPECT_TRUE(encrypt(cipher, text, out));
	EXPECT_EQ(0, memcmp(want, out, sizeof(out)));
	close(cipher);
	/* and nobody gets another */
	EXPECT_EQ(-ENOKEY, cipher_of(self->one.key.serial));
}

/* without a cipher, too: whatever AF_ALG has takes such keys */
TEST_F(key, makes_macs)
{
	unsigned char text[TEXT_LEN] = "nobody has read it", out[32], want[32];
	int mac, fd;

	self->other.key.length = KEY_LEN;
	ASSERT_EQ(0, derive(self->fd, &self->other));
	logon_in(&self->one, KEY_SPEC_PROCESS_KEYRING, "mac");
	ASSERT_EQ(0, derive(self->fd, &self->one));
	mac = algorithm_of("hash", "hmac(sha256)", self->one.key.serial);
	if (!has_af_alg_keys()) {
		EXPECT_EQ(-ENOPROTOOPT, mac);
		return;
	}
	ASSERT_LE(0, mac);
	fd = accept(mac, NULL, NULL);
	ASSERT_LE(0, fd);
	ASSERT_EQ(TEXT_LEN, send(fd, text, TEXT_LEN, 0));
	ASSERT_EQ(sizeof(out), read(fd, out, sizeof(out)));
	ASSERT_TRUE(HMAC(EVP_sha256(), self->other.bytes, KEY_LEN, text, TEXT_LEN, want, NULL));
	EXPECT_EQ(0, memcmp(want, out, sizeof(out)));
	close(fd);
	close(mac);
}

/* root in another process has its number, and that is all */
TEST_F(key, not_used_by_others)
{
	const int denied = has_af_alg_keys() ? -EACCES : -ENOPROTOOPT;
	const int granted = has_af_alg_keys() ? 0 : -ENOPROTOOPT;

	logon_in(&self->one, KEY_SPEC_PROCESS_KEYRING, "process");
	ASSERT_EQ(0, derive(self->fd, &self->one));
	EXPECT_EQ(denied, other_process(self->one.key.serial, false));
	/* one of the session is for all processes of that, and for no others */
	ASSERT_LT(0, keyctl(KEYCTL_JOIN_SESSION_KEYRING, 0, 0, 0));
	logon_in(&self->other, KEY_SPEC_SESSION_KEYRING, "session");
	ASSERT_EQ(0, derive(self->fd, &self->other));
	EXPECT_EQ(granted, other_process(self->other.key.serial, false));
	EXPECT_EQ(denied, other_process(self->other.key.serial, true));
}

TEST_HARNESS_MAIN
