// SPDX-License-Identifier: GPL-2.0
/*
 * A wrapping key where the TPM is not as it has to be: without an attestation key, with one of
 * another kind or that signs otherwise; or where there are no random numbers.
 */
#include <errno.h>
#include <string.h>
#include <sys/random.h>

#include "common/util.h"
#include "steps.h"
#include "tap.h"

#define AK		0x81000003U
#define AK_CERT		0x01c101d0U

/* as for a handle, the first one */
#define NO_HANDLE	(TPM2_RC_HANDLE + TPM2_RC_H + TPM2_RC_1)

/**
 * struct lies - what the TPM says that is not so
 * @of: this object
 * @rc: when it is looked for
 * @keyed_hash: the attestation key is one
 * @pss: which call's signature is of that scheme: 'c', 'q'
 * @asked: out: how often it was looked for
 * @no_random: what cannot be filled with random numbers
 */
static struct {
	TPM2_HANDLE of;
	TSS2_RC rc;
	bool keyed_hash;
	char pss;
	unsigned int asked;
	const void *no_random;
} lies;

ssize_t __wrap_getrandom(void *data, size_t len, unsigned int flags);
ssize_t __real_getrandom(void *data, size_t len, unsigned int flags);
TSS2_RC __wrap_Esys_TR_FromTPMPublic(ESYS_CONTEXT *esys, TPM2_HANDLE handle, ESYS_TR first,
				     ESYS_TR second, ESYS_TR third, ESYS_TR *object);
TSS2_RC __real_Esys_TR_FromTPMPublic(ESYS_CONTEXT *esys, TPM2_HANDLE handle, ESYS_TR first,
				     ESYS_TR second, ESYS_TR third, ESYS_TR *object);
TSS2_RC __wrap_Esys_ReadPublic(ESYS_CONTEXT *esys, ESYS_TR object, ESYS_TR first, ESYS_TR second,
			       ESYS_TR third, TPM2B_PUBLIC **public, TPM2B_NAME **name,
			       TPM2B_NAME **qualified);
TSS2_RC __real_Esys_ReadPublic(ESYS_CONTEXT *esys, ESYS_TR object, ESYS_TR first, ESYS_TR second,
			       ESYS_TR third, TPM2B_PUBLIC **public, TPM2B_NAME **name,
			       TPM2B_NAME **qualified);
TSS2_RC __wrap_Esys_Certify(ESYS_CONTEXT *esys, ESYS_TR object, ESYS_TR by, ESYS_TR first,
			    ESYS_TR second, ESYS_TR third, const TPM2B_DATA *data,
			    const TPMT_SIG_SCHEME *scheme, TPM2B_ATTEST **attest,
			    TPMT_SIGNATURE **signature);
TSS2_RC __real_Esys_Certify(ESYS_CONTEXT *esys, ESYS_TR object, ESYS_TR by, ESYS_TR first,
			    ESYS_TR second, ESYS_TR third, const TPM2B_DATA *data,
			    const TPMT_SIG_SCHEME *scheme, TPM2B_ATTEST **attest,
			    TPMT_SIGNATURE **signature);
TSS2_RC __wrap_Esys_Quote(ESYS_CONTEXT *esys, ESYS_TR by, ESYS_TR first, ESYS_TR second,
			  ESYS_TR third, const TPM2B_DATA *data, const TPMT_SIG_SCHEME *scheme,
			  const TPML_PCR_SELECTION *pcrs, TPM2B_ATTEST **attest,
			  TPMT_SIGNATURE **signature);
TSS2_RC __real_Esys_Quote(ESYS_CONTEXT *esys, ESYS_TR by, ESYS_TR first, ESYS_TR second,
			  ESYS_TR third, const TPM2B_DATA *data, const TPMT_SIG_SCHEME *scheme,
			  const TPML_PCR_SELECTION *pcrs, TPM2B_ATTEST **attest,
			  TPMT_SIGNATURE **signature);

ssize_t __wrap_getrandom(void *data, size_t len, unsigned int flags)
{
	return data == lies.no_random ? -1 : __real_getrandom(data, len, flags);
}

TSS2_RC __wrap_Esys_TR_FromTPMPublic(ESYS_CONTEXT *esys, TPM2_HANDLE handle, ESYS_TR first,
				     ESYS_TR second, ESYS_TR third, ESYS_TR *object)
{
	lies.asked += handle == lies.of;
	if (handle == lies.of && lies.rc)
		return lies.rc;
	return __real_Esys_TR_FromTPMPublic(esys, handle, first, second, third, object);
}

TSS2_RC __wrap_Esys_ReadPublic(ESYS_CONTEXT *esys, ESYS_TR object, ESYS_TR first, ESYS_TR second,
			       ESYS_TR third, TPM2B_PUBLIC **public, TPM2B_NAME **name,
			       TPM2B_NAME **qualified)
{
	TSS2_RC rc = __real_Esys_ReadPublic(esys, object, first, second, third, public, name,
					    qualified);

	if (!rc && lies.keyed_hash) {
		(*public)->publicArea.type = TPM2_ALG_KEYEDHASH;
		(*public)->publicArea.unique.keyedHash.size = 0;
	}
	return rc;
}

TSS2_RC __wrap_Esys_Certify(ESYS_CONTEXT *esys, ESYS_TR object, ESYS_TR by, ESYS_TR first,
			    ESYS_TR second, ESYS_TR third, const TPM2B_DATA *data,
			    const TPMT_SIG_SCHEME *scheme, TPM2B_ATTEST **attest,
			    TPMT_SIGNATURE **signature)
{
	TSS2_RC rc = __real_Esys_Certify(esys, object, by, first, second, third, data, scheme,
					 attest, signature);

	if (!rc && lies.pss == 'c')
		(*signature)->sigAlg = TPM2_ALG_RSAPSS;
	return rc;
}

TSS2_RC __wrap_Esys_Quote(ESYS_CONTEXT *esys, ESYS_TR by, ESYS_TR first, ESYS_TR second,
			  ESYS_TR third, const TPM2B_DATA *data, const TPMT_SIG_SCHEME *scheme,
			  const TPML_PCR_SELECTION *pcrs, TPM2B_ATTEST **attest,
			  TPMT_SIGNATURE **signature)
{
	TSS2_RC rc = __real_Esys_Quote(esys, by, first, second, third, data, scheme, pcrs, attest,
				       signature);

	if (!rc && lies.pss == 'q')
		(*signature)->sigAlg = TPM2_ALG_RSAPSS;
	return rc;
}

static struct cvm_skr_state state = { .wrap = 1, .pcrs = CVM_SKR_PCRS };

static int make(struct cvm_tpm *tpm, enum cvm_skr_form form, struct cvm_error *error)
{
	static struct cvm_skr_wrapping w;

	state.form = form;
	*error = (struct cvm_error){ 0 };
	return cvm_skr_wrapping_make(tpm, &state, &w, error);
}

static void test_no_tpm(void)
{
	struct cvm_error error = { 0 };
	struct cvm_tpm *tpm = (void *)&error;

	check_is(cvm_skr_tpm_open("swtpm:path=/nonexistent", &tpm, &error), -ENODEV, "no TPM");
	check(!tpm, "is none");
	check_says(error.text, "no way to a TPM", "and the message says so");
}

static void test_ak(struct cvm_tpm *tpm)
{
	struct cvm_error error;

	lies.of = AK;
	lies.rc = NO_HANDLE;
	check_is(make(tpm, CVM_SKR_AZURE_GUEST, &error), -EOPNOTSUPP, "no attestation key");
	check_says(error.text, "no confidential VM of Azure's", "and the message says so");
	lies.rc = TPM2_RC_FAILURE;
	check(make(tpm, CVM_SKR_AZURE_GUEST, &error) < 0, "a TPM that fails");
	check_says(error.text, "its attestation key", "and the message says at what");
	lies.rc = 0;
	lies.keyed_hash = true;
	check_is(make(tpm, CVM_SKR_AZURE_GUEST, &error), -EBADMSG, "an attestation key of another kind");
	check_says(error.text, "is no RSA key", "and the message says so");
	lies.keyed_hash = false;
}

static void test_signatures(struct cvm_tpm *tpm)
{
	struct cvm_error error;

	for (const char *call = "cq"; *call; call++) {
		lies.pss = *call;
		check_is(make(tpm, CVM_SKR_AZURE_GUEST, &error), -EBADMSG,
			 *call == 'c' ? "a certificate by another scheme" : "a quote by another");
		check_says(error.text, "in another way than by RSASSA", "and the message says so");
	}
	lies.pss = 0;
}

/* It is for a service that looks at the guest's system, and for no other. */
static void test_certificate(struct cvm_tpm *tpm)
{
	struct cvm_error error;

	lies.of = AK_CERT;
	lies.rc = NO_HANDLE;
	lies.asked = 0;
	check(!make(tpm, CVM_SKR_SEV_SNP_VM, &error) && !make(tpm, CVM_SKR_TDX_VM, &error),
	      "without the attestation key's certificate, for who does not want it");
	check_is(lies.asked, 0, "it is not looked for");
	check(make(tpm, CVM_SKR_AZURE_GUEST, &error) < 0 && lies.asked, "who does finds none");
	check_says(error.text, "attestation key's certificate", "and the message says so");
	lies.rc = 0;
}

static void test_random(struct cvm_tpm *tpm)
{
	const void *const fields[] = { state.unique, state.nonce };
	struct cvm_error error;

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++) {
		lies.no_random = fields[i];
		check_is(make(tpm, CVM_SKR_AZURE_GUEST, &error), -EIO,
			 i ? "no random nonce" : "nothing random that is secret");
		check_says(error.text, "no random numbers", "and the message says so");
	}
	lies.no_random = NULL;
}

int main(void)
{
	struct cvm_error error;
	struct cvm_tpm *tpm;

	steps_begin(false);
	tpm = steps_tpm();
	test_no_tpm();
	test_ak(tpm);
	test_signatures(tpm);
	test_certificate(tpm);
	test_random(tpm);
	check_is(make(tpm, CVM_SKR_AZURE_GUEST, &error), 0, "and when all is as it should be");
	cvm_tpm_close(tpm);
	check(steps_end(), "the simulator has seen no broken rule");
	return tap_end();
}
