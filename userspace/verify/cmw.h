/* SPDX-License-Identifier: MIT */
/*
 * Conceptual message wrappers (CMW, RFC 9999) in JSON and CBOR: evidence alone is a
 * record, with what came along it is a collection of records. Of a collection of
 * somebody else's the members that are not known are passed over, for they may be of
 * other attesters; a collection in a collection is refused.
 */
#ifndef CVM_VERIFY_CMW_H
#define CVM_VERIFY_CMW_H

#include "../formats/format.h"
#include "evidence_file.h"
#include "json_in.h"

#define CVM_CMW_MEMBERS		16	/* of a collection at most */
#define CVM_CMW_COLLECTION_TYPE	"__cmwc_t"
#define CVM_CMW_LABEL_EVIDENCE	"evidence"

/* bits of a record's third element */
enum cvm_cmw_ind {
	CVM_CMW_ENDORSEMENTS = 1 << 1,
	CVM_CMW_EVIDENCE = 1 << 2,
};

/**
 * struct cvm_cmw_type - what a record can be
 * @name: as users name it
 * @label: in a collection
 * @media_type: unless another one is asked for
 * @ind: enum cvm_cmw_ind
 */
struct cvm_cmw_type {
	const char *name;
	const char *label;
	const char *media_type;
	uint8_t ind;
};

#define CVM_CMW_TYPES	11

/* behind the last one a name that is NULL */
extern const struct cvm_cmw_type cvm_cmw_types[CVM_CMW_TYPES + 1];

/* A record, or an object that can be nothing but a collection */
bool cvm_cmw_is_json(const json_t *value);

/* Each: 0; -EBADMSG: says where; -ENOMEM. @file: all zero; for cvm_evidence_file_free() */
int cvm_cmw_read_json(const struct cvm_json *in, struct cvm_evidence_file *file);
int cvm_cmw_read_cbor(struct cvm_span in, struct cvm_evidence_file *file,
		      struct cvm_error *error);

bool cvm_cmw_span_is(struct cvm_span span, const char *text);

/*
 * What a member is, as one of the table's labels; NULL: not known. Nothing depends on it
 * that is not verified: who labels a member wrongly has his evidence refused.
 */
const char *cvm_cmw_part_of(struct cvm_span label, struct cvm_span media_type);

/* @value: taken over, or freed. @ind: what the record says that it is, or 0 */
int cvm_cmw_take(struct cvm_evidence_file *file, const char *part, uint64_t ind,
		 struct cvm_blob value, struct cvm_error *error);

/* There was evidence among it */
int cvm_cmw_finish(const struct cvm_evidence_file *file, struct cvm_error *error);

#endif /* CVM_VERIFY_CMW_H */
