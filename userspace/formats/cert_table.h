/* SPDX-License-Identifier: MIT */
/*
 * The certificate table that the host hands out with an extended report: "SEV-ES
 * Guest-Hypervisor Communication Block Standardization" (AMD publication
 * 56421), SNP Extended Guest Request. Written by the host, signed by nobody.
 */
#ifndef CVM_CERT_TABLE_H
#define CVM_CERT_TABLE_H

#include "format.h"

#define CVM_CERT_ENTRY_SIZE	24
#define CVM_CERT_TABLE_MAX	64	/* entries; real hosts have 1 to 5 */

enum cvm_cert_kind {
	CVM_CERT_OTHER = 0,	/* a GUID that is not in the specification */
	CVM_CERT_VCEK,
	CVM_CERT_VLEK,
	CVM_CERT_ASK,		/* or ASVK, beside a VLEK */
	CVM_CERT_ARK,
	CVM_CERT_CRL,
};

struct cvm_cert_entry {
	uint8_t guid[16];	/* in the order of its text form */
	enum cvm_cert_kind kind;
	uint32_t offset;
	uint32_t length;
	struct cvm_span cert;
};

struct cvm_cert_table {
	size_t count;
	struct cvm_cert_entry entry[CVM_CERT_TABLE_MAX];
};

int cvm_cert_table_parse(const void *data, size_t len,
			 struct cvm_cert_table *table,
			 struct cvm_format_error *err);

enum cvm_cert_kind cvm_cert_kind_of(const uint8_t guid[16]);

/* "VCEK" and so on; "other" */
const char *cvm_cert_kind_name(enum cvm_cert_kind kind);

#endif /* CVM_CERT_TABLE_H */
