// SPDX-License-Identifier: MIT
#include "event_log.h"

#define SHA256_ALG	0x000b

/* TCG_PCClientPCREvent: pcrIndex, eventType, a digest of SHA-1, eventDataSize */
#define OLD_EVENT	32
/* TCG_EfiSpecIDEvent up to its algorithms, and each of these */
#define SPEC_ID		28
#define SPEC_ALGORITHM	4
/* TCG_PCR_EVENT2: pcrIndex, eventType, and how many digests */
#define EVENT_HEAD	12
#define DIGEST_MAX	64

static const uint8_t spec_signature[16] = "Spec ID Event03";

/* ---- the header */

/* Digests whose size another table may say as well: they must agree. */
static uint16_t known_size(uint16_t algorithm)
{
	switch (algorithm) {
	case 0x0004: return 20;	/* SHA-1 */
	case 0x000b: return 32;	/* SHA-256 */
	case 0x000c: return 48;	/* SHA-384 */
	case 0x000d: return 64;	/* SHA-512 */
	case 0x0012: return 32;	/* SM3 */
	default: return 0;
	}
}

static int find_bank(const struct cvm_event_log *log, uint16_t algorithm)
{
	for (uint32_t i = 0; i < log->banks; i++)
		if (log->algorithm[i] == algorithm)
			return (int)i;
	return -1;
}

static int parse_bank(struct cvm_event_log *log, size_t at, struct cvm_format_error *err)
{
	uint16_t algorithm = cvm_le16(log->log.data + at);
	uint16_t size = cvm_le16(log->log.data + at + 2), known = known_size(algorithm);

	if (find_bank(log, algorithm) >= 0)
		return cvm_format_bad(err, at, "algorithmId", "each algorithm once", algorithm);
	if (!size || size > DIGEST_MAX || (known && size != known))
		return cvm_format_bad(err, at + 2, "digestSize", "the size of its digests", size);
	log->algorithm[log->banks] = algorithm;
	log->size[log->banks++] = size;
	return 0;
}

/* @at: of TCG_EfiSpecIDEvent, which ends before @end */
static int parse_banks(struct cvm_event_log *log, size_t at, size_t end,
		       struct cvm_format_error *err)
{
	uint32_t count = cvm_le32(log->log.data + at + 24);
	int ret = 0;

	if (!count || count > CVM_EVENT_BANKS_MAX)
		return cvm_format_bad(err, at + 24, "numberOfAlgorithms", "1 to 8", count);
	if (end - at < SPEC_ID + SPEC_ALGORITHM * count + 1)
		return cvm_format_bad(err, at + 24, "numberOfAlgorithms",
				      "no more than the event has", count);
	for (at += SPEC_ID; !ret && log->banks < count; at += SPEC_ALGORITHM)
		ret = parse_bank(log, at, err);
	if (ret)
		return ret;
	if (log->log.data[at] > end - at - 1)
		return cvm_format_bad(err, at, "vendorInfoSize", "no more than the event has",
				      log->log.data[at]);
	if (find_bank(log, SHA256_ALG) < 0)
		return cvm_format_bad(err, at, "algorithms", "SHA-256 among them", count);
	return 0;
}

static int parse_header(struct cvm_event_log *log, struct cvm_format_error *err)
{
	const uint8_t *p = log->log.data;
	uint32_t size;

	if (log->log.len < OLD_EVENT)
		return cvm_format_short(err, log->log.len, "header", "32 bytes");
	if (cvm_le32(p))
		return cvm_format_bad(err, 0, "pcrIndex", "0, of the header", cvm_le32(p));
	if (cvm_le32(p + 4) != CVM_EV_NO_ACTION)
		return cvm_format_bad(err, 4, "eventType", "3 (EV_NO_ACTION)", cvm_le32(p + 4));
	size = cvm_le32(p + OLD_EVENT - 4);
	if (size > log->log.len - OLD_EVENT || size < SPEC_ID + 1)
		return cvm_format_bad(err, OLD_EVENT - 4, "eventDataSize",
				      "TCG_EfiSpecIDEvent, and no more than there is", size);
	if (memcmp(p + OLD_EVENT, spec_signature, sizeof(spec_signature)))
		return cvm_format_bad(err, OLD_EVENT, "signature", "'Spec ID Event03'",
				      p[OLD_EVENT]);
	log->at = OLD_EVENT + size;
	return parse_banks(log, OLD_EVENT, log->at, err);
}

bool cvm_is_event_log(const void *data, size_t len)
{
	const uint8_t *p = data;

	return len >= OLD_EVENT + sizeof(spec_signature) && !cvm_le32(p) &&
	       cvm_le32(p + 4) == CVM_EV_NO_ACTION &&
	       !memcmp(p + OLD_EVENT, spec_signature, sizeof(spec_signature));
}

int cvm_event_log_open(const void *data, size_t len, struct cvm_event_log *log,
		       struct cvm_format_error *err)
{
	*log = (struct cvm_event_log){ .log = { data, len }, .next = 1 };
	if (len > CVM_EVENT_LOG_MAX)
		return cvm_format_bad(err, 0, "event log", "at most 262144 bytes", len);
	return parse_header(log, err);
}

/* ---- events */

bool cvm_event_log_more(const struct cvm_event_log *log)
{
	return log->at < log->log.len;
}

/* One digest at *@at, which moves behind it. @seen: of the banks, by bits */
static int parse_digest(const struct cvm_event_log *log, size_t *at, uint32_t *seen,
			struct cvm_event *event, struct cvm_format_error *err)
{
	const struct cvm_span *in = &log->log;
	uint16_t algorithm;
	int bank;

	if (in->len - *at < 2)
		return cvm_format_short(err, in->len, "hashAlg", "another digest");
	algorithm = cvm_le16(in->data + *at);
	bank = find_bank(log, algorithm);
	if (bank < 0 || *seen & 1U << bank)
		return cvm_format_bad(err, *at, "hashAlg", "each of the header's, once", algorithm);
	*at += 2;
	if (in->len - *at < log->size[bank])
		return cvm_format_short(err, in->len, "digest", "all of it");
	if (algorithm == SHA256_ALG)
		event->digest = in->data + *at;
	*seen |= 1U << bank;
	*at += log->size[bank];
	return 0;
}

static int parse_digests(const struct cvm_event_log *log, size_t *at, struct cvm_event *event,
			 struct cvm_format_error *err)
{
	uint32_t count = cvm_le32(log->log.data + *at - 4), seen = 0;
	int ret = 0;

	if (count > log->banks)
		return cvm_format_bad(err, *at - 4, "digests.count", "one of each bank", count);
	for (uint32_t i = 0; !ret && i < count; i++)
		ret = parse_digest(log, at, &seen, event, err);
	if (!ret && !event->digest && event->type != CVM_EV_NO_ACTION)
		return cvm_format_bad(err, event->offset, "digests", "one of SHA-256 among them",
				      count);
	return ret;
}

int cvm_event_log_next(struct cvm_event_log *log, struct cvm_event *event,
		       struct cvm_format_error *err)
{
	const uint8_t *p = log->log.data;
	size_t at = log->at, len = log->log.len;
	uint32_t size;
	int ret;

	*event = (struct cvm_event){ .number = log->next, .offset = at };
	if (len - at < EVENT_HEAD)
		return cvm_format_short(err, len, "event", "12 bytes of its head");
	event->pcr = cvm_le32(p + at);
	event->type = cvm_le32(p + at + 4);
	/* what is no measurement may be of no PCR */
	if (event->pcr >= CVM_EVENT_PCRS && event->type != CVM_EV_NO_ACTION)
		return cvm_format_bad(err, at, "pcrIndex", "0 to 23", event->pcr);
	at += EVENT_HEAD;
	ret = parse_digests(log, &at, event, err);
	if (ret)
		return ret;
	if (len - at < 4)
		return cvm_format_short(err, len, "eventSize", "4 bytes");
	size = cvm_le32(p + at);
	at += 4;
	if (size > len - at)
		return cvm_format_bad(err, at - 4, "eventSize", "no more than there is", size);
	event->data = (struct cvm_span){ p + at, size };
	log->at = at + size;
	log->next++;
	return 0;
}

const char *cvm_event_type_name(uint32_t type)
{
	static const struct {
		uint32_t type;
		const char *name;
	} names[] = {
		{ 0x0, "EV_PREBOOT_CERT" }, { 0x1, "EV_POST_CODE" }, { 0x3, "EV_NO_ACTION" },
		{ 0x4, "EV_SEPARATOR" }, { 0x5, "EV_ACTION" }, { 0x6, "EV_EVENT_TAG" },
		{ 0x7, "EV_S_CRTM_CONTENTS" }, { 0x8, "EV_S_CRTM_VERSION" },
		{ 0x9, "EV_CPU_MICROCODE" }, { 0xa, "EV_PLATFORM_CONFIG_FLAGS" },
		{ 0xb, "EV_TABLE_OF_DEVICES" }, { 0xc, "EV_COMPACT_HASH" }, { 0xd, "EV_IPL" },
		{ 0xe, "EV_IPL_PARTITION_DATA" }, { 0xf, "EV_NONHOST_CODE" },
		{ 0x10, "EV_NONHOST_CONFIG" }, { 0x11, "EV_NONHOST_INFO" },
		{ 0x12, "EV_OMIT_BOOT_DEVICE_EVENTS" },
		{ 0x80000001, "EV_EFI_VARIABLE_DRIVER_CONFIG" },
		{ 0x80000002, "EV_EFI_VARIABLE_BOOT" },
		{ 0x80000003, "EV_EFI_BOOT_SERVICES_APPLICATION" },
		{ 0x80000004, "EV_EFI_BOOT_SERVICES_DRIVER" },
		{ 0x80000005, "EV_EFI_RUNTIME_SERVICES_DRIVER" },
		{ 0x80000006, "EV_EFI_GPT_EVENT" }, { 0x80000007, "EV_EFI_ACTION" },
		{ 0x80000008, "EV_EFI_PLATFORM_FIRMWARE_BLOB" },
		{ 0x80000009, "EV_EFI_HANDOFF_TABLES" },
		{ 0x8000000a, "EV_EFI_PLATFORM_FIRMWARE_BLOB2" },
		{ 0x8000000b, "EV_EFI_HANDOFF_TABLES2" },
		{ 0x8000000c, "EV_EFI_VARIABLE_BOOT2" }, { 0x8000000d, "EV_EFI_GPT_EVENT2" },
		{ 0x80000010, "EV_EFI_HCRTM_EVENT" },
		{ 0x800000e0, "EV_EFI_VARIABLE_AUTHORITY" },
		{ 0x800000e1, "EV_EFI_SPDM_FIRMWARE_BLOB" },
		{ 0x800000e2, "EV_EFI_SPDM_FIRMWARE_CONFIG" },
	};

	for (size_t i = 0; i < ARRAY_SIZE(names); i++)
		if (names[i].type == type)
			return names[i].name;
	return NULL;
}
