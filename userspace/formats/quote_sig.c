// SPDX-License-Identifier: MIT
/* Quote signature data: A.3.8 and A.4.10, and what is nested in it. */
#include "quote.h"

/* The part of a quote that is still to be read; at <= end <= its length. */
struct cursor {
	const uint8_t *data;
	size_t at;
	size_t end;
	struct cvm_format_error *err;
};

static int take(struct cursor *c, size_t len, const char *field,
		const char *expected, struct cvm_span *out)
{
	if (c->end - c->at < len)
		return cvm_format_short(c->err, c->end, field, expected);
	*out = (struct cvm_span){ c->data + c->at, len };
	c->at += len;
	return 0;
}

static int take_le16(struct cursor *c, const char *field, uint16_t *out)
{
	struct cvm_span s = { NULL, 0 };
	int ret = take(c, 2, field, "2 bytes", &s);

	if (!ret)
		*out = cvm_le16(s.data);
	return ret;
}

/* A length of which that many bytes must follow */
static int take_size(struct cursor *c, const char *field, uint32_t *out)
{
	struct cvm_span s = { NULL, 0 };
	int ret = take(c, 4, field, "4 bytes", &s);

	if (ret)
		return ret;
	*out = cvm_le32(s.data);
	if (*out > c->end - c->at)
		return cvm_format_bad(c->err, c->at - 4, field,
				      "no more than the bytes that follow",
				      *out);
	return 0;
}

static int take_cert_data(struct cursor *c, struct cvm_cert_data *cert)
{
	uint32_t size;
	int ret;

	ret = take_le16(c, "Certification Data Type", &cert->type);
	if (!ret)
		ret = take_size(c, "Certification Data Size", &size);
	if (ret)
		return ret;
	cert->offset = c->at;
	return take(c, size, "Certification Data", "as its size says",
		    &cert->data);
}

static int at_end(struct cursor *c, const char *field)
{
	if (c->at == c->end)
		return 0;
	return cvm_format_bad(c->err, c->at, field, "the end of this part",
			      c->data[c->at]);
}

void cvm_sgx_report_parse(const uint8_t *p, struct cvm_sgx_report *r)
{
	memcpy(r->cpusvn, p, sizeof(r->cpusvn));
	r->miscselect = cvm_le32(p + 16);
	memcpy(r->attributes, p + 48, sizeof(r->attributes));
	memcpy(r->mrenclave, p + 64, sizeof(r->mrenclave));
	memcpy(r->mrsigner, p + 128, sizeof(r->mrsigner));
	r->isvprodid = cvm_le16(p + 256);
	r->isvsvn = cvm_le16(p + 258);
	memcpy(r->reportdata, p + 320, sizeof(r->reportdata));
}

static int take_qe_auth(struct cursor *c, struct cvm_qe_cert *qe)
{
	uint16_t size;
	int ret = take_le16(c, "QE Authentication Data Size", &size);

	if (ret)
		return ret;
	return take(c, size, "QE Authentication Data", "as its size says",
		    &qe->auth_data);
}

/* A.3.11: type 6. It may hold any other type, never itself. */
static int parse_qe_cert(struct cursor *c, struct cvm_qe_cert *qe)
{
	int ret;

	ret = take(c, CVM_SGX_REPORT_SIZE, "QE Report", "384 bytes",
		   &qe->report);
	if (!ret)
		ret = take(c, 64, "QE Report Signature", "64 bytes",
			   &qe->signature);
	if (!ret)
		ret = take_qe_auth(c, qe);
	if (!ret)
		ret = take_cert_data(c, &qe->cert);
	if (!ret)
		ret = at_end(c, "the byte after the QE Certification Data");
	if (ret)
		return ret;
	if (qe->cert.type == CVM_CERT_DATA_QE_REPORT)
		return cvm_format_bad(c->err, qe->cert.offset - 6,
				      "Certification Data Type",
				      "another type than 6 inside a type 6",
				      qe->cert.type);
	cvm_sgx_report_parse(qe->report.data, &qe->qe);
	return 0;
}

int cvm_quote_parse_signature(struct cvm_span data, size_t at,
			      struct cvm_quote *q,
			      struct cvm_format_error *err)
{
	struct cursor c = { data.data, at, data.len, err };
	uint32_t size;
	int ret;

	ret = take_size(&c, "Quote Signature Data Len", &size);
	if (ret)
		return ret;
	c.end = c.at + size;
	q->trailing = (struct cvm_span){ data.data + c.end, data.len - c.end };
	ret = take(&c, 64, "Quote Signature", "64 bytes", &q->signature);
	if (!ret)
		ret = take(&c, 64, "ECDSA Attestation Key", "64 bytes",
			   &q->attestation_key);
	if (!ret)
		ret = take_cert_data(&c, &q->cert);
	if (!ret)
		ret = at_end(&c, "the byte after the Certification Data");
	if (ret)
		return ret;
	q->certified = (struct cvm_span){ q->attestation_key.data,
					  (size_t)(data.data + c.end - q->attestation_key.data) };
	q->has_qe = q->cert.type == CVM_CERT_DATA_QE_REPORT;
	if (!q->has_qe)
		return 0;
	c.at = q->cert.offset;
	return parse_qe_cert(&c, &q->qe);
}

static size_t ppid_size(uint16_t type)
{
	switch (type) {
	case CVM_CERT_DATA_PPID_PLAIN:
		return 16;
	case CVM_CERT_DATA_PPID_RSA2048:
		return 256;
	case CVM_CERT_DATA_PPID_RSA3072:
		return 384;
	default:
		return 0;
	}
}

int cvm_ppid_parse(const struct cvm_cert_data *cert, struct cvm_ppid *ppid,
		   struct cvm_format_error *err)
{
	size_t size = ppid_size(cert->type);
	const uint8_t *p = cert->data.data;

	memset(ppid, 0, sizeof(*ppid));
	if (!size)
		return cvm_format_bad(err, cert->offset - 6,
				      "Certification Data Type", "1, 2 or 3",
				      cert->type);
	if (cert->data.len != size + 20)
		return cvm_format_bad(err, cert->offset - 4,
				      "Certification Data Size",
				      "36 (type 1), 276 (type 2) or 404 (type 3)",
				      cert->data.len);
	ppid->encrypted = cert->type != CVM_CERT_DATA_PPID_PLAIN;
	ppid->ppid = (struct cvm_span){ p, size };
	memcpy(ppid->cpusvn, p + size, sizeof(ppid->cpusvn));
	ppid->pcesvn = cvm_le16(p + size + 16);
	ppid->pceid = cvm_le16(p + size + 18);
	return 0;
}

const char *cvm_cert_data_name(uint16_t type)
{
	static const char *const names[] = {
		[CVM_CERT_DATA_PPID_PLAIN] = "PPID in plain text",
		[CVM_CERT_DATA_PPID_RSA2048] = "PPID, RSA-2048-OAEP",
		[CVM_CERT_DATA_PPID_RSA3072] = "PPID, RSA-3072-OAEP",
		[CVM_CERT_DATA_PCK_LEAF] = "PCK certificate",
		[CVM_CERT_DATA_PCK_CHAIN] = "PCK certificate chain",
		[CVM_CERT_DATA_QE_REPORT] = "QE report certification data",
		[CVM_CERT_DATA_PLATFORM_MANIFEST] = "platform manifest",
	};

	if (type == 0 || type >= ARRAY_SIZE(names))
		return "unknown";
	return names[type];
}
