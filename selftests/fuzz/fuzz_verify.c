// SPDX-License-Identifier: GPL-2.0
/*
 * libFuzzer target of verification. The input is a byte that says what comes along
 * (below), the lengths of two parts in two bytes each, those parts, and evidence. No
 * input is authentic: whoever finds one has found a key of AMD's or Intel's. Linked
 * so that every signature holds it gets further, and the roots still are not theirs.
 */
#include <stdint.h>
#include <stdlib.h>

#include "cvmguest.h"
#include "must.h"

/* Bits of the first byte; the first part is always certificates */
#define SECOND(flags)	((flags) & 7)	/* what the second part is */
enum { PROOF, TD_QUOTE, POLICY, COLLATERAL, MANIFEST, TPM_MESSAGE };
#define BINDING(flags)	((flags) >> 3 & 3)
#define TO_VERIFIER	0x20		/* certificates are the verifier's, not the evidence's */
#define BATCH		0x40

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len);

struct part {
	const uint8_t *data;
	size_t len;
};

static struct part take(struct part *from, size_t len)
{
	struct part part = { from->data, len < from->len ? len : from->len };

	from->data += part.len;
	from->len -= part.len;
	return part;
}

static size_t length_at(const uint8_t *data)
{
	return (size_t)(data[0] | data[1] << 8);
}

static const uint8_t asked[64] = { 0xd5, 1, 2 }, pcrs[24 * 32];

static void set_second(struct cvm_verifier *v, uint8_t flags, struct part second,
		       struct cvm_verify_opts *opts, struct cvm_tpm_quote *quote)
{
	switch (SECOND(flags)) {
	case PROOF:
		opts->user_data = asked;
		opts->proof = second.data;
		opts->proof_len = second.len;
		break;
	case TD_QUOTE:
		opts->td_quote = second.data;
		opts->td_quote_len = second.len;
		break;
	case POLICY:
		cvm_verifier_set_policy(v, second.data, second.len, NULL);
		break;
	case COLLATERAL:
		cvm_verifier_add_collateral(v, second.data, second.len, NULL);
		break;
	case MANIFEST:
		opts->manifest = second.data;
		opts->manifest_len = second.len;
		break;
	case TPM_MESSAGE:
		*quote = (struct cvm_tpm_quote){
			.size = sizeof(*quote), .message = second.data, .message_len = second.len,
			.signature = pcrs, .signature_len = 256, .pcrs = pcrs, .pcr_count = 24,
		};
		opts->tpm_quote = quote;
		break;
	}
}

static void examine(const struct cvm_verdict *verdict)
{
	char *policy;

	if (cvm_verdict_authentic(verdict) || cvm_verdict_verified(verdict) ||
	    !cvm_verdict_policy(verdict, &policy, NULL))
		abort();
	for (size_t i = 0; i < cvm_verdict_count(verdict); i++) {
		must(cvm_verdict_check(verdict, i)->reason[0]);
		must_print(cvm_verdict_check(verdict, i)->reason);
	}
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct cvm_verify_opts opts = { .size = sizeof(opts), .at = 1750000000 };
	struct part rest = { data + 5, len - 5 }, certs, second;
	struct cvm_tpm_quote quote;
	struct cvm_verdict *verdict;
	struct cvm_verifier *v;

	if (len < 5 || cvm_verifier_new(&v))
		return 0;
	certs = take(&rest, length_at(data + 1));
	second = take(&rest, length_at(data + 3));
	opts.binding = BINDING(*data);
	opts.flags = *data & BATCH ? CVM_VERIFY_BATCH : 0;
	if (*data & TO_VERIFIER) {
		cvm_verifier_add_certs(v, certs.data, certs.len, NULL);
	} else {
		opts.certs = certs.len ? certs.data : NULL;
		opts.certs_len = certs.len;
	}
	set_second(v, *data, second, &opts, &quote);
	cvm_verify(v, rest.data, rest.len, &opts, &verdict, NULL);
	if (verdict)
		examine(verdict);
	cvm_verdict_free(verdict);
	cvm_verifier_free(v);
	return 0;
}
