// SPDX-License-Identifier: GPL-2.0
/* Texts that are no policy, with the place that the error names; policies in words. */
#include <errno.h>

#include "make_certs.h"
#include "tap.h"
#include "userspace/verify/policy.h"

/* ---- texts that are no policy */

static const struct {
	const char *text, *error;
} malformed[] = {
	{ "", "no JSON" },
	{ "{", "line 1, column 1: no JSON" },
	{ "[]", "expected an object" },
	{ "7", "no JSON" },
	{ "{} {}", "no JSON" },
	{ "{\"snp\": {}, \"snp\": {}}", "duplicate" },
	{ "{\"version\": 2}", "version: expected 1" },
	{ "{\"version\": \"1\"}", "version: expected a number" },
	{ "{\"Version\": 1}", "Version: expected no such key" },
	{ "{\"snp\": 1}", "snp: expected an object" },
	{ "{\"snp\": []}", "snp: expected an object" },
	{ "{\"snp\": {\"measurements\": []}}", "snp.measurements: expected no such key" },
	{ "{\"snp\": {\"measure\": []}}", "snp.measure: expected no such key" },
	{ "{\"snp\": {\"policy\": {\"debugging\": true}}}", "snp.policy.debugging: expected no" },
	{ "{\"snp\": {\"policy\": true}}", "snp.policy: expected an object" },
	{ "{\"snp.policy\": {}}", "snp.policy: expected no such key" },
	{ "{\"snp.measurement\": []}", "snp.measurement: expected no such key" },
	{ "{\"snp\": {\"policy.debug\": false}}", "policy.debug: expected no such key" },
	{ "{\"\": {}}", "expected no such key" },
	{ "{\"snp\": {\"\": {}}}", "expected no such key" },
	{ "{\"snp\": {\"measurement\": \"ee\"}}", "snp.measurement: expected an array" },
	{ "{\"snp\": {\"measurement\": [\"ee\"]}}",
	  "snp.measurement[0]: expected 96 hexadecimal digits" },
	{ "{\"snp\": {\"host_data\": [7]}}", "snp.host_data[0]: expected 64 hexadecimal digits" },
	{ "{\"snp\": {\"policy\": {\"debug\": 0}}}", "snp.policy.debug: expected true or false" },
	{ "{\"snp\": {\"policy\": {\"debug\": \"no\"}}}", "expected true or false" },
	{ "{\"snp\": {\"vmpl\": 0}}", "snp.vmpl: expected an array" },
	{ "{\"snp\": {\"vmpl\": [32]}}", "snp.vmpl[0]: expected a number from 0 to 31" },
	{ "{\"snp\": {\"vmpl\": [-1]}}", "snp.vmpl[0]: expected a number" },
	{ "{\"snp\": {\"vmpl\": [0.0]}}", "snp.vmpl[0]: expected a number" },
	{ "{\"snp\": {\"guest_svn\": -1}}", "snp.guest_svn: expected a number" },
	{ "{\"snp\": {\"guest_svn\": 99999999999999999999}}", "no JSON" },
	{ "{\"snp\": {\"product\": [\"Rome\"]}}",
	  "snp.product[0]: expected one of Milan, Genoa, Turin" },
	{ "{\"snp\": {\"signing_key\": \"vcek\"}}", "snp.signing_key: expected an array" },
	{ "{\"snp\": {\"csp_id\": [1]}}", "snp.csp_id[0]: expected a string" },
	{ "{\"snp\": {\"denied_chip_id\": \"any\"}}", "snp.denied_chip_id: expected an array" },
	{ "{\"snp\": {\"launch_mit_vector\": 3}}", "snp.launch_mit_vector: expected a string" },
	{ "{\"snp\": {\"launch_mit_vector\": \"0x3\"}}", "expected 0x and 16 hexadecimal digits" },
	{ "{\"snp\": {\"tcb\": {\"reported\": []}}}", "snp.tcb.reported: expected an object" },
	{ "{\"snp\": {\"tcb\": {\"reported\": {\"Rome\": {}}}}}",
	  "snp.tcb.reported.Rome: expected no such key" },
	{ "{\"snp\": {\"tcb\": {\"reported\": {\"Milan\": {\"boot_loader\": 1, \"tee\": 0, "
	  "\"snp\": 8}}}}}", "snp.tcb.reported.Milan.microcode: expected to be there" },
	{ "{\"snp\": {\"tcb\": {\"launch\": {\"Milan\": {\"boot_loader\": 1, \"tee\": 0, "
	  "\"snp\": 8, \"microcode\": 1, \"fmc\": 1}}}}}",
	  "snp.tcb.launch.Milan.fmc: expected no such key" },
	{ "{\"snp\": {\"tcb\": {\"launch\": {\"Turin\": {\"boot_loader\": 1, \"tee\": 0, "
	  "\"snp\": 8, \"microcode\": 1}}}}}", "snp.tcb.launch.Turin.fmc: expected to be there" },
	{ "{\"snp\": {\"tcb\": {\"launch\": {\"Milan\": {\"boot_loader\": 256, \"tee\": 0, "
	  "\"snp\": 8, \"microcode\": 1}}}}}", "boot_loader: expected a number from 0 to 255" },
	{ "{\"tdx\": {\"tcb_status\": [\"Revoked\"]}}", "tdx.tcb_status[0]: expected one of" },
	{ "{\"tdx\": {\"tcb_status\": [\"uptodate\"]}}", "tdx.tcb_status[0]: expected one of" },
	{ "{\"binding\": \"any\"}", "binding: expected one of report, svsm, azure, azure-tpm" },
	{ "{\"binding\": [\"report\"]}", "binding: expected a string" },
	{ "{\"batch\": {\"scopes\": [\"any\"]}}",
	  "batch.scopes[0]: expected privileged, unprivileged or label:NAME" },
	{ "{\"batch\": {\"scopes\": [\"label:\"]}}", "batch.scopes[0]: expected privileged" },
	{ "{\"batch\": {\"scopes\": \"privileged\"}}", "batch.scopes: expected an array" },
	{ "{\"collateral\": {\"max_age\": \"1d\"}}", "collateral.max_age: expected a number" },
	{ "{\"azure\": {\"pcrs\": []}}", "azure.pcrs: expected an object" },
	{ "{\"azure\": {\"pcrs\": {\"24\": []}}}", "azure.pcrs.24: expected no such key" },
	{ "{\"azure\": {\"pcrs\": {\"01\": []}}}", "azure.pcrs.01: expected no such key" },
	{ "{\"azure\": {\"pcrs\": {\"+1\": []}}}", "azure.pcrs.+1: expected no such key" },
	{ "{\"azure\": {\"pcrs\": {\"1x\": []}}}", "azure.pcrs.1x: expected no such key" },
	{ "{\"azure\": {\"pcrs\": {\"\": []}}}", "azure.pcrs" },
	{ "{\"azure\": {\"pcrs\": {\"1\": [\"ee\"]}}}",
	  "azure.pcrs.1[0]: expected 64 hexadecimal digits" },
	{ "{\"azure\": {\"claims\": {\"tpm_persisted\": \"unsaid\"}}}",
	  "azure.claims.tpm_persisted: expected true or false" },
	{ "{\"azure\": {\"event_log\": {\"secure_boot\": \"unsaid\"}}}",
	  "azure.event_log.secure_boot: expected true or false" },
	{ "{\"azure\": {\"event_log\": {\"pcrs\": {\"7\": []}}}}",
	  "azure.event_log.pcrs: expected an array" },
	{ "{\"azure\": {\"event_log\": {\"pcrs\": [7, 16]}}}",
	  "azure.event_log.pcrs: expected PCRs from 0 to 22, but for 16" },
	{ "{\"azure\": {\"event_log\": {\"pcrs\": [23]}}}",
	  "azure.event_log.pcrs: expected PCRs from 0 to 22, but for 16" },
	{ "{\"azure\": {\"event_log\": {\"pcrs\": [24]}}}",
	  "azure.event_log.pcrs: expected PCRs from 0 to 22, but for 16" },
	{ "{\"azure\": {\"event_log\": {\"pcrs\": [31]}}}",
	  "azure.event_log.pcrs: expected PCRs from 0 to 22, but for 16" },
	{ "{\"azure\": {\"event_log\": {\"db\": [\"00\"]}}}",
	  "azure.event_log.db[0]: expected 64 hexadecimal digits" },
	{ "{\"azure\": {\"event_log\": {\"dbt\": []}}}", "azure.event_log.dbt: expected no such key" },
	{ "{\"snp\": {\"policy\": {\"debug\": \"unsaid\"}}}", "snp.policy.debug: expected true or false" },
	{ "{\"\\u001b[2J\": 1}", "?[2J: expected no such key" },
	{ "{\"a\\u0000b\": 1}", "no JSON" },
	{ "{\"snp\": \x1b}", "no JSON" },
};

static bool is_printable(const char *text)
{
	for (; *text; text++)
		if (*text < ' ' || *text > '~')
			return false;
	return true;
}

static void test_malformed(void)
{
	struct cvm_verifier *v;

	if (cvm_verifier_new(&v))
		need(NULL);
	for (size_t i = 0; i < ARRAY_SIZE(malformed); i++) {
		struct cvm_error error = { 0 };
		int ret = cvm_verifier_set_policy(v, malformed[i].text, strlen(malformed[i].text),
						  &error);

		if (!check(ret == -EBADMSG && strstr(error.text, malformed[i].error) &&
			   is_printable(error.text), "refused: %s", malformed[i].error))
			printf("# %s: %s\n", malformed[i].text, error.text);
	}
	cvm_verifier_free(v);
}

/* Depth and size that nobody writes */
static void test_huge(void)
{
	size_t len = (4 << 20) + 1;
	char *text = need(malloc(len));
	struct cvm_verifier *v;
	struct cvm_error error;

	if (cvm_verifier_new(&v))
		need(NULL);
	memset(text, '[', len);
	check(cvm_verifier_set_policy(v, text, len - 1, &error) == -EBADMSG, "refused: 4 MiB deep");
	memset(text, ' ', len);
	memcpy(text, "{}", 2);
	check(!cvm_verifier_set_policy(v, text, len - 1, &error), "4 MiB of blanks");
	check(cvm_verifier_set_policy(v, text, len, &error) == -EBADMSG &&
	      strstr(error.text, "longer than"), "refused: a byte more");
	free(text);
	cvm_verifier_free(v);
}

/* ---- in words */

static bool explains(const char *json, const char *text)
{
	struct cvm_policy *policy;
	char *words;
	bool found;

	if (cvm_policy_load(&policy, json, strlen(json), NULL))
		need(NULL);
	words = need(cvm_policy_explain(policy));
	found = strstr(words, text);
	if (!found)
		printf("# %s\n", words);
	free(words);
	cvm_policy_put(policy);
	return found;
}

static const struct {
	const char *policy, *words;
} explained[] = {
	{ "{}", "no rules for snp: SNP reports are not verified" },
	{ "{}", "batch.scopes                                  absent: none" },
	{ "{\"snp\": {\"vmpl\": []}}", "snp.measurement                               absent: NOTHING IS VERIFIED" },
	{ "{\"snp\": {\"vmpl\": [0, 3]}}", "snp.vmpl                                      0, 3" },
	{ "{\"snp\": {\"vmpl\": []}}", "snp.vmpl                                      none" },
	{ "{\"snp\": {\"vmpl\": \"any\"}}", "snp.vmpl                                      any" },
	{ "{\"snp\": {\"vmpl\": []}}", "snp.policy.debug                              absent: must be clear" },
	{ "{\"snp\": {\"vmpl\": []}}", "snp.platform_info.alias_check_complete        absent: must be set" },
	{ "{\"snp\": {\"vmpl\": []}}", "snp.host_data                                 absent: must be zero" },
	{ "{\"snp\": {\"policy\": {\"debug\": false}}}", "must be clear" },
	{ "{\"snp\": {\"policy\": {\"debug\": true}}}", "must be set" },
	{ "{\"snp\": {\"guest_svn\": 3}}", "at least 3" },
	{ "{\"collateral\": {\"max_age\": 60}}", "at most 60" },
	{ "{\"snp\": {\"launch_mit_vector\": \"0x0000000000000003\"}}", "must have 0x0000000000000003" },
	{ "{\"snp\": {\"product\": [\"Turin\", \"Milan\"]}}", "Milan, Turin" },
	{ "{\"snp\": {\"product\": []}}", "snp.product                                   none" },
	{ "{\"snp\": {\"csp_id\": [\"a\\u001b\", \"b\"]}}", "a?, b" },
	{ "{\"snp\": {\"csp_id\": []}}", "snp.csp_id                                    none" },
	{ "{\"snp\": {\"denied_chip_id\": []}}", "none of 0" },
	{ "{\"snp\": {\"image_id\": [\"00112233445566778899aabbccddeeff\"]}}", "one of 1" },
	{ "{\"snp\": {\"tcb\": {\"launch\": {\"Turin\": {\"fmc\": 1, \"boot_loader\": 2, \"tee\": 3, "
	  "\"snp\": 4, \"microcode\": 5}}}}}",
	  "Turin from fmc 1 boot_loader 2 tee 3 snp 4 microcode 5" },
	{ "{\"snp\": {\"tcb\": {\"launch\": {}}}}", "no product" },
	{ "{\"binding\": \"azure\"}", "binding                                       azure" },
	{ "{}", "binding                                       absent: report" },
	{ "{\"azure\": {\"pcrs\": {\"7\": [], \"4\": []}}}", "PCR 4 one of 0, PCR 7 one of 0" },
	{ "{\"azure\": {\"pcrs\": {}}}", "azure.pcrs                                    none" },
	{ "{\"azure\": {\"pcrs\": {}}}",
	  "azure.event_log.secure_boot                   absent: any" },
	{ "{\"azure\": {\"event_log\": {\"pcrs\": [7, 4]}}}",
	  "azure.event_log.pcrs                          4, 7" },
	{ "{\"azure\": {\"event_log\": {\"db\": []}}}",
	  "azure.event_log.db                            one of 0" },
	{ "{\"azure\": {\"claims\": {\"secure_boot\": \"unsaid\"}}}",
	  "must be set where the claims say it" },
	{ "{\"azure\": {\"claims\": {\"interactive_console_enabled\": \"unsaid\"}}}",
	  "must be clear where the claims say it" },
	{ "{\"batch\": {\"scopes\": [\"label:web\"]}}", "label:web" },
};

static void test_explain(void)
{
	char line[128];
	size_t found = 0;

	for (size_t i = 0; i < ARRAY_SIZE(explained); i++)
		check(explains(explained[i].policy, explained[i].words), "explained: %s",
		      explained[i].words);
	for (size_t i = 0; i < CVM_RULES; i++) {
		snprintf(line, sizeof(line), "%s ", cvm_rule_infos[i].path);
		found += explains("{\"snp\": {\"vmpl\": []}, \"tdx\": {\"mrtd\": []}, "
				  "\"azure\": {\"pcrs\": {}}}", line);
	}
	check(found == CVM_RULES, "each of %d rules is explained", CVM_RULES);
}

int main(void)
{
	test_malformed();
	test_huge();
	test_explain();
	return tap_end();
}
