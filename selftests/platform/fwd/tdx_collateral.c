// SPDX-License-Identifier: GPL-2.0
/*
 * What Intel would publish of this platform: TCB info with one level, which it
 * meets, the identity of its quoting enclave, and empty revocation lists.
 */
#include <jansson.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <openssl/pem.h>

#include "tdx_state.h"

#define DAY	(24 * 60 * 60)

static json_t *hex(const uint8_t *bytes, size_t len)
{
	char text[200];
	size_t i;

	for (i = 0; i < len; i++)
		snprintf(text + 2 * i, 3, "%02X", bytes[i]);
	return json_stringn(text, 2 * len);
}

static json_t *when(time_t time)
{
	char text[32];
	struct tm tm;

	strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%SZ", gmtime_r(&time, &tm));
	return json_string(text);
}

static const char *status(void)
{
	static const char *const names[] = {
		"UpToDate", "ConfigurationNeeded", "OutOfDate", "Revoked",
	};

	return names[tdx_config.tcb_status];
}

/* @from: the first that counts; those before it are zero */
static json_t *components(const uint8_t svn[16], unsigned int from)
{
	json_t *list = json_array();
	unsigned int i;

	for (i = 0; i < 16; i++)
		json_array_append_new(list, json_pack("{s:i}", "svn", i < from ? 0 : svn[i]));
	return list;
}

static json_t *levels(int isvsvn)
{
	return json_pack("[{s:{s:i}, s:o, s:s}]", "tcb", "isvsvn", isvsvn,
			 "tcbDate", when(1700000000), "tcbStatus", "UpToDate");
}

static json_t *module_identities(void)
{
	const uint8_t *svn = tdx_config.tee_tcb_svn;
	char id[8];

	if (!svn[1])
		return json_array();
	snprintf(id, sizeof(id), "TDX_%02X", svn[1]);
	return json_pack("[{s:s, s:o, s:s, s:s, s:o}]", "id", id,
			 "mrsigner", hex(tdx_config.mrsignerseam, TDX_HASH_LEN),
			 "attributes", "0000000000000000", "attributesMask", "FFFFFFFFFFFFFFFF",
			 "tcbLevels", levels(svn[0]));
}

static json_t *tcb_info(time_t now)
{
	const struct tdx_config *c = &tdx_config;

	return json_pack("{s:s, s:i, s:o, s:o, s:o, s:o, s:i, s:i, s:{s:o, s:s, s:s}, s:o,"
			 " s:[{s:{s:o, s:i, s:o}, s:o, s:s}]}",
			 "id", "TDX", "version", 3, "issueDate", when(now - DAY),
			 "nextUpdate", when(now + 30 * DAY), "fmspc", hex(c->fmspc, 6),
			 "pceId", hex(c->pceid, 2), "tcbType", 0, "tcbEvaluationDataNumber", 17,
			 "tdxModule", "mrsigner", hex(c->mrsignerseam, TDX_HASH_LEN),
			 "attributes", "0000000000000000", "attributesMask", "FFFFFFFFFFFFFFFF",
			 "tdxModuleIdentities", module_identities(),
			 "tcbLevels", "tcb", "sgxtcbcomponents", components(c->pck_svn, 0),
			 "pcesvn", (int)c->pcesvn, "tdxtcbcomponents",
			 components(c->tee_tcb_svn, c->tee_tcb_svn[1] ? 2 : 0),
			 "tcbDate", when(1700000000), "tcbStatus", status());
}

static json_t *qe_identity(time_t now)
{
	uint8_t mrsigner[32];

	tdx_qe_signer(mrsigner);
	return json_pack("{s:s, s:i, s:o, s:o, s:i, s:s, s:s, s:s, s:s, s:o, s:i, s:o}",
			 "id", "TD_QE", "version", 2, "issueDate", when(now - DAY),
			 "nextUpdate", when(now + 30 * DAY), "tcbEvaluationDataNumber", 17,
			 "miscselect", "00000000", "miscselectMask", "FFFFFFFF",
			 "attributes", "11000000000000000000000000000000",
			 "attributesMask", "FBFFFFFFFFFFFFFF0000000000000000",
			 "mrsigner", hex(mrsigner, 32), "isvprodid", 2,
			 "tcbLevels", levels((int)tdx_config.qe_svn));
}

static json_t *chain_text(const struct pki_cert *leaf, const struct pki_cert *root)
{
	BIO *pem = BIO_new(BIO_s_mem());
	json_t *text = NULL;
	char *data;
	long len;

	if (pem && PEM_write_bio_X509(pem, leaf->x509) && PEM_write_bio_X509(pem, root->x509)) {
		len = BIO_get_mem_data(pem, &data);
		text = json_stringn(data, (size_t)len);
	}
	BIO_free(pem);
	return text;
}

/* takes over @document */
static int put_signed(json_t *file, const char *name, json_t *document,
		      const struct pki_cert *signing, const struct pki_cert *root)
{
	char *text = document ? json_dumps(document, JSON_COMPACT) : NULL, key[40];
	uint8_t signature[64];
	int ret = -1;

	json_decref(document);
	if (text && !tdx_sign(signing->key, text, strlen(text), signature)) {
		ret = json_object_set_new(file, name, json_string(text));
		snprintf(key, sizeof(key), "%s_signature", name);
		ret |= json_object_set_new(file, key, hex(signature, sizeof(signature)));
		snprintf(key, sizeof(key), "%s_issuer_chain", name);
		ret |= json_object_set_new(file, key, chain_text(signing, root));
	}
	free(text);
	return ret;
}

static int put_crl(json_t *file, const char *name, const struct pki_cert *issuer)
{
	char *text = pki_crl(issuer, PKI_ECDSA_SHA256);
	int ret = text ? json_object_set_new(file, name, json_string(text)) : -1;

	free(text);
	return ret;
}

static int fill(json_t *file, const struct pki_cert *root, const struct pki_cert *platform,
		const struct pki_cert *signing)
{
	time_t now = time(NULL);

	return put_signed(file, "tcb_info", tcb_info(now), signing, root) ||
	       put_signed(file, "qe_identity", qe_identity(now), signing, root) ||
	       put_crl(file, "root_ca_crl", root) || put_crl(file, "pck_crl", platform) ||
	       json_object_set_new(file, "pck_crl_issuer_chain", chain_text(platform, root));
}

int tdx_collateral_save(const struct fwd *fwd, const struct pki_cert *root,
			const struct pki_cert *platform, const struct pki_cert *signing)
{
	json_t *file = json_pack("{s:i}", "version", 1);
	char *text = NULL;
	int ret = -1;

	if (file && !fill(file, root, platform, signing))
		text = json_dumps(file, JSON_INDENT(1));
	json_decref(file);
	if (text)
		ret = pki_save_file(fwd->state_dir, "tdx-collateral.json", text, strlen(text));
	else
		fprintf(stderr, "cvm-fwd: cannot write the platform's collateral\n");
	free(text);
	return ret;
}
