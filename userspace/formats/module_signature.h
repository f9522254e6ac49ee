/* SPDX-License-Identifier: MIT */
/*
 * The signature behind a kernel module: linux/module_signature.h. What is signed
 * is everything before it.
 */
#ifndef CVM_MODULE_SIGNATURE_H
#define CVM_MODULE_SIGNATURE_H

#include "format.h"

struct cvm_module_signature {
	struct cvm_span content;	/* what is signed */
	struct cvm_span pkcs7;		/* DER, not checked; empty: the module is not signed */
};

/* -EPROTONOSUPPORT: signed in a way that no kernel since 4.3 takes */
int cvm_module_signature_parse(const void *data, size_t len,
			       struct cvm_module_signature *signature,
			       struct cvm_format_error *err);

#endif /* CVM_MODULE_SIGNATURE_H */
