// SPDX-License-Identifier: GPL-2.0
/* A key release of a TDX VM: its quote is in the requests, in the place of a report. */
#include <errno.h>
#include <string.h>

#include "steps.h"
#include "tap.h"

static void test_tdx(struct cvm_tpm *tpm)
{
	struct cvm_error error = { 0 };
	struct cvm_skr_secret secret;
	struct release r;
	int rc;

	steps_start(tpm, &r, "RSA_AES_KEY_WRAP_256");
	check(steps_gives(tpm, &r, NULL), "a key has come");
	check_is(steps_released(tpm, &r, "nonce", &secret, &error), -EKEYREJECTED,
		 "of another nonce: refused");
	steps_forget(&r);
	rc = steps_prepare(tpm, &r, "RSA_AES_KEY_WRAP_256", CVM_SKR_TDX_VM, &error);
	check(!rc && steps_attested(tpm, &r, NULL, &error) == 0, "a service that attests the platform");
	steps_forget(&r);
	check_is(steps_prepare(tpm, &r, "RSA_AES_KEY_WRAP_256", CVM_SKR_SEV_SNP_VM, &error), -EINVAL,
		 "not for SEV-SNP: this is TDX");
	steps_forget(&r);
}

int main(void)
{
	struct cvm_tpm *tpm;

	steps_begin(true);
	tpm = steps_tpm();
	test_tdx(tpm);
	cvm_tpm_close(tpm);
	check(steps_end(), "the simulator has seen no broken rule");
	return tap_end();
}
