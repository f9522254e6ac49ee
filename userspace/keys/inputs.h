/* SPDX-License-Identifier: MIT */
/* What the firmware derives a key from, and who can say so. */
#ifndef CVM_KEYS_INPUTS_H
#define CVM_KEYS_INPUTS_H

#include <linux/cvm_guest_key.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "cvmguest.h"

/* beside enum cvm_root_key: nothing of the firmware's; a secret that a TPM keeps (seal.h) */
#define CVM_ROOT_TPM	2U

/**
 * struct cvm_key_inputs - what is mixed in, as of struct cvm_derive
 * @root: enum cvm_root_key; or CVM_ROOT_TPM, with which all others are 0
 * @mix: CVM_MIX_*
 * @vmpl: 0 to 3
 * @guest_svn: with CVM_MIX_GUEST_SVN, else 0
 * @tcb: with CVM_MIX_TCB, else 0
 * @launch_mit: with CVM_MIX_LAUNCH_MIT, else 0
 */
struct cvm_key_inputs {
	uint32_t root;
	uint32_t mix;
	uint32_t vmpl;
	uint32_t guest_svn;
	uint64_t tcb;
	uint64_t launch_mit;
};

/**
 * struct cvm_key_facts - what this VM may ask for, by its attestation report
 * @report_version: of it
 * @vmpl: the kernel's own
 * @guest_svn: of the ID block
 * @committed_tcb: no component of a TCB may be above it
 * @has_launch_mit: the firmware knows CVM_MIX_LAUNCH_MIT
 * @launch_mit: the bits that were set at launch
 * @vlek: the host has loaded a VLEK
 */
struct cvm_key_facts {
	uint32_t report_version;
	uint32_t vmpl;
	uint32_t guest_svn;
	uint64_t committed_tcb;
	bool has_launch_mit;
	uint64_t launch_mit;
	bool vlek;
};

/**
 * cvm_key_facts_read() - ask for a report, and what it says
 * @facts: out
 * @error: or NULL
 *
 * The report comes from the firmware by a channel that the host cannot read or
 * forge, so its signature need not be verified here.
 *
 * Return: 0; -EOPNOTSUPP: no key is derived on this platform, and @error says why;
 * or an error of cvm_open() or cvm_report().
 */
int cvm_key_facts_read(struct cvm_key_facts *facts, struct cvm_error *error);

/* The newest that @facts allow, of what @mix names. */
void cvm_key_inputs_newest(struct cvm_key_inputs *inputs, uint32_t root, uint32_t mix,
			   const struct cvm_key_facts *facts);

/**
 * cvm_key_inputs_check() - can this VM derive a key from @inputs
 *
 * Return: 0; -ESTALE: they are of a newer firmware, guest or launch than this is:
 * somebody has gone back, and @error says to what; -EINVAL: of another VMPL.
 */
int cvm_key_inputs_check(const struct cvm_key_inputs *inputs, const struct cvm_key_facts *facts,
			 struct cvm_error *error);

/* No component of @a is above that of @b, whatever the product calls them. */
bool cvm_tcb_within(uint64_t a, uint64_t b);

/* all that any firmware mixes in: what is asked of a record unless it is said otherwise */
#define CVM_MIX_DEFAULT	(CVM_MIX_ALL & ~CVM_MIX_LAUNCH_MIT)

/* The name of the mix of bit @bit, or NULL behind the last. */
const char *cvm_mix_name(unsigned int bit);

/* CVM_MIX_* of the @len characters at @name; 0: there is no such. */
uint32_t cvm_mix_bit(const char *name, size_t len);

/* CVM_MIX_* of a list with commas; 0: @text is empty, or names something unknown or twice */
uint32_t cvm_mix_parse(const char *text);

#define CVM_MIX_TEXT	64

/* "policy,image,..."; "none" */
const char *cvm_mix_text(uint32_t mix, char text[CVM_MIX_TEXT]);

/* "vcek", "vmrk" or "tpm" */
const char *cvm_root_name(uint32_t root);

/* enum cvm_root_key, CVM_ROOT_TPM, or -1 */
int cvm_root_parse(const char *name);

#endif /* CVM_KEYS_INPUTS_H */
