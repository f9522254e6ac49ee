// SPDX-License-Identifier: GPL-2.0
/*
 * What the guest finds in its TPM: the storage root key, the endorsement key, an
 * AK of this boot, the AK's certificate, and the index for the report. Azure's
 * AK templates as OpenHCL has them; the endorsement key is TCG's "low range" one.
 */
#include <string.h>
#include <openssl/core_names.h>
#include <openssl/rand.h>

#include "azure.h"
#include "cleanup.h"

struct azure_keys azure_keys;

static int complain(const char *what, TSS2_RC rc)
{
	fprintf(stderr, "cvm-fwd: the TPM's %s cannot be made: %08xh\n", what, rc);
	return -1;
}

/* ---- keys ---- */

#define FIXED	(TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | TPMA_OBJECT_SENSITIVEDATAORIGIN)

static const TPMT_SYM_DEF_OBJECT aes = {
	.algorithm = TPM2_ALG_AES, .keyBits.aes = 128, .mode.aes = TPM2_ALG_CFB,
};

/* TPM2_PolicySecret(TPM_RH_ENDORSEMENT) */
static const uint8_t policy_a[32] = {
	0x83, 0x71, 0x97, 0x67, 0x44, 0x84, 0xb3, 0xf8, 0x1a, 0x90, 0xcc, 0x8d, 0x46, 0xa5, 0xd7,
	0x24, 0xfd, 0x52, 0xd7, 0x6e, 0x06, 0x52, 0x0b, 0x64, 0xf2, 0xa1, 0xda, 0x1b, 0x33, 0x14,
	0x69, 0xaa,
};

static TPM2B_PUBLIC rsa_template(TPMA_OBJECT attributes)
{
	TPM2B_PUBLIC template = { .publicArea = {
		.type = TPM2_ALG_RSA, .nameAlg = TPM2_ALG_SHA256, .objectAttributes = attributes,
		.parameters.rsaDetail = { .symmetric = { .algorithm = TPM2_ALG_NULL },
					  .scheme = { .scheme = TPM2_ALG_NULL },
					  .keyBits = 2048 },
		.unique.rsa.size = AZURE_RSA_LEN,
	} };

	return template;
}

static TPM2B_PUBLIC srk_template(void)
{
	TPM2B_PUBLIC template = rsa_template(FIXED | TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA |
					     TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT);

	template.publicArea.parameters.rsaDetail.symmetric = aes;
	return template;
}

static TPM2B_PUBLIC ek_template(void)
{
	TPM2B_PUBLIC template = rsa_template(FIXED | TPMA_OBJECT_ADMINWITHPOLICY |
					     TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_DECRYPT);

	template.publicArea.parameters.rsaDetail.symmetric = aes;
	template.publicArea.authPolicy.size = sizeof(policy_a);
	memcpy(template.publicArea.authPolicy.buffer, policy_a, sizeof(policy_a));
	return template;
}

/* of this boot and no other: the hierarchy's seed would make the same again */
static TPM2B_PUBLIC ak_template(void)
{
	TPM2B_PUBLIC template = rsa_template(FIXED | TPMA_OBJECT_USERWITHAUTH | TPMA_OBJECT_NODA |
					     TPMA_OBJECT_RESTRICTED | TPMA_OBJECT_SIGN_ENCRYPT);
	TPMT_RSA_SCHEME *scheme = &template.publicArea.parameters.rsaDetail.scheme;

	scheme->scheme = TPM2_ALG_RSASSA;
	scheme->details.rsassa.hashAlg = TPM2_ALG_SHA256;
	RAND_bytes(template.publicArea.unique.rsa.buffer, AZURE_RSA_LEN);
	return template;
}

static void take_modulus(const TPM2B_PUBLIC *public, uint8_t out[AZURE_RSA_LEN])
{
	memset(out, 0, AZURE_RSA_LEN);
	if (public->publicArea.unique.rsa.size == AZURE_RSA_LEN)
		memcpy(out, public->publicArea.unique.rsa.buffer, AZURE_RSA_LEN);
}

/* the key at @handle as it is; false: there is none */
static bool present(uint32_t handle, ESYS_TR *key, uint8_t modulus[AZURE_RSA_LEN])
{
	TPM2B_PUBLIC *public = NULL;

	if (Esys_TR_FromTPMPublic(azure_esys, handle, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
				  key))
		return false;
	if (Esys_ReadPublic(azure_esys, *key, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &public,
			    NULL, NULL))
		return false;
	take_modulus(public, modulus);
	Esys_Free(public);
	return true;
}

static int make_key(ESYS_TR hierarchy, const TPM2B_PUBLIC *template, uint32_t handle,
		    uint8_t modulus[AZURE_RSA_LEN])
{
	const TPM2B_SENSITIVE_CREATE sensitive = { 0 };
	const TPM2B_DATA outside = { 0 };
	const TPML_PCR_SELECTION pcrs = { 0 };
	TPM2B_PUBLIC *public = NULL;
	ESYS_TR key, kept;
	TSS2_RC rc;

	rc = Esys_CreatePrimary(azure_esys, hierarchy, ESYS_TR_PASSWORD, ESYS_TR_NONE,
				ESYS_TR_NONE, &sensitive, template, &outside, &pcrs, &key, &public,
				NULL, NULL, NULL);
	if (rc)
		return complain("key", rc);
	take_modulus(public, modulus);
	Esys_Free(public);
	rc = Esys_EvictControl(azure_esys, ESYS_TR_RH_OWNER, key, ESYS_TR_PASSWORD, ESYS_TR_NONE,
			       ESYS_TR_NONE, handle, &kept);
	Esys_FlushContext(azure_esys, key);
	if (rc)
		return complain("key's place", rc);
	return Esys_TR_Close(azure_esys, &kept) ? -1 : 0;
}

static int make_lasting(ESYS_TR hierarchy, const TPM2B_PUBLIC *template, uint32_t handle,
			uint8_t modulus[AZURE_RSA_LEN])
{
	ESYS_TR key;

	if (!present(handle, &key, modulus))
		return make_key(hierarchy, template, handle, modulus);
	return Esys_TR_Close(azure_esys, &key) ? -1 : 0;
}

static int make_ak(void)
{
	const TPM2B_PUBLIC template = ak_template();
	ESYS_TR old, gone;

	if (present(AZURE_AK, &old, azure_keys.ak) &&
	    Esys_EvictControl(azure_esys, ESYS_TR_RH_OWNER, old, ESYS_TR_PASSWORD, ESYS_TR_NONE,
			      ESYS_TR_NONE, AZURE_AK, &gone))
		return complain("old AK's place", 0);
	return make_key(ESYS_TR_RH_ENDORSEMENT, &template, AZURE_AK, azure_keys.ak);
}

/* ---- the AK's certificate ---- */

static EVP_PKEY *public_key(const uint8_t modulus[AZURE_RSA_LEN])
{
	OSSL_PARAM_BLD *bld __clean(bld) = OSSL_PARAM_BLD_new();
	EVP_PKEY_CTX *ctx __clean(pkey_ctx) = EVP_PKEY_CTX_new_from_name(NULL, "RSA", NULL);
	BIGNUM *n __clean(bn) = BN_bin2bn(modulus, AZURE_RSA_LEN, NULL);
	BIGNUM *e __clean(bn) = BN_new();
	OSSL_PARAM *params __clean(params) = NULL;
	EVP_PKEY *key = NULL;

	if (!bld || !ctx || !n || !e || !BN_set_word(e, 65537) ||
	    !OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_N, n) ||
	    !OSSL_PARAM_BLD_push_BN(bld, OSSL_PKEY_PARAM_RSA_E, e))
		return NULL;
	params = OSSL_PARAM_BLD_to_param(bld);
	if (!params || EVP_PKEY_fromdata_init(ctx) <= 0 ||
	    EVP_PKEY_fromdata(ctx, &key, EVP_PKEY_PUBLIC_KEY, params) <= 0)
		return NULL;
	return key;
}

int azure_get_authority(const struct fwd *fwd, struct pki_cert *authority)
{
	static const struct pki_name subject[] = {
		{ "CN", "Simulated Virtual TPM CA - 01" }, { }
	};
	static const struct pki_ext exts[] = {
		{ "basicConstraints", true, "CA:TRUE" }, { "keyUsage", true, "keyCertSign" }, { }
	};
	static const struct pki_spec spec = {
		.subject = subject, .serial = 1, .days = 3650, .sign = PKI_ECDSA_SHA256,
		.exts = exts,
	};
	int lock __clean(fd) = pki_lock(fwd->state_dir);

	return lock < 0 ? -1 : pki_get(authority, fwd->state_dir, "azure-vtpm-ca", PKI_P256, NULL,
				       &spec);
}

/* DER, and zeros up to the index's end; each is another one */
int azure_renew_certificate(struct fwd *fwd)
{
	static const struct pki_name subject[] = { { "CN", "simulated.azure.vm" }, { } };
	static const struct pki_ext exts[] = {
		{ "basicConstraints", true, "CA:FALSE" },
		{ "keyUsage", true, "digitalSignature" }, { }
	};
	static struct pki_spec spec = {
		.subject = subject, .serial = 1, .days = 365, .sign = PKI_ECDSA_SHA256,
		.exts = exts,
	};
	struct pki_cert authority, cert;
	int ret;

	memset(azure_cert_index.data, 0, sizeof(azure_cert_index.data));
	if (azure_config.no_certificate)
		return 0;
	if (azure_get_authority(fwd, &authority))
		return -1;
	spec.serial++;
	ret = pki_issue(&cert, public_key(azure_keys.ak), &authority, &spec);
	pki_free(&authority);
	if (ret)
		return -1;
	if ((size_t)cert.der_len <= azure_cert_index.size)
		memcpy(azure_cert_index.data, cert.der, (size_t)cert.der_len);
	pki_free(&cert);
	return 0;
}

static int set_owner_password(void)
{
	const TPM2B_AUTH auth = { .size = 6, .buffer = "secret" };
	TSS2_RC rc = TPM2_RC_SUCCESS;

	if (azure_config.owner_password)
		rc = Esys_HierarchyChangeAuth(azure_esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD,
					      ESYS_TR_NONE, ESYS_TR_NONE, &auth);
	/* for all that comes; ours is and stays the empty one */
	return rc ? complain("owner's password", rc) : 0;
}

int azure_provision(struct fwd *fwd)
{
	const TPM2B_PUBLIC srk = srk_template(), ek = ek_template();
	uint8_t modulus[AZURE_RSA_LEN];

	azure_report_index.size = azure_nv_size();
	return make_lasting(ESYS_TR_RH_OWNER, &srk, AZURE_SRK, modulus) ||
	       make_lasting(ESYS_TR_RH_ENDORSEMENT, &ek, AZURE_EK, azure_keys.ek) ||
	       make_ak() || azure_renew_certificate(fwd) || azure_nv_define(&azure_report_index) ||
	       azure_nv_define(&azure_cert_index) || azure_nv_leave_input() ||
	       set_owner_password() ? -1 : 0;
}
