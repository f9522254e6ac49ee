// SPDX-License-Identifier: MIT
#include "tdreport.h"

#define EXPECTED_SIZE	"1024 bytes, a TDREPORT_STRUCT"

/* TEE_TCB_SVN2 is the bytes 128 to 143 */
#define VALID_TEE_TCB_SVN2	(3ULL << 16)

static void parse_mac(const uint8_t *p, struct cvm_tdreport *r)
{
	memcpy(r->cpusvn, p + 16, sizeof(r->cpusvn));
	memcpy(r->tee_tcb_info_hash, p + 32, sizeof(r->tee_tcb_info_hash));
	memcpy(r->tee_info_hash, p + 80, sizeof(r->tee_info_hash));
	memcpy(r->reportdata, p + 128, sizeof(r->reportdata));
	memcpy(r->mac, p + 224, sizeof(r->mac));
}

static void parse_tcb_info(const uint8_t *p, struct cvm_tdreport *r)
{
	r->tee_tcb_info = (struct cvm_span){ p, 239 };
	r->valid = cvm_le64(p);
	memcpy(r->tee_tcb_svn, p + 8, sizeof(r->tee_tcb_svn));
	memcpy(r->mrseam, p + 24, sizeof(r->mrseam));
	memcpy(r->mrsignerseam, p + 72, sizeof(r->mrsignerseam));
	r->seam_attributes = cvm_le64(p + 120);
	r->has_tee_tcb_svn2 = (r->valid & VALID_TEE_TCB_SVN2) ==
			      VALID_TEE_TCB_SVN2;
	if (r->has_tee_tcb_svn2)
		memcpy(r->tee_tcb_svn2, p + 128, sizeof(r->tee_tcb_svn2));
}

static void parse_tdinfo(const uint8_t *p, struct cvm_tdreport *r)
{
	r->tdinfo = (struct cvm_span){ p, 512 };
	r->attributes = cvm_le64(p);
	r->xfam = cvm_le64(p + 8);
	memcpy(r->mrtd, p + 16, sizeof(r->mrtd));
	memcpy(r->mrconfigid, p + 64, sizeof(r->mrconfigid));
	memcpy(r->mrowner, p + 112, sizeof(r->mrowner));
	memcpy(r->mrownerconfig, p + 160, sizeof(r->mrownerconfig));
	memcpy(r->rtmr, p + 208, sizeof(r->rtmr));
	if (r->version >= 1)
		memcpy(r->servtd_hash, p + 400, sizeof(r->servtd_hash));
}

static int parse_type(const uint8_t *p, struct cvm_tdreport *r,
		      struct cvm_format_error *err)
{
	r->type = p[0];
	r->subtype = p[1];
	r->version = p[2];
	if (r->type != CVM_TDREPORT_TYPE_TDX)
		return cvm_format_bad(err, 0, "REPORTTYPE.TYPE", "0x81 (TDX)",
				      r->type);
	if (r->subtype != 0) {
		cvm_format_bad(err, 1, "REPORTTYPE.SUBTYPE", "0", r->subtype);
		return -EPROTONOSUPPORT;
	}
	if (r->version > 1) {
		cvm_format_bad(err, 2, "REPORTTYPE.VERSION", "0 or 1",
			       r->version);
		return -EPROTONOSUPPORT;
	}
	return 0;
}

int cvm_tdreport_parse(const void *data, size_t len, struct cvm_tdreport *r,
		       struct cvm_format_error *err)
{
	const uint8_t *p = data;
	int ret;

	memset(r, 0, sizeof(*r));
	if (len < 4)
		return cvm_format_short(err, len, "REPORTTYPE", EXPECTED_SIZE);
	ret = parse_type(p, r, err);
	if (ret)
		return ret;
	if (len < CVM_TDREPORT_SIZE)
		return cvm_format_short(err, len, "TDREPORT_STRUCT",
					EXPECTED_SIZE);
	if (len > CVM_TDREPORT_SIZE)
		return cvm_format_bad(err, CVM_TDREPORT_SIZE,
				      "the byte after TDREPORT_STRUCT",
				      "the end: " EXPECTED_SIZE,
				      p[CVM_TDREPORT_SIZE]);
	parse_mac(p, r);
	parse_tcb_info(p + 256, r);
	parse_tdinfo(p + 512, r);
	return 0;
}
