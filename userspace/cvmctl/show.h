/* SPDX-License-Identifier: MIT */
/*
 * Evidence for people and for programs: every format becomes one JSON object,
 * and the readable form is that object printed, so that neither can say more
 * than the other. Names are those of the specifications, in lower case.
 */
#ifndef CVMCTL_SHOW_H
#define CVMCTL_SHOW_H

#include <openssl/x509.h>

#include "common/json_hex.h"
#include "cvmctl.h"
#include "formats/cert_table.h"
#include "formats/detect.h"
#include "formats/hcl.h"
#include "formats/proof.h"
#include "formats/quote.h"
#include "formats/snp_report.h"
#include "formats/tdreport.h"

/*
 * Evidence from a file, raw or as hexadecimal text. 0 or an exit status; what
 * went wrong has been said.
 */
int read_evidence(const char *path, void **data, size_t *len);

/* JSON values; each returns NULL where memory has run out */
json_t *json_hex64(uint64_t value);	/* "0x", 16 digits */

/* One object for each format */
json_t *show_snp_report(const struct cvm_snp_report *report);
json_t *show_tdreport(const struct cvm_tdreport *report);
json_t *show_quote(const struct cvm_quote *quote);
json_t *show_cert_table(const struct cvm_cert_table *table);
json_t *show_hcl_report(const struct cvm_hcl_report *report);
json_t *show_proof(const struct cvm_proof *proof);

/* 0, or -EBADMSG: @err says where it is none */
int show_event_log(struct cvm_span in, json_t **json, struct cvm_format_error *err);

/* Certificates and revocation lists, PEM or one in DER; NULL: it is neither */
json_t *show_x509(struct cvm_span data);

/* Every certificate in @data, PEM or one in DER; an empty list if it is none */
json_t *show_certs(struct cvm_span data);

/* Likewise of certificate revocation lists */
json_t *show_crls(struct cvm_span data);

/* "key: value" lines, nested by indentation; to be freed; NULL: no memory */
char *json_to_text(const json_t *object);

#endif /* CVMCTL_SHOW_H */
