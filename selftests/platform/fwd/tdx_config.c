// SPDX-License-Identifier: GPL-2.0
/* What the simulated TD, TDX module and platform are. */
#include <inttypes.h>
#include <string.h>
#include <openssl/evp.h>

#include "tdx_state.h"

struct tdx_config tdx_config = {
	.td_version = TD_15,
	.quote_version = QUOTE_V4,
	.max_quotes = FW_MAX_QUOTES,
	.cpusvn = { 2, 4, 2, 3, 5, 1, 0, 2 },
	.tee_tcb_svn = { 3, 1, 4 },
	.tee_tcb_svn2 = { 5, 1, 4 },
	.td_attributes = 0x10000000,	/* SEPT_VE_DISABLE, which Linux insists on */
	.xfam = 0x600e7,		/* x87, SSE, AVX, AVX-512, PKRU, AMX */
	.fmspc = { 0x5c, 0xf0, 0xd0 },
	.pck_svn = { 2, 4, 2, 3, 5, 1, 0, 2 },
	.pcesvn = 11,
	.qe_svn = 5,
};

struct tdx_faults tdx_faults;

static bool running;

/* measurements that nobody has set: each its own, the same in every run */
static void measure(uint8_t out[TDX_HASH_LEN], const char *of)
{
	static const uint8_t zero[TDX_HASH_LEN];

	if (!memcmp(out, zero, TDX_HASH_LEN))
		EVP_Digest(of, strlen(of), out, NULL, EVP_sha384(), NULL);
}

int tdx_init(struct fwd *fwd)
{
	measure(tdx_config.mrseam, "simulated TDX module");
	measure(tdx_config.mrtd, "simulated virtual firmware");
	measure(tdx_config.rtmr[0], "simulated firmware configuration");
	measure(tdx_config.rtmr[1], "simulated kernel");
	measure(tdx_config.servtd_hash, "simulated service TD");
	tdx_report_init(fwd);
	running = true;
	return tdx_quote_init(fwd);
}

unsigned int tdx_max_quotes(void)
{
	return tdx_config.max_quotes;
}

/* of what the certificate or the quoting enclave's report says */
static void platform_changed(struct fwd *fwd)
{
	if (running)
		tdx_quote_init(fwd);
}

/* the VM's kernel is told once, when it starts */
static int set_max_quotes(const struct fw_option *opt, const char *value, char *err)
{
	if (running)
		return opt_fail(err, "can only be set at start");
	return opt_u32(opt, value, err);
}

/* a fault with a value strikes once, unless its own _n says more */
static void arm_status(struct fwd *fwd)
{
	tdx_faults.quote_status_n = !!tdx_faults.quote_status;
}

static void arm_out_len(struct fwd *fwd)
{
	tdx_faults.quote_out_len_n = 1;
}

#define BYTES(field) opt_hex, tdx_config.field, .max = sizeof(tdx_config.field)

const struct fw_option tdx_options[] = {
	{ "td_version", "10|15: TDX module 1.0 or 1.5; quotes v5 carry a body of that type",
	  opt_choice, &tdx_config.td_version, .choices = "10|15" },
	{ "tdreport_version", "0|1: 1 has the hash of the service TDs (with td_version=15)",
	  opt_choice, &tdx_config.tdreport_version, .choices = "0|1" },
	{ "quote_version", "4|5", opt_choice, &tdx_config.quote_version, .choices = "4|5" },
	{ "max_quotes", "1..16: quotes in flight before RETRY (at start only)",
	  set_max_quotes, &tdx_config.max_quotes, 1, FW_MAX_QUOTES },
	{ "cpusvn", "HEX: 16 bytes, of the TDREPORT", BYTES(cpusvn) },
	{ "tee_tcb_svn", "HEX: 16 bytes", BYTES(tee_tcb_svn), .changed = platform_changed },
	{ "tee_tcb_svn2", "HEX: 16 bytes (td_version=15)", BYTES(tee_tcb_svn2) },
	{ "mrseam", "HEX: 48 bytes", BYTES(mrseam) },
	{ "mrsignerseam", "HEX: 48 bytes", BYTES(mrsignerseam) },
	{ "seam_attributes", "HEX: a 64-bit number", opt_hex64, &tdx_config.seam_attributes },
	{ "td_attributes", "HEX: a 64-bit number; bit 0: debug", opt_hex64,
	  &tdx_config.td_attributes },
	{ "xfam", "HEX: a 64-bit number", opt_hex64, &tdx_config.xfam },
	{ "mrtd", "HEX: 48 bytes", BYTES(mrtd) },
	{ "mrconfigid", "HEX: 48 bytes", BYTES(mrconfigid) },
	{ "mrowner", "HEX: 48 bytes", BYTES(mrowner) },
	{ "mrownerconfig", "HEX: 48 bytes", BYTES(mrownerconfig) },
	{ "rtmr0", "HEX: 48 bytes, the register's present value", BYTES(rtmr[0]) },
	{ "rtmr1", "HEX: likewise", BYTES(rtmr[1]) },
	{ "rtmr2", "HEX: likewise", BYTES(rtmr[2]) },
	{ "rtmr3", "HEX: likewise", BYTES(rtmr[3]) },
	{ "servtd_hash", "HEX: 48 bytes (tdreport_version=1)", BYTES(servtd_hash) },
	{ "fmspc", "HEX: 6 bytes, of the PCK certificate", BYTES(fmspc),
	  .changed = platform_changed },
	{ "pceid", "HEX: 2 bytes, of the PCK certificate", BYTES(pceid),
	  .changed = platform_changed },
	{ "pck_svn", "HEX: 16 bytes, the TCB of the PCK certificate", BYTES(pck_svn),
	  .changed = platform_changed },
	{ "pcesvn", "N: of the PCK certificate", opt_u32, &tdx_config.pcesvn, 0, UINT16_MAX,
	  .changed = platform_changed },
	{ "qe_svn", "N: ISV SVN of the quoting enclave", opt_u32, &tdx_config.qe_svn, 0,
	  UINT16_MAX, .changed = platform_changed },
	{ "tcb_status", "UpToDate|ConfigurationNeeded|OutOfDate|Revoked: of this platform, in"
	  " tdx-collateral.json", opt_choice, &tdx_config.tcb_status,
	  .choices = "UpToDate|ConfigurationNeeded|OutOfDate|Revoked",
	  .changed = platform_changed },

	{ "tdreport_busy_n", "N: the next N TDCALLs find their operand busy", opt_u32,
	  &tdx_faults.report_busy_n },
	{ "quote_status", "HEX: the status that the next quote fails with", opt_hex64,
	  &tdx_faults.quote_status, .changed = arm_status },
	{ "quote_status_n", "N: the next N quotes do", opt_u32, &tdx_faults.quote_status_n },
	{ "quote_out_len", "N: the next quote says that it has N bytes", opt_u32,
	  &tdx_faults.quote_out_len, .changed = arm_out_len },
	{ "quote_out_len_n", "N: the next N quotes do", opt_u32, &tdx_faults.quote_out_len_n },
	{ "early_success", "0|1: success is said 200 ms before the quote is there", opt_bool,
	  &tdx_faults.early_success },
	{ "stuck_n", "N: the next N quotes are never answered", opt_u32, &tdx_faults.stuck_n },
	{ "quote_bad_data_n", "N: the next N quotes are for other REPORTDATA", opt_u32,
	  &tdx_faults.quote_bad_data_n },
	{ }
};
