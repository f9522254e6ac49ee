/* SPDX-License-Identifier: MIT */
/*
 * A random secret that a TPM keeps: it gives it to who runs while chosen PCRs have the
 * values that they had when it was sealed. There is no password.
 *
 * Anybody who can use a TPM can seal what he knows to any values of PCRs. So a secret is
 * taken only if the TPM itself vouches, by a ticket, that it was sealed while those PCRs
 * had these values: by a system that was measured as this one is. Which PCRs must be
 * among them is the caller's to say, never the record's.
 */
#ifndef CVM_KEYS_SEAL_H
#define CVM_KEYS_SEAL_H

#include <stddef.h>
#include <stdint.h>

#include "cvmguest.h"

/* those above can be reset without a reboot */
#define CVM_PCRS		16
#define CVM_PCRS_ALL		((1U << CVM_PCRS) - 1)

/*
 * Of what boots, firmware measures the program itself into 4, and into 7 by whose keys it was
 * let boot. Into all others what has booted can measure what a better one would have.
 */
#define CVM_PCR_SECURE_BOOT	(1U << 7)
#define CVM_PCRS_BOOT		(1U << 4 | CVM_PCR_SECURE_BOOT)

#define CVM_SEAL_SECRET		32
#define CVM_SEALED_MAX		640

/**
 * struct cvm_sealed - a secret as its TPM has given it out
 * @pcrs: bits: PCRs of the SHA-256 bank; 0: there is no secret
 * @len: bytes
 * @bytes: TPM2B_PUBLIC, TPM2B_PRIVATE, TPM2B_CREATION_DATA, TPMT_TK_CREATION
 */
struct cvm_sealed {
	uint32_t pcrs;
	uint32_t len;
	uint8_t bytes[CVM_SEALED_MAX];
};

/* Bits of a list with commas, "0,7"; 0: it is none, or has what can be reset, or twice. */
uint32_t cvm_pcrs_parse(const char *text);

/* 0; -EINVAL: neither of CVM_PCRS_BOOT is in @pcrs. */
int cvm_pcrs_check(uint32_t pcrs, struct cvm_error *error);

#define CVM_PCRS_TEXT	48

/* "0,7" */
const char *cvm_pcrs_text(uint32_t pcrs, char text[CVM_PCRS_TEXT]);

/* the kernel's resource manager: what we do there is no one else's business */
#define CVM_TPM_NODE	"/dev/tpmrm0"

struct cvm_tpm;

/**
 * cvm_tpm_open() - the TPM
 * @tpm: out, NULL on failure; for cvm_tpm_close()
 * @error: or NULL
 *
 * Return: 0; -ENODEV: there is none; -EBUSY: somebody has it for himself; -EACCES, ...
 */
int cvm_tpm_open(struct cvm_tpm **tpm, struct cvm_error *error);
void cvm_tpm_close(struct cvm_tpm *tpm);

/**
 * cvm_tpm_seal() - a new secret
 * @tpm: open
 * @sealed: @pcrs is set; out: the others
 * @error: or NULL
 *
 * The secret is random, and known to nobody when this returns.
 *
 * Return: 0; -EINVAL: none of the PCRs is of CVM_PCRS_BOOT; -EACCES: nothing has been
 * measured into one of them, or the TPM asks for a password; -EOPNOTSUPP: it has no such
 * PCRs; -EBUSY: others have all its memory; ...
 */
int cvm_tpm_seal(struct cvm_tpm *tpm, struct cvm_sealed *sealed, struct cvm_error *error);

/**
 * cvm_sealed_check() - would this secret be given out, now and here
 *
 * Return: 0; -ESTALE: the PCRs are not what they were; -EKEYREJECTED: it is another
 * TPM's, or of before it was cleared; -EBADMSG: it is none, or one that no system made
 * that was measured as this one is; or as cvm_tpm_seal().
 */
int cvm_sealed_check(struct cvm_tpm *tpm, const struct cvm_sealed *sealed, struct cvm_error *error);

/* The same, and the secret, for the caller to wipe. */
int cvm_tpm_unseal(struct cvm_tpm *tpm, const struct cvm_sealed *sealed,
		   uint8_t secret[CVM_SEAL_SECRET], struct cvm_error *error);

#endif /* CVM_KEYS_SEAL_H */
