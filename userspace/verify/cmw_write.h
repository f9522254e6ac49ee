/* SPDX-License-Identifier: MIT */
/* Evidence and what came along with it, as a conceptual message wrapper (CMW). */
#ifndef CVM_VERIFY_CMW_WRITE_H
#define CVM_VERIFY_CMW_WRITE_H

#include "cmw.h"

/*
 * A record where @file is evidence alone, else a collection; the same bytes for the same
 * @file. @media_types: NULL, or for each of cvm_cmw_types another than its own, or NULL:
 * what cvm_cmw_is_media_type() says, and for CBOR also a content format. 0 or -ENOMEM.
 * What is made is the caller's: @cbor has its bytes from malloc().
 */
int cvm_cmw_json(const struct cvm_evidence_file *file, const char *const *media_types,
		 json_t **json, struct cvm_error *error);
int cvm_cmw_cbor(const struct cvm_evidence_file *file, const char *const *media_types,
		 struct cvm_blob *cbor, struct cvm_error *error);

bool cvm_cmw_is_media_type(const char *text);
bool cvm_cmw_is_content_format(const char *text);

#endif /* CVM_VERIFY_CMW_WRITE_H */
