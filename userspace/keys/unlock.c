// SPDX-License-Identifier: MIT
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "common/api.h"
#include "common/cleanup.h"
#include "secret.h"
#include "unlock.h"

int cvm_record_accept(const struct cvm_key_record *record, const struct cvm_key_accept *accept,
		      struct cvm_error *error)
{
	uint32_t missing = accept->mix & ~record->inputs.mix;
	char text[CVM_MIX_TEXT], pcrs[CVM_PCRS_TEXT];

	if (strcmp(record->label, accept->label))
		return cvm_set_error(error, -EACCES, "the record is of \"%s\", not of \"%s\"",
				     record->label, accept->label);
	if (record->inputs.root != accept->root)
		return cvm_set_error(error, -EACCES, "the record's key is derived from the %s, and only the %s is accepted",
				     cvm_root_name(record->inputs.root),
				     cvm_root_name(accept->root));
	if (!accept->pcrs && record->sealed.pcrs)
		return cvm_set_error(error, -EACCES, "a secret of a TPM is mixed into the record's key too, and only the firmware's is accepted: --from both");
	if (accept->pcrs && cvm_pcrs_check(accept->pcrs, error))
		return -EINVAL;
	if (accept->pcrs & ~record->sealed.pcrs)
		return cvm_set_error(error, -EACCES, "the record's key is weaker than what is accepted: it is not sealed to PCRs %s",
				     cvm_pcrs_text(accept->pcrs & ~record->sealed.pcrs, pcrs));
	if (missing)
		return cvm_set_error(error, -EACCES, "the record's key is weaker than what is accepted: %s is not mixed in",
				     cvm_mix_text(missing, text));
	if (accept->mix & CVM_MIX_TCB && !cvm_tcb_within(accept->min_tcb, record->inputs.tcb))
		return cvm_set_error(error, -EACCES, "the record's key is of TCB %016llx, and no less than %016llx is accepted",
				     (unsigned long long)record->inputs.tcb,
				     (unsigned long long)accept->min_tcb);
	return 0;
}

/* Software of this VM at another VMPL may derive other keys, which are not ours. */
static int check_vmpl(const struct cvm_key_record *record, const struct cvm_key_facts *facts,
		      struct cvm_error *error)
{
	if (record->inputs.vmpl == facts->vmpl)
		return 0;
	return cvm_set_error(error, -EACCES, "the record's key is of VMPL %u, and only this kernel's own, %u, is accepted",
			     record->inputs.vmpl, facts->vmpl);
}

/* The derived keys are this record's. */
static int check_keys(const struct cvm_key_record *record, const struct cvm_disk_keys *keys,
		      struct cvm_error *error)
{
	char text[CVM_MIX_TEXT];
	int rc;

	/* tells another VM from a record that was changed; no secret, and no proof */
	if (CRYPTO_memcmp(keys->check, record->check, sizeof(record->check)) &&
	    record->inputs.root == CVM_ROOT_TPM)
		return cvm_set_error(error, -EKEYREJECTED, "the TPM's secret gives another key: the record has been changed");
	if (CRYPTO_memcmp(keys->check, record->check, sizeof(record->check)))
		return cvm_set_error(error, -EKEYREJECTED, "this VM derives another key: something of %s is not what it was, or this is another chip (or, for the vmrk, another launch), or the record has been changed",
				     cvm_mix_text(record->inputs.mix, text));
	rc = cvm_record_verify(record, keys->mac_key);
	if (rc == -EBADMSG)
		return cvm_set_error(error, rc, "the record has been changed: its MAC is wrong");
	return rc ? cvm_set_error(error, rc, "the record's MAC cannot be computed") : 0;
}

/* what of it can be said before a key is asked for */
static int check_record(const struct cvm_key_record *record, const struct cvm_key_accept *accept,
			const struct cvm_key_door *door, struct cvm_error *error)
{
	int rc = cvm_record_accept(record, accept, error);

	if (!rc)
		rc = check_vmpl(record, &door->facts, error);
	return rc ? rc : cvm_key_inputs_check(&record->inputs, &door->facts, error);
}

/* @secret: out, where the record has one of a TPM */
static int derive(const struct cvm_key_record *record, const struct cvm_key_door *door,
		  struct cvm_secret *secret, struct cvm_disk_keys *keys, struct cvm_error *error)
{
	int rc = 0;

	if (record->sealed.pcrs)
		rc = cvm_tpm_unseal(door->tpm, &record->sealed, secret->bytes, error);
	return rc ? rc : cvm_disk_keys_derive(door, record,
					      record->sealed.pcrs ? secret->bytes : NULL, keys,
					      error);
}

int cvm_record_unlock(const struct cvm_key_record *record, const struct cvm_key_accept *accept,
		      const struct cvm_key_door *door, const char *name,
		      struct cvm_data_key *key, struct cvm_error *error)
{
	__cleanup_secret_time struct cvm_secret_time time = { 0 };
	__cleanup_disk_keys struct cvm_disk_keys keys = { 0 };
	__cleanup_secret struct cvm_secret secret;
	int rc = check_record(record, accept, door, error);

	if (!rc && record->cipher == CVM_DISK_NONE)
		rc = cvm_set_error(error, -EACCES, "the record is of no disk");
	if (rc)
		return rc;
	cvm_secret_begin(&time);
	rc = derive(record, door, &secret, &keys, error);
	if (!rc)
		rc = check_keys(record, &keys, error);
	if (rc)
		return rc;
	return record->cipher == CVM_DISK_LUKS2 ? cvm_passphrase_load(key, &keys, record, error) :
						  cvm_data_key_load(key, name, record, error);
}

int cvm_record_secret(const struct cvm_key_record *record, const struct cvm_key_accept *accept,
		      const struct cvm_key_door *door, uint8_t out[CVM_SEAL_SECRET],
		      struct cvm_error *error)
{
	__cleanup_secret_time struct cvm_secret_time time = { 0 };
	__cleanup_disk_keys struct cvm_disk_keys keys = { 0 };
	__cleanup_secret struct cvm_secret secret;
	int rc = cvm_record_accept(record, accept, error);

	if (!rc && record->cipher != CVM_DISK_NONE)
		rc = cvm_set_error(error, -EACCES, "the record is of a disk");
	if (rc)
		return rc;
	cvm_secret_begin(&time);
	rc = derive(record, door, &secret, &keys, error);
	if (!rc)
		rc = check_keys(record, &keys, error);
	if (!rc)
		memcpy(out, secret.bytes, CVM_SEAL_SECRET);
	return rc;
}

static int wrap_passphrase(struct cvm_key_record *record, const struct cvm_disk_keys *keys,
			   struct cvm_data_key *key, struct cvm_error *error)
{
	int rc = key->known ? 0 : cvm_passphrase_new(key, error);

	return rc ? rc : cvm_passphrase_wrap(key, keys, record, error);
}

static int wrap(struct cvm_key_record *record, const struct cvm_disk_keys *keys,
		const char *name, struct cvm_data_key *key, struct cvm_error *error)
{
	int rc = 0;

	if (record->cipher == CVM_DISK_NONE)
		return 0;
	if (record->cipher == CVM_DISK_LUKS2)
		return wrap_passphrase(record, keys, key, error);
	if (!key->serial)
		rc = cvm_data_key_new(key, name, cvm_disk_key_len(record->cipher), error);
	return rc ? rc : cvm_data_key_wrap(key, record, error);
}

int cvm_record_make(struct cvm_key_record *record, const struct cvm_key_door *door,
		    const char *name, struct cvm_data_key *key, struct cvm_error *error)
{
	__cleanup_secret_time struct cvm_secret_time time = { 0 };
	__cleanup_disk_keys struct cvm_disk_keys keys = { 0 };
	__cleanup_secret struct cvm_secret secret;
	int rc = 0;

	cvm_secret_begin(&time);
	if (getrandom(record->salt, sizeof(record->salt), 0) != sizeof(record->salt))
		return cvm_set_error(error, -EIO, "no random numbers");
	if (record->sealed.pcrs)
		rc = cvm_tpm_seal(door->tpm, &record->sealed, error);
	if (!rc)
		rc = derive(record, door, &secret, &keys, error);
	if (!rc)
		rc = wrap(record, &keys, name, key, error);
	if (rc)
		return rc;
	memcpy(record->check, keys.check, sizeof(record->check));
	rc = cvm_record_sign(record, keys.mac_key);
	return rc ? cvm_set_error(error, rc, "the record's MAC cannot be computed") : 0;
}
