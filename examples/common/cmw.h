/* SPDX-License-Identifier: MIT */
/*
 * Evidence, certificates and proof in one JSON value: a conceptual message wrapper (RFC
 * 9999), a collection of records as cvm-agent and `cvmctl evidence --format cmw` write it
 * and `cvmctl verify` reads it.
 *
 * Of SNP reports and TDX quotes. Azure's evidence has more parts (the vTPM's quote, the
 * quote of a TDREPORT): cvm_evidence_tpm_quote(), cvm_evidence_td_quote().
 */
#ifndef EXAMPLES_CMW_H
#define EXAMPLES_CMW_H

#include <cvmguest.h>
#include <jansson.h>

/* longer than any that there is: a quote, certificates and a proof, in base64 */
#define CMW_MAX		(256U << 10)

/**
 * struct cmw_part - bytes
 * @data: for free(), or NULL
 * @len: how many
 */
struct cmw_part {
	unsigned char *data;
	size_t len;
};

/**
 * struct cmw - what is in one, for cmw_free()
 * @evidence: report or quote
 * @certs: certificates that came along; they need not be trusted; or none
 * @proof: batch evidence: the proof; or none
 */
struct cmw {
	struct cmw_part evidence, certs, proof;
};

/* A new reference; NULL: no memory, or evidence of another kind */
json_t *cmw_write(const struct cvm_evidence *evidence);

/* 0, or -1 where @json is none, or has no evidence in it */
int cmw_read(const json_t *json, struct cmw *cmw);
void cmw_free(struct cmw *cmw);

#endif /* EXAMPLES_CMW_H */
