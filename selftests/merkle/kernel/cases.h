/* SPDX-License-Identifier: GPL-2.0 */
/* What tool.c asks of the node of cvm_merkle_test.ko. */
#ifndef CASES_H
#define CASES_H

#include <linux/ioctl.h>
#include <linux/types.h>

#include "driver/merkle.h"

#define CASES_NODE	"/dev/cvm-merkle-test"

/**
 * struct cases_expected - cvm_merkle_expected()
 * @proof: in: address of @len bytes
 * @len: in: bytes
 * @result: out: what it returned
 * @user_data: in
 * @r64: out
 * @tpm48: out
 * @scope: out
 */
struct cases_expected {
	__u64 proof;
	__u32 len;
	__s32 result;
	__u8 user_data[CVM_USER_DATA_SIZE];
	__u8 r64[CVM_USER_DATA_SIZE];
	__u8 tpm48[CVM_TPM48_SIZE];
	__u8 scope[CVM_SCOPE_SIZE];
	__u8 pad[2];
};

/* a proof as cases_build gives it */
struct cases_proof {
	__u32 len;
	__u8 data[CVM_PROOF_MAX];
};

/**
 * struct cases_build - a tree, and the proofs of its leaves
 * @leaves: in: address of @count struct cvm_leaf
 * @dummies: in: address of @dummy_count hashes
 * @proofs: address of @count struct cases_proof, which are written
 * @count: in
 * @dummy_count: in
 * @r64: out
 * @tpm48: out
 */
struct cases_build {
	__u64 leaves;
	__u64 dummies;
	__u64 proofs;
	__u32 count;
	__u32 dummy_count;
	__u8 r64[CVM_USER_DATA_SIZE];
	__u8 tpm48[CVM_TPM48_SIZE];
};

#define CASES_EXPECTED	_IOWR('m', 1, struct cases_expected)
#define CASES_BUILD	_IOWR('m', 2, struct cases_build)

#endif /* CASES_H */
