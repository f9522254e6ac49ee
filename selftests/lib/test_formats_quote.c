// SPDX-License-Identifier: GPL-2.0
/* Quotes: every body, every kind of certification data, and what is no quote. */
#include "parse.h"

static int parse_quote(const void *data, size_t len, union parsed *out,
		       struct cvm_format_error *err)
{
	return cvm_quote_parse(data, len, &out->quote, err);
}

static uint32_t body_size(uint16_t body_type)
{
	return body_type == 1 ? 384 : body_type == 3 ? 648 : 584;
}

/* An unsigned quote with certification data of @type and @size */
static size_t make_quote(uint8_t *p, uint16_t version, uint16_t body_type,
			 uint16_t type, uint32_t size, bool nested)
{
	size_t at = 48;

	fill(p, 4096);
	put16(p, version);
	put16(p + 2, 2);
	put32(p + 4, body_type == 1 ? 0 : 0x81);
	if (version == 5) {
		put16(p + at, body_type);
		put32(p + at + 2, body_size(body_type));
		at += 6;
	}
	at += body_size(body_type);
	put32(p + at, 128 + 6 + (nested ? 384 + 64 + 2 + 32 + 6 : 0) + size);
	at += 4 + 128;
	if (nested) {
		put16(p + at, 6);
		put32(p + at + 2, 384 + 64 + 2 + 32 + 6 + size);
		at += 6 + 384 + 64;
		put16(p + at, 32);
		at += 2 + 32;
	}
	put16(p + at, type);
	put32(p + at + 2, size);
	return at + 6 + size;
}

static bool body_fields(const uint8_t *p, const struct cvm_td_body *b, bool td15)
{
	return SAME(b->tee_tcb_svn, 0) && SAME(b->mrseam, 16) &&
	       SAME(b->mrsignerseam, 64) && b->seamattributes == cvm_le64(p + 112) &&
	       b->tdattributes == cvm_le64(p + 120) && b->xfam == cvm_le64(p + 128) &&
	       SAME(b->mrtd, 136) && SAME(b->mrconfigid, 184) &&
	       SAME(b->mrowner, 232) && SAME(b->mrownerconfig, 280) &&
	       SAME(b->rtmr, 328) && SAME(b->reportdata, 520) &&
	       (!td15 || (SAME(b->tee_tcb_svn_2, 584) && SAME(b->mrservicetd, 600)));
}

static bool enclave_fields(const uint8_t *p, const struct cvm_sgx_report *r)
{
	return SAME(r->cpusvn, 0) && r->miscselect == cvm_le32(p + 16) &&
	       SAME(r->attributes, 48) && SAME(r->mrenclave, 64) &&
	       SAME(r->mrsigner, 128) && r->isvprodid == cvm_le16(p + 256) &&
	       r->isvsvn == cvm_le16(p + 258) && SAME(r->reportdata, 320);
}

static bool qe_fields(const uint8_t *p, const struct cvm_qe_cert *qe)
{
	return enclave_fields(p, &qe->qe) &&
	       qe->signature.data == p + 384 && qe->auth_data.data == p + 450 &&
	       qe->auth_data.len == 32;
}

static void test_quote(uint16_t version, uint16_t body_type)
{
	size_t body = version == 5 ? 54 : 48;
	size_t end = body + body_size(body_type);
	struct cvm_format_error err;
	uint8_t p[4096];
	struct cvm_quote q;
	char name[32];
	size_t len = make_quote(p, version, body_type, 5, 100, true);

	snprintf(name, sizeof(name), "quote v%u body %u", version, body_type);
	check(!cvm_quote_parse(p, len, &q, &err) && q.version == version &&
	   q.body_type == body_type && SAME(q.qe_vendor_id, 12) &&
	   SAME(q.user_data, 28), "%s: header", name);
	check(body_fields(p + body, &q.body, body_type == 3), "%s: body", name);
	check(q.signed_part.len == end && q.signature.data == p + end + 4 &&
	   q.attestation_key.data == p + end + 68 && q.trailing.len == 0 &&
	   q.certified.data == p + end + 68 && q.certified.len == len - end - 68 &&
	   q.has_qe && q.qe.cert.type == 5 && q.qe.cert.data.len == 100 &&
	   qe_fields(p + end + 138, &q.qe), "%s: signature data", name);
	check(!cvm_quote_parse(p, len + 7, &q, &err) && q.trailing.len == 7,
	   "%s: bytes after it are told apart", name);
	test_truncation(name, parse_quote, p, len);
	test_mutations(name, parse_quote, p, len);
}

/* A quote about an enclave, which is no evidence here, but can be shown */
static void test_enclave(uint16_t version)
{
	size_t body = version == 5 ? 54 : 48;
	struct cvm_format_error err;
	struct cvm_quote q;
	uint8_t p[4096];
	char name[32];
	size_t len = make_quote(p, version, 1, 5, 100, true);

	snprintf(name, sizeof(name), "quote v%u about an enclave", version);
	check(!cvm_quote_parse(p, len, &q, &err) && q.body_type == 1 && q.tee_type == 0 &&
	   enclave_fields(p + body, &q.enclave) && q.signed_part.len == body + 384 &&
	   cvm_is_zero(&q.body, sizeof(q.body)), "%s: body", name);
	test_truncation(name, parse_quote, p, len);
	test_mutations(name, parse_quote, p, len);
}

static void test_quote_refusals(void)
{
	struct cvm_format_error err;
	struct cvm_quote q;
	uint8_t p[4096];
	size_t len;

	len = make_quote(p, 3, 2, 5, 100, true);
	check(cvm_quote_parse(p, len, &q, &err) == -EPROTONOSUPPORT &&
	   err.offset == 0 && q.version == 3, "quote v3: not known");
	len = make_quote(p, 4, 2, 5, 100, true);
	put32(p + 4, 0x82);
	check(cvm_quote_parse(p, len, &q, &err) == -EPROTONOSUPPORT &&
	   err.offset == 4 && err.found == 0x82, "quote of another TEE: not known");
	len = make_quote(p, 4, 2, 5, 100, true);
	put16(p + 2, 3);
	check(cvm_quote_parse(p, len, &q, &err) == -EPROTONOSUPPORT &&
	   err.offset == 2, "quote with a P-384 key: not known");
	len = make_quote(p, 5, 1, 5, 100, true);
	put32(p + 4, 0x81);
	check(cvm_quote_parse(p, len, &q, &err) == -EBADMSG &&
	   err.offset == 48, "quote v5 of TDX with an enclave's body: refused");
	len = make_quote(p, 5, 3, 5, 100, true);
	put32(p + 4, 0);
	check(cvm_quote_parse(p, len, &q, &err) == -EBADMSG &&
	   err.offset == 48, "quote v5 of SGX with a TD's body: refused");
	len = make_quote(p, 5, 2, 5, 100, true);
	put16(p + 48, 4);
	check(cvm_quote_parse(p, len, &q, &err) == -EPROTONOSUPPORT &&
	   err.offset == 48 && err.found == 4, "quote v5 with a body of type 4: not known");
	len = make_quote(p, 5, 3, 5, 100, true);
	put32(p + 50, 584);
	check(cvm_quote_parse(p, len, &q, &err) == -EBADMSG && err.offset == 50,
	   "quote v5 with a body of the wrong size");
	len = make_quote(p, 4, 2, 6, 100, true);
	check(cvm_quote_parse(p, len, &q, &err) == -EBADMSG,
	   "quote with type 6 inside type 6");
	len = make_quote(p, 4, 2, 5, 100, true);
	put32(p + 632, 0xffffffff);
	check(cvm_quote_parse(p, len, &q, &err) == -EBADMSG && err.offset == 632,
	   "quote with a signature longer than itself");
	len = make_quote(p, 4, 2, 5, 100, true);
	put32(p + 632, cvm_le32(p + 632) + 1);
	check(cvm_quote_parse(p, len + 1, &q, &err) == -EBADMSG,
	   "quote with a byte after its certification data");
}

static void test_cert_data(void)
{
	static const uint32_t size[] = { [1] = 36, [2] = 276, [3] = 404 };
	struct cvm_format_error err;
	struct cvm_ppid ppid;
	struct cvm_quote q;
	uint8_t p[4096];

	for (uint16_t type = 1; type <= 3; type++) {
		size_t len = make_quote(p, 4, 2, type, size[type], false);
		const uint8_t *end = p + len;

		check(!cvm_quote_parse(p, len, &q, &err) && !q.has_qe &&
		   !cvm_ppid_parse(&q.cert, &ppid, &err) &&
		   ppid.encrypted == (type != 1) &&
		   ppid.ppid.len == size[type] - 20 &&
		   !memcmp(ppid.cpusvn, end - 20, 16) &&
		   ppid.pcesvn == cvm_le16(end - 4) && ppid.pceid == cvm_le16(end - 2),
		   "certification data of type %u", type);
		make_quote(p, 4, 2, type, size[type] - 1, false);
		check(!cvm_quote_parse(p, len - 1, &q, &err) &&
		   cvm_ppid_parse(&q.cert, &ppid, &err) == -EBADMSG,
		   "certification data of type %u, a byte short", type);
	}
	for (uint16_t type = 4; type <= 7; type++) {
		size_t len = make_quote(p, 4, 2, type, 9, type != 6);

		check(cvm_quote_parse(p, len, &q, &err) == (type == 6 ? -EBADMSG : 0),
		   "certification data of type %u: %s", type, cvm_cert_data_name(type));
	}
	check(!strcmp(cvm_cert_data_name(8), "unknown"), "type 8 is not known");
}

int main(void)
{
	test_quote(4, 2);
	test_quote(5, 2);
	test_quote(5, 3);
	test_enclave(4);
	test_enclave(5);
	test_quote_refusals();
	test_cert_data();
	return tap_end();
}
