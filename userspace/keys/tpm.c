// SPDX-License-Identifier: MIT
#include <errno.h>
#include <fcntl.h>
#include <openssl/crypto.h>
#include <openssl/evp.h>
#include <stdlib.h>
#include <string.h>
#include <tss2/tss2_mu.h>
#include <tss2/tss2_tcti_device.h>

#include "common/api.h"
#include "common/cleanup.h"
#include "common/util.h"
#include "tpm.h"

/* TCG TPM v2.0 Provisioning Guidance, section 7.5.1 */
#define SRK		0x81000001U

/* a parent that only its TPM has ever had, decrypts nothing but children, and asks no policy */
#define PARENT		(TPMA_OBJECT_FIXEDTPM | TPMA_OBJECT_FIXEDPARENT | \
			 TPMA_OBJECT_SENSITIVEDATAORIGIN | TPMA_OBJECT_RESTRICTED | \
			 TPMA_OBJECT_DECRYPT | TPMA_OBJECT_USERWITHAUTH)

/* of nothing that there is: a command that gets it fails before it is sent */
#define NO_HANDLE	0x7fffffffU

static const TPMT_SYM_DEF aes_cfb = {
	.algorithm = TPM2_ALG_AES, .keyBits.aes = 128, .mode.aes = TPM2_ALG_CFB,
};

int cvm_tpm_use(TSS2_TCTI_CONTEXT *tcti, struct cvm_tpm **out, struct cvm_error *error)
{
	struct cvm_tpm *tpm = calloc(1, sizeof(*tpm));
	int rc;

	*out = NULL;
	if (!tpm) {
		Tss2_Tcti_Finalize(tcti);
		free(tcti);
		return cvm_set_error(error, -ENOMEM, "out of memory");
	}
	*tpm = (struct cvm_tpm){
		.tcti = tcti, .parent = ESYS_TR_NONE, .session = ESYS_TR_NONE,
	};
	cvm_secret_begin(&tpm->time);
	rc = cvm_tpm_error(error, Esys_Initialize(&tpm->esys, tcti, NULL), "its library");
	if (rc) {
		cvm_tpm_close(tpm);
		return rc;
	}
	*out = tpm;
	return 0;
}

/* the library does not say which errno it was */
static int try_node(const char *path, struct cvm_error *error)
{
	__cleanup_fd int fd = open(path, O_RDWR | O_CLOEXEC);

	if (fd >= 0)
		return 0;
	if (errno == ENOENT || errno == ENXIO || errno == ENODEV)
		return cvm_set_error(error, -ENODEV, "%s: there is no TPM 2.0 here, or no driver of it (tpm_crb, tpm_tis)",
				     path);
	if (errno == EBUSY)
		return cvm_set_error(error, -EBUSY, "%s: somebody has the TPM for himself; who uses /dev/tpmrm0 leaves it to others",
				     path);
	return cvm_path_error(error, -errno, path, "open");
}

int cvm_tpm_open_at(const char *path, struct cvm_tpm **tpm, struct cvm_error *error)
{
	TSS2_TCTI_CONTEXT *tcti;
	size_t size;
	int rc = try_node(path, error);

	*tpm = NULL;
	if (rc)
		return rc;
	/* it reports by what it returns; and what it logs may be what it has decrypted */
	setenv("TSS2_LOG", "all+none", 1);
	unsetenv("TSS2_LOGFILE");
	if (Tss2_Tcti_Device_Init(NULL, &size, path))
		return cvm_set_error(error, -EIO, "%s: no way to the TPM", path);
	tcti = calloc(1, size);
	if (!tcti || Tss2_Tcti_Device_Init(tcti, &size, path)) {
		free(tcti);
		return cvm_set_error(error, -EIO, "%s: the TPM cannot be opened", path);
	}
	return cvm_tpm_use(tcti, tpm, error);
}

int cvm_tpm_open(struct cvm_tpm **tpm, struct cvm_error *error)
{
	return cvm_tpm_open_at(CVM_TPM_NODE, tpm, error);
}

void cvm_tpm_flush(struct cvm_tpm *tpm, ESYS_TR *handle)
{
	if (*handle != ESYS_TR_NONE)
		Esys_FlushContext(tpm->esys, *handle);
	*handle = ESYS_TR_NONE;
}

/* a persistent key is forgotten, not removed */
static void drop_parent(struct cvm_tpm *tpm)
{
	if (tpm->made)
		cvm_tpm_flush(tpm, &tpm->parent);
	else if (tpm->parent != ESYS_TR_NONE)
		Esys_TR_Close(tpm->esys, &tpm->parent);
	tpm->parent = ESYS_TR_NONE;
	tpm->made = false;
}

void cvm_tpm_close(struct cvm_tpm *tpm)
{
	__cleanup_secret_time struct cvm_secret_time time = { 0 };

	if (!tpm)
		return;
	time = tpm->time;
	if (tpm->esys) {
		cvm_tpm_flush(tpm, &tpm->session);
		drop_parent(tpm);
		Esys_Finalize(&tpm->esys);
	}
	Tss2_Tcti_Finalize(tpm->tcti);
	free(tpm->tcti);
	free(tpm);
	/* what ESYS has freed unwiped: salts and keys of the sessions */
	cvm_secret_heap();
}

/* Is tpm->parent a good one, and the one that is asked for */
static bool is_parent(struct cvm_tpm *tpm, const TPM2B_NAME *want)
{
	__cleanup_esys TPM2B_PUBLIC *public = NULL;
	__cleanup_esys TPM2B_NAME *name = NULL;

	if (Esys_ReadPublic(tpm->esys, tpm->parent, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
			    &public, &name, NULL))
		return false;
	if ((public->publicArea.objectAttributes & PARENT) != PARENT ||
	    public->publicArea.nameAlg != TPM2_ALG_SHA256)
		return false;
	return !want || (want->size == name->size && !memcmp(want->name, name->name, name->size));
}

/* Whatever is wrong with it, there is the other one. */
static bool use_srk(struct cvm_tpm *tpm, const TPM2B_NAME *want)
{
	if (Esys_TR_FromTPMPublic(tpm->esys, SRK, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
				  &tpm->parent)) {
		tpm->parent = ESYS_TR_NONE;
		return false;
	}
	if (is_parent(tpm, want))
		return true;
	drop_parent(tpm);
	return false;
}

/* TCG EK Credential Profile, template of storage keys: ECC, P-256 */
static int make_primary(struct cvm_tpm *tpm, struct cvm_error *error)
{
	const TPM2B_PUBLIC template = {
		.publicArea = {
			.type = TPM2_ALG_ECC,
			.nameAlg = TPM2_ALG_SHA256,
			.objectAttributes = PARENT | TPMA_OBJECT_NODA,
			.parameters.eccDetail = {
				.symmetric = { .algorithm = TPM2_ALG_AES, .keyBits.aes = 128,
					       .mode.aes = TPM2_ALG_CFB },
				.scheme.scheme = TPM2_ALG_NULL,
				.curveID = TPM2_ECC_NIST_P256,
				.kdf.scheme = TPM2_ALG_NULL,
			},
			.unique.ecc = { .x.size = CVM_TPM_DIGEST, .y.size = CVM_TPM_DIGEST },
		},
	};
	const TPM2B_SENSITIVE_CREATE sensitive = { 0 };
	const TPML_PCR_SELECTION none = { 0 };
	const TPM2B_DATA nothing = { 0 };
	TSS2_RC rc = Esys_CreatePrimary(tpm->esys, ESYS_TR_RH_OWNER, ESYS_TR_PASSWORD,
					ESYS_TR_NONE, ESYS_TR_NONE, &sensitive, &template,
					&nothing, &none, &tpm->parent, NULL, NULL, NULL, NULL);

	tpm->made = !rc;
	if (!rc)
		return 0;
	tpm->parent = ESYS_TR_NONE;
	if (cvm_tpm_code(rc) == TPM2_RC_BAD_AUTH)
		return cvm_set_error(error, -EACCES, "the TPM's owner hierarchy has a password, and there is no key 0x%x that can be used without: make it (tpm2_createprimary -C o -P PASSWORD -G ecc -c srk; tpm2_evictcontrol -C o -P PASSWORD -c srk 0x%x)",
				     SRK, SRK);
	return cvm_tpm_error(error, rc, "a key to seal under");
}

static int start_session(struct cvm_tpm *tpm, struct cvm_error *error)
{
	TSS2_RC rc = Esys_StartAuthSession(tpm->esys, tpm->parent, ESYS_TR_NONE, ESYS_TR_NONE,
					   ESYS_TR_NONE, ESYS_TR_NONE, NULL, TPM2_SE_HMAC,
					   &aes_cfb, TPM2_ALG_SHA256, &tpm->session);

	if (rc)
		tpm->session = ESYS_TR_NONE;
	return cvm_tpm_error(error, rc, "an encrypted session");
}

int cvm_tpm_parent(struct cvm_tpm *tpm, const TPM2B_NAME *name, struct cvm_error *error)
{
	int rc;

	cvm_tpm_flush(tpm, &tpm->session);
	drop_parent(tpm);
	if (!use_srk(tpm, name)) {
		rc = make_primary(tpm, error);
		if (rc)
			return rc;
		if (!is_parent(tpm, name))
			return cvm_set_error(error, -EKEYREJECTED, "the secret was sealed by another TPM, or the TPM has been cleared since");
	}
	return start_session(tpm, error);
}

ESYS_TR cvm_tpm_session(struct cvm_tpm *tpm, TPMA_SESSION attributes)
{
	TSS2_RC rc = Esys_TRSess_SetAttributes(tpm->esys, tpm->session,
					       attributes | TPMA_SESSION_CONTINUESESSION, 0xff);

	/* with those that it had, or without a session, a secret would pass in clear */
	return rc ? NO_HANDLE : tpm->session;
}

/* they are as long as the longest command or answer; this one's answer is like a secret's */
void cvm_tpm_overwrite(struct cvm_tpm *tpm)
{
	__cleanup_esys TPM2B_DIGEST *random = NULL;

	Esys_GetRandom(tpm->esys, cvm_tpm_session(tpm, TPMA_SESSION_ENCRYPT), ESYS_TR_NONE,
		       ESYS_TR_NONE, CVM_TPM_DIGEST, &random);
}

/* ---- PCRs */

void cvm_tpm_selection(uint32_t pcrs, TPML_PCR_SELECTION *selection)
{
	TPMS_PCR_SELECTION *only = &selection->pcrSelections[0];

	*selection = (TPML_PCR_SELECTION){ .count = 1 };
	only->hash = TPM2_ALG_SHA256;
	only->sizeofSelect = 3;
	for (unsigned int i = 0; i < 3; i++)
		only->pcrSelect[i] = (BYTE)(pcrs >> 8 * i);
}

/* which of those that were asked for have come */
static uint32_t selected(const TPML_PCR_SELECTION *selection)
{
	const TPMS_PCR_SELECTION *only = &selection->pcrSelections[0];
	uint32_t pcrs = 0;

	for (unsigned int i = 0; selection->count == 1 && i < 3 && i < only->sizeofSelect; i++)
		pcrs |= (uint32_t)only->pcrSelect[i] << 8 * i;
	return pcrs;
}

/* At most eight come at a time. @values: out, in order. Returns those that have come. */
static TSS2_RC read_some(struct cvm_tpm *tpm, uint32_t pcrs, uint8_t **values, uint32_t *came)
{
	__cleanup_esys TPML_PCR_SELECTION *out = NULL;
	__cleanup_esys TPML_DIGEST *digests = NULL;
	TPML_PCR_SELECTION in;
	TSS2_RC rc;

	cvm_tpm_selection(pcrs, &in);
	/* the session's HMAC says that it is the TPM's answer, and to this */
	rc = Esys_PCR_Read(tpm->esys, cvm_tpm_session(tpm, TPMA_SESSION_AUDIT), ESYS_TR_NONE,
			   ESYS_TR_NONE, &in, NULL, &out, &digests);
	*came = 0;
	if (rc)
		return rc;
	if (digests->count != (UINT32)__builtin_popcount(selected(out) & pcrs))
		return TSS2_ESYS_RC_MALFORMED_RESPONSE;
	for (UINT32 i = 0; i < digests->count; i++) {
		if (digests->digests[i].size != CVM_TPM_DIGEST)
			return TSS2_ESYS_RC_MALFORMED_RESPONSE;
		memcpy(*values, digests->digests[i].buffer, CVM_TPM_DIGEST);
		*values += CVM_TPM_DIGEST;
	}
	*came = selected(out) & pcrs;
	return 0;
}

static int read_values(struct cvm_tpm *tpm, uint32_t pcrs, uint8_t *values,
		       struct cvm_error *error)
{
	uint32_t came;

	for (; pcrs; pcrs &= ~came) {
		TSS2_RC rc = read_some(tpm, pcrs, &values, &came);

		if (rc)
			return cvm_tpm_error(error, rc, "its PCRs");
		if (!came)
			return cvm_set_error(error, -EOPNOTSUPP, "the TPM has no SHA-256 PCRs: what is measured is not there to seal to");
	}
	return 0;
}

/*
 * TPM 2.0 Library, part 3, TPM2_PolicyPCR: SHA-256 of the digest before, which is zeros, the
 * command's code, the selection and the digest of the values. Nobody is asked for it.
 */
static bool make_policy(uint32_t pcrs, const TPM2B_DIGEST *digest, TPM2B_DIGEST *policy)
{
	uint8_t text[CVM_TPM_DIGEST + sizeof(TPM2_CC) + sizeof(TPML_PCR_SELECTION) +
		     CVM_TPM_DIGEST] = { 0 };
	size_t at = CVM_TPM_DIGEST;
	TPML_PCR_SELECTION selection;

	cvm_tpm_selection(pcrs, &selection);
	if (Tss2_MU_TPM2_CC_Marshal(TPM2_CC_PolicyPCR, text, sizeof(text), &at) ||
	    Tss2_MU_TPML_PCR_SELECTION_Marshal(&selection, text, sizeof(text), &at))
		return false;
	memcpy(text + at, digest->buffer, CVM_TPM_DIGEST);
	policy->size = CVM_TPM_DIGEST;
	return EVP_Digest(text, at + CVM_TPM_DIGEST, policy->buffer, NULL, EVP_sha256(), NULL) == 1;
}

/* as of anybody's machine who has just started one */
static uint32_t find_untouched(uint32_t pcrs, const uint8_t *values)
{
	uint32_t untouched = 0;

	for (unsigned int pcr = 0; pcr < CVM_PCRS; pcr++) {
		if (!(pcrs & 1U << pcr))
			continue;
		if (cvm_is_zero(values, CVM_TPM_DIGEST))
			untouched |= 1U << pcr;
		values += CVM_TPM_DIGEST;
	}
	return untouched;
}

int cvm_tpm_pcrs(struct cvm_tpm *tpm, uint32_t pcrs, struct cvm_tpm_pcrs *out,
		 struct cvm_error *error)
{
	size_t len = CVM_TPM_DIGEST * (size_t)__builtin_popcount(pcrs);
	uint8_t values[CVM_TPM_DIGEST * CVM_PCRS];
	int rc = read_values(tpm, pcrs, values, error);

	if (rc)
		return rc;
	out->untouched = find_untouched(pcrs, values);
	out->digest.size = CVM_TPM_DIGEST;
	if (EVP_Digest(values, len, out->digest.buffer, NULL, EVP_sha256(), NULL) != 1 ||
	    !make_policy(pcrs, &out->digest, &out->policy))
		return cvm_set_error(error, -EIO, "SHA-256 cannot be computed");
	return 0;
}

TSS2_RC cvm_tpm_policy(struct cvm_tpm *tpm, uint32_t pcrs, ESYS_TR *policy)
{
	static const TPMT_SYM_DEF none = { .algorithm = TPM2_ALG_NULL };
	const TPM2B_DIGEST now = { 0 };
	TPML_PCR_SELECTION selection;
	TSS2_RC rc = Esys_StartAuthSession(tpm->esys, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE,
					   ESYS_TR_NONE, ESYS_TR_NONE, NULL, TPM2_SE_POLICY,
					   &none, TPM2_ALG_SHA256, policy);

	if (rc) {
		*policy = ESYS_TR_NONE;
		return rc;
	}
	cvm_tpm_selection(pcrs, &selection);
	return Esys_PolicyPCR(tpm->esys, *policy, ESYS_TR_NONE, ESYS_TR_NONE, ESYS_TR_NONE, &now,
			      &selection);
}
