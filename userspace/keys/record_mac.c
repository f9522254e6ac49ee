// SPDX-License-Identifier: MIT
/* What of a record is authenticated: all of it, in a form that can mean one thing only. */
#include <errno.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <string.h>

#include "record.h"

static const char context[] = "cvm-guest record 1", tpm_context[] = "cvm-guest record 2";

_Static_assert(sizeof(context) == sizeof(tpm_context), "the forms differ in it alone");

/* the bytes so far; what is put is known to fit: see canonical_form.bytes */
struct canonical_form {
	size_t len;
	uint8_t bytes[sizeof(context) + 4 * 4 + 2 * 8 + CVM_RECORD_SALT + CVM_RECORD_CHECK +
		      4 + 8 + 2 + CVM_RECORD_MAX_LABEL + 2 + CVM_BLOB_MAX +
		      4 + 2 + CVM_SEALED_MAX];
};

static void put(struct canonical_form *form, const void *data, size_t len)
{
	memcpy(form->bytes + form->len, data, len);
	form->len += len;
}

static void put_le(struct canonical_form *form, uint64_t value, unsigned int size)
{
	for (unsigned int i = 0; i < size; i++)
		form->bytes[form->len++] = (uint8_t)(value >> 8 * i);
}

static void put_counted(struct canonical_form *form, const void *data, size_t len)
{
	put_le(form, len, 2);
	put(form, data, len);
}

static void put_record(struct canonical_form *form, const struct cvm_key_record *record)
{
	const struct cvm_key_inputs *in = &record->inputs;

	form->len = 0;
	put(form, record->sealed.pcrs ? tpm_context : context, sizeof(context));
	put_le(form, in->root, 4);
	put_le(form, in->mix, 4);
	put_le(form, in->vmpl, 4);
	put_le(form, in->guest_svn, 4);
	put_le(form, in->tcb, 8);
	put_le(form, in->launch_mit, 8);
	put(form, record->salt, sizeof(record->salt));
	put(form, record->check, sizeof(record->check));
	put_le(form, record->cipher, 4);
	put_le(form, record->sectors, 8);
	put_counted(form, record->label, strlen(record->label));
	put_counted(form, record->blob, cvm_disk_blob_len(record->cipher));
	if (!record->sealed.pcrs)
		return;
	put_le(form, record->sealed.pcrs, 4);
	put_counted(form, record->sealed.bytes, record->sealed.len);
}

static int mac_of(const struct cvm_key_record *record, const uint8_t *key, uint8_t *mac)
{
	struct canonical_form form;
	size_t len = 0;
	bool good;

	put_record(&form, record);
	good = EVP_Q_mac(NULL, "HMAC", NULL, "SHA256", NULL, key, CVM_RECORD_MAC_KEY,
			 form.bytes, form.len, mac, CVM_RECORD_MAC, &len);
	/* of a temporary disk nobody keeps salt and wrapped key */
	OPENSSL_cleanse(&form, sizeof(form));
	return good && len == CVM_RECORD_MAC ? 0 : -EIO;
}

int cvm_record_sign(struct cvm_key_record *record, const uint8_t key[CVM_RECORD_MAC_KEY])
{
	return mac_of(record, key, record->mac);
}

int cvm_record_verify(const struct cvm_key_record *record,
		      const uint8_t key[CVM_RECORD_MAC_KEY])
{
	uint8_t mac[CVM_RECORD_MAC];
	int rc = mac_of(record, key, mac);

	if (!rc && CRYPTO_memcmp(mac, record->mac, sizeof(mac)))
		rc = -EBADMSG;
	return rc;
}
