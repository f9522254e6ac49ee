// SPDX-License-Identifier: GPL-2.0
/*
 * libFuzzer target of the parsers, one at a time: built with PARSER set to the
 * name of one, so that each has a corpus and a coverage of its own.
 */
#include "formats/cert_table.h"
#include "formats/detect.h"
#include "formats/efi_list.h"
#include "formats/efi_variable.h"
#include "formats/event_log.h"
#include "formats/hcl.h"
#include "formats/module_signature.h"
#include "formats/proof.h"
#include "formats/quote.h"
#include "formats/snp_report.h"
#include "formats/tdreport.h"
#include "must.h"
#include "verify/boot_log.h"

/* A span that a parser hands out lies within its input. */
static void must_contain(const uint8_t *data, size_t len, struct cvm_span span)
{
	if (span.len)
		must(span.data >= data && span.len <= len &&
		     span.data + span.len <= data + len);
}

static __attribute__((unused)) int snp_report(const uint8_t *data, size_t len,
					      struct cvm_format_error *err)
{
	struct cvm_snp_report r;

	return cvm_snp_report_parse(data, len, &r, err);
}

static __attribute__((unused)) int tdreport(const uint8_t *data, size_t len,
					    struct cvm_format_error *err)
{
	struct cvm_tdreport r;
	int ret = cvm_tdreport_parse(data, len, &r, err);

	must_contain(data, len, r.tdinfo);
	must_contain(data, len, r.tee_tcb_info);
	return ret;
}

static __attribute__((unused)) int quote(const uint8_t *data, size_t len,
					 struct cvm_format_error *err)
{
	struct cvm_format_error unused;
	struct cvm_ppid ppid;
	struct cvm_quote q;
	int ret = cvm_quote_parse(data, len, &q, err);

	if (ret)
		return ret;
	must_contain(data, len, q.signed_part);
	must_contain(data, len, q.certified);
	must_contain(data, len, q.cert.data);
	must_contain(data, len, q.qe.cert.data);
	must_contain(data, len, q.qe.auth_data);
	must_contain(data, len, q.trailing);
	cvm_ppid_parse(&q.cert, &ppid, &unused);
	if (q.has_qe)
		cvm_ppid_parse(&q.qe.cert, &ppid, &unused);
	return 0;
}

static __attribute__((unused)) int cert_table(const uint8_t *data, size_t len,
					      struct cvm_format_error *err)
{
	struct cvm_cert_table t;
	int ret = cvm_cert_table_parse(data, len, &t, err);

	for (size_t i = 0; !ret && i < t.count; i++)
		must_contain(data, len, t.entry[i].cert);
	return ret;
}

static __attribute__((unused)) int efi_list(const uint8_t *data, size_t len,
					    struct cvm_format_error *err)
{
	struct cvm_efi_list list;
	int ret = cvm_efi_list_parse(data, len, &list, err);

	must(list.count <= CVM_EFI_CERTS_MAX);
	for (size_t i = 0; i < list.count; i++)
		must_contain(data, len, list.cert[i]);
	return ret;
}

static void efi_variable(struct cvm_span event)
{
	struct cvm_efi_variable variable;
	struct cvm_format_error err;

	if (cvm_efi_variable_parse(event.data, event.len, &variable, &err))
		return;
	must_contain(event.data, event.len, variable.name);
	must_contain(event.data, event.len, variable.data);
	must(32 + variable.name.len + variable.data.len == event.len);
	must(cvm_boot_variable_of(&variable) <= CVM_BOOT_VARIABLES);
}

/* what is said of a log that others have written goes to a terminal */
static void replay(struct cvm_span log, bool good)
{
	static const uint8_t quoted[CVM_EVENT_DIGEST];
	struct cvm_format_error err;
	struct cvm_boot_log boot;
	char text[320];

	must(!cvm_boot_log_replay(log, &boot, &err) == good);
	cvm_boot_log_explain(log, CVM_BOOT_PCR, quoted, text, sizeof(text));
	for (const char *c = text; *c; c++)
		must(*c >= ' ' && *c <= '~');
}

/* Every event lies behind the one before it, and all of them are the log. */
static __attribute__((unused)) int event_log(const uint8_t *data, size_t len,
					     struct cvm_format_error *err)
{
	struct cvm_event_log log;
	struct cvm_event event;
	size_t at = 0;
	int ret = cvm_event_log_open(data, len, &log, err);

	while (!ret && cvm_event_log_more(&log)) {
		must(log.at > at);
		at = log.at;
		ret = cvm_event_log_next(&log, &event, err);
		if (ret)
			break;
		must(event.offset == at);
		must(event.pcr < CVM_EVENT_PCRS || event.type == CVM_EV_NO_ACTION);
		must_contain(data, len, event.data);
		must_contain(data, len, (struct cvm_span){ event.digest, event.digest ? 32 : 0 });
		must(event.digest || event.type == CVM_EV_NO_ACTION);
		efi_variable(event.data);
	}
	must(ret || log.at == len);
	replay((struct cvm_span){ data, len }, !ret);
	return ret;
}

static __attribute__((unused)) int module_signature(const uint8_t *data, size_t len,
						    struct cvm_format_error *err)
{
	struct cvm_module_signature signature;
	int ret = cvm_module_signature_parse(data, len, &signature, err);

	must_contain(data, len, signature.content);
	must_contain(data, len, signature.pkcs7);
	return ret;
}

static __attribute__((unused)) int hcl_report(const uint8_t *data, size_t len,
					      struct cvm_format_error *err)
{
	struct cvm_hcl_report r;
	int ret = cvm_hcl_parse(data, len, &r, err);

	must_contain(data, len, r.hw_report);
	must_contain(data, len, r.claims);
	return ret;
}

static __attribute__((unused)) int proof(const uint8_t *data, size_t len,
					 struct cvm_format_error *err)
{
	struct cvm_proof p;
	int ret = cvm_proof_parse(data, len, &p, err);

	must_contain(data, len, p.path);
	return ret;
}

static __attribute__((unused)) int hex(const uint8_t *data, size_t len,
				       struct cvm_format_error *err)
{
	uint8_t *out = malloc(len / 2 + 1);
	long n;

	cvm_format_detect(data, len);
	if (cvm_format_is_hex(data, len)) {
		n = cvm_format_from_hex(data, len, out);
		must(n == -EBADMSG || (size_t)n <= len / 2);
	}
	free(out);
	return 0;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t len)
{
	struct cvm_format_error err = { 0 };
	char text[256];

	if (PARSER(data, len, &err)) {
		must(err.offset <= len && err.field && err.expected);
		cvm_format_error_text(&err, text, sizeof(text));
	}
	return 0;
}
