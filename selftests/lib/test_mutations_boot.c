// SPDX-License-Identifier: GPL-2.0
/*
 * Evidence of Azure guests with the event log of their vTPM, spoilt: the log, the boot that
 * it is of, and who has written it. PCRs are those that a TPM would have.
 */
#include "mutate_boot.h"

static void said_so(struct azure_world *w)
{
	not_secure(w);
	json_put(w->claims, "vm-configuration.secure-boot", json_false());
}

static void no_log(struct azure_world *w) { w->log = (struct made_log){ 0 }; }

/* ---- the log is not the boot's: PCRs are as after genuine() */

static void other_db(struct azure_world *w) { last_of(w, "keys of keys")[0] ^= 1; }
static void other_digest(struct azure_world *w) { spoil_digest(w, "Calling", 0); }
/* ---- the PCRs are not by the log alone */

static void extended_4(struct azure_world *w) { more(w, 4); }
static void extended_15(struct azure_world *w) { more(w, 15); }

/* ---- the log leads to the PCR, and whoever runs in the VM has made it look better */

/* every digest is what the TPM was told; only what the events say of themselves is his */
static void renamed(struct azure_world *w, uint8_t real, const char *pretended)
{
	uint8_t event[128], digest[32];
	size_t len = put_variable(event, GUID_GLOBAL, "SecureBoot", &real, 1);

	SHA256(event, len, digest);
	log_begin(&w->log);
	log_event(&w->log, 7, EV_ACTION, digest, pretended, strlen(pretended));
	log_hashed(&w->log, 7, EV_SEPARATOR, "\0\0\0", 4);
}

/* another value shown for the digest of the real one */
static void shown_on(struct azure_world *w)
{
	const uint8_t on = 1, off = 0;
	uint8_t event[128], digest[32];
	size_t len = put_variable(event, GUID_GLOBAL, "SecureBoot", &off, 1);

	SHA256(event, len, digest);
	put_variable(event, GUID_GLOBAL, "SecureBoot", &on, 1);
	log_begin(&w->log);
	log_event(&w->log, 7, EV_CONFIG, digest, event, len);
	log_hashed(&w->log, 7, EV_SEPARATOR, "\0\0\0", 4);
}

/* the real one hidden, one that suits him behind it, and a separator of his own */
static void renamed_separator(struct azure_world *w)
{
	const uint8_t on = 1;
	uint8_t digest[32];

	renamed(w, 0, "SecureBoot");
	SHA256((const uint8_t *)"\0\0\0", 4, digest);
	log_begin(&w->log);
	log_event(&w->log, 7, EV_ACTION, digest, "Entering", 8);
	log_variable(&w->log, GUID_GLOBAL, "SecureBoot", &on, 1);
	log_hashed(&w->log, 7, EV_SEPARATOR, "\xff\xff\xff\xff", 4);
}

static void separated_by(struct azure_world *w, const char *separator)
{
	const uint8_t on = 1;

	log_begin(&w->log);
	log_hashed(&w->log, 7, EV_SEPARATOR, separator, 4);
	log_variable(&w->log, GUID_GLOBAL, "SecureBoot", &on, 1);
	log_hashed(&w->log, 7, EV_SEPARATOR, "\0\0\0", 4);
}

static void failed_separator(struct azure_world *w) { separated_by(w, "\1\0\0"); }
static void ones_separator(struct azure_world *w) { separated_by(w, "\xff\xff\xff\xff"); }

/* what was hashed is the variable, but nobody says that this was it */
static void other_type(struct azure_world *w)
{
	const uint8_t on = 1;
	uint8_t event[128];

	log_begin(&w->log);
	log_hashed(&w->log, 7, EV_AUTHORITY, event,
		   put_variable(event, GUID_GLOBAL, "SecureBoot", &on, 1));
	log_hashed(&w->log, 7, EV_SEPARATOR, "\0\0\0", 4);
}

static void hidden(struct azure_world *w) { renamed(w, 0, "SecureBoot"); }

static void late(struct azure_world *w)
{
	const uint8_t on = 1;

	renamed(w, 0, "SecureBoot");
	log_variable(&w->log, GUID_GLOBAL, "SecureBoot", &on, 1);
}

static void twice(struct azure_world *w)
{
	const uint8_t off = 0, on = 1;

	log_begin(&w->log);
	log_variable(&w->log, GUID_GLOBAL, "SecureBoot", &off, 1);
	log_variable(&w->log, GUID_GLOBAL, "SecureBoot", &on, 1);
	log_hashed(&w->log, 7, EV_SEPARATOR, "\0\0\0", 4);
}

static void changed_later(struct azure_world *w)
{
	const uint8_t on = 1;

	genuine(w);
	log_variable(&w->log, GUID_GLOBAL, "SecureBoot", &on, 1);
}

/* the firmware's own second measurement, which the sender of the log calls something else */
static void renamed_later(struct azure_world *w, const char *guid, const char *name,
			  const char *data, size_t len, uint32_t type, bool shown)
{
	uint8_t event[128], digest[32];
	size_t size = put_variable(event, guid, name, data, len);

	genuine(w);
	SHA256(event, size, digest);
	if (shown)
		log_event(&w->log, 7, type, digest, event, size);
	else
		log_event(&w->log, 7, type, digest, "something", 9);
}

static void off_hidden(struct azure_world *w)
{
	renamed_later(w, GUID_GLOBAL, "SecureBoot", "\0", 1, EV_ACTION, false);
}

static void off_otherwise(struct azure_world *w)
{
	renamed_later(w, GUID_GLOBAL, "SecureBoot", "\0", 1, EV_CONFIG, false);
}

/* a zero behind what was hashed, as some firmware has it behind other events */
static void off_and_zero(struct azure_world *w)
{
	uint8_t event[128] = { 0 }, digest[32];
	size_t size = put_variable(event, GUID_GLOBAL, "SecureBoot", "\0", 1);

	genuine(w);
	SHA256(event, size, digest);
	log_event(&w->log, 7, EV_CONFIG, digest, event, size + 1);
}

static void off_authority(struct azure_world *w)
{
	renamed_later(w, GUID_GLOBAL, "SecureBoot", "\0", 1, EV_AUTHORITY, true);
}

/* EFI_SIGNATURE_LIST of 28 bytes, which has its size in it */
#define NEW_LIST	"0123456789abcdef\x1c\0\0\0\0\0\0\0\0\0\0\0"

static void db_renamed(struct azure_world *w)
{
	renamed_later(w, GUID_IMAGES, "db", NEW_LIST, 28, EV_AUTHORITY, true);
}

static void db_removed(struct azure_world *w)
{
	renamed_later(w, GUID_IMAGES, "db", "", 0, EV_ACTION, true);
}

static void db_hidden(struct azure_world *w)
{
	renamed_later(w, GUID_IMAGES, "db", NEW_LIST, 28, EV_ACTION, false);
}

/* what an image was checked by: its owner, and a certificate */
static void db_entry(struct azure_world *w)
{
	renamed_later(w, GUID_IMAGES, "db", "0123456789abcdef\x30\x82\x04\x08 and the rest", 33,
		      EV_AUTHORITY, true);
}

static void zero_behind(struct azure_world *w)
{
	uint8_t digest[32];

	genuine(w);
	SHA256((const uint8_t *)"DMA Protection Disabled", 23, digest);
	log_event(&w->log, 7, EV_ACTION, digest, "DMA Protection Disabled", 24);
}

/* all that it wanted is there, and it says that something is not */
static void failed(struct azure_world *w)
{
	log_begin(&w->log);
	log_keys(&w->log, 1);
	log_hashed(&w->log, 7, EV_SEPARATOR, "\1\0\0", 4);
}

static void failed_later(struct azure_world *w)
{
	genuine(w);
	log_hashed(&w->log, 7, EV_SEPARATOR, "\1\0\0", 4);
}

static void no_separator(struct azure_world *w)
{
	log_begin(&w->log);
	log_keys(&w->log, 1);
}

static void of_pcr_6(struct azure_world *w)
{
	uint8_t event[128];
	const uint8_t on = 1;

	log_begin(&w->log);
	log_hashed(&w->log, 6, EV_CONFIG, event,
		   put_variable(event, GUID_GLOBAL, "SecureBoot", &on, 1));
	log_hashed(&w->log, 7, EV_SEPARATOR, "\0\0\0", 4);
}

/* a variable of that name, of another owner */
static void other_owner(struct azure_world *w)
{
	const uint8_t on = 1;

	log_begin(&w->log);
	log_variable(&w->log, GUID_IMAGES, "SecureBoot", &on, 1);
	log_hashed(&w->log, 7, EV_SEPARATOR, "\0\0\0", 4);
}

static void two_bytes(struct azure_world *w)
{
	log_begin(&w->log);
	log_variable(&w->log, GUID_GLOBAL, "SecureBoot", "\1\1", 2);
	log_hashed(&w->log, 7, EV_SEPARATOR, "\0\0\0", 4);
}

static void no_bytes(struct azure_world *w)
{
	log_begin(&w->log);
	log_variable(&w->log, GUID_GLOBAL, "SecureBoot", "", 0);
	log_hashed(&w->log, 7, EV_SEPARATOR, "\0\0\0", 4);
}

/**
 * @make: the log as the TPM's PCRs are by it
 * @spoil: the log that comes along; NULL: that one
 * @rules: azure.event_log; NULL: none
 * @by: as in mutate.h
 */
static const struct {
	const char *name;
	void (*make)(struct azure_world *w), (*spoil)(struct azure_world *w);
	const char *rules, *by;
} boots[] = {
	{ "a log that nobody asks for", genuine, NULL, NULL, NULL },
	{ "no log, and nobody asks", genuine, no_log, NULL, NULL },
	{ "a log that is asked for", genuine, NULL, ASK_PCRS, NULL },
	{ "no log, asked for PCRs", genuine, no_log, ASK_PCRS, "=?" PCRS },
	{ "no log, asked for Secure Boot", genuine, no_log, ASK_ON, "=?" SECURE_BOOT },
	{ "no log, asked for db", genuine, no_log, "{\"db\": [" KEYS "]}", "=?" DB },
	{ "no log, any", genuine, no_log, "{\"pcrs\": \"any\", \"db\": \"any\"}", NULL },
	{ "another digest in PCR 4", genuine, other_digest, NULL, NULL },
	{ "that, asked for", genuine, other_digest, ASK_PCRS, "=" PCRS },
	{ "that, where PCR 7 is asked for", genuine, other_digest, "{\"pcrs\": [7]}", NULL },
	{ "PCR 4 extended by who knows", extended_4, NULL, ASK_ON, NULL },
	{ "that, asked for PCRs", extended_4, NULL, ASK_PCRS, "=" PCRS },
	{ "PCR 15 extended by the system", extended_15, NULL, ASK_PCRS, NULL },
	{ "PCR 15 asked for, of which there is no event", genuine, NULL, "{\"pcrs\": [7, 15]}",
	  "=" PCRS },
	{ "PCR 17 asked for, which is not quoted", genuine, NULL, "{\"pcrs\": [7, 17]}", "=" PCRS },
	{ "no PCR asked for", genuine, NULL, "{\"pcrs\": []}", "=" PCRS },

	{ "Secure Boot, which is on", genuine, NULL, ASK_ON, NULL },
	{ "Secure Boot off, on asked for", not_secure, NULL, ASK_ON, "=" SECURE_BOOT },
	{ "Secure Boot off, off asked for", not_secure, NULL, ASK_OFF, NULL },
	{ "Secure Boot on, off asked for", genuine, NULL, ASK_OFF, "=" SECURE_BOOT },
	{ "Secure Boot off, any", not_secure, NULL, "{\"secure_boot\": \"any\"}", NULL },
	{ "Secure Boot off, which the claims say is on, unasked", not_secure, NULL, NULL, NULL },
	{ "Secure Boot off, as the claims say", said_so, NULL, NULL, "=azure.claims.secure_boot" },
	{ "Secure Boot under another name", hidden, NULL, ASK_ON, "=" SECURE_BOOT },
	{ "Secure Boot under another name, unasked", hidden, NULL, NULL, NULL },
	{ "that, off asked for", hidden, NULL, ASK_OFF, "=" SECURE_BOOT },
	{ "Secure Boot shown otherwise than measured", shown_on, NULL, ASK_ON, "=" SECURE_BOOT },
	{ "that, off asked for", shown_on, NULL, ASK_OFF, "=" SECURE_BOOT },
	{ "Secure Boot measured after the firmware", late, NULL, ASK_ON, "=" SECURE_BOOT },
	{ "a separator under another name", renamed_separator, NULL, ASK_ON, "=" SECURE_BOOT },
	{ "a separator of firmware that failed", failed_separator, NULL, ASK_ON, "=" SECURE_BOOT },
	{ "firmware that failed at the end", failed, NULL, ASK_ON, "=" SECURE_BOOT },
	{ "that, asked for db", failed, NULL, "{\"db\": [" KEYS "]}", "=" DB },
	{ "firmware that failed behind the end", failed_later, NULL, ASK_ON, "=" SECURE_BOOT },
	{ "a separator of ones", ones_separator, NULL, ASK_ON, "=" SECURE_BOOT },
	{ "Secure Boot by an event of another type", other_type, NULL, ASK_ON, "=" SECURE_BOOT },
	{ "Secure Boot measured twice", twice, NULL, ASK_ON, "=" SECURE_BOOT },
	{ "that, off asked for", twice, NULL, ASK_OFF, "=" SECURE_BOOT },
	{ "Secure Boot measured again later", changed_later, NULL, ASK_ON, "=" SECURE_BOOT },
	{ "Secure Boot off again under another name", off_hidden, NULL, ASK_ON, "=" SECURE_BOOT },
	{ "Secure Boot off again, shown as another", off_otherwise, NULL, ASK_ON, "=" SECURE_BOOT },
	{ "Secure Boot off again, and a zero", off_and_zero, NULL, ASK_ON, "=" SECURE_BOOT },
	{ "Secure Boot off again by another type", off_authority, NULL, ASK_ON, "=" SECURE_BOOT },
	{ "keys changed by another type", db_renamed, NULL, "{\"db\": [" KEYS "]}", "=" DB },
	{ "keys removed by another type", db_removed, NULL, "{\"db\": [" KEYS "]}", "=" DB },
	{ "keys changed under another name", db_hidden, NULL, "{\"db\": [" KEYS "]}", "=" DB },
	{ "the entry that an image was checked by", db_entry, NULL, "{\"db\": [" KEYS "]}", NULL },
	{ "an event with a zero behind it", zero_behind, NULL, ASK_ON, NULL },
	{ "no separator", no_separator, NULL, ASK_ON, "=" SECURE_BOOT },
	{ "Secure Boot of PCR 6", of_pcr_6, NULL, ASK_ON, "=" SECURE_BOOT },
	{ "Secure Boot of another owner", other_owner, NULL, ASK_ON, "=" SECURE_BOOT },
	{ "Secure Boot of two bytes", two_bytes, NULL, ASK_ON, "=" SECURE_BOOT },
	{ "Secure Boot of no bytes", no_bytes, NULL, ASK_ON, "=" SECURE_BOOT },

	{ "the keys that are asked for", genuine, NULL, "{\"db\": [" OTHERS ", " KEYS "]}", NULL },
	{ "other keys", genuine, NULL, "{\"db\": [" OTHERS "]}", "=" DB },
	{ "no keys at all", genuine, NULL, "{\"db\": []}", "=" DB },
	{ "those keys as dbx", genuine, NULL, "{\"dbx\": [" KEYS "]}", "=azure.event_log.dbx" },
	{ "those keys as KEK", genuine, NULL, "{\"kek\": [" KEYS "]}", "=azure.event_log.kek" },
	{ "those keys as PK", genuine, NULL, "{\"pk\": [" KEYS "]}", "=azure.event_log.pk" },
	{ "keys that were never measured", hidden, NULL, "{\"db\": [" OTHERS "]}", "=" DB },
	{ "a variable whose digest is another's", genuine, other_db,
	  "{\"kek\": [" OTHERS "]}", "=azure.event_log.kek" },
};

static void test_boots(void)
{
	for (size_t i = 0; i < 2 * ARRAY_SIZE(boots); i++) {
		struct azure_world w = booted(i % 2, boots[i / 2].make, boots[i / 2].spoil);
		struct cvm_verdict *verdict = NULL;
		int ret = judge(&w, boots[i / 2].rules, NULL, &verdict);

		expect_by(ret, verdict, boots[i / 2].by, "%s guest, %s", i % 2 ? "TDX" : "SNP",
			  boots[i / 2].name);
	}
}

/* ---- what there is of a boot to ask for is what a policy of it has */

static char *made_policy(void (*make)(struct azure_world *w))
{
	struct azure_world w = azure_genuine(false);
	struct cvm_verdict *verdict = NULL;
	struct cvm_tpm_quote quote;
	struct cvm_verify_opts opts;
	struct cvm_verifier *v;
	char *policy;

	make(&w);
	memcpy(w.pcrs, w.log.pcr, sizeof(w.pcrs));
	azure_make(&w);
	v = azure_verifier(&w);
	opts = azure_opts(&w, &quote);
	if (cvm_verify(v, w.hcl, w.len, &opts, &verdict, NULL) ||
	    cvm_verdict_policy(verdict, &policy, NULL))
		need(NULL);
	cvm_verdict_free(verdict);
	cvm_verifier_free(v);
	azure_done(&w);
	return policy;
}

static void test_policy(void (*make)(struct azure_world *w), const char *wanted, const char *name)
{
	char *policy = made_policy(make), *got;
	json_t *root = json_of(policy), *log = json_object_get(json_object_get(root, "azure"), "event_log");

	for (const char *const *key = (const char *const []){ "pk", "kek", "dbx", NULL }; log && *key; key++)
		json_object_del(log, *key);
	got = log ? json_dumps(log, JSON_COMPACT | JSON_SORT_KEYS) : NULL;
	if (!check(wanted ? got && !strcmp(got, wanted) : !got, "a policy: %s", name))
		printf("# %s\n", got ? got : "nothing");
	free(got);
	json_decref(root);
	free(policy);
}

int main(void)
{
	azure_make_policies();
	test_boots();
	test_policy(genuine, "{\"db\":[" KEYS "],\"secure_boot\":true}",
		    "what the log leads to");
	test_policy(not_secure, "{\"db\":[" KEYS "],\"secure_boot\":\"any\"}",
		    "what is worse has to be allowed");
	test_policy(no_separator, NULL, "nothing of what nobody is sure");
	test_policy(off_hidden, NULL, "nor where one may hide behind another name");
	test_policy(failed, NULL, "nor of firmware that failed");
	test_policy(twice, NULL, "nor of what is there twice");
	test_policy(no_log, NULL, "nothing of a log that is not there");
	azure_free_policies();
	return tap_end();
}
