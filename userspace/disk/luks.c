// SPDX-License-Identifier: MIT
#include <errno.h>
#include <openssl/evp.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "common/api.h"
#include "common/cleanup.h"
#include "common/util.h"
#include "cryptsetup.h"
#include "luks.h"

#define CIPHER		"aes"
#define MODE		"xts-plain64"
#define SLOT_CIPHER	"aes-xts-plain64"
#define METADATA	(16U << 10)
#define ITERATIONS	1000	/* the least there may be */
#define SLOTS		32

/* libcryptsetup wants somewhere where the data would be */
#define ROOM		(1U << 20)

#define __cleanup_cd	__cleanup(free_cd)

static void free_cd(struct crypt_device **cd)
{
	if (*cd)
		cvm_cryptsetup()->free(*cd);
}

/* what it says of an error is in what it returns, as far as anybody can do something */
static void say_nothing(int level, const char *text, void *user)
{
}

int cvm_luks_new(struct cvm_luks *luks, struct cvm_error *error)
{
	luks->fd = memfd_create("luks", MFD_CLOEXEC);
	if (luks->fd >= 0 && !ftruncate(luks->fd, CVM_LUKS_HEADER + ROOM))
		return 0;
	return cvm_set_error(error, -errno, "no memory for a LUKS header: %s", strerror(errno));
}

void cvm_luks_drop(struct cvm_luks *luks)
{
	if (luks->fd >= 0)
		close(luks->fd);
	luks->fd = -1;
}

static int start(const struct cvm_luks *luks, struct crypt_device **cd, struct cvm_error *error)
{
	char path[32];
	int rc;

	if (!cvm_cryptsetup())
		return cvm_set_error(error, -EOPNOTSUPP, "LUKS takes libcryptsetup, which is not installed (package libcryptsetup12)");
	snprintf(path, sizeof(path), "/proc/self/fd/%d", luks->fd);
	cvm_cryptsetup()->set_log_callback(NULL, say_nothing, NULL);
	rc = cvm_cryptsetup()->init(cd, path);
	return rc < 0 ? cvm_set_error(error, rc, "libcryptsetup: %s", strerror(-rc)) : 0;
}

static int format(struct crypt_device *cd)
{
	const struct crypt_pbkdf_type pbkdf = {
		.type = CRYPT_KDF_PBKDF2, .hash = "sha256", .iterations = ITERATIONS,
		.flags = CRYPT_PBKDF_NO_BENCHMARK,
	};
	struct crypt_params_luks2 params = { .pbkdf = &pbkdf, .sector_size = CVM_DISK_SECTOR };
	int rc = cvm_cryptsetup()->set_metadata_size(cd, METADATA,
						     CVM_LUKS_HEADER - 2 * METADATA);

	if (!rc)
		rc = cvm_cryptsetup()->set_data_offset(cd, CVM_LUKS_HEADER / 512);
	return rc ? rc : cvm_cryptsetup()->format(cd, CRYPT_LUKS2, CIPHER, MODE, NULL, NULL,
						  CVM_LUKS_KEY, &params);
}

int cvm_luks_format(const struct cvm_luks *luks,
		    const uint8_t (*passphrase)[CVM_LUKS_PASSPHRASE], size_t count,
		    struct cvm_error *error)
{
	__cleanup_cd struct crypt_device *cd = NULL;
	int rc = start(luks, &cd, error);

	if (rc)
		return rc;
	rc = format(cd);
	for (size_t i = 0; rc >= 0 && i < count; i++)
		rc = cvm_cryptsetup()->keyslot_add_by_volume_key(cd, (int)i, NULL, CVM_LUKS_KEY,
								 (const char *)passphrase[i],
								 CVM_LUKS_PASSPHRASE);
	return rc < 0 ? cvm_set_error(error, rc, "no LUKS header can be made: %s",
				      strerror(-rc)) : 0;
}

static int copy(int from, int to, const char *what, struct cvm_error *error)
{
	__cleanup_free void *header = malloc(CVM_LUKS_HEADER);
	ssize_t len;

	if (!header)
		return cvm_set_error(error, -ENOMEM, "out of memory");
	errno = EIO;
	len = pread(from, header, CVM_LUKS_HEADER, 0);
	if (len == CVM_LUKS_HEADER)
		len = pwrite(to, header, CVM_LUKS_HEADER, 0);
	if (len == CVM_LUKS_HEADER)
		return 0;
	return cvm_set_error(error, len < 0 ? -errno : -EIO, "the device's LUKS header cannot be %s",
			     what);
}

int cvm_luks_write(const struct cvm_luks *luks, const struct cvm_block *block,
		   struct cvm_error *error)
{
	int rc = copy(luks->fd, block->fd, "written", error);

	if (!rc && fsync(block->fd))
		rc = cvm_set_error(error, -errno, "the device's LUKS header cannot be written: %s",
				   strerror(errno));
	return rc;
}

int cvm_luks_read(const struct cvm_luks *luks, const struct cvm_block *block,
		  struct cvm_error *error)
{
	return copy(block->fd, luks->fd, "read", error);
}

int cvm_luks_digest(const struct cvm_luks *luks, uint8_t digest[CVM_LUKS_DIGEST],
		    struct cvm_error *error)
{
	void *header = mmap(NULL, CVM_LUKS_HEADER, PROT_READ, MAP_SHARED, luks->fd, 0);
	bool good;

	if (header == MAP_FAILED)
		return cvm_set_error(error, -errno, "a LUKS header cannot be read: %s",
				     strerror(errno));
	good = EVP_Digest(header, CVM_LUKS_HEADER, digest, NULL, EVP_sha256(), NULL) == 1;
	munmap(header, CVM_LUKS_HEADER);
	return good ? 0 : cvm_set_error(error, -EIO, "SHA-256 cannot be computed");
}

/* A slot whose cipher is none lies open, and gives whoever made it a key for the disk. */
static int check_slots(struct crypt_device *cd, struct cvm_error *error)
{
	const char *cipher;
	size_t key_size;

	for (int slot = 0; slot < SLOTS; slot++) {
		crypt_keyslot_info info = cvm_cryptsetup()->keyslot_status(cd, slot);

		if (info != CRYPT_SLOT_ACTIVE && info != CRYPT_SLOT_ACTIVE_LAST &&
		    info != CRYPT_SLOT_UNBOUND)
			continue;
		cipher = cvm_cryptsetup()->keyslot_get_encryption(cd, slot, &key_size);
		if (!cipher || strcmp(cipher, SLOT_CIPHER) != 0 || key_size != CVM_LUKS_KEY)
			return cvm_set_error(error, -EBADMSG, "key slot %d of the LUKS header is encrypted by \"%s\", and " SLOT_CIPHER " is expected",
					     slot, cipher ? cipher : "?");
	}
	return 0;
}

static int check_volume(struct crypt_device *cd, struct cvm_error *error)
{
	const char *cipher = cvm_cryptsetup()->get_cipher(cd);
	const char *mode = cvm_cryptsetup()->get_cipher_mode(cd);

	if (!cipher || strcmp(cipher, CIPHER) != 0 || !mode || strcmp(mode, MODE) != 0)
		return cvm_set_error(error, -EBADMSG, "the LUKS header says the cipher \"%s-%s\", and " CIPHER "-" MODE " is expected",
				     cipher ? cipher : "?", mode ? mode : "?");
	if (cvm_cryptsetup()->get_volume_key_size(cd) != CVM_LUKS_KEY ||
	    cvm_cryptsetup()->get_sector_size(cd) != (int)CVM_DISK_SECTOR ||
	    cvm_cryptsetup()->get_data_offset(cd) != CVM_LUKS_HEADER / 512 ||
	    cvm_cryptsetup()->get_iv_offset(cd))
		return cvm_set_error(error, -EBADMSG, "the LUKS header is not as cvmctl makes them: another key size, sector size or offset");
	return check_slots(cd, error);
}

int cvm_luks_open(const struct cvm_luks *luks, const uint8_t passphrase[CVM_LUKS_PASSPHRASE],
		  uint8_t key[CVM_LUKS_KEY], struct cvm_error *error)
{
	__cleanup_cd struct crypt_device *cd = NULL;
	size_t size = CVM_LUKS_KEY;
	int rc = start(luks, &cd, error);

	if (rc)
		return rc;
	rc = cvm_cryptsetup()->load(cd, CRYPT_LUKS2, NULL);
	if (rc)
		return cvm_set_error(error, -EBADMSG, "there is no LUKS2 header");
	rc = check_volume(cd, error);
	if (rc)
		return rc;
	rc = cvm_cryptsetup()->volume_key_get(cd, CRYPT_ANY_SLOT, (char *)key, &size,
					      (const char *)passphrase, CVM_LUKS_PASSPHRASE);
	if (rc >= 0 && size == CVM_LUKS_KEY)
		return 0;
	return cvm_set_error(error, rc == -EPERM || rc == -ENOENT ? -EKEYREJECTED : -EIO,
			     "no key slot of the LUKS header opens: %s", strerror(rc < 0 ? -rc : EIO));
}
