/* SPDX-License-Identifier: MIT */
/*
 * Policies: cvm-policy(5). A policy is a set of rules, each with a path that is
 * its place in the JSON, the name of its check, and its name in the manual.
 */
#ifndef CVM_VERIFY_POLICY_H
#define CVM_VERIFY_POLICY_H

#include <jansson.h>
#include <stdatomic.h>

#include "verdict.h"

#define CVM_PCRS	24

/* How a rule is written; each may also be "any", and some be "unsaid" */
enum cvm_rule_type {
	CVM_RULE_DIGESTS,	/* a list of values, hexadecimal, of one length */
	CVM_RULE_DENIED,	/* likewise, of values that are refused */
	CVM_RULE_FLAG,		/* true: must be set; false: must be clear */
	CVM_RULE_MIN,		/* a number, or more */
	CVM_RULE_MAX,		/* a number, or less */
	CVM_RULE_MASK,		/* hexadecimal: bits that must be set */
	CVM_RULE_WORDS,		/* a list of words of a few */
	CVM_RULE_WORD,		/* one of them */
	CVM_RULE_NUMBERS,	/* a list of numbers from 0 to 31 */
	CVM_RULE_TEXTS,		/* a list of strings */
	CVM_RULE_SCOPES,	/* a list of scopes, as of cvm_batch_expected() */
	CVM_RULE_TCB,		/* by product, the lowest value of each component */
	CVM_RULE_PCRS,		/* by index, a list of values */
};

/* What it means when a policy does not have the rule */
enum cvm_absent {
	CVM_ABSENT_REFUSES,	/* nothing is verified */
	CVM_ABSENT_ZERO,	/* a value that is not zero is refused */
	CVM_ABSENT_CLEAR,	/* the bit must be clear */
	CVM_ABSENT_SET,		/* the bit must be set */
	CVM_ABSENT_NONE,	/* as an empty list */
	CVM_ABSENT_ALLOWS,
};

enum cvm_rule_id {
	CVM_RULE_BINDING,
	CVM_RULE_BATCH_SCOPES,
	CVM_RULE_COLLATERAL_MAX_AGE,
	CVM_RULE_COLLATERAL_MAX_ROOT_CRL_AGE,

	CVM_RULE_SNP_PRODUCT,
	CVM_RULE_SNP_SIGNING_KEY,
	CVM_RULE_SNP_CSP_ID,
	CVM_RULE_SNP_MEASUREMENT,
	CVM_RULE_SNP_HOST_DATA,
	CVM_RULE_SNP_ID_KEY_DIGEST,
	CVM_RULE_SNP_AUTHOR_KEY_DIGEST,
	CVM_RULE_SNP_FAMILY_ID,
	CVM_RULE_SNP_IMAGE_ID,
	CVM_RULE_SNP_GUEST_SVN,
	CVM_RULE_SNP_VMPL,
	CVM_RULE_SNP_TCB_REPORTED,
	CVM_RULE_SNP_TCB_CURRENT,
	CVM_RULE_SNP_TCB_COMMITTED,
	CVM_RULE_SNP_TCB_LAUNCH,
	CVM_RULE_SNP_LAUNCH_MIT_VECTOR,
	CVM_RULE_SNP_CURRENT_MIT_VECTOR,
	CVM_RULE_SNP_CHIP_ID,
	CVM_RULE_SNP_DENIED_CHIP_ID,
	CVM_RULE_SNP_POLICY_DEBUG,
	CVM_RULE_SNP_POLICY_MIGRATE_MA,
	CVM_RULE_SNP_POLICY_SMT,
	CVM_RULE_SNP_POLICY_SINGLE_SOCKET,
	CVM_RULE_SNP_POLICY_CXL_ALLOW,
	CVM_RULE_SNP_POLICY_MEM_AES_256_XTS,
	CVM_RULE_SNP_POLICY_RAPL_DIS,
	CVM_RULE_SNP_POLICY_CIPHERTEXT_HIDING_DRAM,
	CVM_RULE_SNP_POLICY_PAGE_SWAP_DISABLE,
	CVM_RULE_SNP_POLICY_UNKNOWN,
	CVM_RULE_SNP_PLATFORM_SMT_EN,
	CVM_RULE_SNP_PLATFORM_TSME_EN,
	CVM_RULE_SNP_PLATFORM_ECC_EN,
	CVM_RULE_SNP_PLATFORM_RAPL_DIS,
	CVM_RULE_SNP_PLATFORM_CIPHERTEXT_HIDING,
	CVM_RULE_SNP_PLATFORM_ALIAS_CHECK,
	CVM_RULE_SNP_PLATFORM_TIO_EN,
	CVM_RULE_SNP_PLATFORM_UNKNOWN,

	CVM_RULE_TDX_MRTD,
	CVM_RULE_TDX_RTMR0,
	CVM_RULE_TDX_RTMR1,
	CVM_RULE_TDX_RTMR2,
	CVM_RULE_TDX_RTMR3,
	CVM_RULE_TDX_MRCONFIGID,
	CVM_RULE_TDX_MROWNER,
	CVM_RULE_TDX_MROWNERCONFIG,
	CVM_RULE_TDX_MRSERVICETD,
	CVM_RULE_TDX_MRSEAM,
	CVM_RULE_TDX_FMSPC,
	CVM_RULE_TDX_TCB_STATUS,
	CVM_RULE_TDX_ADVISORIES,
	CVM_RULE_TDX_TCB_EVALUATION,
	CVM_RULE_TDX_ATTR_DEBUG,
	CVM_RULE_TDX_ATTR_ICSSD,
	CVM_RULE_TDX_ATTR_LASS,
	CVM_RULE_TDX_ATTR_SEPT_VE_DISABLE,
	CVM_RULE_TDX_ATTR_MIGRATABLE,
	CVM_RULE_TDX_ATTR_PKS,
	CVM_RULE_TDX_ATTR_KL,
	CVM_RULE_TDX_ATTR_TPA,
	CVM_RULE_TDX_ATTR_PERFMON,
	CVM_RULE_TDX_ATTR_UNKNOWN,

	CVM_RULE_AZURE_PCRS,
	CVM_RULE_AZURE_SECURE_BOOT,
	CVM_RULE_AZURE_TPM_ENABLED,
	CVM_RULE_AZURE_TPM_PERSISTED,
	CVM_RULE_AZURE_CONSOLE,
	CVM_RULE_AZURE_INTERACTIVE_CONSOLE,
	CVM_RULE_AZURE_FILTERED_VPCI,
	CVM_RULE_AZURE_SEALING,
	CVM_RULE_AZURE_ROOT_CERT,
	CVM_RULE_AZURE_LOG_PCRS,
	CVM_RULE_AZURE_LOG_SECURE_BOOT,
	CVM_RULE_AZURE_PK,
	CVM_RULE_AZURE_KEK,
	CVM_RULE_AZURE_DB,
	CVM_RULE_AZURE_DBX,

	CVM_RULES,
};

/**
 * struct cvm_rule_info - what a rule is
 * @path: its place in the JSON, and the name of its check
 * @type: how it is written
 * @absent: what its absence means
 * @len: digests: bytes of one
 * @words: of these, ending in NULL
 * @help: what it is about
 */
struct cvm_rule_info {
	const char *path;
	enum cvm_rule_type type;
	enum cvm_absent absent;
	size_t len;
	const char *const *words;
	const char *help;
};

/* policy_table.c */
extern const struct cvm_rule_info cvm_rule_infos[CVM_RULES];

struct cvm_digests {
	size_t count;
	uint8_t *data;
};

struct cvm_texts {
	size_t count;
	char **text;
};

/* the lowest TCB of each product that is accepted at all */
struct cvm_tcb_floors {
	struct {
		bool given;
		struct cvm_snp_tcb floor;
	} product[CVM_SNP_TURIN + 1];
};

struct cvm_rule {
	bool given;
	bool any;
	bool unsaid;	/* may be missing from the claims; what they say is judged as if absent */
	union {
		struct cvm_digests digests;
		bool flag;
		uint64_t number;	/* MIN, MAX, MASK */
		uint32_t set;		/* WORDS, NUMBERS: bits; WORD: the index */
		struct cvm_texts texts;
		struct cvm_tcb_floors tcb;
		struct cvm_digests pcrs[CVM_PCRS];
	};
};

/* Immutable once made, and shared by reference. */
struct cvm_policy {
	atomic_uint refs;
	struct cvm_rule rule[CVM_RULES];
};

/* policy_load.c: -EBADMSG says where and why */
int cvm_policy_load(struct cvm_policy **policy, const void *data, size_t len,
		    struct cvm_error *error);
struct cvm_policy *cvm_policy_get(struct cvm_policy *policy);
void cvm_policy_put(struct cvm_policy *policy);

/* Has it any rule whose path begins with @prefix, such as "snp."? */
bool cvm_policy_speaks_of(const struct cvm_policy *policy, const char *prefix);

/* enum cvm_binding */
uint32_t cvm_policy_binding(const struct cvm_policy *policy);

/* policy_explain.c: a line for each rule, for people; for free(), or NULL */
char *cvm_policy_explain(const struct cvm_policy *policy);

/* policy_write.c: the strictest policy that @facts meet; NULL: no memory */
json_t *cvm_policy_of(const struct cvm_facts *facts, uint32_t binding);

/*
 * policy_rule.c: each judges one value by one rule, and adds that check. @policy
 * is the one of the verdict, which is not NULL.
 */
void cvm_judge_digest(struct cvm_verdict *v, enum cvm_rule_id id, const uint8_t *value);
void cvm_judge_flag(struct cvm_verdict *v, enum cvm_rule_id id, bool set);
void cvm_judge_number(struct cvm_verdict *v, enum cvm_rule_id id, uint64_t value);
void cvm_judge_word(struct cvm_verdict *v, enum cvm_rule_id id, unsigned int word);
void cvm_judge_text(struct cvm_verdict *v, enum cvm_rule_id id, const char *value);

/* False, and the check is made: absent or "any" have decided. */
bool cvm_rule_asks(struct cvm_verdict *v, enum cvm_rule_id id);

/* policy_snp.c, policy_tdx.c: the bits, and which rule is about which of them */
struct cvm_flag {
	enum cvm_rule_id rule;
	uint64_t bits;
	bool platform;	/* SNP: of PLATFORM_INFO, not of POLICY */
};

extern const struct cvm_flag cvm_snp_flags[], cvm_tdx_flags[];
extern const size_t cvm_snp_flag_count, cvm_tdx_flag_count;

/* policy_snp.c, policy_tdx.c: every rule of a platform, by the verdict's facts */
void cvm_judge_snp(struct cvm_verdict *v, const uint8_t hwid[64], bool vlek);
void cvm_judge_tdx(struct cvm_verdict *v, bool has_collateral);
void cvm_judge_age(struct cvm_verdict *v, int64_t at);

/* policy_azure.c: likewise, by claims and a quote of the vTPM that hold */
void cvm_judge_claims(struct cvm_verdict *v);
void cvm_judge_pcrs(struct cvm_verdict *v);

/* policy_boot.c: "event_log", where there is a log; and the rules about it, @log being as checked */
void cvm_check_event_log(struct cvm_verdict *v, struct cvm_span log);
void cvm_judge_boot(struct cvm_verdict *v, struct cvm_span log);

/* policy_azure.c: the index of hardware-sealing-policy; CVM_SEALING_WORDS: not known */
#define CVM_SEALING_WORDS	3
uint32_t cvm_sealing_word(const char *sealing);

#endif /* CVM_VERIFY_POLICY_H */
