// SPDX-License-Identifier: GPL-2.0
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "make_collateral.h"
#include "make_tdx.h"

#define ZEROS96	"000000000000000000000000000000000000000000000000" \
		"000000000000000000000000000000000000000000000000"
#define ISSUED	"2025-06-10T00:00:00Z"
#define NEXT	"2025-07-10T00:00:00Z"

json_t *make_components(const int *svn, int count)
{
	json_t *list = json_array();

	for (int i = 0; i < 16; i++)
		json_array_append_new(list, json_pack("{s:i, s:s}", "svn", i < count ? svn[i] : 0,
						      "category", "BIOS"));
	return list;
}

static json_t *make_level(const int *sgx, int pcesvn, const int *tdx, const char *status)
{
	return json_pack("{s:{s:o, s:i, s:o}, s:s, s:s, s:[]}", "tcb",
			 "sgxtcbcomponents", make_components(sgx, 8), "pcesvn", pcesvn,
			 "tdxtcbcomponents", make_components(tdx, 3),
			 "tcbDate", "2024-03-13T00:00:00Z", "tcbStatus", status, "advisoryIDs");
}

static json_t *svn_level(int isvsvn, const char *status)
{
	return json_pack("{s:{s:i}, s:s, s:s}", "tcb", "isvsvn", isvsvn,
			 "tcbDate", "2024-03-13T00:00:00Z", "tcbStatus", status);
}

json_t *make_tcb_info(void)
{
	static const int sgx[] = { 2, 2, 2, 2, 3, 1, 0, 5 }, old[] = { 2, 2, 2, 2, 3, 1, 0, 3 };
	static const int tdx[] = { 5, 0, 3 }, old_tdx[] = { 4, 0, 2 };

	return json_pack("{s:s, s:i, s:s, s:s, s:s, s:s, s:i, s:i, s:{s:s, s:s, s:s},"
			 " s:[{s:s, s:s, s:s, s:s, s:[o, o]}], s:[o, o]}",
			 "id", "TDX", "version", 3, "issueDate", ISSUED, "nextUpdate", NEXT,
			 "fmspc", "50806f000000", "pceId", "0000", "tcbType", 0,
			 "tcbEvaluationDataNumber", 17,
			 "tdxModule", "mrsigner", ZEROS96, "attributes", "0000000000000000",
			 "attributesMask", "FFFFFFFFFFFFFFFF",
			 "tdxModuleIdentities", "id", "TDX_01", "mrsigner", ZEROS96,
			 "attributes", "0000000000000000", "attributesMask", "FFFFFFFFFFFFFFFF",
			 "tcbLevels", svn_level(5, "UpToDate"), svn_level(2, "OutOfDate"),
			 "tcbLevels", make_level(sgx, 11, tdx, "UpToDate"),
			 make_level(old, 10, old_tdx, "OutOfDate"));
}

json_t *make_qe_identity(void)
{
	return json_pack("{s:s, s:i, s:s, s:s, s:i, s:s, s:s, s:s, s:s, s:s, s:i, s:[o, o]}",
			 "id", "TD_QE", "version", 2, "issueDate", ISSUED, "nextUpdate", NEXT,
			 "tcbEvaluationDataNumber", 17, "miscselect", "00000000",
			 "miscselectMask", "FFFFFFFF",
			 "attributes", "11000000000000000000000000000000",
			 "attributesMask", "FBFFFFFFFFFFFFFF0000000000000000",
			 "mrsigner",
			 "4646464646464646464646464646464646464646464646464646464646464646",
			 "isvprodid", 2, "tcbLevels", svn_level(4, "UpToDate"),
			 svn_level(2, "OutOfDate"));
}

static json_t *step(json_t *at, const char *name)
{
	json_t *next = json_is_array(at) ? json_array_get(at, (size_t)atoi(name)) :
					   json_object_get(at, name);

	return need(next);
}

json_t *json_at(json_t *root, const char *path)
{
	char *copy = need(strdup(path)), *save, *name;

	for (name = strtok_r(copy, ".", &save); name; name = strtok_r(NULL, ".", &save))
		root = step(root, name);
	free(copy);
	return root;
}

void json_put(json_t *root, const char *path, json_t *value)
{
	const char *dot = strrchr(path, '.');
	char *above = need(strndup(path, dot ? (size_t)(dot - path) : 0));
	json_t *at = json_at(root, above);

	free(above);
	if (json_is_array(at))
		json_array_set_new(at, (size_t)atoi(dot + 1), value);
	else
		json_object_set_new(at, dot ? dot + 1 : path, value);
}

static void put_hex(json_t *root, const char *key, const uint8_t *data, size_t len)
{
	char *text = need(malloc(2 * len + 1));

	for (size_t i = 0; i < len; i++)
		sprintf(text + 2 * i, "%02x", data[i]);
	json_object_set_new(root, key, json_stringn(text, 2 * len));
	free(text);
}

static void put_crl(json_t *root, const char *key, const struct crl_spec *spec)
{
	size_t len;
	uint8_t *der = crl_der(spec, &len);

	put_hex(root, key, der, len);
	free(der);
}

static void put_chain(json_t *root, const char *key, const struct cert_spec *leaf,
		      const struct cert_spec *issuer, bool reversed)
{
	X509 *certs[2] = { make_cert(reversed ? issuer : leaf),
			   make_cert(reversed ? leaf : issuer) };
	size_t len;
	char *pem = certs_pem(certs, 2, &len);

	json_object_set_new(root, key, json_stringn(pem, len));
	X509_free(certs[0]);
	X509_free(certs[1]);
	free(pem);
}

static char *sign_text(const json_t *json, EVP_PKEY *key, uint8_t signature[64])
{
	char *text = need(json_dumps(json, JSON_COMPACT));

	sign_ecdsa(key, EVP_sha256(), text, strlen(text), signature, signature + 32, 32);
	return text;
}

static void put_signed(json_t *root, const struct tdx_world *w, bool tcb_info, char *text,
		       const uint8_t signature[64])
{
	const char *key = tcb_info ? "tcb_info" : "qe_identity";
	struct cert_spec issuer = w->root;
	char name[64], hex[129];

	for (int i = 0; i < 64; i++)
		sprintf(hex + 2 * i, "%02x", signature[i]);
	if (w->as_answer) {
		json_object_set_new(root, key,
				    json_sprintf("{\"%s\":%s,\"signature\":\"%s\"}\n",
						 tcb_info ? "tcbInfo" : "enclaveIdentity", text,
						 hex));
	} else {
		json_object_set_new(root, key, json_string(text));
		snprintf(name, sizeof(name), "%s_signature", key);
		json_object_set_new(root, name, json_string(hex));
	}
	snprintf(name, sizeof(name), "%s_issuer_chain", key);
	if (w->signer_own_root)
		issuer.key = issuer.issuer_key = tdx_keys.other;
	if (!w->no_signer)
		put_chain(root, name, &w->tcb_signer, &issuer, w->signer_reversed);
}

char *tdx_collateral(const struct tdx_world *w)
{
	uint8_t tcb_signature[64], qe_signature[64];
	char *tcb_info = sign_text(w->tcb_info, w->tcb_info_key, tcb_signature);
	char *qe_identity = sign_text(w->qe_identity, w->qe_identity_key, qe_signature);
	json_t *root = json_object();
	char *text;

	if (w->tamper_text)
		w->tamper_text(tcb_info, qe_identity);
	if (!w->no_tcb_info)
		put_signed(root, w, true, tcb_info, tcb_signature);
	if (!w->no_qe_identity)
		put_signed(root, w, false, qe_identity, qe_signature);
	if (!w->no_root_crl)
		put_crl(root, "root_ca_crl", &w->root_crl);
	if (!w->no_pck_crl)
		put_crl(root, "pck_crl", &w->pck_crl);
	put_chain(root, "pck_crl_issuer_chain", &w->ca, &w->root, false);
	text = need(json_dumps(root, 0));
	json_decref(root);
	free(tcb_info);
	free(qe_identity);
	return text;
}
