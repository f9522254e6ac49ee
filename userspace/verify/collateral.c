// SPDX-License-Identifier: MIT
/* The file that holds collateral, and what of it is for a quote. */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>

#include <openssl/x509v3.h>

#include "../common/api.h"
#include "../common/util.h"
#include "collateral.h"
#include "json_in.h"

#define MAX_AMD_CRLS	64

/* everything that there may be; what is not known is not passed over in silence */
static const char *const members[] = {
	CVM_COLLATERAL_VERSION, CVM_COLLATERAL_TCB_INFO, CVM_COLLATERAL_TCB_INFO_SIGNATURE,
	CVM_COLLATERAL_TCB_INFO_CHAIN, CVM_COLLATERAL_QE_IDENTITY,
	CVM_COLLATERAL_QE_IDENTITY_SIGNATURE, CVM_COLLATERAL_QE_IDENTITY_CHAIN,
	CVM_COLLATERAL_ROOT_CRL, CVM_COLLATERAL_PCK_CRL, CVM_COLLATERAL_PCK_CRL_CHAIN,
	CVM_COLLATERAL_PCK_CHAIN, CVM_COLLATERAL_AMD_CRLS,
};

static int check_members(const struct cvm_json *in)
{
	const char *key;
	json_t *value;

	json_object_foreach((json_t *)in->value, key, value) {
		bool known = false;

		for (size_t i = 0; i < ARRAY_SIZE(members); i++)
			known |= !strcmp(key, members[i]);
		if (!known) {
			struct cvm_json member = { value, in, key, 0, in->error };

			return cvm_json_wrong(&member, "no such member");
		}
	}
	return 0;
}

static int check_version(const struct cvm_json *in)
{
	struct cvm_json member;
	uint64_t version;
	int ret;

	if (!cvm_json_has(in, CVM_COLLATERAL_VERSION))
		return 0;
	cvm_json_member(in, CVM_COLLATERAL_VERSION, &member);
	ret = cvm_json_number(&member, UINT32_MAX, &version);
	return ret ? ret : version == 1 ? 0 : cvm_json_wrong(&member, "1");
}

/* PEM as it is; else DER in hexadecimal digits. Names the member in an error. */
static int load_certs(struct cvm_certs *certs, const struct cvm_json *in)
{
	__cleanup_free uint8_t *der = NULL;
	struct cvm_error why;
	const char *text;
	size_t len, where;
	int ret = cvm_json_text(in, &text);

	if (ret)
		return ret;
	len = strlen(text);
	if (len && text[0] != '-') {
		der = malloc(len / 2 + 1);
		if (!der)
			return -ENOMEM;
		if (cvm_hex_decode(text, der, len / 2, &len, &where))
			return cvm_json_wrong(in, "PEM, or DER in hexadecimal digits");
	}
	ret = cvm_certs_load(certs, der ? der : (const void *)text, len, &why);
	return ret == -EBADMSG ? cvm_json_wrong(in, strstr(why.text, "expected ") ?
						strstr(why.text, "expected ") + 9 : why.text) : ret;
}

static int load_member(struct cvm_certs *certs, const struct cvm_json *in, const char *key)
{
	struct cvm_json member;

	if (!cvm_json_has(in, key))
		return 0;
	cvm_json_member(in, key, &member);
	return load_certs(certs, &member);
}

static int load_amd_crls(struct cvm_certs *certs, const struct cvm_json *in)
{
	struct cvm_json list, item;
	size_t count;
	int ret;

	if (!cvm_json_has(in, CVM_COLLATERAL_AMD_CRLS))
		return 0;
	cvm_json_member(in, CVM_COLLATERAL_AMD_CRLS, &list);
	ret = cvm_json_array(&list, MAX_AMD_CRLS, &count);
	for (size_t i = 0; !ret && i < count; i++) {
		cvm_json_item(&list, i, &item);
		ret = load_certs(certs, &item);
	}
	return ret;
}

/*
 * An answer of Intel's service as it came: {"tcbInfo":...,"signature":"..."}. What
 * is signed is the text in between, byte for byte, and it is parsed as the whole
 * of a JSON text: there is no other place where it could end.
 */
static bool split_answer(const char **text, size_t *len, const char *name, uint8_t signature[64])
{
	static const char middle[] = ",\"signature\":\"";
	const size_t tail = sizeof(middle) - 1 + 128 + 2;
	char head[40], digits[129];
	size_t head_len = (size_t)snprintf(head, sizeof(head), "{\"%s\":", name), got, where;
	const char *end;

	while (*len && strchr(" \t\r\n", (*text)[*len - 1]))
		--*len;
	if (*len < head_len + tail || memcmp(*text, head, head_len))
		return false;
	end = *text + *len - tail;
	if (memcmp(end, middle, sizeof(middle) - 1) || memcmp(end + tail - 2, "\"}", 2))
		return false;
	memcpy(digits, end + sizeof(middle) - 1, 128);
	digits[128] = '\0';
	if (cvm_hex_decode(digits, signature, 64, &got, &where) || got != 64)
		return false;
	*len -= head_len + tail;
	*text += head_len;
	return true;
}

struct signed_members {
	const char *text, *signature, *chain, *answer;
};

static const struct signed_members tcb_info_members = {
	CVM_COLLATERAL_TCB_INFO, CVM_COLLATERAL_TCB_INFO_SIGNATURE,
	CVM_COLLATERAL_TCB_INFO_CHAIN, "tcbInfo",
};

static const struct signed_members qe_identity_members = {
	CVM_COLLATERAL_QE_IDENTITY, CVM_COLLATERAL_QE_IDENTITY_SIGNATURE,
	CVM_COLLATERAL_QE_IDENTITY_CHAIN, "enclaveIdentity",
};

/* Of the chain, which may be in any order, the one that is no CA's */
static X509 *find_signer(const struct cvm_certs *chain)
{
	for (size_t i = 0; i < chain->count; i++)
		if (!(X509_get_extension_flags(chain->cert[i].x509) & EXFLAG_CA))
			return chain->cert[i].x509;
	return NULL;
}

static int load_signer(struct cvm_signed *s, struct cvm_certs *issuers,
		       const struct cvm_json *in, const char *key)
{
	struct cvm_certs chain = { 0 };
	int ret = load_member(&chain, in, key);

	if (!ret)
		ret = load_member(issuers, in, key);
	if (!ret)
		s->signer = find_signer(&chain);
	if (s->signer)
		X509_up_ref(s->signer);
	cvm_certs_free(&chain);
	return ret;
}

static int load_signed(struct cvm_signed *s, struct cvm_certs *issuers, const struct cvm_json *in,
		       const struct signed_members *names)
{
	const char *text;
	int ret = cvm_json_get_text(in, names->text, &text);

	if (ret)
		return ret;
	s->len = strlen(text);
	if (cvm_json_has(in, names->signature) ||
	    !split_answer(&text, &s->len, names->answer, s->signature))
		ret = cvm_json_get_hex(in, names->signature, s->signature, sizeof(s->signature));
	if (ret)
		return ret;
	s->text = strndup(text, s->len);
	return s->text ? load_signer(s, issuers, in, names->chain) : -ENOMEM;
}

/* @array: of pointers; grown by one */
static int grow(void *array, size_t count)
{
	void **grown = realloc(*(void **)array, (count + 1) * sizeof(void *));

	if (!grown)
		return -ENOMEM;
	*(void **)array = grown;
	return 0;
}

static int load_tcb_info(struct cvm_collateral *c, const struct cvm_json *in)
{
	struct cvm_tcb_info *info;
	int ret;

	if (!cvm_json_has(in, CVM_COLLATERAL_TCB_INFO))
		return 0;
	info = calloc(1, sizeof(*info));
	if (!info || grow(&c->tcb_info, c->tcb_info_count)) {
		free(info);
		return -ENOMEM;
	}
	c->tcb_info[c->tcb_info_count++] = info;
	ret = load_signed(&info->sig, &c->issuers, in, &tcb_info_members);
	return ret ? ret : cvm_tcb_info_parse(info, in->error);
}

static int load_qe_identity(struct cvm_collateral *c, const struct cvm_json *in)
{
	struct cvm_qe_identity *identity;
	int ret;

	if (!cvm_json_has(in, CVM_COLLATERAL_QE_IDENTITY))
		return 0;
	identity = calloc(1, sizeof(*identity));
	if (!identity || grow(&c->qe_identity, c->qe_identity_count)) {
		free(identity);
		return -ENOMEM;
	}
	c->qe_identity[c->qe_identity_count++] = identity;
	ret = load_signed(&identity->sig, &c->issuers, in, &qe_identity_members);
	return ret ? ret : cvm_qe_identity_parse(identity, in->error);
}

static int load_all(struct cvm_collateral *c, const struct cvm_json *in)
{
	static const char *const certs[] = {
		CVM_COLLATERAL_PCK_CRL_CHAIN, CVM_COLLATERAL_PCK_CHAIN, CVM_COLLATERAL_ROOT_CRL,
		CVM_COLLATERAL_PCK_CRL,
	};
	int ret = check_members(in);

	if (!ret)
		ret = check_version(in);
	for (size_t i = 0; !ret && i < ARRAY_SIZE(certs); i++)
		ret = load_member(&c->issuers, in, certs[i]);
	if (!ret)
		ret = load_amd_crls(&c->issuers, in);
	if (!ret)
		ret = load_tcb_info(c, in);
	return ret ? ret : load_qe_identity(c, in);
}

static void truncate_to(struct cvm_collateral *c, const struct cvm_collateral *before)
{
	cvm_certs_truncate(&c->issuers, before->issuers.count, before->issuers.crl_count);
	while (c->tcb_info_count > before->tcb_info_count)
		cvm_tcb_info_free(c->tcb_info[--c->tcb_info_count]);
	while (c->qe_identity_count > before->qe_identity_count)
		cvm_qe_identity_free(c->qe_identity[--c->qe_identity_count]);
}

int cvm_collateral_load(struct cvm_collateral *collateral, const void *data, size_t len,
			struct cvm_error *error)
{
	const struct cvm_collateral before = *collateral;
	struct cvm_json in;
	int ret = cvm_json_load(data, len, "", &in, error);

	if (ret)
		return ret;
	ret = load_all(collateral, &in);
	json_decref((json_t *)in.value);
	if (ret)
		truncate_to(collateral, &before);
	return ret == -ENOMEM ? cvm_set_error(error, ret, "out of memory") : ret;
}

void cvm_collateral_free(struct cvm_collateral *collateral)
{
	static const struct cvm_collateral none;

	truncate_to(collateral, &none);
	cvm_certs_free(&collateral->issuers);
	free(collateral->tcb_info);
	free(collateral->qe_identity);
}

void cvm_signed_prepare(struct cvm_signed *s, const struct cvm_sources *from)
{
	const struct cvm_span text = { (const uint8_t *)s->text, s->len };
	EVP_PKEY *key;

	s->holds = false;
	if (!s->signer)
		return;
	cvm_chain_make_signer(&s->chain, s->signer, from);
	key = X509_get0_pubkey(s->signer);
	s->holds = cvm_key_is_ec(key, "prime256v1") &&
		   cvm_ecdsa_verify_be(key, EVP_sha256(), s->signature, s->signature + 32, 32,
				       text);
}

static bool is_valid(const struct cvm_signed *s, int64_t at)
{
	return s->issued <= at && at <= s->next;
}

/* Is @a to be taken rather than @b, which may be NULL? */
static bool better(const struct cvm_signed *a, const struct cvm_signed *b, int64_t at)
{
	if (!b)
		return true;
	if (a->holds != b->holds)
		return a->holds;
	if (is_valid(a, at) != is_valid(b, at))
		return is_valid(a, at);
	return a->issued > b->issued;
}

const struct cvm_tcb_info *cvm_collateral_tcb_info(const struct cvm_collateral *c,
						   const struct cvm_pck_cert *pck, int64_t at)
{
	const struct cvm_tcb_info *best = NULL;

	for (size_t i = 0; i < c->tcb_info_count; i++) {
		const struct cvm_tcb_info *info = c->tcb_info[i];

		if (!memcmp(info->fmspc, pck->fmspc, sizeof(pck->fmspc)) &&
		    !memcmp(info->pceid, pck->pceid, sizeof(pck->pceid)) &&
		    better(&info->sig, best ? &best->sig : NULL, at))
			best = info;
	}
	return best;
}

const struct cvm_qe_identity *cvm_collateral_qe_identity(const struct cvm_collateral *c,
							 int64_t at)
{
	const struct cvm_qe_identity *best = NULL;

	for (size_t i = 0; i < c->qe_identity_count; i++)
		if (better(&c->qe_identity[i]->sig, best ? &best->sig : NULL, at))
			best = c->qe_identity[i];
	return best;
}
