// SPDX-License-Identifier: GPL-2.0-only
#include <linux/string.h>
#include <uapi/linux/cvm_guest_key.h>

#include "../request.h"
#include "snp_key.h"

/**
 * struct facts - what reports have said
 * @version: of the last report; 0: there was none
 * @signers: whether it is known who signs unless told
 * @vlek: it is the VLEK
 */
static struct {
	u32 version;
	bool signers;
	bool vlek;
} facts;

void cvm_snp_key_learn(const struct cvm_snp_report_req *asked,
		       const struct cvm_snp_report *report)
{
	facts.version = report->version;
	if (asked->key_sel != CVM_KEY_AUTO)
		return;
	facts.signers = true;
	facts.vlek = (report->key_info & CVM_SNP_KEY_INFO_SIGNER) ==
		     CVM_SNP_SIGNED_BY_VLEK;
}

void cvm_snp_key_forget(void)
{
	memset(&facts, 0, sizeof(facts));
}

/* firmware may have been updated since, which only ever adds to what it takes */
static bool knows_mitigations(void)
{
	return facts.version >= CVM_SNP_REPORT_V5;
}

bool cvm_snp_key_ready(const struct cvm_req *req)
{
	/* the caller says whose key, and hears in the answer what is wrong with it */
	if (req->raw)
		return req->raw->version == CVM_SNP_KEY_REQ_V1 || knows_mitigations();
	return facts.version && facts.signers &&
	       (knows_mitigations() || !(req->key.mix & CVM_MIX_LAUNCH_MIT));
}

/* ROOT_KEY_SELECT has more than one bit */
static bool knows_key_sel(void)
{
	return facts.version >= CVM_SNP_REPORT_V3 || facts.vlek;
}

static u32 root_of(const struct cvm_key_ask *key)
{
	if (key->root == CVM_ROOT_VMRK)
		return CVM_SNP_ROOT_VMRK;
	return knows_key_sel() ? CVM_SNP_ROOT_VCEK : CVM_SNP_ROOT_ANY;
}

bool cvm_snp_key_doubtful(const struct cvm_snp_key_req *ask)
{
	return ask->root_key_select == CVM_SNP_ROOT_ANY;
}

bool cvm_snp_key_of_chip(void)
{
	return !facts.vlek;
}

static int ask_raw(const struct cvm_raw *raw, struct cvm_snp_key_req *ask, u8 *version)
{
	if (raw->version != CVM_SNP_KEY_REQ_V1 && !knows_mitigations())
		return -EOPNOTSUPP;
	*ask = (struct cvm_snp_key_req){};
	memcpy(ask, raw->body, raw->len);
	*version = raw->version;
	return raw->len;
}

int cvm_snp_key_ask(const struct cvm_req *req, struct cvm_snp_key_req *ask,
		    u8 *version)
{
	const struct cvm_key_ask *key = &req->key;

	if (req->raw)
		return ask_raw(req->raw, ask, version);
	*ask = (struct cvm_snp_key_req){
		.root_key_select = root_of(key),
		.guest_field_select = key->mix,
		.vmpl = req->vmpl,
		.guest_svn = key->guest_svn,
		.tcb_version = key->tcb,
		.launch_mit_vector = key->launch_mit_vector,
	};
	if (!(key->mix & CVM_MIX_LAUNCH_MIT)) {
		*version = CVM_SNP_KEY_REQ_V1;
		return CVM_SNP_KEY_REQ_V1_SIZE;
	}
	if (!knows_mitigations())
		return -EOPNOTSUPP;
	*version = CVM_SNP_KEY_REQ_V2;
	return sizeof(*ask);
}
