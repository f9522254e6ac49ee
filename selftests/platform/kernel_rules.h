/* SPDX-License-Identifier: GPL-2.0 */
/*
 * What cvm_sim_misuse.ko may do and may not, and what comes of it: for
 * test_kernel_half.c alone.
 */
#ifndef KERNEL_RULES_H
#define KERNEL_RULES_H

#include <errno.h>

#include "sim_daemon.h"

#define MS		1000000ULL

struct rule {
	const char *name;
	long result, violations;
	struct sim_script script;
	const char *fail;	/* "fail_decrypt_n": the next such call fails */
	long leaks;		/* pages that stay shared */
};

/* results that differ between kernels */
#define TDCALL_INVALID	1000001
#define TDCALL_BUSY	1000002

#define BUSY		(2ULL << 32)
#define INVALID_LEN	(1ULL << 32)
#define GENERIC		(0xffffffffULL << 32)

static const struct rule page_rules[] = {
	{ .name = "pages_right" },
	{ .name = "pages_many" },
	{ .name = "pages_vmalloc" },
	{ .name = "pages_free_shared", .violations = 1 },
	{ .name = "pages_free_block", .violations = 1 },
	{ .name = "pages_share_twice", .violations = 1 },
	{ .name = "pages_private_twice", .violations = 1 },
	{ .name = "pages_free_unknown", .fail = "fail_decrypt_n", .result = -EIO,
	  .violations = 1 },
	{ .name = "pages_free_unknown" },
	{ .name = "pages_leak_unknown", .fail = "fail_decrypt_n", .result = -EIO },
	{ .name = "pages_leak_unknown", .fail = "fail_encrypt_n" },
	{ .name = "pages_slab", .violations = 1 },
	{ .name = "pages_unaligned", .result = -EINVAL, .violations = 1 },
	{ }
};

static const struct rule snp_rules[] = {
	{ .name = "snp_right", .result = 0x20 },
	{ .name = "snp_right", .result = 0x20, .script.one_by_one = true },
	{ .name = "snp_parts", .result = 0x20 },
	{ .name = "snp_wipe" },
	{ .name = "snp_size_first", .result = 0x20, .violations = 1 },
	{ .name = "snp_payload_twice", .violations = 1 },
	{ .name = "snp_request_private", .result = -EIO, .violations = 1 },
	{ .name = "snp_response_private", .result = -EIO, .violations = 1 },
	{ .name = "snp_unaligned", .result = -EIO, .violations = 1 },
	{ .name = "snp_one_page", .result = -EIO, .violations = 1 },
	{ .name = "snp_bad_code", .result = -EIO, .violations = 1 },
	{ .name = "snp_certs", .result = 0x77, .script.certs_len = 9000 },
	{ .name = "snp_certs", .result = 6, .script = { .status = INVALID_LEN, .data_npages = 6 } },
	{ .name = "snp_right", .result = -EIO, .script = { .status = INVALID_LEN } },
	{ .name = "snp_no_certs", .result = 3,
	  .script = { .status = INVALID_LEN, .data_npages = 3 } },
	{ .name = "snp_certs_private", .result = -EIO, .violations = 1,
	  .script.certs_len = 9000 },
	{ .name = "snp_right", .result = -EAGAIN, .script.status = BUSY },
	{ .name = "snp_right", .result = -EIO, .script.status = GENERIC },
	{ .name = "snp_right", .result = -EIO, .script.status = 0x16 },
	{ .name = "snp_right", .result = 5, .script.es_result = 5 },
	/* more certificates than there are pages for is the daemon's mistake */
	{ .name = "snp_no_certs", .result = -EIO, .script.certs_len = 4096 },
	{ }
};

static const struct rule svsm_rules[] = {
	{ .name = "svsm_right", .result = 0x5a09 },
	{ .name = "svsm_right", .result = 0x5a09, .script.certs_len = 4096 },
	{ .name = "svsm_right", .result = 0x5a09, .script.delay_ns = 30 * MS },
	{ .name = "svsm_no_certs", .result = 0x5a09 },
	{ .name = "svsm_right", .result = -EINVAL, .script.rax = 0x80000005 },
	/* the kernel's own function calls again */
	{ .name = "svsm_right", .result = 0x5a09, .script = { .rax = 0x80000007, .rax_n = 3 } },
	{ .name = "svsm_right", .result = 0x5a09, .script = { .rax = 0x80000000, .rax_n = 1 } },
	{ .name = "svsm_right", .result = -EINVAL, .script.pending = true },
	{ .name = "svsm_report_shared", .result = -EINVAL, .violations = 1 },
	{ .name = "svsm_manifest_shared", .result = -EINVAL, .violations = 1 },
	{ .name = "svsm_certs_shared", .result = -EINVAL, .violations = 1 },
	{ .name = "svsm_nonce_shared", .result = -EINVAL, .violations = 1 },
	{ .name = "svsm_unaligned", .result = -EINVAL, .violations = 1 },
	{ .name = "svsm_nonce_crosses", .result = -EINVAL, .violations = 1 },
	{ .name = "svsm_reserved", .result = -EINVAL, .violations = 1 },
	/* more than there is room for is the daemon's mistake */
	{ .name = "svsm_no_certs", .result = -EINVAL, .script.certs_len = 4096 },
	{ .name = "snp_right", .result = 0x20 },
	{ }
};

static const struct rule tdx_rules[] = {
	{ .name = "tdx_report" },
	{ .name = "tdx_report_shared", .violations = 1, .result = TDCALL_INVALID },
	{ .name = "tdx_report_unaligned", .violations = 1, .result = TDCALL_INVALID },
	{ .name = "tdx_data_unaligned", .violations = 1, .result = TDCALL_INVALID },
	{ .name = "tdx_report_vmalloc", .violations = 1, .result = TDCALL_INVALID },
	{ .name = "tdx_report_busy", .result = TDCALL_BUSY, .script.delay_ns = 300 * MS },
	{ .name = "tdx_report", .result = TDCALL_BUSY, .script.status = 0x8000020000000000ULL },
	{ .name = "tdx_report", .result = TDCALL_INVALID,
	  .script.status = 0xc000010000000000ULL },
	{ .name = "tdx_report", .result = -EIO, .script.status = 0xc000020000000000ULL },
	{ .name = "tdx_quote", .result = 5000 },
	{ .name = "tdx_quote", .result = 5000, .script.delay_ns = 30 * MS },
	{ .name = "tdx_quote_again", .result = 5000, .script.delay_ns = 2 * MS },
	{ .name = "tdx_quote", .result = -EIO, .script.status = 0x8000000000000001ULL },
	/* does not fit */
	{ .name = "tdx_quote", .result = -EIO, .script.payload_len = 9000 },
	/* a host that lies: about the length, about the time */
	{ .name = "tdx_quote", .result = (int)0x91919191, .script.flags = FW_OUT_LEN },
	{ .name = "tdx_early", .result = 0x91, .script.flags = FW_EARLY },
	{ .name = "tdx_length_twice", .result = 5000, .violations = 1 },
	{ .name = "tdx_quote_private", .result = -EINVAL, .violations = 1 },
	{ .name = "tdx_quote_twice", .result = -EINVAL, .violations = 1,
	  .script.delay_ns = 500 * MS },
	{ .name = "tdx_free_in_flight", .violations = 1, .script.delay_ns = 500 * MS },
	{ .name = "tdx_private_in_flight", .violations = 1, .script.delay_ns = 500 * MS },
	{ .name = "tdx_bad_version", .result = -EINVAL, .violations = 1 },
	{ .name = "tdx_bad_length", .result = -EINVAL, .violations = 1 },
	{ .name = "tdx_retry", .script.delay_ns = 500 * MS },
	{ }
};

#endif /* KERNEL_RULES_H */
