/* SPDX-License-Identifier: MIT */
/* From a record, of which nothing is believed, to a disk's key in the kernel. */
#ifndef CVM_KEYS_UNLOCK_H
#define CVM_KEYS_UNLOCK_H

#include "keyring.h"

/**
 * struct cvm_key_accept - which records are accepted; from what was measured
 * @root: enum cvm_root_key, or CVM_ROOT_TPM
 * @pcrs: those that a TPM's secret must be sealed to at least; 0: there must be no such
 *	secret
 * @mix: CVM_MIX_* that must all be in it
 * @min_tcb: no component of its TCB may be below, where that is in @mix: who has
 *	broken an old firmware has the keys of its TCB
 * @label: the record must be of this
 */
struct cvm_key_accept {
	uint32_t root;
	uint32_t pcrs;
	uint32_t mix;
	uint64_t min_tcb;
	const char *label;
};

/**
 * cvm_record_accept() - is @record one that may be used
 *
 * Return: 0; -EACCES: it is weaker, or another disk's, and @error says how; -EINVAL: what
 * @accept asks of PCRs says nothing (cvm_pcrs_check()).
 */
int cvm_record_accept(const struct cvm_key_record *record, const struct cvm_key_accept *accept,
		      struct cvm_error *error);

/**
 * cvm_record_unlock() - the data key of a record
 * @record: as it was read; authenticated when this returns 0
 * @accept: what is accepted
 * @door: open
 * @name: of the data key, 1 to 64 characters
 * @key: out: for cvm_data_key_drop(); of a LUKS disk the passphrase, so that it is for
 *	cvm_secret_begin() before; the master is gone again
 *
 * Return: 0; -EACCES: as above; -ESTALE: see cvm_key_inputs_check(); -EKEYREJECTED:
 * this VM derives another key; -EBADMSG: it derives the same, and the record has been
 * changed; or an error of cvm_tpm_unseal(), cvm_key_derive() or the keyring.
 */
int cvm_record_unlock(const struct cvm_key_record *record, const struct cvm_key_accept *accept,
		      const struct cvm_key_door *door, const char *name,
		      struct cvm_data_key *key, struct cvm_error *error);

/**
 * cvm_record_secret() - the TPM's secret of a record that is of no disk
 * @record: as it was read; authenticated when this returns 0
 * @accept: what is accepted
 * @door: open, with the TPM
 * @secret: out: for the caller to wipe
 *
 * Return: as cvm_record_unlock().
 */
int cvm_record_secret(const struct cvm_key_record *record, const struct cvm_key_accept *accept,
		      const struct cvm_key_door *door, uint8_t secret[CVM_SEAL_SECRET],
		      struct cvm_error *error);

/**
 * cvm_record_make() - wrap a data key by what can be derived now
 * @record: inputs, pcrs of sealed, label, cipher and sectors are set; out: all others;
 *	where there are pcrs a new secret is sealed to them
 * @door: open
 * @name: of the data key
 * @key: a key; where its serial is 0 a new one is made; unused for CVM_DISK_NONE
 *
 * The master is gone again when this returns.
 */
int cvm_record_make(struct cvm_key_record *record, const struct cvm_key_door *door,
		    const char *name, struct cvm_data_key *key, struct cvm_error *error);

#endif /* CVM_KEYS_UNLOCK_H */
