// SPDX-License-Identifier: MIT
/* The public side: what to verify with, and which evidence it is. */
#include <stdio.h>

#include <openssl/err.h>

#include "../formats/detect.h"
#include "internal.h"

int cvm_verifier_new(struct cvm_verifier **verifier)
{
	*verifier = calloc(1, sizeof(**verifier));
	return *verifier ? 0 : -ENOMEM;
}

void cvm_verifier_free(struct cvm_verifier *verifier)
{
	if (!verifier)
		return;
	cvm_cert_set_free(&verifier->certs);
	cvm_cert_set_free(&verifier->trust_roots);
	free(verifier);
}

void cvm_verifier_set_time(struct cvm_verifier *verifier, int64_t at)
{
	verifier->has_time = true;
	verifier->at = at;
}

void cvm_verifier_set_report_data(struct cvm_verifier *verifier,
				  const uint8_t report_data[64])
{
	verifier->has_report_data = true;
	memcpy(verifier->report_data, report_data, 64);
}

int cvm_verifier_add_certs(struct cvm_verifier *verifier, const void *data,
			   size_t len, struct cvm_error *error)
{
	return cvm_cert_set_load(&verifier->certs, data, len, error);
}

static bool all_self_signed(const struct cvm_cert_set *set, size_t from)
{
	bool ok = true;

	ERR_set_mark();
	for (size_t i = from; i < set->count; i++)
		ok = ok && cvm_cert_issued_by(set->cert[i], set->cert[i]);
	ERR_pop_to_mark();
	return ok;
}

int cvm_verifier_add_trust_root(struct cvm_verifier *verifier,
				const void *data, size_t len,
				struct cvm_error *error)
{
	struct cvm_cert_set *roots = &verifier->trust_roots;
	size_t before = roots->count;
	int ret = cvm_cert_set_load(roots, data, len, error);

	if (ret)
		return ret;
	/*
	 * No certificates at all, as in an empty table, must not leave the
	 * caller with the vendors' roots where it believes to trust its own.
	 */
	if (all_self_signed(roots, before) && roots->count > 0)
		return 0;
	cvm_cert_set_truncate(roots, before);
	if (error)
		snprintf(error->text, sizeof(error->text),
			 "expected self-signed certificates and nothing else");
	return -EBADMSG;
}

void cvm_check_report_data(const struct cvm_verifier *verifier,
			   const uint8_t report_data[64],
			   struct cvm_verdict *v)
{
	if (!verifier->has_report_data)
		cvm_unchecked(v, "report_data",
			      "no REPORT_DATA to expect was given: nothing says that this is fresh");
	else if (memcmp(verifier->report_data, report_data, 64))
		cvm_fail(v, "report_data",
			 "REPORT_DATA is another than the expected one");
	else
		cvm_pass(v, "report_data", "REPORT_DATA is the expected one");
}

void cvm_unchecked_without_policy(struct cvm_verdict *v)
{
	static const char *const names[][2] = {
		{ "measurement", "no measurement to expect was given: any software is accepted" },
		{ "debug", "whether the host may debug the VM was not looked at" },
		{ "migration", "whether the VM may be migrated was not looked at" },
		{ "tcb", "no floor for the versions of firmware and microcode was given" },
		{ "revocation", "no certificate revocation lists were given" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		cvm_unchecked(v, names[i][0], "%s", names[i][1]);
}

static int verify_kind(const struct cvm_verifier *verifier, const void *data,
		       size_t len, struct cvm_verdict *v)
{
	enum cvm_format format = cvm_format_detect(data, len);

	switch (format) {
	case CVM_FORMAT_SNP_REPORT:
		return cvm_verify_snp(verifier, data, len, v);
	case CVM_FORMAT_TDX_QUOTE:
		return cvm_verify_tdx(verifier, data, len, v);
	case CVM_FORMAT_TDREPORT:
		cvm_fail(v, "format",
			 "a TDREPORT can be verified only on the machine that made it: ask for a quote");
		return -EBADMSG;
	default:
		cvm_fail(v, "format",
			 "offset 0x0: expected an SNP attestation report or a TDX quote, this is %s",
			 format == CVM_FORMAT_CERT_TABLE ?
			 "a certificate table" : "neither");
		return -EBADMSG;
	}
}

int cvm_verify(const struct cvm_verifier *verifier, const void *evidence,
	       size_t len, struct cvm_verdict **verdict)
{
	struct cvm_verdict *v __cleanup_free = NULL;
	int ret;

	*verdict = NULL;
	if (!verifier->has_time)
		return -EINVAL;
	v = calloc(1, sizeof(*v));
	if (!v)
		return -ENOMEM;
	/* The caller's error queue is left as it was found. */
	ERR_set_mark();
	ret = verify_kind(verifier, evidence, len, v);
	ERR_pop_to_mark();
	if (!ret || ret == -EBADMSG)
		*verdict = cvm_take_ptr(v);
	return ret;
}
