/* SPDX-License-Identifier: MIT */
/* What kind of file this is, by what is in it, never by its name. */
#ifndef CVM_DETECT_H
#define CVM_DETECT_H

#include "format.h"

enum cvm_format {
	CVM_FORMAT_UNKNOWN = 0,
	CVM_FORMAT_SNP_REPORT,
	CVM_FORMAT_TDREPORT,
	CVM_FORMAT_TDX_QUOTE,
	CVM_FORMAT_CERT_TABLE,
	CVM_FORMAT_HCL_REPORT,
	CVM_FORMAT_PROOF,
	CVM_FORMAT_PEM,		/* certificates or revocation lists */
	CVM_FORMAT_DER,		/* one of either */
	CVM_FORMAT_JSON,	/* an object or an array */
	CVM_FORMAT_CMW,		/* a conceptual message wrapper in CBOR */
	CVM_FORMAT_EVENT_LOG,	/* of what was measured into a TPM */
};

/*
 * By the first bytes and not by the length, so that a file that was cut short
 * is still told by its name.
 */
enum cvm_format cvm_format_detect(const void *data, size_t len);

/* "SNP attestation report" and so on */
const char *cvm_format_name(enum cvm_format format);

/* Hexadecimal text (blanks allowed) that begins like none of the formats */
bool cvm_format_is_hex(const void *data, size_t len);

/*
 * Hexadecimal text to bytes, at most @len / 2, at @out, which may be @data
 * itself. Returns their number, or -EBADMSG for half a byte at the end.
 */
long cvm_format_from_hex(const void *data, size_t len, uint8_t *out);

#endif /* CVM_DETECT_H */
