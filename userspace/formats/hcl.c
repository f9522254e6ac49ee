// SPDX-License-Identifier: MIT
#include "hcl.h"
#include "snp_report.h"
#include "tdreport.h"

/* the part of data_size that is not claims: five words */
#define DATA_HEADER	20

static int parse_header(const uint8_t *p, size_t len, struct cvm_hcl_report *r,
			struct cvm_format_error *err)
{
	if (len < 8)
		return cvm_format_short(err, len, "the header", "32 bytes");
	if (memcmp(p, CVM_HCL_SIGNATURE, 4))
		return cvm_format_bad(err, 0, "signature", "\"HCLA\"", cvm_le32(p));
	r->version = cvm_le32(p + 4);
	if (r->version != 1 && r->version != 2) {
		cvm_format_bad(err, 4, "version", "1 or 2", r->version);
		return -EPROTONOSUPPORT;
	}
	if (len < CVM_HCL_CLAIMS)
		return cvm_format_short(err, len, "the report's head",
					"1236 bytes before the claims");
	r->report_size = cvm_le32(p + 8);
	r->request_type = cvm_le32(p + 12);
	r->status = cvm_le32(p + 16);
	return 0;
}

static size_t hw_size(uint32_t report_type)
{
	switch (report_type) {
	case CVM_HCL_SNP:
		return CVM_SNP_REPORT_SIZE;
	case CVM_HCL_TDX:
		return CVM_TDREPORT_SIZE;
	default:
		return 0;
	}
}

static int parse_runtime_data(const uint8_t *p, size_t len, struct cvm_hcl_report *r,
			      struct cvm_format_error *err)
{
	const size_t at = CVM_HCL_HEADER_SIZE + CVM_HCL_HW_SIZE;
	uint32_t claims = cvm_le32(p + at + 16);

	r->data_size = cvm_le32(p + at);
	r->data_version = cvm_le32(p + at + 4);
	r->report_type = cvm_le32(p + at + 8);
	r->hash_type = cvm_le32(p + at + 12);
	if (claims > len - CVM_HCL_CLAIMS)
		return cvm_format_bad(err, at + 16, "claims size",
				      "no more than the bytes that follow", claims);
	if (r->data_size < DATA_HEADER || claims > r->data_size - DATA_HEADER)
		return cvm_format_bad(err, at, "data size",
				      "the claims and 20 bytes before them", r->data_size);
	r->claims = (struct cvm_span){ p + CVM_HCL_CLAIMS, claims };
	return 0;
}

int cvm_hcl_parse(const void *data, size_t len, struct cvm_hcl_report *r,
		  struct cvm_format_error *err)
{
	const uint8_t *p = data;
	int ret;

	_Static_assert(CVM_SNP_REPORT_SIZE <= CVM_HCL_HW_SIZE &&
		       CVM_TDREPORT_SIZE <= CVM_HCL_HW_SIZE, "the hardware report's room");
	memset(r, 0, sizeof(*r));
	ret = parse_header(p, len, r, err);
	if (!ret)
		ret = parse_runtime_data(p, len, r, err);
	if (!ret)
		r->hw_report = (struct cvm_span){ p + CVM_HCL_HEADER_SIZE,
						  hw_size(r->report_type) };
	return ret;
}

const char *cvm_hcl_type_name(uint32_t report_type)
{
	static const char *const names[] = {
		[CVM_HCL_INVALID] = "invalid", [CVM_HCL_VBS] = "vbs", [CVM_HCL_SNP] = "snp",
		[CVM_HCL_TVM] = "tvm", [CVM_HCL_TDX] = "tdx", [CVM_HCL_CCA] = "cca",
	};

	return report_type < ARRAY_SIZE(names) ? names[report_type] : "unknown";
}
