// SPDX-License-Identifier: MIT
/*
 * Batch proofs for the relying party: what evidence must carry, and for whom
 * the proof speaks. Specification "Batch v1", sections 1 and 2.
 */
#include <errno.h>
#include <string.h>

#include <openssl/evp.h>

#include "driver/merkle.h"
#include "../formats/proof.h"
#include "lib.h"

static const char label_prefix[] = "label:";

/* @wanted: out: the scope that @text names; @any: out: it names all of them */
static bool parse_scope(const char *text, uint8_t wanted[CVM_SCOPE_SIZE], bool *any)
{
	size_t prefix = strlen(label_prefix);

	*any = !strcmp(text, "any");
	if (!strcmp(text, "privileged"))
		cvm_scope_plain(wanted, 1);
	else if (!strcmp(text, "unprivileged"))
		cvm_scope_plain(wanted, 0);
	else if (!strncmp(text, label_prefix, prefix))
		return !cvm_scope_label(wanted, text + prefix, strlen(text + prefix));
	else
		return *any;
	return true;
}

static const char *scope_name(const uint8_t scope[CVM_SCOPE_SIZE])
{
	static const char *const names[] = {
		"anybody in the VM (unprivileged)", "root in the VM (privileged)",
		"a workload with a label",
	};

	return names[scope[0]];
}

static int malformed(const void *proof, size_t len, struct cvm_error *error)
{
	struct cvm_format_error err = { .field = "the proof", .expected = "one of version 1" };
	struct cvm_proof parsed;
	char text[256];

	cvm_proof_parse(proof, len, &parsed, &err);
	return cvm_set_error(error, -EBADMSG, "not a batch proof of version 1: %s",
			     cvm_format_error_text(&err, text, sizeof(text)));
}

int cvm_batch_expected(const uint8_t *user_data, const void *proof, size_t len,
		       const char *scope, uint8_t *report_data, struct cvm_error *error)
{
	uint8_t wanted[CVM_SCOPE_SIZE], found[CVM_SCOPE_SIZE], r64[CVM_REPORT_DATA_LEN];
	bool any;
	int ret;

	memset(report_data, 0, CVM_REPORT_DATA_LEN);
	if (!parse_scope(scope ? scope : "privileged", wanted, &any))
		return cvm_set_error(error, -EINVAL,
				     "'%s' is no scope: privileged, unprivileged, label:NAME or any",
				     scope);
	ret = cvm_merkle_expected(user_data, proof, len, r64, NULL, found);
	if (ret == -EINVAL)
		return cvm_set_error(error, ret, "user data begins with CVMGBAT, which is reserved");
	if (ret)
		return malformed(proof, len, error);
	if (!any && memcmp(wanted, found, sizeof(found)))
		return cvm_set_error(error, -EPERM, "the proof speaks for %s, not for %s",
				     scope_name(found), found[0] == 2 && wanted[0] == 2 ?
				     "this label" : scope_name(wanted));
	memcpy(report_data, r64, sizeof(r64));
	return 0;
}

static bool hash_part(EVP_MD_CTX *ctx, const struct cvm_part *part)
{
	uint8_t length[4] = { (uint8_t)part->len, (uint8_t)(part->len >> 8),
			      (uint8_t)(part->len >> 16), (uint8_t)(part->len >> 24) };

	return EVP_DigestUpdate(ctx, length, sizeof(length)) &&
	       EVP_DigestUpdate(ctx, part->data, part->len);
}

int cvm_user_data(const struct cvm_part *parts, size_t count, uint8_t *user_data)
{
	static const char tag[] = "CVMGUD1";	/* with its zero */
	EVP_MD_CTX *ctx = EVP_MD_CTX_new();
	bool done = ctx && EVP_DigestInit_ex(ctx, EVP_sha512(), NULL) &&
		    EVP_DigestUpdate(ctx, tag, sizeof(tag));
	size_t i;

	for (i = 0; done && i < count; i++)
		done = parts[i].len <= UINT32_MAX && hash_part(ctx, &parts[i]);
	done = done && EVP_DigestFinal_ex(ctx, user_data, NULL);
	EVP_MD_CTX_free(ctx);
	if (done)
		return 0;
	memset(user_data, 0, CVM_REPORT_DATA_LEN);
	return i && parts[i - 1].len > UINT32_MAX ? -E2BIG : -ENOMEM;
}
