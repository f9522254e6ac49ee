// SPDX-License-Identifier: GPL-2.0
/* What the paravisor is, by KEY=VALUE, and its start. */
#include <ftw.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "azure.h"
#include "azure_front.h"

struct azure_config azure_config = {
	.window_ns = 2000000000, .nv_size = 1, .hcl_version = 2, .secure_boot = true,
	.console = true, .tpm_persisted = true,
};

struct azure_faults azure_faults;

static unsigned int reboot_word, renew_word;
static char scratch[] = "/tmp/cvm-fwd-tpm-XXXXXX";
static bool running, made_scratch;

size_t azure_nv_size(void)
{
	static const size_t sizes[] = { 2048, 2600, 2900 };

	return sizes[azure_config.nv_size];
}

static int at_start(const struct fw_option *opt, const char *value, char *err)
{
	if (running)
		return opt_fail(err, "can only be set at start");
	return opt->choices ? opt_choice(opt, value, err) : opt_bool(opt, value, err);
}

/* a VM's own reset: the TPM starts over, and with it the paravisor */
static void reboot_vm(struct fwd *fwd)
{
	if (running && azure_reset(fwd))
		fprintf(stderr, "cvm-fwd: the TPM does not come back after a reset\n");
}

static void renew_certificate(struct fwd *fwd)
{
	if (running && azure_renew_certificate(fwd))
		fprintf(stderr, "cvm-fwd: the AK has no other certificate\n");
}

const struct fw_option azure_options[] = {
	{ "window_ms", "MS: of two reports, the second comes so much later at least", opt_ms,
	  &azure_config.window_ns },
	{ "nv_size", "2048|2600|2900: of the index with the report (at start only)", at_start,
	  &azure_config.nv_size, .choices = "2048|2600|2900" },
	{ "hex_case", "lower|upper: digits of the claims' user-data", opt_choice,
	  &azure_config.upper, .choices = "lower|upper" },
	{ "no_user_data", "0|1: the claims have none", opt_bool, &azure_config.no_user_data },
	{ "hcl_version", "1|2: of the HCL report", opt_u32, &azure_config.hcl_version, 1, 2 },
	{ "nv_input", "none|good|short|long|unreadable: what the index for user-data is at boot"
	  " (at start only)", at_start, &azure_config.input,
	  .choices = "none|good|short|long|unreadable" },
	{ "owner_password", "0|1: the owner's hierarchy has one: secret (at start only)", at_start,
	  &azure_config.owner_password },
	{ "no_certificate", "0|1: from the next boot on the AK has none", opt_bool,
	  &azure_config.no_certificate },
	{ "secure_boot", "0|1: as the claims say, and the firmware measures at the next boot",
	  opt_bool, &azure_config.secure_boot },
	{ "console", "0|1: likewise", opt_bool, &azure_config.console },
	{ "interactive_console", "0|1: likewise", opt_bool, &azure_config.interactive },
	{ "tpm_persisted", "0|1: likewise", opt_bool, &azure_config.tpm_persisted },
	{ "sealing_policy", "none|hash|signer: likewise", opt_choice, &azure_config.sealing,
	  .choices = "none|hash|signer" },
	{ "vm_reset", "now: the VM is reset: a new AK, and PCRs as after power on", opt_choice,
	  &reboot_word, .choices = "now", .changed = reboot_vm },

	{ "cert_renew", "now: the AK gets another certificate", opt_choice, &renew_word,
	  .choices = "now", .changed = renew_certificate },

	{ "renewal_fails_n", "N: the next N reports are not made, and nobody is told", opt_u32,
	  &azure_faults.renewal },
	{ "torn_n", "N: at the next N reads behind offset 0, somebody else has got a new report",
	  opt_u32, &azure_faults.torn },
	{ "claims_hash_n", "N: the next N reports do not have the hash of their claims", opt_u32,
	  &azure_faults.claims_hash },
	{ "other_ak_n", "N: the next N reports' claims name another AK", opt_u32,
	  &azure_faults.other_ak },
	{ "other_user_data_n", "N: the next N reports are for other user-data", opt_u32,
	  &azure_faults.user_data },
	{ "claims_size", "N: what the next claims_size_n reports say their claims' length is",
	  opt_u32, &azure_faults.claims_size },
	{ "claims_size_n", "N", opt_u32, &azure_faults.claims_size_n },
	{ "hcl_type", "N: report type of the next hcl_type_n reports", opt_u32,
	  &azure_faults.report_type },
	{ "hcl_type_n", "N", opt_u32, &azure_faults.report_type_n },
	{ "nv_rc", "0xHEX: what the TPM answers to the next nv_rc_n reads of the report", opt_u32,
	  &azure_faults.nv_rc },
	{ "nv_rc_n", "N", opt_u32, &azure_faults.nv_rc_n },
	{ "nv_short_n", "N: the next N reads get a byte less than they ask for", opt_u32,
	  &azure_faults.nv_short },
	{ "nv_length_n", "N: the next N reads are told that they get 65535 bytes", opt_u32,
	  &azure_faults.nv_length },
	{ "nv_said", "BYTES: what the next nv_said_n TPM2_NV_ReadPublic of the report say its size is",
	  opt_u32, &azure_faults.nv_said },
	{ "nv_said_n", "N", opt_u32, &azure_faults.nv_said_n },
	{ "cert_said_n", "N: likewise the next N of the AK's certificate", opt_u32,
	  &azure_faults.cert_said },
	{ "cert_torn_n", "N: at the next N reads of it behind offset 0 the AK has got another one",
	  opt_u32, &azure_faults.cert_torn },
	{ }
};

static int forget(const char *path, const struct stat *st, int type, struct FTW *ftw)
{
	return remove(path);
}

int azure_init(struct fwd *fwd, const char *state)
{
	if (!state) {
		if (!mkdtemp(scratch)) {
			fprintf(stderr, "cvm-fwd: no directory for the TPM's state\n");
			return -1;
		}
		made_scratch = true;
		state = scratch;
	}
	running = true;
	return azure_swtpm_start(state) || azure_start(fwd) ? -1 : 0;
}

void azure_exit(void)
{
	azure_swtpm_stop();
	if (made_scratch)
		nftw(scratch, forget, 8, FTW_DEPTH | FTW_PHYS);
}
