// SPDX-License-Identifier: GPL-2.0
/*
 * Quotes that a policy verifies, spoilt: each field with and without being signed
 * again, keys, certificates. Each mutation names the check that catches it; the
 * policy is the one that the evidence itself gave.
 */
#include <openssl/objects.h>

#include "formats/quote.h"
#include "mutate_tdx.h"

/* ---- bytes, after all signatures were made */

struct range {
	const char *name;
	size_t at, len;
	const char *by;
};

static const struct range header[] = {
	{ "Version", 0, 2, "format" }, { "Attestation Key Type", 2, 2, "format" },
	{ "TEE Type", 4, 4, "format" }, { "QE SVN", 8, 2, "=signature" },
	{ "PCE SVN", 10, 2, "=signature" }, { "QE Vendor ID", 12, 16, "=qe_vendor,signature" },
	{ "user data", 28, 20, "=signature" },
}, body[] = {
	{ "TEE_TCB_SVN", TDX_TEE_TCB_SVN, 16, "signature" },
	{ "MRSEAM", TDX_MRSEAM, 48, "=signature" },
	{ "MRSIGNERSEAM", TDX_MRSIGNERSEAM, 48, "signature" },
	{ "SEAMATTRIBUTES", TDX_SEAMATTRIBUTES, 8, "signature" },
	{ "TDATTRIBUTES", TDX_TDATTRIBUTES, 8, "signature" },
	{ "XFAM", TDX_XFAM, 8, "=signature" },
	{ "MRTD", TDX_MRTD, 48, "=signature,tdx.mrtd" },
	{ "MRCONFIGID", TDX_MRCONFIGID, 48, "=signature,tdx.mrconfigid" },
	{ "MROWNER", TDX_MROWNER, 48, "=signature,tdx.mrowner" },
	{ "MROWNERCONFIG", TDX_MROWNERCONFIG, 48, "=signature,tdx.mrownerconfig" },
	{ "RTMR0", TDX_RTMR0, 48, "=signature,tdx.rtmr0" },
	{ "RTMR1", TDX_RTMR1, 48, "=signature,tdx.rtmr1" },
	{ "RTMR2", TDX_RTMR2, 48, "=signature,tdx.rtmr2" },
	{ "RTMR3", TDX_RTMR3, 48, "=signature,tdx.rtmr3" },
	{ "REPORTDATA", TDX_REPORTDATA, 64, "=signature,report_data" },
}, body_td15[] = {
	{ "TEE_TCB_SVN_2", TDX_TEE_TCB_SVN_2, 16, "=signature" },
	{ "MRSERVICETD", TDX_MRSERVICETD, 48, "=signature,tdx.mrservicetd" },
}, after_body[] = {
	{ "Quote Signature Data Len", 0, 4, "format" },
	{ "the signature's r", 4, 32, "=signature" },
	{ "the signature's s", 36, 32, "=signature" },
	{ "the attestation key's x", 68, 32, "=qe_binding,signature" },
	{ "the attestation key's y", 100, 32, "=qe_binding,signature" },
	{ "Certification Data Size", 134, 4, "format" },
}, qe_part[] = {
	{ "QE report, CPUSVN", 0, 16, "=qe_signature" },
	{ "QE report, MISCSELECT", 16, 4, "=qe_signature,qe_identity" },
	{ "QE report, reserved", 20, 28, "=qe_signature" },
	{ "QE report, ATTRIBUTES.FLAGS", 48, 8, "=qe_signature,qe_identity" },
	{ "QE report, ATTRIBUTES.XFRM", 56, 8, "=qe_signature" },
	{ "QE report, MRENCLAVE", 64, 32, "=qe_signature" },
	{ "QE report, MRSIGNER", 128, 32, "=qe_signature,qe_identity" },
	{ "QE report, ISVPRODID", 256, 2, "=qe_signature,qe_identity" },
	{ "QE report, REPORTDATA", 320, 64, "=qe_signature,qe_binding" },
	{ "the QE report's signature, r", 384, 32, "=qe_signature" },
	{ "the QE report's signature, s", 416, 32, "=qe_signature" },
	{ "QE Authentication Data Size", 448, 2, "format" },
	{ "QE Authentication Data", 450, 32, "=qe_binding" },
	{ "the chain's size", 484, 4, "format" },
};

static void test_ranges(const struct tdx_kind *kind, const struct range *r, size_t count,
			size_t (*base)(const struct tdx_world *w))
{
	char name[80];

	for (size_t i = 0; i < count; i++)
		for (int last = 0; last < 2; last++) {
			struct tdx_world w = tdx_world_of(kind);

			tdx_make(&w);
			w.quote[base(&w) + r[i].at + (last ? r[i].len - 1 : 0)] ^= 0x40;
			snprintf(name, sizeof(name), "%s byte of %s flipped",
				 last ? "last" : "first", r[i].name);
			tdx_refuse_made(&w, r[i].by, kind->name, name);
		}
}

static size_t at_header(const struct tdx_world *w) { return 0; }
static size_t at_body(const struct tdx_world *w) { return w->version == 5 ? 54 : 48; }
static size_t at_signature(const struct tdx_world *w) { return w->signed_len; }
static size_t at_qe(const struct tdx_world *w) { return w->qe_at; }

static void test_bytes(const struct tdx_kind *kind)
{
	test_ranges(kind, header, ARRAY_SIZE(header), at_header);
	test_ranges(kind, body, ARRAY_SIZE(body), at_body);
	if (kind->body_type == 3)
		test_ranges(kind, body_td15, ARRAY_SIZE(body_td15), at_body);
	test_ranges(kind, after_body, ARRAY_SIZE(after_body), at_signature);
	test_ranges(kind, qe_part, ARRAY_SIZE(qe_part), at_qe);
}

/* ---- fields that module and enclave have signed so */

static const struct {
	const char *name;
	size_t at;
	uint8_t xor;
	const char *by;
} signed_fields[] = {
	{ "another MRTD", TDX_MRTD, 1, "=tdx.mrtd" },
	{ "MRTD with another end", TDX_MRTD + 47, 1, "=tdx.mrtd" },
	{ "another RTMR0", TDX_RTMR0, 1, "=tdx.rtmr0" },
	{ "another RTMR1", TDX_RTMR1, 1, "=tdx.rtmr1" },
	{ "another RTMR2", TDX_RTMR2, 1, "=tdx.rtmr2" },
	{ "another RTMR3", TDX_RTMR3 + 47, 1, "=tdx.rtmr3" },
	{ "a MRCONFIGID", TDX_MRCONFIGID, 1, "=tdx.mrconfigid" },
	{ "a MROWNER", TDX_MROWNER, 1, "=tdx.mrowner" },
	{ "a MROWNERCONFIG", TDX_MROWNERCONFIG + 47, 1, "=tdx.mrownerconfig" },
	{ "another REPORTDATA", TDX_REPORTDATA, 1, "=report_data" },
	{ "REPORTDATA with another end", TDX_REPORTDATA + 63, 1, "=report_data" },
	{ "another MRSEAM", TDX_MRSEAM, 1, NULL },
	{ "a module that somebody else signed", TDX_MRSIGNERSEAM, 1, "=tdx_module" },
	{ "SEAMATTRIBUTES", TDX_SEAMATTRIBUTES, 1, "=tdx_module" },
	{ "SEAMATTRIBUTES, the last byte", TDX_SEAMATTRIBUTES + 7, 0x80, "=tdx_module" },
	{ "debugging", TDX_TDATTRIBUTES, 0x01, "=tdx.tdattributes.debug" },
	{ "profiling by HGS+", TDX_TDATTRIBUTES, 0x10, "=tdx.tdattributes.unknown_bits" },
	{ "profiling of performance", TDX_TDATTRIBUTES, 0x20, "=tdx.tdattributes.unknown_bits" },
	{ "attribute bit 7", TDX_TDATTRIBUTES, 0x80, "=tdx.tdattributes.unknown_bits" },
	{ "attribute bit 8", TDX_TDATTRIBUTES + 1, 0x01, "=tdx.tdattributes.unknown_bits" },
	{ "attribute bit 40", TDX_TDATTRIBUTES + 5, 0x01, "=tdx.tdattributes.unknown_bits" },
	{ "no SEPT_VE_DISABLE", TDX_TDATTRIBUTES + 3, 0x10, "=tdx.tdattributes.sept_ve_disable" },
	{ "MIGRATABLE", TDX_TDATTRIBUTES + 3, 0x20,
	  "=tdx.tdattributes.migratable,?tdx.mrservicetd" },
	{ "protection keys", TDX_TDATTRIBUTES + 3, 0x40, NULL },
	{ "performance counters", TDX_TDATTRIBUTES + 7, 0x80, NULL },
	{ "a module of an unknown version", TDX_TEE_TCB_SVN + 1, 0x06, "=tdx_module" },
	{ "an older module", TDX_TEE_TCB_SVN, 0x01, "=tdx.tcb_status" },
	{ "a module older than all levels", TDX_TEE_TCB_SVN, 0x04, "=tdx_module" },
	{ "an older TDX component", TDX_TEE_TCB_SVN + 2, 0x01, "=tdx.tcb_status" },
	{ "a TDX component older than all levels", TDX_TEE_TCB_SVN + 2, 0x02, "=tcb" },
};

static void test_signed_fields(const struct tdx_kind *kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(signed_fields); i++) {
		struct tdx_world w = tdx_world_of(kind);

		w.body[signed_fields[i].at] ^= signed_fields[i].xor;
		tdx_refuse(&w, signed_fields[i].by, kind->name, signed_fields[i].name);
	}
}

/* only the body of TDX 1.5 shows service TDs; other bodies have no such byte */
static void test_service_td(const struct tdx_kind *kind)
{
	struct tdx_world w = tdx_world_of(kind);

	w.body[TDX_MRSERVICETD + 20] = 1;
	tdx_refuse(&w, kind->body_type == 3 ? "=tdx.mrservicetd" : NULL, kind->name, "a service TD");
}

/* ---- one way each to spoil the rest */

static void qe_debug(struct tdx_world *w) { w->qe_report[48] |= 2; }
static void qe_no_init(struct tdx_world *w) { w->qe_report[48] &= (uint8_t)~1; }
static void qe_signer(struct tdx_world *w) { w->qe_report[128] ^= 1; }
static void qe_product(struct tdx_world *w) { w->qe_report[256] = 1; }
static void qe_miscselect(struct tdx_world *w) { w->qe_report[19] = 1; }
static void qe_old(struct tdx_world *w) { w->qe_report[258] = 3; }
static void qe_too_old(struct tdx_world *w) { w->qe_report[258] = 1; }
static void qe_newer(struct tdx_world *w) { w->qe_report[258] = 9; }
static void qe_by_other(struct tdx_world *w) { w->qe_signer = tdx_keys.other; }
static void signed_by_other(struct tdx_world *w) { w->signer = tdx_keys.other; }
static void signed_by_pck(struct tdx_world *w) { w->signer = tdx_keys.pck; }
static void wrong_binding(struct tdx_world *w) { w->wrong_binding = true; }
static void binding_tail(struct tdx_world *w) { w->binding_tail = true; }
static void other_vendor(struct tdx_world *w) { w->other_vendor = true; }

static void own_key(struct tdx_world *w)
{
	w->wrong_binding = true;
	w->attestation = w->signer = tdx_keys.other;
}

static void cpu_old(struct tdx_world *w) { w->sgx.tcb[7] = 3; }
static void cpu_too_old(struct tdx_world *w) { w->sgx.tcb[0] = 1; }
static void pce_old(struct tdx_world *w) { w->sgx.pcesvn = 10; }
static void pce_too_old(struct tdx_world *w) { w->sgx.pcesvn = 9; }
static void cpu_newer(struct tdx_world *w) { w->sgx.tcb[15] = 255; }
static void fmspc_start(struct tdx_world *w) { w->sgx.fmspc[0] ^= 1; }
static void fmspc_end(struct tdx_world *w) { w->sgx.fmspc[5] ^= 1; }
static void pceid(struct tdx_world *w) { w->sgx.pceid[1] = 1; }
static void no_sgx(struct tdx_world *w) { w->pck.extend = NULL; }
static void sgx_twice(struct tdx_world *w) { w->sgx.two = true; }
static void fmspc_twice(struct tdx_world *w) { w->sgx.twice = true; }
static void short_fmspc(struct tdx_world *w) { w->sgx.short_fmspc = true; }
static void short_tcb(struct tdx_world *w) { w->sgx.short_tcb = true; }
static void big_svn(struct tdx_world *w) { w->sgx.big_svn = true; }
static void no_fmspc(struct tdx_world *w) { w->sgx.missing = 2; }
static void no_ppid(struct tdx_world *w) { w->sgx.no_ppid = true; }
static void pck_name(struct tdx_world *w) { w->pck.name = "Test SGX Certificate"; }

static void no_trust(struct tdx_world *w) { w->no_trust = true; }
static void other_trust(struct tdx_world *w) { w->other_trust = true; }
static void no_pck(struct tdx_world *w) { w->no_pck = true; }
static void garbage(struct tdx_world *w) { w->garbage_chain = true; }
static void no_chain(struct tdx_world *w) { w->cert_type = 3; }
static void manifest(struct tdx_world *w) { w->cert_type = 7; }
static void no_qe(struct tdx_world *w) { w->no_qe = true; }
static void ca_no_ca(struct tdx_world *w) { w->ca.ca = false; }
static void root_no_ca(struct tdx_world *w) { w->root.ca = false; }
static void pck_ca(struct tdx_world *w) { w->pck.ca = true; }
static void pck_forged(struct tdx_world *w) { w->pck.issuer_key = tdx_keys.other; }
static void ca_forged(struct tdx_world *w) { w->ca.issuer_key = tdx_keys.other; }
static void ca_sha384(struct tdx_world *w) { w->ca.md = EVP_sha384(); }
static void pck_p384(struct tdx_world *w) { w->pck.key = tdx_keys.p384; }
static void critical(struct tdx_world *w) { w->pck.critical_nid = NID_netscape_comment; }
static void root_expired(struct tdx_world *w) { w->root.until = w->at - 1; }
static void pck_expired(struct tdx_world *w) { w->pck.until = w->at - 1; }
static void ca_expired(struct tdx_world *w) { w->ca.until = w->at - 1; }
static void root_early(struct tdx_world *w) { w->root.from = w->at + 1; }
static void pck_early(struct tdx_world *w) { w->pck.from = w->at + 1; }
static void ca_early(struct tdx_world *w) { w->ca.from = w->at + 1; }

static void pck_by_root(struct tdx_world *w)
{
	w->pck.issuer_name = w->root.name;
	w->pck.issuer_key = w->root.key;
}

static void reversed(struct tdx_world *w) { w->reversed = true; }
static void ca_last(struct tdx_world *w) { w->ca_last = true; }
static void duplicated(struct tdx_world *w) { w->duplicated = true; }
static void padded_more(struct tdx_world *w) { w->padding = CVM_QUOTE_TRAILING_MAX + 1; }

static void no_ca(struct tdx_world *w)
{
	w->no_ca = true;
	w->no_collateral = true;	/* which has it too */
}

/* a PCK by who may sign collateral and nothing else */
static void pck_by_signer(struct tdx_world *w)
{
	w->ca.name = w->pck.issuer_name = w->pck_crl.issuer = w->tcb_signer.name;
	w->ca.key = w->pck.issuer_key = w->pck_crl.key = tdx_keys.tcb;
	w->ca.ca = false;
}

static const struct {
	const char *name;
	void (*spoil)(struct tdx_world *w);
	const char *by;
} spoilt[] = {
	{ "debug enclave", qe_debug, "=qe_identity" },
	{ "enclave that is not initialised", qe_no_init, "=qe_identity" },
	{ "enclave of another signer", qe_signer, "=qe_identity" },
	{ "another enclave of Intel's", qe_product, "=qe_identity" },
	{ "enclave with another MISCSELECT", qe_miscselect, "=qe_identity" },
	{ "older enclave", qe_old, "=tdx.tcb_status" },
	{ "enclave older than all levels", qe_too_old, "=qe_identity" },
	{ "newer enclave", qe_newer, NULL },
	{ "QE report signed by another key", qe_by_other, "=qe_signature" },
	{ "quote signed by another key", signed_by_other, "=signature" },
	{ "quote signed by the PCK", signed_by_pck, "=signature" },
	{ "QE report about another key", wrong_binding, "=qe_binding" },
	{ "QE report with more than a hash", binding_tail, "=qe_binding" },
	{ "attestation key of an attacker", own_key, "=qe_binding" },
	{ "quoting enclave of another vendor", other_vendor, "=qe_vendor" },
	{ "older CPU", cpu_old, "=tdx.tcb_status" },
	{ "CPU older than all levels", cpu_too_old, "=tcb" },
	{ "older PCE", pce_old, "=tdx.tcb_status" },
	{ "PCE older than all levels", pce_too_old, "=tcb" },
	{ "newer CPU", cpu_newer, NULL },
	{ "platform of another kind", fmspc_start, "=tcb_info" },
	{ "platform of another kind, by its last byte", fmspc_end, "=tcb_info" },
	{ "another PCE id", pceid, "=tcb_info" },
	{ "PCK without Intel's extension", no_sgx, "=pck" },
	{ "PCK with Intel's extension twice", sgx_twice, "=pck" },
	{ "PCK with two FMSPCs", fmspc_twice, "=pck" },
	{ "PCK with an FMSPC of 5 bytes", short_fmspc, "=pck" },
	{ "PCK with a component too few", short_tcb, "=pck" },
	{ "PCK with a component of 256", big_svn, "=pck" },
	{ "PCK without an FMSPC", no_fmspc, "=pck" },
	{ "PCK without a PPID", no_ppid, NULL },
	{ "PCK of another name", pck_name, "=pck" },
	{ "Intel's root alone trusted", no_trust, "root" },
	{ "another root of that name trusted", other_trust, "root" },
	{ "no PCK", no_pck, "=chain,?revocation" },
	{ "broken chain", garbage, "=chain,?revocation" },
	{ "encrypted PPID in place of a chain", no_chain, "chain" },
	{ "platform manifest in place of a chain", manifest, "chain" },
	{ "no QE report", no_qe, "=chain,?revocation" },
	{ "no PCK CA", no_ca, "=chain,?revocation" },
	{ "chain from the root on", reversed, "=chain,?revocation" },
	{ "chain with its CA at the end", ca_last, "=chain,?revocation" },
	{ "chain with each certificate twice", duplicated, "=chain,?revocation" },
	{ "more bytes after the quote than any buffer leaves", padded_more, "=trailing" },
	{ "PCK CA that is no CA", ca_no_ca, "=chain" },
	{ "root that is no CA", root_no_ca, "chain" },
	{ "PCK that is a CA", pck_ca, "=chain" },
	{ "PCK issued by another key", pck_forged, "=chain" },
	{ "PCK CA issued by another key", ca_forged, "=chain" },
	{ "PCK CA signed with SHA-384", ca_sha384, "=chain" },
	{ "PCK issued by the root", pck_by_root, "chain" },
	{ "PCK issued by who signs collateral", pck_by_signer, "chain" },
	{ "PCK of P-384", pck_p384, "chain" },
	{ "PCK with an unknown critical extension", critical, "=chain" },
	{ "root expired", root_expired, "=validity,tcb_info,qe_identity" },
	{ "root not valid yet", root_early, "=validity,tcb_info,qe_identity" },
	{ "PCK expired", pck_expired, "=validity" },
	{ "PCK CA expired", ca_expired, "=validity" },
	{ "PCK not valid yet", pck_early, "=validity" },
	{ "PCK CA not valid yet", ca_early, "=validity" },
};

static void test_spoilt(const struct tdx_kind *kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(spoilt); i++) {
		struct tdx_world w = tdx_world_of(kind);

		spoilt[i].spoil(&w);
		tdx_refuse(&w, spoilt[i].by, kind->name, spoilt[i].name);
	}
}

/* ---- other forms of the same, which do not matter */

static void no_root(struct tdx_world *w) { w->no_root = true; }
static void padded(struct tdx_world *w) { w->padding = 100; }
static void padded_most(struct tdx_world *w) { w->padding = CVM_QUOTE_TRAILING_MAX; }
static void given(struct tdx_world *w) { w->given_chain = true; }
static void answers(struct tdx_world *w) { w->as_answer = true; }
static void signer_reversed(struct tdx_world *w) { w->signer_reversed = true; }

static const struct {
	const char *name;
	void (*change)(struct tdx_world *w);
} harmless[] = {
	{ "genuine", NULL }, { "root from the trust roots", no_root },
	{ "bytes after the quote", padded }, { "as many as there may be", padded_most }, { "chain given", given },
	{ "collateral as Intel's service answers", answers },
	{ "chain of the collateral in another order", signer_reversed },
};

static void test_harmless(const struct tdx_kind *kind)
{
	for (size_t i = 0; i < ARRAY_SIZE(harmless); i++) {
		struct tdx_world w = tdx_world_of(kind);

		if (harmless[i].change)
			harmless[i].change(&w);
		tdx_refuse(&w, NULL, kind->name, harmless[i].name);
	}
}

/* Quotes about enclaves have the same form, but for the body and its type. */
static void test_enclave(void)
{
	struct tdx_world w = tdx_world_of(&tdx_kinds[0]);

	tdx_make(&w);
	memset(w.quote, 0, sizeof(w.quote));
	w.quote[0] = 4;
	w.quote[2] = 2;
	w.quote[432] = 134;		/* bytes of the signature data, certification data of */
	w.quote[436 + 128] = 7;		/* this type and no length */
	w.len = 436 + 134;
	tdx_refuse_made(&w, "=format", tdx_kinds[0].name, "about an enclave");
}

int main(void)
{
	tdx_make_kinds();
	for (size_t i = 0; i < TDX_KINDS; i++) {
		test_harmless(&tdx_kinds[i]);
		test_bytes(&tdx_kinds[i]);
		test_service_td(&tdx_kinds[i]);
	}
	test_signed_fields(&tdx_kinds[0]);
	test_spoilt(&tdx_kinds[0]);
	test_enclave();
	tdx_free_kinds();
	return tap_end();
}
