/* SPDX-License-Identifier: MIT */
/*
 * Derived keys, by the best door that there is: the driver's /dev/cvm/key, through
 * which no key of a keyring comes into user space; or the kernel's own
 * /dev/sev-guest, where this process gets what the firmware derives, and makes the
 * same keys of it, in locked memory.
 *
 * Beside it, or where there is none, a TPM's secret (seal.h). Keys of that alone are
 * made of it as of the firmware's. Where it goes with the firmware's, HKDF's salt is
 * HMAC-SHA-512 of "cvm-guest tpm 1" || 00 || salt, with the secret as the key: who has
 * one of the two secrets has no key.
 */
#ifndef CVM_KEYS_DERIVE_H
#define CVM_KEYS_DERIVE_H

#include "inputs.h"
#include "seal.h"

/**
 * enum cvm_key_from - whose secret keys are made of; bits
 * @CVM_FROM_FIRMWARE: what SEV-SNP's firmware derives
 * @CVM_FROM_TPM: one that a TPM keeps
 * @CVM_FROM_BOTH: both
 */
enum cvm_key_from {
	CVM_FROM_FIRMWARE = 1,
	CVM_FROM_TPM	  = 2,
	CVM_FROM_BOTH	  = 3,
};

/**
 * struct cvm_key_door - where keys are asked for
 * @from: of whom
 * @fd: of the firmware's node: open, or -1
 * @path: of it
 * @driver: it is /dev/cvm/key
 * @tpm: open, or NULL
 * @facts: what may be asked of the firmware
 */
struct cvm_key_door {
	enum cvm_key_from from;
	int fd;
	const char *path;
	bool driver;
	struct cvm_tpm *tpm;
	struct cvm_key_facts facts;
};

/* One line for the user: where the firmware's keys come by. */
const char *cvm_key_door_text(const struct cvm_key_door *door);

/**
 * cvm_key_door_open() - find it, and what may be asked for there
 * @door: out: for cvm_key_door_close(), also on failure
 * @from: whom
 * @error: or NULL
 *
 * Return: 0; -EOPNOTSUPP: there are no derived keys here, or no TPM, and @error says
 * why; -EACCES, -EPERM, ...: there is a door, and not for this process.
 */
int cvm_key_door_open(struct cvm_key_door *door, enum cvm_key_from from,
		      struct cvm_error *error);
void cvm_key_door_close(struct cvm_key_door *door);

/* CVM_MIX_* that can be asked for there: what the firmware knows, and the door has words for */
uint32_t cvm_key_door_mix(const struct cvm_key_door *door);

/* 0; -EOPNOTSUPP: @mix has what cannot be asked for there, and @error says why. */
int cvm_key_door_check(const struct cvm_key_door *door, uint32_t mix, struct cvm_error *error);

/**
 * struct cvm_key_ask - one key, as of struct cvm_derived
 * @purpose: enum cvm_purpose
 * @form: enum cvm_key_form
 * @length: bytes, CVM_MIN_KEY to CVM_MAX_KEY
 * @keyring: not with CVM_FORM_MEMORY
 * @name: likewise: the description without "cvm:"
 * @timeout_s: likewise; 0: it does not expire
 * @memory: CVM_FORM_MEMORY: where it goes
 * @serial: out: of the key in the keyring
 */
struct cvm_key_ask {
	uint32_t purpose;
	uint32_t form;
	uint32_t length;
	int32_t keyring;
	const char *name;
	uint32_t timeout_s;
	void *memory;
	int32_t serial;
};

/**
 * struct cvm_key_set - keys of one answer of the firmware, or of a TPM's secret
 * @inputs: what it derives from
 * @tpm_secret: CVM_SEAL_SECRET bytes, mixed in; NULL: none
 * @label: HKDF label, at most 255 bytes
 * @label_len: bytes
 * @salt: HKDF salt, at most CVM_MAX_KEY_SALT bytes
 * @salt_len: bytes
 * @count: keys, at most CVM_MAX_DERIVED
 * @ask: they
 */
struct cvm_key_set {
	struct cvm_key_inputs inputs;
	const uint8_t *tpm_secret;
	const char *label;
	size_t label_len;
	const uint8_t *salt;
	size_t salt_len;
	size_t count;
	struct cvm_key_ask ask[CVM_MAX_DERIVED];
};

/**
 * cvm_key_derive() - make all keys of @set, or none
 * @door: open
 * @set: the serials of it are filled in
 * @error: or NULL
 *
 * Return: 0, or an error of CVM_DERIVE; -EOPNOTSUPP: this door cannot ask for it.
 */
int cvm_key_derive(const struct cvm_key_door *door, struct cvm_key_set *set,
		   struct cvm_error *error);

/* derive_native.c: the same by /dev/sev-guest */
int cvm_key_derive_native(const struct cvm_key_door *door, struct cvm_key_set *set,
			  struct cvm_error *error);

/* bytes of what the firmware derives, and of what a TPM keeps */
#define CVM_KEY_SECRET	32

/* derive_user.c: the same in this process. @path: whose @secret is, for messages */
int cvm_key_derive_user(const uint8_t secret[CVM_KEY_SECRET], struct cvm_key_set *set,
			const char *path, struct cvm_error *error);

/*
 * add.c: a key of this process's into keyring @ring, as cvm:@name; @timeout_s: 0: for good;
 * @serial: out. 0; -EEXIST: there is one of that name; or -errno.
 */
int cvm_key_add(const char *type, const char *name, const void *payload, size_t len,
		uint32_t timeout_s, int32_t ring, int32_t *serial);

/* Says what @rc of CVM_DERIVE means, by either door. @status: of the firmware, with -EIO */
int cvm_key_derive_error(struct cvm_error *error, int rc, const char *path, uint64_t status);

/* hkdf.c: the key of @purpose from the secret; 0 or -ENOMEM. */
int cvm_key_hkdf(const uint8_t secret[CVM_KEY_SECRET], const struct cvm_key_set *set,
		 uint32_t purpose, void *out, size_t length);

/* hkdf.c: the salt that mixes set->tpm_secret in; 0 or -ENOMEM. */
int cvm_key_mixed_salt(const struct cvm_key_set *set, uint8_t salt[CVM_MAX_KEY_SALT]);

#endif /* CVM_KEYS_DERIVE_H */
