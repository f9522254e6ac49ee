// SPDX-License-Identifier: GPL-2.0
/*
 * libFuzzer target of what the services of a key release answer, and of the file between:
 * built with READER set to the name of one. Behind the vault's signature, too, which holds.
 */
#include <string.h>

#include "must.h"
#include "skr/skr.h"
#include "verify/certs.h"

/* as those of the seeds have it */
static void set_state(struct cvm_skr_state *state)
{
	*state = (struct cvm_skr_state){
		.form = CVM_SKR_AZURE_GUEST, .wrap = 1, .pcrs = CVM_SKR_PCRS,
		.kid = "https://vault.simulated.example/keys/disk/0123456789abcdef",
	};
}

/* All of it is one that is written */
static __attribute__((unused)) void skr_state(const uint8_t *data, size_t len)
{
	struct cvm_error error = { 0 };
	struct cvm_skr_state state;
	uint8_t again[CVM_SKR_STATE_MAX];
	int ret = cvm_skr_state_parse(data, len, &state, &error);

	must_explain(ret, &error);
	must(ret || (cvm_skr_state_pack(&state, again) == len && !memcmp(again, data, len)));
}

static __attribute__((unused)) void skr_envelope(const uint8_t *data, size_t len)
{
	struct cvm_error error = { 0 };
	struct cvm_skr_envelope envelope;
	int ret = cvm_skr_envelope_parse((const char *)data, len, &envelope, &error);

	must_explain(ret, &error);
	must(!ret == !!envelope.token);
	must(ret || envelope.key_len == 16 || envelope.key_len == 32);
	must(ret || (envelope.len && envelope.len <= CVM_SKR_MAX_TOKEN));
	free(envelope.token);
}

/* Its payload alone: a token has two dots, which was seen before */
static __attribute__((unused)) void skr_token(const uint8_t *data, size_t len)
{
	struct cvm_error error = { 0 };
	struct cvm_skr_state state;
	TPMT_PUBLIC public = { .unique.rsa.size = CVM_SKR_RSA };
	char *token = malloc(len + 3);

	set_state(&state);
	memset(public.unique.rsa.buffer, 0xc5, CVM_SKR_RSA);
	must(token);
	token[0] = '.';
	memcpy(token + 1, data, len);
	memcpy(token + 1 + len, ".", 2);
	must_explain(cvm_skr_token_check(token, &state, &public, &error), &error);
	state.form = CVM_SKR_SEV_SNP_VM;
	must_explain(cvm_skr_token_check(token, &state, &public, &error), &error);
	free(token);
}

static __attribute__((unused)) void skr_payload(const uint8_t *data, size_t len)
{
	struct cvm_error error = { 0 };
	struct cvm_skr_wrapped wrapped;
	struct cvm_skr_state state;
	int ret;

	set_state(&state);
	ret = cvm_skr_payload_parse(data, len, &state, &wrapped, &error);
	must_explain(ret == -EKEYREJECTED ? -EBADMSG : ret, &error);
	must(wrapped.len <= sizeof(wrapped.key));
}

static __attribute__((unused)) void skr_release(const uint8_t *data, size_t len)
{
	static struct cvm_certs roots;
	const struct cvm_jws_trust trust = { &roots, "vault.simulated.example", 1800000000 };
	struct cvm_error error = { 0 };
	struct cvm_skr_wrapped wrapped;
	struct cvm_skr_state state;
	int ret;

	set_state(&state);
	ret = cvm_skr_release_read(data, len, &state, &trust, &wrapped, &error);
	must_explain(ret == -EKEYREJECTED ? -EBADMSG : ret, &error);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	READER(data, len);
	return 0;
}
