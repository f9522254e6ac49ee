/* SPDX-License-Identifier: MIT */
/* Evidence and what came along with it, as one JSON text. */
#ifndef CVM_VERIFY_EVIDENCE_JSON_H
#define CVM_VERIFY_EVIDENCE_JSON_H

#include <jansson.h>

#include "evidence_file.h"

/* COCO_* are the evidence of confidential-containers' agents in Azure's guests */
enum cvm_evidence_format {
	CVM_EVIDENCE_JSON,
	CVM_EVIDENCE_COCO_V1,
	CVM_EVIDENCE_COCO_V2,
};

/*
 * A copy of what a source gave, into an empty @file. 0 or -ENOMEM; @file is for
 * cvm_evidence_file_free() either way.
 */
int cvm_evidence_file_take(struct cvm_evidence_file *file, const struct cvm_evidence *evidence,
			   struct cvm_error *error);

/*
 * The certificates are those of @file; the formats of confidential-containers have the
 * VCEK alone. 0; -EOPNOTSUPP: not of such evidence; -ENODATA: something is missing;
 * -EBADMSG, -EINVAL: or is no such thing; -ENOMEM. @json: the caller's.
 */
int cvm_evidence_json(const struct cvm_evidence_file *file, enum cvm_evidence_format format,
		      json_t **json, struct cvm_error *error);

/* An object as verify --tpm-quote takes it; NULL: no memory */
json_t *cvm_tpm_quote_json(const struct cvm_tpm_quote *quote);

#endif /* CVM_VERIFY_EVIDENCE_JSON_H */
