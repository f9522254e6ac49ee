// SPDX-License-Identifier: GPL-2.0
/* From frame to module. */
#include <errno.h>
#include <string.h>

#include "fwd.h"

/* payload bytes that each request must have; FW_ANY: up to the limit */
#define FW_ANY UINT32_MAX
static const uint32_t lengths[] = {
	[FW_SNP_REQUEST] = sizeof(struct fw_snp_request),
	[FW_TDX_REPORT] = 64,
	[FW_TDX_QUOTE] = 1024,
	[FW_TDX_RTMR] = 4 + 48,
	[FW_CONTROL] = FW_ANY,
	[FW_VIOLATION] = FW_ANY,
	[FW_SIM_REPORT] = sizeof(struct fw_sim_report),
	[FW_SIM_QUOTE] = 64,
	[FW_SIM_KEY] = 40,
	[FW_SVSM_ATTEST] = sizeof(struct fw_svsm_attest),
};

const char *request_malformed(const struct fw_frame *frame)
{
	if (frame->magic != FW_MAGIC)
		return "wrong magic";
	if (frame->len > FW_MAX_PAYLOAD)
		return "payload too long";
	if (frame->type < FW_HELLO || frame->type >= ARRAY_SIZE(lengths))
		return "unknown type";
	if (lengths[frame->type] != FW_ANY && frame->len != lengths[frame->type])
		return "wrong payload length";
	return NULL;
}

static void hello(struct fwd *fwd, struct answer *reply)
{
	struct fw_hello *hello = (struct fw_hello *)reply->data;
	bool snp = fwd->platform == FW_PLATFORM_SNP;

	memset(hello, 0, sizeof(*hello));
	hello->platform = fwd->platform + (fwd->paravisor ? 2 : 0);
	hello->strict = fwd->strict;
	memcpy(hello->boot_id, fwd->boot_id, sizeof(hello->boot_id));
	if (snp && !fwd->paravisor) {
		hello->vmpl = snp_vmpl();
		snp_secrets(hello->secrets);
	} else if (!fwd->paravisor) {
		hello->max_quotes = tdx_max_quotes();
	}
	reply->len = sizeof(*hello);
}

static void platform_frame(struct fwd *fwd, const struct fw_frame *frame, const uint8_t *payload,
			   struct answer *reply, uint64_t now_ns)
{
	uint32_t index;

	switch (frame->type) {
	case FW_SNP_REQUEST:
		snp_request(fwd, (const struct fw_snp_request *)payload, reply, now_ns);
		break;
	case FW_SVSM_ATTEST:
		svsm_attest(fwd, (const struct fw_svsm_attest *)payload, reply, now_ns);
		break;
	case FW_SIM_REPORT:
		snp_sim_report(fwd, (const struct fw_sim_report *)payload, reply, now_ns);
		break;
	case FW_SIM_KEY:
		snp_sim_key(fwd, payload, reply);
		break;
	case FW_TDX_REPORT:
		tdx_report(fwd, payload, reply, now_ns);
		break;
	case FW_TDX_QUOTE:
		tdx_quote(fwd, payload, reply, now_ns);
		break;
	case FW_TDX_RTMR:
		memcpy(&index, payload, sizeof(index));
		tdx_rtmr(fwd, index, payload + sizeof(index), reply, now_ns);
		break;
	case FW_SIM_QUOTE:
		tdx_sim_quote(fwd, payload, reply, now_ns);
		break;
	}
}

/* what a guest under the paravisor would ask, and what its host is asked for it */
static bool is_guests(uint32_t type)
{
	return type == FW_SNP_REQUEST || type == FW_TDX_REPORT || type == FW_TDX_RTMR;
}

static bool other_platform(const struct fwd *fwd, uint32_t type)
{
	bool snp = type == FW_SNP_REQUEST || type == FW_SIM_REPORT || type == FW_SIM_KEY ||
		   type == FW_SVSM_ATTEST;

	return snp != (fwd->platform == FW_PLATFORM_SNP) || (fwd->paravisor && is_guests(type));
}

void request_handle(struct fwd *fwd, const struct fw_frame *frame, const uint8_t *payload,
		    struct answer *reply, uint64_t now_ns)
{
	switch (frame->type) {
	case FW_HELLO:
		hello(fwd, reply);
		break;
	case FW_CONTROL:
		control_frame(fwd, payload, frame->len, reply);
		break;
	case FW_STATUS:
		control_status(fwd, reply);
		break;
	case FW_VIOLATION:
		violation(fwd, fwd->strict, "%.*s", frame->len < 512 ? (int)frame->len : 512,
			  (const char *)payload);
		break;
	default:
		/* an answer to the other platform's request would be an invention */
		if (other_platform(fwd, frame->type))
			reply->status = ENODEV;
		else
			platform_frame(fwd, frame, payload, reply, now_ns);
	}
}
