// SPDX-License-Identifier: MIT
/* TDREPORTs and TDX quotes as JSON. */
#include "show.h"

static json_t *show_rtmrs(const uint8_t rtmr[4][48])
{
	json_t *list = json_array();

	for (int i = 0; i < 4; i++)
		json_array_append_new(list, cvm_json_of_hex(rtmr[i], 48));
	return list;
}

static json_t *show_mac_struct(const struct cvm_tdreport *r)
{
	return json_pack("{s:o, s:o, s:o, s:o, s:o}",
			 "cpusvn", cvm_json_of_hex(r->cpusvn, sizeof(r->cpusvn)),
			 "tee_tcb_info_hash",
			 cvm_json_of_hex(r->tee_tcb_info_hash, sizeof(r->tee_tcb_info_hash)),
			 "tee_info_hash", cvm_json_of_hex(r->tee_info_hash, sizeof(r->tee_info_hash)),
			 "reportdata", cvm_json_of_hex(r->reportdata, sizeof(r->reportdata)),
			 "mac", cvm_json_of_hex(r->mac, sizeof(r->mac)));
}

static json_t *show_tcb_info(const struct cvm_tdreport *r)
{
	json_t *object =
		json_pack("{s:o, s:o, s:o, s:o, s:o}", "valid", json_hex64(r->valid),
			  "tee_tcb_svn", cvm_json_of_hex(r->tee_tcb_svn, sizeof(r->tee_tcb_svn)),
			  "mrseam", cvm_json_of_hex(r->mrseam, sizeof(r->mrseam)),
			  "mrsignerseam", cvm_json_of_hex(r->mrsignerseam, sizeof(r->mrsignerseam)),
			  "attributes", json_hex64(r->seam_attributes));

	if (r->has_tee_tcb_svn2)
		json_object_set_new(object, "tee_tcb_svn2",
				    cvm_json_of_hex(r->tee_tcb_svn2, sizeof(r->tee_tcb_svn2)));
	return object;
}

static json_t *show_tdinfo(const struct cvm_tdreport *r)
{
	json_t *object =
		json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
			  "attributes", json_hex64(r->attributes), "xfam", json_hex64(r->xfam),
			  "mrtd", cvm_json_of_hex(r->mrtd, sizeof(r->mrtd)),
			  "mrconfigid", cvm_json_of_hex(r->mrconfigid, sizeof(r->mrconfigid)),
			  "mrowner", cvm_json_of_hex(r->mrowner, sizeof(r->mrowner)),
			  "mrownerconfig", cvm_json_of_hex(r->mrownerconfig, sizeof(r->mrownerconfig)),
			  "rtmr", show_rtmrs(r->rtmr));

	if (r->version >= 1)
		json_object_set_new(object, "servtd_hash",
				    cvm_json_of_hex(r->servtd_hash, sizeof(r->servtd_hash)));
	return object;
}

json_t *show_tdreport(const struct cvm_tdreport *r)
{
	json_t *object = json_pack("{s:s, s:i, s:i}", "type", "tdreport",
				   "subtype", r->subtype, "version", r->version);

	/* A version that is not known: the parser filled in nothing else. */
	if (!r->tdinfo.data)
		return object;
	json_object_update_new(object, show_mac_struct(r));
	json_object_set_new(object, "tee_tcb_info", show_tcb_info(r));
	json_object_set_new(object, "tdinfo", show_tdinfo(r));
	return object;
}

static json_t *show_body(const struct cvm_td_body *b, bool td15)
{
	json_t *object =
		json_pack("{s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o, s:o}",
			  "tee_tcb_svn", cvm_json_of_hex(b->tee_tcb_svn, sizeof(b->tee_tcb_svn)),
			  "mrseam", cvm_json_of_hex(b->mrseam, sizeof(b->mrseam)),
			  "mrsignerseam", cvm_json_of_hex(b->mrsignerseam, sizeof(b->mrsignerseam)),
			  "seamattributes", json_hex64(b->seamattributes),
			  "tdattributes", json_hex64(b->tdattributes),
			  "xfam", json_hex64(b->xfam),
			  "mrtd", cvm_json_of_hex(b->mrtd, sizeof(b->mrtd)),
			  "mrconfigid", cvm_json_of_hex(b->mrconfigid, sizeof(b->mrconfigid)),
			  "mrowner", cvm_json_of_hex(b->mrowner, sizeof(b->mrowner)),
			  "mrownerconfig", cvm_json_of_hex(b->mrownerconfig, sizeof(b->mrownerconfig)),
			  "rtmr", show_rtmrs(b->rtmr),
			  "reportdata", cvm_json_of_hex(b->reportdata, sizeof(b->reportdata)));

	if (td15) {
		json_object_set_new(object, "tee_tcb_svn_2",
				    cvm_json_of_hex(b->tee_tcb_svn_2, sizeof(b->tee_tcb_svn_2)));
		json_object_set_new(object, "mrservicetd",
				    cvm_json_of_hex(b->mrservicetd, sizeof(b->mrservicetd)));
	}
	return object;
}

static json_t *show_enclave(const struct cvm_sgx_report *r)
{
	return json_pack("{s:o, s:I, s:o, s:o, s:o, s:i, s:i, s:o}",
			 "cpusvn", cvm_json_of_hex(r->cpusvn, sizeof(r->cpusvn)),
			 "miscselect", (json_int_t)r->miscselect,
			 "attributes", cvm_json_of_hex(r->attributes, sizeof(r->attributes)),
			 "mrenclave", cvm_json_of_hex(r->mrenclave, sizeof(r->mrenclave)),
			 "mrsigner", cvm_json_of_hex(r->mrsigner, sizeof(r->mrsigner)),
			 "isvprodid", r->isvprodid, "isvsvn", r->isvsvn,
			 "reportdata", cvm_json_of_hex(r->reportdata, sizeof(r->reportdata)));
}

static json_t *show_ppid(const struct cvm_ppid *p)
{
	return json_pack("{s:b, s:o, s:o, s:i, s:i}", "encrypted", p->encrypted,
			 "ppid", cvm_json_of_hex(p->ppid.data, p->ppid.len),
			 "cpusvn", cvm_json_of_hex(p->cpusvn, sizeof(p->cpusvn)),
			 "pcesvn", p->pcesvn, "pceid", p->pceid);
}

static json_t *show_cert_data(const struct cvm_cert_data *c)
{
	json_t *object = json_pack("{s:i, s:s, s:I}", "type", c->type,
				   "name", cvm_cert_data_name(c->type),
				   "size", (json_int_t)c->data.len);
	struct cvm_format_error err;
	struct cvm_ppid ppid;

	if (c->type == CVM_CERT_DATA_PCK_LEAF || c->type == CVM_CERT_DATA_PCK_CHAIN)
		json_object_set_new(object, "certificate", show_certs(c->data));
	else if (c->type <= CVM_CERT_DATA_PPID_RSA3072 && !cvm_ppid_parse(c, &ppid, &err))
		json_object_set_new(object, "ppid", show_ppid(&ppid));
	return object;
}

static json_t *show_qe(const struct cvm_qe_cert *qe)
{
	return json_pack("{s:o, s:o, s:o, s:o}", "qe_report", show_enclave(&qe->qe),
			 "signature", cvm_json_of_hex(qe->signature.data, qe->signature.len),
			 "authentication_data", cvm_json_of_hex(qe->auth_data.data, qe->auth_data.len),
			 "certification_data", show_cert_data(&qe->cert));
}

static json_t *show_quote_signature(const struct cvm_quote *q)
{
	json_t *object =
		json_pack("{s:o, s:o, s:o}",
			  "signature", cvm_json_of_hex(q->signature.data, q->signature.len),
			  "attestation_key",
			  cvm_json_of_hex(q->attestation_key.data, q->attestation_key.len),
			  "certification_data", show_cert_data(&q->cert));

	if (q->has_qe)
		json_object_set_new(object, "qe", show_qe(&q->qe));
	return object;
}

json_t *show_quote(const struct cvm_quote *q)
{
	bool sgx = q->version && q->tee_type == CVM_QUOTE_TEE_SGX && q->att_key_type;
	json_t *object = json_pack("{s:s, s:i}", "type", sgx ? "sgx-quote" : "tdx-quote",
				   "version", q->version);

	if (q->version != 4 && q->version != 5)
		return object;
	json_object_set_new(object, "att_key_type", json_integer(q->att_key_type));
	json_object_set_new(object, "tee_type", json_integer(q->tee_type));
	json_object_set_new(object, "qe_vendor_id",
			    cvm_json_of_hex(q->qe_vendor_id, sizeof(q->qe_vendor_id)));
	json_object_set_new(object, "user_data", cvm_json_of_hex(q->user_data, sizeof(q->user_data)));
	if (!q->signature.data)
		return object;
	json_object_set_new(object, "body_type", json_integer(q->body_type));
	if (q->body_type == CVM_QUOTE_BODY_SGX)
		json_object_set_new(object, "enclave", show_enclave(&q->enclave));
	else
		json_object_set_new(object, "body",
				    show_body(&q->body, q->body_type == CVM_QUOTE_BODY_TD15));
	json_object_set_new(object, "signature_data", show_quote_signature(q));
	json_object_set_new(object, "trailing_bytes",
			    json_integer((json_int_t)q->trailing.len));
	return object;
}
