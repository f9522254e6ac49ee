// SPDX-License-Identifier: GPL-2.0
/* The HCL report: a header, the hardware's report, and claims whose hash that has. */
#include <string.h>
#include <jansson.h>
#include <openssl/evp.h>

#include "azure.h"
#include "cleanup.h"
#include "snp.h"
#include "tdx_state.h"

#define HW_AT		0x20
#define HW_ROOM		0x4a0
#define DATA_AT		(HW_AT + HW_ROOM)
#define DATA_HEADER	20
#define CLAIMS_AT	(DATA_AT + DATA_HEADER)

enum { TYPE_SNP = 2, TYPE_TDX = 4 };
enum { HASH_SHA256 = 1, REQUEST_AK_CERT = 2 };

_Static_assert(SNP_REPORT_LEN <= HW_ROOM, "the hardware report's room");

/* ---- claims ---- */

static json_t *base64url(const uint8_t bytes[AZURE_RSA_LEN])
{
	char text[AZURE_RSA_LEN * 2];
	int len = EVP_EncodeBlock((unsigned char *)text, bytes, AZURE_RSA_LEN), i;

	for (i = 0; i < len; i++)
		text[i] = (char)(text[i] == '+' ? '-' : text[i] == '/' ? '_' : text[i]);
	while (len && text[len - 1] == '=')
		len--;
	return json_stringn(text, (size_t)len);
}

static json_t *key(const char *kid, const char *use, const uint8_t modulus[AZURE_RSA_LEN])
{
	return json_pack("{s:s, s:[s], s:s, s:s, s:o}", "kid", kid, "key_ops", use, "kty", "RSA",
			 "e", "AQAB", "n", base64url(modulus));
}

static void hex(char *out, const uint8_t *bytes, size_t len)
{
	while (len--)
		out += sprintf(out, azure_config.upper ? "%02X" : "%02x", *bytes++);
}

static json_t *unique_id(const struct fwd *fwd)
{
	uint8_t id[16];
	char text[40];

	fwd_derive(fwd->chip_secret, "vm unique id", id, sizeof(id));
	hex(text, id, 4);
	text[8] = '-';
	hex(text + 9, id + 4, 2);
	text[13] = '-';
	hex(text + 14, id + 6, 2);
	text[18] = '-';
	hex(text + 19, id + 8, 2);
	text[23] = '-';
	hex(text + 24, id + 10, 6);
	return json_string(text);
}

/* of 2023, whose index is shorter: it names no key but the AK, and says less */
static bool is_old(void)
{
	return azure_report_index.size < 2600;
}

static json_t *configuration(const struct fwd *fwd)
{
	static const char *const sealing[] = { "none", "hash", "signer" };

	if (is_old())
		return json_pack("{s:s, s:b, s:b, s:b, s:o}", "root-cert-thumbprint", "",
				 "console-enabled", azure_config.console,
				 "secure-boot", azure_config.secure_boot, "tpm-enabled", 1,
				 "vmUniqueId", unique_id(fwd));
	return json_pack("{s:s, s:b, s:b, s:b, s:b, s:b, s:b, s:s, s:o}",
			 "root-cert-thumbprint", "", "console-enabled", azure_config.console,
			 "interactive-console-enabled", azure_config.interactive,
			 "secure-boot", azure_config.secure_boot, "tpm-enabled", 1,
			 "tpm-persisted", azure_config.tpm_persisted,
			 "filtered-vpci-devices-allowed", 0,
			 "hardware-sealing-policy", sealing[azure_config.sealing],
			 "vmUniqueId", unique_id(fwd));
}

static json_t *keys(const uint8_t ak[AZURE_RSA_LEN])
{
	if (is_old())
		return json_pack("[o]", key("HCLAkPub", "encrypt", ak));
	return json_pack("[o, o]", key("HCLAkPub", "sign", ak),
			 key("HCLEkPub", "encrypt", azure_keys.ek));
}

static char *claims(const struct fwd *fwd, const uint8_t user_data[AZURE_USER_DATA])
{
	uint8_t ak[AZURE_RSA_LEN], said[AZURE_USER_DATA];
	char text[2 * AZURE_USER_DATA + 1];
	json_t *all;
	char *out;

	memcpy(ak, azure_keys.ak, sizeof(ak));
	ak[100] ^= fault(&azure_faults.other_ak);
	memcpy(said, user_data, sizeof(said));
	said[63] ^= fault(&azure_faults.user_data);
	hex(text, said, sizeof(said));
	all = json_pack("{s:o, s:o}", "keys", keys(ak), "vm-configuration", configuration(fwd));
	if (all && !azure_config.no_user_data)
		json_object_set_new(all, "user-data", json_string(text));
	out = all ? json_dumps(all, JSON_COMPACT) : NULL;
	json_decref(all);
	return out;
}

/* ---- the report ---- */

static int put_hardware(const struct fwd *fwd, const uint8_t report_data[64], uint8_t *out)
{
	struct snp_report_req req = { 0 };
	struct snp_report_rsp rsp;

	if (fwd->platform == FW_PLATFORM_TDX)
		return tdx_report_make(report_data, (struct tdreport *)out);
	/* the paravisor's own: VMPL 0, whoever asks */
	memcpy(req.report_data, report_data, sizeof(req.report_data));
	snp_report(&req, 0, &rsp);
	if (rsp.status)
		return -1;
	memcpy(out, rsp.report, SNP_REPORT_LEN);
	return 0;
}

static void put_header(const struct fwd *fwd, uint8_t *out, size_t len)
{
	uint32_t type = fwd->platform == FW_PLATFORM_TDX ? TYPE_TDX : TYPE_SNP;
	uint32_t claimed = (uint32_t)len;

	if (fault(&azure_faults.report_type_n))
		type = azure_faults.report_type;
	if (fault(&azure_faults.claims_size_n))
		claimed = azure_faults.claims_size;
	memcpy(out, "HCLA", 4);
	put_le(out + 4, azure_config.hcl_version, 4);
	put_le(out + 8, CLAIMS_AT + claimed, 4);
	put_le(out + 12, REQUEST_AK_CERT, 4);
	put_le(out + DATA_AT, DATA_HEADER + (uint64_t)claimed, 4);
	put_le(out + DATA_AT + 4, 1, 4);
	put_le(out + DATA_AT + 8, type, 4);
	put_le(out + DATA_AT + 12, HASH_SHA256, 4);
	put_le(out + DATA_AT + 16, claimed, 4);
}

int azure_hcl_make(struct fwd *fwd, const uint8_t user_data[AZURE_USER_DATA])
{
	char *text __clean(mem) = claims(fwd, user_data);
	uint8_t *out = azure_report_index.data, report_data[64] = { 0 };
	size_t len = text ? strlen(text) : 0;

	if (!text || CLAIMS_AT + len > azure_report_index.size) {
		fprintf(stderr, "cvm-fwd: claims of %zu bytes are too long for the index\n", len);
		return -1;
	}
	EVP_Digest(text, len, report_data, NULL, EVP_sha256(), NULL);
	report_data[0] ^= fault(&azure_faults.claims_hash);
	memset(out, 0, azure_report_index.size);
	put_header(fwd, out, len);
	memcpy(out + CLAIMS_AT, text, len);
	return put_hardware(fwd, report_data, out + HW_AT);
}
