// SPDX-License-Identifier: GPL-2.0
/*
 * SNP evidence that a policy verifies, spoilt: each field of the report, with and
 * without being signed again. Each mutation names the check that catches it; the
 * policy is the one that the evidence itself gave.
 */
#include "mutate_snp.h"

/* ---- fields, after the signature was made */

static const struct {
	const char *name;
	size_t at, len;
} fields[] = {
	{ "GUEST_SVN", 0x04, 4 }, { "POLICY", 0x08, 8 }, { "FAMILY_ID", 0x10, 16 },
	{ "IMAGE_ID", 0x20, 16 }, { "VMPL", 0x30, 4 }, { "SIGNATURE_ALGO", 0x34, 4 },
	{ "CURRENT_TCB", 0x38, 8 }, { "PLATFORM_INFO", 0x40, 8 }, { "key info", 0x48, 4 },
	{ "reserved at 0x4c", 0x4c, 4 }, { "REPORT_DATA", 0x50, 64 },
	{ "MEASUREMENT", 0x90, 48 }, { "HOST_DATA", 0xc0, 32 }, { "ID_KEY_DIGEST", 0xe0, 48 },
	{ "AUTHOR_KEY_DIGEST", 0x110, 48 }, { "REPORT_ID", 0x140, 32 },
	{ "REPORT_ID_MA", 0x160, 32 }, { "REPORTED_TCB", 0x180, 8 }, { "CPUID", 0x188, 3 },
	{ "reserved at 0x18b", 0x18b, 21 }, { "CHIP_ID", 0x1a0, 64 },
	{ "COMMITTED_TCB", 0x1e0, 8 }, { "current version", 0x1e8, 3 },
	{ "committed version", 0x1ec, 3 }, { "LAUNCH_TCB", 0x1f0, 8 },
	{ "LAUNCH_MIT_VECTOR", 0x1f8, 8 }, { "CURRENT_MIT_VECTOR", 0x200, 8 },
	{ "reserved at 0x208", 0x208, 152 }, { "signature, R", 0x2a0, 72 },
	{ "signature, S", 0x2e8, 72 },
};

static size_t flip_at;

static void flip(struct snp_world *w)
{
	w->report[flip_at] ^= 0x10;
}

/* the first and the last byte of each field */
static void test_fields(const struct snp_kind *kind)
{
	struct cvm_verifier *v = snp_verifier_of(kind);
	char name[80];

	for (size_t i = 0; i < ARRAY_SIZE(fields); i++)
		for (int last = 0; last < 2; last++) {
			struct snp_world w = snp_world_of(kind);

			w.tamper = flip;
			flip_at = fields[i].at + (last ? fields[i].len - 1 : 0);
			snprintf(name, sizeof(name), "%s byte of %s flipped",
				 last ? "last" : "first", fields[i].name);
			snp_refuse_by(v, &w, "signature", kind->name, name);
		}
	cvm_verifier_free(v);
}

/* ---- fields that the firmware has signed so */

static const struct {
	const char *name;
	size_t at;
	uint8_t xor;
	const char *by;
} signed_fields[] = {
	{ "another FAMILY_ID", 0x10, 1, "=snp.family_id" },
	{ "another IMAGE_ID", 0x20, 1, "=snp.image_id" },
	{ "another REPORT_DATA", 0x50, 1, "=report_data" },
	{ "REPORT_DATA with another end", 0x8f, 1, "=report_data" },
	{ "another MEASUREMENT", 0x90, 1, "=snp.measurement" },
	{ "MEASUREMENT with another end", 0xbf, 0x80, "=snp.measurement" },
	{ "another HOST_DATA", 0xc0, 1, "=snp.host_data" },
	{ "another ID_KEY_DIGEST", 0xe0, 1, "=snp.id_key_digest" },
	{ "an author key that is not enabled", 0x110, 1, "=author_key,snp.author_key_digest" },
	{ "VMPL 1", 0x30, 1, "=snp.vmpl" },
	{ "VMPL 4", 0x30, 4, "=requester,snp.vmpl" },
	{ "SIGNATURE_ALGO 0", 0x34, 1, "=signature" },
	{ "SIGNATURE_ALGO 3", 0x34, 2, "=signature" },
	{ "debugging", 0x08 + 2, 0x08, "=snp.policy.debug" },
	{ "a migration agent", 0x08 + 2, 0x04, "=snp.policy.migrate_ma" },
	{ "SMT", 0x08 + 2, 0x01, NULL },
	{ "CXL", 0x08 + 2, 0x20, "=snp.policy.cxl_allow" },
	{ "an unknown policy bit", 0x08 + 3, 0x04, "=snp.policy.unknown_bits" },
	{ "the highest policy bit", 0x08 + 7, 0x80, "=snp.policy.unknown_bits" },
	{ "no check for aliases", 0x40, 0x20, "=snp.platform_info.alias_check_complete" },
	{ "trusted I/O", 0x40, 0x80, "=snp.platform_info.tio_en" },
	{ "no ECC", 0x40, 0x04, "=snp.platform_info.ecc_en" },
	{ "platform information bit 6", 0x40, 0x40, "=snp.platform_info.unknown_bits" },
	{ "platform information bit 63", 0x47, 0x80, "=snp.platform_info.unknown_bits" },
};

static void test_signed_fields(const struct snp_kind *kind)
{
	struct cvm_verifier *v = snp_verifier_of(kind);

	for (size_t i = 0; i < ARRAY_SIZE(signed_fields); i++) {
		struct snp_world w = snp_world_of(kind);

		w.report[signed_fields[i].at] ^= signed_fields[i].xor;
		snp_refuse_by(v, &w, signed_fields[i].by, kind->name, signed_fields[i].name);
	}
	cvm_verifier_free(v);
}

/* Bits that make the platform better are welcome where the policy does not want them. */
static void test_better(const struct snp_kind *kind)
{
	static const struct { const char *name; size_t at; uint8_t bit; } better[] = {
		{ "a single socket", 0x08 + 2, 0x10 }, { "AES-256-XTS", 0x08 + 2, 0x40 },
		{ "RAPL disabled", 0x08 + 2, 0x80 }, { "ciphertext hiding", 0x08 + 3, 0x01 },
		{ "no page swap", 0x08 + 3, 0x02 }, { "TSME", 0x40, 0x02 },
		{ "power not measured", 0x40, 0x08 }, { "ciphertext hidden", 0x40, 0x10 },
	};

	struct cvm_verifier *v = snp_verifier_of(kind);

	for (size_t i = 0; i < ARRAY_SIZE(better); i++) {
		struct snp_world w = snp_world_of(kind);

		w.report[better[i].at] |= better[i].bit;
		snp_refuse_by(v, &w, NULL, kind->name, better[i].name);
	}
	cvm_verifier_free(v);
}

static void test_vmpl_of_host(const struct snp_kind *kind)
{
	struct snp_world w = snp_world_of(kind);

	memset(w.report + 0x30, 0xff, 4);
	memset(w.report + 0x50, 0, 64);
	snp_refuse(&w, "=requester,snp.vmpl,report_data", kind->name, "asked for by the host");
}

/* ---- TCBs: each component of each, one below what the policy has */

static const struct {
	const char *name;
	size_t at;
	const char *by;
} tcbs[] = {
	{ "CURRENT_TCB", 0x38, "=snp.tcb.current" },
	{ "COMMITTED_TCB", 0x1e0, "=snp.tcb.committed" },
	{ "LAUNCH_TCB", 0x1f0, "=snp.tcb.launch" },
};

struct component {
	const char *name;
	size_t byte;		/* of TCB_VERSION */
	uint8_t *(*of)(struct amd_extensions *e);
};

static uint8_t *boot_loader(struct amd_extensions *e) { return &e->boot_loader; }
static uint8_t *tee(struct amd_extensions *e) { return &e->tee; }
static uint8_t *snp(struct amd_extensions *e) { return &e->snp; }
static uint8_t *microcode(struct amd_extensions *e) { return &e->microcode; }
static uint8_t *fmc(struct amd_extensions *e) { return &e->fmc; }

static const struct component until_genoa[] = {
	{ "boot_loader", 0, boot_loader }, { "tee", 1, tee }, { "snp", 6, snp },
	{ "microcode", 7, microcode },
}, turin[] = {
	{ "fmc", 0, fmc }, { "boot_loader", 1, boot_loader }, { "tee", 2, tee }, { "snp", 3, snp },
	{ "microcode", 7, microcode },
};

/* The key of other firmware is another, with a certificate of its own. */
static void test_reported(const struct snp_kind *kind, const struct component *c, int d)
{
	const char *age = d < 0 ? "older" : "newer";
	struct snp_world w = snp_world_of(kind);
	char name[80];

	w.report[0x180 + c->byte] = (uint8_t)(w.report[0x180 + c->byte] + d);
	*c->of(&w.amd) = (uint8_t)(*c->of(&w.amd) + d);
	snprintf(name, sizeof(name), "REPORTED_TCB: %s %s", age, c->name);
	snp_refuse(&w, d < 0 ? "=snp.tcb.reported" : NULL, kind->name, name);
	w = snp_world_of(kind);
	*c->of(&w.amd) = (uint8_t)(*c->of(&w.amd) + d);
	snprintf(name, sizeof(name), "certificate of %s %s", age, c->name);
	snp_refuse(&w, "=certificate_tcb", kind->name, name);
}

static void test_component(struct cvm_verifier *v, const struct snp_kind *kind,
			   const struct component *c)
{
	char name[80];

	for (int d = -1; d <= 1; d += 2) {
		for (size_t i = 0; i < ARRAY_SIZE(tcbs); i++) {
			struct snp_world w = snp_world_of(kind);
			uint8_t *byte = &w.report[tcbs[i].at + c->byte];

			*byte = (uint8_t)(*byte + d);
			snprintf(name, sizeof(name), "%s: %s %s", tcbs[i].name,
				 d < 0 ? "older" : "newer", c->name);
			snp_refuse_by(v, &w, d < 0 ? tcbs[i].by : NULL, kind->name, name);
		}
		test_reported(kind, c, d);
	}
}

static void test_tcbs(const struct snp_kind *kind)
{
	bool is_turin = kind->make == snp_make_turin;
	const struct component *list = is_turin ? turin : until_genoa;
	struct cvm_verifier *v = snp_verifier_of(kind);

	for (size_t i = 0; i < (is_turin ? ARRAY_SIZE(turin) : ARRAY_SIZE(until_genoa)); i++)
		test_component(v, kind, &list[i]);
	cvm_verifier_free(v);
}

int main(void)
{
	snp_make_kinds();
	snp_verify_kinds();
	for (size_t i = 0; i < SNP_KINDS; i++) {
		test_fields(&snp_kinds[i]);
		test_tcbs(&snp_kinds[i]);
		test_vmpl_of_host(&snp_kinds[i]);
	}
	test_signed_fields(&snp_kinds[0]);
	test_better(&snp_kinds[0]);
	snp_free_kinds();
	return tap_end();
}
