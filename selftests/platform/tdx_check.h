/* SPDX-License-Identifier: GPL-2.0 */
/*
 * A reader and verifier of TDX quotes for tests. It shares no code or header
 * with cvm-fwd, so that real quotes and simulated ones meet the same judge.
 */
#ifndef CVM_TDX_CHECK_H
#define CVM_TDX_CHECK_H

#include <stddef.h>
#include <stdint.h>
#include <time.h>
#include <openssl/x509.h>

enum { CHAIN_LEAF, CHAIN_CA, CHAIN_ROOT, CHAIN_LEN };

/**
 * struct tdx_view - where the parts of a quote are; chain: freed by tdx_close()
 * @version: 4 or 5
 * @body_type: 2 or 3
 * @body: of body_len bytes
 * @signature: over signed_len bytes from the start; the key follows
 * @qe: the QE report, its signature follows
 * @auth: QE authentication data
 * @end: bytes that belong to the quote; what follows is padding
 */
struct tdx_view {
	const uint8_t *bytes;
	unsigned int version, body_type;
	const uint8_t *body, *signature, *qe, *auth;
	size_t body_len, signed_len, auth_len, end;
	const char *pem;
	size_t pem_len;
	X509 *chain[CHAIN_LEN];
};

/* NULL, or what is wrong */
const char *tdx_open(struct tdx_view *view, const uint8_t *bytes, size_t len);
const char *tdx_verify(const struct tdx_view *view, time_t at);
void tdx_close(struct tdx_view *view);

/* replaces the chain by three certificates in PEM */
const char *tdx_set_chain(struct tdx_view *view, const char *pem, size_t len);

/* when the leaf began to be valid */
time_t tdx_issued(const struct tdx_view *view);

/* the SGX extension of the leaf as ASN1_parse_dump() shows it; free() it */
char *tdx_sgx_dump(const struct tdx_view *view);

/* the value behind an OID in such a text, in hex; "" when it is not there */
void tdx_sgx_value(const char *dump, const char *oid, char hex[64]);

#endif /* CVM_TDX_CHECK_H */
