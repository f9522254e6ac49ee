// SPDX-License-Identifier: GPL-2.0
/*
 * The host between guest and firmware: it sees every message, may refuse to
 * pass it on, and may deliver what it likes.
 */
#include <inttypes.h>
#include <string.h>

#include "snp.h"

static struct {
	uint32_t generic, lost, replay;
	uint32_t fw_error, fw_error_n;
	uint32_t invalid_len, invalid_len_n;
	uint32_t es_result, es_result_n;
} faults;

static uint64_t requests, extended;
static uint64_t msg_count;
static struct snp_msg last_response;

/* a fault with a value strikes once, unless its own _n says more */
static void arm(uint32_t value, uint32_t *n)
{
	if (!value)
		*n = 0;
	else if (!*n)
		*n = 1;
}

static void arm_fw_error(struct fwd *fwd) { arm(faults.fw_error, &faults.fw_error_n); }
static void arm_invalid_len(struct fwd *fwd) { arm(faults.invalid_len, &faults.invalid_len_n); }
static void arm_es_result(struct fwd *fwd) { arm(faults.es_result, &faults.es_result_n); }
static void arm_status(struct fwd *fwd)
{
	arm(snp_faults.report_status, &snp_faults.report_status_n);
}

static void preset(struct fwd *fwd)
{
	snp_msg_preset(msg_count);
}

const struct fw_option host_options[] = {
	{ "generic_n", "N: VMM error GENERIC to the next N requests, before the firmware",
	  opt_u32, &faults.generic },
	{ "lost_n", "N: GENERIC to the next N requests although the firmware has answered",
	  opt_u32, &faults.lost },
	{ "replay_n", "N: the next N requests get the answer before theirs",
	  opt_u32, &faults.replay },
	{ "fw_error", "N: firmware error of the next request, which it has not counted",
	  opt_u32, &faults.fw_error, .changed = arm_fw_error },
	{ "fw_error_n", "N: for the next N requests", opt_u32, &faults.fw_error_n },
	{ "invalid_len", "N: the next extended request is told that it needs N pages",
	  opt_u32, &faults.invalid_len, .changed = arm_invalid_len },
	{ "invalid_len_n", "N: the next N extended requests are", opt_u32, &faults.invalid_len_n },
	{ "es_result", "N: a failure of the GHCB call itself, for the next request",
	  opt_u32, &faults.es_result, .max = INT32_MAX, .changed = arm_es_result },
	{ "es_result_n", "N: for the next N requests", opt_u32, &faults.es_result_n },
	{ "bad_tag_n", "N: wrong authentication tags", opt_u32, &snp_faults.bad_tag },
	{ "bad_seq_n", "N: wrong sequence numbers", opt_u32, &snp_faults.bad_seq },
	{ "bad_type_n", "N: wrong message types, well authenticated",
	  opt_u32, &snp_faults.bad_type },
	{ "bad_version_n", "N: wrong message versions, well authenticated",
	  opt_u32, &snp_faults.bad_version },
	{ "bad_size_n", "N: wrong message sizes, well authenticated",
	  opt_u32, &snp_faults.bad_size },
	{ "bad_size", "N: the size that bad_size_n gives", opt_u32, &snp_faults.bad_size_value,
	  .max = UINT16_MAX },
	{ "bad_report_data_n", "N: reports, well signed, with somebody else's REPORT_DATA",
	  opt_u32, &snp_faults.bad_report_data },
	{ "report_status", "N: status inside the next report or key answer",
	  opt_u32, &snp_faults.report_status, .changed = arm_status },
	{ "report_status_n", "N: inside the next N answers", opt_u32, &snp_faults.report_status_n },
	{ "msg_count", "N: messages that each VMPCK has carried already (at start)",
	  opt_u64, &msg_count, .changed = preset },
	{ }
};

/* the host's answer without the firmware; true: that is all */
static bool refuse(const struct fw_snp_request *req, struct answer *reply,
		   struct fw_snp_answer *out, uint64_t now)
{
	if (fault(&faults.es_result_n))
		out->es_result = (int32_t)faults.es_result;
	else if (model_busy(now))
		reply->status = SNP_VMM_BUSY;
	else if (fault(&faults.generic) || (req->exit_code != SNP_EXIT_REQUEST &&
					    req->exit_code != SNP_EXIT_EXT_REQUEST))
		reply->status = SNP_VMM_GENERIC;
	else
		return false;
	return true;
}

/* an extended report request; true: too few pages for the certificates */
static bool too_small(const struct fw_snp_request *req, uint32_t table_len,
		      struct fw_snp_answer *out)
{
	uint32_t need = (table_len + FW_PAGE - 1) / FW_PAGE;

	if (fault(&faults.invalid_len_n)) {
		out->data_npages = faults.invalid_len;
		return true;
	}
	if (need <= req->data_npages)
		return false;
	out->data_npages = need;
	return true;
}

/* a host that has none says so with the entry of zeros that ends a table */
static uint32_t certificates(uint8_t *out, uint32_t npages)
{
	uint32_t len = snp_cert_table(out, FW_MAX_CERT_PAGES * FW_PAGE);

	if (len || !npages)
		return len;
	memset(out, 0, 24);
	return 24;
}

static bool is_extended(const struct fw_snp_request *req)
{
	const struct snp_msg *msg = (const struct snp_msg *)req->request;

	return req->exit_code == SNP_EXIT_EXT_REQUEST && msg->hdr.type == SNP_MSG_REPORT_REQ;
}

static uint64_t run_firmware(struct fwd *fwd, const struct snp_msg *req, struct snp_msg *rsp)
{
	static struct snp_msg fresh;
	uint64_t status;

	if (fault(&faults.fw_error_n))
		return faults.fw_error;
	status = snp_guest_message(fwd, req, &fresh);
	if (status)
		return status;
	*rsp = fault(&faults.replay) ? last_response : fresh;
	last_response = fresh;
	return fault(&faults.lost) ? SNP_VMM_GENERIC : 0;
}

void snp_request(struct fwd *fwd, const struct fw_snp_request *req, struct answer *reply,
		 uint64_t now)
{
	struct fw_snp_answer *out = (struct fw_snp_answer *)reply->data;
	struct snp_msg msg;
	uint32_t table_len = 0;
	bool ext = is_extended(req);

	memset(out, 0, sizeof(*out));
	reply->len = sizeof(*out);
	memcpy(&msg, req->request, sizeof(msg));
	requests++;
	extended += ext;
	snp_msg_seen(fwd, &msg);
	if (refuse(req, reply, out, now))
		return;
	if (ext)
		table_len = certificates(reply->data + sizeof(*out), req->data_npages);
	if (ext && too_small(req, table_len, out)) {
		reply->status = SNP_VMM_INVALID_LEN;
		return;
	}
	reply->status = run_firmware(fwd, &msg, (struct snp_msg *)out->response);
	reply->delay_ns = model_delay(MODEL_REPORT, now);
	reply->flags = model_flags();
	if (reply->status)
		return;
	out->deliver = 1;
	out->certs_len = table_len;	/* it fits, see too_small() */
	reply->len += out->certs_len;
}

/* a report for a program beside any VM: no message, no key, no sequence */
void snp_sim_report(struct fwd *fwd, const struct fw_sim_report *req, struct answer *reply,
		    uint64_t now)
{
	struct snp_report_req body = { .vmpl = req->vmpl, .key_sel = req->key_sel };
	struct snp_report_rsp rsp = { 0 };

	requests++;
	if (model_busy(now)) {
		reply->status = SNP_VMM_BUSY;
		return;
	}
	memcpy(body.report_data, req->report_data, sizeof(body.report_data));
	snp_report(&body, snp_vmpl(), &rsp);
	reply->delay_ns = model_delay(MODEL_REPORT, now);
	reply->status = rsp.status;
	if (rsp.status)
		return;
	memcpy(reply->data, rsp.report, SNP_REPORT_LEN);
	reply->len = SNP_REPORT_LEN;
	reply->len += snp_cert_table(reply->data + SNP_REPORT_LEN, FW_MAX_CERT_PAGES * FW_PAGE);
}

/* what the guest's firmware derives, for who looks for it in the guest's memory */
void snp_sim_key(struct fwd *fwd, const uint8_t ask[40], struct answer *reply)
{
	struct snp_key_req req;
	struct snp_key_rsp rsp;

	memcpy(&req, ask, sizeof(req));
	snp_derive_key(fwd, &req, 2, snp_vmpl(), &rsp);
	reply->status = rsp.status;
	if (rsp.status)
		return;
	memcpy(reply->data, rsp.key, sizeof(rsp.key));
	reply->len = sizeof(rsp.key);
}

int snp_init(struct fwd *fwd)
{
	snp_config_init(fwd);
	snp_msg_init(fwd);
	return snp_certs_init(fwd);
}

void snp_status(FILE *out)
{
	fprintf(out, "requests=%" PRIu64 "\nextended_requests=%" PRIu64 "\n", requests, extended);
	snp_msg_status(out);
	svsm_status(out);
	ivlog_status(out);
}
