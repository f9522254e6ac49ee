/* SPDX-License-Identifier: MIT */
/* Evidence and what came along with it, as one JSON text. */
#ifndef CVMCTL_EVIDENCE_JSON_H
#define CVMCTL_EVIDENCE_JSON_H

#include "evidence_load.h"

/* --format: COCO_* are the evidence of confidential-containers' agents in Azure's guests */
enum evidence_format { EVIDENCE_JSON, EVIDENCE_COCO_V1, EVIDENCE_COCO_V2 };

/*
 * The certificates are those of @file; the formats of confidential-containers have the
 * VCEK alone. 0 or an exit status, what is missing has been said; @json: the caller's.
 */
int evidence_json(const struct cvm_evidence_file *file, enum evidence_format format,
		  json_t **json);

/* An object as verify --tpm-quote takes it; NULL: no memory */
json_t *tpm_quote_json(const struct cvm_tpm_quote *quote);

#endif /* CVMCTL_EVIDENCE_JSON_H */
