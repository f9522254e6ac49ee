// SPDX-License-Identifier: MIT
#include "cert_table.h"
#include "detect.h"
#include "event_log.h"
#include "hcl.h"
#include "proof.h"
#include "quote.h"
#include "tdreport.h"

/* Far above any version in sight, far below anything that is not a version */
#define VERSION_SANE	0x80

static bool is_tdreport(const uint8_t *p)
{
	return p[0] == CVM_TDREPORT_TYPE_TDX && p[1] == 0;
}

static bool is_snp_report(const uint8_t *p)
{
	uint32_t version = cvm_le32(p);

	return version > 0 && version <= VERSION_SANE;
}

/* TEE type 0 is SGX: told apart here, refused by the parser */
static bool is_quote(const uint8_t *p, size_t len)
{
	uint16_t version = cvm_le16(p), key_type = cvm_le16(p + 2);
	uint32_t tee_type;

	if (version == 0 || version > VERSION_SANE || key_type == 0 ||
	    key_type > VERSION_SANE)
		return false;
	if (len < 8)
		return true;
	tee_type = cvm_le32(p + 4);
	return tee_type == 0 || tee_type == CVM_QUOTE_TEE_TDX;
}

/* Of each entry of one: its certificate lies within */
static bool is_entry(const uint8_t *p, size_t len)
{
	uint32_t offset = cvm_le32(p + 16), length = cvm_le32(p + 20);

	return offset <= len && length <= len - offset;
}

/*
 * The first entry is of a known kind, or is the end of an empty table; or there is
 * one of a known kind behind entries that may be anybody's, as hosts have them.
 */
static bool is_cert_table(const uint8_t *p, size_t len)
{
	if (len < CVM_CERT_ENTRY_SIZE)
		return false;
	if (cvm_is_zero(p, CVM_CERT_ENTRY_SIZE))
		return true;
	for (size_t at = 0; at < CVM_CERT_TABLE_MAX * CVM_CERT_ENTRY_SIZE &&
			    len - at >= CVM_CERT_ENTRY_SIZE; at += CVM_CERT_ENTRY_SIZE) {
		if (cvm_cert_kind_of(p + at) != CVM_CERT_OTHER)
			return true;
		if (cvm_is_zero(p + at, CVM_CERT_ENTRY_SIZE) || !is_entry(p + at, len))
			return false;
	}
	return false;
}

static bool is_blank(uint8_t c)
{
	return c == ' ' || c == '\t' || c == '\r' || c == '\n';
}

/* Formats that say by a word of text what they are */
static enum cvm_format by_tag(const uint8_t *p, size_t len)
{
	static const struct {
		enum cvm_format format;
		const char *tag;
	} tags[] = {
		{ CVM_FORMAT_HCL_REPORT, CVM_HCL_SIGNATURE },
		{ CVM_FORMAT_PROOF, CVM_PROOF_MAGIC },
		{ CVM_FORMAT_PEM, "-----BEGIN " },
	};

	for (size_t i = 0; i < ARRAY_SIZE(tags); i++) {
		size_t size = strlen(tags[i].tag);

		if (!memcmp(p, tags[i].tag, size < len ? size : len))
			return tags[i].format;
	}
	return CVM_FORMAT_UNKNOWN;
}

/* An ASN.1 SEQUENCE with a length of two bytes, as a certificate has it */
static bool is_der(const uint8_t *p)
{
	return p[0] == 0x30 && p[1] == 0x82;
}

static bool is_json(const uint8_t *p, size_t len)
{
	size_t at = 0;

	while (at < len && is_blank(p[at]))
		at++;
	return at < len && (p[at] == '{' || p[at] == '[');
}

/*
 * CBOR: an array of two or three that begins with a text or a number, a tag that is made
 * of a content format, or a map of at most 23 whose first label is either. A certificate
 * table may begin so by its GUID, and is looked for before.
 */
static bool is_cmw(const uint8_t *p)
{
	uint8_t inner = p[1] >> 5;

	if (p[0] == 0x82 || p[0] == 0x83)
		return inner == 3 || inner == 0;
	if (p[0] >= 0xa1 && p[0] <= 0xb7)
		return inner == 3 || inner <= 1;
	return p[0] == 0xda && p[1] == 0x63 && p[2] == 0x74;
}

enum cvm_format cvm_format_detect(const void *data, size_t len)
{
	const uint8_t *p = data;

	/* by its GUID, which is the host's, a certificate table may begin as a text does */
	if (len >= 1 && is_json(p, len))
		return is_cert_table(p, len) ? CVM_FORMAT_CERT_TABLE : CVM_FORMAT_JSON;
	if (len < 4)
		return CVM_FORMAT_UNKNOWN;
	if (by_tag(p, len) != CVM_FORMAT_UNKNOWN)
		return by_tag(p, len);
	if (is_der(p))
		return CVM_FORMAT_DER;
	if (is_tdreport(p))
		return CVM_FORMAT_TDREPORT;
	if (is_snp_report(p))
		return CVM_FORMAT_SNP_REPORT;
	if (cvm_is_event_log(p, len))
		return CVM_FORMAT_EVENT_LOG;
	if (is_cert_table(p, len))
		return CVM_FORMAT_CERT_TABLE;
	if (is_cmw(p))
		return CVM_FORMAT_CMW;
	if (is_quote(p, len))
		return CVM_FORMAT_TDX_QUOTE;
	return CVM_FORMAT_UNKNOWN;
}

const char *cvm_format_name(enum cvm_format format)
{
	switch (format) {
	case CVM_FORMAT_SNP_REPORT:
		return "SNP attestation report";
	case CVM_FORMAT_TDREPORT:
		return "TDREPORT";
	case CVM_FORMAT_TDX_QUOTE:
		return "quote";
	case CVM_FORMAT_CERT_TABLE:
		return "certificate table";
	case CVM_FORMAT_HCL_REPORT:
		return "HCL report";
	case CVM_FORMAT_PROOF:
		return "batch proof";
	case CVM_FORMAT_PEM:
		return "PEM text";
	case CVM_FORMAT_DER:
		return "certificate or revocation list";
	case CVM_FORMAT_JSON:
		return "JSON text";
	case CVM_FORMAT_CMW:
		return "CMW in CBOR";
	case CVM_FORMAT_EVENT_LOG:
		return "event log";
	default:
		return "unknown format";
	}
}

static int hex_digit(uint8_t c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	c |= 0x20;
	return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

bool cvm_format_is_hex(const void *data, size_t len)
{
	const uint8_t *p = data;
	size_t digits = 0;

	for (size_t i = 0; i < len; i++) {
		if (is_blank(p[i]))
			continue;
		if (hex_digit(p[i]) < 0)
			return false;
		digits++;
	}
	return digits > 0;
}

long cvm_format_from_hex(const void *data, size_t len, uint8_t *out)
{
	const uint8_t *p = data;
	size_t digits = 0;
	uint8_t high = 0;

	for (size_t i = 0; i < len; i++) {
		int digit = hex_digit(p[i]);

		if (digit < 0)
			continue;
		if (digits % 2)
			out[digits / 2] = (uint8_t)(high << 4 | digit);
		else
			high = (uint8_t)digit;
		digits++;
	}
	return digits % 2 ? -EBADMSG : (long)(digits / 2);
}
