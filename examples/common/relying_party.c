// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "relying_party.h"

/* longer than any file of these kinds */
#define FILE_MAX	(4U << 20)

typedef int (*take)(struct cvm_verifier *verifier, const void *data, size_t len,
		    struct cvm_error *error);

int rp_init(struct relying_party *rp)
{
	*rp = (struct relying_party){ 0 };
	return cvm_verifier_new(&rp->verifier) ? -1 : 0;
}

void rp_free(struct relying_party *rp)
{
	cvm_verifier_free(rp->verifier);
}

static void *read_file(const char *path, size_t *len)
{
	FILE *file = fopen(path, "re");
	char *data = file ? malloc(FILE_MAX) : NULL;

	*len = data ? fread(data, 1, FILE_MAX, file) : 0;
	if (!data || ferror(file) || *len == FILE_MAX) {
		fprintf(stderr, "%s: %s\n", path, *len == FILE_MAX ? "too long" : strerror(errno));
		free(data);
		data = NULL;
	}
	if (file)
		fclose(file);
	return data;
}

static int take_file(struct relying_party *rp, const char *path, take how)
{
	struct cvm_error error;
	size_t len;
	void *data = read_file(path, &len);
	int rc;

	if (!data)
		return -1;
	rc = how(rp->verifier, data, len, &error);
	if (rc)
		fprintf(stderr, "%s: %s\n", path, error.text);
	free(data);
	return rc ? -1 : 0;
}

int rp_option(struct relying_party *rp, int option, const char *value)
{
	switch (option) {
	case RP_POLICY:
		rp->has_policy = true;
		return take_file(rp, value, cvm_verifier_set_policy);
	case RP_COLLATERAL:
		return take_file(rp, value, cvm_verifier_add_collateral);
	case RP_CERTS:
		return take_file(rp, value, cvm_verifier_add_certs);
	case RP_TRUST_ROOT:
		return take_file(rp, value, cvm_verifier_add_trust_root);
	case RP_SCOPE:
		rp->scope = value;
		return 0;
	default:
		return -1;
	}
}

/* Without a policy evidence can be authentic at most: of any VM, with anything in it. */
int rp_ready(const struct relying_party *rp)
{
	if (rp->has_policy)
		return 0;
	fprintf(stderr, "--policy is required: which VMs are accepted\n");
	return -1;
}

void rp_explain(const struct cvm_verdict *verdict, char *why, size_t size)
{
	size_t used = (size_t)snprintf(why, size, "does not verify:");
	const struct cvm_check *check;

	for (size_t i = 0; (check = cvm_verdict_check(verdict, i)) && used < size; i++)
		if (check->state == CVM_CHECK_FAILED ||
		    (check->state == CVM_CHECK_NOT_CHECKED && check->required))
			used += (size_t)snprintf(why + used, size - used, " %s (%s)", check->name,
						 check->reason);
}

int rp_verify(const struct relying_party *rp, const struct cmw *cmw, const uint8_t *user_data,
	      char *why, size_t size)
{
	const struct cvm_verify_opts opts = {
		.size = sizeof(opts), .at = time(NULL), .user_data = user_data,
		.proof = cmw->proof.data, .proof_len = cmw->proof.len, .scope = rp->scope,
		.certs = cmw->certs.data, .certs_len = cmw->certs.len,
	};
	struct cvm_verdict *verdict = NULL;
	struct cvm_error error = { .text = "no memory" };
	bool verified;

	/* a batch is expected: evidence without a proof is no answer */
	if (!cmw->proof.data) {
		snprintf(why, size, "evidence without a proof");
		return -1;
	}
	if (cvm_verify(rp->verifier, cmw->evidence.data, cmw->evidence.len, &opts, &verdict,
		       &error)) {
		snprintf(why, size, "%s", error.text);
		cvm_verdict_free(verdict);
		return -1;
	}
	verified = cvm_verdict_verified(verdict);
	if (!verified)
		rp_explain(verdict, why, size);
	cvm_verdict_free(verdict);
	return verified ? 0 : -1;
}
