// SPDX-License-Identifier: GPL-2.0
/* LUKS2 headers: what is made opens, and what says anything else is refused. */
#include <errno.h>
#include <libcryptsetup.h>
#include <openssl/evp.h>
#include <sys/random.h>
#include <unistd.h>

#include "disk/luks.h"
#include "keys/secret.h"
#include "memory.h"
#include "tap.h"

#define ITERATIONS	1000

static const uint8_t ours[2][CVM_LUKS_PASSPHRASE] = { "the record's", "for a recovery" };
static const uint8_t theirs[CVM_LUKS_PASSPHRASE] = "somebody's";

/**
 * struct says - what a header says
 * @cipher: of the volume
 * @mode: likewise
 * @key_size: likewise
 * @sector_size: likewise
 * @offset: of the data, in bytes
 * @slot_cipher: of its key slot
 */
struct says {
	const char *cipher, *mode;
	size_t key_size;
	uint32_t sector_size, offset;
	const char *slot_cipher;
};

static const struct says usual = {
	"aes", "xts-plain64", CVM_LUKS_KEY, CVM_DISK_SECTOR, CVM_LUKS_HEADER, "aes-xts-plain64",
};

/* as anybody can make one, with a key slot of ours */
static bool make(const struct cvm_luks *luks, const struct says *says, const char *type)
{
	const struct crypt_pbkdf_type pbkdf = {
		.type = CRYPT_KDF_PBKDF2, .hash = "sha256", .iterations = ITERATIONS,
		.flags = CRYPT_PBKDF_NO_BENCHMARK,
	};
	struct crypt_params_luks2 params = { .pbkdf = &pbkdf, .sector_size = says->sector_size };
	struct crypt_params_luks1 params1 = { .hash = "sha256" };
	struct crypt_device *cd = NULL;
	char path[32];
	bool done;

	snprintf(path, sizeof(path), "/proc/self/fd/%d", luks->fd);
	done = !crypt_init(&cd, path) && !crypt_set_pbkdf_type(cd, &pbkdf) &&
	       !crypt_set_data_offset(cd, says->offset / 512) &&
	       crypt_format(cd, type, says->cipher, says->mode, NULL, NULL, says->key_size,
			    strcmp(type, CRYPT_LUKS1) ? (void *)&params : (void *)&params1) >= 0;
	if (done && says->slot_cipher)
		done = !crypt_keyslot_set_encryption(cd, says->slot_cipher, CVM_LUKS_KEY);
	if (done)
		done = crypt_keyslot_add_by_volume_key(cd, 0, NULL, says->key_size,
						       (const char *)ours[0],
						       CVM_LUKS_PASSPHRASE) >= 0;
	crypt_free(cd);
	return done;
}

static void refuse(const struct says *header, const char *type, const char *says, const char *what)
{
	struct cvm_luks luks = { .fd = -1 };
	uint8_t key[CVM_LUKS_KEY];
	struct cvm_error error = { 0 };

	check(!cvm_luks_new(&luks, NULL) && make(&luks, header, type), "%s: is made", what);
	check_is(cvm_luks_open(&luks, ours[0], key, &error), -EBADMSG, "and refused");
	check_says(error.text, says, "and the message says why");
	cvm_luks_drop(&luks);
}

/* ---- what libcryptsetup does not make, but whoever has the device can */

#define COPIES		2
#define COPY		16384
#define CHECKSUM	448
#define CIPHER_TEXT	"\"aes-xts-plain64\""
#define NULL_TEXT	"\"cipher_null-ecb\""

/* a null cipher in the place of the @nth that JSON has, with a good checksum */
static bool spoil(const struct cvm_luks *luks, int nth)
{
	static uint8_t copy[COPY];
	bool good = true;

	for (int i = 0; i < COPIES && good; i++) {
		char *at = (char *)copy + 4096;

		good = pread(luks->fd, copy, COPY, (off_t)i * COPY) == COPY;
		copy[COPY - 1] = '\0';
		for (int n = 0; at && n <= nth; n++)
			at = strstr(at + !!n, CIPHER_TEXT);
		if (!good || !at)
			return false;
		memcpy(at, NULL_TEXT, strlen(NULL_TEXT));
		memset(copy + CHECKSUM, 0, 64);
		good = EVP_Digest(copy, COPY, copy + CHECKSUM, NULL, EVP_sha256(), NULL) == 1 &&
		       pwrite(luks->fd, copy, COPY, (off_t)i * COPY) == COPY;
	}
	return good;
}

static void refuse_null(int nth, const char *says, const char *what)
{
	struct cvm_luks luks = { .fd = -1 };
	uint8_t key[CVM_LUKS_KEY];
	struct cvm_error error = { 0 };

	check(!cvm_luks_new(&luks, NULL) && !cvm_luks_format(&luks, ours, 1, NULL) &&
	      spoil(&luks, nth), "%s: is made", what);
	check_is(cvm_luks_open(&luks, ours[0], key, &error), -EBADMSG, "and refused");
	check_says(error.text, says, "and the message says why");
	cvm_luks_drop(&luks);
}

static void test_refused(void)
{
	struct says header = usual;
	struct cvm_luks luks = { .fd = -1 };
	uint8_t key[CVM_LUKS_KEY];

	check(!cvm_luks_new(&luks, NULL) && make(&luks, &usual, CRYPT_LUKS2), "one as ours, by hand");
	check_is(cvm_luks_open(&luks, ours[0], key, NULL), 0, "opens");
	cvm_luks_drop(&luks);
	refuse_null(0, "key slot 0", "a null cipher of a key slot");
	refuse_null(1, "\"cipher_null-ecb\"", "a null cipher of the volume");
	header.mode = "cbc-plain64";
	header.key_size = 32;
	refuse(&header, CRYPT_LUKS2, "\"aes-cbc-plain64\"", "another mode");
	header = usual;
	header.key_size = 32;
	refuse(&header, CRYPT_LUKS2, "not as cvmctl", "a shorter key");
	header = usual;
	header.sector_size = 512;
	refuse(&header, CRYPT_LUKS2, "not as cvmctl", "sectors of another size");
	header = usual;
	header.offset += 1U << 20;
	refuse(&header, CRYPT_LUKS2, "not as cvmctl", "data elsewhere");
	header = usual;
	header.slot_cipher = NULL;
	refuse(&header, CRYPT_LUKS1, "no LUKS2", "LUKS1");
}

static void test_good(void)
{
	struct cvm_luks luks = { .fd = -1 }, blank = { .fd = -1 };
	uint8_t key[CVM_LUKS_KEY] = { 0 }, again[CVM_LUKS_KEY], zeros[CVM_LUKS_KEY] = { 0 };
	uint8_t digest[CVM_LUKS_DIGEST], other[CVM_LUKS_DIGEST];
	struct cvm_error error;

	check_is(cvm_luks_new(&luks, NULL), 0, "memory for a header");
	check_is(cvm_luks_format(&luks, ours, 2, NULL), 0, "a header");
	check_is(cvm_luks_digest(&luks, digest, NULL), 0, "its digest");
	check_is(cvm_luks_open(&luks, ours[0], key, NULL), 0, "the first key slot opens");
	check(memcmp(key, zeros, sizeof(key)), "to a key");
	check(!cvm_luks_open(&luks, ours[1], again, NULL) && !memcmp(key, again, sizeof(key)),
	      "the second one to the same");
	check_is(cvm_luks_open(&luks, theirs, again, &error), -EKEYREJECTED, "another passphrase: none");
	check_says(error.text, "no key slot", "and the message says so");
	check(!cvm_luks_digest(&luks, other, NULL) && !memcmp(digest, other, sizeof(digest)),
	      "nothing of it has been changed by that");
	check(pwrite(luks.fd, "x", 1, CVM_LUKS_HEADER - 1) == 1 &&
	      !cvm_luks_digest(&luks, other, NULL) && memcmp(digest, other, sizeof(digest)),
	      "the digest is of all of it");
	check(!cvm_luks_new(&blank, NULL) &&
	      cvm_luks_open(&blank, ours[0], key, &error) == -EBADMSG, "zeros are no header");
	check_says(error.text, "no LUKS2 header", "and the message says so");
	cvm_luks_drop(&luks);
	cvm_luks_drop(&blank);
}

/* of both, after one that opens and one that does not */
static void test_memory(void)
{
	struct cvm_luks luks = { .fd = -1 };
	uint8_t both[CVM_LUKS_PASSPHRASE], key[CVM_LUKS_KEY];
	struct cvm_secret_time time = { 0 };
	bool good;

	getrandom(both, sizeof(both), 0);
	cvm_secret_begin(&time);
	good = !cvm_luks_new(&luks, NULL) && !cvm_luks_format(&luks, &both, 1, NULL) &&
	       !cvm_luks_open(&luks, both, key, NULL) &&
	       cvm_luks_open(&luks, theirs, key, NULL) == -EKEYREJECTED;
	cvm_secret_end(&time);
	memory_learn(key, sizeof(key));
	check(good && memory_has(), "a volume key that is there is found");
	OPENSSL_cleanse(key, sizeof(key));
	check(!memory_has(), "wiped, it is nowhere in this process");
	memory_learn(both, sizeof(both));
	check(memory_has(), "a passphrase that is there is found");
	OPENSSL_cleanse(both, sizeof(both));
	check(!memory_has(), "wiped, it is nowhere in this process");
	cvm_luks_drop(&luks);
}

static void test_wrap(void)
{
	uint8_t key[CVM_WRAP_KEY] = "a key", secret[CVM_LUKS_PASSPHRASE];
	uint8_t wrapped[CVM_LUKS_WRAPPED];
	size_t taken = 0;

	check(!cvm_key_wrap(key, ours[0], wrapped) && memcmp(wrapped, ours[0], sizeof(secret)),
	      "a passphrase is wrapped");
	check(!cvm_key_unwrap(key, wrapped, secret) && !memcmp(secret, ours[0], sizeof(secret)),
	      "and unwrapped");
	for (size_t i = 0; i < 8 * sizeof(wrapped); i++) {
		wrapped[i / 8] ^= (uint8_t)(1 << i % 8);
		taken += cvm_key_unwrap(key, wrapped, secret) != -EBADMSG;
		wrapped[i / 8] ^= (uint8_t)(1 << i % 8);
	}
	check(!taken, "no bit of it may be changed");
	key[31] ^= 1;
	check_is(cvm_key_unwrap(key, wrapped, secret), -EBADMSG, "nor the key");
}

int main(void)
{
	crypt_set_log_callback(NULL, NULL, NULL);
	test_wrap();
	test_good();
	test_refused();
	if (memory_can())
		test_memory();
	return tap_end();
}
