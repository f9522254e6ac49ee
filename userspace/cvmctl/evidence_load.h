/* SPDX-License-Identifier: MIT */
/* Evidence out of files: what verify, policy init and evidence begin with. */
#ifndef CVMCTL_EVIDENCE_LOAD_H
#define CVMCTL_EVIDENCE_LOAD_H

#include "common/cleanup.h"
#include "cvmctl.h"
#include "verify/evidence_file.h"

#define __cleanup_evidence_file	__cleanup(cvm_evidence_file_free)

/* Each: 0 or an exit status; what went wrong has been said. */

/*
 * Raw, as hexadecimal text, or with what came along in JSON or a CMW. Of what is no evidence the
 * type is 0, and the bytes are in @file->report all the same.
 */
int load_evidence(const char *path, struct cvm_evidence_file *file);

/* What came along in files of its own: an error where @file has it already */
int load_td_quote(const char *path, struct cvm_evidence_file *file);
int load_tpm_quote(const char *path, struct cvm_evidence_file *file);
int load_event_log(const char *path, struct cvm_evidence_file *file);

/* The log that the kernel has of this machine's TPM, where it can be read and is one */
void take_event_log(struct cvm_evidence_file *file);

#endif /* CVMCTL_EVIDENCE_LOAD_H */
