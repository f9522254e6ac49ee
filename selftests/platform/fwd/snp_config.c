// SPDX-License-Identifier: GPL-2.0
/* What the simulated SNP machine and its guest are. */
#include <string.h>
#include <openssl/evp.h>

#include "snp.h"

struct snp_config snp = {
	.policy = 0x30000,		/* SMT allowed; bit 17 is always one */
	.platform_info = 0x25,		/* SMT, ECC memory, alias check complete */
	.report_id_ma = { [0 ... 31] = 0xff },	/* no migration agent */
	.current = { 39, 55, 1 },
	.committed = { 39, 55, 1 },
	.mask_chip_id = 2,
	.signature_algo = 1,		/* ECDSA P-384 with SHA-384 */
	.key_version = 2,
};

static struct fwd *shared;

static const struct product {
	const char *name;
	uint64_t tcb;
	uint32_t cpuid, report_version;
	int8_t byte_of[TCB_PARTS];	/* in the 64-bit TCB_VERSION */
	uint8_t chip_id_len;
} products[SNP_PRODUCTS] = {
	[SNP_MILAN] = { "Milan", 0xdb18000000000004, 0x190101, 3, { -1, 0, 1, 6, 7 }, 64 },
	[SNP_GENOA] = { "Genoa", 0x541700000000000a, 0x191101, 3, { -1, 0, 1, 6, 7 }, 64 },
	[SNP_TURIN] = { "Turin", 0x5200000004010101, 0x1a0201, 5, { 0, 1, 2, 3, 7 }, 8 },
};

static const struct product *product(void)
{
	return &products[snp.product];
}

int snp_tcb_part(uint64_t tcb, enum snp_tcb_part part)
{
	int byte = product()->byte_of[part];

	return byte < 0 ? -1 : (int)(tcb >> (8 * byte) & 0xff);
}

bool snp_tcb_within(uint64_t a, uint64_t b)
{
	unsigned int i;

	for (i = 0; i < 8; i++)
		if ((a >> 8 * i & 0xff) > (b >> 8 * i & 0xff))
			return false;
	return true;
}

static uint64_t tcb(const struct snp_u64 *given)
{
	return given->set ? given->value : product()->tcb;
}

uint64_t snp_current_tcb(void) { return tcb(&snp.current_tcb); }
uint64_t snp_reported_tcb(void) { return tcb(&snp.reported_tcb); }
uint64_t snp_committed_tcb(void) { return tcb(&snp.committed_tcb); }
uint64_t snp_launch_tcb(void) { return tcb(&snp.launch_tcb); }

uint32_t snp_cpuid(void)
{
	return snp.cpuid.set ? (uint32_t)snp.cpuid.value : product()->cpuid;
}

uint32_t snp_report_version(void)
{
	return snp.report_version ? snp.report_version : product()->report_version;
}

const char *snp_product_name(void)
{
	return product()->name;
}

unsigned int snp_chip_id_len(void)
{
	return product()->chip_id_len;
}

void snp_chip_id(uint8_t id[64])
{
	memset(id, 0, 64);
	if (snp.chip_id_set)
		memcpy(id, snp.chip_id, 64);
	else
		fwd_derive(shared->chip_secret, "chip id", id, snp_chip_id_len());
}

unsigned int snp_vmpl(void)
{
	return snp.vmpl;
}

void snp_config_init(struct fwd *fwd)
{
	static const char image[] = "simulated guest";
	static const uint8_t zero[48];

	shared = fwd;
	if (!memcmp(snp.measurement, zero, 48))
		EVP_Digest(image, sizeof(image), snp.measurement, NULL, EVP_sha384(), NULL);
	if (!snp.report_id_set)
		fwd_derive(fwd->boot_secret, "report id", snp.report_id, sizeof(snp.report_id));
}

static int set_given(const struct fw_option *opt, const char *value, char *err)
{
	struct snp_u64 *given = opt->var;
	struct fw_option inner = *opt;

	inner.var = &given->value;
	if (opt_hex64(&inner, value, err))
		return -1;
	given->set = true;
	return 0;
}

static int set_chip_id(const struct fw_option *opt, const char *value, char *err)
{
	if (opt_hex(opt, value, err))
		return -1;
	snp.chip_id_set = true;
	return 0;
}

static int set_report_id(const struct fw_option *opt, const char *value, char *err)
{
	if (opt_hex(opt, value, err))
		return -1;
	snp.report_id_set = true;
	return 0;
}

/* "1.55.39" */
static int set_version(const struct fw_option *opt, const char *value, char *err)
{
	struct snp_firmware_version *version = opt->var;
	unsigned int major, minor, build;
	char rest;

	if (sscanf(value, "%3u.%3u.%3u%c", &major, &minor, &build, &rest) != 3 || major > 255 ||
	    minor > 255 || build > 255)
		return opt_fail(err, "'%.40s' is not MAJOR.MINOR.BUILD", value);
	*version = (struct snp_firmware_version){ (uint8_t)build, (uint8_t)minor, (uint8_t)major };
	return 0;
}

#define BYTES(field) opt_hex, snp.field, .max = sizeof(snp.field)

const struct fw_option snp_options[] = {
	{ "product", "milan|genoa|turin: the processor; its TCB, CPUID and certificates",
	  opt_choice, &snp.product, .choices = "milan|genoa|turin", .changed = snp_certs_stale },
	{ "signing_key", "vcek|vlek: vlek means that the host has loaded one",
	  opt_choice, &snp.signing_key, .choices = "vcek|vlek", .changed = snp_certs_stale },
	{ "csp_id", "TEXT: the cloud that a VLEK names", snp_set_csp_id,
	  .changed = snp_certs_stale },
	{ "certs", "0|1: the host has certificates for extended requests",
	  opt_bool, &snp_certs_enabled },
	{ "certs_crl", "0|1: the certificate table has the root's revocation list",
	  opt_bool, &snp_certs_crl },
	{ "certs_pages", "N: the certificate table is padded to N pages",
	  opt_u32, &snp_certs_pages, .max = FW_MAX_CERT_PAGES },
	{ "vmpl", "0..3: where the guest's kernel runs; lower VMPCKs are zero in its page",
	  opt_u32, &snp.vmpl, .max = 3 },
	{ "report_version", "N: 2, 3 or 5; 0: the product's", opt_u32, &snp.report_version },
	{ "policy", "HEX: the guest's policy", opt_hex64, &snp.policy },
	{ "debug", "0|1: the policy allows debugging", opt_bool, &snp.debug },
	{ "guest_svn", "N: from the ID block", opt_u32, &snp.guest_svn },
	{ "family_id", "HEX: from the ID block, 16 bytes", BYTES(family_id) },
	{ "image_id", "HEX: from the ID block, 16 bytes", BYTES(image_id) },
	{ "measurement", "HEX: launch digest, 48 bytes", BYTES(measurement) },
	{ "host_data", "HEX: 32 bytes", BYTES(host_data) },
	{ "id_key_digest", "HEX: 48 bytes", BYTES(id_key_digest) },
	{ "author_key_digest", "HEX: 48 bytes", BYTES(author_key_digest) },
	{ "author_key_en", "0|1: the author key digest counts", opt_bool, &snp.author_key_en },
	{ "report_id", "HEX: 32 bytes", set_report_id, snp.report_id, .max = 32 },
	{ "report_id_ma", "HEX: 32 bytes", BYTES(report_id_ma) },
	{ "current_tcb", "HEX: TCB_VERSION as a 64-bit number", set_given, &snp.current_tcb },
	{ "reported_tcb", "HEX: TCB_VERSION; the VCEK is made for it", set_given,
	  &snp.reported_tcb, .changed = snp_certs_stale },
	{ "committed_tcb", "HEX: TCB_VERSION", set_given, &snp.committed_tcb },
	{ "launch_tcb", "HEX: TCB_VERSION", set_given, &snp.launch_tcb },
	{ "cpuid", "HEX: family, model, stepping, a byte each, for reports from version 3",
	  set_given, &snp.cpuid, .max = 0xffffff },
	{ "chip_id", "HEX: up to 64 bytes, on Turin 8", set_chip_id, snp.chip_id, .max = 64,
	  .changed = snp_certs_stale },
	{ "mask_chip_id", "0|1|2: reports show no chip id; 2: none when there is a VLEK",
	  opt_u32, &snp.mask_chip_id, .max = 2 },
	{ "mask_chip_key", "0|1: the VCEK signs nothing", opt_bool, &snp.mask_chip_key },
	{ "platform_info", "HEX: 64 bits", opt_hex64, &snp.platform_info },
	{ "launch_mit_vector", "HEX: 64 bits, for reports from version 5 and keys",
	  opt_hex64, &snp.launch_mit_vector },
	{ "current_mit_vector", "HEX: 64 bits, for reports from version 5",
	  opt_hex64, &snp.current_mit_vector },
	{ "current_version", "MAJOR.MINOR.BUILD: the firmware's", set_version, &snp.current },
	{ "committed_version", "MAJOR.MINOR.BUILD: the firmware's", set_version, &snp.committed },
	{ "signature_algo", "N: 1 is ECDSA P-384", opt_u32, &snp.signature_algo },
	{ "key_version", "1|2: newest MSG_KEY_REQ that the firmware takes",
	  opt_u32, &snp.key_version, .min = 1, .max = 2 },
	{ }
};
