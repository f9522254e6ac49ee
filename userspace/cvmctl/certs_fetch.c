// SPDX-License-Identifier: MIT
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "certs.h"
#include "common/util.h"
#include "formats/detect.h"
#include "formats/hcl.h"
#include "formats/quote.h"
#include "show.h"
#include "verify/certs.h"
#include "verify/collateral.h"

static void cleanup_certs(struct cvm_certs *certs)
{
	cvm_certs_free(certs);
}

static void cleanup_fetched(struct cvm_fetched *fetched)
{
	cvm_fetched_free(fetched);
}

/* An exit status for what a fetch returned; one that is old is worth a word. */
static int conclude(int ret, const struct cvm_fetched *fetched, const char *what,
		    const struct cvm_error *error)
{
	if (ret)
		return fail(ret == -EOPNOTSUPP ? EXIT_NOT_SUPPORTED : EXIT_FAILED, "%s: %s", what,
			    error->text);
	if (fetched->old)
		note("%s: could not be fetched anew; that of the cache still holds", what);
	return 0;
}

/* ---- SNP: PEM */

static int append(char **text, const char *more)
{
	char *longer;

	if (asprintf(&longer, "%s%s", *text ? *text : "", more) < 0)
		return fail(EXIT_FAILED, "out of memory");
	free(*text);
	*text = longer;
	return 0;
}

static int fetch_vcek(const struct cvm_snp_report *r, const struct cvm_fetch *f,
		      const struct certs_wish *wish, enum cvm_snp_product product, char **text)
{
	struct cvm_fetched got __cleanup(cleanup_fetched) = { 0 };
	struct cvm_error error;
	int status;

	if (cvm_is_zero(r->chip_id, sizeof(r->chip_id)))
		return fail(EXIT_FAILED, "CHIP_ID is zero: the host masks it, and without it there is no asking for the VCEK: take the host's table (cvmctl report --certs)");
	status = conclude((wish->thim ? cvm_thim_vcek : cvm_kds_vcek)
			  (f, product, r->chip_id, r->reported_tcb, &got, &error),
			  &got, "VCEK", &error);
	return status ? status : append(text, got.text);
}

/* THIM gives the chain along with the VCEK. */
static int fetch_authorities(const struct cvm_fetch *f, enum cvm_snp_product product, bool vlek,
			     bool has_chain, char **text)
{
	struct cvm_fetched chain __cleanup(cleanup_fetched) = { 0 };
	struct cvm_fetched crl __cleanup(cleanup_fetched) = { 0 };
	struct cvm_error error;
	int status = 0;

	if (!has_chain)
		status = conclude(cvm_kds_chain(f, product, vlek, &chain, &error), &chain,
				  vlek ? "ASVK and ARK" : "ASK and ARK", &error);
	if (!status && !has_chain)
		status = append(text, chain.text);
	if (!status)
		status = conclude(cvm_kds_crl(f, product, vlek, &crl, &error), &crl,
				  "revocation list", &error);
	return status ? status : append(text, crl.text);
}

static int for_report(const char *path, struct cvm_span in, const struct cvm_fetch *f,
		      const struct certs_wish *wish, char **text)
{
	enum cvm_snp_product product;
	struct cvm_format_error err;
	struct cvm_snp_report r;
	char why[512];
	int status = 0;
	bool vlek;

	if (cvm_snp_report_parse(in.data, in.len, &r, &err))
		return fail(EXIT_FAILED, "%s: %s", path,
			    cvm_format_error_text(&err, why, sizeof(why)));
	product = r.has_cpuid ? r.product : wish->product;
	if (!product)
		return r.has_cpuid ? fail(EXIT_FAILED, "%s: a product that is not known", path) :
		       usage_error("%s: a report of version 2 does not say its product: give --product",
				   path);
	if (wish->product && wish->product != product)
		return usage_error("%s: its product is %s", path, cvm_snp_product_name(product));
	vlek = r.signing_key == CVM_SNP_SIGNED_VLEK;
	if (vlek)
		note("%s: signed by a VLEK, whose certificate only the host has: cvmctl report --certs", path);
	else
		status = fetch_vcek(&r, f, wish, product, text);
	return status ? status : fetch_authorities(f, product, vlek, wish->thim && !vlek, text);
}

/* ---- TDX: JSON */

/* Which platform: FMSPC, and whose CA issued its certificate */
static int read_platform(const char *path, const struct cvm_certs *certs, uint8_t fmspc[6],
			 const char **ca)
{
	const struct cvm_cert *pck = NULL;
	char name[CVM_NAME_SIZE];

	*ca = NULL;
	for (size_t i = 0; i < certs->count; i++) {
		cvm_cert_name(certs->cert[i].x509, name, sizeof(name));
		if (certs->cert[i].leaf == CVM_LEAF_PCK)
			pck = &certs->cert[i];
		else if (strstr(name, "PCK Platform CA"))
			*ca = "platform";
		else if (strstr(name, "PCK Processor CA"))
			*ca = "processor";
	}
	if (!pck || !*ca)
		return fail(EXIT_FAILED, "%s: the PCK certificate, or that of who issued it, is not there",
			    path);
	if (pck->fault)
		return fail(EXIT_FAILED, "%s: PCK certificate: %s", path, pck->fault);
	memcpy(fmspc, pck->pck.fmspc, sizeof(pck->pck.fmspc));
	return 0;
}

static int find_platform(const char *path, struct cvm_span in, uint8_t fmspc[6], const char **ca)
{
	struct cvm_certs certs __cleanup(cleanup_certs) = { 0 };
	struct cvm_format_error err;
	struct cvm_error why;
	struct cvm_quote q;
	char text[512];

	if (cvm_quote_parse(in.data, in.len, &q, &err))
		return fail(EXIT_FAILED, "%s: %s", path,
			    cvm_format_error_text(&err, text, sizeof(text)));
	if (!q.has_qe || q.qe.cert.type != CVM_CERT_DATA_PCK_CHAIN)
		return fail(EXIT_FAILED, "%s: the quote has no PCK certificate, and so does not say of which platform it is",
			    path);
	if (cvm_certs_load(&certs, q.qe.cert.data.data, q.qe.cert.data.len, &why))
		return fail(EXIT_FAILED, "%s: PCK certificate chain: %s", path, why.text);
	return read_platform(path, &certs, fmspc, ca);
}

static int fill(json_t *file, const char *text_key, const char *chain_key,
		const struct cvm_fetched *got)
{
	if (json_object_set_new(file, text_key, json_string(got->text)) ||
	    (chain_key && json_object_set_new(file, chain_key, json_string(got->chain))))
		return fail(EXIT_FAILED, "out of memory");
	return 0;
}

static int fetch_parts(json_t *file, const struct cvm_fetch *f, const uint8_t fmspc[6],
		       const char *ca)
{
	struct cvm_fetched tcb __cleanup(cleanup_fetched) = { 0 };
	struct cvm_fetched qe __cleanup(cleanup_fetched) = { 0 };
	struct cvm_fetched pck __cleanup(cleanup_fetched) = { 0 };
	struct cvm_fetched root __cleanup(cleanup_fetched) = { 0 };
	struct cvm_error error;
	int status;

	status = conclude(cvm_pcs_tcb_info(f, fmspc, &tcb, &error), &tcb, "TCB info", &error);
	if (!status)
		status = fill(file, CVM_COLLATERAL_TCB_INFO, CVM_COLLATERAL_TCB_INFO_CHAIN, &tcb);
	if (!status)
		status = conclude(cvm_pcs_qe_identity(f, &qe, &error), &qe, "QE identity", &error);
	if (!status)
		status = fill(file, CVM_COLLATERAL_QE_IDENTITY, CVM_COLLATERAL_QE_IDENTITY_CHAIN,
			      &qe);
	if (!status)
		status = conclude(cvm_pcs_pck_crl(f, ca, &pck, &error), &pck,
				  "revocation list of PCK certificates", &error);
	if (!status)
		status = fill(file, CVM_COLLATERAL_PCK_CRL, CVM_COLLATERAL_PCK_CRL_CHAIN, &pck);
	if (!status)
		status = conclude(cvm_pcs_root_crl(f, &root, &error), &root,
				  "revocation list of the root", &error);
	return status ? status : fill(file, CVM_COLLATERAL_ROOT_CRL, NULL, &root);
}

static int for_quote(const char *path, struct cvm_span in, const struct cvm_fetch *f, char **text)
{
	uint8_t fmspc[6] = { 0 };
	const char *ca;
	json_t *file;
	int status = find_platform(path, in, fmspc, &ca);

	if (status)
		return status;
	file = json_pack("{s:i}", CVM_COLLATERAL_VERSION, 1);
	status = fetch_parts(file, f, fmspc, ca);
	if (!status) {
		*text = json_dumps(file, JSON_INDENT(2));
		status = *text ? append(text, "\n") : fail(EXIT_FAILED, "out of memory");
	}
	json_decref(file);
	return status;
}

int certs_for(const char *path, const struct cvm_fetch *f, const struct certs_wish *wish,
	      char **text)
{
	__cleanup_free void *data = NULL;
	struct cvm_hcl_report hcl;
	struct cvm_format_error err;
	struct cvm_span in;
	int status = read_evidence(path, &data, &in.len);

	in.data = data;
	if (status)
		return status;
	switch (cvm_format_detect(in.data, in.len)) {
	case CVM_FORMAT_SNP_REPORT:
		return for_report(path, in, f, wish, text);
	case CVM_FORMAT_TDX_QUOTE:
		return for_quote(path, in, f, text);
	case CVM_FORMAT_HCL_REPORT:
		if (!cvm_hcl_parse(in.data, in.len, &hcl, &err) && hcl.report_type == CVM_HCL_SNP)
			return for_report(path, hcl.hw_report, f, wish, text);
		/* fall through */
	default:
		return fail(EXIT_FAILED, "%s: expected an SNP attestation report, an HCL report that has one, or a TDX quote",
			    path);
	}
}

int certs_vcek(const void *data, size_t len, const struct cvm_fetch *f, char **text)
{
	/* who wrote version 2, which does not say it, ran on nothing else there */
	struct certs_wish wish = { .product = CVM_SNP_MILAN, .thim = true };
	struct cvm_format_error err;
	struct cvm_hcl_report hcl;
	struct cvm_snp_report r;
	char why[512];

	if (cvm_hcl_parse(data, len, &hcl, &err) ||
	    cvm_snp_report_parse(hcl.hw_report.data, hcl.hw_report.len, &r, &err))
		return fail(EXIT_FAILED, "HCL report: %s",
			    cvm_format_error_text(&err, why, sizeof(why)));
	return fetch_vcek(&r, f, &wish, r.has_cpuid ? r.product : wish.product, text);
}
