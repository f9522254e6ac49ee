// SPDX-License-Identifier: GPL-2.0
/*
 * Evidence of Azure guests that a policy verifies, spoilt: the paravisor's report, its
 * claims, the quote of its TDREPORT.
 */
#include "mutate_azure.h"

/* ---- the paravisor's report */

static void no_hcl(struct azure_world *w) { w->hcl[0] = 'h'; }
static void not_hcl(struct azure_world *w) { w->tamper = no_hcl; }
static void version_1(struct azure_world *w) { w->version = 1; }
static void version_0(struct azure_world *w) { w->version = 0; }
static void version_3(struct azure_world *w) { w->version = 3; }
static void type_vbs(struct azure_world *w) { w->report_type = 1; }
static void type_other(struct azure_world *w) { w->report_type = w->is_td ? 2 : 4; }
static void type_9(struct azure_world *w) { w->report_type = 9; }
static void sha384(struct azure_world *w) { w->hash_type = 2; }
static void no_hash(struct azure_world *w) { w->hash_type = 0; }
static void padded(struct azure_world *w) { w->padding = 700; }
static void cut(struct azure_world *w) { w->len--; }
static void cut_claims(struct azure_world *w) { w->tamper = cut; }
static void head(struct azure_world *w) { w->len = 0x4d3; }
static void only_head(struct azure_world *w) { w->tamper = head; }
static void nothing(struct azure_world *w) { w->len = 0; }
static void empty(struct azure_world *w) { w->tamper = nothing; }
static void unsigned_words(struct azure_world *w) { memset(w->hcl + 8, 0x7f, 24); }
static void other_head(struct azure_world *w) { w->tamper = unsigned_words; }
static void claims_bit(struct azure_world *w) { w->hcl[0x4d4 + 20] ^= 1; }
static void other_claims(struct azure_world *w) { w->tamper = claims_bit; }
static void one_less(struct azure_world *w) { w->hcl[0x4d0]--; }
static void fewer_claims(struct azure_world *w) { w->tamper = one_less; }
static void hw_signature(struct azure_world *w) { w->hcl[0x20 + 0x2a0] ^= 1; }
static void hw_forged(struct azure_world *w) { w->tamper = hw_signature; }
static void hw_measurement(struct azure_world *w) { w->snp.report[0x90] ^= 1; }
static void hw_key(struct azure_world *w) { w->snp.signer = snp_keys.p256; }

static void hw_vmpl(struct azure_world *w) { w->snp.report[0x30] = 1; }

/* a guest without a paravisor can say all this of itself, and have it signed */
static void own_claims(struct azure_world *w)
{
	json_put(w->claims, "keys.0", azure_make_key("HCLAkPub", azure_keys.other));
	w->quote_signer = azure_keys.other;
}

static void plain_snp(struct azure_world *w)
{
	own_claims(w);
	hw_measurement(w);
}

static void plain_td(struct azure_world *w)
{
	own_claims(w);
	w->tdx.body[TDX_MRTD] ^= 1;
}

static void data_size(struct azure_world *w) { memset(w->hcl + 0x4c0, 0, 4); }
static void short_data(struct azure_world *w) { w->tamper = data_size; }

/* ---- a TD's */

static void no_td_quote(struct azure_world *w) { w->no_td_quote = true; }
static void other_td(struct azure_world *w) { w->other_td = true; }
static void td_mrtd(struct azure_world *w) { w->hcl[0x20 + 528] ^= 1; }
static void td_attributes(struct azure_world *w) { w->hcl[0x20 + 512 + 3] ^= 0x20; }
static void td_svn(struct azure_world *w) { w->hcl[0x20 + 264] ^= 1; }
static void td_data(struct azure_world *w) { w->hcl[0x20 + 128] ^= 1; }
static void td_type(struct azure_world *w) { w->hcl[0x20] = 0; }
static void other_mrtd(struct azure_world *w) { w->tamper = td_mrtd; }
static void other_attributes(struct azure_world *w) { w->tamper = td_attributes; }
static void other_svn(struct azure_world *w) { w->tamper = td_svn; }
static void other_data(struct azure_world *w) { w->tamper = td_data; }
static void no_tdreport(struct azure_world *w) { w->tamper = td_type; }
static void quote_signer(struct azure_world *w) { w->tdx.signer = tdx_keys.other; }
static void quote_cut(struct azure_world *w) { w->tdx.len = 600; }
static void cut_quote(struct azure_world *w) { w->tamper = quote_cut; }

/* ---- claims, signed by the hardware so */

static void no_user_data(struct azure_world *w) { json_object_del(w->claims, "user-data"); }

static void user_data(struct azure_world *w, const char *value)
{
	json_put(w->claims, "user-data", json_string(value));
}

static void other_user_data(struct azure_world *w)
{
	azure_set_user_data(w, (const uint8_t[64]){ 1 });
}

static void short_user_data(struct azure_world *w) { user_data(w, "D5D5"); }
static void no_hex(struct azure_world *w) { user_data(w, "nothing of the kind"); }

static void small_letters(struct azure_world *w)
{
	char hex[129];

	for (int i = 0; i < 64; i++)
		sprintf(hex + 2 * i, "d5");
	user_data(w, hex);
}

static void put_key(struct azure_world *w, json_t *key)
{
	json_put(w->claims, "keys.0", key);
}

static void no_keys(struct azure_world *w) { json_object_del(w->claims, "keys"); }
static void no_list(struct azure_world *w) { json_put(w->claims, "keys", json_of("{}")); }
static void no_object(struct azure_world *w) { json_put(w->claims, "keys.1", json_of("7")); }
static void no_kid(struct azure_world *w) { put_key(w, json_of("{\"kty\": \"RSA\"}")); }
static void other_kid(struct azure_world *w) { put_key(w, azure_make_key("AK", azure_keys.ak)); }
static void ec(struct azure_world *w) { json_put(w->claims, "keys.0.kty", json_of("\"EC\"")); }
static void small(struct azure_world *w) { put_key(w, azure_make_key("HCLAkPub", azure_keys.small)); }
static void no_n(struct azure_world *w) { json_object_del(json_at(w->claims, "keys.0"), "n"); }
static void e_one(struct azure_world *w) { json_put(w->claims, "keys.0.e", json_of("\"AQ\"")); }
static void e_even(struct azure_world *w) { json_put(w->claims, "keys.0.e", json_of("\"Ag\"")); }
static void e_none(struct azure_world *w) { json_put(w->claims, "keys.0.e", json_of("\"\"")); }
static void e_padded(struct azure_world *w) { json_put(w->claims, "keys.0.e", json_of("\"AQAB==\"")); }
static void e_text(struct azure_world *w) { json_put(w->claims, "keys.0.e", json_of("\"A+/B\"")); }
static void another_ak(struct azure_world *w) { put_key(w, azure_make_key("HCLAkPub", azure_keys.other)); }

static void two_aks(struct azure_world *w)
{
	json_put(w->claims, "keys.1", azure_make_key("HCLAkPub", azure_keys.other));
}

static void many_keys(struct azure_world *w)
{
	for (int i = 0; i < 15; i++)
		json_array_append_new(json_at(w->claims, "keys"), json_of("{\"kid\": \"x\"}"));
}

static void future(struct azure_world *w) { json_put(w->claims, "future", json_of("[{\"a\": 1}]")); }

/* ---- what the paravisor says of the VM */

static void vm_is(struct azure_world *w, const char *name, const char *value)
{
	char path[64];

	snprintf(path, sizeof(path), "vm-configuration.%s", name);
	if (value)
		json_put(w->claims, path, json_of(value));
	else
		json_object_del(json_at(w->claims, "vm-configuration"), name);
}

static void no_secure_boot(struct azure_world *w) { vm_is(w, "secure-boot", "false"); }
static void unsaid_boot(struct azure_world *w) { vm_is(w, "secure-boot", NULL); }
static void boot_word(struct azure_world *w) { vm_is(w, "secure-boot", "\"true\""); }
static void no_tpm(struct azure_world *w) { vm_is(w, "tpm-enabled", "false"); }
static void fleeting(struct azure_world *w) { vm_is(w, "tpm-persisted", "false"); }
static void no_console(struct azure_world *w) { vm_is(w, "console-enabled", "false"); }
static void typing(struct azure_world *w) { vm_is(w, "interactive-console-enabled", "true"); }
static void no_typing(struct azure_world *w) { vm_is(w, "interactive-console-enabled", "false"); }
static void typing_word(struct azure_world *w) { vm_is(w, "interactive-console-enabled", "\"yes\""); }
static void devices(struct azure_world *w) { vm_is(w, "filtered-vpci-devices-allowed", "true"); }
static void sealed(struct azure_world *w) { vm_is(w, "hardware-sealing-policy", "\"hash\""); }
static void unsealed(struct azure_world *w) { vm_is(w, "hardware-sealing-policy", "\"none\""); }
static void sealed_so(struct azure_world *w) { vm_is(w, "hardware-sealing-policy", "\"hashed\""); }
static void sealing_7(struct azure_world *w) { vm_is(w, "hardware-sealing-policy", "7"); }
static void sealed_long(struct azure_world *w)
{
	vm_is(w, "hardware-sealing-policy", "\"hash-of-a-new-kind\"");
}

static void other_root(struct azure_world *w) { vm_is(w, "root-cert-thumbprint", "\"6nZZnYaJc4K\""); }
static void no_root(struct azure_world *w) { vm_is(w, "root-cert-thumbprint", "\"\""); }
static void unsaid_root(struct azure_world *w) { vm_is(w, "root-cert-thumbprint", NULL); }
static void unsaid(struct azure_world *w) { json_object_del(w->claims, "vm-configuration"); }
static void vm_list(struct azure_world *w) { json_put(w->claims, "vm-configuration", json_of("[]")); }

static void wild_root(struct azure_world *w)
{
	vm_is(w, "root-cert-thumbprint", "\"\\u001b[2J\\u00e9\"");
}

static void long_root(struct azure_world *w)
{
	vm_is(w, "root-cert-thumbprint", "\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa"
	      "aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"");
}

/* ---- both kinds of guests, or one */

enum { BOTH, SNP, TDX };

/* every rule about what the genuine claims say */
#define UNSAID \
	"=azure.claims.secure_boot," \
	"azure.claims.tpm_enabled," \
	"azure.claims.tpm_persisted," \
	"azure.claims.root_cert_thumbprint"

static const struct {
	const char *name;
	void (*spoil)(struct azure_world *w);
	int guest;
	const char *by;
} spoilt[] = {
	{ "another signature of the report", not_hcl, BOTH, "=format" },
	{ "version 1", version_1, BOTH, NULL },
	{ "version 0", version_0, BOTH, "=format" },
	{ "version 3", version_3, BOTH, "=format" },
	{ "of VBS", type_vbs, BOTH, "=hcl_report" },
	{ "of an unknown type", type_9, BOTH, "=hcl_report" },
	{ "a report said to be a TDREPORT", type_other, SNP, "hcl_report" },
	{ "a TDREPORT said to be a report", type_other, TDX, "format" },
	{ "claims hashed with SHA-384", sha384, BOTH, "=claims" },
	{ "claims hashed with nothing", no_hash, BOTH, "=claims" },
	{ "Secure Boot off", no_secure_boot, BOTH, "=azure.claims.secure_boot" },
	{ "Secure Boot, of which nothing is said", unsaid_boot, BOTH, "=azure.claims.secure_boot" },
	{ "Secure Boot that is a word", boot_word, BOTH, "=azure.claims.secure_boot" },
	{ "no vTPM", no_tpm, BOTH, "=azure.claims.tpm_enabled" },
	{ "a vTPM whose state is lost", fleeting, BOTH, "=azure.claims.tpm_persisted" },
	{ "no console that the host sees", no_console, BOTH, NULL },
	/* of which the genuine claims say nothing: that is no leave to be worse */
	{ "a console that the host types at", typing, BOTH,
	  "=azure.claims.interactive_console_enabled" },
	{ "a console that nobody types at", no_typing, BOTH, NULL },
	{ "devices of a list", devices, BOTH, NULL },
	{ "another root of releases", other_root, BOTH, "=azure.claims.root_cert_thumbprint" },
	{ "an empty root of releases", no_root, BOTH, "=azure.claims.root_cert_thumbprint" },
	{ "no root of releases", unsaid_root, BOTH, "=azure.claims.root_cert_thumbprint" },
	{ "a root of releases that is too long", long_root, BOTH, "=azure.claims.root_cert_thumbprint" },
	{ "a root of releases for a terminal", wild_root, BOTH, "=azure.claims.root_cert_thumbprint" },
	{ "a VM that is a list", vm_list, BOTH, UNSAID },
	{ "nothing said of the VM", unsaid, BOTH, UNSAID },
	{ "bytes after the claims", padded, BOTH, NULL },
	{ "claims cut short", cut_claims, BOTH, "=format" },
	{ "cut before the claims", only_head, BOTH, "=format" },
	{ "nothing at all", empty, BOTH, "=format" },
	{ "another head, which nobody signs", other_head, BOTH, NULL },
	{ "a size that has no room for the claims", short_data, BOTH, "=format" },
	{ "claims with another bit", other_claims, BOTH, "=claims" },
	{ "claims a byte shorter", fewer_claims, BOTH, "=claims" },
	{ "report with another signature", hw_forged, SNP, "=signature" },
	{ "report signed by another key", hw_key, SNP, "=signature" },
	{ "another measurement of the paravisor", hw_measurement, SNP, "=snp.measurement" },
	{ "a plain guest's own claims, key and quote", plain_snp, SNP, "=snp.measurement" },
	{ "a plain TD's own claims, key and quote", plain_td, TDX, "=tdx.mrtd" },
	{ "a report that the guest's own system asked for", hw_vmpl, SNP, "=snp.vmpl,paravisor" },

	{ "no quote of the TDREPORT", no_td_quote, TDX, "td_quote" },
	{ "a quote of another TD", other_td, TDX, "td_quote" },
	{ "TDREPORT with another MRTD", other_mrtd, TDX, "=td_quote" },
	{ "TDREPORT with other attributes", other_attributes, TDX, "=td_quote" },
	{ "TDREPORT with another SVN", other_svn, TDX, "=td_quote" },
	{ "TDREPORT with another REPORTDATA", other_data, TDX, "=td_quote" },
	{ "TDREPORT that is none", no_tdreport, TDX, "hcl_report" },
	{ "quote signed by another key", quote_signer, TDX, "=signature" },
	{ "quote cut short", cut_quote, TDX, "=format" },

	{ "claims without user-data", no_user_data, BOTH, "=report_data" },
	{ "other user-data", other_user_data, BOTH, "=report_data" },
	{ "user-data in small letters", small_letters, BOTH, NULL },
	{ "user-data of two bytes", short_user_data, BOTH, "=claims" },
	{ "user-data that is no number", no_hex, BOTH, "=claims" },
	{ "claims without keys", no_keys, BOTH, "=claims" },
	{ "keys that are no list", no_list, BOTH, "=claims" },
	{ "a key that is no object", no_object, BOTH, "=claims" },
	{ "a key without a name", no_kid, BOTH, "=claims" },
	{ "attestation key of another name", other_kid, BOTH, "=claims" },
	{ "attestation key of EC", ec, BOTH, "=claims" },
	{ "attestation key of 1,024 bits", small, BOTH, "=claims" },
	{ "attestation key without a modulus", no_n, BOTH, "=claims" },
	{ "attestation key with an exponent of 1", e_one, BOTH, "=claims" },
	{ "attestation key with an even exponent", e_even, BOTH, "=claims" },
	{ "attestation key with an empty exponent", e_none, BOTH, "=claims" },
	{ "attestation key with a padded exponent", e_padded, BOTH, "=claims" },
	{ "attestation key in plain base64", e_text, BOTH, "=claims" },
	{ "two attestation keys", two_aks, BOTH, "=claims" },
	{ "too many keys", many_keys, BOTH, "=claims" },
	{ "claims that nobody knows", future, BOTH, NULL },
	{ "another attestation key", another_ak, BOTH, "=tpm_quote" },
};

static void test_spoilt(void)
{
	for (size_t i = 0; i < ARRAY_SIZE(spoilt); i++)
		for (int td = 0; td < 2; td++) {
			struct azure_world w;

			if (spoilt[i].guest == (td ? SNP : TDX))
				continue;
			w = azure_genuine(td);
			spoilt[i].spoil(&w);
			refuse(&w, NULL, spoilt[i].by, spoilt[i].name);
		}
}

/* ---- claims, by policies that say more of them or less than the genuine ones do */

#define CONSOLE		"azure.claims.console_enabled"
#define INTERACTIVE	"azure.claims.interactive_console_enabled"
#define SEALING		"azure.claims.hardware_sealing_policy"

/* what real guests need, and nothing else */
#define REAL		"{\"console_enabled\": \"any\", \"interactive_console_enabled\": \"unsaid\"}"
#define INTERACTIVE_IS(value) \
	"{\"console_enabled\": \"any\", \"interactive_console_enabled\": " value "}"
#define CONSOLE_IS(value) \
	"{\"console_enabled\": " value ", \"interactive_console_enabled\": \"unsaid\"}"
#define SEALED \
	"{\"console_enabled\": \"any\", \"interactive_console_enabled\": \"unsaid\"," \
	" \"hardware_sealing_policy\": [\"hash\"]}"
#define ALL_UNSAID \
	"{\"secure_boot\": \"unsaid\", \"tpm_enabled\": \"unsaid\"," \
	" \"console_enabled\": \"unsaid\", \"interactive_console_enabled\": \"unsaid\"}"

static const struct {
	const char *name;
	void (*spoil)(struct azure_world *w);
	const char *rules, *by;
} judged[] = {
	{ "nothing said by the policy", small_letters, NULL, "=" CONSOLE "," INTERACTIVE },
	{ "all well", small_letters, REAL, NULL },
	{ "Secure Boot off", no_secure_boot, REAL, "=azure.claims.secure_boot" },
	{ "a vTPM whose state is lost", fleeting, REAL, NULL },
	{ "a vTPM sealed to nothing", unsealed, REAL, NULL },
	{ "no root of releases", unsaid_root, REAL, NULL },
	{ "nothing said of the VM", unsaid, REAL,
	  "=azure.claims.secure_boot,azure.claims.tpm_enabled" },
	{ "a console that the host types at", typing, REAL, "=" INTERACTIVE },
	{ "a console that nobody types at", no_typing, REAL, NULL },
	{ "a console that somebody may type at", typing_word, REAL, NULL },
	{ "a console that the host types at, any", typing, INTERACTIVE_IS("\"any\""), NULL },
	{ "nothing said of it, none", small_letters, INTERACTIVE_IS("false"), "=" INTERACTIVE },
	{ "none, none", no_typing, INTERACTIVE_IS("false"), NULL },
	{ "a console that the host sees, none", small_letters, CONSOLE_IS("false"), "=" CONSOLE },
	{ "that, unsaid", small_letters, CONSOLE_IS("\"unsaid\""), "=" CONSOLE },
	{ "no console, none", no_console, CONSOLE_IS("false"), NULL },
	{ "nothing said of the VM, unsaid", unsaid, ALL_UNSAID, NULL },
	{ "a VM that is a list, unsaid", vm_list, ALL_UNSAID, NULL },
	{ "a console, all unsaid", no_secure_boot, ALL_UNSAID,
	  "=azure.claims.secure_boot," CONSOLE },
	{ "a sealed vTPM", sealed, SEALED, NULL },
	{ "a vTPM sealed to nothing, sealed", unsealed, SEALED, "=" SEALING },
	{ "a vTPM sealed to who knows what", sealed_so, SEALED, "=" SEALING },
	{ "a vTPM sealed to a number", sealing_7, SEALED, "=" SEALING },
	{ "a vTPM sealed to a long word", sealed_long, SEALED, "=" SEALING },
	{ "a vTPM of whose sealing nothing is said", small_letters, SEALED, "=" SEALING },
};

static void test_judged(void)
{
	for (size_t i = 0; i < 2 * ARRAY_SIZE(judged); i++) {
		int td = i % 2;
		struct azure_world w = azure_genuine(td);
		char *kept = azure_policies[td];
		json_t *policy = json_of(kept);

		json_object_del(json_object_get(policy, "azure"), "claims");
		if (judged[i / 2].rules)
			json_put(policy, "azure.claims", json_of(judged[i / 2].rules));
		azure_policies[td] = need(json_dumps(policy, 0));
		judged[i / 2].spoil(&w);
		refuse(&w, NULL, judged[i / 2].by, judged[i / 2].name);
		free(azure_policies[td]);
		azure_policies[td] = kept;
		json_decref(policy);
	}
}

int main(void)
{
	azure_make_policies();
	test_spoilt();
	test_judged();
	azure_free_policies();
	return tap_end();
}
