/* SPDX-License-Identifier: GPL-2.0 */
/* Boots of Azure guests by their event logs, and what a policy asks of these. */
#ifndef MUTATE_BOOT_H
#define MUTATE_BOOT_H

#include "mutate_azure.h"

#define PCRS		"azure.event_log.pcrs"
#define SECURE_BOOT	"azure.event_log.secure_boot"
#define DB		"azure.event_log.db"

#define ASK_PCRS	"{\"pcrs\": [0, 4, 7]}"
#define ASK_ON		"{\"secure_boot\": true}"
#define ASK_OFF		"{\"secure_boot\": false}"
/* "keys", and something else: SHA-256 of it */
#define KEYS \
	"\"48a53f0774c8ceff574a1fdcb0d470dbd382b3db273cff4344b6d39d5379c923\""
#define OTHERS \
	"\"0000000000000000000000000000000000000000000000000000000000000000\""

static inline void made(struct azure_world *w, uint8_t secure_boot)
{
	log_begin(&w->log);
	log_keys(&w->log, secure_boot);
	log_rest(&w->log);
}

static inline void genuine(struct azure_world *w) { made(w, 1); }
static inline void not_secure(struct azure_world *w) { made(w, 0); }

static inline uint8_t *last_of(struct azure_world *w, const char *text)
{
	return need(memmem(w->log.bytes, w->log.len, text, strlen(text)));
}

/* the digest of the event that has @text, @behind bytes into its data */
static inline void spoil_digest(struct azure_world *w, const char *text, size_t behind)
{
	last_of(w, text)[-(ptrdiff_t)behind - 4 - 32] ^= 1;
}

static inline void more(struct azure_world *w, uint32_t pcr)
{
	genuine(w);
	pcr_extend(w->log.pcr[pcr], azure_nonce);
}

/* the paravisor's policy with what is asked for of the log, and any PCRs */
static inline char *policy_of(const char *rules, bool is_td)
{
	json_t *policy = json_of(azure_policies[is_td]);
	char *text;

	json_put(policy, "azure.pcrs", json_string("any"));
	if (rules)
		json_put(policy, "azure.event_log", json_of(rules));
	text = need(json_dumps(policy, 0));
	json_decref(policy);
	return text;
}

/* Takes @w, by that policy; what cvm_verify() returned */
static inline int judge(struct azure_world *w, const char *rules, ask_fn *ask,
		 struct cvm_verdict **verdict)
{
	char *policy = policy_of(rules, w->is_td);
	struct cvm_tpm_quote quote;
	struct cvm_verify_opts opts;
	struct cvm_verifier *v;
	int ret;

	w->snp.policy = w->tdx.policy = policy;
	azure_make(w);
	v = azure_verifier(w);
	opts = azure_opts(w, &quote);
	opts.report_data = azure_nonce;
	if (ask)
		ask(&opts, &quote);
	ret = cvm_verify(v, w->hcl, w->len, &opts, verdict, NULL);
	cvm_verifier_free(v);
	azure_done(w);
	free(policy);
	return ret;
}

static inline struct azure_world booted(bool is_td, void (*make)(struct azure_world *w),
				 void (*spoil)(struct azure_world *w))
{
	struct azure_world w = azure_genuine(is_td);

	make(&w);
	memcpy(w.pcrs, w.log.pcr, sizeof(w.pcrs));
	if (spoil)
		spoil(&w);
	return w;
}

#endif /* MUTATE_BOOT_H */
