// SPDX-License-Identifier: MIT
/* Quote header and body. The signature data is in quote_sig.c. */
#include "quote.h"

static int parse_header(const uint8_t *p, size_t len, struct cvm_quote *q,
			struct cvm_format_error *err)
{
	if (len < 2)
		return cvm_format_short(err, len, "Version", "a quote");
	q->version = cvm_le16(p);
	if (q->version != 4 && q->version != 5) {
		cvm_format_bad(err, 0, "Version", "4 or 5", q->version);
		return -EPROTONOSUPPORT;
	}
	if (len < CVM_QUOTE_HEADER_SIZE)
		return cvm_format_short(err, len, "Quote Header", "48 bytes");
	q->att_key_type = cvm_le16(p + 2);
	q->tee_type = cvm_le32(p + 4);
	memcpy(q->qe_vendor_id, p + 12, sizeof(q->qe_vendor_id));
	memcpy(q->user_data, p + 28, sizeof(q->user_data));
	if (q->tee_type != CVM_QUOTE_TEE_TDX && q->tee_type != CVM_QUOTE_TEE_SGX) {
		cvm_format_bad(err, 4, "TEE Type", "0x81 (TDX) or 0 (SGX)", q->tee_type);
		return -EPROTONOSUPPORT;
	}
	if (q->att_key_type != CVM_QUOTE_KEY_ECDSA_P256) {
		cvm_format_bad(err, 2, "Attestation Key Type",
			       "2 (ECDSA with P-256)", q->att_key_type);
		return -EPROTONOSUPPORT;
	}
	return 0;
}

/* A.3.2 and A.4.3, A.4.4: the body of TDX 1.5 has two fields more */
static void parse_td_body(const uint8_t *p, bool td15, struct cvm_td_body *b)
{
	memcpy(b->tee_tcb_svn, p, sizeof(b->tee_tcb_svn));
	memcpy(b->mrseam, p + 16, sizeof(b->mrseam));
	memcpy(b->mrsignerseam, p + 64, sizeof(b->mrsignerseam));
	b->seamattributes = cvm_le64(p + 112);
	b->tdattributes = cvm_le64(p + 120);
	b->xfam = cvm_le64(p + 128);
	memcpy(b->mrtd, p + 136, sizeof(b->mrtd));
	memcpy(b->mrconfigid, p + 184, sizeof(b->mrconfigid));
	memcpy(b->mrowner, p + 232, sizeof(b->mrowner));
	memcpy(b->mrownerconfig, p + 280, sizeof(b->mrownerconfig));
	memcpy(b->rtmr, p + 328, sizeof(b->rtmr));
	memcpy(b->reportdata, p + 520, sizeof(b->reportdata));
	if (td15) {
		memcpy(b->tee_tcb_svn_2, p + 584, sizeof(b->tee_tcb_svn_2));
		memcpy(b->mrservicetd, p + 600, sizeof(b->mrservicetd));
	}
}

static size_t body_size(uint16_t type)
{
	switch (type) {
	case CVM_QUOTE_BODY_SGX:
		return CVM_SGX_REPORT_SIZE;
	case CVM_QUOTE_BODY_TD10:
		return CVM_QUOTE_BODY_TD10_SIZE;
	case CVM_QUOTE_BODY_TD15:
		return CVM_QUOTE_BODY_TD15_SIZE;
	default:
		return 0;
	}
}

/* The TEE that has such bodies; a quote of one TEE about the other is none. */
static uint32_t tee_of(uint16_t type)
{
	return type == CVM_QUOTE_BODY_SGX ? CVM_QUOTE_TEE_SGX : CVM_QUOTE_TEE_TDX;
}

/* Version 5 says which body follows and how long it is. */
static int parse_descriptor(const uint8_t *p, size_t len, size_t *at,
			    struct cvm_quote *q, struct cvm_format_error *err)
{
	uint32_t size;

	if (len - *at < 6)
		return cvm_format_short(err, len, "TD Quote Body Descriptor",
					"a type and a size, 6 bytes");
	q->body_type = cvm_le16(p + *at);
	size = cvm_le32(p + *at + 2);
	if (!body_size(q->body_type)) {
		cvm_format_bad(err, *at, "TD Quote Body Type",
			       "1 (SGX), 2 (TDX 1.0) or 3 (TDX 1.5)", q->body_type);
		return -EPROTONOSUPPORT;
	}
	if (tee_of(q->body_type) != q->tee_type)
		return cvm_format_bad(err, *at, "TD Quote Body Type",
				      "one of the TEE Type: 1 of SGX, 2 and 3 of TDX",
				      q->body_type);
	if (size != body_size(q->body_type))
		return cvm_format_bad(err, *at + 2, "TD Quote Body Size",
				      "384 (SGX), 584 (TDX 1.0) or 648 (TDX 1.5)", size);
	*at += 6;
	return 0;
}

static int parse_body_type(const uint8_t *p, size_t len, size_t *at,
			   struct cvm_quote *q, struct cvm_format_error *err)
{
	if (q->version == 5)
		return parse_descriptor(p, len, at, q, err);
	q->body_type = q->tee_type == CVM_QUOTE_TEE_SGX ? CVM_QUOTE_BODY_SGX :
							  CVM_QUOTE_BODY_TD10;
	return 0;
}

static int parse_body(const uint8_t *p, size_t len, size_t at, struct cvm_quote *q,
		      struct cvm_format_error *err)
{
	size_t size = body_size(q->body_type);

	if (len - at < size)
		return cvm_format_short(err, len, "TD Quote Body",
					size == CVM_SGX_REPORT_SIZE ? "384 bytes" :
					size == CVM_QUOTE_BODY_TD10_SIZE ? "584 bytes" : "648 bytes");
	if (q->body_type == CVM_QUOTE_BODY_SGX)
		cvm_sgx_report_parse(p + at, &q->enclave);
	else
		parse_td_body(p + at, q->body_type == CVM_QUOTE_BODY_TD15, &q->body);
	q->signed_part = (struct cvm_span){ p, at + size };
	return 0;
}

int cvm_quote_parse(const void *data, size_t len, struct cvm_quote *q,
		    struct cvm_format_error *err)
{
	size_t at = CVM_QUOTE_HEADER_SIZE;
	const uint8_t *p = data;
	int ret;

	memset(q, 0, sizeof(*q));
	ret = parse_header(p, len, q, err);
	if (!ret)
		ret = parse_body_type(p, len, &at, q, err);
	if (!ret)
		ret = parse_body(p, len, at, q, err);
	if (ret)
		return ret;
	return cvm_quote_parse_signature((struct cvm_span){ p, len }, q->signed_part.len, q,
					 err);
}
