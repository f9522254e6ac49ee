/* SPDX-License-Identifier: MIT */
/*
 * The proof of batch evidence: "Batch v1", section 1. Its form only: whether it
 * holds, and for what, is cvm_batch_expected()'s matter.
 */
#ifndef CVM_PROOF_H
#define CVM_PROOF_H

#include "format.h"

#define CVM_PROOF_MAGIC		"CVMGBAT1"
#define CVM_PROOF_HEAD		68	/* all that is before the path */
#define CVM_PROOF_NODE		48	/* a hash of the path */
#define CVM_PROOF_LEAVES	65536	/* tree_size at most */

#define CVM_PROOF_DUMMIES	1	/* flags: there are leaves of nobody's */

enum cvm_proof_scope {
	CVM_PROOF_UNPRIVILEGED = 0,
	CVM_PROOF_PRIVILEGED = 1,
	CVM_PROOF_LABEL = 2,
};

/**
 * struct cvm_proof - a proof taken apart
 * @scope: kind, enum cvm_proof_scope, and 13 bytes of value: of a label's hash,
 *	else zero
 * @path: path_len hashes
 */
struct cvm_proof {
	uint8_t alg;
	uint8_t flags;
	uint32_t tree_size;
	uint32_t leaf_index;
	uint8_t path_len;
	uint8_t scope[14];
	uint8_t salt[32];
	struct cvm_span path;
};

int cvm_proof_parse(const void *data, size_t len, struct cvm_proof *proof,
		    struct cvm_format_error *err);

/* "unprivileged", "privileged", "label"; "unknown" */
const char *cvm_proof_scope_name(uint8_t kind);

#endif /* CVM_PROOF_H */
