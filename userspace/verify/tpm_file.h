/* SPDX-License-Identifier: MIT */
/*
 * A quote of a vTPM as a file has it: an object with "message" (TPMS_ATTEST) and
 * "signature" in hexadecimal, and "pcrs", a list of digests. The member "tpm_quote"
 * of evidence that agents of Azure guests send is one; members that are not known
 * are passed over. Which boot it has to be of is not for the file to say.
 */
#ifndef CVM_VERIFY_TPM_FILE_H
#define CVM_VERIFY_TPM_FILE_H

#include <cvmguest.h>

/* More than any TPM gives */
#define CVM_TPM_MESSAGE_MAX	4096
#define CVM_TPM_SIGNATURE_MAX	1024
#define CVM_TPM_PCRS		24

/**
 * struct cvm_tpm_file - a quote, and what it points to
 * @quote: for cvm_verify(); without a resetCount to expect
 */
struct cvm_tpm_file {
	struct cvm_tpm_quote quote;
	uint8_t message[CVM_TPM_MESSAGE_MAX];
	uint8_t signature[CVM_TPM_SIGNATURE_MAX];
	uint8_t pcrs[CVM_TPM_PCRS * 32];
};

/* 0, or -EBADMSG: says where it is no such file. @file: stays where it is */
int cvm_tpm_file_parse(struct cvm_tpm_file *file, const void *data, size_t len,
		       struct cvm_error *error);

/* As cvm_tpm_file_parse(), of an object that is part of another. */
struct cvm_json;
int cvm_tpm_file_read(struct cvm_tpm_file *file, const struct cvm_json *in);

#endif /* CVM_VERIFY_TPM_FILE_H */
