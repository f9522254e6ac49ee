/* SPDX-License-Identifier: GPL-2.0 */
/*
 * The paravisor of an Azure confidential VM: a TPM, which is swtpm with this in
 * front of it, whose NV index 01400001h holds the HCL report. It behaves as
 * OpenHCL does, which makes a new report when that index is read from its
 * start and more than two seconds have passed since the last one, and says
 * nothing where it does not.
 */
#ifndef CVM_FWD_AZURE_H
#define CVM_FWD_AZURE_H

#include <tss2/tss2_esys.h>

#include "fwd.h"

#define AZURE_REPORT_INDEX	0x01400001
#define AZURE_INPUT_INDEX	0x01400002	/* the guest's: 64 bytes for the next report */
#define AZURE_CERT_INDEX	0x01c101d0	/* of the AK */
#define AZURE_SRK		0x81000001
#define AZURE_AK		0x81000003
#define AZURE_EK		0x81010001

#define AZURE_USER_DATA		64
#define AZURE_REPORT_MAX	2900
#define AZURE_CERT_SIZE		4096
#define AZURE_RSA_LEN		256
#define AZURE_MAX_QUALIFYING	50		/* bytes of a quote's nonce, on Azure */

/* a TPM command or answer */
#define TPM_HEADER		10
#define TPM_MAX			4096

enum azure_input { INPUT_NONE, INPUT_GOOD, INPUT_SHORT, INPUT_LONG, INPUT_UNREADABLE };

/**
 * struct azure_config - the paravisor, and how it goes wrong, by KEY=VALUE
 * @window_ns: no two reports are made within it
 * @nv_size: of the index that holds the report: its place in the option
 * @upper: user-data in upper-case digits, as the closed HCL has it
 * @no_user_data: claims as they were before there was any
 * @hcl_version: of the header
 * @input: what another tool has left as the input index at boot
 * @owner_password: the owner's hierarchy has one
 * @no_certificate: nobody has issued one of the AK
 * @secure_boot: as the claims say, and so are those that follow
 * @sealing: likewise: its place in the option
 */
struct azure_config {
	uint64_t window_ns;
	unsigned int nv_size;
	unsigned int upper;
	bool no_user_data;
	uint32_t hcl_version;
	unsigned int input;
	bool owner_password;
	bool no_certificate;
	bool secure_boot, console, tpm_persisted, interactive;
	unsigned int sealing;
};

/* each counts down by one when it strikes; what they do: azure_options */
struct azure_faults {
	uint32_t claims_hash, other_ak, user_data, renewal, torn;
	uint32_t nv_rc, nv_rc_n, nv_short, nv_length, nv_said, nv_said_n, cert_said, cert_torn;
	uint32_t claims_size, claims_size_n, report_type, report_type_n;
};

extern struct azure_config azure_config;
extern struct azure_faults azure_faults;

size_t azure_nv_size(void);

/* ---- azure_swtpm.c: the TPM itself ---- */

/* 0, or -1 and the reason on stderr */
int azure_swtpm_start(const char *state);
void azure_swtpm_stop(void);

/* its control channel, and a reset by it: power off and on, without TPM2_Startup */
int azure_swtpm_control(void);
int azure_swtpm_reset(void);

/* a whole command; the answer's length, 0: swtpm is gone */
size_t azure_swtpm_ask(const uint8_t *command, size_t len, uint8_t answer[TPM_MAX]);

/* the paravisor's own access to it */
extern ESYS_CONTEXT *azure_esys;

/* ---- azure_provision.c ---- */

/**
 * struct azure_keys - the public halves, as the claims name them: big-endian
 */
struct azure_keys {
	uint8_t ak[AZURE_RSA_LEN], ek[AZURE_RSA_LEN];
};

extern struct azure_keys azure_keys;

/* a new AK and its certificate; what lasts is made where it is missing */
int azure_provision(struct fwd *fwd);

/* another certificate of the same AK, as the paravisor fetches one by and by */
int azure_renew_certificate(struct fwd *fwd);

/* who issues the AK's certificate: 0, for pki_free(), or -1 */
struct pki_cert;
int azure_get_authority(const struct fwd *fwd, struct pki_cert *authority);

/* ---- azure_boot.c: PCRs and the event log of a boot: 0 or -1 */
int azure_measure(struct fwd *fwd);

/* ---- azure_nv.c: indices whose contents are here ---- */

/**
 * struct azure_index - an index that swtpm knows, but for its length and contents
 * @handle: the TPM's
 * @size: as the guest sees it; it may be more than swtpm can take
 * @data: what the guest reads
 */
struct azure_index {
	uint32_t handle;
	size_t size;
	uint8_t data[AZURE_CERT_SIZE];
};

extern struct azure_index azure_report_index, azure_cert_index;

int azure_nv_define(const struct azure_index *index);

/* TPM2_NV_Read, where it is of @index: passed on so far that swtpm says who may */
size_t azure_nv_read(const struct azure_index *index, const uint8_t *command, size_t len,
		     uint8_t answer[TPM_MAX]);
size_t azure_nv_read_public(const struct azure_index *index, const uint8_t *command,
			    size_t len, uint8_t answer[TPM_MAX]);

/* the input index as the paravisor sees it: 0; -1: it cannot be read as it should */
int azure_nv_input(uint8_t user_data[AZURE_USER_DATA]);

/* makes what azure_config says there is at boot */
int azure_nv_leave_input(void);

/* ---- azure_hcl.c ---- */

/* the HCL report for @user_data into the report's index */
int azure_hcl_make(struct fwd *fwd, const uint8_t user_data[AZURE_USER_DATA]);

/* ---- azure_window.c: what the guest says to its TPM ---- */

/* the answer's length, 0: the TPM is gone; *due: not before */
size_t azure_command(struct fwd *fwd, const uint8_t *command, size_t len,
		     uint8_t answer[TPM_MAX], uint64_t *due);

/* TPM2_Startup has been done: a new boot of the VM */
int azure_booted(struct fwd *fwd);

static inline uint32_t get_be(const uint8_t *in, unsigned int bytes)
{
	uint32_t value = 0;

	while (bytes--)
		value = value << 8 | *in++;
	return value;
}

static inline void put_be(uint8_t *out, uint32_t value, unsigned int bytes)
{
	for (; bytes--; value >>= 8)
		out[bytes] = (uint8_t)value;
}

/* an answer that is nothing but a return code */
static inline size_t azure_refuse(uint8_t answer[TPM_MAX], uint32_t rc)
{
	put_be(answer, TPM2_ST_NO_SESSIONS, 2);
	put_be(answer + 2, TPM_HEADER, 4);
	put_be(answer + 6, rc, 4);
	return TPM_HEADER;
}

#endif /* CVM_FWD_AZURE_H */
