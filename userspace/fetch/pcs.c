// SPDX-License-Identifier: MIT
/*
 * Intel's Provisioning Certification Service, or a cache of it nearby (PCCS), whose
 * answers are the same: "Intel Provisioning Certification Service API", version 4.
 */
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "../common/util.h"
#include "../verify/json_in.h"
#include "internal.h"

static void cleanup_json(struct cvm_json *in)
{
	json_decref((json_t *)in->value);
}

/* Is the document the one that was asked for? */
static int check_subject(const struct cvm_item *item, const struct cvm_json *document,
			 struct cvm_error *error)
{
	uint8_t fmspc[6];
	const char *id;
	int ret = cvm_json_get_text(document, "id", &id);

	if (!ret && item->fmspc)
		ret = cvm_json_get_hex(document, "fmspc", fmspc, sizeof(fmspc));
	if (ret)
		return ret;
	if (strcmp(id, item->fmspc ? "TDX" : "TD_QE") ||
	    (item->fmspc && memcmp(fmspc, item->fmspc, sizeof(fmspc))))
		return cvm_set_error(error, -EBADMSG, "it is about another platform");
	return 0;
}

/* Kept byte for byte: the signature is over them. */
static int read_document(const struct cvm_item *item, const char *body, size_t len,
			 struct cvm_fetched *out, struct cvm_error *error)
{
	struct cvm_json in __cleanup(cleanup_json) = { 0 }, document;
	struct cvm_error why;
	int ret = cvm_json_load(body, len, "", &in, &why);

	if (!ret)
		ret = cvm_json_member(&in, item->fmspc ? "tcbInfo" : "enclaveIdentity", &document);
	if (!ret)
		ret = check_subject(item, &document, &why);
	if (!ret)
		ret = cvm_json_get_time(&document, "nextUpdate", &out->expires);
	if (ret)
		return cvm_set_error(error, ret, "%.100s: %.150s", item->url, why.text);
	out->text = strndup(body, len);
	return out->text ? 0 : cvm_set_error(error, -ENOMEM, "out of memory");
}

int cvm_pcs_tcb_info(const struct cvm_fetch *f, const uint8_t fmspc[6], struct cvm_fetched *out,
		     struct cvm_error *error)
{
	struct cvm_item item = { .fresh = CVM_FETCH_DAY, .read = read_document, .fmspc = fmspc,
				 .chain_header = "TCB-Info-Issuer-Chain" };
	char digits[13];

	cvm_hex_encode(fmspc, 6, digits);
	snprintf(item.key, sizeof(item.key), "pcs-tcb-%s", digits);
	snprintf(item.url, sizeof(item.url), "%s/tdx/certification/v4/tcb?fmspc=%s", f->pcs, digits);
	return cvm_fetch_item(f, &item, out, error);
}

int cvm_pcs_qe_identity(const struct cvm_fetch *f, struct cvm_fetched *out,
			struct cvm_error *error)
{
	struct cvm_item item = { .key = "pcs-td-qe-identity", .fresh = CVM_FETCH_DAY,
				 .read = read_document,
				 .chain_header = "SGX-Enclave-Identity-Issuer-Chain" };

	snprintf(item.url, sizeof(item.url), "%s/tdx/certification/v4/qe/identity", f->pcs);
	return cvm_fetch_item(f, &item, out, error);
}

int cvm_pcs_pck_crl(const struct cvm_fetch *f, const char *ca, struct cvm_fetched *out,
		    struct cvm_error *error)
{
	struct cvm_item item = { .fresh = CVM_FETCH_DAY, .read = cvm_read_crl,
				 .chain_header = "SGX-PCK-CRL-Issuer-Chain" };

	snprintf(item.key, sizeof(item.key), "pcs-pck-crl-%s", ca);
	snprintf(item.url, sizeof(item.url), "%s/sgx/certification/v4/pckcrl?ca=%s&encoding=der",
		 f->pcs, ca);
	return cvm_fetch_item(f, &item, out, error);
}

/* Intel publishes the root's elsewhere; a PCCS has it too. */
int cvm_pcs_root_crl(const struct cvm_fetch *f, struct cvm_fetched *out, struct cvm_error *error)
{
	struct cvm_item item = { .key = "pcs-root-crl", .fresh = CVM_FETCH_DAY,
				 .read = cvm_read_crl };

	if (strcmp(f->pcs, CVM_PCS_URL))
		snprintf(item.url, sizeof(item.url), "%s/sgx/certification/v4/rootcacrl", f->pcs);
	else
		snprintf(item.url, sizeof(item.url), "%s", CVM_PCS_ROOT_CRL);
	return cvm_fetch_item(f, &item, out, error);
}
