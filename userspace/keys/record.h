/* SPDX-License-Identifier: MIT */
/*
 * The key record: everything that is needed to derive a disk's master key again,
 * and the disk's own key, wrapped by it. Nothing in it is secret, and nothing in
 * it is believed before its MAC, whose key is derived by the firmware from what
 * the record names, has been found right. Whoever has the disk can replace the
 * record, and derive a key himself from a mix that he chooses. Therefore the mix
 * to accept comes from the caller, never from the record.
 *
 * A file holds one JSON object (RFC 8259), at most CVM_RECORD_MAX_FILE bytes:
 *
 *	"version"	1; 2: with "pcrs" and "sealed"
 *	"root"		"vcek" or "vmrk"; with version 2 also "tpm"
 *	"mix"		an array of "policy", "image", "family", "measurement",
 *			"svn", "tcb", "mit", each at most once; with "tpm" none
 *	"vmpl"		0 to 3; with "tpm" 0
 *	"svn"		0 to 4294967295; 0 where it is not in "mix"
 *	"tcb"		TCB_VERSION as a number of 16 hexadecimal digits; likewise
 *	"mit"		LAUNCH_MIT_VECTOR as such; likewise
 *	"label"		1 to 96 printable ASCII characters: the HKDF label
 *	"salt"		32 bytes in hexadecimal: the HKDF salt
 *	"check"		16 bytes in hexadecimal: the derived key of purpose 2
 *	"pcrs"		an array of numbers from 0 to 15, rising: those PCRs that the
 *			TPM's secret is sealed to
 *	"sealed"	that, as the TPM has given it out, in hexadecimal (seal.h)
 *	"cipher"	"aes-xts-plain64" (a key of 64 bytes), or
 *			"aes-xts-plain64+hmac-sha256" (96 bytes); or "luks2", whose header
 *			is on the disk; "none" (none): with "tpm" alone: the record is of
 *			a TPM's secret, and of no disk
 *	"sectors"	of 512 bytes that the open disk has; a multiple of 8; 0: no disk
 *	"key"		the disk's key as the kernel's encrypted key wraps it: IV,
 *			ciphertext and MAC, in hexadecimal; "luks2": the passphrase of
 *			its key slot, 64 bytes, wrapped (RFC 3394) by the derived key of
 *			purpose 1, 32 bytes, and SHA-256 of the header; "": no disk
 *	"mac"		32 bytes in hexadecimal: HMAC-SHA-256 of the canonical form
 *			with the derived key of purpose 3
 *
 * All of them are there and no others. A TPM's secret of version 2 goes into all derived
 * keys: derive.h. The canonical form is not JSON but the
 * values, each of a fixed length or behind its length, little-endian:
 *
 *	"cvm-guest record 1" 00, root u32, mix u32 (CVM_MIX_*), vmpl u32, svn u32,
 *	tcb u64, mit u64, salt, check, cipher u32 (enum cvm_disk_cipher),
 *	sectors u64, u16 bytes of label, label, u16 bytes of key, key
 *
 * and with version 2 "cvm-guest record 2" 00, the same, and behind it
 *
 *	pcrs u32, u16 bytes of sealed, sealed
 *
 * So two texts with the same MAC mean the same.
 */
#ifndef CVM_KEYS_RECORD_H
#define CVM_KEYS_RECORD_H

#include <limits.h>
#include <sys/stat.h>

#include "inputs.h"
#include "seal.h"

#define CVM_RECORD_MAX_FILE	4096
#define CVM_RECORD_MAX_LABEL	96
#define CVM_RECORD_SALT		32
#define CVM_RECORD_CHECK	16
#define CVM_RECORD_MAC		32
#define CVM_RECORD_MAC_KEY	32

/*
 * Documentation/security/keys/trusted-encrypted.rst, the format "default"; there is
 * a zero byte behind the IV
 */
#define CVM_BLOB_IV		(16 + 1)
#define CVM_BLOB_MAC		32
#define CVM_BLOB_SIZE(key_len)	((key_len) ? CVM_BLOB_IV + (key_len) + CVM_BLOB_MAC : 0)
#define CVM_DISK_MAX_KEY	96

/* of "luks2": the passphrase, wrapped; and the header's digest */
#define CVM_LUKS_PASSPHRASE	64
#define CVM_LUKS_WRAPPED	(CVM_LUKS_PASSPHRASE + 8)
#define CVM_LUKS_DIGEST		32
#define CVM_LUKS_KEY		64
#define CVM_BLOB_MAX		CVM_BLOB_SIZE(CVM_DISK_MAX_KEY)

/* an open disk has sectors of 4096 bytes */
#define CVM_DISK_SECTOR		4096U
#define CVM_DISK_ALIGN		(CVM_DISK_SECTOR / 512)
#define CVM_DISK_MAX_SECTORS	(1ULL << 48)

/**
 * enum cvm_disk_cipher - how a disk is encrypted
 * @CVM_DISK_NONE: there is no disk
 * @CVM_DISK_XTS: confidential; who can write to the disk can destroy data or bring
 *	old sectors back
 * @CVM_DISK_XTS_HMAC: what was changed outside cannot be read any more; old sectors
 *	can still be brought back
 * @CVM_DISK_LUKS2: as CVM_DISK_XTS, with a LUKS2 header on the disk (disk/luks.h)
 */
enum cvm_disk_cipher {
	CVM_DISK_NONE	  = 0,
	CVM_DISK_XTS	  = 1,
	CVM_DISK_XTS_HMAC = 2,
	CVM_DISK_LUKS2	  = 3,
};

/* bytes of the disk's key; and of that of a record */
size_t cvm_disk_key_len(enum cvm_disk_cipher cipher);
size_t cvm_disk_blob_len(enum cvm_disk_cipher cipher);

/**
 * struct cvm_key_record - a record
 * @inputs: what the master key, check value and MAC key are derived from
 * @sealed: the TPM's part of that; its pcrs 0: there is none
 * @cipher: of the disk
 * @sectors: of 512 bytes
 * @label: HKDF label
 * @salt: HKDF salt
 * @check: purpose 2
 * @blob: the wrapped key, cvm_disk_blob_len() of the cipher
 * @mac: of all others
 */
struct cvm_key_record {
	struct cvm_key_inputs inputs;
	struct cvm_sealed sealed;
	enum cvm_disk_cipher cipher;
	uint64_t sectors;
	char label[CVM_RECORD_MAX_LABEL + 1];
	uint8_t salt[CVM_RECORD_SALT];
	uint8_t check[CVM_RECORD_CHECK];
	uint8_t blob[CVM_BLOB_MAX];
	uint8_t mac[CVM_RECORD_MAC];
};

/**
 * cvm_record_parse() - a record from its text
 * @text: JSON; @len bytes, of which none is believed
 * @len: bytes
 * @record: out
 * @error: or NULL
 *
 * Return: 0; -EBADMSG: @error says what and where; -ENOMEM.
 */
int cvm_record_parse(const char *text, size_t len, struct cvm_key_record *record,
		     struct cvm_error *error);

/* The text of @record with a newline, the caller's to free; NULL: no memory. */
char *cvm_record_text(const struct cvm_key_record *record);

/* Sets record->mac. 0 or -EIO: OpenSSL fails. */
int cvm_record_sign(struct cvm_key_record *record, const uint8_t key[CVM_RECORD_MAC_KEY]);

/* 0; -EBADMSG: the record has been changed; -EIO. In constant time. */
int cvm_record_verify(const struct cvm_key_record *record,
		      const uint8_t key[CVM_RECORD_MAC_KEY]);

/* As cvm_record_parse(), of a file. */
int cvm_record_read(const char *path, struct cvm_key_record *record, struct cvm_error *error);

/**
 * cvm_record_draft() - the name of a record that is not in its place yet
 * @path: where it will be
 * @suffix: who writes it: nobody else, at the same time, with this one
 * @draft: out: a hidden file beside it, with this program's name in its own
 * @error: or NULL
 *
 * Return: 0 or -ENAMETOOLONG.
 */
int cvm_record_draft(const char *path, const char *suffix, char draft[PATH_MAX],
		     struct cvm_error *error);

/**
 * cvm_record_write() - a draft, on the disk when this returns 0
 * @draft: by cvm_record_draft(); one that a killed process has left is replaced
 * @record: what is written
 * @like: its owner and mode; NULL: this process's, and 0600
 * @error: or NULL
 *
 * Return: 0 or a negative errno; there is no @draft then.
 */
int cvm_record_write(const char *draft, const struct cvm_key_record *record,
		     const struct stat *like, struct cvm_error *error);

/**
 * cvm_record_place() - give a draft its name, in one step that survives a power cut
 * @draft: of @path
 * @path: no symbolic link: a link would be replaced, not what it points to
 * @replace: what has that name now goes; else -EEXIST, and both are as they were
 * @error: or NULL
 *
 * Return: 0 or a negative errno. After -EIO the name may be the old one's or the new
 * one's; after all others nothing has changed.
 */
int cvm_record_place(const char *draft, const char *path, bool replace,
		     struct cvm_error *error);

#endif /* CVM_KEYS_RECORD_H */
