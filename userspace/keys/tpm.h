/* SPDX-License-Identifier: MIT */
/*
 * The TPM, as the secrets that it seals need it: a key of its own to seal them
 * under, a session that encrypts what passes between it and this process, and what
 * its PCRs are. Nothing in the TPM is changed, nor stays when it is closed.
 *
 * The session's salt goes to the TPM encrypted for that key. Who only listens
 * between the two learns nothing; who can change what passes there can have put a key
 * of his in its place, and a TPM that the host emulates is the host.
 */
#ifndef CVM_KEYS_TPM_H
#define CVM_KEYS_TPM_H

#include <stdbool.h>
#include <tss2/tss2_esys.h>

#include "common/cleanup.h"
#include "common/tpm_error.h"
#include "seal.h"
#include "secret.h"

/* SHA-256 */
#define CVM_TPM_DIGEST	32

/* what ESYS has allocated */
#define __cleanup_esys	__cleanup(cvm_cleanup_esys)

static inline void cvm_cleanup_esys(void *pointer)
{
	Esys_Free(*(void **)pointer);
}

/**
 * struct cvm_tpm - an open TPM
 * @tcti: how to reach it; owned
 * @esys: what speaks to it
 * @parent: the key to seal under, or ESYS_TR_NONE
 * @made: @parent was made for us, and goes with us
 * @session: salted by @parent, or ESYS_TR_NONE
 * @time: from when it is opened until what ESYS had of sessions is wiped
 */
struct cvm_tpm {
	TSS2_TCTI_CONTEXT *tcti;
	ESYS_CONTEXT *esys;
	ESYS_TR parent;
	bool made;
	ESYS_TR session;
	struct cvm_secret_time time;
};

/* For cvm_tpm_close(); takes @tcti over, also on failure. */
int cvm_tpm_use(TSS2_TCTI_CONTEXT *tcti, struct cvm_tpm **tpm, struct cvm_error *error);

/* A file that is not CVM_TPM_NODE: -ENODEV where there is none. */
int cvm_tpm_open_at(const char *path, struct cvm_tpm **tpm, struct cvm_error *error);

/**
 * cvm_tpm_parent() - have a storage key, and a session that is salted by it
 * @tpm: open
 * @name: the key must be this one; NULL: any
 *
 * The storage root key at 81000001h, where there is one: it needs no password of the
 * owner's. Else a primary key of the owner's, the same each time as long as the TPM is
 * not cleared.
 *
 * Return: 0; -EKEYREJECTED: this TPM has no such key; or an error of the TPM.
 */
int cvm_tpm_parent(struct cvm_tpm *tpm, const TPM2B_NAME *name, struct cvm_error *error);

/* The SHA-256 bank's @pcrs, and no other. */
void cvm_tpm_selection(uint32_t pcrs, TPML_PCR_SELECTION *selection);

/**
 * struct cvm_tpm_pcrs - what chosen PCRs are
 * @untouched: bits: those into which nothing has been measured
 * @digest: SHA-256 of their values, in order
 * @policy: of PolicyPCR: that they are so
 */
struct cvm_tpm_pcrs {
	uint32_t untouched;
	TPM2B_DIGEST digest;
	TPM2B_DIGEST policy;
};

/**
 * cvm_tpm_pcrs() - read them
 * @tpm: with a parent: its session vouches for them
 * @pcrs: bits
 * @out: out
 * @error: or NULL
 *
 * Return: 0; -EOPNOTSUPP: there is no SHA-256 bank; or an error of the TPM.
 */
int cvm_tpm_pcrs(struct cvm_tpm *tpm, uint32_t pcrs, struct cvm_tpm_pcrs *out,
		 struct cvm_error *error);

/* A session of PolicyPCR, of @pcrs as they are; @policy: for cvm_tpm_flush(), also on failure */
TSS2_RC cvm_tpm_policy(struct cvm_tpm *tpm, uint32_t pcrs, ESYS_TR *policy);

/*
 * The session, with these attributes for the next command, and no other; where they cannot be
 * set, a handle with which every command fails.
 */
ESYS_TR cvm_tpm_session(struct cvm_tpm *tpm, TPMA_SESSION attributes);

/* What the libraries have in their buffers of the last command is gone. */
void cvm_tpm_overwrite(struct cvm_tpm *tpm);

void cvm_tpm_flush(struct cvm_tpm *tpm, ESYS_TR *handle);

#endif /* CVM_KEYS_TPM_H */
